/** Frames: which rows of a partition a call with OVER looks at, for each of its rows. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { BoundFrame, FrameEdge } from "../plan/window.ts";
import type { Datum, SqlType } from "../types/datum.ts";
import type { TypeContext } from "../types/registry.ts";

/** Rows that the order does not tell apart: where each group of them begins, and where the last one ends. */
export class PeerGroups {
	/** By group, and one more: the size of the partition. */
	readonly starts: readonly number[];
	/** By row. */
	readonly groups: readonly number[];

	constructor(size: number, isPeer: (row: number) => boolean) {
		const starts: number[] = [];
		const groups: number[] = [];
		for (let row = 0; row < size; row++) {
			if (row === 0 || !isPeer(row)) starts.push(row);
			groups.push(starts.length - 1);
		}
		starts.push(size);
		this.starts = starts;
		this.groups = groups;
	}

	of(row: number): readonly [from: number, to: number] {
		const group = this.groups[row]!;
		return [this.starts[group]!, this.starts[group + 1]!];
	}

	/** Where a group begins; groups before the first begin with it, those behind the last at the end. */
	startOf(group: number): number {
		return this.starts[Math.max(0, Math.min(group, this.starts.length - 1))]!;
	}
}

/** The only key of the order, for RANGE with offsets. */
export interface RangeKey {
	readonly values: readonly Datum[];
	readonly descending: boolean;
	readonly nullsFirst: boolean;
	readonly type: SqlType;
}

export interface FrameOffsets {
	readonly start: Datum;
	readonly end: Datum;
}

/** Throws 22004, 22013. */
export function checkOffset(value: Datum, which: "starting" | "ending", unit: string): Datum {
	if (value === null) {
		throw new DatabaseError("22004", `frame ${which} offset must not be null`);
	}
	if (unit !== "range" && (value as bigint) < 0n) {
		throw new DatabaseError("22013", `frame ${which} offset must not be negative`);
	}
	return value;
}

/** Far enough for any partition. */
const distanceOf = (offset: Datum): number =>
	Number((offset as bigint) > 0xffff_ffffn ? 0xffff_ffffn : (offset as bigint));

type Segment = readonly [from: number, to: number];

/** The frames of one call in one partition. */
export class Frames {
	readonly #frame: BoundFrame;
	readonly #offsets: FrameOffsets;
	readonly #size: number;
	readonly #peers: PeerGroups;
	readonly #key: RangeKey | undefined;
	readonly #context: TypeContext;
	/** RANGE with offsets: both ends only ever move on. */
	#rangeStart = 0;
	#rangeEnd = 0;

	constructor(
		frame: BoundFrame,
		offsets: FrameOffsets,
		size: number,
		peers: PeerGroups,
		key: RangeKey | undefined,
		context: TypeContext,
	) {
		this.#frame = frame;
		this.#offsets = offsets;
		this.#size = size;
		this.#peers = peers;
		this.#key = key;
		this.#context = context;
	}

	/** To be asked for rows in order. */
	of(row: number): readonly Segment[] {
		const from = this.#start(row);
		const to = this.#end(row);
		if (from >= to) return [];
		return this.#excluded(row, from, to).filter(([start, end]) => start < end);
	}

	#excluded(row: number, from: number, to: number): readonly Segment[] {
		const [first, last] = this.#peers.of(row);
		const without = (low: number, high: number): readonly Segment[] => [
			[from, Math.min(to, low)],
			[Math.max(from, high), to],
		];
		switch (this.#frame.exclude) {
			case "current row":
				return without(row, row + 1);
			case "group":
				return without(first, last);
			case "ties": {
				const [before, after] = without(first, last) as [Segment, Segment];
				return row >= from && row < to ? [before, [row, row + 1], after] : [before, after];
			}
			default:
				return [[from, to]];
		}
	}

	#start(row: number): number {
		const { unit, start } = this.#frame;
		if (start === "unbounded preceding") return 0;
		if (start === "current row") return unit === "rows" ? row : this.#peers.of(row)[0];
		if (unit === "range") return this.#rangeFrom(row);
		const moved = this.#moved(row, start, this.#offsets.start);
		return unit === "rows" ? clamp(moved, this.#size) : this.#peers.startOf(moved);
	}

	/** Behind the last row of the frame. */
	#end(row: number): number {
		const { unit, end } = this.#frame;
		if (end === "unbounded following") return this.#size;
		if (end === "current row") return unit === "rows" ? row + 1 : this.#peers.of(row)[1];
		if (unit === "range") return this.#rangeTo(row);
		const moved = this.#moved(row, end, this.#offsets.end) + 1;
		return unit === "rows" ? clamp(moved, this.#size) : this.#peers.startOf(moved);
	}

	/** A row, or a group, some rows or groups away. */
	#moved(row: number, edge: FrameEdge, offset: Datum): number {
		const base = this.#frame.unit === "rows" ? row : this.#peers.groups[row]!;
		const distance = distanceOf(offset);
		return edge === "preceding" ? base - distance : base + distance;
	}

	#rangeFrom(row: number): number {
		const { values, nullsFirst, descending } = this.#key!;
		const current = values[row]!;
		const sub = (this.#frame.start === "preceding") !== descending;
		while (this.#rangeStart < this.#size) {
			const head = values[this.#rangeStart]!;
			if (head === null || current === null) {
				const advance = nullsFirst
					? head === null && current !== null
					: head !== null && current === null;
				if (!advance) break;
			} else {
				const order = this.#compare(head, current, sub, "start");
				if (descending ? order <= 0 : order >= 0) break;
			}
			this.#rangeStart++;
		}
		return this.#rangeStart;
	}

	#rangeTo(row: number): number {
		const { values, nullsFirst, descending } = this.#key!;
		const current = values[row]!;
		const sub = (this.#frame.end === "preceding") !== descending;
		while (this.#rangeEnd < this.#size) {
			const tail = values[this.#rangeEnd]!;
			if (tail === null || current === null) {
				const advance = nullsFirst
					? tail === null || current !== null
					: tail !== null || current === null;
				if (!advance) break;
			} else {
				const order = this.#compare(tail, current, sub, "end");
				if (descending ? order < 0 : order > 0) break;
			}
			this.#rangeEnd++;
		}
		return this.#rangeEnd;
	}

	#compare(value: Datum, base: Datum, sub: boolean, which: "start" | "end"): number {
		const inRange = which === "start" ? this.#frame.startInRange : this.#frame.endInRange;
		return inRange!(value, base, this.#offsets[which], sub, this.#context);
	}
}

const clamp = (row: number, size: number): number => Math.max(0, Math.min(row, size));
