import test from "ava";
import { cycles } from "./cycles.ts";
import { bit, type EdgeKind, Graph, type Node } from "./graph.ts";
import type { Step } from "./isolation.ts";
import { Random } from "./testing/random.ts";

const nodes = (count: number): Node[] =>
	Array.from({ length: count }, (_, id) => ({ id, invoked: 0, completed: 9 }));
const label = { key: "x" };

/** Whom a node reaches over one edge and the auxiliary nodes behind it. */
function reached(graph: Graph, from: number): number[] {
	const out = new Set<number>();
	const path = [from];
	const met = new Set<number>();
	for (const node of path) {
		for (let e = graph.heads[node]!; e >= 0; e = graph.nexts[e]!) {
			const to = graph.targets[e]!;
			if (to < graph.nodes.length) out.add(to);
			else if (!met.has(to)) path.push(to);
			met.add(to);
		}
	}
	return [...out].sort((a, b) => a - b);
}

test("a fan leads from each source to each target but itself, however large", (t) => {
	for (const count of [1, 2, 5, 30]) {
		const all = nodes(40);
		const [sources, targets] = [all.slice(0, count), all.slice(count >> 1, (count >> 1) + count)];
		const graph = new Graph(all);
		graph.fan(sources, targets, "rw", () => label);
		for (const source of sources) {
			const expected = targets.filter((n) => n !== source).map((n) => n.id);
			t.deepEqual(reached(graph, source.id), expected, `${count}, from ${source.id}`);
		}
		t.true(graph.targets.length <= 10 * count);
	}
});

test("real time leads to all that began after an end, over a chain", (t) => {
	for (let seed = 1; seed <= 100; seed++) {
		const random = new Random(seed);
		const all = nodes(20).map(({ id }): Node => {
			const invoked = random.below(30);
			const isOpen = random.chance(0.1);
			return {
				id,
				invoked,
				completed: isOpen ? Number.POSITIVE_INFINITY : invoked + random.below(10),
			};
		});
		const graph = new Graph(all);
		graph.realTime();
		t.true(graph.targets.length <= 3 * all.length);
		for (const a of all) {
			const expected = all.filter((b) => a.completed < b.invoked).map((b) => b.id);
			t.deepEqual(reached(graph, a.id), expected, `seed ${seed}, from ${a.id}`);
		}
	}
});

type Edge = readonly [number, number, EdgeKind];

/** All simple cycles, as kinds of their edges. */
function simpleCycles(edges: readonly Edge[], count: number): EdgeKind[][] {
	const out: EdgeKind[][] = [];
	const walk = (start: number, at: number, met: readonly number[], kinds: readonly EdgeKind[]) => {
		for (const [from, to, kind] of edges) {
			if (from !== at) continue;
			if (to === start) out.push([...kinds, kind]);
			else if (to > start && !met.includes(to)) walk(start, to, [...met, to], [...kinds, kind]);
		}
	};
	for (let start = 0; start < count; start++) walk(start, start, [start], []);
	return out;
}

const ranks = ["G0", "G1c", "G-single", "G-nonadjacent", "G2-item"];

function rankOf(kinds: readonly EdgeKind[]): number {
	const anti = kinds.filter((k) => k === "rw").length;
	if (anti < 2) return anti === 1 ? 2 : kinds.includes("wr") ? 1 : 0;
	return kinds.some((k, i) => k === "rw" && kinds[(i + 1) % kinds.length] === "rw") ? 4 : 3;
}

test("the worst kind of cycle is found, and a shortest one of it", (t) => {
	const seen = new Map<string, number>();
	for (let seed = 1; seed <= 3_000; seed++) {
		const random = new Random(seed);
		const count = 3 + random.below(4);
		const edges = Array.from({ length: count + random.below(6) }, (): Edge => {
			const kind = random.pick(["ww", "wr", "rw", "rw", "rw"] as const);
			const from = random.below(count);
			return [from, (from + 1 + random.below(count - 1)) % count, kind];
		});
		const all = nodes(count);
		const graph = new Graph(all);
		for (const [from, to, kind] of edges) graph.edge(all[from], all[to], kind, label);
		const found = cycles(graph, () => "", 10);
		const expected = simpleCycles(edges, count).map(
			(kinds) => [rankOf(kinds), kinds.length] as const,
		);
		const worst = Math.min(...expected.map(([rank]) => rank));
		const first = Math.min(...found.map((f) => ranks.indexOf(f.kind)));
		const steps = found.filter((f) => f.kind === ranks[first]).map((f) => f.steps!);
		for (const cycle of steps) t.true(isCycle(cycle, edges), `seed ${seed}`);
		// A walk without anti-dependencies in a row may pass a node twice.
		if (first === 3 && steps.some((s) => new Set(s.map((e) => e.from)).size < s.length)) continue;
		t.is(first, worst, `seed ${seed}`);
		if (found.length === 0) continue;
		const shortest = Math.min(...expected.filter(([r]) => r === worst).map(([, length]) => length));
		if (first !== 3) t.is(Math.min(...steps.map((s) => s.length)), shortest, `seed ${seed}`);
		const name = ranks[first]!;
		seen.set(name, (seen.get(name) ?? 0) + 1);
	}
	for (const name of ranks) t.true((seen.get(name) ?? 0) >= 10, `${name}: ${seen.get(name)}`);
});

function isCycle(steps: readonly Step[], edges: readonly Edge[]): boolean {
	return steps.every(({ from, to, kind }, i) => {
		const isLinked = steps[(i + 1) % steps.length]!.from === to;
		return isLinked && edges.some(([a, b, k]) => a === from && b === to && k === kind);
	});
}

test("each kind of edge has its own bit", (t) => {
	const bits = Object.values(bit);
	t.is(
		bits.reduce((sum, b) => sum | b, 0),
		bits.reduce<number>((sum, b) => sum + b, 0),
	);
});
