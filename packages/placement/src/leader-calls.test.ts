import { type NodeId, nodeId } from "@quorate/keys/ids";
import type { Rpc } from "@quorate/rpc/types";
import test from "ava";
import { LeaderCalls } from "./leader-calls.ts";
import { TestDisk, TestProcess, TestWorld } from "./testing/test-world.ts";

// Seed 23 of the simulation's profile `placing`: a node that came back did not find the leader, and never served again.
test("a hint is followed also to who was no member when this node last heard of them", async (t) => {
	const world = new TestWorld(1);
	const { runtime } = new TestProcess(world, "10.0.0.1:1", new TestDisk());
	const asked: NodeId[] = [];
	const rpc = {
		call: async (to: NodeId) => {
			asked.push(to);
			return to === 5 ? [true, "answer"] : [false, to === 2 ? 5 : 0];
		},
	} as unknown as Rpc;
	const calls = new LeaderCalls(runtime, rpc, [nodeId(1), nodeId(2)]);
	let answer: unknown;
	void calls.call("anything", null).then((value) => {
		answer = value;
	});
	await world.run(10_000, () => answer !== undefined);
	t.is(answer, "answer");
	t.is(calls.leader as number, 5);
	t.deepEqual(asked, [nodeId(1), nodeId(2), nodeId(5)]);
});
