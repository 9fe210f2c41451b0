import type { Key } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import test, { type ExecutionContext } from "ava";
import { droppedIndexSpan } from "../catalog/keys.ts";
import { abandon, between, cell, jobId, many } from "../testing/schema-changes.ts";
import { type TestClient, type TestServer, testServer } from "../testing/test-client.ts";

/** Keys, and values that are keys, of all kinds: `id` is the primary key, `n` has texts of numbers, of which none is there twice. */
async function bigTable(server: TestServer): Promise<TestClient> {
	const client = await server.connect();
	await client.query("create table t (id int primary key, n text, k int)");
	await client.query("create index t_k on t (k); create unique index t_n on t (n)");
	await client.query(
		`insert into t select i, (i * 3)::text, i % 7 from generate_series(1, ${many}) i`,
	);
	return client;
}

/** Every physical index that is in use has one entry a row, and nothing else has any. */
async function counted(
	t: ExecutionContext,
	server: TestServer,
	client: TestClient,
	indexes: number,
) {
	const { store } = server.coordinator;
	const now = Number.MAX_SAFE_INTEGER as Timestamp;
	const dropped = new Set(store.keysIn(droppedIndexSpan).map((key) => key.slice(2)));
	const counts = new Map<string, number>();
	for (const key of store.keysIn({ start: "\x02" as Key, end: "\x03" as Key })) {
		if (store.read(key, now) === undefined) continue;
		const id = key.slice(1, 9);
		if (!dropped.has(id)) counts.set(id, (counts.get(id) ?? 0) + 1);
	}
	const rows = Number(await cell(client, "select count(*) from t"));
	t.deepEqual([...counts.values()], Array(indexes).fill(rows));
}

/** What a writer does beside a job: rows that come and go, and change with and without their keys. */
async function write(writer: TestClient, step: number): Promise<void> {
	const id = many + step + 1;
	await writer.query(`insert into t (id, n, k) values (${id}, '${id * 3}', 3)`);
	await writer.query(`update t set k = k + 7 where id = ${step * 300 + 5}`);
	await writer.query(`update t set k = k + 7 where id = ${step + 20}`);
	await writer.query(`update t set id = id + 100000 where id = ${step * 300 + 7}`);
	await writer.query(`delete from t where id in (${step + 40}, ${many - step})`);
	await writer.query(`update t set n = (n::int + 1)::text where id = ${step * 100 + 60}`);
}

interface Form {
	readonly text: string;
	readonly indexes: number;
	/** True of the table in the end. */
	readonly holds: string;
}

const forms: readonly Form[] = [
	{
		text: "alter table t alter n type int using n::int",
		indexes: 3,
		holds:
			"select bool_and(n % 3 = 0 or n % 3 = 1) and pg_typeof(max(n)) = 'integer'::regtype from t",
	},
	{
		text: "alter table t alter id type text using 'x' || id",
		indexes: 3,
		holds: "select bool_and(id like 'x%') from t",
	},
	{
		text: "alter table t add u uuid default gen_random_uuid() unique not null",
		indexes: 4,
		holds: "select count(distinct u) = count(*) from t",
	},
	{
		text: "alter table t add g int generated always as (k * 2) stored check (g < 1000)",
		indexes: 3,
		holds: "select bool_and(g = k * 2) from t",
	},
	{
		text: "alter table t add u int unique, add w int default 5",
		indexes: 4,
		holds: "select count(u) = 0 and count(w) = count(*) from t",
	},
	{
		text: "alter table t add s serial",
		indexes: 3,
		holds: "select count(distinct s) = count(*) from t",
	},
	{
		text: "alter table t add i bigint generated always as identity, alter k type text",
		indexes: 3,
		holds: "select count(distinct i) = count(*) and bool_and(k ~ '^[0-9]+$') from t",
	},
	{
		text: "alter table t drop constraint t_pkey",
		indexes: 3,
		holds: "select count(*) = 0 from pg_constraint where conname = 't_pkey'",
	},
	{
		text: "alter table t drop id",
		indexes: 3,
		holds:
			"select count(*) = 0 from pg_attribute where attrelid = 't'::regclass and attname = 'id'",
	},
];

test("rows become others while rows change", async (t) => {
	for (const { text, indexes, holds } of forms) {
		const server = testServer();
		const client = await bigTable(server);
		const writer = await server.connect();
		let steps = 0;
		between(server, async (step) => {
			steps++;
			await write(writer, step);
			return step === 4;
		});
		await client.query(text);
		t.true(steps > 1, text);
		t.is(await cell(client, "select count(*) from t"), String(many - steps), text);
		t.is(await cell(client, holds), "t", text);
		await counted(t, server, client, indexes);
		t.deepEqual(await client.rows("show jobs"), []);
	}
});

test("what a node has left behind of a rewrite is finished by another", async (t) => {
	for (const { text, indexes, holds } of forms) {
		const server = testServer();
		const client = await bigTable(server);
		await abandon(server, client, text, 6);
		t.is((await client.rows("show jobs")).length, 1, text);
		await write(client, 1);
		t.regex(await client.error("alter table t alter k type bigint"), /^55006 /);
		for (let look = 1; look <= 5; look++) await server.adoptBuilds();
		t.deepEqual(await client.rows("show jobs"), [], text);
		t.is(await cell(client, holds), "t", text);
		await counted(t, server, client, indexes);
	}
});

test("a rewrite that is cancelled leaves the table as it was", async (t) => {
	for (const { text } of forms.filter((_, i) => i % 2 === 0)) {
		const server = testServer();
		const client = await bigTable(server);
		const before = await client.rows("select * from t order by id");
		const other = await server.connect();
		between(server, async (step) => {
			if (step < 2) return false;
			await other.query(`cancel job ${await jobId(other)}`);
			return true;
		});
		t.regex(await client.error(text), /^57014 canceling statement due to CANCEL JOB/);
		t.deepEqual(await client.rows("show jobs"), []);
		t.deepEqual(await client.rows("select * from t order by id"), before);
		t.is(await cell(client, "select count(*) from pg_class where relkind = 'S'"), "0");
		await counted(t, server, client, 3);
	}
});

test("a row that cannot become another ends the job, and whoever writes one is told", async (t) => {
	const server = testServer();
	const client = await bigTable(server);
	const writer = await server.connect();
	await client.query(`update t set n = 'none' where id = ${many - 1}`);
	const failing: readonly (readonly [string, string, string])[] = [
		[
			"alter table t alter n type int using n::int",
			'22P02 invalid input syntax for type integer: "none"',
			"n = 'x'",
		],
		[
			"alter table t add g int generated always as (k + 1) stored check (g < 7)",
			'23514 check constraint "t_g_check" of relation "t" is violated by some row',
			"k = 6",
		],
		[
			"alter table t alter n type int using nullif(n, 'none')::int, alter k type int using k / 0",
			"22012 division by zero",
			"k = 1",
		],
		[
			"alter table t alter n type text using left(n, 1)",
			'23505 could not create unique index "t_n"',
			"n = '1'",
		],
	];
	const before = await client.rows("select * from t order by id");
	for (const [text, error, wrong] of failing) {
		const said: string[] = [];
		between(server, async (step) => {
			if (step === 1) said.push(await writer.error(`update t set ${wrong} where id = 10`));
			return step === 1;
		});
		t.is(await client.error(text), error);
		server.coordinator.beforeCommit = undefined;
		for (const one of said) t.is(one.slice(0, 5), error.slice(0, 5), text);
		t.deepEqual(await client.rows("show jobs"), []);
		t.deepEqual(await client.rows("select * from t order by id"), before);
		await counted(t, server, client, 3);
	}
});

test("what a row becomes depends on who has asked for it, not on who writes it", async (t) => {
	const server = testServer();
	const client = await bigTable(server);
	const writer = await server.connect();
	await client.query("create role clerk login; grant insert, update, select on t to clerk");
	const clerk = await server.connect({ user: "clerk" });
	await client.query("alter table t add at timestamptz not null default '2020-01-01 00:00Z'");
	await client.query("set timezone = 'Asia/Tokyo'");
	await writer.query("set timezone = 'America/New_York'");
	between(server, async (step) => {
		await writer.query(`update t set k = 1 where id = ${step * 400 + 3}`);
		return step === 3;
	});
	await client.query("alter table t alter at type text using at::text || now()");
	t.is(await cell(client, "select count(distinct at) from t"), "1");
	t.regex(String(await cell(client, "select at from t")), /^2020-01-01 09:00:00\+09/);
	const said: string[] = [];
	between(server, async (step) => {
		if (step === 1) {
			await clerk.query(`insert into t (id, n) values (${many + 1}, 'new')`);
			said.push(await clerk.error("select lastval()"));
			said.push(await client.error("drop sequence t_s_seq"));
			await client.query("alter sequence t_s_seq rename to renamed");
		}
		return step === 1;
	});
	await client.query("alter table t add s serial");
	t.deepEqual(
		said.map((one) => one.slice(0, 5)),
		["55000", "55006"],
	);
	t.is(await cell(client, "select count(distinct s) from t"), String(many + 1));
	t.is(await cell(client, "select pg_get_serial_sequence('t', 's')"), "public.renamed");
});

test("what happens to the table meanwhile is minded", async (t) => {
	const meanwhile: readonly (readonly [string, string | undefined, string])[] = [
		["truncate t", "55000", "select count(*) from t"],
		["create view v as select n from t", "0A000", "select 0"],
		["drop table t", "55000", "select count(*) from pg_class where relname in ('t', 't_k', 't_n')"],
		["create table t_s_key ()", "42P07", "select count(*) from t_s_key"],
	];
	for (const [statement, code, zero] of meanwhile) {
		const server = testServer();
		const client = await bigTable(server);
		const other = await server.connect();
		between(server, async (step) => {
			if (step === 1) await other.query(statement);
			return step === 1;
		});
		const said = await client.error(
			"alter table t alter n type int using n::int, add s serial unique",
		);
		t.is(said.slice(0, 5), String(code), `${statement}: ${said}`);
		t.is(await cell(client, zero), "0", statement);
		t.deepEqual(await client.rows("show jobs"), []);
		t.is(await cell(client, "select count(*) from pg_class where relkind = 'S'"), "0");
	}
});
