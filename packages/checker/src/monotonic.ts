/** Values that only grow: who looks later, in real time, never sees less; and rows with greater timestamps hold greater values. */
import type { Key } from "./history.ts";

/** One that was answered: an increment with the value after it, or a read. */
export interface Observation {
	readonly id: number;
	readonly key: Key;
	readonly value: number;
	readonly invoked: number;
	readonly completed: number;
}

export interface Decrease {
	readonly key: Key;
	readonly before: number;
	readonly after: number;
	readonly explanation: string;
}

export interface MonotonicResult {
	/** Something was observed, and nothing decreased. */
	readonly valid: boolean;
	readonly observations: number;
	readonly decreases: readonly Decrease[];
}

export function checkMonotonic(observations: readonly Observation[]): MonotonicResult {
	const events = observations.flatMap((o) => [
		{ at: o.invoked, isEnd: false, o },
		{ at: o.completed, isEnd: true, o },
	]);
	events.sort((a, b) => a.at - b.at || Number(a.isEnd) - Number(b.isEnd));
	const greatest = new Map<Key, Observation>();
	/** What was known when an observation began. */
	const before = new Map<Observation, Observation>();
	const decreases: Decrease[] = [];
	for (const { isEnd, o } of events) {
		const known = greatest.get(o.key);
		if (!isEnd) {
			if (known !== undefined) before.set(o, known);
			continue;
		}
		if (known === undefined || o.value > known.value) greatest.set(o.key, o);
		const earlier = before.get(o);
		if (earlier === undefined || earlier.value <= o.value) continue;
		decreases.push({
			key: o.key,
			before: earlier.id,
			after: o.id,
			explanation: `#${earlier.id} saw ${earlier.value} in ${o.key}; #${o.id} began after that and saw ${o.value}`,
		});
	}
	const valid = decreases.length === 0 && observations.length > 0;
	return { valid, observations: observations.length, decreases };
}

export interface Row {
	readonly value: number;
	/** Where the database says when it was written. */
	readonly timestamp: number;
}

/** Rows of one table, each written by a transaction that read the greatest value and wrote a greater one. */
export function checkRows(rows: readonly Row[]): MonotonicResult {
	const sorted = [...rows].sort((a, b) => a.timestamp - b.timestamp || a.value - b.value);
	const decreases: Decrease[] = [];
	for (let i = 1; i < sorted.length; i++) {
		const [a, b] = [sorted[i - 1]!, sorted[i]!];
		if (a.value < b.value) continue;
		const explanation = `${a.value} has timestamp ${a.timestamp}, ${b.value} has ${b.timestamp}`;
		decreases.push({ key: "rows", before: a.value, after: b.value, explanation });
	}
	return { valid: decreases.length === 0 && rows.length > 0, observations: rows.length, decreases };
}
