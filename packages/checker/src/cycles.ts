/**
 * The cycles of a dependency graph by kind (D13-D18), a shortest one of each kind in each component. Every search begins with an
 * edge that the kind demands and goes back to its source, level by level, over the edges that the kind admits. Within a component
 * where a kind was found, weaker ones are not looked for (D20).
 */
import { type Components, components } from "./components.ts";
import { bit, type Graph, type Label, type Node } from "./graph.ts";
import type { Anomaly, Step } from "./isolation.ts";

/** A kind without its order: the more, the weaker. */
interface Dependencies {
	readonly name: string;
	readonly rank: number;
	readonly isPredicate: boolean;
	/** One of them begins the cycle. */
	readonly demanded: number;
	readonly admitted: number;
	/** No two anti-dependencies in a row. */
	readonly isApart: boolean;
}

const { ww, wr, rw, prw, pass } = bit;
const anti = rw | prw;

const kind = (
	name: string,
	rank: number,
	demanded: number,
	admitted: number,
	isApart = false,
): Dependencies => ({ name, rank, demanded, admitted, isApart, isPredicate: demanded === prw });

const dependencies: readonly Dependencies[] = [
	kind("G0", 0, ww, ww),
	kind("G1c", 1, wr, ww | wr),
	kind("G-single", 2, rw, ww | wr),
	kind("G-single-predicate", 2, prw, ww | wr),
	kind("G-nonadjacent", 3, rw, ww | wr | rw, true),
	kind("G-nonadjacent-predicate", 3, prw, ww | wr | anti, true),
	kind("G2-item", 4, rw, ww | wr | rw),
	kind("G2", 4, prw, ww | wr | anti),
];

const orders = [
	{ suffix: "", edges: 0 },
	{ suffix: "-process", edges: bit.process },
	{ suffix: "-realtime", edges: bit.rt },
] as const;

interface Found {
	readonly rank: number;
	readonly isPredicate: boolean;
	readonly order: number;
}

const covers = (found: Found, rank: number, isPredicate: boolean, order: number): boolean =>
	found.rank <= rank && found.order <= order && (isPredicate || !found.isPredicate);

/** How the text of an edge is made, from the names of its ends. */
export type Describe = (kind: number, label: Label, from: string, to: string) => string;

/** At most `max` cycles of each kind. */
export function cycles<T extends Node>(
	graph: Graph<T>,
	describe: Describe,
	max: number,
): Anomaly[] {
	const out: Anomaly[] = [];
	const whole = components(graph, ww | wr | anti | bit.process | bit.rt | pass);
	if (whole.members.length === 0) return out;
	const found: Found[][] = whole.members.map(() => []);
	const paths = new Paths(graph);
	for (const [order, { suffix, edges }] of orders.entries()) {
		for (const d of dependencies) {
			const admitted = d.admitted | edges | pass;
			const parts = components(graph, admitted | d.demanded, whole);
			let count = 0;
			for (const [i, members] of parts.members.entries()) {
				if (count === max) break;
				const ofWhole = found[whole.of[members[0]!]!]!;
				const { rank, isPredicate } = d;
				const isCovered = ofWhole.some(
					(f) =>
						!(f.rank === rank && f.order === order && f.isPredicate === isPredicate) &&
						covers(f, rank, isPredicate, order),
				);
				if (isCovered) continue;
				const cycle = paths.shortest(members, parts, i, d.demanded, admitted, d.isApart);
				if (cycle === undefined) continue;
				count++;
				ofWhole.push({ rank, isPredicate, order });
				out.push(report(graph, describe, d.name + suffix, cycle));
			}
		}
	}
	return out;
}

/** Edges that one search for a shortest cycle looks at: beyond it the best one so far is taken. */
const visitsMax = 20_000_000;

class Paths<T extends Node> {
	readonly #graph: Graph<T>;
	/** By node and whether one came there by an anti-dependency: the number of the search that met it, the level, the edge. */
	readonly #met: Int32Array;
	readonly #level: Int32Array;
	readonly #edge: Int32Array;
	readonly #from: Int32Array;
	#search = 0;
	#visits = 0;

	constructor(graph: Graph<T>) {
		const size = 2 * graph.heads.length;
		this.#graph = graph;
		this.#met = new Int32Array(size);
		this.#level = new Int32Array(size);
		this.#edge = new Int32Array(size);
		this.#from = new Int32Array(size);
	}

	/** Its edges in order; the first is a demanded one. */
	shortest(
		members: readonly number[],
		parts: Components,
		part: number,
		demanded: number,
		admitted: number,
		isApart: boolean,
	): readonly number[] | undefined {
		const { heads, nexts, kinds, targets, nodes } = this.#graph;
		let best: readonly number[] | undefined;
		let levelsMax = Number.POSITIVE_INFINITY;
		this.#visits = 0;
		for (const start of members) {
			if (start >= nodes.length) break;
			for (let e = heads[start]!; e >= 0; e = nexts[e]!) {
				if ((kinds[e]! & demanded) === 0 || parts.of[targets[e]!] !== part) continue;
				const path = this.#back(start, e, parts, part, admitted, isApart, levelsMax);
				if (path !== undefined) {
					best = path.edges;
					// Another one is of use only if it is shorter.
					levelsMax = path.levels - 1;
				}
				if (levelsMax < 1 || (best !== undefined && this.#visits > visitsMax)) return best;
			}
		}
		return best;
	}

	/** From the edge's target back to its source in at most `levelsMax` steps, of which those along auxiliary nodes do not count. */
	#back(
		start: number,
		first: number,
		parts: Components,
		part: number,
		admitted: number,
		isApart: boolean,
		levelsMax: number,
	): { readonly edges: readonly number[]; readonly levels: number } | undefined {
		const { heads, nexts, kinds, targets } = this.#graph;
		this.#search++;
		const begin = 2 * targets[first]! + (isApart && (kinds[first]! & anti) !== 0 ? 1 : 0);
		this.#meet(begin, 0, first, -1);
		let states = [begin];
		for (let level = 0; states.length > 0 && level <= levelsMax; level++) {
			const next: number[] = [];
			// States that auxiliary nodes lead to join the same level while it is walked.
			for (let i = 0; i < states.length; i++) {
				const state = states[i]!;
				if (this.#level[state]! < level) continue;
				for (let e = heads[state >> 1]!; e >= 0; e = nexts[e]!) {
					this.#visits++;
					const kind = kinds[e]!;
					const to = targets[e]!;
					if ((kind & admitted) === 0 || parts.of[to] !== part) continue;
					const isPass = kind === pass;
					const isAnti = isPass ? (state & 1) === 1 : isApart && (kind & anti) !== 0;
					if (!isPass && isAnti && (state & 1) === 1) continue;
					const target = 2 * to + (isAnti ? 1 : 0);
					const levels = isPass ? level : level + 1;
					if (levels > levelsMax || !this.#meet(target, levels, e, state)) continue;
					// The cycle begins with what may be an anti-dependency: it does not end with one.
					if (to === start && !isAnti) return { edges: this.#walk(target), levels };
					(isPass ? states : next).push(target);
				}
			}
			states = next;
		}
		return undefined;
	}

	#meet(state: number, level: number, edge: number, from: number): boolean {
		if (this.#met[state] === this.#search && this.#level[state]! <= level) return false;
		this.#met[state] = this.#search;
		this.#level[state] = level;
		this.#edge[state] = edge;
		this.#from[state] = from;
		return true;
	}

	#walk(end: number): readonly number[] {
		const edges: number[] = [];
		for (let state = end; state >= 0; state = this.#from[state]!) edges.push(this.#edge[state]!);
		return edges.reverse();
	}
}

const kindNames = new Map<number, string>(Object.entries(bit).map(([name, b]) => [b, name]));

function report<T extends Node>(
	graph: Graph<T>,
	describe: Describe,
	name: string,
	edges: readonly number[],
): Anomaly {
	const { nodes, targets, kinds, labels } = graph;
	const steps: Step[] = [];
	// A cycle: the last edge leads to the source of the first.
	let from = nodes[targets[edges[edges.length - 1]!]!]!;
	let open: { readonly kind: number; label: Label | undefined } | undefined;
	for (const e of edges) {
		open ??= { kind: kinds[e]!, label: labels[e] };
		if (kinds[e] === pass && labels[e] !== undefined) {
			open.label = { ...labels[e], value: open.label?.value };
		}
		const to = nodes[targets[e]!];
		if (to === undefined) continue;
		const text = textOf(describe, open.kind, open.label, from, to);
		steps.push({ from: from.id, to: to.id, kind: kindNames.get(open.kind)!, text });
		from = to;
		open = undefined;
	}
	return { kind: name, explanation: steps.map((s) => s.text), steps };
}

function textOf(
	describe: Describe,
	kind: number,
	label: Label | undefined,
	from: Node,
	to: Node,
): string {
	const [a, b] = [`T${from.id}`, `T${to.id}`];
	if (kind === bit.rt) return `${a} had ended before ${b} began`;
	if (kind === bit.process) return `process ${from.process} ran ${a} before ${b}`;
	return describe(kind, label!, a, b);
}
