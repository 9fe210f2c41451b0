/** Tables that are computed, not stored: pg_catalog and information_schema. */
import type { Datum } from "../types/datum.ts";
import type { FunctionContext } from "../types/registry.ts";
import type { CatalogSnapshot } from "./snapshot.ts";

export interface VirtualTable {
	readonly schema: string;
	readonly name: string;
	readonly oid: number;
	readonly columns: readonly { readonly name: string; readonly typeOid: number }[];
	rows(catalog: CatalogSnapshot, context: FunctionContext): Iterable<readonly Datum[]>;
}
