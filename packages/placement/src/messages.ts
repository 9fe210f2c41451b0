/**
 * Requests to the placement group's leader and how they are checked on arrival: nothing that a peer
 * sends may throw at apply. Every request is answered `[true, answer]` or, by a member that does
 * not lead, `[false, leader]`.
 */
import { firstVersions, type VersionSpan } from "@quorate/keys/cluster-version";
import { DatabaseError } from "@quorate/keys/database-error";
import type { NodeId, RangeId } from "@quorate/keys/ids";
import type { RangeDescriptor, RangeInfo } from "@quorate/keys/range";
import type { Decision } from "@quorate/replica/decision";
import type { RangeLoad } from "@quorate/replica/range-load";
import { issueCountMax } from "./oracle.ts";
import type { ClusterSettings, IdKind, NodeRecord, PlacementEvent } from "./types.ts";

export const methods = {
	/** number of timestamps -> [first timestamp, schema version] */
	issue: "placement.issue",
	/** nothing -> [c, new version], "not-leader" or "unknown" */
	raiseSchema: "placement.raise-schema",
	/** {start, end, max} -> WireRange[] */
	lookup: "placement.lookup",
	/** WireRange[] -> true */
	report: "placement.report",
	/** {kind, count} -> first id */
	allocate: "placement.allocate",
	/** nothing -> NodeRecord[] */
	nodes: "placement.nodes",
	/** {nodeId, address, sqlAddress, bootId, previousBootId, locality, versions, certificate} -> {refused} */
	register: "placement.register",
	/** {nodeId, bootId, schemaVersion, settingsVersion, isStopping, versions, certificate} -> HeartbeatAnswer */
	heartbeat: "placement.heartbeat",
	/** {version, timeoutMs} -> boolean: all live nodes have seen it */
	awaitSchema: "placement.await-schema",
	/** {timestamp, least} -> version as of it, 0: forgotten; only from a leader that knows version `least` */
	schemaAt: "placement.schema-at",
	/** WireDecision of a leaseholder, or of who did it by hand -> true */
	decided: "placement.decided",
	/** WireLoads -> the leader's mark: another one than before has been told nothing yet */
	loads: "placement.loads",
	/** nothing -> Overview */
	overview: "placement.overview",
	/** {nodeId, state} -> {refused} */
	markNode: "placement.mark-node",
	/** {name, value or null} -> true */
	set: "placement.set",
	/** nothing -> WireSettings */
	settings: "placement.settings",
	/** WireSettings, leader to nodes -> true */
	settingsChanged: "placement.settings-changed",
	/** {token, address} -> node id */
	allocateNode: "placement.allocate-node",
	/** replica id -> "done", "wait" (ask again) or "refused" */
	renewMember: "placement.renew-member",
	/** replica id -> whether it is a member, after a round */
	isMember: "placement.is-member",
	/** replica id, leader to a node -> true once that replica of the group is there */
	becomeMember: "placement.become-member",
	/** One way, leader to nodes: the schema version rose. */
	schemaRaised: "placement.schema-raised",
	/**
	 * {token, address} to any node -> {nodeId, clusterId, founders, members}: a node without identity joins.
	 */
	join: "placement.join",
} as const;

/** Answered by the group's leader; every node takes them, and says who leads. */
export const leaderMethods: readonly string[] = [
	methods.issue,
	methods.raiseSchema,
	methods.lookup,
	methods.report,
	methods.allocate,
	methods.nodes,
	methods.overview,
	methods.decided,
	methods.loads,
	methods.register,
	methods.heartbeat,
	methods.awaitSchema,
	methods.schemaAt,
	methods.markNode,
	methods.set,
	methods.settings,
	methods.allocateNode,
	methods.renewMember,
	methods.isMember,
];

/** [true, answer] or [false, id of the leader or 0]. */
export type LeaderAnswer = readonly [true, unknown] | readonly [false, number];

/** A `RangeInfo` whose unknown leaseholder is 0. */
export type WireRange = readonly [RangeDescriptor, number];

/** Version, then names and values. */
export type WireSettings = readonly [number, readonly (readonly [string, string])[]];

/** Kind, range id, reason, milliseconds that it took. */
export type WireDecision = readonly [Decision["kind"], number, string, number];

/** Of each range: its id and version, bytes, requests a second, whether it begins where somebody wanted it to. */
export type WireLoads = readonly (readonly [number, number, number, number, boolean])[];

/** What the control plane knows, for people. */
export interface Overview {
	readonly nodes: readonly (NodeRecord & {
		/** Milliseconds since it was last heard of. */
		readonly silentMs: number;
		readonly isStopping: boolean;
		/** It is a member of the placement group. */
		readonly isMember: boolean;
	})[];
	readonly ranges: readonly WireRange[];
	/** Ranges about which something should be done that cannot: with the reason. */
	readonly obstacles: readonly (readonly [rangeId: number, reason: string])[];
	/** Ranges that are being moved: with what is done. */
	readonly moves: readonly (readonly [rangeId: number, what: string])[];
	/** The scheduler has found nothing to do. */
	readonly isSettled: boolean;
	/** The oldest first. */
	readonly events: readonly PlacementEvent[];
}

export interface HeartbeatAnswer {
	readonly nodes: readonly NodeRecord[];
	/** The nodes of the placement group, as its leader knows them. */
	readonly members?: readonly NodeId[];
	readonly schemaVersion: number;
	/** Null: the node has them. */
	readonly settings: WireSettings | null;
	/**
	 * A later boot of this node has registered, or it was removed: it must stop. Confirmed by a
	 * quorum.
	 */
	readonly ended: boolean;
	/** Why, if it must stop since it cannot what is active. */
	readonly refused?: string;
}

/** Ranges in one report of loads: it is not written to the log. */
export const loadsMax = 2_000;
/** Ranges in one report: far below what one log entry may hold. */
export const reportRangesMax = 200;
export const lookupRangesMax = 10_000;
/** Ids in one block. */
export const allocateCountMax = 1_000_000_000;
const textLengthMax = 1024;

export const settingsToWire = ({ version, values }: ClusterSettings): WireSettings => [
	version,
	[...values],
];

export function readSettings(body: unknown): ClusterSettings {
	if (!Array.isArray(body) || !Array.isArray(body[1])) {
		malformed("settings");
	}
	const version = readCount(body[0], 0, Number.MAX_SAFE_INTEGER, "version");
	const values = (body[1] as readonly (readonly unknown[])[]).map(
		([name, value]) => [readText(name, "name"), readText(value, "value")] as const,
	);
	return { version, values: new Map(values) };
}

export const loadsToWire = (loads: readonly RangeLoad[]): WireLoads =>
	loads.map((l) => [l.rangeId, l.version, l.sizeBytes, l.requestsPerSecond, l.byHand]);

export function readLoads(body: unknown): RangeLoad[] {
	if (!Array.isArray(body) || body.length > loadsMax) {
		malformed("loads");
	}
	return body.map((item: unknown) => {
		if (!Array.isArray(item)) {
			malformed("load");
		}
		const [id, version, sizeBytes, rate, byHand] = item as readonly unknown[];
		if (typeof rate !== "number" || !(rate >= 0)) {
			malformed("load");
		}
		return {
			rangeId: readCount(id, 1, Number.MAX_SAFE_INTEGER, "range id") as RangeId,
			version: readCount(version, 1, Number.MAX_SAFE_INTEGER, "range version"),
			sizeBytes: readCount(sizeBytes, 0, Number.MAX_SAFE_INTEGER, "size"),
			requestsPerSecond: rate,
			byHand: byHand === true,
		};
	});
}

export function readDecision(body: unknown): WireDecision {
	const [kind, id, reason, tookMs] = Array.isArray(body) ? (body as readonly unknown[]) : [];
	if (kind !== "split" && kind !== "merge") {
		malformed("decision");
	}
	const rangeId = readCount(id, 1, Number.MAX_SAFE_INTEGER, "range id");
	const took = readCount(tookMs, 0, Number.MAX_SAFE_INTEGER, "time");
	return [kind, rangeId, readText(reason, "reason"), took];
}

export const toWire = (info: RangeInfo): WireRange => [info.descriptor, info.leaseholder ?? 0];

export function fromWire([descriptor, leaseholder]: WireRange): RangeInfo {
	return { descriptor, leaseholder: leaseholder === 0 ? undefined : (leaseholder as NodeId) };
}

function malformed(what: string): never {
	throw new DatabaseError("08P01", `malformed request to the placement group: ${what}`);
}

export function readObject(body: unknown): Readonly<Record<string, unknown>> {
	if (typeof body !== "object" || body === null) {
		malformed("not an object");
	}
	return body as Readonly<Record<string, unknown>>;
}

export function readCount(value: unknown, least: number, most: number, name: string): number {
	if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most) {
		malformed(name);
	}
	return value;
}

export function readText(value: unknown, name: string): string {
	if (typeof value !== "string" || value.length > textLengthMax) {
		malformed(name);
	}
	return value;
}

export const readIssueCount = (body: unknown): number => readCount(body, 1, issueCountMax, "count");

export const readNodeId = (value: unknown): NodeId =>
	readCount(value, 1, Number.MAX_SAFE_INTEGER, "node id") as NodeId;

/** Builds from before there were versions tell none. */
export function readVersions(value: unknown): VersionSpan {
	if (value === undefined) return firstVersions;
	const { oldest, newest } = readObject(value);
	const least = readCount(oldest, 1, Number.MAX_SAFE_INTEGER, "oldest version");
	return { oldest: least, newest: readCount(newest, least, Number.MAX_SAFE_INTEGER, "version") };
}

/** Absent where there is none. */
export const readCertificate = (value: unknown): { readonly certificate?: string } =>
	value === undefined ? {} : { certificate: readText(value, "certificate") };

export function readIdKind(value: unknown): IdKind {
	if (value === "range" || value === "replica" || value === "object" || value === "row") {
		return value;
	}
	return malformed("kind of id");
}

export function readNodeState(value: unknown): NodeRecord["state"] {
	const states: readonly unknown[] = ["live", "suspect", "dead", "draining", "removed"];
	return states.includes(value) ? (value as NodeRecord["state"]) : malformed("node state");
}

/** Keys may be of any length that a row may have; only their type is checked. */
export function readKeyText(value: unknown): string {
	return typeof value === "string" ? value : malformed("key");
}

export function readRanges(body: unknown): RangeInfo[] {
	if (!Array.isArray(body) || body.length > reportRangesMax) {
		malformed("ranges");
	}
	return body.map((item: unknown) => {
		if (!Array.isArray(item)) {
			malformed("range");
		}
		return fromWire([readDescriptor(item[0]), readCount(item[1], 0, 2 ** 53, "leaseholder")]);
	});
}

function readDescriptor(value: unknown): RangeDescriptor {
	const { rangeId, start, end, epoch, replicas } = readObject(value);
	const { version, conf } = readObject(epoch);
	readCount(rangeId, 1, Number.MAX_SAFE_INTEGER, "range id");
	readCount(version, 1, Number.MAX_SAFE_INTEGER, "range version");
	readCount(conf, 1, Number.MAX_SAFE_INTEGER, "range conf");
	if (!Array.isArray(replicas) || readKeyText(start) >= readKeyText(end)) {
		malformed("range descriptor");
	}
	for (const item of replicas as readonly unknown[]) {
		const replica = readObject(item);
		readNodeId(replica["nodeId"]);
		readCount(replica["replicaId"], 1, Number.MAX_SAFE_INTEGER, "replica id");
		if (replica["role"] !== "voter" && replica["role"] !== "learner") {
			malformed("replica role");
		}
	}
	return value as RangeDescriptor;
}
