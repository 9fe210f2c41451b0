/**
 * What the console shows, as JSON. Nothing is gathered unless somebody asks, and what many ask for is gathered once.
 *
 * 1. Every answer is bounded, however large the cluster: ranges come page by page, lists are cut and say how long they were.
 * 2. Nothing of what users have stored or written is in it: no keys, no literals.
 * 3. It changes nothing.
 */
import { firstVersions, versionsText } from "@quorate/keys/cluster-version";
import type { NodeId, RangeId } from "@quorate/keys/ids";
import type { Key } from "@quorate/keys/key";
import { fromWire, type Overview } from "@quorate/placement/messages";
import type { Body } from "@quorate/rpc/types";
import type { Clock } from "@quorate/runtime/runtime";
import { sessionsOf, waitsOf } from "@quorate/sql/types/activity-waits";
import type { ClusterActivity, SessionStatus } from "@quorate/sql/types/cluster-access";
import { latencyBounds, type StatementShape } from "@quorate/sql/types/statement-report";
import {
	type NodeReport,
	type RangesReport,
	rangesMethod,
	rangesMost,
	reportMethod,
} from "./node-report.ts";

const listMost = 50;
const waitsMost = 100;
const textMost = 200;
/** Within this time an answer is given a second time; the control plane's, which is large, at most a tenth of the time. */
const freshMs = 900;
const overviewRest = 9;

export interface ConsoleSources {
	readonly clock: Clock;
	readonly nodeId: NodeId;
	readonly clusterId: string;
	readonly cluster: {
		overview(): Promise<Overview>;
		activity(): Promise<ClusterActivity>;
		askAll<Answer extends { readonly nodeId: NodeId }>(
			method: string,
			body: Body,
		): Promise<{ readonly answers: readonly Answer[]; readonly silent: readonly NodeId[] }>;
	};
	tableOf(key: Key): string | undefined;
}

interface Reports {
	readonly atMs: number;
	readonly reports: readonly NodeReport[];
}

export class ConsoleData {
	readonly #sources: ConsoleSources;
	readonly #overview: () => Promise<Overview>;
	/** With when they were asked for, by the monotonic clock: rates are made of two of them. */
	readonly #reports: () => Promise<Reports>;
	readonly #activity: () => Promise<ClusterActivity>;

	constructor(sources: ConsoleSources) {
		const { clock, cluster } = sources;
		this.#sources = sources;
		this.#overview = shared(clock, async () => sorted(await cluster.overview()), overviewRest);
		this.#reports = shared(clock, async () => {
			const atMs = clock.monotonicMs();
			return { atMs, reports: (await cluster.askAll<NodeReport>(reportMethod, null)).answers };
		});
		this.#activity = shared(clock, () => cluster.activity());
	}

	/** Nodes with their counters, what moves, what cannot, and the scheduler's last decisions. */
	async overview(): Promise<object> {
		const { nodeId, clusterId } = this.#sources;
		const [overview, { atMs, reports }] = await Promise.all([this.#overview(), this.#reports()]);
		const { nodes, ranges, moves, obstacles, events, isSettled } = overview;
		const holders = new Map(nodes.map((node) => [node.nodeId, { replicas: 0, leases: 0 }]));
		for (const [descriptor, leaseholder] of ranges) {
			for (const replica of descriptor.replicas) {
				const holder = holders.get(replica.nodeId);
				if (holder !== undefined) holder.replicas += 1;
			}
			const holder = holders.get(leaseholder as NodeId);
			if (holder !== undefined) holder.leases += 1;
		}
		return {
			nodeId,
			clusterId,
			atMs,
			latencyBounds,
			rangeCount: ranges.length,
			isSettled,
			nodes: nodes.map((node) => {
				const report = reports.find((r) => r.nodeId === node.nodeId);
				const { shapes: _, ...counters } = report ?? { shapes: [] };
				return {
					nodeId: node.nodeId,
					sqlAddress: node.sqlAddress.slice(0, textMost),
					locality: node.locality.slice(0, textMost),
					versions: versionsText(node.versions ?? firstVersions),
					state: node.isStopping && node.state === "live" ? "stopping" : node.state,
					isMember: node.isMember,
					silentMs: node.silentMs,
					...holders.get(node.nodeId),
					/** Null: it did not answer. */
					report: report === undefined ? null : counters,
				};
			}),
			moves: this.#told(overview, moves),
			moveCount: moves.length,
			obstacles: this.#told(overview, obstacles),
			obstacleCount: obstacles.length,
			events: events.slice(-listMost).reverse(),
		};
	}

	/** In the order of their keys: so many from this one on. */
	async ranges(from: number, count: number): Promise<object> {
		const { cluster, tableOf } = this.#sources;
		const overview = await this.#overview();
		const moves = new Map(overview.moves);
		const obstacles = new Map(overview.obstacles);
		const page = overview.ranges.slice(from, from + Math.min(count, rangesMost)).map(fromWire);
		const ids = page.map(({ descriptor }) => descriptor.rangeId);
		const { answers } = await cluster.askAll<RangesReport>(rangesMethod, ids);
		const told = new Map(answers.flatMap(({ ranges }) => ranges.map((r) => [r[0], r] as const)));
		return {
			total: overview.ranges.length,
			from,
			nodes: overview.nodes.filter((n) => n.state !== "removed").map((n) => n.nodeId),
			ranges: page.map(({ descriptor: { rangeId, start, replicas }, leaseholder }) => ({
				rangeId,
				table: tableOf(start)?.slice(0, textMost) ?? null,
				leaseholder: leaseholder ?? null,
				replicas: replicas.map(({ nodeId, role }) => ({ nodeId, role })),
				bytes: told.get(rangeId)?.[1] ?? null,
				requestsPerSecond: told.get(rangeId)?.[2] ?? null,
				moving: moves.get(rangeId)?.slice(0, textMost) ?? null,
				obstacle: obstacles.get(rangeId)?.slice(0, textMost) ?? null,
			})),
		};
	}

	/** Who waits for whom: those that wait longest come first. */
	async waits(): Promise<object> {
		const { clock, tableOf } = this.#sources;
		const activity = await this.#activity();
		const sessions = new Map(sessionsOf(activity).map((session) => [session.process, session]));
		const nowMs = clock.wallMs();
		const waits = [...waitsOf(activity)].map(([process, { lock, processes }]) => ({
			...sessionOf(process, sessions),
			waitsMs: Math.max(0, nowMs - (lock.waitsSinceMs ?? nowMs)),
			rangeId: lock.rangeId,
			table: tableOf(lock.key)?.slice(0, textMost) ?? null,
			blockers: processes.slice(0, listMost).map((blocker) => sessionOf(blocker, sessions)),
		}));
		waits.sort((a, b) => b.waitsMs - a.waitsMs);
		const { silent } = activity;
		return { total: waits.length, waits: waits.slice(0, waitsMost), silent };
	}

	/** Of all nodes together: those that took most time in total come first. */
	async statements(): Promise<object> {
		const texts = new Map<string, StatementShape>();
		const { reports } = await this.#reports();
		for (const shape of reports.flatMap(({ shapes }) => shapes)) {
			const known = texts.get(shape.text);
			texts.set(shape.text, known === undefined ? shape : together(known, shape));
		}
		const statements = [...texts.values()].sort((a, b) => b.totalMs - a.totalMs);
		return { statements: statements.slice(0, listMost) };
	}

	#told(overview: Overview, list: readonly (readonly [number, string])[]): object[] {
		return list.slice(0, listMost).map(([rangeId, what]) => {
			const range = overview.ranges.find(([descriptor]) => descriptor.rangeId === rangeId);
			const table = range === undefined ? undefined : this.#sources.tableOf(range[0].start);
			return { rangeId: rangeId as RangeId, table: table ?? null, what: what.slice(0, textMost) };
		});
	}
}

const sorted = (overview: Overview): Overview => ({
	...overview,
	ranges: [...overview.ranges].sort(([a], [b]) => (a.start < b.start ? -1 : 1)),
});

const together = (a: StatementShape, b: StatementShape): StatementShape => ({
	...a,
	calls: a.calls + b.calls,
	failures: a.failures + b.failures,
	totalMs: a.totalMs + b.totalMs,
	worstMs: Math.max(a.worstMs, b.worstMs),
});

/** A process that is not known is a node's own transaction, or has just ended. */
function sessionOf(process: number, sessions: ReadonlyMap<number, SessionStatus>): object {
	const session = sessions.get(process);
	return {
		process,
		user: session?.user.slice(0, textMost) ?? null,
		application: session?.application.slice(0, textMost) ?? null,
		state: session?.state ?? null,
	};
}

/** Asks once for all who ask meanwhile, and shortly afterwards: until so many times as long as it took. */
function shared<T>(clock: Clock, ask: () => Promise<T>, restFactor = 0): () => Promise<T> {
	let latest: Promise<T> | undefined;
	let until = Number.POSITIVE_INFINITY;
	return () => {
		const beganMs = clock.monotonicMs();
		if (latest !== undefined && beganMs < until) return latest;
		until = Number.POSITIVE_INFINITY;
		latest = ask();
		latest.then(
			() => {
				const nowMs = clock.monotonicMs();
				until = nowMs + Math.max(freshMs, restFactor * (nowMs - beganMs));
			},
			() => {
				latest = undefined;
			},
		);
		return latest;
	};
}
