import type { Connection, Runtime } from "@quorate/runtime/runtime";
import test from "ava";
import type { Machine } from "./machine.ts";
import type { NetworkOptions } from "./sim-network.ts";
import { World } from "./world.ts";

interface Setup {
	readonly world: World;
	readonly a: Machine;
	readonly b: Machine;
	readonly client: Runtime;
	/** What the server got, and how its connections ended. */
	readonly got: number[];
	readonly closes: string[];
	readonly accepted: Connection[];
	readonly address: string;
}

async function setup(seed: number, network: Partial<NetworkOptions> = {}): Promise<Setup> {
	const world = new World(seed, { network });
	const a = world.addMachine(1);
	const b = world.addMachine(2);
	const client = a.boot();
	const server = b.boot();
	const got: number[] = [];
	const closes: string[] = [];
	const accepted: Connection[] = [];
	const listener = await server.network.listen("127.0.0.1:7000", (connection) => {
		accepted.push(connection);
		connection.onData((bytes) => got.push(...bytes));
		connection.onClose((error) => closes.push(error?.message ?? "end"));
	});
	return { world, a, b, client, got, closes, accepted, address: listener.address };
}

const connect = (s: Setup): Promise<Connection> =>
	s.world.complete(s.client.network.connect(s.address, 5000), 10_000);

function closeOf(connection: Connection): { reason: string | undefined } {
	const result: { reason: string | undefined } = { reason: undefined };
	connection.onClose((error) => {
		result.reason = error?.message ?? "end";
	});
	return result;
}

test("bytes arrive whole and in order, over slow and lossy links too", async (t) => {
	for (let seed = 0; seed < 20; seed++) {
		const s = await setup(seed, { lossRate: 0.1, splitRate: 0.3 });
		const connection = await connect(s);
		s.world.network.link(s.a, s.b).bytesPerMs = 5;
		const sent: number[] = [];
		for (let i = 0; i < 50; i++) {
			const bytes = s.client.random.bytes(1 + (i % 7));
			sent.push(...bytes);
			connection.write(bytes);
			if (i % 10 === 0) await s.world.runFor(1);
		}
		connection.end();
		await s.world.runFor(60_000);
		t.deepEqual(s.got, sent);
		t.deepEqual(s.closes, ["end"]);
	}
});

test("refusal, timeout, port in use, addresses", async (t) => {
	const s = await setup(1);
	const fails = (address: string) => s.world.complete(s.client.network.connect(address, 100), 1000);
	t.is(s.address, "127.1.0.2:7000");
	await t.throwsAsync(fails("127.1.0.2:7001"), { code: "ECONNREFUSED" });
	await t.throwsAsync(fails("127.1.0.9:7000"), { code: "ENOTFOUND" });
	s.world.network.block(s.a, s.b);
	await t.throwsAsync(fails(s.address), { code: "ETIMEDOUT" });
	s.world.network.heal();
	s.world.network.block(s.b, s.a);
	await t.throwsAsync(fails(s.address), { code: "ETIMEDOUT" });
	s.world.network.heal();
	s.b.crash("power");
	await t.throwsAsync(fails(s.address), { code: "ETIMEDOUT" });
	const again = s.b.boot();
	await t.throwsAsync(fails(s.address), { code: "ECONNREFUSED" });
	const listener = await again.network.listen(s.address, () => undefined);
	await t.throwsAsync(
		again.network.listen(s.address, () => undefined),
		{ code: "EADDRINUSE" },
	);
	await t.throwsAsync(
		again.network.listen("127.1.0.1:1", () => undefined),
		{ code: "EADDRNOTAVAIL" },
	);
	await listener.close();
	t.regex(
		(await again.network.listen(":0".padStart(11, "localhost"), () => undefined)).address,
		/^127\.1\.0\.2:\d+$/,
	);
});

test("a partition holds bytes back; when it heals in time they arrive, in order", async (t) => {
	const s = await setup(1, { tcpTimeoutMs: 5000 });
	const connection = await connect(s);
	const close = closeOf(connection);
	connection.write(Uint8Array.of(1));
	s.world.network.partition([s.a], [s.b]);
	connection.write(Uint8Array.of(2));
	await s.world.runFor(4000);
	t.deepEqual(s.got, []);
	connection.write(Uint8Array.of(3));
	s.world.network.heal();
	await s.world.runFor(100);
	t.deepEqual(s.got, [1, 2, 3]);
	t.is(close.reason, undefined);
});

test("one that lasts ends in a timeout for who sends, and a reset for the other when it speaks", async (t) => {
	const s = await setup(1, { tcpTimeoutMs: 5000 });
	const connection = await connect(s);
	const close = closeOf(connection);
	s.world.network.partition([s.a], [s.b]);
	connection.write(Uint8Array.of(1));
	await s.world.runFor(6000);
	t.regex(close.reason!, /ETIMEDOUT/);
	t.deepEqual(s.closes, []);
	s.world.network.heal();
	await s.world.runFor(1000);
	t.deepEqual(s.closes, []);
	s.accepted[0]!.write(Uint8Array.of(2));
	await s.world.runFor(1000);
	t.regex(s.closes[0]!, /ECONNRESET/);
	t.deepEqual(s.got, []);
});

test("a partition of one direction leaves the other", async (t) => {
	const s = await setup(1);
	const connection = await connect(s);
	const back: number[] = [];
	connection.onData((bytes) => back.push(...bytes));
	s.world.network.block(s.a, s.b);
	connection.write(Uint8Array.of(1));
	s.accepted[0]!.write(Uint8Array.of(2));
	await s.world.runFor(1000);
	t.deepEqual([s.got, back], [[], [2]]);
});

test("a dead process resets its connections, a dead machine says nothing until it is back", async (t) => {
	const dead = await setup(1);
	const first = closeOf(await connect(dead));
	dead.b.crash("process");
	await dead.world.runFor(10);
	t.truthy(first.reason);

	const s = await setup(1, { tcpTimeoutMs: 5000 });
	const connection = await connect(s);
	const close = closeOf(connection);
	s.b.crash("power");
	connection.write(Uint8Array.of(1));
	await s.world.runFor(4000);
	t.is(close.reason, undefined);
	s.b.boot();
	await s.world.runFor(10);
	t.regex(close.reason!, /ECONNRESET/);
});

test("a reset breaks what is there between two machines", async (t) => {
	const s = await setup(1);
	const close = closeOf(await connect(s));
	s.world.network.reset(s.a, s.b);
	await s.world.runFor(1);
	t.regex(close.reason!, /ECONNRESET/);
	t.regex(s.closes[0]!, /ECONNRESET/);
	t.is(s.world.counts.get("reset"), 1);
});

test("backpressure: write says stop, drain says go on, pause holds the sender back", async (t) => {
	const s = await setup(1);
	const connection = await connect(s);
	await s.world.runFor(1);
	s.accepted[0]!.pause();
	let drained = 0;
	connection.onDrain(() => drained++);
	let written = 0;
	while (connection.write(new Uint8Array(10_000))) written++;
	t.true(written > 20);
	t.true(connection.bufferedBytes > 0);
	await s.world.runFor(1000);
	t.is(s.got.length, 0);
	t.is(drained, 0);
	s.accepted[0]!.resume();
	await s.world.runFor(1000);
	t.is(s.got.length, (written + 1) * 10_000);
	t.is(drained, 1);
	t.is(connection.bufferedBytes, 0);
});

test("destroying loses what is under way, or not, but never a middle part", async (t) => {
	const lengths = new Set<number>();
	for (let seed = 0; seed < 40; seed++) {
		const s = await setup(seed);
		const connection = await connect(s);
		const close = closeOf(connection);
		for (let i = 1; i <= 5; i++) {
			connection.write(Uint8Array.of(i));
			await s.world.runFor(0.1);
		}
		connection.destroy();
		await s.world.runFor(1000);
		t.deepEqual(s.got, [1, 2, 3, 4, 5].slice(0, s.got.length));
		t.is(s.closes.length, 1);
		t.is(close.reason, "end");
		lengths.add(s.got.length);
	}
	t.true(lengths.size > 1);
});

test("a paused process gets its bytes when it goes on", async (t) => {
	const s = await setup(1);
	const connection = await connect(s);
	await s.world.runFor(1);
	s.b.pause(1000);
	connection.write(Uint8Array.of(1));
	connection.write(Uint8Array.of(2));
	await s.world.runFor(900);
	t.deepEqual(s.got, []);
	await s.world.runFor(200);
	t.deepEqual(s.got, [1, 2]);
});

test("the timeout of a connection attempt follows its machine's clock, also when that changes its rate", async (t) => {
	const world = new World(1);
	const [a, b] = [world.addMachine(1), world.addMachine(2)];
	const runtime = a.boot();
	b.boot();
	world.network.partition([a], [b]);
	a.setClockRate(0.01);
	const failed = runtime.network.connect(`${b.host}:1`, 1000).catch((e: Error) => e);
	await world.runFor(100);
	a.setClockRate(1);
	t.true((await world.complete(failed, 1100)) instanceof Error);
});

test("a reset that one side sees: what it had sent comes late, and after its new connection", async (t) => {
	const s = await setup(1);
	const first = await connect(s);
	const closed = closeOf(first);
	first.write(Uint8Array.of(1));
	s.world.network.resetOneSide(s.a, s.b, 300);
	await s.world.runFor(50);
	t.is(closed.reason, "ECONNRESET: connection reset");
	t.deepEqual(s.closes, []);
	const second = await connect(s);
	second.write(Uint8Array.of(2));
	await s.world.runFor(1_000);
	t.deepEqual(s.got, [2, 1]);
	t.is(s.world.counts.get("one-sided-reset"), 1);
	t.is(s.world.counts.get("late-after-reconnect"), 1);
	// Who answers to an end that is gone is told.
	s.accepted[0]!.write(Uint8Array.of(3));
	await s.world.runFor(1_000);
	t.deepEqual(s.closes, ["ECONNRESET: connection reset by peer"]);
});

test("writes that come twice and late, where a link is told so", async (t) => {
	const s = await setup(1);
	const connection = await connect(s);
	s.world.network.link(s.a, s.b).disorder = (bytes) => ({
		now: bytes[0] === 1 ? new Uint8Array() : bytes,
		later: bytes[0] === 3 ? [] : [{ bytes, delayMs: bytes[0]! * 20, isCopy: bytes[0] === 2 }],
	});
	for (const n of [1, 2, 3]) connection.write(Uint8Array.of(n));
	await s.world.runFor(1_000);
	t.deepEqual(s.got, [2, 3, 1, 2]);
	t.is(s.world.counts.get("duplicated"), 1);
	t.is(s.world.counts.get("reordered"), 2);
	s.world.network.heal();
	connection.write(Uint8Array.of(1));
	await s.world.runFor(1_000);
	t.deepEqual(s.got, [2, 3, 1, 2, 1]);
});
