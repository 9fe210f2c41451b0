/** The reads of registers: which versions they show, and what single ones must not show (D5-D8, D11). */
import type { Key } from "./history.ts";
import type { Anomaly } from "./isolation.ts";
import type { Version } from "./register-versions.ts";
import type { RegisterTransaction } from "./registers.ts";

export interface RegisterRead {
	readonly by: RegisterTransaction;
	readonly value: number | null;
	/** A predicate covered the key, and it was not there. */
	readonly isAbsence: boolean;
	/** Set when versions are known; undefined: not a member's, or several may be meant. */
	version?: Version;
}

export interface RegisterReads {
	/** Transactions that happened. */
	readonly members: readonly RegisterTransaction[];
	/** Of ok transactions, before their own write of the key; every key has an entry. */
	readonly reads: ReadonlyMap<Key, RegisterRead[]>;
	/** Keys that somebody deleted, or may have. */
	readonly deleted: ReadonlySet<Key>;
}

interface Writer {
	readonly by: RegisterTransaction;
	isFinal: boolean;
}

type Writers = ReadonlyMap<Key, ReadonlyMap<number, Writer>>;

export function readRegisters(
	history: readonly RegisterTransaction[],
	anomalies: Anomaly[],
): RegisterReads {
	const reads = new Map<Key, RegisterRead[]>();
	const writers = collectWriters(history, reads, anomalies);
	const seen = new Set<RegisterTransaction>();
	for (const t of history) {
		if (t.status !== "ok") continue;
		const first = new Map<Key, number | null>();
		for (const read of externalReads(t, anomalies)) {
			const { key, value, isAbsence } = read;
			const writer = value === null ? undefined : writers.get(key)?.get(value);
			if (writer !== undefined) seen.add(writer.by);
			judgeRead(t, key, value, writer, anomalies);
			const before = first.get(key);
			if (before === undefined) first.set(key, value);
			else if (before !== value) {
				anomalies.push({
					kind: "non-repeatable-read",
					explanation: [`T${t.id} read ${key}: ${before ?? "nothing"}, then ${value ?? "nothing"}`],
				});
			}
			let ofKey = reads.get(key);
			if (ofKey === undefined) {
				ofKey = [];
				reads.set(key, ofKey);
			}
			ofKey.push({ by: t, value, isAbsence });
		}
	}
	const members = history.filter((t) => t.status === "ok" || (t.status === "info" && seen.has(t)));
	const deleted = new Set<Key>();
	for (const { status, ops } of history) {
		for (const [f, key, value] of ops) {
			if (f === "w" && value === null && status !== "fail") deleted.add(key);
		}
	}
	return { members, reads, deleted };
}

function collectWriters(
	history: readonly RegisterTransaction[],
	reads: Map<Key, RegisterRead[]>,
	anomalies: Anomaly[],
): Writers {
	const writers = new Map<Key, Map<number, Writer>>();
	for (const by of history) {
		const own = new Map<Key, Writer>();
		for (const [f, key, value] of by.ops) {
			if (f !== "w") continue;
			let ofKey = writers.get(key);
			if (ofKey === undefined) {
				ofKey = new Map();
				writers.set(key, ofKey);
				reads.set(key, []);
			}
			const before = own.get(key);
			if (before !== undefined) before.isFinal = false;
			const writer = { by, isFinal: true };
			own.set(key, writer);
			if (value === null) continue;
			const other = ofKey.get(value);
			if (other !== undefined) {
				anomalies.push({
					kind: "invalid-history",
					explanation: [`${value} was written to ${key} by T${other.by.id} and T${by.id}`],
				});
			}
			ofKey.set(value, writer);
		}
	}
	return writers;
}

interface KeyRead {
	readonly key: Key;
	readonly value: number | null;
	readonly isAbsence: boolean;
}

/** Reads before the transaction's own write of the key; those after it must show that write. */
function externalReads(t: RegisterTransaction, anomalies: Anomaly[]): readonly KeyRead[] {
	const own = new Map<Key, number | null>();
	const out: KeyRead[] = [];
	const add = (key: Key, value: number | null, isAbsence: boolean) => {
		const mine = own.get(key);
		if (mine === undefined) out.push({ key, value, isAbsence });
		else if (mine !== value) {
			anomalies.push({
				kind: "internal",
				explanation: [
					`T${t.id} wrote ${mine ?? "nothing"} to ${key}, then read ${value ?? "nothing"}`,
				],
			});
		}
	};
	for (const op of t.ops) {
		if (op[0] === "w") own.set(op[1], op[2]);
		else if (op[0] === "r") add(op[1], op[2], false);
		else if (op[2] !== null) {
			const found = new Map(op[2]);
			for (const [key, value] of found) add(key, value, false);
			for (const key of op[1]) if (!found.has(key)) add(key, null, true);
		}
	}
	return out;
}

function judgeRead(
	t: RegisterTransaction,
	key: Key,
	value: number | null,
	writer: Writer | undefined,
	anomalies: Anomaly[],
): void {
	if (value === null) return;
	const add = (kind: string, what: string) =>
		anomalies.push({ kind, explanation: [`T${t.id} read ${value} in ${key}, ${what}`] });
	if (writer === undefined) add("phantom-value", "written by nobody");
	else if (writer.by === t) add("internal", "before it wrote it itself");
	else if (writer.by.status === "fail")
		add("G1a", `written by T${writer.by.id}, which was aborted`);
	else if (!writer.isFinal) add("G1b", `which T${writer.by.id} replaced itself`);
}
