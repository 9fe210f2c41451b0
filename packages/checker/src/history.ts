/** What clients saw: transactions of micro-operations on lists, with the order of their ends in real time. */

export type Key = string | number;

export type MicroOp =
	| readonly ["append", Key, number]
	/** null: not known (the transaction's answer was lost). */
	| readonly ["r", Key, readonly number[] | null];

export interface Transaction {
	readonly id: number;
	readonly process: number;
	/** ok: committed. fail: certainly not. info: not known. */
	readonly status: "ok" | "fail" | "info";
	readonly ops: readonly MicroOp[];
	/** Position in real time before which nothing of it happened, and after which all of it had (infinite for info). */
	readonly invoked: number;
	readonly completed: number;
}
