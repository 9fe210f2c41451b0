/**
 * Transactions on registers (D1-D20 in isolation.ts). Writes are blind, so reads alone do not say in which order versions came:
 * register-versions.ts collects what does. Where nothing does, nothing is found: what is found is true, but not all there is.
 *
 * A write whose transaction's end is not known counts if somebody read something of that transaction. A deletion is a version
 * without a value of its own: who finds nothing may have found any of them, so that says nothing where something may have been
 * deleted.
 */
import { cycles, type Describe } from "./cycles.ts";
import { bit, Graph } from "./graph.ts";
import type { Key } from "./history.ts";
import { type Anomaly, type CheckOptions, type CheckResult, judge } from "./isolation.ts";
import { type RegisterRead, readRegisters } from "./register-reads.ts";
import { orderVersions, type Version, type VersionSources } from "./register-versions.ts";

export type RegisterOp =
	/** null: nothing is there. */
	| readonly ["r", Key, number | null]
	/** Values are written once each. null: a deletion. */
	| readonly ["w", Key, number | null]
	/** A predicate "is there" over these keys, and what it found: the others were not there. null: not known. */
	| readonly ["p", readonly Key[], readonly (readonly [Key, number])[] | null];

export interface RegisterTransaction {
	readonly id: number;
	readonly process?: number | undefined;
	/** ok: committed. fail: certainly not. info: not known; its reads do not count. */
	readonly status: "ok" | "fail" | "info";
	readonly ops: readonly RegisterOp[];
	/** At which it committed; undefined where it wrote nothing, or it is not known or not to be believed. */
	readonly timestamp?: number | undefined;
	/** Position in real time before which nothing of it happened, and after which all of it had (infinite for info). */
	readonly invoked: number;
	readonly completed: number;
}

export interface RegisterOptions extends CheckOptions {
	/** Whence else versions have their order: to be asked for only where the database promises it. */
	readonly versionOrder?: VersionSources;
}

/** One key as the graph needs it. */
interface Register {
	readonly key: Key;
	readonly versions: readonly Version[];
	readonly reads: readonly RegisterRead[];
}

export function checkRegisters(
	history: readonly RegisterTransaction[],
	{ level = "strict-serializable", cyclesMax = 10, versionOrder = {} }: RegisterOptions = {},
): CheckResult {
	const anomalies: Anomaly[] = [];
	const ok = history.filter((t) => t.status === "ok").length;
	const { members, reads, deleted } = readRegisters(history, anomalies);
	if (!anomalies.some((a) => a.kind === "invalid-history")) {
		const versions = orderVersions(members, reads, deleted, versionOrder, anomalies);
		const registers = [...reads].map(
			([key, ofKey]): Register => ({ key, reads: ofKey, versions: versions.get(key) ?? [] }),
		);
		for (const register of registers) lostUpdates(register, anomalies);
		anomalies.push(...cycles(buildGraph(members, registers), describe, cyclesMax));
	}
	return judge(anomalies, ok, level);
}

/** Two that read the same version, and both wrote. */
function lostUpdates({ key, versions, reads }: Register, anomalies: Anomaly[]): void {
	const writers = new Set(versions.map((v) => v.by));
	const updates = new Map<Version, RegisterTransaction>();
	for (const { by, version, value } of reads) {
		if (version === undefined || !writers.has(by)) continue;
		const other = updates.get(version);
		if (other === undefined) updates.set(version, by);
		else if (other !== by) {
			anomalies.push({
				kind: "lost-update",
				explanation: [
					`T${other.id} and T${by.id} both read ${key}: ${value ?? "nothing"}, and wrote it`,
				],
			});
		}
	}
}

function buildGraph(
	members: readonly RegisterTransaction[],
	registers: readonly Register[],
): Graph<RegisterTransaction> {
	const graph = new Graph<RegisterTransaction>(members);
	for (const register of registers) addKey(graph, register);
	graph.processes();
	graph.realTime();
	return graph;
}

function addKey(graph: Graph<RegisterTransaction>, { key, versions, reads }: Register): void {
	const readers = new Map<Version, RegisterRead[]>();
	for (const read of reads) {
		if (read.version === undefined) continue;
		graph.edge(read.version.by, read.by, "wr", { key, value: read.value });
		const ofVersion = readers.get(read.version);
		if (ofVersion === undefined) readers.set(read.version, [read]);
		else ofVersion.push(read);
	}
	for (const version of versions) {
		const { by, value } = version;
		const later = [...new Set(version.later)];
		const targets = later.map((v) => v.by!);
		const label = (i: number) => ({ key, value, next: later[i]!.value });
		for (const [i, target] of targets.entries()) graph.edge(by, target, "ww", label(i));
		const ofVersion = readers.get(version) ?? [];
		const [items, predicates] = [
			ofVersion.filter((r) => !r.isAbsence),
			ofVersion.filter((r) => r.isAbsence),
		];
		graph.fan(
			items.map((r) => r.by),
			targets,
			"rw",
			label,
		);
		graph.fan(
			predicates.map((r) => r.by),
			targets,
			"prw",
			label,
		);
	}
}

const describe: Describe = (kind, { key, value, next }, from, to) => {
	const old = value ?? "nothing";
	const wrote = next === null ? `deleted` : `wrote ${next}`;
	if (kind === bit.ww) return `${from} wrote ${old} to ${key}, and later ${to} ${wrote}`;
	if (kind === bit.wr) return `${from} wrote ${old} to ${key}, which ${to} read`;
	if (kind === bit.prw)
		return `${from} found no ${key} by a predicate, and later ${to} ${wrote} there`;
	return `${from} read ${old} in ${key}, where later ${to} ${wrote}`;
};
