/**
 * The dependency graph of a history (D3, D4), in flat arrays: a hundred thousand transactions have millions of edges.
 *
 * Besides the transactions it has auxiliary nodes that stand for many edges: a chain of barriers for real time (a transaction that
 * has ended precedes the barrier of its end, the last barrier before its start precedes a transaction), and chains from many
 * sources to many targets. Edges that leave auxiliary nodes ("pass") only go on with the edge by which one came.
 */
import type { Key } from "./history.ts";

export type EdgeKind = "ww" | "wr" | "rw" | "prw" | "process" | "rt";

/** Kinds as bits: a search admits a set of them. */
export const bit = { ww: 1, wr: 2, rw: 4, prw: 8, process: 16, rt: 32, pass: 64 } as const;

/** What an edge is about, from which its text is made. */
export interface Label {
	readonly key: Key;
	/** What the source wrote or read; null: nothing was there. */
	readonly value?: number | null | undefined;
	/** What the target wrote; null: it deleted. */
	readonly next?: number | null | undefined;
}

/** What the graph needs of a transaction. */
export interface Node {
	readonly id: number;
	readonly process?: number | undefined;
	readonly invoked: number;
	/** Infinite: not known. */
	readonly completed: number;
}

export class Graph<T extends Node = Node> {
	readonly nodes: readonly T[];
	/** By node, the last of its edges; -1: none. */
	readonly heads: number[];
	/** By edge: another edge of the same source (-1: none), the target, the bit of the kind, the label. */
	readonly nexts: number[] = [];
	readonly targets: number[] = [];
	readonly kinds: number[] = [];
	readonly labels: (Label | undefined)[] = [];
	readonly #numbers = new Map<T, number>();

	constructor(members: readonly T[]) {
		this.nodes = members;
		this.heads = members.map(() => -1);
		for (const [i, t] of members.entries()) this.#numbers.set(t, i);
	}

	has(t: T | undefined): t is T {
		return t !== undefined && this.#numbers.has(t);
	}

	/** Ignored where a side is not a member, or both are one. */
	edge(from: T | undefined, to: T | undefined, kind: EdgeKind, label?: Label): void {
		const a = from === undefined ? undefined : this.#numbers.get(from);
		const b = to === undefined ? undefined : this.#numbers.get(to);
		if (a !== undefined && b !== undefined && a !== b) this.#add(a, b, bit[kind], label);
	}

	/** An edge from each source to each target but itself: all targets are members and differ. */
	fan(
		sources: readonly T[],
		targets: readonly T[],
		kind: EdgeKind,
		label: (i: number) => Label,
	): void {
		if (sources.length * targets.length <= 4 * (sources.length + targets.length)) {
			for (const s of sources)
				for (const [i, t] of targets.entries()) this.edge(s, t, kind, label(i));
			return;
		}
		// Two chains, of which one leads to all targets from a place on, the other to all up to a place: so a source that is a
		// target itself reaches the others only.
		const places = new Map(targets.map((t, i) => [t, i]));
		const ahead = targets.map(() => this.#auxiliary());
		const back = targets.map(() => this.#auxiliary());
		for (const [i, t] of targets.entries()) {
			const node = this.#numbers.get(t)!;
			this.#add(ahead[i]!, node, bit.pass, label(i));
			this.#add(back[i]!, node, bit.pass, label(i));
			if (i > 0) {
				this.#add(ahead[i - 1]!, ahead[i]!, bit.pass);
				this.#add(back[i]!, back[i - 1]!, bit.pass);
			}
		}
		for (const source of sources) {
			const from = this.#numbers.get(source);
			if (from === undefined) continue;
			const place = places.get(source);
			const { key, value } = label(0);
			const entries = place === undefined ? [ahead[0]] : [ahead[place + 1], back[place - 1]];
			for (const entry of entries) {
				if (entry !== undefined) this.#add(from, entry, bit[kind], { key, value });
			}
		}
	}

	/** Adds the edges of processes: none from one whose end is not known. */
	processes(): void {
		const last = new Map<number, T>();
		for (const t of [...this.nodes].sort((a, b) => a.invoked - b.invoked)) {
			if (t.process === undefined) continue;
			const before = last.get(t.process);
			if (before !== undefined && before.completed <= t.invoked) this.edge(before, t, "process");
			last.set(t.process, t);
		}
	}

	/** Adds the edges of real time. */
	realTime(): void {
		const events: { readonly at: number; readonly end: boolean; readonly node: number }[] = [];
		for (const [node, t] of this.nodes.entries()) {
			events.push({ at: t.invoked, end: false, node });
			if (Number.isFinite(t.completed)) events.push({ at: t.completed, end: true, node });
		}
		// An end and a start at the same instant overlap: the start counts first.
		events.sort((a, b) => a.at - b.at || Number(a.end) - Number(b.end));
		let barrier = -1;
		let isUsed = true;
		for (const { end, node } of events) {
			if (!end) {
				if (barrier >= 0) this.#add(barrier, node, bit.pass);
				isUsed = true;
				continue;
			}
			// Ends that no start parts share a barrier.
			if (isUsed) {
				const next = this.#auxiliary();
				if (barrier >= 0) this.#add(barrier, next, bit.pass);
				barrier = next;
				isUsed = false;
			}
			this.#add(node, barrier, bit.rt);
		}
	}

	#auxiliary(): number {
		return this.heads.push(-1) - 1;
	}

	#add(from: number, to: number, kind: number, label?: Label): void {
		const edge = this.targets.push(to) - 1;
		this.kinds.push(kind);
		this.labels.push(label);
		this.nexts.push(this.heads[from]!);
		this.heads[from] = edge;
	}
}
