/** quorate_statements: what each node has run since its process began, by text without literals. */
import type { ClusterActivity } from "../types/cluster-access.ts";
import type { FunctionContext } from "../types/registry.ts";
import { readAllStatsOid } from "./role.ts";
import type { CatalogSnapshot } from "./snapshot.ts";
import type { SystemRow } from "./system-table.ts";

export function* statementRows(
	{ roles }: CatalogSnapshot,
	context: FunctionContext,
	activity: ClusterActivity | undefined,
): Iterable<SystemRow> {
	const isShown = activity !== undefined && roles.hasRightsOf(context.currentRole, readAllStatsOid);
	for (const { nodeId, shapes } of activity?.statements ?? []) {
		for (const { text, kind, calls, failures, totalMs, worstMs } of shapes) {
			yield {
				node_id: nodeId,
				statement: isShown ? text : "<insufficient privilege>",
				kind,
				calls: BigInt(calls),
				failures: BigInt(failures),
				total_ms: totalMs,
				mean_ms: totalMs / calls,
				worst_ms: worstMs,
			};
		}
	}
}
