/**
 * Strict serializability of histories of registers. Writes are blind, so reads alone do not say in which order versions came:
 * the commit timestamps that the database told do, and are checked by that very use. From the order follow write-write,
 * write-read and read-write edges, to which real time adds its own; a cycle is an anomaly (Adya).
 *
 * A write whose transaction's end is not known has no place in the order: it only gives edges to those who read it. A deletion is
 * a version without a value of its own: who reads that nothing is there may have read any of them, so such a read gives an
 * edge only where all of them lie on one side.
 */
import { Graph } from "./graph.ts";
import type { Key } from "./history.ts";
import type { Anomaly, CheckResult } from "./list-append.ts";

export type RegisterOp =
	/** null: nothing is there. */
	| readonly ["r", Key, number | null]
	/** Values are written once each. null: a deletion. */
	| readonly ["w", Key, number | null];

export interface RegisterTransaction {
	readonly id: number;
	/** ok: committed. fail: certainly not. info: not known. */
	readonly status: "ok" | "fail" | "info";
	readonly ops: readonly RegisterOp[];
	/** At which it committed; undefined where it wrote nothing, or is not known. */
	readonly timestamp: number | undefined;
	/** Position in real time before which nothing of it happened, and after which all of it had (infinite for info). */
	readonly invoked: number;
	readonly completed: number;
}

interface Version {
	readonly by: RegisterTransaction;
	readonly value: number | null;
}

/** Versions of one key. */
interface Register {
	/** With a known place, by timestamp. */
	readonly order: Version[];
	/** Some writer's end is not known: between two versions there may be others. */
	hasUnknown: boolean;
	readonly places: Map<number, number>;
	readonly writers: Map<number, RegisterTransaction>;
}

export function checkRegisters(history: readonly RegisterTransaction[]): CheckResult {
	const anomalies: Anomaly[] = [];
	const registers = collect(history);
	const read = new Set<RegisterTransaction>();
	for (const t of history) if (t.status === "ok") checkReads(t, registers, read, anomalies);
	const members = history.filter((t) => t.status === "ok" || (t.status === "info" && read.has(t)));
	const graph = new Graph<RegisterTransaction>(members);
	for (const [key, { order }] of registers) {
		for (let i = 1; i < order.length; i++) {
			const [a, b] = [order[i - 1]!, order[i]!];
			graph.edge(a.by, b.by, "ww", `wrote ${a.value} to ${key} at a timestamp below that of`);
		}
	}
	for (const t of members) if (t.status === "ok") readEdges(graph, t, registers);
	graph.realTime();
	for (const { kind, explanation } of graph.cycles(10)) anomalies.push({ kind, explanation });
	const ok = history.filter((t) => t.status === "ok").length;
	return { valid: anomalies.length === 0 && ok > 0, ok, anomalies };
}

function collect(history: readonly RegisterTransaction[]): Map<Key, Register> {
	const registers = new Map<Key, Register>();
	for (const t of history) {
		for (const [kind, key, value] of t.ops) {
			let register = registers.get(key);
			if (register === undefined) {
				register = { order: [], hasUnknown: false, places: new Map(), writers: new Map() };
				registers.set(key, register);
			}
			if (kind === "r") continue;
			if (value !== null) register.writers.set(value, t);
			if (t.status === "ok") register.order.push({ by: t, value });
			else if (t.status === "info") register.hasUnknown = true;
		}
	}
	for (const register of registers.values()) {
		register.order.sort((a, b) => a.by.timestamp! - b.by.timestamp!);
		register.order.forEach(({ value }, i) => {
			if (value !== null) register.places.set(value, i);
		});
	}
	return registers;
}

/** Reads before the transaction's own write of the key. */
function* externalReads(t: RegisterTransaction): Generator<readonly [Key, number | null]> {
	const own = new Set<Key>();
	for (const [kind, key, value] of t.ops) {
		if (kind === "w") own.add(key);
		else if (!own.has(key)) yield [key, value];
	}
}

function checkReads(
	t: RegisterTransaction,
	registers: ReadonlyMap<Key, Register>,
	read: Set<RegisterTransaction>,
	anomalies: Anomaly[],
): void {
	for (const [key, value] of externalReads(t)) {
		if (value === null) continue;
		const writer = registers.get(key)?.writers.get(value);
		if (writer !== undefined) read.add(writer);
		if (writer !== undefined && writer.status !== "fail") continue;
		const who = writer === undefined ? "nobody" : `T${writer.id}, which was aborted`;
		anomalies.push({
			kind: writer === undefined ? "phantom-value" : "G1a",
			explanation: [`T${t.id} read ${value} in ${key}, written by ${who}`],
		});
	}
}

function readEdges(
	graph: Graph<RegisterTransaction>,
	t: RegisterTransaction,
	registers: ReadonlyMap<Key, Register>,
): void {
	for (const [key, value] of externalReads(t)) {
		const register = registers.get(key);
		if (register === undefined) continue;
		if (value === null) {
			absenceEdge(graph, t, key, register);
			continue;
		}
		graph.edge(register.writers.get(value), t, "wr", `wrote ${value} to ${key}, which was read by`);
		const place = register.places.get(value);
		const next = place === undefined ? undefined : register.order[place + 1];
		graph.edge(t, next?.by, "rw", `read ${value} in ${key}, replaced by`);
	}
}

/** Nothing was ever deleted, as far as known: then it read what was there before the first version. */
function absenceEdge(
	graph: Graph<RegisterTransaction>,
	t: RegisterTransaction,
	key: Key,
	{ order, hasUnknown }: Register,
): void {
	const deletions = order.filter((v) => v.value === null);
	if (deletions.length > 0 || hasUnknown) return;
	graph.edge(t, order[0]?.by, "rw", `read nothing in ${key}, written first by`);
}
