/** Nodes, ranges, and what the scheduler did about them: as the leader of the placement group knew them when the statement began to read. */
import { firstVersions, versionsText } from "@quorate/keys/cluster-version";
import { formatKey } from "@quorate/keys/key";
import { fromWire, type Overview } from "@quorate/placement/messages";
import { arrayOf } from "../types/array-values.ts";
import type { ClusterActivity } from "../types/cluster-access.ts";
import type { FunctionContext } from "../types/registry.ts";
import type { CatalogSnapshot } from "./snapshot.ts";
import { tableNameAt, timeOf } from "./system-activity.ts";
import type { SystemRow } from "./system-table.ts";

type Activity = ClusterActivity | undefined;

const rangesOf = (overview: Overview | undefined) => (overview?.ranges ?? []).map(fromWire);

export function* nodeRows(
	_: CatalogSnapshot,
	__: FunctionContext,
	activity: Activity,
): Iterable<SystemRow> {
	const ranges = rangesOf(activity?.overview);
	for (const node of activity?.overview?.nodes ?? []) {
		const { nodeId } = node;
		const isOn = (r: { readonly nodeId: number }): boolean => r.nodeId === nodeId;
		yield {
			node_id: nodeId,
			address: node.address,
			sql_address: node.sqlAddress,
			locality: node.locality,
			versions: versionsText(node.versions ?? firstVersions),
			state: node.isStopping && node.state === "live" ? "stopping" : node.state,
			placement_member: node.isMember,
			replicas: ranges.filter(({ descriptor }) => descriptor.replicas.some(isOn)).length,
			leases: ranges.filter(({ leaseholder }) => leaseholder === nodeId).length,
			silent_ms: BigInt(node.silentMs),
		};
	}
}

export function* rangeRows(
	catalog: CatalogSnapshot,
	_: FunctionContext,
	activity: Activity,
): Iterable<SystemRow> {
	const obstacles = new Map(activity?.overview?.obstacles);
	const moves = new Map(activity?.overview?.moves);
	for (const { descriptor, leaseholder } of rangesOf(activity?.overview)) {
		const { rangeId, start, end, replicas } = descriptor;
		const nodes = (role: "voter" | "learner") =>
			arrayOf(replicas.filter((r) => r.role === role).map((r) => r.nodeId));
		yield {
			range_id: BigInt(rangeId),
			table_name: tableNameAt(catalog, start) ?? null,
			start_key: formatKey(start),
			end_key: formatKey(end),
			leaseholder: leaseholder ?? null,
			replicas: nodes("voter"),
			learners: nodes("learner"),
			moving: moves.get(rangeId) ?? null,
			obstacle: obstacles.get(rangeId) ?? null,
		};
	}
}

export function* eventRows(
	_: CatalogSnapshot,
	__: FunctionContext,
	activity: Activity,
): Iterable<SystemRow> {
	for (const event of activity?.overview?.events ?? []) {
		yield {
			event_id: BigInt(event.id),
			at: timeOf(event.atMs),
			kind: event.kind,
			range_id: event.rangeId === 0 ? null : BigInt(event.rangeId),
			to_nodes: arrayOf([...event.to]),
			from_nodes: arrayOf([...event.from]),
			reason: event.reason,
			outcome: event.outcome,
			bytes: event.bytes === null ? null : BigInt(event.bytes),
			took_ms: event.tookMs === null ? null : BigInt(event.tookMs),
		};
	}
}
