import { MemoryDisk } from "@quorate/runtime/memory-disk";
import test from "ava";
import { testServer } from "../testing/test-client.ts";
import { arrayOfMade } from "../types/made-oids.ts";
import { typeByOid } from "../types/registry.ts";

test("two clusters in one process do not confuse types of one number", async (t) => {
	const [one, other] = [testServer(), testServer()];
	const [a, b] = [await one.connect(), await other.connect()];
	await a.query("create type mood as enum ('sad', 'happy')");
	await b.query("create type size as enum ('small', 'big', 'huge')");
	const number = "select oid from pg_type where typtype = 'e'";
	t.deepEqual(await a.rows(number), await b.rows(number));
	t.deepEqual(await a.rows("select enum_range(null::mood), pg_typeof('sad'::mood)"), [
		["{sad,happy}", "mood"],
	]);
	t.deepEqual(await b.rows("select enum_range(null::size), pg_typeof('big'::size)"), [
		["{small,big,huge}", "size"],
	]);
	t.is(await a.error("select 'big'::mood"), '22P02 invalid input value for enum mood: "big"');
	t.is(await b.error("select 1::size"), "42846 cannot cast type integer to size");
	await one.close();
	await other.close();
});

test("a label that another session has added is known at once, and plans notice what has changed", async (t) => {
	const server = testServer();
	const [a, b] = [await server.connect(), await server.connect()];
	await a.query(
		"create type mood as enum ('sad'); create table t (m mood); insert into t values ('sad')",
	);
	const ask = "select m from t where m = $1";
	t.deepEqual((await b.execute(ask, ["sad"]))?.rows, [["sad"]]);
	await a.query("alter type mood add value 'happy'");
	t.deepEqual((await b.query("insert into t values ('happy') returning m")).at(-1)?.rows, [
		["happy"],
	]);
	await a.query("alter type mood rename value 'sad' to 'blue'");
	t.deepEqual((await b.execute(ask, ["blue"]))?.rows, [["blue"]]);
	t.deepEqual(await b.rows("select m from t where m = 'blue'"), [["blue"]]);
	t.is(
		await b.error("select m from t where m = 'sad'"),
		'22P02 invalid input value for enum mood: "sad"',
	);
	await server.close();
});

test("in both formats", async (t) => {
	const server = testServer();
	const client = await server.connect();
	await client.query("create type mood as enum ('sad', 'happy')");
	const [[oid]] = (await client.rows("select 'mood'::regtype::oid")) as [[string]];
	const context = client.session.typeContext;
	const type = typeByOid(Number(oid))!;
	const bytes = type.encodeBinary(type.parse("happy", -1, context), context);
	t.is(Buffer.from(bytes).toString(), "happy");
	t.is(type.format(type.decodeBinary(bytes, -1, context), context), "happy");
	t.throws(() => type.decodeBinary(Buffer.from("x"), -1, context), {
		message: 'invalid input value for enum mood: "x"',
	});
	const array = typeByOid(arrayOfMade(Number(oid)))!;
	const list = array.encodeBinary(array.parse("{happy,NULL,sad}", -1, context), context);
	t.is(array.format(array.decodeBinary(list, -1, context), context), "{happy,NULL,sad}");
	await client.query("create table t (a int, m mood, l mood[])");
	await client.query("copy t from stdin", ["1\thappy\t{sad}\n2\t\\N\t\\N\n"]);
	await client.query("copy t to stdout");
	t.is(client.sink.copied, "1\thappy\t{sad}\n2\t\\N\t\\N\n");
	t.is(
		await client.query("copy t from stdin", ["3\tnosuch\t\\N\n"]).catch((error) => error.message),
		'invalid input value for enum mood: "nosuch"',
	);
	await server.close();
});

test("plans are shown with labels", async (t) => {
	const server = testServer();
	const client = await server.connect();
	await client.query("create type mood as enum ('sad', 'happy'); create table t (m mood, n int)");
	const lines = await client.rows(
		"explain select * from t where m > 'sad'::mood and m::text <> 'x'",
	);
	const text = lines.flat().join("\n");
	t.true(text.includes("'sad'::mood"), text);
	t.false(/label:|type:/.test(text), text);
	await server.close();
});

test("types have owners, and go with them", async (t) => {
	const server = testServer();
	const client = await server.connect();
	await client.query("create role ann; grant create on schema public to ann; create role bob");
	await client.query("set role ann; create type mood as enum ('sad'); reset role");
	t.is(
		await client.error("drop role ann"),
		'2BP01 role "ann" cannot be dropped because some objects depend on it',
	);
	await client.query("set role bob");
	t.is(await client.error("drop type mood"), "42501 must be owner of type mood");
	t.is(await client.error("alter type mood add value 'x'"), "42501 must be owner of type mood");
	t.deepEqual(await client.rows("select 'sad'::mood"), [["sad"]]);
	await client.query(
		"reset role; grant create on schema public to bob; alter type mood owner to bob",
	);
	t.deepEqual(
		await client.rows("select pg_get_userbyid(typowner) from pg_type where typname = 'mood'"),
		[["bob"]],
	);
	await client.query("drop owned by bob");
	t.is(await client.error("select 'sad'::mood"), '42704 type "mood" does not exist');
	await server.close();
});

test("a restore brings types along, under numbers of their own", async (t) => {
	const disk = new MemoryDisk();
	const server = testServer({ files: disk });
	const client = await server.connect();
	await client.query("create type mood as enum ('sad', 'ok', 'happy')");
	await client.query("alter type mood add value 'low' before 'ok'");
	await client.query(
		"create table t (m mood primary key, l mood[] default '{ok}', check (m <> 'happy'::mood))",
	);
	await client.query(
		"create index t_l on t (l); insert into t values ('low', default), ('sad', '{low,happy}')",
	);
	await client.query("create view v as select m, 'low'::mood as n from t");
	await client.query("backup database quorate to '/backup'");
	const other = testServer({ files: disk, seed: 2 });
	const there = await other.connect();
	await there.query("create table first (a int)");
	await there.query("restore database quorate from '/backup'");
	t.deepEqual(await there.rows("select * from t order by m"), [
		["sad", "{low,happy}"],
		["low", "{ok}"],
	]);
	t.deepEqual(await there.rows("select * from v order by m desc"), [
		["low", "low"],
		["sad", "low"],
	]);
	t.deepEqual(await there.rows("select m from t where l = '{ok}'"), [["low"]]);
	t.is(
		await there.error("insert into t values ('happy')"),
		'23514 new row for relation "t" violates check constraint "t_m_check"',
	);
	t.is(
		await there.error("restore database quorate from '/backup'"),
		'42710 type "mood" already exists',
	);
	await server.close();
	await other.close();
});
