/**
 * The lease of one range, seen from one replica (design, section 4, L1 and L2). Leases are intervals of oracle timestamps:
 * no clock decides anything here, timers only pace the attempts.
 */
import type { NodeId } from "@quorate/keys/ids";
import type { Lease } from "@quorate/keys/range";
import { addMs, type Timestamp, ticksPerMs } from "@quorate/keys/timestamp";
import type { Command } from "./commands.ts";
import { leaseMs, type ReplicaContext } from "./context.ts";
import type { ProposalResult } from "./core.ts";
import type { LockTable } from "./lock-table.ts";
import { type RangeState, replicaOn } from "./range-state.ts";

/** For how long after a lease was given away its taker is believed to be about to lead. */
const moveMs = 500;

/** Whether somebody else leads by now. */
const lookMs = 20;

/** What the keeper needs of its replica. */
export interface LeaseHost {
	readonly context: ReplicaContext;
	readonly state: RangeState;
	readonly locks: LockTable;
	/** The sequence that was given away: it never serves again, whatever becomes of the proposal (L2). */
	stoppedSequence: number;
	holding(): boolean;
	/** Raft leader with an entry of its own term applied: it may propose a lease. */
	leads(): boolean;
	proposeCommand(command: Command): Promise<ProposalResult> | undefined;
	transferLeadership(to: NodeId): void;
	/** That node is heard, and its replica has, or nearly, what this one has: it can lead at once. */
	isLevel(node: NodeId): boolean;
}

export class LeaseKeeper {
	readonly #host: LeaseHost;
	#acquiring: Promise<void> | undefined;
	#extending: Promise<void> | undefined;
	/** Monotonic milliseconds. */
	#movesUntilMs = 0;

	constructor(host: LeaseHost) {
		this.#host = host;
	}

	/** Nothing is lost with it. */
	get isIdle(): boolean {
		return this.#acquiring === undefined && this.#extending === undefined && !this.isMoving;
	}

	/** Becomes leaseholder if it may; resolves when the attempt has ended, with or without success. */
	acquire(): Promise<void> {
		this.#acquiring ??= this.#acquire().finally(() => {
			this.#acquiring = undefined;
		});
		return this.#acquiring;
	}

	async #acquire(): Promise<void> {
		const { context } = this.#host;
		while (this.#host.leads() && !this.#host.holding() && this.#host.state.frozen === undefined) {
			const replaces = this.#host.state.lease.sequence;
			const { timestamp } = await context.timestamps.issue();
			// Looked up anew: a snapshot may have replaced the state meanwhile.
			const { lease } = this.#host.state;
			if (!this.#host.leads() || lease.sequence !== replaces) {
				continue;
			}
			if (timestamp <= lease.expiry && context.mutations?.leasesOverlap !== true) {
				await this.#outlast(lease, (lease.expiry - timestamp) / ticksPerMs + 1);
				continue;
			}
			const result = this.#host.proposeCommand({
				kind: "lease",
				replaces,
				nodeId: context.nodeId,
				bootId: context.bootId,
				start: timestamp,
				expiry: addMs(timestamp, leaseMs),
			});
			if (result === undefined) {
				return;
			}
			// It may be lost with the leadership: look again after a while.
			await this.#leaseAfter(replaces);
		}
	}

	/**
	 * The holder may still serve at timestamps up to the expiry: the oracle has to pass that. A holder that lives has only lost the lead, and
	 * has everybody's locks: it had better lead again.
	 */
	async #outlast({ sequence, nodeId, bootId }: Lease, ms: number): Promise<void> {
		const { context } = this.#host;
		const { clock } = context.runtime;
		const endMs = clock.monotonicMs() + ms;
		const isAlive = nodeId !== context.nodeId && context.bootOf(nodeId) === bootId;
		if (isAlive && this.#host.isLevel(nodeId)) {
			this.#host.transferLeadership(nodeId);
		}
		for (let leftMs = ms; leftMs > 0; leftMs = endMs - clock.monotonicMs()) {
			if (!this.#host.leads() || this.#host.state.lease.sequence !== sequence) {
				return;
			}
			await this.#sleep(Math.min(leftMs, lookMs));
		}
	}

	/** Resolves when another lease was applied, or after a while. */
	async #leaseAfter(sequence: number): Promise<void> {
		for (let waitedMs = 0; waitedMs < 1_000 && this.#host.leads(); waitedMs += 5) {
			if (this.#host.state.lease.sequence !== sequence) {
				return;
			}
			await this.#sleep(5);
		}
	}

	#sleep(ms: number): Promise<void> {
		const { scheduler } = this.#host.context.runtime;
		return new Promise((resolve) => scheduler.setTimer(Math.max(1, ms), resolve));
	}

	/** L1: true at once if the lease covers `s`; else extends it first. From half-life it is extended beside the work. */
	covers(s: Timestamp): boolean | Promise<boolean> {
		if (!this.#host.holding()) {
			return false;
		}
		const { context, state } = this.#host;
		const { lease } = state;
		if (s <= lease.expiry || context.mutations?.withoutLeaseExpiry === true) {
			if (s > lease.expiry - (leaseMs / 2) * ticksPerMs) {
				void this.extend();
			}
			return true;
		}
		return this.#coverLater(s);
	}

	async #coverLater(s: Timestamp): Promise<boolean> {
		while (this.#host.holding() && s > this.#host.state.lease.expiry) {
			await this.extend(s);
		}
		return this.#host.holding();
	}

	/** Proposes an extension (one at a time). It also settles the fate of lower-numbered proposals (L4). */
	extend(toCover?: Timestamp): Promise<void> {
		this.#extending ??= this.#extend(toCover).finally(() => {
			this.#extending = undefined;
		});
		return this.#extending;
	}

	async #extend(toCover: Timestamp | undefined): Promise<void> {
		const { context, state } = this.#host;
		const base = Math.max(context.timestamps.seen(), toCover ?? 0, state.lease.start);
		const expiry = Math.max(addMs(base as Timestamp, leaseMs), state.lease.expiry) as Timestamp;
		const result = this.#host.proposeCommand({ kind: "extend", expiry });
		if (result === undefined) {
			// Not the Raft leader any more: `holding` will say so; do not spin meanwhile.
			await this.#sleep(10);
			return;
		}
		// The proposal may be lost with the leadership: do not wait for ever.
		await Promise.race([result, this.#sleep(1_000)]);
	}

	/** L2: stops serving, and then draws the timestamp that covers all that was served. Undefined: the lease has changed meanwhile. */
	async giveUp(): Promise<Timestamp | undefined> {
		const { sequence } = this.#host.state.lease;
		this.#host.stoppedSequence = sequence;
		const { timestamp } = await this.#host.context.timestamps.issue();
		return this.#host.state.lease.sequence === sequence ? timestamp : undefined;
	}

	/** Whether the lease could be given to that node. */
	mayTransfer(to: NodeId): boolean {
		const { context, state } = this.#host;
		const role = replicaOn(state.descriptor, to)?.role;
		const boot = context.bootOf(to);
		const mayTake = boot !== undefined && role === "voter" && !context.isLeaving(boot);
		return this.#host.holding() && mayTake && this.#host.isLevel(to);
	}

	/**
	 * Gives the lease to another replica's node and makes it Raft leader. False: it could not be done. Locks go along: what is held here
	 * when nothing more is granted travels with the lease, and the new leaseholder asks the owners' gateways who has ended meanwhile.
	 */
	async transfer(to: NodeId): Promise<boolean> {
		const { context, state } = this.#host;
		const target = context.bootOf(to);
		if (target === undefined || !this.mayTransfer(to)) {
			return false;
		}
		const { sequence } = state.lease;
		this.#movesUntilMs = context.runtime.clock.monotonicMs() + moveMs;
		// L2: it stops serving before the timestamp is drawn that the old lease is lowered to.
		this.#host.stoppedSequence = sequence;
		const { timestamp } = await context.timestamps.issue();
		if (state.lease.sequence !== sequence) {
			return false;
		}
		const locks = context.isActive("lockTransfer") ? this.#host.locks.held() : [];
		const result = this.#host.proposeCommand({
			kind: "transfer",
			nodeId: to,
			bootId: target,
			t: timestamp,
			expiry: addMs(timestamp, leaseMs),
			...(locks.length > 0 ? { locks } : {}),
		});
		const applied = result !== undefined && (await result).kind === "done";
		if (applied) {
			this.#movesUntilMs = context.runtime.clock.monotonicMs() + moveMs;
			this.#host.transferLeadership(to);
		}
		return applied;
	}

	/** Another is about to lead: who asks now had better go there than wait until this replica may have the lease back. */
	get isMoving(): boolean {
		return this.#host.context.runtime.clock.monotonicMs() < this.#movesUntilMs;
	}
}
