/** One transaction, as its gateway knows it and as its client sees it. */
import type { Answer, Body } from "./messages.ts";
import type { Gateway } from "./state.ts";

export type TransactionKind = "read-only" | "ordinary" | "large" | "hot";
export type Outcome = "waiting" | "running" | "committed" | "aborted" | "unknown";

export interface Read {
	readonly key: number;
	readonly value: number;
	/** The value was the key's at this timestamp, and must not change until c. */
	since: number;
	readonly isNewest: boolean;
}

/** A request and its answer. It may be sent several times; the first answer counts. */
export interface Call {
	readonly transaction: Transaction;
	readonly range: number;
	readonly body: Body;
	answer: Answer | undefined;
	/** The step of the last send. */
	sentAt: number;
	/** Sends without a known end: over one, a refusal of a one-phase commit says nothing of the others. */
	sends: number;
}

/** A coordinator, or a part of one: yields calls, and goes on when all of them are answered. */
export type Doing<T> = Generator<readonly Call[], T, undefined>;
export type Steps = Doing<void>;

export interface Transaction {
	readonly id: number;
	readonly kind: TransactionKind;
	readonly gateway: Gateway;
	steps: Steps | undefined;
	/** What it waits for. */
	calls: readonly Call[];
	/** Some issued timestamp of when its commit began; 0: it has not. */
	begin: number;
	readTimestamp: number;
	reads: Read[];
	/** By key; 0: not written. */
	readonly writes: number[];
	/** By key, of a large transaction: what was last sent; 0: nothing; `taken`: a mark. */
	readonly sent: number[];
	chunk: number;
	/** Chunks that nobody has waited for yet. */
	readonly unanswered: Call[];
	anchor: number;
	c: number;
	/** Something was sent that may commit it. */
	mayCommit: boolean;
	/** Nobody coordinates it any more. */
	isOver: boolean;
	outcome: Outcome;
	/** The step in which it is due. */
	readonly startsAt: number;
	startedAt: number;
	endedAt: number;
}

export const taken = -1;

export function newTransaction(
	id: number,
	kind: TransactionKind,
	gateway: Gateway,
	startsAt: number,
): Transaction {
	return {
		id,
		kind,
		gateway,
		steps: undefined,
		calls: [],
		begin: 0,
		readTimestamp: 0,
		reads: [],
		writes: [0, 0, 0, 0],
		sent: [0, 0, 0, 0],
		chunk: 0,
		unanswered: [],
		anchor: 0,
		c: 0,
		mayCommit: false,
		isOver: false,
		outcome: "waiting",
		startsAt,
		startedAt: 0,
		endedAt: 0,
	};
}

/** The client is told, once. */
export function end(t: Transaction, outcome: Outcome, step: number): void {
	if (t.outcome !== "running") return;
	t.outcome = outcome;
	t.endedAt = step;
}
