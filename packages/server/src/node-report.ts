/** What each node tells the console of itself, whichever node the operator has asked. */
import type { NodeId, RangeId } from "@quorate/keys/ids";
import type { PgServer } from "@quorate/pgwire/pg-server";
import type { RangeStore } from "@quorate/replica/store";
import type { Body, Rpc } from "@quorate/rpc/types";
import type { NodeSessions } from "@quorate/sql/session/factory";
import type { StatementReport } from "@quorate/sql/types/statement-report";
import type { Gateway } from "@quorate/txn/gateway";

export const reportMethod = "console.report";
export const rangesMethod = "console.ranges";

/** Counters are since its process began. */
export interface NodeReport extends StatementReport {
	readonly nodeId: NodeId;
	readonly connections: number;
	readonly replicas: number;
	readonly leases: number;
	/** Of the ranges that it has the lease of. */
	readonly bytes: number;
	readonly requestsPerSecond: number;
	readonly commits: number;
	readonly aborts: number;
	readonly conflicts: number;
}

/** Of the ranges asked for, those that it has the lease of. */
export interface RangesReport {
	readonly nodeId: NodeId;
	readonly ranges: readonly (readonly [RangeId, bytes: number, requestsPerSecond: number])[];
}

export interface ReportOptions {
	readonly rpc: Rpc;
	readonly nodeId: NodeId;
	readonly store: RangeStore;
	readonly gateway: Gateway;
	readonly sessions: NodeSessions;
	readonly server: PgServer;
}

const shapesMost = 50;
export const rangesMost = 200;

export function handleReports(options: ReportOptions): void {
	const { rpc, nodeId, store } = options;
	rpc.handle(reportMethod, () => ({ ...reportOf(options) }));
	rpc.handle(rangesMethod, (body: Body): RangesReport => {
		const asked = Array.isArray(body) ? (body as RangeId[]).slice(0, rangesMost) : [];
		const ranges = asked.flatMap((rangeId) => {
			const replica = store.replica(rangeId);
			return replica?.holding() === true
				? [[rangeId, Math.round(replica.sizeBytes()), tenths(replica.requestsPerSecond)] as const]
				: [];
		});
		return { nodeId, ranges };
	});
}

function reportOf({ nodeId, store, gateway, sessions, server }: ReportOptions): NodeReport {
	const statuses = store.statuses();
	const held = statuses.filter((status) => status.leaseholder);
	const replicas = held.map(({ descriptor }) => store.replica(descriptor.rangeId));
	const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
	const { onePhaseCommits, twoPhaseCommits, aborts, conflicts } = gateway.statistics;
	return {
		nodeId,
		connections: server.connectionCount,
		replicas: statuses.length,
		leases: held.length,
		bytes: Math.round(sum(replicas.map((replica) => replica?.sizeBytes() ?? 0))),
		requestsPerSecond: tenths(sum(replicas.map((replica) => replica?.requestsPerSecond ?? 0))),
		commits: onePhaseCommits + twoPhaseCommits,
		aborts,
		conflicts,
		...sessions.statements(shapesMost),
	};
}

const tenths = (value: number): number => Math.round(value * 10) / 10;
