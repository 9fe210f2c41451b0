import { bootId } from "@quorate/keys/ids";
import type { NodeRecord } from "@quorate/placement/types";
import test from "ava";
import { EndedBoots } from "./ended-boots.ts";

test("a boot has ended when another took its place, or nobody has heard of it for a while", (t) => {
	let nodes: Partial<NodeRecord>[] = [];
	let isHeard = false;
	const placement = { nodesCached: () => nodes } as never;
	const rpc = { pulseOf: () => ({ pings: 1, isHeard }) };
	const [self, old, young] = [bootId("5e1f"), bootId("01d0"), bootId("1009")];
	const ended = new EndedBoots(placement, rpc, self);
	t.false(ended.has(old), "nothing is known yet");
	nodes = [
		{ bootId: self, state: "live" },
		{ bootId: old, state: "live" },
	];
	t.false(ended.has(self));
	t.false(ended.has(old));
	// Its node was started again, and takes part before the list here says so.
	t.false(ended.has(young));
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
	isHeard = true;
	t.false(ended.has(young), "only its heartbeats are");
	nodes = [
		{ bootId: self, state: "live" },
		{ bootId: young, state: "dead" },
	];
	t.true(ended.has(young));
	const stranger = bootId("5742");
	for (let lists = 0; lists < 3; lists++) {
		t.false(ended.has(stranger), `after ${lists} lists`);
		nodes = [...nodes];
	}
	t.true(ended.has(stranger));
});
