/**
 * The order of the versions of registers (D2), as far as something tells it: what was there initially is first; a transaction that
 * reads a version and writes the key makes a later one; commit timestamps where transactions have them; and where asked for, what
 * one process or real time shows one after the other.
 */
import type { Key } from "./history.ts";
import type { Anomaly } from "./isolation.ts";
import type { RegisterRead } from "./register-reads.ts";
import type { RegisterTransaction } from "./registers.ts";

export interface VersionSources {
	/** A process sees versions of a key only in their order: strong session levels. */
	readonly process?: boolean;
	/** So does everybody in real time: strict serializability, or keys that are linearizable by themselves. */
	readonly realTime?: boolean;
}

export interface Version {
	/** undefined: what was there initially. */
	readonly by: RegisterTransaction | undefined;
	/** null: nothing. */
	readonly value: number | null;
	/** Versions that are known to be later, without all that follows from others. */
	readonly later: Version[];
}

interface KeyVersions {
	readonly key: Key;
	readonly initial: Version;
	readonly byWriter: Map<RegisterTransaction, Version>;
	readonly byValue: Map<number, Version>;
	/** Somebody may have deleted it, even unseen: who finds nothing may not have found what was there initially. */
	readonly hasDeletions: boolean;
}

/** By key. Sets the versions of reads. Where an order contradicts itself, nothing follows from it. */
export function orderVersions(
	members: readonly RegisterTransaction[],
	reads: ReadonlyMap<Key, readonly RegisterRead[]>,
	deleted: ReadonlySet<Key>,
	{ process = false, realTime = false }: VersionSources,
	anomalies: Anomaly[],
): ReadonlyMap<Key, readonly Version[]> {
	const keys = collectVersions(members, reads, deleted);
	const out = new Map<Key, readonly Version[]>();
	for (const [key, ofKey] of reads) {
		const versions = keys.get(key)!;
		for (const read of ofKey) resolve(versions, read);
		byTimestamp(versions);
		for (const { by, version } of ofKey) link(version, versions.byWriter.get(by));
		if (process) byProcess(versions, ofKey);
		if (realTime) byRealTime(versions, ofKey);
		const all = [...versions.byWriter.values()];
		const targets = new Set(all.flatMap((v) => v.later));
		for (const v of all) if (!targets.has(v)) link(versions.initial, v);
		const cyclic = findCyclic([versions.initial, ...all]);
		if (cyclic.length > 0) {
			const values = cyclic.map((v) => v.value ?? "nothing").join(" ");
			anomalies.push({
				kind: "cyclic-versions",
				explanation: [`of ${key}, these would each be later than themselves: ${values}`],
			});
			for (const v of all) v.later.length = 0;
			versions.initial.later.length = 0;
		}
		out.set(key, [versions.initial, ...all]);
	}
	return out;
}

function collectVersions(
	members: readonly RegisterTransaction[],
	reads: ReadonlyMap<Key, unknown>,
	deleted: ReadonlySet<Key>,
): Map<Key, KeyVersions> {
	const keys = new Map<Key, KeyVersions>();
	for (const key of reads.keys()) {
		const initial: Version = { by: undefined, value: null, later: [] };
		const hasDeletions = deleted.has(key);
		keys.set(key, { key, initial, byWriter: new Map(), byValue: new Map(), hasDeletions });
	}
	for (const by of members) {
		const finals = new Map<Key, number | null>();
		for (const op of by.ops) if (op[0] === "w") finals.set(op[1], op[2]);
		for (const [key, value] of finals) {
			const versions = keys.get(key)!;
			const version: Version = { by, value, later: [] };
			versions.byWriter.set(by, version);
			if (value !== null) versions.byValue.set(value, version);
		}
	}
	return keys;
}

function resolve({ initial, byValue, hasDeletions }: KeyVersions, read: RegisterRead): void {
	const version =
		read.value === null ? (hasDeletions ? undefined : initial) : byValue.get(read.value);
	if (version !== undefined) read.version = version;
}

function link(earlier: Version | undefined, later: Version | undefined): void {
	if (earlier === undefined || later === undefined || earlier === later) return;
	// Readers one after the other often say the same.
	if (earlier.later[earlier.later.length - 1] !== later) earlier.later.push(later);
}

function byTimestamp({ byWriter }: KeyVersions): void {
	const known = [...byWriter.values()].filter((v) => v.by?.timestamp !== undefined);
	known.sort((a, b) => a.by!.timestamp! - b.by!.timestamp!);
	for (let i = 1; i < known.length; i++) link(known[i - 1], known[i]);
}

/** Who had to do with which version: a writer's own is the last that it saw. */
function* accesses(
	{ byWriter }: KeyVersions,
	reads: readonly RegisterRead[],
): Generator<{ readonly by: RegisterTransaction; readonly version: Version }> {
	for (const { by, version } of reads) if (version !== undefined) yield { by, version };
	for (const [by, version] of byWriter) yield { by, version };
}

function byProcess(versions: KeyVersions, reads: readonly RegisterRead[]): void {
	const all = [...accesses(versions, reads)].filter(({ by }) => by.process !== undefined);
	// Stable: a transaction's reads stay before its write.
	all.sort((a, b) => a.by.invoked - b.by.invoked);
	const last = new Map<number, { readonly by: RegisterTransaction; readonly version: Version }>();
	for (const access of all) {
		const before = last.get(access.by.process!);
		if (before !== undefined && before.by.completed <= access.by.invoked) {
			link(before.version, access.version);
		}
		last.set(access.by.process!, access);
	}
}

/**
 * A version is earlier than another if somebody who had to do with it had ended before somebody began who had to do with the
 * other: only its earliest end and its latest begin count. The frontier holds the versions that have ended and that no other ended
 * one follows.
 */
function byRealTime(versions: KeyVersions, reads: readonly RegisterRead[]): void {
	const spans = new Map<Version, { end: number; begin: number }>();
	for (const { by, version } of accesses(versions, reads)) {
		const span = spans.get(version);
		if (span === undefined) spans.set(version, { end: by.completed, begin: by.invoked });
		else {
			span.end = Math.min(span.end, by.completed);
			span.begin = Math.max(span.begin, by.invoked);
		}
	}
	const events = [...spans].flatMap(([version, { end, begin }]) => [
		{ at: begin, isEnd: false, version },
		...(Number.isFinite(end) ? [{ at: end, isEnd: true, version }] : []),
	]);
	events.sort((a, b) => a.at - b.at || Number(a.isEnd) - Number(b.isEnd));
	let frontier: Version[] = [];
	const before = new Map<Version, readonly Version[]>();
	for (const { isEnd, version } of events) {
		const begun = before.get(version);
		if (!isEnd || begun === undefined) {
			const earlier = frontier.filter((v) => v !== version);
			for (const v of earlier) link(v, version);
			before.set(version, earlier);
			if (!isEnd && frontier.includes(version)) frontier = [version];
		}
		if (isEnd) {
			const passed = new Set(before.get(version));
			frontier = [...frontier.filter((v) => !passed.has(v)), version];
		}
	}
}

/** A cycle of versions, if there is one: among those that remain when what nothing precedes is taken away, again and again. */
function findCyclic(versions: readonly Version[]): readonly Version[] {
	const counts = new Map<Version, number>(versions.map((v) => [v, 0]));
	for (const v of versions) for (const l of v.later) counts.set(l, counts.get(l)! + 1);
	const free = versions.filter((v) => counts.get(v) === 0);
	for (const v of free) {
		counts.delete(v);
		for (const l of v.later) {
			const left = counts.get(l)! - 1;
			counts.set(l, left);
			if (left === 0) free.push(l);
		}
	}
	// Each that remains has one before it that remains: going back, one comes round.
	const before = new Map<Version, Version>();
	for (const v of counts.keys()) for (const l of v.later) if (counts.has(l)) before.set(l, v);
	const path = new Set<Version>();
	let [at] = before.keys();
	for (; at !== undefined && !path.has(at); at = before.get(at)) path.add(at);
	const all = [...path];
	return at === undefined ? [] : all.slice(all.indexOf(at)).reverse();
}
