/** The real `Rpc` over the simulated network: crashes, partitions, restarts, and the same history for a seed. */
import { bootId, clusterId, type NodeId, nodeId } from "@quorate/keys/ids";
import { createRpc, type ListeningRpc } from "@quorate/rpc/rpc";
import type { RpcError, RpcFailure } from "@quorate/rpc/types";
import type { Connection, Runtime } from "@quorate/runtime/runtime";
import test from "ava";
import { World, type WorldOptions } from "./world.ts";

const PORT = 7000;

interface TestNode {
	readonly rpc: ListeningRpc;
	readonly got: number[];
	readonly lost: NodeId[];
}

/** A fresh process on a machine, whose `n` collects numbers. */
async function start(
	world: World,
	id: number,
	boot: string,
	wrap = (runtime: Runtime): Runtime => runtime,
): Promise<TestNode> {
	const machine = world.machine(id);
	const runtime = wrap(machine.boot());
	const rpc = await createRpc({
		runtime,
		self: { bootId: bootId(boot), clusterId: clusterId("c"), nodeId: nodeId(id) },
		addressBook: { addressOf: (node) => `${world.machine(node).host}:${PORT}` },
		listenAddress: `${machine.host}:${PORT}`,
	});
	const node: TestNode = { rpc, got: [], lost: [] };
	rpc.handle("n", (n) => {
		node.got.push(n as number);
		return n;
	});
	rpc.onDisconnect((lost) => node.lost.push(lost));
	return node;
}

async function startWorld(seed: number, options: WorldOptions = {}) {
	const world = new World(seed, options);
	for (const id of [1, 2]) world.addMachine(id);
	const a = await start(world, 1, "1.a");
	const b = await start(world, 2, "2.a");
	return { world, a, b };
}

const call = (a: TestNode, n: number, timeoutMs = 1000): Promise<unknown> =>
	a.rpc.call(nodeId(2), "n", n, { timeoutMs });

const outcome = (promise: Promise<unknown>): Promise<RpcFailure | "answered"> =>
	promise.then(
		() => "answered",
		(error: RpcError) => error.failure,
	);

test("calls and one-way messages arrive in order over a lossy network that cuts frames apart", async (t) => {
	for (let seed = 0; seed < 10; seed++) {
		const { world, a, b } = await startWorld(seed, { network: { lossRate: 0.05, splitRate: 0.5 } });
		for (let i = 0; i < 200; i++) {
			a.rpc.send(nodeId(2), "n", i);
			if (i % 7 === 0) await world.runFor(1);
		}
		t.is(await world.complete(call(a, 200, 60_000), 60_000), 200);
		t.deepEqual(
			b.got,
			Array.from({ length: 201 }, (_, i) => i),
		);
	}
});

test("silence of over 2 s closes the connection, and calls on it are lost", async (t) => {
	const { world, a } = await startWorld(1, { network: { tcpTimeoutMs: 1_000_000 } });
	await world.complete(call(a, 1), 1000);
	world.network.partition([world.machine(1)], [world.machine(2)]);
	const began = world.nowMs;
	t.is(await world.complete(outcome(call(a, 2, 60_000)), 60_000), "lost");
	t.true(world.nowMs - began > 1500 && world.nowMs - began < 3000, `${world.nowMs - began}`);
	t.deepEqual(a.lost, [nodeId(2)]);
	t.is(await world.complete(outcome(call(a, 3)), 60_000), "unreachable");
	world.network.heal();
	await world.runFor(10_000);
	t.is(await world.complete(outcome(call(a, 4)), 60_000), "answered");
});

test("a peer that pings and is slow to answer keeps its connection, for 10 s", async (t) => {
	const world = new World(1);
	for (const id of [1, 2]) world.addMachine(id);
	const connections: Connection[] = [];
	const a = await start(world, 1, "1.a", (runtime) => ({
		...runtime,
		network: {
			listen: (address, accept) => runtime.network.listen(address, accept),
			connect: async (address, timeoutMs) => {
				const connection = await runtime.network.connect(address, timeoutMs);
				connections.push(connection);
				return connection;
			},
		},
	}));
	const b = await start(world, 2, "2.a");
	await world.complete(call(a, 1), 1000);
	await world.complete(b.rpc.call(nodeId(1), "n", 2, { timeoutMs: 1000 }), 1000);
	// What is not read is not there yet.
	connections[0]!.pause();
	const slow = outcome(call(a, 3, 60_000));
	await world.runFor(8_000);
	t.deepEqual(a.lost, []);
	connections[0]!.resume();
	t.is(await world.complete(slow, 1000), "answered");
	connections[0]!.pause();
	const never = outcome(call(a, 4, 60_000));
	await world.runFor(9_000);
	t.deepEqual(a.lost, []);
	t.is(await world.complete(never, 2_000), "lost");
});

test("a peer that can be heard and not reached is given up after four seconds", async (t) => {
	const { world, a, b } = await startWorld(1, { network: { tcpTimeoutMs: 1_000_000 } });
	await world.complete(call(a, 1), 1000);
	await world.complete(b.rpc.call(nodeId(1), "n", 2, { timeoutMs: 1000 }), 1000);
	world.network.block(world.machine(1), world.machine(2));
	t.is(await world.complete(outcome(call(a, 2, 60_000)), 4_500), "lost");
});

test("an idle connection stays open by pings alone", async (t) => {
	const { world, a, b } = await startWorld(1);
	await world.complete(call(a, 1), 1000);
	await world.runFor(60_000);
	t.deepEqual(a.lost, []);
	const events = world.eventCount;
	await world.complete(call(a, 2), 1000);
	t.true(world.eventCount - events < 20, "no new connection was needed");
	t.is(b.got.length, 2);
});

test("a pause shorter than the silence allowed by the peer is survived, with the answer", async (t) => {
	const { world, a } = await startWorld(1);
	await world.complete(call(a, 1), 1000);
	world.machine(1).pause(1500);
	t.is(await world.complete(outcome(call(a, 2, 60_000)), 60_000), "answered");
	t.deepEqual(a.lost, []);
});

test("a crashed peer's calls are lost, and it is reached again after its restart", async (t) => {
	for (const kind of ["process", "power"] as const) {
		const { world, a } = await startWorld(3);
		await world.complete(call(a, 1), 1000);
		const pending = outcome(call(a, 2, 30_000));
		world.machine(2).crash(kind);
		t.is(await world.complete(pending, 30_000), "lost", kind);
		const again = await start(world, 2, "2.b");
		await world.runFor(3000);
		t.is(await world.complete(call(a, 3), 5000), 3);
		t.deepEqual(again.got, [3]);
	}
});

test("what an earlier connection still brings does not come after the later one's", async (t) => {
	for (let seed = 0; seed < 10; seed++) {
		const { world, a, b } = await startWorld(seed);
		const [one, two] = [world.machine(1), world.machine(2)];
		await world.complete(call(a, 1), 1000);
		// Under way for longer than the sender waits for a sign of life; the receiver sleeps through its own waiting.
		world.network.link(one, two).latencyMsMin = 4500;
		a.rpc.send(nodeId(2), "n", 2);
		await world.runFor(1);
		world.network.link(one, two).latencyMsMin = 0;
		two.pause(3500);
		t.true(await world.runUntil(() => a.lost.length > 0, 3250));
		await world.runUntil(() => false, 1250);
		t.is(await world.complete(call(a, 3, 60_000), 60_000), 3);
		await world.runFor(10_000);
		t.deepEqual(b.got, [1, 3]);
	}
});

test("nor what comes after a reset that only the sender has seen", async (t) => {
	for (let seed = 0; seed < 10; seed++) {
		const { world, a, b } = await startWorld(seed);
		const [one, two] = [world.machine(1), world.machine(2)];
		await world.complete(call(a, 1), 1000);
		a.rpc.send(nodeId(2), "n", 2);
		await world.runUntil(() => false, 0.005);
		world.network.resetOneSide(one, two, 800);
		await world.runFor(100);
		t.deepEqual(a.lost, [nodeId(2)]);
		t.is(await world.complete(call(a, 3, 60_000), 700), 3);
		await world.runFor(10_000);
		t.deepEqual(b.got, [1, 3]);
		t.is(world.counts.get("one-sided-reset"), 1);
	}
});

async function chaos(seed: number): Promise<{ hash: string; delivered: number; wrong: string }> {
	const { world, a, b } = await startWorld(seed, { network: { lossRate: 0.02 } });
	const random = world.random("chaos");
	const answered = new Set<number>();
	let incarnation = b;
	const received: number[][] = [b.got];
	for (let i = 0; i < 400; i++) {
		void call(a, i, random.between(1, 3000)).then(
			() => answered.add(i),
			() => undefined,
		);
		await world.runFor(random.exponential(20));
		const [one, two] = [world.machine(1), world.machine(2)];
		const dice = random.float();
		if (dice < 0.02) world.network.block(one, two, random.chance(0.5));
		else if (dice < 0.03) world.network.block(two, one);
		else if (dice < 0.08) world.network.heal();
		else if (dice < 0.09) world.network.reset(one, two);
		else if (dice < 0.095) world.network.resetOneSide(one, two, random.between(0, 2000));
		else if (dice < 0.1) two.pause(random.between(0, 8000));
		else if (dice < 0.11) {
			two.crash(random.chance(0.5) ? "process" : "power");
			incarnation = await start(world, 2, `2.${i}`);
			received.push(incarnation.got);
		}
	}
	world.network.heal();
	await world.runFor(10_000);
	const all = received.flat();
	const twice = all.length !== new Set(all).size;
	const unordered = received.some((got) => got.some((n, i) => i > 0 && n <= got[i - 1]!));
	const invented = [...answered].some((n) => !all.includes(n));
	const wrong = `${twice ? "twice " : ""}${unordered ? "unordered " : ""}${invented ? "invented" : ""}`;
	return { hash: world.traceHash(), delivered: answered.size, wrong };
}

test("whatever happens: at most once, in order, and an answer only from a handler", async (t) => {
	let delivered = 0;
	for (let seed = 0; seed < 15; seed++) {
		const first = await chaos(seed);
		t.is(first.wrong, "", `seed ${seed}`);
		delivered += first.delivered;
		if (seed < 3) t.is((await chaos(seed)).hash, first.hash, `seed ${seed} has two histories`);
	}
	t.true(delivered > 1500, `${delivered}`);
});
