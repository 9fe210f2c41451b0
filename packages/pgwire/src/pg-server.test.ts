import { settingDefinition } from "@quorate/sql/session/setting-definitions";
import test from "ava";
import { serialize } from "pg-protocol";
import { defaultLimits } from "./limits.ts";
import { createPgServer, type PgServer } from "./pg-server.ts";
import { type FakeSession, FakeSessions } from "./testing/fake-session.ts";
import {
	eventually,
	int16,
	int32,
	message,
	names,
	packet,
	startup,
	TestClient,
} from "./testing/test-client.ts";
import { createTestRuntime, type TestRuntime } from "./testing/test-runtime.ts";

const address = "127.0.0.1:5432";

interface World {
	runtime: TestRuntime;
	sessions: FakeSessions;
	server: PgServer;
	client(): Promise<TestClient>;
	last(): FakeSession;
}

async function world(limits = {}): Promise<World> {
	const runtime = createTestRuntime();
	const sessions = new FakeSessions();
	const server = await createPgServer({
		runtime,
		sessions,
		listenAddress: address,
		nodeId: 3,
		limits,
	});
	return {
		runtime,
		sessions,
		server,
		client: () => TestClient.start(runtime, address),
		last: () => sessions.opened.at(-1)!,
	};
}

test("a start-up is answered with settings, a key and ReadyForQuery", async (t) => {
	const { runtime, last } = await world();
	const client = await TestClient.open(runtime, address);
	client.send(
		startup({
			User: "me",
			options: "-c search_path=a\\ b --work-mem=1",
			client_encoding: "'utf-8'",
		}),
	);
	const seen = await client.until("readyForQuery");
	t.is(
		names(seen),
		"authenticationOk parameterStatus parameterStatus backendKeyData readyForQuery",
	);
	t.is(seen.at(-1)!.status, "I");
	t.is(client.pieces, 1, "one write");
	t.deepEqual(Object.fromEntries(last().parameters), {
		user: "me",
		database: "me",
		search_path: "a b",
		work_mem: "1",
		client_encoding: "UTF8",
	});
	t.is(seen.find((m) => m.name === "backendKeyData")!.processID! >> 20, 3);
});

test("SSL and GSSAPI are declined, and the start-up goes on", async (t) => {
	const { runtime } = await world();
	const client = await TestClient.open(runtime, address);
	client.parsing = false;
	client.send(packet(80877104));
	await eventually(() => client.raw.length === 1);
	client.send(packet(80877103));
	await eventually(() => client.raw.length === 2);
	t.is(Buffer.concat(client.raw).toString(), "NN");
	client.parsing = true;
	client.send(startup({ user: "me" }));
	await client.until("readyForQuery");
	t.pass();
});

const refusedStarts: [string, Buffer, string | undefined, string | undefined][] = [
	[
		"data right after SSLRequest",
		Buffer.concat([packet(80877103), startup({ user: "u" })]),
		"08P01",
		"received unencrypted data after SSL request",
	],
	[
		"protocol 9.9",
		startup({ user: "u" }, (9 << 16) | 9),
		"0A000",
		"unsupported frontend protocol 9.9: server supports 3.0 to 3.0",
	],
	[
		"no terminator",
		packet(3 << 16, Buffer.from("user\0me\0")),
		"08P01",
		"invalid startup packet layout: expected terminator as last byte",
	],
	[
		"no user",
		startup({ database: "d" }),
		"28000",
		"no PostgreSQL user name specified in startup packet",
	],
	[
		"absent database",
		startup({ user: "u", database: "absent" }),
		"3D000",
		'database "absent" does not exist',
	],
	[
		"replication",
		startup({ user: "u", replication: "database" }),
		"0A000",
		"replication connections are not supported",
	],
	[
		"invalid UTF-8",
		packet(3 << 16, Buffer.from([117, 0, 0xc3, 0x28, 0, 0])),
		"22021",
		'invalid byte sequence for encoding "UTF8": 0xc3 0x28',
	],
	[
		"bad option",
		startup({ user: "u", options: "-x" }),
		"42601",
		"invalid command-line argument for server process: -x",
	],
	["length 2^31-1", int32(0x7fffffff), undefined, undefined],
	["length -1", int32(-1), undefined, undefined],
	["length 3", int32(3), undefined, undefined],
	["HTTP", Buffer.from("GET / HTTP/1.1\r\n\r\n"), undefined, undefined],
	["bare TLS hello", Buffer.from("16030100c8010000c40303", "hex"), undefined, undefined],
	["wrong cancel key", packet(80877102, int32(1), int32(2)), undefined, undefined],
	["short cancel key", packet(80877102, int32(1)), undefined, undefined],
];

for (const [title, bytes, code, text] of refusedStarts) {
	test(`start-up refused: ${title}`, async (t) => {
		const { runtime, server } = await world();
		const client = await TestClient.open(runtime, address);
		client.send(bytes);
		const seen = await client.untilClosed();
		if (code === undefined) {
			t.deepEqual(client.raw, []);
		} else if (bytes.readInt32BE(4) === 80877103) {
			t.true(Buffer.concat(client.raw).includes(text!));
		} else {
			t.is(names(seen), "error");
			t.like(seen[0], { severity: "FATAL", code, message: text! });
		}
		await eventually(() => server.connectionCount === 0 && runtime.timerCount === 0);
	});
}

test("a newer minor version and unknown protocol options are negotiated down", async (t) => {
	const { runtime } = await world();
	const client = await TestClient.open(runtime, address);
	client.parsing = false;
	client.send(startup({ user: "me", "_pq_.shiny": "1" }, (3 << 16) | 2));
	await eventually(() => Buffer.concat(client.raw).includes(Buffer.from("Z\0\0\0\x05I")));
	const bytes = Buffer.concat(client.raw);
	t.is(String.fromCharCode(bytes[0]!), "v");
	t.is(bytes.readInt32BE(5), 3 << 16);
	t.is(bytes.readInt32BE(9), 1);
	t.is(bytes.toString("latin1", 13, 24), "_pq_.shiny\0");
});

test("an address that is not loopback is refused by name", async (t) => {
	const runtime = createTestRuntime();
	for (const listenAddress of ["0.0.0.0:5432", "10.0.0.1:5432", "[::]:5432", "db.example:5432"]) {
		await t.throwsAsync(createPgServer({ runtime, sessions: new FakeSessions(), listenAddress }), {
			message: `cannot serve SQL on ${listenAddress}`,
		});
	}
	await t.throwsAsync(
		createPgServer({ runtime, sessions: new FakeSessions(), listenAddress: "5432" }),
		{ message: '"5432" is not an address of the form host:port' },
	);
	await t.notThrowsAsync(
		createPgServer({ runtime, sessions: new FakeSessions(), listenAddress: "[::1]:5432" }),
	);
});

test("too many clients are told so, and the ones that are there go on", async (t) => {
	const { runtime, client } = await world({ connectionsMax: 1, reservedConnections: 0 });
	const first = await client();
	const second = await TestClient.open(runtime, address);
	second.send(startup({ user: "me" }));
	const seen = await second.untilClosed();
	t.like(seen[0], { code: "53300", severity: "FATAL" });
	first.send(serialize.query("rows 1"));
	t.is(
		names(await first.until("readyForQuery")),
		"rowDescription dataRow commandComplete readyForQuery",
	);
});

test("a start-up that does not come is cut off", async (t) => {
	const { runtime, server } = await world();
	const client = await TestClient.open(runtime, address);
	client.send(Buffer.of(0, 0));
	await eventually(() => server.connectionCount === 1);
	runtime.fireTimers();
	await client.untilClosed();
	t.deepEqual(client.raw, []);
});

test("CancelRequest reaches the statement that its key names, and no other", async (t) => {
	const { runtime, client, sessions } = await world();
	const one = await TestClient.open(runtime, address);
	one.send(startup({ user: "one" }));
	const key = (await one.until("readyForQuery")).find((m) => m.name === "backendKeyData")!;
	const two = await client();
	for (const session of [one, two]) {
		session.send(serialize.query("wait"));
	}
	await eventually(() => sessions.opened.every((session) => session.running === 1));
	const wrong = await TestClient.open(runtime, address);
	wrong.send(serialize.cancel(key.processID!, key.secretKey! ^ 1));
	await wrong.untilClosed();
	t.deepEqual(
		sessions.opened.map((s) => s.log.includes("cancel")),
		[false, false],
	);
	const right = await TestClient.open(runtime, address);
	right.send(serialize.cancel(key.processID!, key.secretKey!));
	await right.untilClosed();
	t.deepEqual(right.raw, []);
	const seen = await one.until("readyForQuery");
	t.like(seen[0], { name: "error", code: "57014", severity: "ERROR" });
	t.deepEqual(
		sessions.opened.map((s) => s.log.includes("cancel")),
		[true, false],
	);
	const late = await TestClient.open(runtime, address);
	late.send(serialize.cancel(key.processID!, key.secretKey!));
	await late.untilClosed();
	one.send(serialize.query("rows 0"));
	t.is(names(await one.until("readyForQuery")), "rowDescription commandComplete readyForQuery");
});

test("a disconnect cancels what runs and closes the session once, after it", async (t) => {
	const { client, last, server } = await world();
	const gone = await client();
	gone.send(serialize.query("wait"));
	await eventually(() => last().running === 1);
	gone.connection.destroy();
	await eventually(() => server.connectionCount === 0);
	t.deepEqual(last().log.slice(-2), ["cancel", "close while 0 run"]);
	t.is(last().closeCount, 1);
});

test("Terminate closes the session after what came before it", async (t) => {
	const { client, last, server } = await world();
	const leaving = await client();
	leaving.send(serialize.query("rows 1"), serialize.end());
	t.is(names(await leaving.untilClosed()), "rowDescription dataRow commandComplete readyForQuery");
	await eventually(() => server.connectionCount === 0);
	t.deepEqual(last().log, ["run rows 1", "close while 0 run"]);
});

test("close() ends idle, running and half-open clients", async (t) => {
	const { runtime, client, last, server, sessions } = await world();
	const idle = await client();
	const busy = await client();
	busy.send(serialize.query("wait"));
	await eventually(() => last().running === 1);
	const silent = await TestClient.open(runtime, address);
	const closed = server.close();
	for (const session of [idle, busy]) {
		const seen = await session.untilClosed();
		t.is(names(seen), "error");
		t.like(seen[0], { code: "57P01", severity: "FATAL" });
	}
	await silent.untilClosed();
	t.deepEqual(silent.raw, []);
	await closed;
	t.true(sessions.opened.every((session) => session.closeCount === 1));
	await t.throwsAsync(runtime.network.connect(address));
});

test("drain() waits for the end of a transaction", async (t) => {
	const { client, server } = await world();
	const idle = await client();
	const open = await client();
	open.send(serialize.query("begin"));
	await open.until("readyForQuery");
	const drained = server.drain();
	t.like((await idle.untilClosed())[0], { code: "57P01" });
	open.send(serialize.query("rows 1"));
	t.is((await open.until("readyForQuery")).at(-1)!.status, "T");
	open.send(serialize.query("commit"));
	t.is(names(await open.untilClosed()), "commandComplete readyForQuery error");
	await drained;
	t.is(server.connectionCount, 0);
});

test("drain() does not wait for ever for a transaction that stays open", async (t) => {
	const { client, server, runtime, last } = await world();
	const open = await client();
	open.send(serialize.query("begin"));
	await open.until("readyForQuery");
	const drained = server.drain();
	await runtime.scheduler.yield();
	t.is(server.connectionCount, 1);
	runtime.fireTimers();
	t.like((await open.untilClosed())[0], { code: "57P01", severity: "FATAL" });
	await drained;
	t.is(last().closeCount, 1);
});

test("drain() lets a pipelined series reach its Sync", async (t) => {
	const { client, server, last } = await world();
	const busy = await client();
	busy.send(
		serialize.parse({ text: "wait" }),
		serialize.bind(),
		serialize.execute(),
		serialize.sync(),
	);
	await eventually(() => last().running === 1);
	const drained = server.drain();
	last().cancel();
	t.is(names(await busy.untilClosed()), "parseComplete bindComplete error readyForQuery error");
	await drained;
});

test("a client that does not read stops its statement, not the server", async (t) => {
	const { client, last, runtime } = await world();
	const slow = await client();
	slow.connection.pause();
	slow.send(serialize.query("big 1000"));
	await eventually(() => last().produced > 20);
	for (let turn = 0; turn < 50; turn++) {
		await runtime.scheduler.yield();
	}
	t.true(last().produced < 100, `${last().produced} rows of 10 kB before the client read`);
	slow.connection.resume();
	const seen = await slow.until("readyForQuery");
	t.is(seen.filter((m) => m.name === "dataRow").length, 1000);
});

test("a client that vanishes while its results wait releases the statement", async (t) => {
	const { client, last, server } = await world();
	const slow = await client();
	slow.connection.pause();
	slow.send(serialize.query("big 1000"));
	await eventually(() => last().produced > 20);
	slow.connection.destroy();
	await eventually(() => server.connectionCount === 0);
	t.true(last().produced < 100);
	t.is(last().closeCount, 1);
});

test("input is read ahead only up to the bound", async (t) => {
	const { client, last, runtime } = await world({ readAheadBytesMax: 10_000 });
	const eager = await client();
	eager.send(serialize.query("wait"));
	await eventually(() => last().running === 1);
	for (let index = 0; index < 100; index++) {
		eager.send(serialize.query(`rows 0 ${"x".repeat(1000)}`));
		await runtime.scheduler.yield();
	}
	t.true(eager.connection.bufferedBytes > 80_000, "the rest waits in the network");
	last().cancel();
	for (let index = 0; index < 101; index++) {
		await eager.until("readyForQuery");
	}
	t.is(eager.connection.bufferedBytes, 0);
});

const malformed: [string, Buffer, string][] = [
	["unknown type", message("?"), "invalid frontend message type 63"],
	["password out of turn", message("p", "secret"), "invalid frontend message type 112"],
	["negative length", Buffer.concat([Buffer.from("Q"), int32(-1)]), "invalid message length"],
	["one gigabyte", Buffer.concat([Buffer.from("Q"), int32(0x7fffffff)]), "invalid message length"],
	["large Sync", Buffer.concat([Buffer.from("S"), int32(20_000)]), "invalid message length"],
	["query without end", message("Q", Buffer.from("rows 1")), "invalid string in message"],
	["NUL inside a query", message("Q", Buffer.from("rows\0 1\0")), "invalid message format"],
	["Sync with a body", message("S", Buffer.of(1)), "invalid message format"],
	[
		"Parse with a short list",
		message("P", "", "echo", int16(2), int32(23)),
		"invalid message format",
	],
	[
		"Bind with a negative count",
		message("B", "", "", int16(0xffff)),
		"insufficient data left in message",
	],
	[
		"Bind with a negative length",
		message("B", "", "s", int16(0), int16(1), int32(-2), int16(0)),
		"insufficient data left in message",
	],
	[
		"Bind with too long a value",
		message("B", "", "s", int16(0), int16(1), int32(9), Buffer.from("1")),
		"insufficient data left in message",
	],
	[
		"Bind with more behind",
		message("B", "", "s", int16(0), int16(1), int32(1), Buffer.from("1"), int16(0), Buffer.of(0)),
		"invalid message format",
	],
	["Describe of what", message("D", "Xname"), "invalid DESCRIBE message subtype 88"],
	["Close of what", message("C", "Xname"), "invalid CLOSE message subtype 88"],
	["Execute cut off", message("E", "", int16(0)), "insufficient data left in message"],
];

for (const [title, bytes, text] of malformed) {
	test(`malformed: ${title}`, async (t) => {
		const { client, server } = await world();
		const other = await client();
		const bad = await client();
		bad.send(serialize.parse({ name: "s", text: "echo", types: [23] }), serialize.sync());
		await bad.until("readyForQuery");
		bad.send(bytes, serialize.query("rows 1"));
		const seen = await bad.untilClosed();
		t.is(names(seen), "error");
		t.like(seen[0], { code: "08P01", severity: "FATAL", message: text });
		await eventually(() => server.connectionCount === 1);
		other.send(serialize.query("rows 1"));
		t.is((await other.until("readyForQuery")).length, 4);
	});
}

test("SHOW tells how many connections there may be", (t) => {
	t.is(settingDefinition("max_connections")?.initial, String(defaultLimits.connectionsMax));
});
