/**
 * A cluster of Raft groups in memory, moved by hand: messages lie in a list until they are delivered, writes until they are
 * synced. Its disk and state machine behave as the real ones: a crash loses what was not synced, the state machine may
 * have kept any part of what it applied.
 */
import { assert } from "@quorate/keys/assert";
import { type ReplicaId, replicaId } from "@quorate/keys/ids";
import type { Mutations } from "@quorate/keys/mutations";
import { RaftGroup } from "../group.ts";
import type {
	Configuration,
	ConfigurationChange,
	Entry,
	HardState,
	LogIndex,
	Message,
	Ready,
	SnapshotMetadata,
	Term,
} from "../types.ts";

export interface AppliedEntry {
	readonly index: LogIndex;
	readonly term: Term;
	readonly text: string;
	/** As of this entry. */
	readonly configuration: Configuration;
}

/** What travels: a message of Raft, or the data of a snapshot, which the driver carries. */
export type Packet =
	| { readonly kind: "message"; readonly message: Message }
	| {
			readonly kind: "snapshot-data";
			readonly from: ReplicaId;
			readonly to: ReplicaId;
			readonly term: Term;
			readonly metadata: SnapshotMetadata;
			readonly state: readonly AppliedEntry[];
	  };

interface Write {
	readonly sequence: number;
	/** The log on disk starts anew after this; entries above it stay if `keeps`. */
	readonly snapshot?: { readonly metadata: SnapshotMetadata; readonly keeps: boolean };
	readonly hardState: HardState | undefined;
	readonly entries: readonly Entry[];
	readonly messagesAfterSync: Message[];
}

export interface Node {
	readonly id: ReplicaId;
	/** Undefined: crashed. */
	group: RaftGroup | undefined;
	hardState: HardState;
	/** What the log on disk starts after. */
	start: SnapshotMetadata;
	entries: Entry[];
	writes: Write[];
	/** Applied since the birth of the group: the machine's whole state. */
	state: AppliedEntry[];
	/** How many of `state` the engine has synced. */
	stateDurable: number;
	/** Before the first applied entry. */
	birth: SnapshotMetadata;
}

export interface ClusterOptions {
	readonly random: () => number;
	readonly electionTicks?: number;
	readonly appendBytesMax?: number;
	readonly inflightMax?: number;
	readonly inflightBytesMax?: number;
	readonly unappliedBytesMax?: number;
	readonly backlogBytesMax?: number;
	/** Asked after each entry that a machine has applied: it stops there, and is handed the rest again. */
	readonly stopsApplying?: () => boolean;
	readonly mutations?: Mutations;
	/** Sees everything that a node takes from its group, before anything of it is done. */
	readonly onReady?: (node: Node, ready: Ready) => void;
	readonly onApplied?: (node: Node, entry: AppliedEntry) => void;
}

export const emptyConfiguration: Configuration = {
	voters: [],
	outgoing: [],
	learners: [],
	learnersNext: [],
};

const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder();

export function entryText(entry: Entry): string {
	switch (entry.payload.kind) {
		case "empty":
			return "empty";
		case "command":
			return textDecoder.decode(entry.payload.data);
		case "configuration":
			return changeText(entry.payload.change);
	}
}

export function changeText(change: ConfigurationChange): string {
	if (change.leave === true) return "leave";
	return change.changes.map(({ kind, replica }) => `${kind}(${replica})`).join("+");
}

export class Cluster {
	readonly nodes = new Map<number, Node>();
	packets: Packet[] = [];
	/** Index and term that groups are born with. */
	birthIndex = 1;
	/** Writes are synced as soon as they are made, but for those of held nodes. */
	autoSync = true;
	readonly held = new Set<number>();
	/** Nodes that take their time to apply. */
	readonly slow = new Set<number>();
	/** For nodes that start from now on. */
	appendBytesMax: number;
	readonly #options: ClusterOptions;

	constructor(options: ClusterOptions) {
		this.#options = options;
		this.appendBytesMax = options.appendBytesMax ?? 1 << 20;
	}

	/** A node whose group is born with `configuration`; empty for one that will get it from a leader. */
	add(id: number, configuration: Configuration): Node {
		const birth = configuration.voters.length > 0 ? this.birthIndex : 0;
		const start = { index: birth, term: birth, configuration };
		const node: Node = {
			id: replicaId(id),
			group: undefined,
			hardState: { term: birth, vote: replicaId(0), commit: birth },
			start,
			entries: [],
			writes: [],
			state: [],
			stateDurable: 0,
			birth: start,
		};
		this.nodes.set(id, node);
		this.restart(id);
		return node;
	}

	node(id: number): Node {
		const node = this.nodes.get(id);
		assert(node !== undefined, `no node ${id}`);
		return node;
	}

	/** Loses unsynced writes, and all of the state machine above `stateKept` entries. */
	crash(id: number, stateKept?: number): void {
		const node = this.node(id);
		node.group = undefined;
		node.writes = [];
		const kept = stateKept ?? node.state.length;
		assert(kept >= node.stateDurable && kept <= node.state.length, "a prefix is kept");
		node.state.length = kept;
		node.stateDurable = kept;
	}

	restart(id: number): void {
		const node = this.node(id);
		const last = node.state.at(-1);
		const applied: SnapshotMetadata =
			last === undefined
				? node.birth
				: { index: last.index, term: last.term, configuration: last.configuration };
		const termInLog =
			applied.index === node.start.index
				? node.start.term
				: node.entries[applied.index - node.start.index - 1]?.term;
		if (termInLog !== applied.term) {
			// The machine is ahead of the log: it got a snapshot, or applied what others had on disk.
			assert(applied.index > node.start.index, "the machine reaches the log");
			node.start = applied;
			node.entries = [];
			if (node.hardState.term < applied.term) {
				node.hardState = { term: applied.term, vote: replicaId(0), commit: applied.index };
			}
		}
		const { electionTicks = 10, inflightMax = 8, mutations } = this.#options;
		const unbounded = Number.POSITIVE_INFINITY;
		const { inflightBytesMax = unbounded, unappliedBytesMax = unbounded } = this.#options;
		const { backlogBytesMax = unbounded } = this.#options;
		node.group = new RaftGroup(
			node.id,
			{
				electionTicks,
				heartbeatTicks: 2,
				appendBytesMax: this.appendBytesMax,
				inflightMax,
				inflightBytesMax,
				unappliedBytesMax,
				backlogBytesMax,
				random: this.#options.random,
				...(mutations === undefined ? {} : { mutations }),
			},
			{
				hardState: node.hardState,
				snapshot: node.start,
				entries: node.entries,
				applied: applied.index,
				configuration: applied.configuration,
			},
		);
	}

	tick(id: number): void {
		this.#act(id, (group) => group.tick());
	}

	act<T>(id: number, action: (group: RaftGroup) => T): T | undefined {
		return this.#act(id, action);
	}

	propose(id: number, text: string): { index: LogIndex; term: Term } | undefined {
		return this.#act(id, (group) => group.propose(textEncoder.encode(text)));
	}

	#act<T>(id: number, action: (group: RaftGroup) => T): T | undefined {
		const node = this.node(id);
		if (node.group === undefined) return undefined;
		const result = action(node.group);
		this.#pump(node);
		return result;
	}

	deliver(packet: Packet): void {
		const to = packet.kind === "message" ? packet.message.to : packet.to;
		const node = this.nodes.get(to);
		if (node?.group === undefined) {
			if (packet.kind === "snapshot-data") this.failSnapshot(packet);
			return;
		}
		if (packet.kind === "message") {
			this.#act(to, (group) => group.step(packet.message));
			return;
		}
		const installed = this.#install(node, node.group, packet);
		this.#act(packet.from, (group) =>
			group.snapshotSent(packet.to, installed, packet.metadata.index),
		);
	}

	#install(node: Node, group: RaftGroup, packet: Packet & { kind: "snapshot-data" }): boolean {
		const { from, to, term, metadata, state } = packet;
		this.slow.delete(node.id);
		this.#pump(node);
		// What was applied here already may not be durable here: then nothing is promised.
		const installs = metadata.index > group.status().applied;
		if (installs) {
			const keeps = group.termOf(metadata.index) === metadata.term;
			node.state = [...state];
			node.stateDurable = state.length;
			group.restore(metadata);
			const snapshot = { metadata, keeps };
			const nothing = { hardState: undefined, entries: [], messagesAfterSync: [] };
			node.writes.push({ sequence: 0, snapshot, ...nothing });
		}
		this.#act(to, (g) => g.step({ kind: "snapshot", from, to, term, metadata }));
		return installs;
	}

	/** The transfer failed on the way. */
	failSnapshot(packet: Packet & { kind: "snapshot-data" }): void {
		this.#act(packet.from, (group) => group.snapshotSent(packet.to, false, packet.metadata.index));
	}

	/** Syncs the oldest write of a node. */
	sync(id: number): boolean {
		const node = this.node(id);
		const write = node.writes.shift();
		if (write === undefined || node.group === undefined) return false;
		this.#write(node, write);
		this.#pump(node);
		return true;
	}

	#write(node: Node, write: Write): void {
		if (write.snapshot !== undefined) {
			const { metadata, keeps } = write.snapshot;
			node.start = metadata;
			node.entries = keeps ? node.entries.filter((e) => e.index > metadata.index) : [];
		}
		if (write.hardState !== undefined) node.hardState = write.hardState;
		const first = write.entries[0];
		if (first !== undefined) {
			const kept = first.index - 1 - node.start.index;
			if (kept >= 0) {
				assert(kept <= node.entries.length, "the log on disk has no gap");
				node.entries.length = kept;
				node.entries.push(...write.entries);
			}
		}
		for (const message of write.messagesAfterSync) this.#send(message);
		node.group?.synced(write.sequence);
	}

	compact(id: number, index: LogIndex): void {
		const node = this.node(id);
		assert(node.group !== undefined, "a crashed node compacts nothing");
		const entry = node.group.entry(index);
		assert(entry !== undefined, `no entry ${index}`);
		node.stateDurable = node.state.length;
		const { configuration } = node.state.find((s) => s.index === index)!;
		node.entries = node.entries.filter((e) => e.index > index);
		node.start = { index, term: entry.term, configuration };
		node.group.compact(index);
	}

	#pump(node: Node): void {
		const { group } = node;
		if (group === undefined) return;
		const applies = !this.slow.has(node.id);
		while (applies ? group.hasReady() : group.hasReadyBesideCommitted()) {
			const ready = group.ready(applies);
			this.#options.onReady?.(node, ready);
			for (const message of ready.messages) this.#send(message);
			const { sequence, hardState, entries } = ready;
			const write = {
				sequence,
				hardState,
				entries,
				messagesAfterSync: [...ready.messagesAfterSync],
			};
			if (ready.mustSync) node.writes.push(write);
			else if (node.writes.length > 0) {
				node.writes.at(-1)!.messagesAfterSync.push(...ready.messagesAfterSync);
			} else for (const message of ready.messagesAfterSync) this.#send(message);
			for (const entry of ready.committed) {
				if (this.#apply(node, group, entry)) break;
			}
			for (const { to } of ready.snapshotsWanted) this.#sendSnapshot(node, to);
			if (this.autoSync && !this.held.has(node.id)) {
				for (const waiting of node.writes.splice(0)) this.#write(node, waiting);
			}
		}
	}

	/** Returns whether the machine stops there. */
	#apply(node: Node, group: RaftGroup, entry: Entry): boolean {
		let { configuration } = group.status();
		if (entry.payload.kind === "configuration") {
			configuration = group.applyConfiguration(entry.payload.change);
		}
		const { index, term } = entry;
		const applied = { index, term, text: entryText(entry), configuration };
		node.state.push(applied);
		this.#options.onApplied?.(node, applied);
		const stops = this.#options.stopsApplying?.() === true;
		group.reportApplied(index, stops);
		return stops;
	}

	#send(message: Message): void {
		this.packets.push({ kind: "message", message });
	}

	#sendSnapshot(node: Node, to: ReplicaId): void {
		const { index, term, configuration } = node.state.at(-1)!;
		this.packets.push({
			kind: "snapshot-data",
			from: node.id,
			to,
			term: node.group!.term,
			metadata: { index, term, configuration },
			state: [...node.state],
		});
	}
}
