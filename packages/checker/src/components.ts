/** Strongly connected components (Tarjan 1972), without recursion. */
import type { Graph, Node } from "./graph.ts";

export interface Components {
	/** By node; -1 where its component is the node alone. */
	readonly of: Int32Array;
	/** Of two or more nodes, each in rising order. */
	readonly members: readonly (readonly number[])[];
}

/** Components over edges of the admitted kinds; only inside those of `within`, where given. */
export function components<T extends Node>(
	graph: Graph<T>,
	admitted: number,
	within?: Components,
): Components {
	const search = new Search(graph, admitted, within);
	const roots = within === undefined ? graph.heads.keys() : within.members.flat();
	for (const root of roots) search.visit(root);
	return { of: search.of, members: search.members };
}

class Search<T extends Node> {
	readonly of: Int32Array;
	readonly members: number[][] = [];
	readonly #graph: Graph<T>;
	readonly #admitted: number;
	readonly #within: Int32Array | undefined;
	/** By node; 0: not yet met. */
	readonly #order: Int32Array;
	readonly #low: Int32Array;
	/** By node on the path: the edge to look at next. */
	readonly #edge: Int32Array;
	readonly #onStack: Uint8Array;
	readonly #stack: number[] = [];
	#count = 0;

	constructor(graph: Graph<T>, admitted: number, within: Components | undefined) {
		const size = graph.heads.length;
		this.#graph = graph;
		this.#admitted = admitted;
		this.#within = within?.of;
		this.of = new Int32Array(size).fill(-1);
		this.#order = new Int32Array(size);
		this.#low = new Int32Array(size);
		this.#edge = new Int32Array(size);
		this.#onStack = new Uint8Array(size);
	}

	visit(root: number): void {
		if (this.#order[root] !== 0) return;
		const path = [root];
		this.#enter(root);
		while (path.length > 0) {
			const node = path[path.length - 1]!;
			const child = this.#step(node);
			if (child !== undefined) {
				this.#enter(child);
				path.push(child);
				continue;
			}
			path.pop();
			const parent = path[path.length - 1];
			if (parent !== undefined) this.#lower(parent, this.#low[node]!);
			if (this.#low[node] === this.#order[node]) this.#close(node);
		}
	}

	#enter(node: number): void {
		this.#order[node] = this.#low[node] = ++this.#count;
		this.#edge[node] = this.#graph.heads[node]!;
		this.#stack.push(node);
		this.#onStack[node] = 1;
	}

	#lower(node: number, low: number): void {
		if (low < this.#low[node]!) this.#low[node] = low;
	}

	/** The next target not yet met; undefined: no edges are left. */
	#step(node: number): number | undefined {
		const { targets, kinds, nexts } = this.#graph;
		for (let e = this.#edge[node]!; e >= 0; e = nexts[e]!) {
			if ((kinds[e]! & this.#admitted) === 0) continue;
			const to = targets[e]!;
			if (this.#within !== undefined && this.#within[to] !== this.#within[node]) continue;
			if (this.#order[to] === 0) {
				this.#edge[node] = nexts[e]!;
				return to;
			}
			if (this.#onStack[to] === 1) this.#lower(node, this.#order[to]!);
		}
		this.#edge[node] = -1;
		return undefined;
	}

	#close(node: number): void {
		const members: number[] = [];
		let member: number;
		do {
			member = this.#stack.pop()!;
			this.#onStack[member] = 0;
			members.push(member);
		} while (member !== node);
		if (members.length === 1) return;
		for (const m of members) this.of[m] = this.members.length;
		this.members.push(members.sort((a, b) => a - b));
	}
}
