/** The reads of lists: who wrote what they show, the order that they tell, and what single ones must not show (D5-D10). */
import type { Key, MicroOp, Transaction } from "./history.ts";
import type { Anomaly } from "./isolation.ts";

export interface ListRead {
	readonly by: Transaction;
	readonly list: readonly number[];
	/** Without the tail of the transaction's own appends. */
	readonly size: number;
	/** It agrees with the longest read of its key. */
	isPrefix: boolean;
}

export interface ListKey {
	readonly key: Key;
	/** By value. */
	readonly writers: Map<number, Transaction>;
	/** Of ok transactions; not those that contradict their own appends. */
	readonly reads: ListRead[];
	/** The longest read. */
	order: readonly number[];
	/** Who appended what another transaction read. */
	readonly seenWriters: Set<Transaction>;
}

export function readLists(
	history: readonly Transaction[],
	anomalies: Anomaly[],
): ReadonlyMap<Key, ListKey> {
	const keys = new Map<Key, ListKey>();
	for (const t of history)
		for (const op of t.ops) collectAppend(keyOf(keys, op[1]), t, op, anomalies);
	for (const t of history) if (t.status === "ok") collectReads(keys, t, anomalies);
	for (const key of keys.values()) {
		let longest: ListRead | undefined;
		for (const read of key.reads) {
			if (longest === undefined || read.list.length > longest.list.length) longest = read;
		}
		if (longest !== undefined) judgeReads(key, longest, anomalies);
	}
	return keys;
}

function keyOf(keys: Map<Key, ListKey>, key: Key): ListKey {
	let found = keys.get(key);
	if (found === undefined) {
		found = { key, writers: new Map(), reads: [], order: [], seenWriters: new Set() };
		keys.set(key, found);
	}
	return found;
}

function collectAppend(
	{ writers }: ListKey,
	t: Transaction,
	[f, key, value]: MicroOp,
	anomalies: Anomaly[],
): void {
	if (f !== "append") return;
	const other = writers.get(value);
	if (other !== undefined) {
		anomalies.push({
			kind: "invalid-history",
			explanation: [`${value} was appended to ${key} by T${other.id} and T${t.id}`],
		});
	}
	writers.set(value, t);
}

function collectReads(keys: Map<Key, ListKey>, t: Transaction, anomalies: Anomaly[]): void {
	const own = new Map<Key, number[]>();
	for (const op of t.ops) {
		const [f, key, value] = op;
		const mine = own.get(key);
		if (f === "append") {
			if (mine === undefined) own.set(key, [value]);
			else mine.push(value);
			continue;
		}
		if (value === null) continue;
		const size = value.length - (mine?.length ?? 0);
		if (mine?.some((v, i) => value[size + i] !== v)) {
			anomalies.push({
				kind: "internal",
				explanation: [
					`T${t.id} appended ${mine.join(" ")} to ${key}, then read [${value.join(" ")}]`,
				],
			});
		} else keyOf(keys, key).reads.push({ by: t, list: value, size, isPrefix: true });
	}
}

/** What holds for an element of the longest read holds for the others that show it: each element is judged once. */
function judgeReads(key: ListKey, longest: ListRead, anomalies: Anomaly[]): void {
	const finals = finalAppends(key);
	const suspects = judgeElements(key, longest, anomalies);
	key.order = longest.list;
	for (const read of key.reads) {
		const { by, list, size } = read;
		read.isPrefix = list === longest.list || list.every((v, i) => v === longest.list[i]);
		if (!read.isPrefix) {
			anomalies.push({
				kind: "incompatible-order",
				explanation: [
					`T${longest.by.id} read ${key.key}: [${longest.list.join(" ")}]`,
					`T${by.id} read ${key.key}: [${list.join(" ")}]`,
				],
			});
			for (const s of judgeElements(key, read, anomalies)) suspects.add(s);
		}
		if (suspects.size > 0) abortedReads(key, read, suspects, anomalies);
		const last = size > 0 ? list[size - 1]! : undefined;
		const writer = last === undefined ? undefined : key.writers.get(last);
		if (writer === undefined || writer === by || finals.get(writer) === last) continue;
		anomalies.push({
			kind: "G1b",
			explanation: [`T${by.id} read ${key.key} up to ${last}, in the middle of T${writer.id}`],
		});
	}
}

const finalAppends = ({ writers }: ListKey): ReadonlyMap<Transaction, number> => {
	const finals = new Map<Transaction, number>();
	// A later append of one transaction replaces an earlier: they were collected in order.
	for (const [value, t] of writers) finals.set(t, value);
	return finals;
};

/** Elements that no member wrote. */
function judgeElements(
	{ key, writers, seenWriters }: ListKey,
	{ by, list }: ListRead,
	anomalies: Anomaly[],
): Set<number> {
	const suspects = new Set<number>();
	for (const value of list) {
		const writer = writers.get(value);
		if (writer !== undefined && writer !== by) seenWriters.add(writer);
		if (writer === undefined || writer.status === "fail") suspects.add(value);
	}
	if (new Set(list).size !== list.length) {
		anomalies.push({
			kind: "duplicate-elements",
			explanation: [`T${by.id} read ${key}: [${list.join(" ")}]`],
		});
	}
	return suspects;
}

/** Each suspect is told once. */
function abortedReads(
	{ key, writers }: ListKey,
	{ by, list }: ListRead,
	suspects: Set<number>,
	anomalies: Anomaly[],
): void {
	for (const value of list) {
		if (!suspects.delete(value)) continue;
		const writer = writers.get(value);
		const who = writer === undefined ? "nobody" : `T${writer.id}, which was aborted`;
		anomalies.push({
			kind: writer === undefined ? "phantom-value" : "G1a",
			explanation: [`T${by.id} read ${value} in ${key}, appended by ${who}`],
		});
	}
}
