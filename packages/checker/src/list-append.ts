/**
 * Transactions that append to lists and read them (D1-D20 in isolation.ts): a list tells the order in which it was written, so reads
 * fix the version order of every key, and whether a history is serializable is decided exactly, given what was read.
 */
import { cycles, type Describe } from "./cycles.ts";
import { bit, Graph } from "./graph.ts";
import type { Key, Transaction } from "./history.ts";
import { type Anomaly, type CheckOptions, type CheckResult, judge } from "./isolation.ts";
import { type ListKey, type ListRead, readLists } from "./list-reads.ts";

export type { Anomaly, CheckResult };

export function checkListAppend(
	history: readonly Transaction[],
	{ level = "strict-serializable", cyclesMax = 10 }: CheckOptions = {},
): CheckResult {
	const anomalies: Anomaly[] = [];
	const ok = history.filter((t) => t.status === "ok").length;
	const keys = readLists(history, anomalies);
	// A value that was written twice has no place of its own.
	if (!anomalies.some((a) => a.kind === "invalid-history")) {
		for (const key of keys.values()) lostUpdates(key, anomalies);
		anomalies.push(...cycles(buildGraph(history, keys), describe, cyclesMax));
	}
	return judge(anomalies, ok, level);
}

/** Two that read the same version, and both appended. Their own appends tell nothing of it. */
function lostUpdates({ key, reads, writers }: ListKey, anomalies: Anomaly[]): void {
	const appenders = new Set(writers.values());
	const updates = new Map<number, Transaction>();
	for (const { by, list, size, isPrefix } of reads) {
		if (!isPrefix || size < list.length || !appenders.has(by)) continue;
		const other = updates.get(size);
		if (other === undefined) updates.set(size, by);
		else if (other !== by) {
			anomalies.push({
				kind: "lost-update",
				explanation: [
					`T${other.id} and T${by.id} both read ${key}: [${list.join(" ")}], and appended`,
				],
			});
		}
	}
}

function buildGraph(
	history: readonly Transaction[],
	keys: ReadonlyMap<Key, ListKey>,
): Graph<Transaction> {
	const seen = new Set<Transaction>();
	for (const { seenWriters } of keys.values()) for (const t of seenWriters) seen.add(t);
	const graph = new Graph<Transaction>(
		history.filter((t) => t.status === "ok" || (t.status === "info" && seen.has(t))),
	);
	for (const key of keys.values()) addKey(graph, key);
	graph.processes();
	graph.realTime();
	return graph;
}

function addKey(graph: Graph<Transaction>, { key, order, reads, writers }: ListKey): void {
	const places = order.flatMap((value, i) => (graph.has(writers.get(value)) ? [i] : []));
	for (let i = 1; i < places.length; i++) {
		const [value, next] = [order[places[i - 1]!]!, order[places[i]!]!];
		graph.edge(writers.get(value), writers.get(next), "ww", { key, value, next });
	}
	/** By place, the place of the next member's version at or after it. */
	const following: number[] = Array(order.length + 1).fill(order.length);
	let place = places.length;
	for (let i = order.length - 1; i >= 0; i--) {
		if (places[place - 1] === i) place--;
		following[i] = places[place] ?? order.length;
	}
	for (const read of reads) readEdges(graph, key, read, order, following, writers);
	// What nobody read comes after what was read.
	if (!reads.every((r) => r.isPrefix)) return;
	const known = new Set(order);
	const tail = new Map<Transaction, number>();
	for (const [value, t] of writers) if (!known.has(value) && graph.has(t)) tail.set(t, value);
	const [members, values] = [[...tail.keys()], [...tail.values()]];
	const last = order[places[places.length - 1] ?? -1];
	const longest = reads.filter((r) => (following[r.size] ?? order.length) === order.length);
	const label = (i: number) => ({ key, value: last, next: values[i] });
	graph.fan([...new Set(longest.map((r) => r.by))], members, "rw", label);
	if (last !== undefined) graph.fan([writers.get(last)!], members, "ww", label);
}

function readEdges(
	graph: Graph<Transaction>,
	key: Key,
	{ by, list, size, isPrefix }: ListRead,
	order: readonly number[],
	following: readonly number[],
	writers: ReadonlyMap<number, Transaction>,
): void {
	const value = list[size - 1];
	if (value !== undefined) graph.edge(writers.get(value), by, "wr", { key, value });
	const next = isPrefix ? order[following[size]!] : undefined;
	if (next !== undefined) graph.edge(by, writers.get(next), "rw", { key, value, next });
}

const describe: Describe = (kind, { key, value, next }, from, to) => {
	if (kind === bit.ww) return `${from} appended ${value} to ${key} before ${to} appended ${next}`;
	if (kind === bit.wr) return `${from} appended ${value} to ${key}, which ${to} read`;
	return `${from} read ${key} without ${next}, which ${to} appended`;
};
