/** Reads of the past: timestamps in each form, the catalog of then, what a transaction may mix, follower reads and gc_ttl. */
import type { Timestamp } from "@quorate/keys/timestamp";
import test from "ava";
import { testServer } from "../testing/test-client.ts";

const now = "select quorate_read_timestamp()";

test("a statement reads at a raw timestamp what was there then", async (t) => {
	const server = testServer();
	const client = await server.connect();
	server.coordinator.advance(10_000_000);
	await client.query("create table t (id int primary key, v int)");
	await client.query("insert into t values (1, 10), (2, 20)");
	const [[before]] = (await client.rows(now)) as [[string]];
	await client.query("update t set v = v + 1; delete from t where id = 2");
	const [[committed]] = (await client.rows("select quorate_commit_timestamp()")) as [[string]];
	t.deepEqual(await client.rows(`select * from t as of system time ${before} order by id`), [
		["1", "10"],
		["2", "20"],
	]);
	t.deepEqual(await client.rows(`select v from t as of system time '${before}' where id = 2`), [
		["20"],
	]);
	t.deepEqual(await client.rows(`select sum(v) from t as of system time ${before}.0`), [["30"]]);
	t.deepEqual(await client.rows(`select * from t as of system time ${committed}`), [["1", "11"]]);
	const again = `select cluster_logical_timestamp() from t as of system time ${before} limit 1`;
	t.deepEqual(await client.rows(again), [[before]]);
	t.deepEqual(await client.rows("select * from t"), [["1", "11"]]);
});

test("the schema is that of then, in both protocols", async (t) => {
	const client = await testServer().connect();
	await client.query("create table t (id int primary key)");
	await client.query("insert into t values (1)");
	const [[before]] = (await client.rows(now)) as [[string]];
	const past = `select * from t as of system time ${before}`;
	await client.query("alter table t add column v int default 7");
	t.deepEqual(await client.rows("select * from t"), [["1", "7"]]);
	t.deepEqual(await client.rows(past), [["1"]]);
	t.deepEqual((await client.execute(past))?.rows, [["1"]]);
	await client.query("drop table t");
	t.deepEqual(await client.rows(past), [["1"]]);
	t.deepEqual((await client.execute(past))?.rows, [["1"]]);
	t.regex(await client.error("select * from t"), /^42P01/);
	t.regex(await client.error("select * from t as of system time 1000000"), /^42P01/);
	await client.query(`begin as of system time ${before}`);
	t.deepEqual(await client.rows("select * from t"), [["1"]]);
	await client.query("commit");
});

test("transactions read the past as a whole, and only read", async (t) => {
	const client = await testServer().connect();
	await client.query("create table t (id int primary key)");
	await client.query("insert into t values (1)");
	const [[before]] = (await client.rows(now)) as [[string]];
	await client.query("insert into t values (2)");
	const count = async () => (await client.rows("select count(*) from t"))[0]![0];
	await client.query(`begin as of system time ${before}`);
	t.is(await count(), "1");
	t.is(
		await client.error("insert into t values (3)"),
		"25006 cannot execute INSERT in a read-only transaction",
	);
	await client.query("rollback");
	await client.query(`begin; set transaction as of system time ${before}, read only`);
	t.is(await count(), "1");
	t.is((await client.rows("show transaction_read_only"))[0]![0], "on");
	t.deepEqual(await client.rows(`select * from t as of system time ${before}`), [["1"]]);
	t.is(
		await client.error(`select * from t as of system time ${Number(before) - 1}`),
		"25001 AS OF SYSTEM TIME of a statement must be that of its transaction",
	);
	await client.query("rollback");
	await client.query("begin");
	await client.query("select 1 from t");
	t.regex(await client.error(`set transaction as of system time ${before}`), /^25001/);
	await client.query("rollback; begin");
	t.regex(await client.error(`select * from t as of system time ${before}`), /^25001/);
	await client.query("rollback");
	t.regex(await client.error(`begin as of system time ${before} read write`), /^42601/);
	await client.query("rollback");
	const mixed = `select * from t as of system time ${before}; select * from t`;
	t.regex(await client.error(mixed), /^25001/);
	t.is(await count(), "2");
});

test("what is no moment of the past is refused", async (t) => {
	const client = await testServer().connect();
	await client.query("create table t (id int primary key)");
	const [[before]] = (await client.rows(now)) as [[string]];
	const error = (moment: string) => client.error(`select * from t as of system time ${moment}`);
	t.is(await error("'2100-01-01'"), "22023 AS OF SYSTEM TIME: cannot read the future");
	t.is(await error("'1s'"), '22007 invalid input syntax for type timestamp with time zone: "1s"');
	t.is(await error("interval '1s'"), "22023 AS OF SYSTEM TIME: cannot read the future");
	t.is(await error("'2019-12-31'"), "22023 AS OF SYSTEM TIME: there is nothing before 2020-01-01");
	t.is(await error("'-10s'"), "22023 AS OF SYSTEM TIME: there is nothing before 2020-01-01");
	t.is(await error("1.5"), "22023 AS OF SYSTEM TIME: a raw timestamp is a whole number");
	t.is(await error("null::timestamptz"), "22004 AS OF SYSTEM TIME must not be null");
	t.regex(await error("true"), /^42804/);
	t.regex(await error("id"), /^42703/);
	t.regex(await error("$1"), /^0A000|^42P18/);
	t.regex(
		await client.error("select * from (select * from t as of system time 1000001) x"),
		/^0A000/,
	);
	t.regex(await client.error("insert into t select * from t as of system time 1000001"), /^0A000/);
	t.regex(
		await client.error("create table u as select * from t as of system time 1000001"),
		/^0A000/,
	);
	t.regex(await client.error(`select * from t as of system time ${before} for update`), /^25006/);
});

test("moments: relative to now, and wall time", async (t) => {
	const server = testServer();
	const client = await server.connect();
	await client.query("create table t (id int primary key)");
	await client.query("insert into t values (1)");
	const { coordinator } = server;
	// 100 seconds go by.
	coordinator.advance(100_000);
	const [[stamp]] = (await client.rows(now)) as [[string]];
	const at = async (moment: string) =>
		Number(
			(
				await client.rows(`select quorate_read_timestamp() from t as of system time ${moment}`)
			)[0]![0],
		);
	const perSecond = 4_096_000;
	for (const moment of ["'-10s'", "'-10 seconds'", "interval '-10s'", "- interval '10s'"]) {
		const ticks = await at(moment);
		t.true(Math.abs(Number(stamp) - 10 * perSecond - ticks) < 100, `${moment}: ${ticks}`);
	}
	t.is(await at("'2020-01-01 00:01:00+00'"), 60 * perSecond);
	t.is(await at("timestamp '2020-01-01 00:01:00.5'"), 60.5 * perSecond);
	t.is(await at("'2020-01-01 00:01:00'::timestamptz + '1s'"), 61 * perSecond);
	await client.query("set timezone = '+01:00'");
	t.is(await at("'2020-01-01 01:01:00'"), 60 * perSecond);
});

test("follower reads: only reading statements, never before what the session has seen", async (t) => {
	const server = testServer();
	const client = await server.connect();
	const { coordinator } = server;
	await client.query("create table t (id int primary key, v int)");
	await client.query("insert into t values (1, 1)");
	const count = async () => (await client.rows("select count(*) from t"))[0]![0];
	const closed = coordinator.issueNow();
	await client.query("insert into t values (2, 2)");
	coordinator.closed = closed;
	await client.query("set follower_reads = on");
	// This session has written since.
	t.is(await count(), "2");
	const other = await server.connect();
	await other.query("set follower_reads = on");
	t.deepEqual(await other.rows("select count(*) from t"), [["1"]]);
	t.deepEqual(await other.rows("select count(*) from t"), [["1"]]);
	t.deepEqual((await other.execute("select count(*) from t"))?.rows, [["1"]]);
	const plan = (await other.rows("explain analyze select * from t"))
		.map(([line]) => line)
		.join("\n");
	t.regex(
		plan,
		new RegExp(`Read Timestamp: ${closed.timestamp}\nStaleness: \\d+\\.\\d+ ms\nFollower Reads:`),
	);
	t.deepEqual(await other.rows("update t set v = v + 1 returning id"), [["1"], ["2"]]);
	t.deepEqual(await other.rows("select count(*) from t"), [["2"]]);
	const third = await server.connect();
	await third.query("set follower_reads = on; begin");
	t.deepEqual(await third.rows("select count(*) from t"), [["2"]]);
	await third.query("commit");
	const fourth = await server.connect();
	await fourth.query("set follower_reads = on; begin read only");
	t.deepEqual(await fourth.rows("select count(*), min(v) from t"), [["1", "1"]]);
	await fourth.query("commit");
	coordinator.closed = { ...closed, timestamp: (closed.timestamp - 1) as Timestamp };
	await fourth.query("set application_name = x");
	t.deepEqual(await fourth.rows("select count(*), min(v) from t"), [["2", "2"]]);
});

test("gc_ttl is the cluster's", async (t) => {
	const server = testServer();
	const client = await server.connect();
	t.deepEqual(await client.rows("show gc_ttl"), [["10min"]]);
	t.is(await client.tag("alter system set gc_ttl = '90s'"), "ALTER SYSTEM");
	t.deepEqual(await (await server.connect()).rows("show gc_ttl"), [["90s"]]);
	t.is(server.coordinator.settings().values.get("gc_ttl"), "90s");
	await client.query("alter system set gc_ttl to '2h'");
	t.deepEqual(await client.rows("show gc_ttl"), [["2h"]]);
	await client.query("alter system reset gc_ttl");
	t.deepEqual(await client.rows("show gc_ttl"), [["10min"]]);
	t.regex(await client.error("alter system set gc_ttl = '1ms'"), /^22023/);
	t.regex(await client.error("set gc_ttl = '1h'"), /^55P02/);
	t.regex(await client.error("alter system set nothing = 1"), /^42704/);
	await client.query("begin");
	t.regex(await client.error("alter system set gc_ttl = '1h'"), /^25001/);
});
