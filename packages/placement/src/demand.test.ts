import type { NodeId } from "@quorate/keys/ids";
import test from "ava";
import { Demand, windowMs } from "./demand.ts";

const [first, second] = [1 as NodeId, 2 as NodeId];

/** What a window ends with in which each node asked so often. */
function judged(requests: readonly (readonly [NodeId, number])[]): NodeId | undefined {
	let nowMs = 0;
	const demand = new Demand({ monotonicMs: () => nowMs, wallMs: () => 0 });
	demand.reset();
	for (const [node, count] of requests) {
		for (let n = 0; n < count; n++) {
			if (demand.asked(node) !== undefined) {
				throw new Error("a judgement within the window");
			}
		}
	}
	nowMs = windowMs;
	return demand.asked(first);
}

test("a node that asks for more than two thirds of a busy window's timestamps should lead", (t) => {
	t.is(
		judged([
			[second, 900],
			[first, 100],
		]),
		second,
	);
	t.is(
		judged([
			[second, 600],
			[first, 399],
		]),
		undefined,
	);
});

test("a quiet window says nothing, whoever asked", (t) => {
	t.is(judged([[second, 250]]), undefined);
	t.is(judged([]), undefined);
});

test("a window counts only its own requests", (t) => {
	let nowMs = 0;
	const demand = new Demand({ monotonicMs: () => nowMs, wallMs: () => 0 });
	demand.reset();
	for (let n = 0; n < 1_000; n++) {
		demand.asked(second);
	}
	nowMs = windowMs;
	t.is(demand.asked(first), second);
	for (let n = 0; n < 500; n++) {
		demand.asked(first);
	}
	nowMs = 2 * windowMs;
	t.is(demand.asked(second), first);
});
