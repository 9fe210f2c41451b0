import { type NodeId, nodeId, rangeId, replicaId } from "@quorate/keys/ids";
import { key } from "@quorate/keys/key";
import { parseLocality, sharedTiers } from "@quorate/keys/locality";
import {
	defaultRule,
	isAllowed,
	isPreferred,
	type PlacementRule,
	PlacementRules,
	parseConstraints,
} from "@quorate/keys/placement-rule";
import type { RangeInfo } from "@quorate/keys/range";
import test from "ava";
import fc from "fast-check";
import { planMoves } from "./plan.ts";
import { rendezvousWeight } from "./rendezvous.ts";
import { Tally } from "./tally.ts";
import type { ClusterView, Move, NodeView, PlanLimits } from "./view.ts";

const few: PlanLimits = { copiesPerNode: 2, leasesPerNode: 4 };
/** So that a test takes few passes. */
const many: PlanLimits = { copiesPerNode: 50, leasesPerNode: 50 };

/** Moves ranges as a cluster would in which everything works at once. */
class Model {
	nodes: NodeView[];
	ranges: RangeInfo[];
	rules = new PlacementRules();
	copies = 0;
	handOvers = 0;
	#replicas = 1_000_000;
	readonly #limits: PlanLimits;

	constructor(nodes: NodeView[], ranges: RangeInfo[], limits: PlanLimits = few) {
		this.nodes = nodes;
		this.ranges = ranges;
		this.#limits = limits;
	}

	view(underWay: ClusterView["underWay"] = new Map()): ClusterView {
		const { nodes, ranges } = this;
		return {
			nodes,
			ranges,
			underWay,
			isResting: () => false,
			rules: this.rules,
			limits: this.#limits,
		};
	}

	make(move: Move): void {
		const at = this.ranges.findIndex((r) => r.descriptor.rangeId === move.range.rangeId);
		const { descriptor, leaseholder } = this.ranges[at]!;
		if (move.kind === "lease") {
			this.handOvers++;
			this.ranges[at] = { descriptor, leaseholder: move.to };
			return;
		}
		this.copies += move.added.length;
		const replicas = move.nodes.map((id) => {
			const present = descriptor.replicas.find((r) => r.nodeId === id);
			const replica = present?.replicaId ?? replicaId(this.#replicas++);
			return { nodeId: id, replicaId: replica, role: "voter" as const };
		});
		const holder =
			leaseholder !== undefined && move.nodes.includes(leaseholder) ? leaseholder : move.nodes[0];
		this.ranges[at] = { descriptor: { ...descriptor, replicas }, leaseholder: holder };
	}

	/** Until nothing is left to do; how many passes that took. */
	settle(passesMax: number): number {
		for (let pass = 0; pass < passesMax; pass++) {
			const { moves, isSettled } = planMoves(this.view());
			if (moves.length === 0) {
				if (!isSettled) throw new Error("nothing moves, and it is not settled");
				return pass;
			}
			for (const move of moves) this.make(move);
		}
		throw new Error(`not settled after ${passesMax} passes`);
	}

	counts(of: "replicas" | "leases"): Map<NodeId, number> {
		const counts = new Map(this.nodes.map((n) => [n.nodeId, 0]));
		for (const { descriptor, leaseholder } of this.ranges) {
			const ids = of === "leases" ? [leaseholder!] : descriptor.replicas.map((r) => r.nodeId);
			for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
		}
		return counts;
	}
}

const live = (id: number, locality = ""): NodeView => ({
	nodeId: nodeId(id),
	standing: "live",
	isUp: true,
	locality: parseLocality(locality)!,
});

function rangeOn(
	id: number,
	nodes: readonly number[],
	learners: readonly number[] = [],
): RangeInfo {
	const replica = (n: number, role: "voter" | "learner") => ({
		nodeId: nodeId(n),
		replicaId: replicaId(id * 100 + n),
		role,
	});
	return {
		descriptor: {
			rangeId: rangeId(id),
			start: key(`k${String(id).padStart(6, "0")}`),
			end: key(`k${String(id + 1).padStart(6, "0")}`),
			epoch: { version: 1, conf: 1 },
			replicas: [
				...nodes.map((n) => replica(n, "voter")),
				...learners.map((n) => replica(n, "learner")),
			],
		},
		leaseholder: nodes[0] === undefined ? undefined : nodeId(nodes[0]),
	};
}

const onNodes = ({ descriptor }: RangeInfo): NodeId[] =>
	descriptor.replicas.map((r) => r.nodeId).sort((a, b) => a - b);

function assertBalanced(model: Model): void {
	const holding = model.nodes.filter((n) => n.standing === "live").map((n) => n.nodeId);
	for (const what of ["replicas", "leases"] as const) {
		const counts = model.counts(what);
		const total = holding.reduce((sum, id) => sum + counts.get(id)!, 0);
		const { low, high } = Tally.band(total, holding.length);
		for (const id of holding) {
			const count = counts.get(id)!;
			// Who holds which replicas stands in the way of leases now and then: one goes only from more to fewer.
			const slack = what === "leases" ? 2 : 0;
			if (count < low - slack || count > high + slack) {
				throw new Error(`node ${id} has ${count} ${what}, not ${low} to ${high}`);
			}
		}
	}
}

/** However replicas are moved: each move takes at most one from a node above the band, or brings one to a node below it. */
function fewestCopies(model: Model): number {
	const counts = [...model.counts("replicas").values()];
	const { low, high } = Tally.band(
		counts.reduce((a, b) => a + b, 0),
		counts.length,
	);
	const over = counts.reduce((sum, count) => sum + Math.max(0, count - high), 0);
	const under = counts.reduce((sum, count) => sum + Math.max(0, low - count), 0);
	return Math.max(over, under);
}

/** Forty nodes hold ranges evenly, ten have just come. */
function tenJoinForty(rangeCount: number, limits: PlanLimits): Model {
	const nodes = Array.from({ length: 50 }, (_, i) => live(i + 1));
	const ranges = Array.from({ length: rangeCount }, (_, i) => {
		const byWeight = Array.from({ length: 40 }, (_, n) => n + 1).sort(
			(a, b) =>
				rendezvousWeight(rangeId(i + 1), nodeId(b)) - rendezvousWeight(rangeId(i + 1), nodeId(a)),
		);
		return rangeOn(i + 1, byWeight.slice(0, 3));
	});
	return new Model(nodes, ranges, limits);
}

test("ten nodes join forty with 10,000 ranges: few moves more than needed, then nothing moves", (t) => {
	const model = tenJoinForty(10_000, many);
	const fewest = fewestCopies(model);
	t.true(fewest > 5_000);
	model.settle(2_000);
	t.true(model.copies <= 1.5 * fewest, `${model.copies} copies, ${fewest} are needed`);
	assertBalanced(model);
	t.log(`${model.copies} copies (${fewest} are needed), ${model.handOvers} leases`);
	const { copies, handOvers } = model;
	t.is(model.settle(1), 0);
	t.deepEqual([model.copies, model.handOvers], [copies, handOvers]);
});

test("the same where moves take their time, some fail, and what came of them is known later", (t) => {
	const model = tenJoinForty(10_000, many);
	const fewest = fewestCopies(model);
	let noise = 1;
	const draw = (below: number): number => {
		noise = (Math.imul(noise, 1664525) + 1013904223) >>> 0;
		return (noise >>> 8) % below;
	};
	const underWay = new Map<RangeInfo["descriptor"]["rangeId"], Move>();
	const ends = new Map<Move, number>();
	/** Ranges are left alone until that pass. */
	const rests = new Map<RangeInfo["descriptor"]["rangeId"], number>();
	const settled = (pass: number): boolean => {
		for (const [id, move] of underWay) {
			if (ends.get(move)! > pass) continue;
			underWay.delete(id);
			rests.set(id, pass + 1);
			if (draw(50) > 0) model.make(move);
		}
		const isResting = ({ descriptor }: RangeInfo) => (rests.get(descriptor.rangeId) ?? 0) > pass;
		const { moves, isSettled } = planMoves({ ...model.view(underWay), isResting });
		for (const move of moves) {
			underWay.set(move.range.rangeId, move);
			ends.set(move, pass + 1 + draw(4));
		}
		return isSettled && underWay.size === 0;
	};
	let pass = 0;
	while (!settled(pass)) {
		if (++pass > 2_000) throw new Error("not settled");
	}
	t.log(`${model.copies} copies (${fewest} are needed), ${model.handOvers} leases, ${pass} passes`);
	t.true(model.copies <= 1.5 * fewest, `${model.copies} copies, ${fewest} are needed`);
	assertBalanced(model);
	const { copies, handOvers } = model;
	for (let again = 1; again <= 10; again++) t.true(settled(pass + again));
	t.deepEqual([model.copies, model.handOvers, underWay.size], [copies, handOvers, 0]);
});

test("everything on three of fifty nodes is spread over all", (t) => {
	const nodes = Array.from({ length: 50 }, (_, i) => live(i + 1));
	const ranges = Array.from({ length: 1_000 }, (_, i) => rangeOn(i + 1, [1, 2, 3]));
	const model = new Model(nodes, ranges, many);
	const fewest = fewestCopies(model);
	model.settle(2_000);
	t.true(model.copies <= 1.5 * fewest, `${model.copies} copies, ${fewest} are needed`);
	assertBalanced(model);
});

const clusters = fc
	.record({
		standings: fc.array(
			fc.constantFrom("live", "live", "live", "live", "leaving", "dead", "silent", "stopping"),
			{ minLength: 1, maxLength: 9 },
		),
		placements: fc.array(
			fc.record({
				nodes: fc.uniqueArray(fc.integer({ min: 1, max: 10 }), { minLength: 1, maxLength: 4 }),
				learners: fc.integer({ min: 0, max: 1 }),
			}),
			{ minLength: 1, maxLength: 40 },
		),
	})
	.map(({ standings, placements }) => {
		const nodes = standings.map((s, i): NodeView => {
			const standing = s === "dead" ? "leaving" : s;
			const isUp = s !== "dead" && s !== "silent";
			return { nodeId: nodeId(i + 1), standing, isUp, locality: [] };
		});
		const ranges = placements.map(({ nodes: on, learners }, i) => {
			const voters = on.slice(0, Math.max(1, on.length - learners));
			return rangeOn(i + 1, voters, on.slice(voters.length));
		});
		return { nodes, ranges };
	});

test("any cluster settles: what can be repaired is, what cannot is said, the rest is in balance", (t) => {
	fc.assert(
		fc.property(clusters, ({ nodes, ranges }) => {
			const model = new Model([...nodes], [...ranges]);
			model.settle(400);
			const { obstacles, moves } = planMoves(model.view());
			if (moves.length > 0) throw new Error("it moves again");
			const said = new Set(obstacles.map((o) => o.rangeId));
			const leaving = new Set(nodes.filter((n) => n.standing === "leaving").map((n) => n.nodeId));
			const known = new Set(nodes.map((n) => n.nodeId));
			for (const range of model.ranges) {
				const { replicas, rangeId: id } = range.descriptor;
				if (new Set(onNodes(range)).size !== replicas.length) throw new Error("two on one node");
				if (said.has(id)) continue;
				const isPlaced = replicas.every(
					(r) => r.role === "voter" && known.has(r.nodeId) && !leaving.has(r.nodeId),
				);
				const taking = nodes.filter((n) => n.standing !== "leaving").length;
				const isEnough = replicas.length === 3 || (taking < 3 && replicas.length === 1);
				if (!isPlaced || !isEnough) throw new Error(`range ${id} is not placed, and nothing said`);
			}
			const allLive = nodes.every((n) => n.standing === "live" || n.standing === "leaving");
			if (said.size === 0 && allLive && taking(nodes) >= 3) assertBalanced(model);
		}),
		{ numRuns: 400, seed: 1 },
	);
	t.pass();
});

const taking = (nodes: readonly NodeView[]) => nodes.filter((n) => n.standing === "live").length;

test("a pass gives no node more than a few copies, those under way among them", (t) => {
	fc.assert(
		fc.property(clusters, ({ nodes, ranges }) => {
			const model = new Model([...nodes], [...ranges]);
			const underWay = new Map<RangeInfo["descriptor"]["rangeId"], Move>();
			for (let pass = 0; pass < 4; pass++) {
				for (const move of planMoves(model.view(underWay)).moves) {
					if (underWay.has(move.range.rangeId)) throw new Error("it is under way already");
					underWay.set(move.range.rangeId, move);
				}
				for (const { nodeId: id } of nodes) {
					const copies = [...underWay.values()].filter((m) => m.kind === "replicas");
					const received = copies.filter((m) => m.added.includes(id)).length;
					if (received > few.copiesPerNode) throw new Error(`${received} copies at once`);
					const leases = [...underWay.values()].filter(
						(m) => m.kind === "lease" && (m.from === id || m.to === id),
					).length;
					if (leases > few.leasesPerNode) throw new Error(`${leases} leases at once`);
				}
			}
		}),
		{ numRuns: 200, seed: 2 },
	);
	t.pass();
});

test("the same is decided in whatever order nodes are told", (t) => {
	const ranges = Array.from({ length: 30 }, (_, i) => rangeOn(i + 1, [1, 2, 3]));
	const nodes = [1, 2, 3, 4, 5, 6].map((id) => live(id));
	const forwards = planMoves(new Model(nodes, ranges).view());
	const again = planMoves(new Model(nodes, ranges).view());
	t.deepEqual(forwards, again);
	t.true(forwards.moves.length > 0);
});

test("one more node draws few ranges away from where they were going", (t) => {
	const choice = (count: number) =>
		Array.from({ length: 1_000 }, (_, i) => {
			const weights = Array.from({ length: count }, (_, n) => ({
				n,
				weight: rendezvousWeight(rangeId(i), nodeId(n + 1)),
			}));
			return weights.sort((a, b) => b.weight - a.weight)[0]!.n;
		});
	const [before, after] = [choice(9), choice(10)];
	const changed = after.filter((n, i) => n !== before[i]);
	t.true(changed.every((n) => n === 9));
	t.true(changed.length > 60 && changed.length < 150, String(changed.length));
});

test("a learner that a dead leader left is finished or undone, whichever is the emptier node", (t) => {
	const nodes = [1, 2, 3, 4].map((id) => live(id));
	const others = [2, 3, 4, 5, 6, 7].map((id) => rangeOn(id, [1, 2, 3]));
	const finished = planMoves(new Model(nodes, [rangeOn(1, [1, 2, 3], [4]), ...others]).view());
	const [move] = finished.moves.filter((m) => m.range.rangeId === 1);
	t.true(move?.kind === "replicas" && move.nodes.includes(nodeId(4)) && move.added.length === 0);
	const busy = [2, 3, 4, 5, 6, 7].map((id) => rangeOn(id, [4, 2, 3]));
	const undone = planMoves(new Model(nodes, [rangeOn(1, [1, 2, 3], [4]), ...busy]).view());
	const [other] = undone.moves.filter((m) => m.range.rangeId === 1);
	t.deepEqual(other?.kind === "replicas" ? [...other.nodes].sort() : [], [1, 2, 3].map(nodeId));
});

test("what cannot be placed is said with the reason", (t) => {
	const dead: NodeView = { nodeId: nodeId(3), standing: "leaving", isUp: false, locality: [] };
	const lame = planMoves(new Model([live(1), live(2), dead], [rangeOn(1, [1, 2, 3])]).view());
	t.deepEqual(lame.moves, []);
	t.regex(lame.obstacles[0]!.reason, /3 replicas, and 2 can stay/);
	const lost: NodeView = { nodeId: nodeId(2), standing: "leaving", isUp: false, locality: [] };
	const nodes = [live(1), lost, dead, live(4), live(5)];
	const stuck = planMoves(new Model(nodes, [rangeOn(1, [1, 2, 3])]).view());
	t.deepEqual(stuck.moves, []);
	t.regex(stuck.obstacles[0]!.reason, /1 of its 3 voting replicas run/);
});

const places = [
	"",
	"region=eu",
	"region=eu,zone=a",
	"region=eu,zone=b",
	"region=us,zone=a",
	"region=as",
];
const constraints = ["", "+region=eu", "-region=eu", "+region=eu,-zone=b", "+region=nowhere"];

const located = fc
	.record({
		places: fc.array(fc.constantFrom(...places), { minLength: 1, maxLength: 9 }),
		replicas: fc.constantFrom(1, 3, 5),
		constraints: fc.constantFrom(...constraints),
		preference: fc.constantFrom("", "region=eu", "zone=a"),
		ranges: fc.array(
			fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
			{
				minLength: 1,
				maxLength: 20,
			},
		),
	})
	.map((given) => {
		const nodes = given.places.map((place, i) => live(i + 1, place));
		const ranges = given.ranges.map((on, i) => {
			const there = on.filter((id) => id <= nodes.length);
			return rangeOn(i + 1, there.length === 0 ? [1] : there);
		});
		const rule: PlacementRule = {
			replicas: given.replicas,
			constraints: parseConstraints(given.constraints)!,
			leasePreference: parseLocality(given.preference)!,
			isConfigured: true,
		};
		return { nodes, ranges, rule };
	});

/** How often two replicas share the first tier, then the first two, of the least that is possible with these nodes. */
function spreadOf(nodes: readonly NodeView[]): string {
	const tiers = [1, 2].map((count) => {
		let pairs = 0;
		for (const [i, a] of nodes.entries()) {
			pairs += nodes
				.slice(0, i)
				.filter((b) => sharedTiers(a.locality, b.locality, 2) >= count).length;
		}
		return String(pairs).padStart(3, "0");
	});
	return tiers.join("/");
}

function* subsets<T>(of: readonly T[], count: number): Generator<readonly T[]> {
	if (count === 0) yield [];
	else
		for (const [i, first] of of.entries()) {
			for (const rest of subsets(of.slice(i + 1), count - 1)) yield [first, ...rest];
		}
}

test("replicas are where the rule wants them and as far from each other as they can be, or it is said", (t) => {
	let unsaid = 0;
	fc.assert(
		fc.property(located, ({ nodes, ranges, rule }) => {
			const model = new Model([...nodes], [...ranges], many);
			model.rules = new PlacementRules(rule);
			model.settle(400);
			const said = new Set(planMoves(model.view()).obstacles.map((o) => o.rangeId));
			const allowed = nodes.filter((n) => isAllowed(rule, n.locality));
			const preferred = allowed.filter((n) => isPreferred(rule, n.locality));
			const wanted = [...subsets(allowed, rule.replicas)].filter(
				(set) => preferred.length === 0 || set.some((n) => preferred.includes(n)),
			);
			const best = wanted.map(spreadOf).sort()[0];
			for (const range of model.ranges) {
				const on = onNodes(range).map((id) => nodes.find((n) => n.nodeId === id)!);
				if (said.has(range.descriptor.rangeId)) {
					if (best !== undefined) throw new Error("it could be placed");
					continue;
				}
				unsaid++;
				if (best === undefined) throw new Error("it cannot be placed, and nothing is said");
				const isRight = on.length === rule.replicas && on.every((n) => allowed.includes(n));
				if (!isRight) throw new Error("it is not where it is to be");
				if (spreadOf(on) !== best) throw new Error(`${spreadOf(on)} and not ${best}`);
				const holder = nodes.find((n) => n.nodeId === range.leaseholder)!;
				if (preferred.length > 0 && !preferred.includes(holder)) throw new Error("the lease");
			}
		}),
		{ numRuns: 600, seed: 3 },
	);
	t.true(unsaid > 1_000, String(unsaid));
});

test("three regions: each has a replica of each range, and within them nodes are in balance", (t) => {
	const nodes = ["eu", "eu", "us", "us", "us", "as"].map((r, i) => live(i + 1, `region=${r}`));
	const ranges = Array.from({ length: 60 }, (_, i) => rangeOn(i + 1, [1, 2, 3]));
	const model = new Model(nodes, ranges, many);
	model.settle(100);
	const regions = () => {
		const [a, b, c, d, e, f] = [...model.counts("replicas").values()] as number[];
		t.true(Math.abs(a! - b!) <= 6 && Math.max(c!, d!, e!) - Math.min(c!, d!, e!) <= 6);
		return [a! + b!, c! + d! + e!, f!];
	};
	t.deepEqual(regions(), [60, 60, 60]);
	t.true(Math.max(...model.counts("leases").values()) <= 13);
	// A region that dies gives its replicas to the others, and gets them back.
	model.nodes = nodes.with(5, { ...nodes[5]!, standing: "leaving", isUp: false });
	model.settle(100);
	t.deepEqual([...model.counts("replicas").values()].at(-1), 0);
	model.nodes = nodes;
	model.settle(100);
	t.deepEqual(regions(), [60, 60, 60]);
});

test("five replicas instead of three, one, and three again; other tables stay as they are", (t) => {
	const nodes = ["eu", "eu", "us", "us", "as", "as"].map((r, i) => live(i + 1, `region=${r}`));
	const ranges = Array.from({ length: 20 }, (_, i) => rangeOn(i + 1, [1, 3, 5]));
	const model = new Model(nodes, ranges, many);
	model.settle(50);
	const { start, end } = ranges[3]!.descriptor;
	for (const replicas of [5, 1, 3]) {
		const rule = { ...defaultRule, replicas };
		model.rules = new PlacementRules(defaultRule, [{ span: { start, end }, rule }]);
		model.settle(50);
		t.deepEqual(
			model.ranges.map((range) => onNodes(range).length),
			model.ranges.map((_, i) => (i === 3 ? replicas : 3)),
		);
	}
});

test("what a rule wants and the nodes do not give is said", (t) => {
	const nodes = ["eu", "eu", "us", "us"].map((r, i) => live(i + 1, `region=${r}`));
	const model = new Model(nodes, [rangeOn(1, [1, 3, 4])]);
	const rule = { ...defaultRule, constraints: parseConstraints("+region=eu")!, isConfigured: true };
	model.rules = new PlacementRules(rule);
	model.settle(10);
	t.deepEqual(onNodes(model.ranges[0]!).slice(0, 2).sort(), [1, 2].map(nodeId));
	const [obstacle] = planMoves(model.view()).obstacles;
	t.regex(
		obstacle!.reason,
		/replicas on node 3|4 \(region=us\) and is to have 3 where \+region=eu holds/,
	);
	model.rules = new PlacementRules({ ...defaultRule, replicas: 5, isConfigured: true });
	model.settle(10);
	const [few] = planMoves(model.view()).obstacles;
	t.is(few!.reason, "5 replicas are configured, and it has 3: there are 4 nodes for them");
});

test("leases leave a node that stops, its replicas stay", (t) => {
	const stopping: NodeView = { nodeId: nodeId(1), standing: "stopping", isUp: true, locality: [] };
	const model = new Model(
		[stopping, live(2), live(3)],
		Array.from({ length: 20 }, (_, i) => rangeOn(i + 1, [1, 2, 3])),
	);
	model.settle(100);
	t.is(model.counts("leases").get(nodeId(1)), 0);
	t.is(model.copies, 0);
});
