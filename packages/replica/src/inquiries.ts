/** At the anchor (T3): what became of a transaction, and the decision to abort one whose coordinator is silent. */
import type { TransactionId } from "@quorate/keys/ids";
import type { Key } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import { transactionBegin } from "@quorate/keys/transaction-id";
import { readRecord } from "./apply.ts";
import { silentAfterMs } from "./context.ts";
import type { ReplicaCore } from "./core.ts";
import type { RangeAnswer } from "./requests.ts";
import { abort } from "./writes.ts";

/** Transactions remembered at most; forgetting one only grants its coordinator more time. */
const heardMax = 50_000;

export class Inquiries {
	/** Monotonic milliseconds when the coordinator was heard last, or first asked about. Counted anew under a new lease. */
	readonly #heard = new Map<TransactionId, number>();
	/**
	 * Large transactions whose anchor's key became pending first here and under this lease, and that have not been sealed: their c
	 * is drawn after the word of a seal, which only this lease or a later one gives.
	 */
	readonly #open = new Set<TransactionId>();
	/** Monotonic milliseconds when the present lease was applied here. */
	#leaseAtMs = 0;

	/** For the right side of a split (V3): the same lease, and on the same node. */
	inherited(): Inquiries {
		const copy = new Inquiries();
		copy.#leaseAtMs = this.#leaseAtMs;
		for (const [transaction, heardMs] of this.#heard) {
			copy.#heard.set(transaction, heardMs);
		}
		for (const transaction of this.#open) {
			copy.#open.add(transaction);
		}
		return copy;
	}

	heartbeat(nowMs: number, transactions: readonly TransactionId[]): void {
		if (this.#heard.size > heardMax) {
			this.#heard.clear();
		}
		for (const t of transactions) {
			this.#heard.set(t, nowMs);
		}
	}

	newLease(nowMs: number): void {
		this.#heard.clear();
		this.#open.clear();
		this.#leaseAtMs = nowMs;
	}

	opened(nowMs: number, transaction: TransactionId): void {
		this.#open.add(transaction);
		this.heartbeat(nowMs, [transaction]);
	}

	/** Its coordinator draws c after the answer. The anchor's intent was applied before: its prepares were answered. */
	seal(r: ReplicaCore, transaction: TransactionId, anchor: Key): RangeAnswer {
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
		const { engine, runtime } = r.context;
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
		const now = runtime.clock.monotonicMs();
		// One that had prepared under an earlier lease has been silent for all of this one; of others nothing is known before this.
		const since = isPrepared && intent.p < r.state.lease.start ? this.#leaseAtMs : undefined;
		const heard = this.#heard.get(transaction) ?? since;
		if (heard === undefined) {
			this.heartbeat(now, [transaction]);
			return { kind: "undecided" };
		}
		if (now - heard < silentAfterMs) {
			const isOpen = isPrepared && this.#open.has(transaction);
			return isOpen && s > 0 && s <= r.state.lease.expiry
				? { kind: "open", s }
				: { kind: "undecided" };
		}
		return abort(r, { kind: "abort", transaction, anchor });
	}
}
