/**
 * Judges a walk that has ended, every log applied and every intent gone. What the clients saw is explained by brute force, by
 * some order of the transactions that respects real time and leads to the final values.
 */
import { keyCount, keysPerRange, type Version, type World } from "./state.ts";
import type { Transaction } from "./transaction.ts";

/** Undefined: nothing is wrong. */
export function judge(w: World): string | undefined {
	const versions: (readonly Version[])[] = [];
	for (const { replicas } of w.ranges) versions.push(...replicas[0].versions);
	return judgeVersions(versions) ?? judgeOutcomes(w, versions) ?? judgeReads(w, versions);
}

function judgeVersions(versions: readonly (readonly Version[])[]): string | undefined {
	for (let key = 0; key < keyCount; key++) {
		const here = versions[key]!;
		for (let i = 0; i < here.length; i++) {
			for (let j = 0; j < i; j++) {
				if (here[i]!.writer !== here[j]!.writer) continue;
				return `transaction ${here[i]!.writer} was applied twice to key ${key}`;
			}
		}
	}
	return undefined;
}

function judgeOutcomes(w: World, versions: readonly (readonly Version[])[]): string | undefined {
	const happened: Transaction[] = [];
	for (const t of w.transactions) {
		const applied = appliedWrites(t, versions);
		const wanted = t.writes.filter((value) => value > 0).length;
		const isHalf = applied > 0 && applied < wanted;
		if (t.outcome === "committed") {
			if (isHalf) return `transaction ${t.id} was acknowledged and half applied`;
			if (applied < wanted) return `transaction ${t.id} was acknowledged and is lost`;
			happened.push(t);
		} else if (t.outcome === "aborted") {
			if (applied > 0) return `transaction ${t.id} was reported as failed and was applied`;
		} else {
			if (isHalf) return `transaction ${t.id} was half applied`;
			if (applied > 0) happened.push(t);
		}
		const stray = strayWrite(t, versions);
		if (stray !== undefined) return stray;
	}
	if (!isStrictlySerializable(happened, versions.map(finalValue))) {
		return "not strictly serializable";
	}
	return undefined;
}

function appliedWrites(t: Transaction, versions: readonly (readonly Version[])[]): number {
	let count = 0;
	for (let key = 0; key < keyCount; key++) {
		const wanted = t.writes[key]!;
		if (wanted === 0) continue;
		if (versions[key]!.some(({ writer, value }) => writer === t.id && value === wanted)) count++;
	}
	return count;
}

/** A version that the transaction, as its client knows it, has not written: a value taken back or replaced. */
function strayWrite(t: Transaction, versions: readonly (readonly Version[])[]): string | undefined {
	for (let key = 0; key < keyCount; key++) {
		for (const { writer, value } of versions[key]!) {
			if (writer === t.id && value !== t.writes[key]) {
				return `transaction ${t.id} wrote ${value} to key ${key}, not ${t.writes[key]}`;
			}
		}
	}
	return undefined;
}

function finalValue(versions: readonly Version[]): number {
	let newest: Version | undefined;
	for (const v of versions) {
		if (newest === undefined || v.ts > newest.ts) newest = v;
	}
	return newest?.value ?? 0;
}

/** Tries one order after the other. */
export function isStrictlySerializable(
	transactions: readonly Transaction[],
	final: readonly number[],
): boolean {
	const isUsed = transactions.map(() => false);
	const values = final.map(() => 0);
	const isFirst = (t: Transaction): boolean =>
		transactions.every(
			(other, i) => isUsed[i] || other.outcome !== "committed" || other.endedAt >= t.startedAt,
		);
	const search = (left: number): boolean => {
		if (left === 0) return values.every((value, key) => value === final[key]);
		for (let i = 0; i < transactions.length; i++) {
			const t = transactions[i]!;
			if (isUsed[i] || !t.reads.every((read) => values[read.key] === read.value)) continue;
			if (!isFirst(t)) continue;
			const before = [...values];
			isUsed[i] = true;
			for (let key = 0; key < values.length; key++) {
				if (t.writes[key]! > 0) values[key] = t.writes[key]!;
			}
			if (search(left - 1)) return true;
			isUsed[i] = false;
			for (let key = 0; key < values.length; key++) values[key] = before[key]!;
		}
		return false;
	};
	return search(transactions.length);
}

/** T1, also for those who did not commit: a value served at s is the key's at s for ever. */
function judgeReads(w: World, versions: readonly (readonly Version[])[]): string | undefined {
	const { served } = w;
	for (let i = 0; i < served.length; i += 4) {
		const [key, s, value, reader] = served.slice(i, i + 4) as [number, number, number, number];
		let ts = 0;
		let there = 0;
		for (const v of versions[key]!) {
			if (v.ts <= s && v.ts > ts && v.writer !== reader) {
				ts = v.ts;
				there = v.value;
			}
		}
		if (there !== value) {
			return `T1: transaction ${reader} was told that key ${key} is ${value} at ${s}, it is ${there}`;
		}
	}
	return undefined;
}

/** What became of everything, for the log of a failed walk. */
export function describeEnd(w: World): string[] {
	const lines = w.transactions.map((t) => {
		const writes = t.writes.map((value, key) => ({ key, value })).filter(({ value }) => value > 0);
		const reads = t.reads.map(({ key, value }) => `${key}=${value}`).join(" ");
		const written = writes.map(({ key, value }) => `${key}=${value}`).join(" ");
		return `transaction ${t.id} (${t.kind}) ${t.outcome}, steps ${t.startedAt} to ${t.endedAt}, read at ${t.readTimestamp}, c ${t.c}: read ${reads || "nothing"}, wrote ${written || "nothing"}`;
	});
	for (let key = 0; key < keyCount; key++) {
		const { replicas } = w.ranges[(key / keysPerRange) | 0]!;
		const here = replicas[0].versions[key % keysPerRange]!;
		const text = here.map(({ ts, value, writer }) => `${value} at ${ts} by transaction ${writer}`);
		lines.push(`key ${key}: ${text.join(", ") || "never written"}`);
	}
	return lines;
}
