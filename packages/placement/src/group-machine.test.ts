import { bootId, clusterId, nodeId, replicaId } from "@quorate/keys/ids";
import { timestamp } from "@quorate/keys/timestamp";
import type { CommittedEntry } from "@quorate/replica/host-types";
import test from "ava";
import { encodeCommand, type PlacementCommand } from "./commands.ts";
import { PlacementMachine } from "./group-machine.ts";
import { TestDisk, TestProcess, TestWorld } from "./testing/test-world.ts";
import type { NodeIdentity } from "./types.ts";

const identity: NodeIdentity = {
	clusterId: clusterId("0".repeat(32)),
	nodeId: nodeId(1),
	founders: [{ nodeId: nodeId(1), address: "10.0.0.1:1" }],
};

const path = "placement/state";

async function open(world: TestWorld, disk: TestDisk): Promise<PlacementMachine> {
	const { runtime } = new TestProcess(world, "10.0.0.1:1", disk);
	const nothing = () => undefined;
	const listeners = { onLeadership: nothing, onRemoved: nothing };
	return PlacementMachine.open({ runtime, identity, path, isBorn: true, ...listeners });
}

const entry = (index: number, command: PlacementCommand): CommittedEntry => ({
	index,
	term: 1,
	command: encodeCommand(command),
	change: undefined,
	configuration: undefined,
});

const some: readonly PlacementCommand[] = [
	{ kind: "ceiling", value: timestamp(1_000_000) },
	{ kind: "allocate", id: "row", count: 10 },
	{
		kind: "register",
		nodeId: nodeId(1),
		address: "10.0.0.1:1",
		sqlAddress: "",
		bootId: bootId("1.a"),
		previousBootId: bootId(""),
		locality: "",
	},
	{ kind: "set", name: "text", value: "é\u0000" },
];

async function filled(world: TestWorld, disk: TestDisk): Promise<PlacementMachine> {
	const machine = await open(world, disk);
	machine.apply(some.map((command, i) => entry(i + 1, command)));
	return machine;
}

test("what is applied is durable only after a checkpoint", async (t) => {
	const world = new TestWorld(1);
	const disk = new TestDisk();
	const machine = await filled(world, disk);
	t.is(machine.appliedIndex(), 0);
	t.is((await open(world, disk)).applied.index, 0);
	void machine.checkpoint();
	await world.run(100);
	t.is(machine.appliedIndex(), 4);
	const restored = await open(world, disk);
	t.deepEqual(restored.applied, machine.applied);
	t.deepEqual(restored.state.encode(), machine.state.encode());
	t.throws(() => restored.apply([entry(4, some[1]!)]), { message: /placement entry 4 after 4/ });
});

test("a snapshot replaces the state, durably", async (t) => {
	const world = new TestWorld(2);
	const machine = await filled(world, new TestDisk());
	const snapshot = machine.openSnapshot();
	machine.apply([entry(5, { kind: "set", name: "later", value: "" })]);

	const disk = new TestDisk();
	const other = await open(world, disk);
	void other.installSnapshot(snapshot.metadata, snapshot.chunks);
	await world.run(100);
	t.is(other.applied.index, 4);
	t.is(other.appliedIndex(), 4);
	t.deepEqual([...other.state.settings().values], [["text", "é\u0000"]]);
	t.is(other.nodeOf(replicaId(1)), nodeId(1));
	t.is(other.nodeOf(replicaId(2)), undefined);
	t.is((await open(world, disk)).applied.index, 4);
});

test("a damaged checkpoint is refused, and one of a newer format by name", async (t) => {
	const world = new TestWorld(3);
	const disk = new TestDisk();
	const machine = await filled(world, disk);
	void machine.checkpoint();
	await world.run(100);
	const good = disk.files.get(path)!;
	for (let at = 0; at < good.length; at++) {
		const bad = Uint8Array.from(good);
		bad[at]! ^= 1 << (at % 8);
		disk.files.set(path, bad);
		await t.throwsAsync(open(world, disk), { message: /is damaged|has format/ }, `byte ${at}`);
	}
	for (let length = 0; length < good.length; length += 7) {
		disk.files.set(path, good.subarray(0, length));
		await t.throwsAsync(open(world, disk), { message: /is damaged/ });
	}
	const newer = Buffer.from(good)
		.toString("utf8")
		.replace("quorate-placement 1", "quorate-placement 2");
	disk.files.set(path, Buffer.from(newer));
	await t.throwsAsync(open(world, disk), { message: /has format 2, this build reads up to 1/ });
});
