/**
 * The placement group's state machine as the Raft host drives it: applies entries, tells the oracle
 * and the proposers, and keeps the state on disk by checkpoints so that the log can be compacted.
 */
import { assert } from "@quorate/keys/assert";
import type { NodeId, ReplicaId } from "@quorate/keys/ids";
import type { Mutations } from "@quorate/keys/mutations";
import { isJoint, members } from "@quorate/raft/configuration";
import type {
	Configuration,
	ConfigurationChange,
	LogIndex,
	SnapshotMetadata,
	Term,
} from "@quorate/raft/types";
import type { CommittedEntry, GroupMachine, RaftGroupHandle } from "@quorate/replica/host-types";
import type { Runtime } from "@quorate/runtime/runtime";
import { readCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import {
	type CommandResult,
	decodeCommand,
	encodeCommand,
	type PlacementCommand,
} from "./commands.ts";
import { placementConfiguration, placementNode } from "./genesis.ts";
import { Oracle } from "./oracle.ts";
import { PlacementState } from "./state-machine.ts";
import type { NodeIdentity } from "./types.ts";

/** `not-leader`: nothing was proposed. `lost`: leadership ended first; it may still be applied. */
export type ProposalResult = CommandResult | "not-leader" | "lost";

const chunkSizeBytes = 256 * 1024;
/** Turns of the event loop for which the oracle lets requests collect. More than four gained nothing. */
const pauseTurns = 4;

export interface PlacementMachineOptions {
	readonly runtime: Runtime;
	readonly identity: NodeIdentity;
	/** Of the checkpoint file. */
	readonly path: string;
	/** This member has the state of the cluster's birth, where there is no checkpoint; else it waits for a snapshot. */
	readonly isBorn: boolean;
	/** Tests only. */
	readonly mutations?: Mutations | undefined;
	/** A member gained or lost the lead, or began to serve as leader. */
	readonly onLeadership: () => void;
	/** This member was removed from the group, and has applied that. */
	readonly onRemoved: () => void;
}

export class PlacementMachine implements GroupMachine {
	readonly oracle: Oracle;
	readonly #options: PlacementMachineOptions;
	#state: PlacementState;
	#applied: SnapshotMetadata;
	/** Index of the newest checkpoint that is durable. */
	#checkpointed: LogIndex;
	#checkpointing: Promise<void> | undefined;
	#handle: RaftGroupHandle | undefined;
	#leadership: { readonly isLeader: boolean; readonly term: Term; readonly leader: ReplicaId };
	#ready = false;
	/** See `configured`. */
	#configuredAt: LogIndex = 0;
	readonly #proposals = new Map<LogIndex, (result: ProposalResult) => void>();

	private constructor(
		options: PlacementMachineOptions,
		state: PlacementState,
		applied: SnapshotMetadata,
	) {
		this.#options = options;
		this.#state = state;
		this.#applied = applied;
		this.#checkpointed = applied.index;
		this.#leadership = { isLeader: false, term: 0, leader: 0 as ReplicaId };
		const group = {
			ceiling: () => this.#state.ceiling(),
			schemaVersion: () => this.#state.schemaVersion(),
			propose: (command: PlacementCommand) => this.#handle?.propose(encodeCommand(command))?.index,
			pause: (task: () => void) => void this.#turns(pauseTurns).then(task),
			confirmLeadership: () =>
				options.mutations?.withoutOracleRound === true
					? Promise.resolve()
					: this.confirmLeadership(),
		};
		this.oracle = new Oracle(options.runtime.clock, group, options.mutations);
	}

	/** From the checkpoint, or the state at the cluster's birth. */
	static async open(options: PlacementMachineOptions): Promise<PlacementMachine> {
		const { runtime, identity, path } = options;
		const checkpoint = await readCheckpoint(runtime.disk, path);
		if (checkpoint !== undefined) {
			const state = PlacementState.decode(checkpoint.state);
			return new PlacementMachine(options, state, checkpoint.metadata);
		}
		const nobody = { voters: [], outgoing: [], learners: [], learnersNext: [] };
		const configuration = options.isBorn ? placementConfiguration(identity.founders) : nobody;
		const state = PlacementState.genesis(identity.founders);
		return new PlacementMachine(options, state, { index: 0, term: 0, configuration });
	}

	/** The handle of the group that was made with this machine. */
	attach(handle: RaftGroupHandle): void {
		assert(this.#handle === undefined, "the placement group is attached once");
		this.#handle = handle;
	}

	get state(): PlacementState {
		return this.#state;
	}

	/** Index, term and configuration that `state` shows. */
	get applied(): SnapshotMetadata {
		return this.#applied;
	}

	/**
	 * It leads and has applied an entry of its own term, so `state` holds all that was ever
	 * committed before.
	 */
	get isServing(): boolean {
		return this.#ready;
	}

	/** 0: unknown. A member's replica has the number of its node. */
	get leader(): NodeId {
		return placementNode(this.#leadership.leader);
	}

	propose(command: PlacementCommand): Promise<ProposalResult> {
		const proposed = this.#ready ? this.#handle?.propose(encodeCommand(command)) : undefined;
		if (proposed === undefined) {
			return Promise.resolve("not-leader");
		}
		return new Promise((resolve) => {
			this.#proposals.set(proposed.index, resolve);
		});
	}

	/** Of this node; undefined before the group runs. */
	get replicaId(): ReplicaId | undefined {
		return this.#handle?.replicaId;
	}

	/** The index of the last change of members that was applied here. */
	get configured(): { readonly index: LogIndex } {
		return { index: this.#configuredAt };
	}

	/** Proposes a change of members; several at once are one joint change. False: not now. */
	reform(changes: ConfigurationChange["changes"]): boolean {
		const proposed =
			this.#ready && !isJoint(this.#applied.configuration)
				? this.#handle?.proposeConfiguration({ changes, context: new Uint8Array(0) })
				: undefined;
		return proposed !== undefined;
	}

	hasCaughtUp(replica: ReplicaId): boolean {
		return this.#handle !== undefined && hasCaughtUp(this.#handle, replica);
	}

	/** The group goes on without this member. */
	close(): void {
		this.leadershipChanged({
			isLeader: false,
			term: this.#leadership.term,
			leader: 0 as ReplicaId,
		});
		this.#handle = undefined;
	}

	/** Gives the lead to a member that has all of the log, if there is one: to one of `nodes`, if they are named. */
	resign(nodes?: readonly NodeId[]): void {
		const handle = this.#handle;
		if (handle === undefined || !this.#leadership.isLeader) {
			return;
		}
		const { progress, commit } = handle.status();
		const { voters } = this.#applied.configuration;
		const mayLead = (replica: ReplicaId): boolean =>
			voters.includes(replica) && (nodes?.includes(placementNode(replica)) ?? true);
		const level = progress.filter((p) => mayLead(p.replica) && p.match + 100 > commit);
		const next = level.find((p) => p.replica !== handle.replicaId && p.match > 0);
		if (next !== undefined) {
			handle.transferLeadership(next.replica);
		}
	}

	/** Nothing happens if that node is no member, or does not follow. */
	transferLeadership(to: NodeId): void {
		const { voters } = this.#applied.configuration;
		const replica = voters.findLast((voter) => placementNode(voter) === to);
		if (replica !== undefined) {
			this.#handle?.transferLeadership(replica);
		}
	}

	/**
	 * The next step towards `replica` being the voter of its node, in the place of the one whose data were discarded: a learner
	 * first, a voter when it has caught up. Called again until done.
	 */
	renew(replica: ReplicaId): "done" | "wait" | "refused" {
		const handle = this.#handle;
		const { configuration } = this.#applied;
		const { voters, learners } = configuration;
		const node = placementNode(replica);
		const others = members(configuration).filter(
			(member) => placementNode(member) === node && member !== replica,
		);
		if (voters.includes(replica) && others.length === 0) {
			return "done";
		}
		if (others.length === 0 || others.some((member) => member > replica)) {
			return "refused";
		}
		if (handle === undefined || isJoint(configuration)) {
			return "wait";
		}
		const context = new Uint8Array(0);
		if (!learners.includes(replica)) {
			handle.proposeConfiguration({ changes: [{ kind: "add-learner", replica }], context });
		} else if (hasCaughtUp(handle, replica)) {
			const leaving = others.map((member) => ({ kind: "remove" as const, replica: member }));
			handle.proposeConfiguration({
				changes: [{ kind: "add-voter", replica }, ...leaving],
				context,
			});
		}
		return "wait";
	}

	async #turns(count: number): Promise<void> {
		for (let n = 0; n < count; n++) {
			await this.#options.runtime.scheduler.yield();
		}
	}

	async confirmLeadership(): Promise<LogIndex> {
		assert(this.#handle !== undefined, "the placement group is attached before it is used");
		return this.#handle.readIndex();
	}

	wake(): void {
		this.#handle?.wake();
	}

	/** A few maps change. */
	readonly appliedBytes = 0;

	apply(entries: readonly CommittedEntry[]): number {
		for (const entry of entries) {
			assert(
				entry.index === this.#applied.index + 1,
				() => `placement entry ${entry.index} after ${this.#applied.index}`,
			);
			this.#applyOne(entry);
		}
		return entries.length;
	}

	leadershipChanged(status: {
		readonly isLeader: boolean;
		readonly term: Term;
		readonly leader: ReplicaId;
	}): void {
		const { isLeader, term } = this.#leadership;
		this.#leadership = status;
		if (status.isLeader && isLeader && status.term === term) {
			return;
		}
		this.#ready = false;
		const proposals = [...this.#proposals.values()];
		this.#proposals.clear();
		for (const resolve of proposals) {
			resolve("lost");
		}
		this.oracle.leadershipChanged(status.isLeader, status.term);
		this.#options.onLeadership();
	}

	/** Only what a checkpoint holds survives a power loss. */
	appliedIndex(): LogIndex {
		return this.#checkpointed;
	}

	/**
	 * Makes what is applied durable. Calls during one share the next. A failure keeps the old
	 * checkpoint and the log.
	 */
	async checkpoint(): Promise<void> {
		while (this.#checkpointing !== undefined) {
			await this.#checkpointing;
		}
		if (this.#applied.index <= this.#checkpointed) {
			return;
		}
		this.#checkpointing = this.#writeCheckpoint(this.#applied, this.#state.encode());
		try {
			await this.#checkpointing;
		} finally {
			this.#checkpointing = undefined;
		}
	}

	openSnapshot(): {
		readonly metadata: SnapshotMetadata;
		readonly chunks: AsyncIterable<Uint8Array>;
		close(): void;
	} {
		const bytes = this.#state.encode();
		async function* chunks(): AsyncGenerator<Uint8Array> {
			for (let at = 0; at < bytes.length; at += chunkSizeBytes) {
				yield bytes.subarray(at, at + chunkSizeBytes);
			}
		}
		return { metadata: this.#applied, chunks: chunks(), close: () => undefined };
	}

	async installSnapshot(
		metadata: SnapshotMetadata,
		chunks: AsyncIterable<Uint8Array>,
	): Promise<void> {
		const parts: Uint8Array[] = [];
		for await (const chunk of chunks) {
			parts.push(Uint8Array.from(chunk));
		}
		const bytes = Buffer.concat(parts);
		const state = PlacementState.decode(bytes);
		while (this.#checkpointing !== undefined) {
			await this.#checkpointing;
		}
		this.#checkpointing = this.#install(metadata, state, bytes);
		try {
			await this.#checkpointing;
		} finally {
			this.#checkpointing = undefined;
		}
	}

	nodeOf(replica: ReplicaId): NodeId | undefined {
		const { voters, outgoing, learners } = this.#applied.configuration;
		const isMember =
			voters.includes(replica) || outgoing.includes(replica) || learners.includes(replica);
		return isMember ? placementNode(replica) : undefined;
	}

	#applyOne(entry: CommittedEntry): void {
		const before = this.#applied.configuration;
		const configuration: Configuration = entry.configuration ?? before;
		if (entry.configuration !== undefined) {
			this.#configuredAt = entry.index;
		}
		this.#applied = { index: entry.index, term: entry.term, configuration };
		const command = entry.command === undefined ? undefined : decodeCommand(entry.command);
		const result = command === undefined ? undefined : this.#state.apply(command);
		const { isLeader, term } = this.#leadership;
		if (isLeader && !this.#ready && entry.term === term) {
			this.#ready = true;
			this.#options.onLeadership();
		}
		this.oracle.applied(entry.index, entry.term, command);
		const resolve = this.#proposals.get(entry.index);
		if (resolve !== undefined) {
			// Proposals wait only while this leadership lasts, so the entry there is the one
			// proposed.
			assert(entry.term === term, () => `entry ${entry.index} of term ${entry.term}, not ${term}`);
			this.#proposals.delete(entry.index);
			resolve(result ?? { kind: "done" });
		}
		const { replicaId } = this;
		const isIn = (c: Configuration) => replicaId !== undefined && members(c).includes(replicaId);
		if (configuration !== before && isIn(before) && !isIn(configuration)) {
			this.#options.onRemoved();
		}
	}

	async #writeCheckpoint(metadata: SnapshotMetadata, state: Uint8Array): Promise<void> {
		const { runtime, path } = this.#options;
		try {
			await writeCheckpoint(runtime.disk, path, { metadata, state });
			this.#checkpointed = metadata.index;
		} catch (error) {
			runtime.logger.log("error", "the placement state could not be written", {
				path,
				error: String(error),
			});
		}
	}

	async #install(metadata: SnapshotMetadata, state: PlacementState, bytes: Uint8Array) {
		const { runtime, path } = this.#options;
		await writeCheckpoint(runtime.disk, path, { metadata, state: bytes });
		this.#state = state;
		this.#applied = metadata;
		this.#checkpointed = metadata.index;
		this.oracle.restored();
	}
}

function hasCaughtUp(handle: RaftGroupHandle, replica: ReplicaId): boolean {
	const { progress, commit } = handle.status();
	return progress.some((p) => p.replica === replica && p.match > 0 && p.match + 100 > commit);
}
