/**
 * A transaction id names one attempt to commit and is used once (T5). It carries the begin timestamp `b`: any
 * issued timestamp that the gateway held when the commit started. The horizon X of T4 is compared with it.
 */
import type { BootId, TransactionId } from "./ids.ts";
import { type Timestamp, timestamp } from "./timestamp.ts";

/** `counter` must rise within a boot. */
export function makeTransactionId(begin: Timestamp, boot: BootId, counter: number): TransactionId {
	return `${begin.toString(36)}/${boot}/${counter.toString(36)}` as TransactionId;
}

export function transactionBegin(id: TransactionId): Timestamp {
	return timestamp(Number.parseInt(id.slice(0, id.indexOf("/")), 36));
}

/** The gateway's boot that coordinates it. */
export function transactionBoot(id: TransactionId): BootId {
	return id.split("/")[1] as BootId;
}

/** Total order by age: the older first (T6 and deadlock victims). */
export function isOlder(a: TransactionId, b: TransactionId): boolean {
	const [x, y] = [transactionBegin(a), transactionBegin(b)];
	return x === y ? a < b : x < y;
}
