/** Tables that are computed, not stored: pg_catalog and information_schema. */
import type { ClusterActivity } from "../types/cluster-access.ts";
import type { Datum } from "../types/datum.ts";
import type { FunctionContext } from "../types/registry.ts";
import type { CatalogSnapshot } from "./snapshot.ts";

export interface VirtualTable {
	readonly schema: string;
	readonly name: string;
	readonly oid: number;
	readonly columns: readonly {
		readonly name: string;
		readonly typeOid: number;
		readonly modifier: number;
	}[];
	/** Its rows are about all nodes: they have to be asked first. */
	readonly isClusterWide: boolean;
	/** They are about what all nodes have run. */
	readonly isOfStatements: boolean;
	/** They say where sequences stand, which no snapshot does. */
	readonly isOfSequences: boolean;
	/** Rows come from the control plane's overview. */
	readonly isOverview: boolean;
	/** `activity`: what the nodes said, for a table that is cluster-wide. `used`: of which columns values are wanted, by default all; others are NULL. */
	rows(
		catalog: CatalogSnapshot,
		context: FunctionContext,
		activity?: ClusterActivity,
		used?: readonly boolean[],
	): Iterable<readonly Datum[]>;
}
