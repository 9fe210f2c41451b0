/**
 * One replica of one range: a state machine under Raft and, while it holds the lease, the place where the range's keys are
 * read and written.
 *
 * What arrives is either a committed entry (`apply`: the same on all replicas) or a request (`handle`: only a leaseholder
 * serves it). Between the two stands what the leaseholder remembers and no log does: pending writes, locks, who waits for
 * whom. Losing that memory loses no guarantee (it is why a lease names a boot).
 *
 * Invariants (design, section 4), asserted where they could break:
 * L1. A read or validation at s is served only if s <= the lease's expiry.
 * L2. Another holder's lease starts at a fresh oracle timestamp above the previous expiry; a transfer stops serving first.
 * L3. A command applies only under the lease sequence and range version under which it became pending, in order of its number.
 * L4. A write is visible as pending from the tick it is accepted in, until it is applied, rejected, withdrawn unproposed, or
 *     overtaken by a higher number or a newer lease.
 * T1. After a read at s, no version with ts <= s appears that the read did not see: c is above p, p at or above every s served.
 *
 * F1, F2. What lets followers read the past: `closing.ts`. V1 to V4. What a split takes along: `splits.ts`. D1 to D5. When a range
 * splits by itself: `divisions.ts`. M1 to M5. How two ranges become one: `merges.ts`. R1 to R3. When it rests: `awake.ts`.
 *
 * May import: runtime, keys, rpc, raft, wal, storage.
 */
import { assert } from "@quorate/keys/assert";
import { DatabaseError, errorToData } from "@quorate/keys/database-error";
import type { NodeId, RangeId, ReplicaId, TransactionId } from "@quorate/keys/ids";
import { formatKey, type Key, type Span, spanContains, spansOverlap } from "@quorate/keys/key";
import { type RangeDescriptor, rangeSpan } from "@quorate/keys/range";
import { type Timestamp, timestampZero } from "@quorate/keys/timestamp";
import { members } from "@quorate/raft/configuration";
import type { LogIndex, SnapshotMetadata, Term } from "@quorate/raft/types";
import { metaKey } from "@quorate/storage/engine-keys";
import { VersionBatch } from "@quorate/storage/version-batch";
import { type ApplyResult, applyCommand, isLeaseChange } from "./apply.ts";
import type { Blockers, BlockersOwner, Decision } from "./blockers.ts";
import { clear } from "./clears.ts";
import { closeTimestamp, isClosed, isForReplica } from "./closing.ts";
import {
	type Command,
	decodeCommand,
	encodeCommand,
	entryBytesMax,
	type MergedRange,
} from "./commands.ts";
import type { ReplicaContext } from "./context.ts";
import type { ProposalResult, ReplicaCore } from "./core.ts";
import { exportChanges } from "./exports.ts";
import { changes, Feed, type FeedCore, observerOf } from "./feed.ts";
import type { CommittedEntry, GroupMachine, RaftGroupHandle } from "./host-types.ts";
import type { Inquiries } from "./inquiries.ts";
import { type LeaseHost, LeaseKeeper } from "./lease-keeper.ts";
import type { LoadSamples } from "./load-samples.ts";
import type { LockTable } from "./lock-table.ts";
import { lockRead } from "./locked-reads.ts";
import { lockScan } from "./locked-scans.ts";
import { descriptorAfter, relocate } from "./membership.ts";
import { mergedRange } from "./merges.ts";
import type { AppliedCommand } from "./observer.ts";
import type { PendingGroup, PendingWrites } from "./pending-writes.ts";
import { RangeSize } from "./range-size.ts";
import {
	compactLease,
	describeRange,
	encodeRangeState,
	forgetEncoded,
	type RangeState,
	replicaOn,
} from "./range-state.ts";
import { read, readClosed, scan } from "./reads.ts";
import { RecentChanges } from "./recent-changes.ts";
import { renew } from "./renewal.ts";
import type { RangeAnswer, RangeRequest, RangeRequestBody } from "./requests.ts";
import { retire } from "./retired-ids.ts";
import { installSnapshot, openSnapshot } from "./snapshots.ts";
import { drained, type Inheritance, type SplitReason, split } from "./splits.ts";
import { validateItems } from "./validation.ts";
import { WorkingMemory } from "./working-memory.ts";
import {
	abort,
	commit,
	dropIntents,
	largeWriteBytes,
	onePhase,
	prepare,
	resolve,
	resolveNow,
	takeBack,
	untilResolved,
} from "./writes.ts";

/** Bytes written to the engine in one go (the last entry may go over it): bounds how long others wait for their turn. */
const applyBytesMax = 64 << 10;

const nothing = { pendingWrites: 0, intents: 0, locks: 0 } as const;

/** For how long who asks for what was split off is told of it. */
const splitToldMs = 10_000;
/** For how long a request waits for what becomes of a frozen range. */
const frozenWaitMs = 1_000;
/** For how long a thaw is waited for. */
const thawMs = 2_000;

export class Replica implements GroupMachine, FeedCore, LeaseHost, BlockersOwner {
	readonly context: ReplicaContext;
	readonly replicaId: ReplicaId;
	readonly size: RangeSize;
	/** Undefined: it rests, and nobody has asked for any of it since. */
	#working: WorkingMemory | undefined;
	/** Listening time when the present lease was applied here, while it rests. */
	#leaseAtMs = 0;
	state: RangeState;
	#group: RaftGroupHandle | undefined;
	/** Undefined: it has had nothing to do since the replica was made, or has rested. */
	#leaseKeeper: LeaseKeeper | undefined;
	stoppedSequence = -1;
	/** The lease of this process that its locks are of. */
	#lockedUnder = -1;
	#isLeader = false;
	#term: Term = 0;
	#ownTermApplied = false;
	#leader = 0 as ReplicaId;
	/** The number of the last command proposed under the current lease; the right side of a split goes on from the left's. */
	#number: number;
	#destroyed = false;
	/** The engine holds a snapshot's state already, and `state` is the one before. */
	#isReplaced = false;
	#isInstalling = false;
	/** The keys of the snapshot that comes in, once it has said. */
	#incoming: Span | undefined;
	/** A merge is under way here that its log may not know of yet. */
	isBusy = false;
	/** The range that has taken this one over. */
	#mergedInto: Replica | undefined;
	/** It is about to be frozen, and serves no more. */
	#isFreezing = false;
	/** Monotonic milliseconds of the last request: an idle range is left alone. Whole ones take no object of their own. */
	lastUsedMs = 0;
	/** The same of the last request, entry or change of its leader. */
	#busyMs: number;
	#isResting = false;
	/** When that much was applied there was nothing to tidy up (`housekeeping.ts`). */
	tidyAt: LogIndex = 0;

	constructor(
		context: ReplicaContext,
		replicaId: ReplicaId,
		state: RangeState,
		inheritance?: Inheritance,
	) {
		this.context = context;
		this.replicaId = replicaId;
		this.#busyMs = Math.floor(context.runtime.clock.monotonicMs());
		this.state = state;
		this.size = inheritance?.size ?? new RangeSize();
		this.#number = state.lastNumber;
		this.#working = this.#newMemory(inheritance);
		if (inheritance !== undefined) this.#lockedUnder = state.lease.sequence;
		this.recount();
	}

	get #keeper(): LeaseKeeper {
		this.#leaseKeeper ??= new LeaseKeeper(this);
		return this.#leaseKeeper;
	}

	#newMemory(inheritance?: Inheritance): WorkingMemory {
		const { context, state } = this;
		return new WorkingMemory(context, this, state.lastCommit, this.#leaseAtMs, inheritance);
	}

	/** Whoever has some is awake: it goes when it rests again. */
	get #memory(): WorkingMemory {
		if (this.#working === undefined) {
			this.#working = this.#newMemory();
			this.#awake();
		}
		return this.#working;
	}

	get isResting(): boolean {
		return this.#isResting;
	}

	get pending(): PendingWrites {
		return this.#memory.pending;
	}

	get locks(): LockTable {
		return this.#memory.locks;
	}

	get blockers(): Blockers {
		return this.#memory.blockers;
	}

	get inquiries(): Inquiries {
		return this.#memory.inquiries;
	}

	get recent(): RecentChanges {
		return this.#memory.recent;
	}

	get load(): LoadSamples {
		return this.#memory.load;
	}

	/** Of late. */
	get requestsPerSecond(): number {
		return this.#working?.load.rate ?? 0;
	}

	/** For people. What rests has none of them, and is not woken for the question. */
	get counts(): {
		readonly pendingWrites: number;
		readonly intents: number;
		readonly locks: number;
	} {
		if (this.#working === undefined) {
			return nothing;
		}
		const { pending, blockers, locks } = this.#working;
		return {
			pendingWrites: pending.groups,
			intents: blockers.intentCount,
			locks: locks.size,
		};
	}

	resolveDecided(transaction: TransactionId, decision: Decision, keys: readonly Key[]): void {
		// Who only follows reads the outcome and waits for whoever leads.
		if (!this.holding()) {
			return;
		}
		// Keys that have left with a split are their new range's to resolve.
		const own = keys.filter((k) => this.owns(k));
		const spans = own.map((k) => ({ start: k, end: `${k}\0` as Key }));
		if (decision === "unknown") void dropIntents(this, transaction, spans);
		else void resolveNow(this, transaction, decision.c, spans);
	}

	settle(): void {
		if (this.holding()) {
			void this.#keeper.extend();
		}
	}

	/** The Raft group is running; called once by the store. */
	attach(group: RaftGroupHandle): void {
		this.#group = group;
	}

	get group(): RaftGroupHandle {
		assert(this.#group !== undefined, "a replica is used before its group runs");
		return this.#group;
	}

	get isTidy(): boolean {
		return this.tidyAt === this.state.appliedIndex;
	}

	/** R1: nothing has come since `sinceMs`, and nothing goes on. */
	mayRest(nowMs: number, sinceMs: number): boolean {
		return (
			this.#busyMs <= sinceMs &&
			this.#working?.mayGo(nowMs) !== false &&
			!this.isMerging &&
			!this.#isInstalling &&
			!this.#destroyed &&
			this.#leader !== 0 &&
			this.group.isAtRest
		);
	}

	/** What can be learned again goes. */
	rest(): void {
		this.#isResting = true;
		this.#leaseAtMs = this.#working?.inquiries.leaseAtMs ?? this.#leaseAtMs;
		this.#working = undefined;
		if (this.#leaseKeeper?.isIdle === true) {
			this.#leaseKeeper = undefined;
		}
		forgetEncoded(this.state);
		this.state.descriptor = this.context.kept(this.state.descriptor);
		this.state.lease = compactLease(this.state.lease);
		this.group.rest();
	}

	/** R2. */
	#awake(): void {
		this.#busyMs = Math.floor(this.context.runtime.clock.monotonicMs());
		if (this.#isResting) {
			this.#isResting = false;
			this.context.awake(this);
		}
	}

	/** Counts the range's intents anew: after a start, a split, a snapshot. */
	recount(): void {
		this.blockers.recount(rangeSpan(this.state.descriptor));
	}

	leads(): boolean {
		return this.#isLeader && this.#ownTermApplied && !this.#destroyed;
	}

	holding(): boolean {
		const { lease } = this.state;
		return (
			this.leads() &&
			this.state.frozen === undefined &&
			lease.nodeId === this.context.nodeId &&
			lease.bootId === this.context.bootId &&
			(lease.sequence !== this.stoppedSequence ||
				this.context.mutations?.withoutLeaseSequence === true)
		);
	}

	/** It knows best what the range holds: as leaseholder, or as the leader of a range whose leaseholder has ended. */
	get knowsLoad(): boolean {
		const { nodeId, bootId } = this.state.lease;
		return this.holding() || (this.leads() && this.context.bootOf(nodeId) !== bootId);
	}

	seen(): Timestamp {
		return this.context.timestamps.seen();
	}

	covers(s: Timestamp): boolean | Promise<boolean> {
		return this.#keeper.covers(s);
	}

	owns(k: Key): boolean {
		return this.#isWhole && spanContains(rangeSpan(this.state.descriptor), k);
	}

	ownsSpan(span: Span): boolean {
		const { start, end } = this.state.descriptor;
		return this.#isWhole && start <= span.start && span.end <= end;
	}

	get #isWhole(): boolean {
		return !this.#destroyed && !this.#isReplaced;
	}

	// ---- proposals

	propose(
		command: Command,
		version: number,
		group?: PendingGroup,
	): Promise<ProposalResult> | undefined {
		if (command.kind !== "lease" && !this.leads()) {
			return undefined;
		}
		assert(
			command.kind !== "resolve" || command.spans.every((s) => this.ownsSpan(s)),
			() => `L3: ${this} resolves keys of another range`,
		);
		const { sequence } = this.state.lease;
		// A lease is asked for by one who does not hold the present one: it takes no number of it. So is a thaw.
		const isOutside = command.kind === "lease" || command.kind === "thaw";
		const number = isOutside ? 0 : this.#number + 1;
		const bytes = encodeCommand({ sequence, number, version, command });
		assert(bytes.length <= entryBytesMax, () => `an entry of ${bytes.length} bytes: over 1 MB`);
		if (this.group.propose(bytes) === undefined) {
			return undefined;
		}
		if (number === 0) {
			return Promise.resolve({ kind: "done" });
		}
		this.#number = number;
		this.blockers.hurry();
		if (group !== undefined) {
			this.pending.proposed(group, number);
		}
		return new Promise((done) => this.#memory.callbacks.set(number, { sequence, done }));
	}

	proposeCommand(command: Command): Promise<ProposalResult> | undefined {
		return this.propose(command, this.state.descriptor.epoch.version);
	}

	transferLeadership(to: NodeId): void {
		const replica = this.state.descriptor.replicas.find((r) => r.nodeId === to);
		if (replica !== undefined) {
			this.group.transferLeadership(replica.replicaId);
		}
	}

	/** One that has died a moment ago had everything, and would have the lease until it expires. */
	isLevel(node: NodeId): boolean {
		const boot = this.context.bootOf(node);
		if (boot === undefined || this.context.pulseOf(boot)?.isHeard !== true) {
			// Should it live, it answers the heartbeats that follow.
			this.group.wake();
			return false;
		}
		const { progress, commit } = this.group.status();
		return progress.some(
			(p) => this.nodeOf(p.replica) === node && p.match > 0 && p.match + 100 > commit,
		);
	}

	/** In the background, if this replica leads and does not hold it. */
	takeLease(): void {
		if (this.leads() && !this.holding()) {
			this.#keeper.acquire().catch(() => {});
		}
	}

	/** As with a split (V1) what is accepted is proposed first: who was refused afterwards would come late, its locks released. */
	async transferLease(to: NodeId): Promise<boolean> {
		if (to === this.context.nodeId) {
			return this.holding();
		}
		if (!this.#keeper.mayTransfer(to) || this.#memory.gate.isClosed) {
			return false;
		}
		return this.#memory.gate.closedDuring(async () => {
			// Whoever has stopped serving needs a timestamp, too.
			await drained(this);
			return this.#keeper.transfer(to);
		});
	}

	/** Resolves when this replica holds the lease, or cannot. */
	async ensureLease(): Promise<void> {
		if (this.leads() && !this.holding()) {
			await this.#keeper.acquire();
		}
	}

	// ---- merges

	/** Its keys and members are to stay what they are. */
	get isMerging(): boolean {
		return this.isBusy || this.state.merging !== undefined || this.state.frozen !== undefined;
	}

	areMembersLevel(): boolean {
		const { nodeId } = this.context;
		return this.state.descriptor.replicas.every(
			(r) => r.nodeId === nodeId || this.isLevel(r.nodeId),
		);
	}

	/**
	 * The right side of a merge: it stops serving, for good unless it thaws. `version`: the one that the left side's merge-begin names.
	 * It may have been split since, and M4 is about that version alone. Undefined: it did not come to that, as far as known here.
	 */
	async freeze(
		into: RangeId,
		intoVersion: number,
		version: number,
	): Promise<MergedRange | undefined> {
		const isAnother = this.state.descriptor.epoch.version !== version;
		if (isAnother || this.#memory.gate.isClosed || !this.holding()) {
			return undefined;
		}
		this.#isFreezing = true;
		try {
			return await this.#freeze(into, intoVersion, version);
		} finally {
			this.#isFreezing = false;
			if (this.state.frozen === undefined) {
				this.#thawed();
			}
		}
	}

	#freeze(into: RangeId, intoVersion: number, version: number): Promise<MergedRange | undefined> {
		const { conf } = this.state.descriptor.epoch;
		return this.#memory.gate.closedDuring(async () => {
			await drained(this);
			const t = this.holding() ? await this.#keeper.giveUp() : undefined;
			if (t === undefined) {
				return undefined;
			}
			const result = await this.propose({ kind: "freeze", into, intoVersion, t, conf }, version);
			if (result?.kind !== "done") {
				return undefined;
			}
			this.group.announceCommit();
			return mergedRange(this, t);
		});
	}

	/** The left side: the merge itself. */
	async takeOver(right: MergedRange, frozen: Replica): Promise<RangeDescriptor | undefined> {
		if (this.#memory.gate.isClosed) {
			return undefined;
		}
		const { version, conf } = this.state.descriptor.epoch;
		// M3: whatever is written to the right side's keys from now on has a p at or above all that was read there.
		this.context.timestamps.observe(right.t);
		const result = await this.#memory.gate.closedDuring(async () => {
			await drained(this);
			return this.#mayMerge(right, frozen)
				? this.propose({ kind: "merge", right, conf }, version)
				: undefined;
		});
		return result?.kind === "merged" ? this.state.descriptor : undefined;
	}

	/** No intent of either side has its p at or below the threshold of the other. What comes has a p of now. */
	#mayMerge({ gcThreshold }: MergedRange, { blockers }: Replica): boolean {
		const threshold = Math.max(gcThreshold, this.state.gcThreshold);
		const pending = this.pending.lowestP() ?? Number.POSITIVE_INFINITY;
		const low = Math.min(pending, this.blockers.intents.lowestP, blockers.intents.lowestP);
		return this.holding() && low > threshold;
	}

	#mergeApplied(right: RangeState): void {
		const { descriptor, frozen } = right;
		const absorbed = this.context.mergeApplied(right);
		if (frozen !== undefined) {
			this.context.timestamps.observe(frozen.t);
		}
		if (absorbed !== undefined) {
			this.locks.takeOver(absorbed.locks);
			this.inquiries.takeOver(absorbed.inquiries);
			absorbed.becomePartOf(this);
		}
		this.#memory.splitOff = this.#memory.splitOff.filter(
			(s) => s.descriptor.rangeId !== descriptor.rangeId,
		);
		this.#memory.recent = new RecentChanges(this.state.lastCommit);
		this.recount();
		this.size.forget();
		this.load.forget();
		this.blockers.wakeAll();
		this.#memory.feed?.wake();
	}

	/** The range to the left has taken this one over: nothing that was not applied here ever will be (M1). */
	becomePartOf(left: Replica): void {
		assert(
			!this.#isInstalling,
			() => `M1: ${this} installs a snapshot, and has become part of another`,
		);
		this.#mergedInto = left;
		const callbacks = [...this.#memory.callbacks.values()];
		this.#memory.callbacks.clear();
		for (const callback of callbacks) {
			callback.done({ kind: "rejected", reason: "the range was merged" });
		}
		this.destroy();
		this.#thawed();
	}

	get #isFrozen(): boolean {
		return this.#isFreezing || this.state.frozen !== undefined;
	}

	#thawed(): void {
		const waiting = this.#memory.onThaw;
		this.#memory.onThaw = [];
		for (const wake of waiting) {
			wake();
		}
	}

	/** What becomes of the frozen range decides who answers. */
	async #whenThawed(q: RangeRequest): Promise<RangeAnswer> {
		await new Promise<void>((resolve) => {
			const timer = this.context.runtime.scheduler.setTimer(frozenWaitMs, resolve);
			this.#memory.onThaw.push(() => {
				timer.cancel();
				resolve();
			});
		});
		return this.#isFrozen && this.#mergedInto === undefined
			? this.notLeaseholder()
			: this.handle(q);
	}

	/** M4. At the replica that leads: nobody holds the lease. */
	async #thaw(version: number): Promise<RangeAnswer> {
		const endMs = this.context.runtime.clock.monotonicMs() + thawMs;
		this.propose({ kind: "thaw" }, version);
		while (this.state.descriptor.epoch.version === version) {
			if (!this.leads() || this.context.runtime.clock.monotonicMs() >= endMs) {
				return this.notLeaseholder();
			}
			await new Promise<void>((resolve) => {
				this.context.runtime.scheduler.setTimer(5, resolve);
			});
		}
		return { kind: "done" };
	}

	// ---- GroupMachine

	leadershipChanged(status: {
		readonly isLeader: boolean;
		readonly term: Term;
		readonly leader: ReplicaId;
	}): void {
		this.#awake();
		const newTerm = status.term !== this.#term;
		this.#isLeader = status.isLeader;
		this.#term = status.term;
		this.#leader = status.leader;
		if (!status.isLeader || newTerm) {
			this.#ownTermApplied = false;
		}
		if (!status.isLeader) {
			// L4: what is pending stays pending. Only who waits is told to look again: nobody here may ever learn what became of it.
			this.#loseAnswers();
			if (this.context.mutations?.pendingEndsAtStepDown === true) {
				this.pending.applied(this.state.lease.sequence, Number.MAX_SAFE_INTEGER, true);
			}
			this.#working?.blockers.wakeAll();
			this.#working?.feed?.wake();
		}
	}

	/** What changes in the span is remembered from now on, as long as somebody asks. */
	feedOf(span: Span): Feed {
		const nowMs = this.context.runtime.clock.monotonicMs();
		const { start, end } = this.#memory.feed?.span ?? {};
		if (this.#memory.feed === undefined || start !== span.start || end !== span.end) {
			const { mutations } = this.context;
			const from = mutations?.feedBeginsComplete === true ? timestampZero : this.state.lastCommit;
			this.#memory.feed = new Feed(span, from, nowMs);
		}
		this.#memory.feed.asked(nowMs);
		return this.#memory.feed;
	}

	#forgetFeed(): void {
		this.#memory.feed?.wake();
		this.#memory.feed = undefined;
	}

	appliedBytes = 0;

	apply(entries: readonly CommittedEntry[]): number {
		if (this.#mergedInto !== undefined) {
			// M1: all of them are refused, and its state is another's to write.
			return entries.length;
		}
		this.#awake();
		const applied: AppliedCommand[] = [];
		let count = 0;
		const { state } = this;
		const { mutations } = this.context;
		const versionBefore = state.descriptor.epoch;
		if (this.#memory.feed?.isForgotten(this.context.runtime.clock.monotonicMs()) === true) {
			this.#forgetFeed();
		}
		const feed = this.#memory.feed;
		const fedBefore = feed?.serial;
		this.context.engine.write((batch) => {
			const versions = new VersionBatch(
				this.context.engine,
				batch,
				this.blockers.intents,
				observerOf(feed, this.recent),
			);
			for (const entry of entries) {
				assert(
					entry.index === state.appliedIndex + 1,
					() =>
						`${describeRange(state.descriptor)}: entry ${entry.index} after ${state.appliedIndex}`,
				);
				state.appliedIndex = entry.index;
				state.appliedTerm = entry.term;
				if (entry.command !== undefined) {
					const envelope = decodeCommand(entry.command);
					const result = applyCommand(state, versions, envelope, mutations);
					applied.push({ entry, envelope, result });
					if (result.kind === "merged") {
						// What follows must be looked at with what is known of the right side's intents.
						count++;
						const own = replicaOn(result.right.descriptor, this.context.nodeId);
						assert(own !== undefined, "M2: a member of one side is a member of the other");
						retire(batch, result.right.descriptor.rangeId, own.replicaId);
						break;
					}
					if (mutations?.entriesAppliedTwice === true && applied.length > 1) {
						applyCommand(state, versions, applied.at(-2)!.envelope, mutations);
					}
				} else if (entry.configuration !== undefined) {
					assert(state.frozen === undefined, () => `M2: members of the frozen ${this} change`);
					state.configuration = entry.configuration;
					state.descriptor = descriptorAfter(state.descriptor, entry);
				}
				count++;
				// A short entry may do much: a Resolve names spans.
				if (versions.writtenBytes >= applyBytesMax) {
					break;
				}
			}
			this.size.applied(versions.sizeDelta);
			this.appliedBytes = versions.writtenBytes;
			const { rangeId } = state.descriptor;
			versions.rawPut(metaKey(rangeId, "state"), encodeRangeState(state));
			if (versionBefore !== state.descriptor.epoch && !this.#isMemberOf(state)) {
				retire(batch, rangeId, this.replicaId);
			}
		});
		this.context.observer?.applied(this, entries.slice(0, count), applied);
		const last = entries[count - 1]!;
		if (this.#isLeader && last.term === this.#term) {
			this.#ownTermApplied = true;
		}
		for (const one of applied) {
			this.#afterApply(one);
		}
		if (feed?.serial !== fedBefore) {
			feed?.wake();
		}
		if (versionBefore !== state.descriptor.epoch) {
			this.#epochChanged();
		}
		return count;
	}

	/** What the leaseholder remembers follows what was applied (L4), once the batch is visible. */
	#afterApply({ envelope, result }: AppliedCommand): void {
		const { command, sequence, number } = envelope;
		const accepted = result.kind !== "rejected";
		for (const group of this.pending.applied(sequence, number, accepted)) {
			this.blockers.changed(group.transaction);
		}
		this.#settleCallbacks(sequence, number, result);
		if (isLeaseChange(command) && result.kind === "done") {
			this.#leaseChanged();
		}
		if (command.kind === "transfer" && result.kind === "done") {
			this.#takeOverLocks(command);
		}
		if ("transaction" in command && accepted) {
			this.#learn(command, result);
		}
		if (result.kind === "split") {
			this.#splitApplied(result.right);
		} else if (result.kind === "merged") {
			this.#mergeApplied(result.right);
		} else if (command.kind === "freeze" && result.kind === "done") {
			this.blockers.wakeAll();
			this.#memory.feed?.wake();
		} else if (command.kind === "thaw" && result.kind === "done") {
			this.#thawed();
		}
	}

	#learn(command: Extract<Command, { transaction: unknown }>, result: ApplyResult): void {
		if (result.kind === "committed" || result.kind === "aborted") {
			this.inquiries.ended(command.transaction);
		}
		if (result.kind === "committed") {
			this.blockers.decided(command.transaction, { c: result.c });
		} else if (result.kind === "aborted") {
			this.blockers.decided(command.transaction, { c: 0 as Timestamp });
		} else {
			this.blockers.changed(command.transaction);
		}
	}

	#settleCallbacks(sequence: number, number: number, result: ApplyResult): void {
		const own = this.#memory.callbacks.get(number);
		if (own?.sequence === sequence) {
			this.#memory.callbacks.delete(number);
			own.done(result);
		}
		if (result.kind === "rejected") {
			return;
		}
		// A lower number can never be applied any more.
		for (const [n, callback] of this.#memory.callbacks) {
			if (callback.sequence > sequence || (callback.sequence === sequence && n >= number)) {
				break;
			}
			this.#memory.callbacks.delete(n);
			callback.done({ kind: "rejected", reason: "overtaken" });
		}
	}

	#leaseChanged(): void {
		const { sequence } = this.state.lease;
		for (const group of this.pending.leaseEnded(sequence)) {
			this.blockers.changed(group.transaction);
		}
		// L3: nothing of an older lease can be applied any more.
		const ended = [...this.#memory.callbacks.values()];
		this.#memory.callbacks.clear();
		for (const callback of ended) {
			callback.done({ kind: "rejected", reason: "its lease has ended" });
		}
		this.#number = 0;
		this.#keepLocks();
		this.inquiries.newLease(this.context.listening.ms);
		this.blockers.wakeAll();
		this.#memory.feed?.wake();
		this.context.report([this.info()]);
	}

	/** Where this process has had the lease before, and nobody in between, all that is locked is: after a merge that was given up. */
	#keepLocks(): void {
		const { sequence, nodeId, bootId } = this.state.lease;
		const isOwn = nodeId === this.context.nodeId && bootId === this.context.bootId;
		if (isOwn && this.#lockedUnder === sequence - 1) {
			this.locks.endWaits(() => true);
		} else {
			this.locks.clear();
		}
		this.#lockedUnder = isOwn ? sequence : -1;
	}

	/** Of the old leaseholder, at the new one. Whose transaction has ended meanwhile was told of to the old one: its gateway is asked. */
	#takeOverLocks({ nodeId, bootId, locks = [] }: Extract<Command, { kind: "transfer" }>): void {
		if (nodeId === this.context.nodeId && bootId === this.context.bootId && locks.length > 0) {
			this.locks.takeIn(locks);
			this.context.locksCame(new Set(locks.map(([, owner]) => owner)));
		}
	}

	#splitApplied(right: RangeState): void {
		this.recount();
		const { descriptor, lease } = right;
		const untilMs = this.context.runtime.clock.monotonicMs() + splitToldMs;
		this.#memory.splitOff.push({ descriptor, untilMs });
		if (this.#isLeader) {
			// Both at once: of one alone the directory would have a gap.
			this.context.report([this.info(), { descriptor, leaseholder: lease.nodeId }]);
		}
		const locks = this.locks.splitOff(descriptor.start);
		const inquiries = this.inquiries.inherited();
		this.load.forget();
		this.context.splitApplied(this, right, { locks, inquiries, size: this.size.splitOff() });
		this.blockers.wakeAll();
		this.#memory.feed?.wake();
	}

	#epochChanged(): void {
		if (this.#isLeader) {
			this.context.report([this.info()]);
		}
		if (!this.#isMemberOf(this.state)) {
			this.destroy();
			this.context.removed(this.state.descriptor.rangeId);
		}
	}

	#isMemberOf({ configuration }: RangeState): boolean {
		return members(configuration).includes(this.replicaId);
	}

	/** What became of the proposals is not known here. */
	#loseAnswers(): void {
		if (this.#working === undefined) {
			return;
		}
		const { callbacks: open } = this.#working;
		const callbacks = [...open.values()];
		open.clear();
		for (const callback of callbacks) {
			callback.done({ kind: "lost" });
		}
	}

	/** The replica is gone from this node: nothing is served any more. */
	destroy(): void {
		this.#destroyed = true;
		this.locks.clear();
		this.blockers.close();
		this.#loseAnswers();
		this.blockers.wakeAll();
		this.#forgetFeed();
	}

	appliedIndex(): LogIndex {
		return this.state.appliedIndex;
	}

	openSnapshot(to: ReplicaId): ReturnType<GroupMachine["openSnapshot"]> {
		return openSnapshot(this.context, this.state, to);
	}

	async installSnapshot(
		metadata: SnapshotMetadata,
		chunks: AsyncIterable<Uint8Array>,
	): Promise<void> {
		this.#isInstalling = true;
		this.#awake();
		try {
			const state = await installSnapshot(this.context, this.state, metadata, chunks, {
				refusal: (received) => this.#refusalOf(received),
				// Readers that still wait must not look at what their state says nothing about.
				replacing: (received) => {
					this.#isReplaced = true;
					this.context.subsume(received, this);
				},
				goesOn: () => !this.#destroyed,
			});
			this.#isReplaced = false;
			this.#become(state);
		} finally {
			this.#isInstalling = false;
			this.#incoming = undefined;
		}
	}

	/** Why a snapshot is not taken. If it is, its keys are nobody else's from now on. */
	#refusalOf(state: RangeState): string | undefined {
		if (!this.#isMemberOf(state)) {
			return `replica ${this.replicaId} is no member of ${describeRange(state.descriptor)}`;
		}
		if (this.state.frozen !== undefined && state.frozen?.t === this.state.frozen.t) {
			// M1: it has all that there is, and must not be written to once the left side has taken it over.
			return `${this} is frozen`;
		}
		const reason = this.context.overlaps(state);
		if (reason === undefined) {
			this.#incoming = rangeSpan(state.descriptor);
		}
		return reason;
	}

	#become(state: RangeState): void {
		this.#thawed();
		assert(
			state.closed >= this.state.closed,
			() => `F1: ${this} was closed further than its snapshot`,
		);
		// L4: it ends pending writes only as its lease and last number do; their answers become unknown.
		this.state = state;
		this.#memory.recent = new RecentChanges(state.lastCommit);
		this.#loseAnswers();
		this.pending.leaseEnded(state.lease.sequence);
		this.pending.applied(state.lease.sequence, state.lastNumber, true);
		// A lease learned from a snapshot is another boot's.
		this.stoppedSequence = state.lease.sequence;
		this.locks.clear();
		this.#lockedUnder = -1;
		this.recount();
		this.size.forget();
		this.blockers.wakeAll();
		this.#forgetFeed();
	}

	/** A snapshot is coming in. */
	get isInstalling(): boolean {
		return this.#isInstalling;
	}

	/** Some of the keys are its own, or will be. All replicas of a node are asked, for each split. */
	overlaps(span: Span): boolean {
		const { start, end } = this.state.descriptor;
		const isOwn = start < span.end && span.start < end;
		return isOwn || (this.#incoming !== undefined && spansOverlap(this.#incoming, span));
	}

	nodeOf(replica: ReplicaId): NodeId | undefined {
		return this.state.descriptor.replicas.find((r) => r.replicaId === replica)?.nodeId;
	}

	info(): { readonly descriptor: RangeDescriptor; readonly leaseholder: NodeId | undefined } {
		const { descriptor, lease } = this.state;
		return { descriptor, leaseholder: lease.sequence === 0 ? undefined : lease.nodeId };
	}

	// ---- requests

	notLeaseholder(): ReturnType<ReplicaCore["notLeaseholder"]> {
		const { descriptor, lease } = this.state;
		const leader = this.nodeOf(this.#leader);
		const holder = this.#isLeader ? lease.nodeId : (leader ?? lease.nodeId);
		return {
			kind: "not-leaseholder",
			leaseholder: holder === this.context.nodeId ? (0 as NodeId) : holder,
			descriptor,
		};
	}

	stale(): RangeAnswer {
		const nowMs = this.context.runtime.clock.monotonicMs();
		this.#memory.splitOff = this.#memory.splitOff.filter(({ untilMs }) => nowMs < untilMs);
		const rights = this.#memory.splitOff.map(({ descriptor }) => descriptor);
		return { kind: "stale", ranges: [this.state.descriptor, ...rights] };
	}

	/** Serves a request, if this replica holds the lease or may take it now. */
	handle(q: RangeRequest): RangeAnswer | Promise<RangeAnswer> {
		if (this.#mergedInto !== undefined) {
			return this.#mergedInto.stale();
		}
		this.#awake();
		this.lastUsedMs = this.#busyMs;
		if (this.holding() && q.body.kind !== "closed" && q.body.kind !== "thaw") {
			const bytes = largeWriteBytes(q.body);
			const admitted = bytes > 0 ? this.group.admit(bytes) : undefined;
			return admitted === undefined ? this.#serve(q) : this.#serveLater(q, admitted);
		}
		if (isForReplica(q.body)) {
			return this.#serveAsFollower(q);
		}
		if (!this.leads()) {
			// Its leader may have died while the group was at rest, and nobody have noticed.
			this.group.wake();
			return this.notLeaseholder();
		}
		if (q.body.kind === "thaw") {
			return this.#thaw(q.body.version);
		}
		if (this.#isFrozen) {
			return this.#whenThawed(q);
		}
		if (this.#leaseKeeper?.isMoving === true) {
			return this.notLeaseholder();
		}
		return this.#keeper.acquire().then(() => {
			return this.holding() ? this.#serve(q) : this.notLeaseholder();
		});
	}

	async #serveLater(q: RangeRequest, admitted: Promise<void>): Promise<RangeAnswer> {
		await admitted;
		return this.holding() ? this.#serve(q) : this.notLeaseholder();
	}

	#serve(q: RangeRequest): RangeAnswer | Promise<RangeAnswer> {
		if (q.version !== this.state.descriptor.epoch.version || !this.#ownsAll(q.body)) {
			return this.stale();
		}
		this.load.note(q.body);
		const wait = this.#memory.gate.waitFor(q.body) ?? untilResolved(this, q.body);
		return wait === undefined ? this.#dispatch(q.body) : wait.then(() => this.handle(q));
	}

	/** F2. Where it cannot, the leaseholder is asked instead. */
	#serveAsFollower({ version, body }: RangeRequest): RangeAnswer | Promise<RangeAnswer> {
		const { descriptor, closed, closedVersion } = this.state;
		if (version !== descriptor.epoch.version || !this.#isWhole || !this.#ownsAll(body)) {
			return this.stale();
		}
		if (!isClosed(this, body)) {
			return this.notLeaseholder();
		}
		if (body.kind === "read" || body.kind === "scan") {
			return readClosed(this, body);
		}
		return { kind: "closed", timestamp: closed, schemaVersion: closedVersion };
	}

	#ownsAll(b: RangeRequestBody): boolean {
		switch (b.kind) {
			case "read":
			case "lock-read":
				return b.keys.every((k) => this.owns(k));
			case "scan":
			case "lock-scan":
			case "changes":
			case "export":
			case "clear":
				return this.ownsSpan(b.span);
			case "prepare":
				return b.writes.every((w) => this.owns(w.key));
			case "one-phase":
				return (
					b.writes.every((w) => this.owns(w.key)) && b.validate.every((i) => this.ownsSpan(i.span))
				);
			case "validate":
				return b.items.every((i) => this.ownsSpan(i.span));
			case "commit":
			case "abort":
			case "inquire":
			case "seal":
				return this.owns(b.anchor);
			case "resolve":
			case "take-back":
				return b.spans.every((s) => this.ownsSpan(s));
			case "split":
				return this.owns(b.at);
			case "merge":
				return this.owns(b.at) || b.at === this.state.descriptor.end;
			case "thaw":
			case "closed":
			case "close":
			case "heartbeat":
			case "transfer-lease":
			case "relocate":
			case "renew":
			case "status":
				return true;
		}
	}

	#dispatch(b: RangeRequestBody): RangeAnswer | Promise<RangeAnswer> {
		switch (b.kind) {
			case "read":
				return read(this, b);
			case "scan":
				return scan(this, b);
			case "lock-read":
				return lockRead(this, b);
			case "lock-scan":
				return lockScan(this, b);
			case "prepare":
				return prepare(this, b);
			case "one-phase":
				return onePhase(this, b);
			case "validate":
				return validateItems(this, b.transaction, b.items, b.c, b.owner ?? null);
			case "commit":
				return commit(this, b);
			case "abort":
				return abort(this, b);
			case "resolve":
				return resolve(this, b);
			case "take-back":
				return takeBack(this, b);
			case "inquire":
				return this.inquiries.inquire(this, b.transaction, b.anchor, b.s);
			case "seal":
				return this.inquiries.seal(this, b.transaction, b.anchor);
			case "close":
				return closeTimestamp(this);
			case "closed":
				return this.notLeaseholder();
			case "heartbeat":
				this.inquiries.heard(this.context, b.transactions);
				if (b.open !== undefined) {
					this.inquiries.heardOpen(b.open, b.above ?? timestampZero);
				}
				return { kind: "done" };
			case "changes":
				return changes(this, b);
			case "export":
				return exportChanges(this, b);
			case "clear":
				return clear(this, b);
			case "split":
				return this.split(b.at, "hand");
			case "merge":
				return this.context.merge(this, b.at, b.bySize === true ? "size" : "hand");
			case "thaw":
				return this.#thaw(b.version);
			case "transfer-lease":
				return this.#transfer(b.to);
			case "relocate":
				return this.#relocate(b.nodes);
			case "renew":
				return renew(this, this.group, b.node, b.replicasFrom);
			case "status":
				return b.confirmed === true ? this.#confirmedStatus() : this.#status();
		}
	}

	split(at: Key, reason: SplitReason): Promise<RangeAnswer> {
		return split(this, this.#memory.gate, at, reason);
	}

	async #transfer(to: NodeId): Promise<RangeAnswer> {
		if (await this.transferLease(to)) {
			return { kind: "done" };
		}
		const { descriptor } = this.state;
		return {
			kind: "error",
			error: errorToData(
				new DatabaseError("55000", `could not move the lease of range ${descriptor.rangeId}`, {
					detail: `Node ${to} holds no voting replica of it that is up to date, or is not known to be running.`,
				}),
			),
		};
	}

	#relocate(nodes: readonly NodeId[]): Promise<RangeAnswer> {
		return relocate(this, this.group, nodes);
	}

	async #confirmedStatus(): Promise<RangeAnswer> {
		const { lease, descriptor } = this.state;
		const extension = { kind: "extend", expiry: lease.expiry } as const;
		const result = await this.propose(extension, descriptor.epoch.version);
		return result?.kind === "done" ? this.#status() : this.notLeaseholder();
	}

	#status(): RangeAnswer {
		const { descriptor, appliedIndex } = this.state;
		return {
			kind: "status",
			descriptor,
			leaseholder: this.context.nodeId,
			sizeBytes: Math.round(this.sizeBytes()),
			requestsPerSecond: Math.round(this.requestsPerSecond * 10) / 10,
			appliedIndex,
			byHand: this.state.byHand,
		};
	}

	/** Rough size of the range's data, in bytes. */
	sizeBytes(): number {
		return this.size.bytes(this.context.engine, rangeSpan(this.state.descriptor));
	}

	toString(): string {
		const { descriptor } = this.state;
		return `${describeRange(descriptor)} from ${formatKey(descriptor.start)}`;
	}
}
