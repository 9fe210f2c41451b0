/**
 * What checkers take, from histories of files that `validate` finds nothing against. An operation's interval is from the place of its
 * invocation in the file to that of its completion: the order of lines is real time, and no two are at one instant.
 */
import type { Key, MicroOp, Transaction } from "./history.ts";
import type { RegisterOperation } from "./linearizability.ts";
import type { Operation, Value } from "./operations.ts";
import type { RegisterOp, RegisterTransaction } from "./registers.ts";

/** An invocation with its completion; both `value`s as they stand there. */
export interface Invoked {
	/** The index of the invocation. */
	readonly id: number;
	readonly process: number;
	readonly f: string;
	readonly status: "ok" | "fail" | "info";
	readonly asked: Value;
	readonly answered: Value;
	/** Places in the history; `completed` is infinite for info. */
	readonly invoked: number;
	readonly completed: number;
	/** Nanoseconds. */
	readonly invokedAt: number;
	readonly completedAt: number;
}

/** Faults are left out. In the order of invocations. */
export function pairs(history: readonly Operation[]): readonly Invoked[] {
	const out: Invoked[] = [];
	const open = new Map<number, Operation>();
	for (const end of history) {
		const { process, type } = end;
		if (process === "nemesis") continue;
		if (type === "invoke") {
			open.set(process, end);
			continue;
		}
		const begin = open.get(process);
		open.delete(process);
		if (begin === undefined) continue;
		const isKnown = type !== "info";
		out.push({
			id: begin.index,
			process,
			f: begin.f,
			status: type,
			asked: begin.value,
			answered: end.value,
			invoked: begin.index,
			completed: isKnown ? end.index : Number.POSITIVE_INFINITY,
			invokedAt: begin.time,
			completedAt: isKnown ? end.time : Number.POSITIVE_INFINITY,
		});
	}
	return out.sort((a, b) => a.invoked - b.invoked);
}

/** Of lists: f "txn" with ["append", key, value] and ["r", key, list]. */
export const listTransactions = (history: readonly Operation[]): Transaction[] =>
	transactions<MicroOp>(history);

/** Of registers: f "txn" with ["w", key, value], ["r", key, value] and ["p", keys, [[key, value], ...]]. */
export const registerTransactions = (history: readonly Operation[]): RegisterTransaction[] =>
	transactions<RegisterOp>(history);

function transactions<Op>(
	history: readonly Operation[],
): (Omit<Transaction, "ops"> & { readonly ops: readonly Op[] })[] {
	return pairs(history).flatMap((pair) => {
		if (pair.f !== "txn") return [];
		const { id, process, status, asked, answered, invoked, completed } = pair;
		// Of what did not end well, only what was asked is known.
		const ops = (status === "ok" ? answered : asked) as unknown as readonly Op[];
		return [{ id, process, status, ops, invoked, completed }];
	});
}

/** Of single keys: f "read", "write" or "cas" with [key, value], where the value of cas is [from, to]. */
export function registerOperations(history: readonly Operation[]): RegisterOperation[] {
	return pairs(history).flatMap((pair): RegisterOperation[] => {
		const { id, process, f, status, invoked, completed } = pair;
		if (f !== "read" && f !== "write" && f !== "cas") return [];
		const [key, value] = (status === "ok" ? pair.answered : pair.asked) as readonly [Key, Value];
		const call = { f, value } as unknown as Pick<RegisterOperation, "f" | "value">;
		return [{ ...call, id, process, key, status, invoked, completed } as RegisterOperation];
	});
}
