/**
 * At the anchor (T3): what became of a transaction, and the decision to abort one whose coordinator is silent. What counts as silence:
 * docs/decisions/silence-of-a-coordinator.md.
 */
import type { TransactionId } from "@quorate/keys/ids";
import type { Key } from "@quorate/keys/key";
import { SparseMap, SparseSet } from "@quorate/keys/sparse-map";
import { type Timestamp, timestampMax } from "@quorate/keys/timestamp";
import { transactionBegin, transactionBoot } from "@quorate/keys/transaction-id";
import { readRecord } from "./apply.ts";
import { type ReplicaContext, silentAfterMs, silentPings, silentSinceLeaseMs } from "./context.ts";
import type { ReplicaCore } from "./core.ts";
import type { RangeAnswer } from "./requests.ts";
import { abort } from "./writes.ts";

/** Transactions remembered before those are forgotten that are silent by now: their coordinators are granted more time. */
const heardMax = 50_000;

/** Open transactions of which a word is remembered: it is said again. */
const aboveMax = 1_000;

/**
 * Silence is counted in the time in which this process listened, and in pings of the coordinator's node as long as something of it
 * comes in: they come in order with its heartbeats, so that those cannot merely be late. A node that is dead pings no more.
 */
function isSilent(context: ReplicaContext, transaction: TransactionId, heard: Heard): boolean {
	if (context.listening.ms - heard.ms < silentAfterMs) {
		return false;
	}
	const pulse = context.pulseOf(transactionBoot(transaction));
	if (pulse?.isHeard !== true) {
		return true;
	}
	// Fewer than before: it has connected anew, and pings from the start.
	const before = pulse.pings < heard.pings ? 0 : heard.pings;
	return pulse.pings - before >= silentPings;
}

const pingsOf = (context: ReplicaContext, transaction: TransactionId): number =>
	context.pulseOf(transactionBoot(transaction))?.pings ?? 0;

interface Heard {
	/** Listening time. */
	readonly ms: number;
	/** Of its node, by then. */
	readonly pings: number;
}

export class Inquiries {
	/** When the coordinator was heard last, or first asked about. Counted anew under a new lease. */
	readonly #heard = new SparseMap<TransactionId, Heard>();
	/**
	 * Large transactions whose anchor's key became pending first here and under this lease, and that have not been sealed: their c
	 * is drawn after the word of a seal, which only this lease or a later one gives.
	 */
	readonly #open = new SparseSet<TransactionId>();
	/** What coordinators have said of open transactions: their c will be above it. True whoever holds the lease, and for ever. */
	readonly #above = new SparseMap<TransactionId, Timestamp>();
	/** Listening time when the present lease was applied here. */
	#leaseAtMs: number;

	constructor(leaseAtMs = 0) {
		this.#leaseAtMs = leaseAtMs;
	}

	get leaseAtMs(): number {
		return this.#leaseAtMs;
	}

	/** For the right side of a split (V3): the same lease, and on the same node. */
	inherited(): Inquiries {
		const copy = new Inquiries();
		copy.#leaseAtMs = this.#leaseAtMs;
		for (const [transaction, heard] of this.#heard) {
			copy.#heard.set(transaction, heard);
		}
		for (const transaction of this.#open) {
			copy.#open.add(transaction);
		}
		return copy;
	}

	/** Of the right side of a merge (M5), which had its lease on the same node. */
	takeOver(other: Inquiries): void {
		this.#leaseAtMs = Math.max(this.#leaseAtMs, other.#leaseAtMs);
		for (const [transaction, heard] of other.#heard) {
			if (heard.ms > (this.#heard.get(transaction)?.ms ?? -1)) {
				this.#heard.set(transaction, heard);
			}
		}
		for (const transaction of other.#open) {
			this.#open.add(transaction);
		}
	}

	/** A heartbeat, or something else that only a coordinator sends which lives. */
	heard(context: ReplicaContext, transactions: readonly TransactionId[]): void {
		const { ms } = context.listening;
		if (this.#heard.size > heardMax) {
			for (const [t, heard] of this.#heard) {
				if (ms - heard.ms > silentAfterMs) {
					this.#heard.delete(t);
				}
			}
		}
		for (const t of transactions) {
			this.#heard.set(t, { ms, pings: pingsOf(context, t) });
		}
	}

	/** Their coordinator lives, and has not begun to draw c. */
	heardOpen(transactions: readonly TransactionId[], above: Timestamp): void {
		// A heartbeat may come after the end of what it speaks of.
		if (this.#above.size > aboveMax) {
			this.#above.clear();
		}
		for (const t of transactions) {
			this.#above.set(t, Math.max(above, this.#above.get(t) ?? 0) as Timestamp);
		}
	}

	newLease(nowMs: number): void {
		this.#heard.clear();
		this.#open.clear();
		// Those that go on say so again.
		this.#above.clear();
		this.#leaseAtMs = nowMs;
	}

	/** It was heard just now. */
	opened(transaction: TransactionId): void {
		this.#open.add(transaction);
	}

	/** Nobody needs to be heard of it any more. */
	ended(transaction: TransactionId): void {
		this.#heard.delete(transaction);
		this.#open.delete(transaction);
		this.#above.delete(transaction);
	}

	/** Its coordinator draws c after the answer. The anchor's intent was applied before: its prepares were answered. */
	seal(r: ReplicaCore, transaction: TransactionId, anchor: Key): RangeAnswer {
		this.heard(r.context, [transaction]);
		if (r.context.mutations?.openAfterSeal !== true) {
			this.#open.delete(transaction);
		}
		const isPrepared = r.blockers.intent(r.context.engine, anchor)?.transaction === transaction;
		return isPrepared ? { kind: "done" } : { kind: "aborted" };
	}

	/** `s` above 0: that c will be above it is an answer, too, where that is known. */
	async inquire(
		r: ReplicaCore,
		transaction: TransactionId,
		anchor: Key,
		s: Timestamp,
	): Promise<RangeAnswer> {
		const above = this.#above.get(transaction);
		if (s > 0 && above !== undefined && s <= above) {
			return { kind: "open", s: above };
		}
		if (s > 0 && this.#open.has(transaction)) {
			// L1. What follows is one tick.
			const covered = r.covers(s);
			if (covered !== true && !(await covered)) {
				return r.notLeaseholder();
			}
			if (!r.owns(anchor)) {
				return r.stale();
			}
		}
		const { engine } = r.context;
		const record = readRecord({ raw: (k) => engine.get(k) }, transaction, anchor);
		if (record !== undefined) {
			this.#open.delete(transaction);
			return record.outcome === "committed"
				? { kind: "committed", c: record.c }
				: { kind: "aborted" };
		}
		const intent = r.blockers.intent(engine, anchor);
		const isPrepared = intent?.transaction === transaction;
		const has = isPrepared || r.pending.on(anchor).some((x) => x.group.transaction === transaction);
		if (!has && transactionBegin(transaction) <= r.state.horizon) {
			return { kind: "unknown" };
		}
		let heard = this.#heard.get(transaction);
		if (heard === undefined) {
			const ms = this.#isOlder(r, transaction, isPrepared ? intent.p : undefined)
				? this.#leaseAtMs - silentAfterMs + silentSinceLeaseMs
				: r.context.listening.ms;
			heard = { ms, pings: pingsOf(r.context, transaction) };
			this.#heard.set(transaction, heard);
		}
		if (!isSilent(r.context, transaction, heard)) {
			const isOpen = isPrepared && this.#open.has(transaction);
			return isOpen && s > 0 && s <= r.state.lease.expiry
				? { kind: "open", s }
				: { kind: "undecided" };
		}
		return abort(r, { kind: "abort", transaction, anchor });
	}

	/**
	 * One that was committing under an earlier lease has been silent for all of this one. Of one that has prepared nothing here (its last agent
	 * is to be asked last) all that is known is a timestamp from before it began, which may be old: then a young lease only.
	 */
	#isOlder(r: ReplicaCore, transaction: TransactionId, p: Timestamp | undefined): boolean {
		const isYoung = r.context.listening.ms - this.#leaseAtMs < silentAfterMs;
		return (p ?? (isYoung ? transactionBegin(transaction) : timestampMax)) < r.state.lease.start;
	}
}
