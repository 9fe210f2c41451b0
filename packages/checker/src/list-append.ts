/**
 * Strict serializability of list-append histories, after Adya's direct serialization graphs and Elle's inference: a list tells
 * the order in which it was written, so reads fix the version order of every key; from it follow write-write, write-read and
 * read-write edges, to which real time adds its own. A cycle is an anomaly, and is printed so that a person can follow it.
 *
 * Finds: reads of aborted or never written values (G1a, phantom), of intermediate ones (G1b), orders that contradict each other,
 * duplicates, lost appends, and cycles (G0, G1c, G-single, G2, each also with real-time edges).
 *
 * May import: nothing. The simulator and the tests with real processes check their histories here.
 */
import { Graph } from "./graph.ts";
import type { Key, Transaction } from "./history.ts";

export interface Anomaly {
	readonly kind: string;
	/** A line a step, for a person. */
	readonly explanation: readonly string[];
}

export interface CheckResult {
	readonly valid: boolean;
	/** Committed transactions: a history without any proves nothing. */
	readonly ok: number;
	readonly anomalies: readonly Anomaly[];
}

interface Versions {
	/** The order in which values were appended, as the longest read shows it. */
	readonly order: readonly number[];
	readonly writers: Map<number, Transaction>;
}

export function checkListAppend(history: readonly Transaction[]): CheckResult {
	const anomalies: Anomaly[] = [];
	const writers = collectWriters(history, anomalies);
	const versions = collectVersions(history, writers, anomalies);
	checkReads(history, writers, anomalies);
	const ok = history.filter((t) => t.status === "ok").length;
	const graph = buildGraph(history, versions, writers);
	for (const cycle of graph.cycles(10)) {
		anomalies.push({ kind: cycle.kind, explanation: cycle.explanation });
	}
	return { valid: anomalies.length === 0 && ok > 0, ok, anomalies };
}

const nameOf = (t: Transaction): string => `T${t.id}`;

function collectWriters(
	history: readonly Transaction[],
	anomalies: Anomaly[],
): Map<Key, Map<number, Transaction>> {
	const writers = new Map<Key, Map<number, Transaction>>();
	for (const t of history) {
		for (const op of t.ops) {
			if (op[0] !== "append") {
				continue;
			}
			const ofKey = writers.get(op[1]) ?? new Map<number, Transaction>();
			writers.set(op[1], ofKey);
			const other = ofKey.get(op[2]);
			if (other !== undefined) {
				anomalies.push({
					kind: "invalid-history",
					explanation: [`${op[2]} was appended to ${op[1]} by ${nameOf(other)} and ${nameOf(t)}`],
				});
			}
			ofKey.set(op[2], t);
		}
	}
	return writers;
}

/** The longest read of each key; every other must be a prefix of it. */
function collectVersions(
	history: readonly Transaction[],
	writers: Map<Key, Map<number, Transaction>>,
	anomalies: Anomaly[],
): Map<Key, Versions> {
	const longest = new Map<Key, { readonly list: readonly number[]; readonly by: Transaction }>();
	const reads: { readonly key: Key; readonly list: readonly number[]; readonly by: Transaction }[] =
		[];
	for (const t of history) {
		if (t.status !== "ok") {
			continue;
		}
		for (const [key, list] of externalReads(t)) {
			reads.push({ key, list, by: t });
			if (list.length > (longest.get(key)?.list.length ?? -1)) {
				longest.set(key, { list, by: t });
			}
			if (new Set(list).size !== list.length) {
				anomalies.push({
					kind: "duplicate-elements",
					explanation: [`${nameOf(t)} read ${key}: ${list.join(" ")}`],
				});
			}
		}
	}
	for (const { key, list, by } of reads) {
		const whole = longest.get(key)!;
		if (list.some((v, i) => whole.list[i] !== v)) {
			anomalies.push({
				kind: "incompatible-order",
				explanation: [
					`${nameOf(whole.by)} read ${key}: ${whole.list.join(" ")}`,
					`${nameOf(by)} read ${key}: ${list.join(" ")}`,
				],
			});
		}
	}
	const versions = new Map<Key, Versions>();
	for (const [key, ofKey] of writers) {
		versions.set(key, { order: longest.get(key)?.list ?? [], writers: ofKey });
	}
	return versions;
}

/** Reads without the transaction's own earlier appends, which must be the tail of what it read. */
function externalReads(t: Transaction): (readonly [Key, readonly number[]])[] {
	const own = new Map<Key, number[]>();
	const out: (readonly [Key, readonly number[]])[] = [];
	for (const op of t.ops) {
		if (op[0] === "append") {
			own.set(op[1], [...(own.get(op[1]) ?? []), op[2]]);
		} else if (op[2] !== null) {
			const mine = own.get(op[1]) ?? [];
			out.push([op[1], op[2].slice(0, op[2].length - mine.length)]);
		}
	}
	return out;
}

function checkReads(
	history: readonly Transaction[],
	writers: Map<Key, Map<number, Transaction>>,
	anomalies: Anomaly[],
): void {
	for (const t of history) {
		if (t.status !== "ok") {
			continue;
		}
		checkInternal(t, anomalies);
		for (const [key, list] of externalReads(t)) {
			for (const value of list) {
				const writer = writers.get(key)?.get(value);
				if (writer === undefined || writer.status === "fail") {
					const who = writer === undefined ? "nobody" : `${nameOf(writer)}, which was aborted`;
					anomalies.push({
						kind: writer === undefined ? "phantom-value" : "G1a",
						explanation: [`${nameOf(t)} read ${value} in ${key}, appended by ${who}`],
					});
				}
			}
			const last = list[list.length - 1];
			const writer = last === undefined ? undefined : writers.get(key)?.get(last);
			if (writer !== undefined && writer !== t && lastAppend(writer, key) !== last) {
				anomalies.push({
					kind: "G1b",
					explanation: [
						`${nameOf(t)} read ${key} up to ${last}, in the middle of ${nameOf(writer)}`,
					],
				});
			}
		}
	}
}

/** A transaction sees its own appends, in order. */
function checkInternal(t: Transaction, anomalies: Anomaly[]): void {
	const own = new Map<Key, number[]>();
	for (const op of t.ops) {
		const mine = own.get(op[1]) ?? [];
		if (op[0] === "append") {
			own.set(op[1], [...mine, op[2]]);
		} else if (op[2] !== null) {
			const tail = op[2].slice(op[2].length - mine.length);
			if (mine.some((v, i) => tail[i] !== v)) {
				anomalies.push({
					kind: "internal",
					explanation: [
						`${nameOf(t)} appended ${mine.join(" ")} to ${op[1]}, then read ${op[2].join(" ")}`,
					],
				});
			}
		}
	}
}

function lastAppend(t: Transaction, key: Key): number | undefined {
	const appends = t.ops.filter((op) => op[0] === "append" && op[1] === key);
	return appends[appends.length - 1]?.[2] as number | undefined;
}

function buildGraph(
	history: readonly Transaction[],
	versions: Map<Key, Versions>,
	writers: Map<Key, Map<number, Transaction>>,
): Graph {
	const observed = new Set<Transaction>();
	for (const { order, writers: ofKey } of versions.values()) {
		for (const v of order) {
			const writer = ofKey.get(v);
			if (writer !== undefined) {
				observed.add(writer);
			}
		}
	}
	const members = history.filter(
		(t) => t.status === "ok" || (t.status === "info" && observed.has(t)),
	);
	const graph = new Graph(members);
	for (const [key, { order, writers: ofKey }] of versions) {
		for (let i = 1; i < order.length; i++) {
			const [a, b] = [ofKey.get(order[i - 1]!), ofKey.get(order[i]!)];
			graph.edge(a, b, "ww", `appended ${order[i - 1]} to ${key} before ${order[i]}`);
		}
	}
	for (const t of members) {
		if (t.status === "ok") {
			readEdges(graph, t, versions, writers);
		}
	}
	graph.realTime();
	return graph;
}

function readEdges(
	graph: Graph,
	t: Transaction,
	versions: Map<Key, Versions>,
	writers: Map<Key, Map<number, Transaction>>,
): void {
	for (const [key, list] of externalReads(t)) {
		const ofKey = versions.get(key);
		const last = list[list.length - 1];
		if (last !== undefined) {
			graph.edge(
				writers.get(key)?.get(last),
				t,
				"wr",
				`appended ${last} to ${key}, which was read by`,
			);
		}
		if (ofKey === undefined) {
			continue;
		}
		if (list.length < ofKey.order.length) {
			const next = ofKey.order[list.length]!;
			graph.edge(t, ofKey.writers.get(next), "rw", `read ${key} without ${next}, appended by`);
			continue;
		}
		// It read the longest list: what nobody ever read comes after it.
		const known = new Set(ofKey.order);
		for (const [value, writer] of ofKey.writers) {
			if (!known.has(value) && writer.status === "ok") {
				graph.edge(t, writer, "rw", `read ${key} without ${value}, appended by`);
			}
		}
	}
}
