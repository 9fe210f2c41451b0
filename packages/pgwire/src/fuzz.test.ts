/** Mutated conversations: whatever comes, the server stays up, other sessions notice nothing, and sessions are closed. */
import test from "ava";
import { serialize } from "pg-protocol";
import { createPgServer } from "./pg-server.ts";
import { FakeSessions } from "./testing/fake-session.ts";
import {
	eventually,
	int16,
	int32,
	message,
	names,
	startup,
	TestClient,
} from "./testing/test-client.ts";
import { createTestRuntime, generator } from "./testing/test-runtime.ts";

const address = "127.0.0.1:5432";
const seedCount = 400;

const conversation: readonly Buffer[] = [
	startup({ user: "fuzz", database: "d", options: "-c a=b" }),
	serialize.query("rows 3; set a b; notice"),
	serialize.parse({ name: "s", text: "echo", types: [23, 25, 16] }),
	serialize.describe({ type: "S", name: "s" }),
	serialize.bind({ statement: "s", values: ["1", "two", null] }),
	message(
		"B",
		"p",
		"s",
		int16(1),
		int16(1),
		int16(3),
		int32(4),
		int32(5),
		int32(1),
		Buffer.from("x"),
		int32(1),
		Buffer.of(1),
		int16(1),
		int16(1),
	),
	serialize.describe({ type: "P" }),
	serialize.execute({ rows: 1 }),
	serialize.close({ type: "P" }),
	serialize.flush(),
	serialize.sync(),
	serialize.query("copy in"),
	serialize.copyData(Buffer.from("1\ta\n")),
	serialize.copyDone(),
	serialize.query("fail 23505"),
	serialize.query("copy out 2"),
	serialize.sync(),
];

/** Flips, drops, repeats, swaps and cuts; sends in pieces of random size. */
function mutate(next: () => number): Buffer {
	const parts = [...conversation];
	const below = (bound: number) => next() % bound;
	for (let change = below(3); change > 0; change--) {
		const at = 1 + below(parts.length - 1);
		if (below(2) === 0) {
			parts.splice(at, 1);
		} else {
			parts.splice(at, 0, parts[below(parts.length)]!);
		}
	}
	const bytes = Buffer.concat(parts);
	for (let change = 1 + below(6); change > 0; change--) {
		const interesting = [0, 1, 0x7f, 0x80, 0xff, below(256)];
		bytes[below(bytes.length)] = interesting[below(interesting.length)]!;
	}
	return below(4) === 0 ? bytes.subarray(0, below(bytes.length)) : bytes;
}

test(`${seedCount} mutated conversations beside a healthy one`, async (t) => {
	const runtime = createTestRuntime();
	const sessions = new FakeSessions();
	const server = await createPgServer({ runtime, sessions, listenAddress: address });
	const healthy = await TestClient.start(runtime, address);
	for (let seed = 1; seed <= seedCount; seed++) {
		const next = generator(seed);
		const bytes = mutate(next);
		const client = await TestClient.open(runtime, address);
		client.parsing = false;
		for (let at = 0; at < bytes.length; ) {
			const size = 1 + (next() % 200);
			client.send(bytes.subarray(at, at + size));
			at += size;
		}
		if (next() % 2 === 0) {
			await runtime.scheduler.yield();
		}
		healthy.send(serialize.query(`rows ${seed % 5}`));
		const seen = await healthy.until("readyForQuery");
		t.is(seen.length, 3 + (seed % 5), `seed ${seed}: ${names(seen)}`);
		client.connection.end();
		await eventually(() => server.connectionCount === 1);
	}
	t.deepEqual(
		sessions.opened.slice(1).filter((session) => session.closeCount !== 1),
		[],
		"every session is closed once",
	);
	t.deepEqual(
		runtime.logged.filter((line) => line.level === "error"),
		[],
		"nothing unexpected was thrown",
	);
	t.true(sessions.opened.length > seedCount / 2, "most start-ups survive their mutation");
	await eventually(() => runtime.timerCount === 0);
});
