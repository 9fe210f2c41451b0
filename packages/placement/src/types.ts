/** What the control plane offers to the layers above and to the node's wiring. */
import type { VersionSpan } from "@quorate/keys/cluster-version";
import type { BootId, ClusterId, NodeId } from "@quorate/keys/ids";
import type { Key } from "@quorate/keys/key";
import type { RangeInfo } from "@quorate/keys/range";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { Decision } from "@quorate/replica/decision";
import type { IssuedTimestamp, TimestampSource } from "@quorate/replica/timestamp-source";

export interface NodeRecord {
	readonly nodeId: NodeId;
	/** Node-to-node host:port. */
	readonly address: string;
	/** host:port for clients, shown to people. */
	readonly sqlAddress: string;
	/** The boot that runs, or ran last. */
	readonly bootId: BootId;
	/** `live`: heartbeats arrive. `suspect`: silent. Judged at the placement leader; a hint, never a decision about data. */
	readonly state: "live" | "suspect" | "dead" | "draining" | "removed";
	readonly locality: string;
	/** The schema version that the node has seen (DDL answers when all live nodes have seen the new one). */
	readonly schemaVersion: number;
	/** Versions of the cluster that the boot can; absent: it is of a build from before there were any, or none has registered. */
	readonly versions?: VersionSpan;
	/** SHA-256 of the certificate that it shows to other nodes; absent: there is none, or its build does not say. */
	readonly certificate?: string;
}

/** A decision about where things are, or something that was learned about a node. */
export interface PlacementEvent {
	readonly id: number;
	/** Milliseconds since 1970, by the wall clock of who decided. */
	readonly atMs: number;
	/**
	 * `replicas`: a range gets other members; `lease`; `split`, `merge`: of ranges; `node`: its state; `member`: of the placement group;
	 * `version`: of the cluster.
	 */
	readonly kind: "replicas" | "lease" | "split" | "merge" | "node" | "member" | "version";
	/** 0: none. */
	readonly rangeId: number;
	/** What is added, or takes over. */
	readonly to: readonly NodeId[];
	/** What is removed, or gives away. */
	readonly from: readonly NodeId[];
	readonly reason: string;
	/** `running`, `done`, or why it failed. */
	readonly outcome: string;
	/** Copied, or to be copied; null where that is not known. */
	readonly bytes: number | null;
	/** From the decision to its end; null while it runs. */
	readonly tookMs: number | null;
}

/** Counters of which a block is never handed out twice. */
export type IdKind = "range" | "replica" | "object" | "row";

/** Settings of the whole cluster. */
export interface ClusterSettings {
	/** Rises with every change. */
	readonly version: number;
	readonly values: ReadonlyMap<string, string>;
}

/** A node's connection to the placement group, whoever leads it. */
export interface PlacementClient extends TimestampSource {
	/** S1: one entry that draws c and raises the schema version. Call it only after all catalog intents are prepared. An error means unknown. */
	raiseSchemaVersion(): Promise<IssuedTimestamp>;
	/** The ranges, in order, that cover [start, end), at most `max`; from the directory at the leader. */
	lookup(start: Key, end: Key, max: number): Promise<readonly RangeInfo[]>;
	/** A leaseholder tells its descriptor after it changed (split, membership, lease); older epochs are ignored. */
	report(ranges: readonly RangeInfo[]): Promise<void>;
	/** Something was decided about a range, and done, by others than the scheduler: for people. */
	decided(decision: Decision): Promise<void>;
	/** First of `count` consecutive fresh ids. */
	allocate(kind: IdKind, count: number): Promise<number>;
	/** All nodes, from the leader. */
	nodes(): Promise<readonly NodeRecord[]>;
	/** The last known copy, without a round: routing of messages, who is alive. */
	nodesCached(): readonly NodeRecord[];
	/** Highest schema version seen in any answer; told to the leader with heartbeats. */
	schemaVersion(): number;
	/** As this node has heard of them; known before a session is opened. */
	settings(): ClusterSettings;
	/** Durable when it resolves, and known to all nodes that answer. Null: back to the default. */
	set(name: string, value: string | null): Promise<void>;
	/**
	 * The schema version as of a timestamp not above one that this node has drawn itself and been answered; undefined: too long ago.
	 */
	schemaVersionAt(ts: Timestamp): Promise<number | undefined>;
	/** Resolves once every live node has seen `version`, or after `timeoutMs`: false. */
	awaitSchemaVersion(version: number, timeoutMs: number): Promise<boolean>;
}

/** What a node knows of itself, stored durably in its data directory (versioned). */
export interface NodeIdentity {
	readonly clusterId: ClusterId;
	readonly nodeId: NodeId;
	/** Members of the placement group at founding, in node id order: [nodeId, address]. */
	readonly founders: readonly { readonly nodeId: NodeId; readonly address: string }[];
	/** Members of the placement group when this node joined, where those were others. */
	readonly members?: readonly { readonly nodeId: NodeId; readonly address: string }[] | undefined;
	/**
	 * Set once the node's data were discarded (`renewal.ts`): replicas with a lower id have lost their votes and entries, and must
	 * never come back here. 0: that id is not drawn yet.
	 */
	readonly replicasFrom?: number;
}
