import { MemoryDisk } from "@quorate/runtime/memory-disk";
import test from "ava";
import { testServer } from "../testing/test-client.ts";

test("records are not made of values that nobody has looked at", async (t) => {
	const client = await testServer().connect();
	await client.query("create domain positive as int check (value > 0)");
	for (const source of [`json_to_record('{"a": -1}')`, `jsonb_to_recordset('[{"a": -1}]')`]) {
		t.regex(await client.error(`select * from ${source} as x(a positive)`), /^0A000 domains in a/);
		t.regex(await client.error(`select a::positive from ${source} as x(a int)`), /^23514 /);
	}
});

test("whatever writes a column of a domain is checked", async (t) => {
	const server = testServer();
	const client = await server.connect();
	await client.query("create domain d as int check (value > 0)");
	await client.query("create table t (a int primary key, d d)");
	const refused = '23514 value for domain d violates check constraint "d_check"';
	t.is(await client.error("insert into t values (1, -1)"), refused);
	t.is(
		await client.query("copy t from stdin", ["1\t-1\n"]).catch((error) => error.message),
		refused.slice(6),
	);
	await client.query("copy t from stdin", ["1\t1\n"]);
	const set = "update t set d = $1 where a = 1";
	const failed = await t.throwsAsync(client.execute(set, ["-5"]));
	t.is(failed?.message, refused.slice(6));
	await client.execute(set, ["5"]);
	t.deepEqual((await client.execute("select $1::d", ["7"]))?.rows, [["7"]]);
	await t.throwsAsync(client.execute("select $1::d", ["-7"]), { message: refused.slice(6) });
	await client.query("create table u (d int, e d)");
	await client.query("insert into u (d) values (-3), (3)");
	t.is(await client.error("insert into t select 10 + d, d from u"), refused);
	t.is(await client.error("update t set d = (select min(d) from u)"), refused);
	t.deepEqual(await client.rows("select * from t"), [["1", "5"]]);
	await server.close();
});

test("of two sessions the one with an older domain does not get its row in", async (t) => {
	const server = testServer();
	const [a, b] = [await server.connect(), await server.connect()];
	await a.query("create domain d as int; create table t (d d)");
	await b.query("begin; insert into t values (-1)");
	await a.query("alter domain d add check (value > 0)");
	t.regex(await b.error("commit"), /^40001 /);
	t.deepEqual(await a.rows("select * from t"), []);
	t.is(
		await b.error("insert into t values (-1)"),
		'23514 value for domain d violates check constraint "d_check"',
	);
	await server.close();
});

test("a restore brings domains along", async (t) => {
	const disk = new MemoryDisk();
	const server = testServer({ files: disk });
	const client = await server.connect();
	await client.query("create type mood as enum ('sad', 'ok')");
	await client.query("create domain good as mood default 'ok' check (value <> 'sad'::mood)");
	await client.query("create domain better as good not null");
	await client.query("create table t (a int, g better)");
	await client.query("insert into t (a) values (1)");
	await client.query("create table other (a int)");
	await client.query("backup database quorate to '/backup'");
	for (const what of ["database quorate", "table t"]) {
		const there = testServer({ files: disk, seed: 2 });
		const restored = await there.connect();
		await restored.query("create table first (a int)");
		await restored.query(`restore ${what} from '/backup'`);
		await restored.query("insert into t (a) values (2)");
		t.deepEqual(await restored.rows("select * from t order by a"), [
			["1", "ok"],
			["2", "ok"],
		]);
		t.is(
			await restored.error("insert into t values (3, 'sad')"),
			'23514 value for domain better violates check constraint "good_check"',
		);
		t.is(
			await restored.error("insert into t values (3, null)"),
			"23502 domain better does not allow null values",
		);
		await there.close();
	}
	await server.close();
});
