import { bootId } from "@quorate/keys/ids";
import type { NodeRecord } from "@quorate/placement/types";
import test from "ava";
import { EndedBoots } from "./ended-boots.ts";

test("a boot has ended when another took its place, or nobody has heard of it for a while", (t) => {
	let nodes: Partial<NodeRecord>[] = [];
	let nowMs = 0;
	const placement = { nodesCached: () => nodes } as never;
	const clock = { monotonicMs: () => nowMs, wallMs: () => 0 };
	const [self, old, young] = [bootId("5e1f"), bootId("01d0"), bootId("1009")];
	const ended = new EndedBoots(placement, clock, self);
	t.false(ended.has(old), "nothing is known yet");
	nodes = [
		{ bootId: self, state: "live" },
		{ bootId: old, state: "live" },
	];
	t.false(ended.has(self));
	t.false(ended.has(old));
	// Its node was started again, and takes part before the list here says so.
	t.false(ended.has(young));
	nowMs = 1_000;
	nodes = [
		{ bootId: self, state: "live" },
		{ bootId: young, state: "live" },
	];
	t.true(ended.has(old));
	t.false(ended.has(young));
	nodes = [
		{ bootId: self, state: "live" },
		{ bootId: young, state: "suspect" },
	];
	t.true(ended.has(young), "it is silent");
	const stranger = bootId("5742");
	t.false(ended.has(stranger));
	nowMs = 4_000;
	t.true(ended.has(stranger));
});
