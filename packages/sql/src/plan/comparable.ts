/** What is sorted, grouped or made distinct has to be of a type that has an order. */
import { DatabaseError } from "@quorate/keys/database-error";
import { rowFieldsIn } from "../catalog/row-fields.ts";
import type { CatalogSnapshot } from "../catalog/snapshot.ts";
import { elementOfMade, isMadeArray, isRow } from "../types/made-oids.ts";
import { formatType, typeByOid } from "../types/registry.ts";
import type { Binder } from "./binder.ts";
import { type Bound, plainType } from "./bound.ts";

/** Rows are if all of their fields are. */
function isComparable(catalog: CatalogSnapshot, oid: number): boolean {
	if (isMadeArray(oid)) return isComparable(catalog, elementOfMade(oid));
	if (!isRow(oid)) return typeByOid(oid)?.comparable !== false;
	return rowFieldsIn(catalog, oid).every(({ type }) => isComparable(catalog, type.oid));
}

/** Throws 42883. */
export function requireComparable(
	{ environment }: Binder,
	bound: Bound,
	what: "equality" | "ordering",
	at: number,
): void {
	const { oid } = bound.type;
	if (isComparable(environment.catalog, oid)) return;
	throw new DatabaseError(
		"42883",
		`could not identify an ${what} operator for type ${formatType(plainType(oid))}`,
		{
			...(what === "ordering"
				? { hint: "Use an explicit ordering operator or modify the query." }
				: {}),
			...(at >= 0 ? { position: at + 1 } : {}),
		},
	);
}
