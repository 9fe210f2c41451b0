import type { ClusterActivity } from "../types/cluster-access.ts";
import type { Datum } from "../types/datum.ts";
import type { FunctionContext } from "../types/registry.ts";
import type { CatalogSnapshot } from "./snapshot.ts";

/** Values by column name. What is left out of a table's row is false, 0 or "" as its type has it, else NULL; of a view's row, NULL. */
export type SystemRow = Readonly<Record<string, Datum>>;

export type RowSource = (
	catalog: CatalogSnapshot,
	context: FunctionContext,
	activity?: ClusterActivity,
) => Iterable<SystemRow>;
