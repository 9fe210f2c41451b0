/**
 * The dependency graph of a history and its cycles. Real time is a chain of barriers: a transaction that has ended precedes the
 * barrier of its end, the last barrier before its start precedes a transaction: linear in the history.
 */
export type EdgeKind = "ww" | "wr" | "rw" | "rt";

interface Edge {
	readonly to: number;
	readonly kind: EdgeKind;
	readonly why: string;
}

export interface Cycle {
	/** G0, G1c, G-single or G2, with -realtime where only real time closes it. */
	readonly kind: string;
	readonly explanation: readonly string[];
}

/** What the graph needs of a transaction. */
export interface Node {
	readonly id: number;
	readonly invoked: number;
	/** Infinite: not known. */
	readonly completed: number;
}

export class Graph<T extends Node = Node> {
	readonly #nodes: readonly T[];
	readonly #numbers = new Map<T, number>();
	/** First the transactions, then the barriers. */
	readonly #edges: Edge[][];

	constructor(members: readonly T[]) {
		this.#nodes = members;
		for (const [i, t] of members.entries()) {
			this.#numbers.set(t, i);
		}
		this.#edges = members.map(() => []);
	}

	/** Ignored where a side is not a member, or both are one. */
	edge(from: T | undefined, to: T | undefined, kind: EdgeKind, why: string): void {
		const a = from === undefined ? undefined : this.#numbers.get(from);
		const b = to === undefined ? undefined : this.#numbers.get(to);
		if (a !== undefined && b !== undefined && a !== b) {
			this.#edges[a]!.push({ to: b, kind, why });
		}
	}

	/** Adds the edges of real time. */
	realTime(): void {
		const events = this.#nodes.flatMap((t, i) => [
			{ at: t.invoked, end: false, node: i },
			...(Number.isFinite(t.completed) ? [{ at: t.completed, end: true, node: i }] : []),
		]);
		// An end and a start at the same instant overlap: the start counts first.
		events.sort((a, b) => a.at - b.at || Number(a.end) - Number(b.end));
		let last = -1;
		for (const event of events) {
			if (event.end) {
				const barrier = this.#edges.length;
				this.#edges.push([]);
				if (last >= 0) {
					this.#edges[last]!.push({ to: barrier, kind: "rt", why: "" });
				}
				this.#edges[event.node]!.push({ to: barrier, kind: "rt", why: "" });
				last = barrier;
			} else if (last >= 0) {
				this.#edges[last]!.push({ to: event.node, kind: "rt", why: "" });
			}
		}
	}

	/** A short cycle of each of the first `max` strongly connected components. */
	cycles(max: number): Cycle[] {
		const out: Cycle[] = [];
		for (const component of this.#components()) {
			if (out.length === max) {
				break;
			}
			const members = new Set(component);
			// Prefer a cycle that needs no real time, then one with few read-write edges.
			const cycle =
				this.#shortest(component, members, (e) => e.kind === "ww") ??
				this.#shortest(component, members, (e) => e.kind === "ww" || e.kind === "wr") ??
				this.#shortest(component, members, (e) => e.kind !== "rt") ??
				this.#shortest(component, members, () => true);
			if (cycle !== undefined) {
				out.push(this.#describe(cycle));
			}
		}
		return out;
	}

	/** Tarjan's algorithm, iterative; only components of two or more nodes. */
	#components(): number[][] {
		const count = this.#edges.length;
		const index = new Int32Array(count).fill(-1);
		const low = new Int32Array(count);
		const onStack = new Uint8Array(count);
		const stack: number[] = [];
		const out: number[][] = [];
		let counter = 0;
		for (let root = 0; root < count; root++) {
			if (index[root] !== -1) {
				continue;
			}
			const work: { node: number; next: number; entered: boolean }[] = [
				{ node: root, next: 0, entered: false },
			];
			while (work.length > 0) {
				const frame = work[work.length - 1]!;
				const { node } = frame;
				if (!frame.entered) {
					frame.entered = true;
					index[node] = low[node] = counter++;
					stack.push(node);
					onStack[node] = 1;
				}
				const edge = this.#edges[node]![frame.next];
				if (edge !== undefined) {
					frame.next++;
					if (index[edge.to] === -1) {
						work.push({ node: edge.to, next: 0, entered: false });
					} else if (onStack[edge.to] === 1) {
						low[node] = Math.min(low[node]!, index[edge.to]!);
					}
					continue;
				}
				work.pop();
				const parent = work[work.length - 1];
				if (parent !== undefined) {
					low[parent.node] = Math.min(low[parent.node]!, low[node]!);
				}
				if (low[node] === index[node]) {
					const component: number[] = [];
					for (;;) {
						const member = stack.pop()!;
						onStack[member] = 0;
						component.push(member);
						if (member === node) {
							break;
						}
					}
					if (component.length > 1) {
						out.push(component);
					}
				}
			}
		}
		return out;
	}

	/** A shortest cycle inside a component over edges that `allowed` admits, by breadth-first search from each of some members. */
	#shortest(
		component: readonly number[],
		members: ReadonlySet<number>,
		allowed: (e: Edge) => boolean,
	): { readonly from: number; readonly edge: Edge }[] | undefined {
		let best: { from: number; edge: Edge }[] | undefined;
		const starts = component.filter((n) => n < this.#nodes.length).slice(0, 200);
		for (const start of starts) {
			const cycle = this.#cycleFrom(start, members, allowed);
			if (cycle !== undefined && (best === undefined || cycle.length < best.length)) {
				best = cycle;
			}
		}
		return best;
	}

	#cycleFrom(
		start: number,
		members: ReadonlySet<number>,
		allowed: (e: Edge) => boolean,
	): { from: number; edge: Edge }[] | undefined {
		const came = new Map<number, { from: number; edge: Edge }>();
		let frontier = [start];
		while (frontier.length > 0) {
			const next: number[] = [];
			for (const node of frontier) {
				for (const edge of this.#edges[node]!) {
					if (!members.has(edge.to) || !allowed(edge) || came.has(edge.to)) {
						continue;
					}
					came.set(edge.to, { from: node, edge });
					if (edge.to === start) {
						return this.#walkBack(start, came);
					}
					next.push(edge.to);
				}
			}
			frontier = next;
		}
		return undefined;
	}

	#walkBack(
		start: number,
		came: ReadonlyMap<number, { from: number; edge: Edge }>,
	): { from: number; edge: Edge }[] {
		const steps: { from: number; edge: Edge }[] = [];
		let node = start;
		do {
			const step = came.get(node)!;
			steps.push(step);
			node = step.from;
		} while (node !== start);
		return steps.reverse();
	}

	#describe(cycle: readonly { readonly from: number; readonly edge: Edge }[]): Cycle {
		const kinds = cycle.map((s) => s.edge.kind);
		const rw = kinds.filter((k) => k === "rw").length;
		const realTime = kinds.includes("rt") ? "-realtime" : "";
		const base = rw > 1 ? "G2" : rw === 1 ? "G-single" : kinds.includes("wr") ? "G1c" : "G0";
		const explanation: string[] = [];
		let pending: string | undefined;
		for (const { from, edge } of cycle) {
			const source = this.#nodes[from];
			const target = this.#nodes[edge.to];
			if (edge.kind === "rt") {
				pending = source === undefined ? pending : `T${source.id} had ended before`;
				if (target !== undefined) {
					explanation.push(`${pending} T${target.id} began`);
				}
			} else {
				explanation.push(`T${source!.id} ${edge.why} T${target!.id}`);
			}
		}
		return { kind: base + realTime, explanation };
	}
}
