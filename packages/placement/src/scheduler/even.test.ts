/** Bytes and requests evenly over nodes, once the numbers of replicas and leases are. */
import { type NodeId, nodeId, type RangeId, rangeId, replicaId } from "@quorate/keys/ids";
import { key } from "@quorate/keys/key";
import { PlacementRules } from "@quorate/keys/placement-rule";
import type { RangeInfo } from "@quorate/keys/range";
import test from "ava";
import fc from "fast-check";
import { planMoves } from "./plan.ts";
import { rendezvousWeight } from "./rendezvous.ts";
import { Tally } from "./tally.ts";
import type { ClusterView, Move, NodeView } from "./view.ts";

const mega = 1 << 20;

interface Sized {
	readonly bytes: number;
	readonly rate: number;
	/** The first has the lease. */
	readonly on: readonly number[];
}

/** A cluster in which every move works at once. */
class Model {
	readonly nodes: readonly NodeView[];
	readonly ranges: RangeInfo[];
	readonly #sized: ReadonlyMap<RangeId, Sized>;
	readonly #atOnce: number;
	copies = 0;
	handOvers = 0;

	/** `atOnce`: moves of a node in a pass. */
	constructor(nodes: number, sized: readonly Sized[], atOnce = 4) {
		this.#atOnce = atOnce;
		this.nodes = Array.from({ length: nodes }, (_, i) => {
			return { nodeId: nodeId(i + 1), standing: "live" as const, isUp: true, locality: [] };
		});
		this.ranges = sized.map(({ on }, i) => rangeOn(i + 1, on.map(nodeId), nodeId(on[0]!)));
		this.#sized = new Map(sized.map((one, i) => [rangeId(i + 1), one]));
	}

	view(evensLoad = true): ClusterView {
		const { nodes, ranges } = this;
		return {
			nodes,
			ranges,
			underWay: new Map(),
			isResting: () => false,
			rules: new PlacementRules(),
			limits: { copiesPerNode: this.#atOnce, leasesPerNode: this.#atOnce },
			loads: {
				of: ({ rangeId: id, epoch }) => {
					const { bytes: sizeBytes, rate: requestsPerSecond } = this.#sized.get(id)!;
					const { version } = epoch;
					return { rangeId: id, version, sizeBytes, requestsPerSecond, byHand: false };
				},
			},
			evensLoad,
		};
	}

	#make(move: Move): void {
		const at = move.range.rangeId - 1;
		const { descriptor, leaseholder } = this.ranges[at]!;
		const held = descriptor.replicas.map((r) => r.nodeId);
		if (move.kind === "lease") {
			this.handOvers++;
			this.ranges[at] = rangeOn(descriptor.rangeId, held, move.to);
		} else {
			this.copies += move.added.length;
			const stays = move.nodes.includes(leaseholder!);
			this.ranges[at] = rangeOn(
				descriptor.rangeId,
				move.nodes,
				stays ? leaseholder! : move.nodes[0]!,
			);
		}
	}

	/** Until nothing is left to do. */
	settle(passesMax: number, evensLoad = true): void {
		for (let pass = 0; pass < passesMax; pass++) {
			const { moves, isSettled } = planMoves(this.view(evensLoad));
			if (moves.length === 0) {
				if (!isSettled) throw new Error("nothing moves, and it is not settled");
				return;
			}
			for (const move of moves) this.#make(move);
		}
		throw new Error(`not settled after ${passesMax} passes`);
	}

	/** By node. */
	sums(of: "bytes" | "rate" | "replicas" | "leases"): number[] {
		const sums = new Map<NodeId, number>(this.nodes.map((n) => [n.nodeId, 0]));
		for (const { descriptor, leaseholder } of this.ranges) {
			const sized = this.#sized.get(descriptor.rangeId)!;
			const isOfOne = of === "rate" || of === "leases";
			const on = isOfOne ? [leaseholder!] : descriptor.replicas.map((r) => r.nodeId);
			const isCount = of === "replicas" || of === "leases";
			for (const id of on) sums.set(id, sums.get(id)! + (isCount ? 1 : sized[of]));
		}
		return [...sums.values()];
	}
}

function rangeOn(id: number, on: readonly NodeId[], leaseholder: NodeId): RangeInfo {
	const replicas = on.map((n) => ({
		nodeId: n,
		replicaId: replicaId(id * 100 + n),
		role: "voter" as const,
	}));
	const border = (n: number) => key(`k${String(n).padStart(6, "0")}`);
	const epoch = { version: 1, conf: 1 };
	return {
		descriptor: { rangeId: rangeId(id), start: border(id), end: border(id + 1), epoch, replicas },
		leaseholder,
	};
}

/** Evenly by number, wherever the large ones are. */
const inTurn = (i: number, nodes: number): readonly number[] =>
	[0, 1, 2].map((n) => 1 + ((i + n) % nodes));

const within = (sums: readonly number[], part: number): boolean => {
	const mean = sums.reduce((a, b) => a + b, 0) / sums.length;
	return sums.every((sum) => Math.abs(sum - mean) <= mean * part + 1e-6);
};

test("a thousand ranges on ten nodes, the large ones on some: bytes even out with few copies, then nothing moves", (t) => {
	// On nodes 1 to 3 most ranges are large.
	const sized = Array.from({ length: 1_000 }, (_, i): Sized => {
		const isLarge = i % 10 === 0 || i % 10 === 1;
		return { bytes: (isLarge ? 40 + (i % 23) : 4 + (i % 7)) * mega, rate: 0, on: inTurn(i, 10) };
	});
	const model = new Model(10, sized);
	const before = model.sums("bytes");
	t.false(within(before, 0.5));
	const mean = before.reduce((a, b) => a + b, 0) / 10;
	const over = before.reduce((sum, bytes) => sum + Math.max(0, bytes - 1.1 * mean), 0);
	const under = before.reduce((sum, bytes) => sum + Math.max(0, 0.9 * mean - bytes), 0);
	// Numbers stay even as well, so most of it is an exchange: of the largest for the smallest, at best.
	const fewest = 2 * Math.ceil(Math.max(over, under) / ((62 - 4) * mega));
	model.settle(500);
	t.log(`${model.copies} copies; ${fewest} if every exchange were of the largest for the smallest`);
	t.true(within(model.sums("bytes"), 0.1));
	t.true(model.copies <= 1.5 * fewest, `${model.copies} copies`);
	const { copies } = model;
	model.settle(1);
	t.is(model.copies, copies);
});

/** Most ranges are nearly empty, a few are full, and there is everything between. */
function sizeOf(i: number): number {
	const noise = (Math.imul(i + 1, 2_654_435_761) >>> 0) / 2 ** 32;
	return Math.round(64 * mega * noise ** 8);
}

/** Of the bytes that a node holds too many or too few of, each copy takes or brings the largest range's at best. */
function fewestForBytes(model: Model): number {
	const sums = model.sums("bytes");
	const mean = sums.reduce((a, b) => a + b, 0) / sums.length;
	const far = (sign: 1 | -1) =>
		sums.reduce((sum, bytes) => sum + Math.max(0, sign * (bytes - mean) - 0.1 * mean), 0);
	return Math.ceil(Math.max(far(1), far(-1)) / (64 * mega));
}

test("ten nodes join forty with 10,000 ranges of uneven size: few copies more than needed, then nothing moves", (t) => {
	const ids = Array.from({ length: 40 }, (_, n) => nodeId(n + 1));
	const sized = Array.from({ length: 10_000 }, (_, i): Sized => {
		const weight = (id: NodeId) => rendezvousWeight(rangeId(i + 1), id);
		const on = ids.toSorted((a, b) => weight(b) - weight(a)).slice(0, 3);
		return { bytes: sizeOf(i), rate: 0, on };
	});
	const model = new Model(50, sized, 50);
	const { low, high } = Tally.band(30_000, 50);
	const over = model.sums("replicas").reduce((sum, n) => sum + Math.max(0, n - high), 0);
	const fewest = Math.max(over, 10 * low, fewestForBytes(model));
	model.settle(2_000);
	t.log(`${model.copies} copies, ${fewest} are needed`);
	t.true(within(model.sums("bytes"), 0.1), String(model.sums("bytes")));
	const counts = model.sums("replicas");
	t.true(
		counts.every((count) => count >= low && count <= high),
		String(counts),
	);
	t.true(model.copies <= 1.5 * fewest, `${model.copies} copies, ${fewest} are needed`);
	const { copies, handOvers } = model;
	model.settle(1);
	t.deepEqual([model.copies, model.handOvers], [copies, handOvers]);
});

test("what is asked for evens out over those who have the replicas", (t) => {
	// Each three of six nodes have three ranges, and each of them the lease of one; those of the first are busy.
	const six = [1, 2, 3, 4, 5, 6];
	const sized = six.flatMap((a) =>
		six.flatMap((b) =>
			six.flatMap((c): Sized[] => {
				const isBusy = a === 1;
				return b < c && a !== b && a !== c
					? [{ bytes: mega, rate: isBusy ? 900 : 30, on: [a, b, c] }]
					: [];
			}),
		),
	);
	t.is(sized.length, 60);
	const model = new Model(6, sized);
	t.deepEqual(model.sums("rate"), [9_000, 300, 300, 300, 300, 300]);
	model.settle(100);
	const rates = model.sums("rate");
	t.log(`${model.handOvers} leases moved: ${rates.join(", ")}`);
	// The mean is 1750, and a busy range cannot be divided here.
	t.true(Math.max(...rates) <= 2_250 && Math.min(...rates) >= 1_000);
	t.is(model.copies, 0);
	t.true(model.handOvers <= 40, `${model.handOvers} leases moved`);
});

test("a node gets leases that are asked for in steps, a quarter of what it has, and those of idle ranges at once", (t) => {
	const taken = (rate: number, has: number, isWarmingUp = false): number => {
		const sized = Array.from({ length: 80 }, (_, i): Sized => {
			const [a, b, c] = inTurn(i, 3) as [number, number, number];
			const four = i % 4 === 3 ? [a, b, c] : i < (has * 4) / 3 ? [4, a, b] : [a, b, 4];
			return { bytes: mega, rate, on: four };
		});
		const view = new Model(4, sized, 50).view();
		const { moves, isSettled } = planMoves({ ...view, isWarmingUp: () => isWarmingUp });
		t.false(isSettled);
		return moves.filter((move) => move.kind === "lease" && move.to === 4).length;
	};
	t.deepEqual([taken(0, 0), taken(0.5, 0, true)], [18, 18]);
	t.deepEqual([taken(8, 0), taken(8, 3), taken(8, 12), taken(8, 12, true)], [1, 1, 3, 0]);
});

test("while one has too few leases nobody else gets any", (t) => {
	const sized = Array.from({ length: 24 }, (_, i): Sized => {
		return { bytes: mega, rate: 8, on: inTurn(i, 3) };
	});
	const model = new Model(4, sized, 2);
	model.settle(100, false);
	t.deepEqual([model.handOvers, model.sums("leases")], [6, [6, 6, 6, 6]]);
});

test("a node with few leases rather gets one that leaves its giver the busier of the two", (t) => {
	const sized = Array.from({ length: 24 }, (_, i): Sized => {
		const [a, b, c] = inTurn(i, 3) as [number, number, number];
		return { bytes: mega, rate: i === 0 ? 200 : 8, on: i % 4 === 3 ? [a, b, c] : [a, b, 4] };
	});
	const { moves } = planMoves(new Model(4, sized).view());
	const taken = moves.filter((move) => move.kind === "lease" && move.to === 4);
	t.deepEqual(
		taken.map(({ range }) => range.rangeId),
		[rangeId(7)],
	);
});

test("small differences move nothing", (t) => {
	const sized = Array.from({ length: 30 }, (_, i): Sized => {
		const isFirst = i % 3 === 0;
		return { bytes: (isFirst ? 3 : 2) * mega, rate: isFirst ? 8 : 1, on: inTurn(i, 3) };
	});
	const model = new Model(3, sized);
	model.settle(1);
	t.deepEqual([model.copies, model.handOvers], [0, 0]);
});

test("whatever ranges hold and are asked for, there is an end", (t) => {
	const sizes = fc.record({
		bytes: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 200 * mega })),
		rate: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 3_000 })),
		on: fc.shuffledSubarray([1, 2, 3, 4, 5, 6, 7], { minLength: 3, maxLength: 3 }),
	});
	fc.assert(
		fc.property(fc.array(sizes, { minLength: 1, maxLength: 40 }), (sized) => {
			const model = new Model(7, sized);
			model.settle(300);
			const { copies, handOvers } = model;
			model.settle(1);
			if (model.copies + model.handOvers !== copies + handOvers) throw new Error("it moves again");
		}),
		{ numRuns: 200, seed: 4 },
	);
	t.pass();
});
