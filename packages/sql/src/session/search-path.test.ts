/**
 * What somebody has put ahead in a search path is found by statements that ask for it, and by nothing that the database says itself:
 * internal texts are only what the catalog keeps of views, defaults and conditions, and they were resolved when they were made.
 */
import test from "ava";
import { testServer } from "../testing/test-client.ts";

const catalogs = [
	"pg_class",
	"pg_roles",
	"pg_authid",
	"pg_tables",
	"pg_stat_activity",
	"quorate_nodes",
];

test("names of the catalog come first, unless a session says otherwise", async (t) => {
	const server = testServer();
	const root = await server.connect();
	await root.query("create schema trap; create user u; grant all on schema trap to u");
	const u = await server.connect({ user: "u" });
	for (const name of catalogs) await u.query(`create table trap.${name} (mine int)`);
	await u.query("create type trap.int4 as enum ('trap'); create type trap.text as enum ('trap')");
	await root.query("set search_path = trap, public");
	for (const name of catalogs.filter((one) => !one.startsWith("quorate_nodes"))) {
		t.deepEqual(
			await root.rows(`select '${name}'::regclass::oid < 16384, '${name}'::regclass::text`),
			[["t", name]],
			name,
		);
	}
	t.deepEqual(await root.rows("select 7::int4, 'a'::text, cast('8' as int4)"), [["7", "a", "8"]]);
	await root.query("set search_path = trap, pg_catalog");
	t.deepEqual(await root.rows("select * from pg_class"), [], "asked for");
	await root.query("set search_path = pg_catalog, trap");
	await server.close();
});

test("what was made before means what it meant", async (t) => {
	const server = testServer();
	const root = await server.connect();
	await root.query(`
		create table t (a int primary key, b text default 'x', check (length(b) < 9));
		create sequence s;
		create table d (id bigint default nextval('s'), parent int references t);
		create view v as select a, upper(b) as b from t;
		insert into t values (1);
		create schema trap;
		create table trap.t (a int, b text);
		create sequence trap.s start 1000;
		insert into trap.t values (2, 'trap');
	`);
	await root.query("set search_path = trap, public");
	t.deepEqual(await root.rows("select * from public.v"), [["1", "X"]]);
	t.deepEqual(await root.rows("insert into public.d values (default, 1) returning id"), [["1"]]);
	t.regex(await root.error("insert into public.d values (default, 2)"), /^23503/);
	t.regex(await root.error("insert into public.t values (3, 'much too long')"), /^23514/);
	t.regex(await root.error("delete from public.t"), /^23503/);
	t.deepEqual(await root.rows("select * from t"), [["2", "trap"]], "asked for");
	await server.close();
});

test("values are never read as statements", async (t) => {
	const server = testServer();
	const root = await server.connect();
	const nasty = `'); drop table t; --" \\ $$ $1`;
	await root.query("create table t (a text primary key)");
	await root.execute("insert into t values ($1)", [nasty]);
	const quoted = `"${nasty.replaceAll('"', '""')}"`;
	await root.query(
		`create schema ${quoted}; create table ${quoted}.${quoted} (${quoted} text default '${nasty.replaceAll("'", "''")}')`,
	);
	await root.query(`create view ${quoted}.v as select ${quoted} from ${quoted}.${quoted}`);
	await root.query(`insert into ${quoted}.${quoted} default values`);
	t.deepEqual(await root.rows(`select * from ${quoted}.v`), [[nasty]]);
	t.deepEqual(await root.rows("select a from t"), [[nasty]]);
	await root.query(`comment on table t is '${nasty.replaceAll("'", "''")}'`);
	await root.query(`drop schema ${quoted} cascade`);
	await server.close();
});
