import { DatabaseError } from "@quorate/keys/database-error";
import test from "ava";
import fc from "fast-check";
import { serialize } from "pg-protocol";
import { createPgServer } from "./pg-server.ts";
import { type FakeSession, FakeSessions } from "./testing/fake-session.ts";
import {
	eventually,
	int16,
	int32,
	message,
	names,
	type Seen,
	TestClient,
} from "./testing/test-client.ts";
import { createTestRuntime, generator } from "./testing/test-runtime.ts";

const address = "127.0.0.1:5432";

async function connected(): Promise<{
	client: TestClient;
	session: FakeSession;
	errors: unknown[];
}> {
	const runtime = createTestRuntime();
	const sessions = new FakeSessions();
	await createPgServer({ runtime, sessions, listenAddress: address });
	const client = await TestClient.start(runtime, address);
	return { client, session: sessions.opened[0]!, errors: runtime.logged };
}

const values = (seen: readonly Seen[]) =>
	seen.filter((m) => m.name === "dataRow").map((m) => m.fields);

test("a simple query with several statements", async (t) => {
	const { client } = await connected();
	client.send(serialize.query("rows 2; set DateStyle ISO; notice; rows 4"));
	const seen = await client.until("readyForQuery");
	t.is(
		names(seen),
		"rowDescription dataRow dataRow commandComplete parameterStatus commandComplete notice commandComplete " +
			"rowDescription dataRow dataRow dataRow dataRow commandComplete readyForQuery",
	);
	t.deepEqual(values(seen).slice(2), [
		["0", "name 0 é"],
		["1", "name 1 é"],
		["2", "name 2 é"],
		["3", null],
	]);
	t.like(seen[4], { parameterName: "DateStyle", parameterValue: "ISO" });
	t.like(seen[6], { severity: "NOTICE", code: "00000", message: "look", hint: "there" });
	t.is(seen[13]!.text, "SELECT 4");
});

test("results that the session wants in binary format are so in a simple query", async (t) => {
	const { client } = await connected();
	client.send(serialize.query("rows 2 binary; rows 1"));
	const seen = await client.until("readyForQuery");
	const formats = seen
		.filter((m) => m.name === "rowDescription")
		.map((m) => m.fields!.map((field) => (field as { format: string }).format));
	t.deepEqual(formats, [
		["binary", "binary"],
		["text", "text"],
	]);
	t.deepEqual(values(seen), [
		["\0\0\0\0", "name 0 é"],
		["\0\0\0\x01", "name 1 é"],
		["0", "name 0 é"],
	]);
});

test("notifications come at once to who is idle, else before ReadyForQuery outside of a transaction", async (t) => {
	const { client, session } = await connected();
	session.notify("a", "first", 77);
	const [alone] = await client.until("notification");
	t.like(alone, { processId: 77, channel: "a", payload: "first" });
	client.send(serialize.query("begin"));
	await client.until("readyForQuery");
	session.notify("a", "second", 77);
	client.send(serialize.query("rows 1"));
	t.is(
		names(await client.until("readyForQuery")),
		"rowDescription dataRow commandComplete readyForQuery",
	);
	client.send(serialize.query("commit"));
	const seen = await client.until("readyForQuery");
	t.is(names(seen), "commandComplete notification readyForQuery");
	t.like(seen[1], { payload: "second" });
	client.send(serialize.parse({ text: "rows 1" }), serialize.bind(), serialize.execute());
	client.send(serialize.flush());
	await client.until("commandComplete");
	session.notify("a", "third", 78);
	client.send(serialize.sync());
	t.is(names(await client.until("readyForQuery")), "notification readyForQuery");
});

test("a session that has to end tells an idle client why", async (t) => {
	const { client, session } = await connected();
	session.terminate(new DatabaseError("57P01", "gone", { severity: "FATAL" }));
	const seen = await client.untilClosed();
	t.is(names(seen), "error");
	t.like(seen[0], { severity: "FATAL", code: "57P01", message: "gone" });
	await eventually(() => session.closeCount === 1);
});

test("an empty query", async (t) => {
	const { client } = await connected();
	client.send(serialize.query(" ; "));
	t.is(names(await client.until("readyForQuery")), "emptyQuery readyForQuery");
});

test("an error in a simple query carries all its fields and ends the query only", async (t) => {
	const { client, session } = await connected();
	client.send(serialize.query("begin; rows 1; fail 23505; rows 1"));
	const seen = await client.until("readyForQuery");
	t.is(names(seen), "commandComplete rowDescription dataRow commandComplete error readyForQuery");
	t.like(seen[4], {
		severity: "ERROR",
		code: "23505",
		message: "it failed",
		detail: "some detail",
		hint: "some hint",
		position: "6",
		schema: "public",
		table: "t",
		column: "c",
		dataType: "int4",
		constraint: "t_pkey",
	});
	t.is(seen[5]!.status, "E");
	t.false(session.log.some((line) => line.startsWith("failed")));
});

test("a bug in the server is reported, vaguely, and logged", async (t) => {
	const { client, errors } = await connected();
	client.send(serialize.query("bug"));
	const seen = await client.until("readyForQuery");
	t.like(seen[0], { code: "XX000", message: "internal error" });
	t.is(errors.length, 1);
	t.regex(JSON.stringify(errors[0]), /cannot read properties of undefined/);
});

test("invalid UTF-8 fails the statement, not the connection", async (t) => {
	const { client, session } = await connected();
	client.send(message("Q", Buffer.from([0x72, 0xe2, 0x82, 0x28, 0])));
	const seen = await client.until("readyForQuery");
	t.like(seen[0], {
		code: "22021",
		message: 'invalid byte sequence for encoding "UTF8": 0xe2 0x82 0x28',
	});
	t.deepEqual(session.log, ["failed 22021"]);
});

test("the extended protocol, several series in one write, one answer", async (t) => {
	const { client } = await connected();
	const before = client.pieces;
	client.send(
		serialize.parse({ name: "s", text: "echo", types: [23, 25, 20, 16] }),
		serialize.describe({ type: "S", name: "s" }),
		serialize.bind({ statement: "s", values: ["-42", "ü", null, "t"] }),
		serialize.describe({ type: "P" }),
		serialize.execute(),
		serialize.sync(),
		serialize.bind({ statement: "s", values: ["7", "", "9000000000", "false"] }),
		serialize.execute(),
		serialize.close({ type: "S", name: "s" }),
		serialize.close({ type: "P", name: "never was" }),
		serialize.sync(),
	);
	const seen = await client.until("readyForQuery");
	t.is(
		names(seen),
		"parseComplete parameterDescription rowDescription bindComplete rowDescription dataRow commandComplete readyForQuery",
	);
	t.deepEqual(seen[1]!.dataTypeIDs, [23, 25, 20, 16]);
	t.deepEqual(values(seen), [["-42", "ü", null, "t"]]);
	const second = await client.until("readyForQuery");
	t.is(
		names(second),
		"bindComplete dataRow commandComplete closeComplete closeComplete readyForQuery",
	);
	t.deepEqual(values(second), [["7", "", "9000000000", "f"]]);
	t.true(client.pieces - before <= 2);
});

test("NoData, an empty statement, and row limits", async (t) => {
	const { client } = await connected();
	client.send(
		serialize.parse({ text: "begin" }),
		serialize.bind(),
		serialize.describe({ type: "P" }),
		serialize.execute(),
		serialize.parse({ text: "" }),
		serialize.bind(),
		serialize.execute(),
		serialize.parse({ text: "rows 5" }),
		serialize.bind({ portal: "p" }),
		serialize.execute({ portal: "p", rows: 2 }),
		serialize.execute({ portal: "p", rows: 2 }),
		serialize.execute({ portal: "p", rows: 2 }),
		serialize.sync(),
	);
	t.is(
		names(await client.until("readyForQuery")),
		"parseComplete bindComplete noData commandComplete " +
			"parseComplete bindComplete emptyQuery " +
			"parseComplete bindComplete dataRow dataRow portalSuspended dataRow dataRow portalSuspended dataRow commandComplete " +
			"readyForQuery",
	);
});

test("after an error everything up to Sync is passed over", async (t) => {
	const { client, session } = await connected();
	client.send(
		serialize.parse({ text: "broken" }),
		serialize.bind(),
		serialize.execute(),
		serialize.query("rows 1"),
		serialize.sync(),
		serialize.parse({ text: "rows 1" }),
		serialize.sync(),
	);
	const seen = await client.until("readyForQuery");
	t.is(names(seen), "error readyForQuery");
	t.like(seen[0], { code: "42601", position: "1" });
	t.is(names(await client.until("readyForQuery")), "parseComplete readyForQuery");
	t.deepEqual(session.log, [
		"prepare : broken",
		"failed 42601",
		"sync",
		"prepare : rows 1",
		"sync",
	]);
});

test("Flush makes the answers come without Sync", async (t) => {
	const { client } = await connected();
	client.send(serialize.parse({ text: "rows 1" }), serialize.flush());
	t.is(names(await client.until("parseComplete")), "parseComplete");
	client.send(serialize.bind(), serialize.execute(), serialize.flush());
	t.is(names(await client.until("commandComplete")), "bindComplete dataRow commandComplete");
});

const refusals: [string, Buffer[], string, string][] = [
	[
		"no such statement",
		[serialize.bind({ statement: "x" })],
		"26000",
		'prepared statement "x" does not exist',
	],
	[
		"no unnamed statement",
		[serialize.bind()],
		"26000",
		"unnamed prepared statement does not exist",
	],
	["no such portal", [serialize.execute({ portal: "x" })], "34000", 'portal "x" does not exist'],
	[
		"Describe of no portal",
		[serialize.describe({ type: "P", name: "x" })],
		"34000",
		'portal "x" does not exist',
	],
	[
		"too few parameters",
		[serialize.bind({ statement: "s", values: [] })],
		"08P01",
		'bind message supplies 0 parameters, but prepared statement "s" requires 2',
	],
	[
		"formats that do not match",
		[message("B", "", "s", int16(3), int16(0), int16(0), int16(0), int16(2))],
		"08P01",
		"bind message has 3 parameter formats but 2 parameters",
	],
	[
		"an unknown format",
		[message("B", "", "s", int16(1), int16(7), int16(2))],
		"22023",
		"unsupported format code: 7",
	],
	[
		"result formats that do not match",
		[
			message(
				"B",
				"",
				"s",
				int16(0),
				int16(2),
				int32(-1),
				int32(-1),
				int16(3),
				int16(0),
				int16(0),
				int16(0),
			),
		],
		"08P01",
		"bind message has 3 result formats but query has 2 columns",
	],
	[
		"a NUL in a parameter",
		[message("B", "", "s", int16(0), int16(2), int32(-1), int32(3), Buffer.from("a\0b"), int16(0))],
		"22021",
		'invalid byte sequence for encoding "UTF8": 0x00',
	],
	[
		"a text that is no integer",
		[serialize.bind({ statement: "s", values: ["12x", "a"] })],
		"22P02",
		'invalid input syntax for type integer: "12x"',
	],
	[
		"a binary integer too long",
		[
			message(
				"B",
				"",
				"s",
				int16(1),
				int16(1),
				int16(2),
				int32(5),
				Buffer.alloc(5),
				int32(-1),
				int16(0),
			),
		],
		"22P03",
		"incorrect binary data format in bind parameter 1",
	],
];

for (const [title, messages, code, text] of refusals) {
	test(`extended protocol: ${title}`, async (t) => {
		const { client, session } = await connected();
		client.send(serialize.parse({ name: "s", text: "echo", types: [23, 25] }), serialize.sync());
		await client.until("readyForQuery");
		client.send(...messages, serialize.sync());
		const seen = await client.until("readyForQuery");
		t.is(names(seen), "error readyForQuery");
		t.like(seen[0], { severity: "ERROR", code, message: text });
		t.true(session.log.includes(`failed ${code}`));
	});
}

test("FunctionCall is refused by name", async (t) => {
	const { client } = await connected();
	client.send(message("F", int32(1)));
	const seen = await client.until("readyForQuery");
	t.like(seen[0], { code: "0A000", message: "the function call protocol is not supported" });
});

test("binary parameters and results", async (t) => {
	const { client } = await connected();
	const types = [21, 23, 20, 26, 16, 700, 701, 25, 1700];
	const parts = [
		int16(0xfffe),
		int32(-70_000),
		Buffer.from("7fffffffffffffff", "hex"),
		int32(-1),
		Buffer.of(1),
		Buffer.from("3fc00000", "hex"),
		Buffer.from("bff8000000000000", "hex"),
		Buffer.from("日本"),
		// numeric 12.5: two digits, weight 0, scale 1.
		Buffer.from("0002000000000001000c1388", "hex"),
	];
	const encoded = parts.flatMap((part) => [int32(part.length), part]);
	const bind = (format: number) =>
		message(
			"B",
			"",
			"",
			int16(1),
			int16(1),
			int16(parts.length),
			...encoded,
			int16(1),
			int16(format),
		);
	client.send(
		serialize.parse({ text: "echo", types }),
		bind(0),
		serialize.execute(),
		serialize.sync(),
	);
	const seen = await client.until("readyForQuery");
	t.deepEqual(values(seen), [
		["-2", "-70000", "9223372036854775807", "4294967295", "t", "1.5", "-1.5", "日本", "12.5"],
	]);
	client.parsing = false;
	client.raw.length = 0;
	client.send(
		serialize.parse({ text: "echo", types }),
		bind(1),
		serialize.execute(),
		serialize.sync(),
	);
	const row = Buffer.concat(encoded);
	await eventually(() => Buffer.concat(client.raw).includes("SELECT 1"));
	t.true(Buffer.concat(client.raw).includes(message("D", int16(parts.length), row)));
});

test("one result format a column", async (t) => {
	const { client } = await connected();
	const bind = message("B", "", "", int16(0), int16(0), int16(2), int16(1), int16(0));
	client.send(serialize.parse({ text: "rows 1" }), bind, serialize.describe({ type: "P" }));
	client.send(serialize.execute(), serialize.sync());
	const seen = await client.until("readyForQuery");
	t.deepEqual(
		seen
			.find((m) => m.name === "rowDescription")!
			.fields!.map((f) => (f as { format: string }).format),
		["binary", "text"],
	);
	t.deepEqual(values(seen), [["\0\0\0\0", "name 0 é"]]);
});

test("integers of every width come back as they went", async (t) => {
	const { client } = await connected();
	await fc.assert(
		fc.asyncProperty(
			fc.integer(),
			fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
			async (a, b) => {
				client.send(
					serialize.parse({ text: "echo", types: [23, 20] }),
					serialize.bind({ values: [String(a), String(b)] }),
					serialize.execute(),
					serialize.sync(),
				);
				t.deepEqual(values(await client.until("readyForQuery")), [[String(a), String(b)]]);
			},
		),
		{ numRuns: 200, seed: 1 },
	);
});

test("texts of every kind come back as they went", async (t) => {
	const { client } = await connected();
	const text = fc.string({ unit: "binary", maxLength: 2000 }).map((s) => s.replaceAll("\0", ""));
	await fc.assert(
		fc.asyncProperty(text, async (sent) => {
			client.send(
				serialize.parse({ text: "echo", types: [25] }),
				serialize.bind({ values: [sent] }),
				serialize.execute(),
				serialize.sync(),
			);
			t.deepEqual(values(await client.until("readyForQuery")), [[sent]]);
		}),
		{ numRuns: 200, seed: 1 },
	);
});

test("COPY in, its data split anywhere", async (t) => {
	const { client, session } = await connected();
	const data = Buffer.from("1\ta\n2\tb\n3\tc\n");
	const next = generator(7);
	for (let round = 0; round < 20; round++) {
		session.copied = [];
		client.send(serialize.query("copy in"));
		const seen = await client.until("copyInResponse");
		t.like(seen[0], { binary: false, columnTypes: [0, 0] });
		const cut = next() % data.length;
		const stream = Buffer.concat([
			serialize.copyData(data.subarray(0, cut)),
			serialize.flush(),
			serialize.sync(),
			serialize.copyData(data.subarray(cut)),
			serialize.copyDone(),
		]);
		for (let at = 0; at < stream.length; ) {
			const size = 1 + (next() % 9);
			client.send(stream.subarray(at, at + size));
			at += size;
		}
		t.is(names(await client.until("readyForQuery")), "commandComplete readyForQuery");
		t.deepEqual(Buffer.concat(session.copied), data);
	}
});

test("COPY in through the extended protocol", async (t) => {
	const { client, session } = await connected();
	client.send(serialize.parse({ text: "copy in" }), serialize.bind(), serialize.execute());
	client.send(serialize.copyData(Buffer.from("x")), serialize.copyDone(), serialize.sync());
	t.is(
		names(await client.until("readyForQuery")),
		"parseComplete bindComplete copyInResponse commandComplete readyForQuery",
	);
	t.is(session.copied.length, 1);
});

test("COPY that fails on either side", async (t) => {
	const { client } = await connected();
	client.send(serialize.query("copy in"), serialize.copyFail("changed my mind"));
	const failed = await client.until("readyForQuery");
	t.like(failed[1], { code: "57014", message: "COPY from stdin failed: changed my mind" });
	client.send(serialize.query("copy in"), serialize.copyData(Buffer.from("!")));
	client.send(serialize.copyData(Buffer.from("more")), serialize.copyDone());
	t.like((await client.until("readyForQuery"))[1], { code: "22P04" });
	client.send(serialize.parse({ text: "copy in" }), serialize.bind(), serialize.execute());
	client.send(serialize.copyData(Buffer.from("!")), serialize.copyDone(), serialize.sync());
	t.is(
		names(await client.until("readyForQuery")),
		"parseComplete bindComplete copyInResponse error readyForQuery",
	);
	client.send(serialize.query("rows 0"));
	t.is(names(await client.until("readyForQuery")), "rowDescription commandComplete readyForQuery");
});

test("a message that is no COPY message ends the connection", async (t) => {
	const { client, session } = await connected();
	client.send(
		serialize.query("copy in"),
		serialize.copyData(Buffer.from("x")),
		serialize.query("rows 1"),
	);
	const seen = await client.untilClosed();
	t.is(names(seen), "copyInResponse error");
	t.like(seen[1], {
		severity: "FATAL",
		code: "08P01",
		message: "unexpected message type 0x51 during COPY from stdin",
	});
	await eventually(() => session.closeCount === 1);
});

test("a disconnect in the middle of COPY fails the statement", async (t) => {
	const { client, session } = await connected();
	client.send(serialize.query("copy in"), serialize.copyData(Buffer.from("x")));
	await eventually(() => session.copied.length === 1);
	client.connection.destroy();
	await eventually(() => session.closeCount === 1);
	t.is(session.log.at(-1), "close while 0 run");
});

test("COPY out", async (t) => {
	const { client } = await connected();
	client.send(serialize.query("copy out 3"));
	const seen = await client.until("readyForQuery");
	t.is(
		names(seen),
		"copyOutResponse copyData copyData copyData copyDone commandComplete readyForQuery",
	);
	t.is(seen[2]!.chunk!.toString(), "1\tline\n");
});

test("a session's FATAL error ends the connection", async (t) => {
	const { client, session } = await connected();
	session.prepare = async () => {
		throw new DatabaseError("57P01", "the node has left the cluster", { severity: "FATAL" });
	};
	client.send(serialize.parse({ text: "rows 1" }), serialize.sync());
	const seen = await client.untilClosed();
	t.is(names(seen), "error");
	t.like(seen[0], { severity: "FATAL", code: "57P01" });
});
