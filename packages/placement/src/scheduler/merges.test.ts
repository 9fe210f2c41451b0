import { nodeId, rangeId, replicaId } from "@quorate/keys/ids";
import { key } from "@quorate/keys/key";
import { PlacementRules } from "@quorate/keys/placement-rule";
import type { RangeInfo } from "@quorate/keys/range";
import test from "ava";
import { type Merge, MergePlanner, type MergeRules } from "./merges.ts";
import { RangeLoads } from "./range-loads.ts";
import type { ClusterView, NodeView } from "./view.ts";

const rules: MergeRules = { maxBytes: 1_000, maxLoad: 100, afterMs: 1_000 };
const nodes: NodeView[] = [1, 2, 3, 4].map((id) => ({
	nodeId: nodeId(id),
	standing: "live",
	isUp: true,
	locality: [],
}));

const border = (n: number) => key(`k${String(n).padStart(3, "0")}`);

function rangeOf(id: number, from: number, to: number, on = [1, 2, 3], version = 1): RangeInfo {
	const replicas = on.map((n) => ({
		nodeId: nodeId(n),
		replicaId: replicaId(id * 10 + n),
		role: "voter" as const,
	}));
	const epoch = { version, conf: 1 };
	const descriptor = {
		rangeId: rangeId(id),
		start: border(from),
		end: border(to),
		epoch,
		replicas,
	};
	return { descriptor, leaseholder: nodeId(on[0]!) };
}

/** Ranges next to each other with what is known of each, and time that passes. */
class Model {
	ranges: RangeInfo[];
	readonly loads = new RangeLoads();
	readonly planner = new MergePlanner();
	underWay: ClusterView["underWay"] = new Map();
	nowMs = 10_000;

	constructor(ranges: RangeInfo[]) {
		this.ranges = ranges;
	}

	say(info: RangeInfo, sizeBytes: number, requestsPerSecond = 0, byHand = false): void {
		const { rangeId: id, epoch } = info.descriptor;
		const { version } = epoch;
		this.loads.heard([{ rangeId: id, version, sizeBytes, requestsPerSecond, byHand }]);
	}

	look(afterMs = 100, by = rules): readonly Merge[] {
		this.nowMs += afterMs;
		const { ranges, underWay } = this;
		const limits = { copiesPerNode: 2, leasesPerNode: 2 };
		const view = (): ClusterView => ({
			nodes,
			ranges,
			underWay,
			isResting: () => false,
			limits,
			rules: new PlacementRules(),
		});
		return this.planner.look(view, this.loads, by, this.nowMs);
	}

	/** So many looks, a tenth of the wait apart. */
	looks(count: number, by = rules): readonly Merge[] {
		const found: Merge[] = [];
		for (let i = 0; i < count; i++) found.push(...this.look(100, by));
		return found;
	}
}

function pair(bytes: readonly [number, number], rate = 0, byHand = false, on = [1, 2, 3]): Model {
	const model = new Model([rangeOf(1, 0, 1), rangeOf(2, 1, 2, on)]);
	model.say(model.ranges[0]!, bytes[0], rate);
	model.say(model.ranges[1]!, bytes[1], rate, byHand);
	return model;
}

test("neighbours that have been small and cold for long are merged, with the reason", (t) => {
	const model = pair([100, 200]);
	t.deepEqual(model.looks(10), []);
	const [merge, ...others] = model.looks(1);
	t.deepEqual(others, []);
	t.is(merge?.range.rangeId, rangeId(1));
	t.is(merge?.right.rangeId, rangeId(2));
	t.regex(merge?.reason ?? "", /range 2: both are small \(100 B and 200 B\) and cold/);
});

test("what is large, hot, divided by hand or not known stays", (t) => {
	t.deepEqual(pair([200, 201]).looks(30), []);
	t.deepEqual(pair([100, 100], 10.5).looks(30), []);
	t.deepEqual(pair([100, 100], 0, true).looks(30), []);
	const unknown = pair([100, 100]);
	unknown.loads.reset();
	t.deepEqual(unknown.looks(30), []);
	// Where ranges are not split by load there is a limit all the same.
	t.deepEqual(pair([100, 100], 300).looks(30, { ...rules, maxLoad: 0 }), []);
	t.is(pair([100, 100], 200).looks(11, { ...rules, maxLoad: 0 }).length, 1);
	t.deepEqual(pair([100, 100]).looks(30, { ...rules, afterMs: 0 }), []);
});

test("whatever changes in between begins the wait anew", (t) => {
	const hot = pair([100, 100]);
	t.deepEqual(hot.looks(9), []);
	hot.say(hot.ranges[0]!, 100, 50);
	t.deepEqual(hot.looks(1), []);
	hot.say(hot.ranges[0]!, 100, 0);
	t.deepEqual(hot.looks(10), []);
	t.is(hot.looks(1).length, 1);

	// The same keys, split and merged meanwhile.
	const divided = pair([100, 100]);
	t.deepEqual(divided.looks(9), []);
	divided.ranges[0] = rangeOf(1, 0, 1, [1, 2, 3], 3);
	t.deepEqual(divided.looks(5), []);
	divided.say(divided.ranges[0]!, 100);
	t.deepEqual(divided.looks(10), []);
	t.is(divided.looks(1).length, 1);

	// What was chosen and did not come to be.
	t.deepEqual(divided.looks(10), []);
	t.is(divided.looks(1).length, 1);
});

test("the smaller side is brought to the larger one, where that is cheap", (t) => {
	const [cheap] = pair([100, 20], 0, false, [1, 2, 4]).looks(11);
	t.deepEqual(
		[cheap?.nodes, cheap?.added, cheap?.bytes],
		[[1, 2, 3], [3], 20].map((x) => x as never),
	);
	const [other] = pair([20, 100], 0, false, [1, 2, 4]).looks(11);
	t.deepEqual(other?.nodes, [1, 2, 4].map(nodeId));
	t.deepEqual(pair([130, 130], 0, false, [1, 4, 2].reverse()).looks(11).length, 1);
	const dear = new Model([rangeOf(1, 0, 1, [1, 2, 3]), rangeOf(2, 1, 2, [1, 4, 2])]);
	dear.say(dear.ranges[0]!, 190);
	dear.say(dear.ranges[1]!, 190);
	t.is(dear.looks(11, { ...rules, maxBytes: 700 }).length, 0);
});

test("no range takes part in two merges at once", (t) => {
	const model = new Model([0, 1, 2, 3, 4].map((n) => rangeOf(n + 1, n, n + 1)));
	for (const info of model.ranges) model.say(info, 10);
	const merges = model.looks(11);
	t.deepEqual(
		merges.map((m) => [m.range.rangeId, m.right.rangeId]),
		[
			[1, 2],
			[3, 4],
		].map((ids) => ids.map(rangeId)),
	);
	model.underWay = new Map(merges.flatMap((m) => [m.range, m.right].map((d) => [d.rangeId, m])));
	t.deepEqual(model.looks(11), []);
});

test("nothing is merged while a side is not whole", (t) => {
	const model = pair([10, 10]);
	const [left] = model.ranges;
	const { descriptor } = left!;
	const [first, ...rest] = descriptor.replicas;
	const replicas = [{ ...first!, role: "learner" as const }, ...rest];
	model.ranges[0] = { ...left!, descriptor: { ...descriptor, replicas } };
	t.deepEqual(model.looks(30), []);
});

test("ranges that nobody has told of are named in turn, but those that cannot be led", (t) => {
	const model = new Model([0, 1, 2].map((n) => rangeOf(n + 1, n, n + 1)));
	const limits = { copiesPerNode: 2, leasesPerNode: 2 };
	const view = (): ClusterView => {
		const { ranges, underWay } = model;
		return {
			nodes: nodes.slice(0, 3),
			ranges,
			underWay,
			isResting: () => false,
			limits,
			rules: new PlacementRules(),
		};
	};
	const next = () => model.planner.unknown(view(), model.loads)?.descriptor.rangeId;
	t.deepEqual([next(), next(), next(), next()], [1, 2, 3, 1].map(rangeId));
	model.say(model.ranges[1]!, 10);
	t.deepEqual([next(), next(), next()], [3, 1, 3].map(rangeId));
	// Of its replicas one is on a node that is not there.
	model.ranges[0] = rangeOf(1, 0, 1, [1, 2, 4]);
	t.deepEqual([next(), next()], [3, 3].map(rangeId));
	model.say(model.ranges[2]!, 10);
	t.is(next(), undefined);
});
