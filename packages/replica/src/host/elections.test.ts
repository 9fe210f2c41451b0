import { nodeId, rangeId, replicaId } from "@quorate/keys/ids";
import type { SnapshotMetadata } from "@quorate/raft/types";
import test from "ava";
import type { RaftGroupHandle } from "../host-types.ts";
import { electionsAsked, electionsInTurn } from "./elections.ts";
import { NodeRaftHost } from "./host.ts";
import { FakeRpc, FakeWal, FakeWorld } from "./testing/fakes.ts";
import { ListMachine } from "./testing/machine.ts";

const tickMs = 100;
/** The longest that a follower waits for a leader of its own accord. */
const timeoutTicks = 20;
const voters = [10, 20, 30].map(replicaId);
const birth: SnapshotMetadata = {
	index: 5,
	term: 3,
	configuration: { voters, outgoing: [], learners: [], learnersNext: [] },
};

interface Node {
	readonly host: NodeRaftHost;
	readonly groups: readonly RaftGroupHandle[];
}

/** Nodes that have been started with so many groups, none of which has a leader. `standsFirst`: one of them. */
function nodes(world: FakeWorld, count: number, groupCount: number, standsFirst = 0): Node[] {
	let seed = 1;
	const runtime = world.runtime(
		() => {
			seed = (seed * 48271) % 2147483647;
			return seed / 2147483647;
		},
		() => true,
	);
	return [1, 2, 3].slice(0, count).map((id) => {
		const host = new NodeRaftHost({
			runtime,
			wal: new FakeWal(world),
			recovered: [],
			rpc: new FakeRpc(world, nodeId(id), 1),
			nodeId: nodeId(id),
			syncEngine: () => Promise.resolve(),
		});
		const groups = Array.from({ length: groupCount }, (_, n) =>
			host.addGroup({
				rangeId: rangeId(n + 1),
				replicaId: replicaId(id * 10),
				machine: new ListMachine(birth),
				applied: birth,
				campaignAtStart: false,
				bornAt: birth.index,
				statePath: "engine",
				standsFirst: n + 1 === standsFirst,
			}),
		);
		return { host, groups };
	});
}

const isLed = ({ groups }: Node, at: number): boolean => groups[at]!.leader !== 0;

test("many groups without leaders elect in turns, each in bounded time, and those asked for first", async (t) => {
	const count = 400;
	const world = new FakeWorld();
	const all = nodes(world, 3, count);
	const most = Math.ceil(count / electionsInTurn) + 2 * timeoutTicks;
	let ticks = 0;
	while (!all.every((node) => node.groups.every((_, n) => isLed(node, n)))) {
		const before = all.map(({ host }) => host.statistics().elections);
		await world.advance(tickMs);
		for (const [n, { host }] of all.entries()) {
			const stood = host.statistics().elections - before[n]!;
			t.true(stood <= electionsInTurn, `${stood} stood in one tick`);
		}
		t.true(++ticks <= most, `some have no leader after ${ticks} ticks`);
		if (ticks === timeoutTicks) {
			const waiting = all[0]!.groups.filter((group) => group.waitsToStand && group.leader === 0);
			t.true(waiting.length > count / 8, `${waiting.length} wait`);
			waiting.at(-1)!.wake();
			await world.settle();
			t.not(waiting.at(-1)!.leader, 0, "one that was asked for waits");
		}
	}
	await world.advance(30 * tickMs);
	for (const { host } of all) t.is(host.statistics().awake, 0, "all rest");
	t.is(
		all.map(({ host }) => host.statistics().leaders).reduce((a, b) => a + b),
		count,
	);
	t.deepEqual(world.fatals, []);
});

test("where nobody answers each group stands again and again, and what stands first does not wait for the others", async (t) => {
	const count = 8 * electionsInTurn;
	const world = new FakeWorld();
	const [node] = nodes(world, 1, count, count);
	const sent = () => world.sent.get("raft") ?? 0;
	const roles = () => node!.groups.map((group) => group.status().role);
	await world.advance((timeoutTicks + 1) * tickMs);
	t.true(sent() > 0);
	t.is(roles().at(-1), "pre-candidate");
	await world.advance((count / electionsInTurn) * tickMs);
	t.true(
		roles().every((role) => role === "pre-candidate"),
		"each had its turn",
	);
	const before = node!.host.statistics().elections;
	await world.advance(10 * timeoutTicks * tickMs);
	t.true(node!.host.statistics().elections - before >= 8 * count, "again and again");
});

test("so many of those asked for stand in one tick", async (t) => {
	const count = 6 * electionsAsked;
	const world = new FakeWorld();
	const [node] = nodes(world, 1, count);
	await world.advance(timeoutTicks * tickMs);
	const waiting = node!.groups.filter((group) => group.waitsToStand);
	const before = node!.host.statistics().elections;
	for (const group of waiting) group.wake();
	const stood = () => node!.host.statistics().elections - before;
	t.is(stood(), Math.min(electionsAsked, waiting.length));
	t.true(waiting.length > electionsAsked);
	await world.advance(tickMs);
	t.true(stood() <= 2 * electionsAsked + electionsInTurn);
	t.true(stood() > electionsAsked);
});

test("a connection that breaks for a moment, or a node that starts again, costs resting groups no election and wakes nobody", async (t) => {
	const count = 300;
	const world = new FakeWorld();
	const all = nodes(world, 3, count);
	await world.advance((Math.ceil(count / electionsInTurn) + 3 * timeoutTicks) * tickMs);
	const stood = () => all.map(({ host }) => host.statistics().elections);
	const leaders = () => all.map(({ host }) => host.statistics().leaders);
	const awake = () => all.map(({ host }) => host.statistics().awake);
	t.deepEqual(awake(), [0, 0, 0], "all rest");
	const before = { stood: stood(), leaders: leaders() };
	world.setLink(nodeId(1), nodeId(2), false);
	t.deepEqual(awake(), [before.leaders[1]!, before.leaders[0]!, 0]);
	await world.advance(2 * tickMs);
	world.setLink(nodeId(1), nodeId(2), true);
	const frames = world.sent.get("raft")!;
	await world.advance(timeoutTicks * tickMs);
	t.deepEqual({ stood: stood(), leaders: leaders() }, before);
	t.deepEqual(awake(), [0, 0, 0], "all rest again");
	t.true(world.sent.get("raft")! - frames < 20, "frames");
	t.true(all.every((node) => node.groups.every((_, n) => isLed(node, n))));
	t.deepEqual(world.fatals, []);
});
