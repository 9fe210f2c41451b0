/** Reads at timestamps held against commits at timestamps: a read at s shows all that was committed at or below s, and nothing else. */
import type { Key } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";

/** A transaction that committed, or may have. */
export interface PastWrite {
	/** Unique. It was appended to the lists, or put into every row. */
	readonly value: number;
	readonly where: readonly Key[] | "rows";
	/** Undefined: nobody knows whether it committed. */
	readonly c: Timestamp | undefined;
}

export interface PastRead {
	readonly s: Timestamp;
	/** For people. */
	readonly by: string;
	readonly lists: ReadonlyMap<Key, readonly number[]> | undefined;
	/** Values of the rows that were there. */
	readonly rows: readonly number[] | undefined;
}

export function checkPast(
	lists: readonly Key[],
	rowCount: number,
	writes: readonly PastWrite[],
	reads: readonly PastRead[],
): string[] {
	const problems: string[] = [];
	const byList = new Map(
		lists.map((k) => [k, writes.filter((w) => w.where !== "rows" && w.where.includes(k))]),
	);
	const replaced = writes.filter((w) => w.where === "rows");
	for (const read of reads) {
		for (const [k, list] of read.lists ?? []) {
			const problem = listProblem(byList.get(k)!, list, read.s);
			if (problem !== undefined) problems.push(`${read.by} at ${read.s}: ${k} ${problem}`);
		}
		if (read.rows === undefined) continue;
		const problem = rowsProblem(replaced, rowCount, read.rows, read.s);
		if (problem !== undefined) problems.push(`${read.by} at ${read.s}: ${problem}`);
	}
	return problems.slice(0, 10);
}

function listProblem(
	writes: readonly PastWrite[],
	list: readonly number[],
	s: Timestamp,
): string | undefined {
	const known = new Map(writes.map((w) => [w.value, w.c]));
	let last = 0;
	for (const value of list) {
		if (!known.has(value)) return `holds ${value}, which was not committed`;
		const c = known.get(value);
		if (c === undefined) continue;
		if (c > s) return `holds ${value}, which was committed at ${c}`;
		if (c < last) return `holds ${value}, committed at ${c}, after one committed at ${last}`;
		last = c;
	}
	const shown = new Set(list);
	const missing = writes.find((w) => w.c !== undefined && w.c <= s && !shown.has(w.value));
	return missing && `lacks ${missing.value}, which was committed at ${missing.c}`;
}

function rowsProblem(
	writes: readonly PastWrite[],
	rowCount: number,
	rows: readonly number[],
	s: Timestamp,
): string | undefined {
	let newest: PastWrite | undefined;
	for (const w of writes) {
		if (w.c !== undefined && w.c <= s && w.c > (newest?.c ?? 0)) newest = w;
	}
	const [value] = rows;
	if (value === undefined) {
		return newest && `no row, though ${newest.value} was put at ${newest.c}`;
	}
	if (rows.length !== rowCount || rows.some((other) => other !== value)) {
		return `rows of ${[...new Set(rows)].join(" and ")}, ${rows.length} of ${rowCount}`;
	}
	const writer = writes.find((w) => w.value === value);
	if (writer === undefined) return `rows of ${value}, which was not committed`;
	const isRight = writer.c === undefined || writer === newest;
	return isRight ? undefined : `rows of ${value}, not of ${newest?.value}`;
}
