/** Advisory locks as sessions of one process see them: counts, levels, modes, waits, and what ends them. */
import test, { type ExecutionContext } from "ava";
import { type TestClient, type TestServer, testServer } from "../testing/test-client.ts";

/** While a session holds a lock, its node has something to do: it ends with the test. */
function served(t: ExecutionContext): TestServer {
	const server = testServer();
	t.teardown(() => server.close());
	return server;
}

const value = async (client: TestClient, text: string): Promise<string | null | undefined> =>
	(await client.rows(text))[0]?.[0];

/** Whether another session could have it now. */
async function isFree(other: TestClient, id: string): Promise<boolean> {
	const got = (await value(other, `select pg_try_advisory_lock(${id})`)) === "t";
	if (got) await other.query(`select pg_advisory_unlock(${id})`);
	return got;
}

test("a lock is taken as often as it is released", async (t) => {
	const server = served(t);
	const [one, other] = [await server.connect(), await server.connect()];
	await one.query("select pg_advisory_lock(7), pg_advisory_lock(7)");
	t.is(await value(other, "select pg_try_advisory_lock(7)"), "f");
	t.is(await value(one, "select pg_advisory_unlock(7)"), "t");
	t.false(await isFree(other, "7"));
	t.is(await value(one, "select pg_advisory_unlock(7)"), "t");
	t.true(await isFree(other, "7"));
	t.is(await value(one, "select pg_advisory_unlock(7)"), "f");
	t.deepEqual(one.sink.notices, [
		{ severity: "WARNING", code: "01000", message: "you don't own a lock of type ExclusiveLock" },
	]);
	t.is(await value(one, "select pg_advisory_unlock_shared(7)"), "f");
	t.is(one.sink.notices[0]?.message, "you don't own a lock of type ShareLock");
});

test("one bigint and two ints are locks of their own", async (t) => {
	const server = served(t);
	const [one, other] = [await server.connect(), await server.connect()];
	await one.query("select pg_advisory_lock(1, 2)");
	t.true(await isFree(other, (2n ** 32n + 2n).toString()));
	t.false(await isFree(other, "1, 2"));
	t.true(await isFree(other, "2, 1"));
	await one.query("select pg_advisory_lock(-1), pg_advisory_lock(-1, -2147483648)");
	t.false(await isFree(other, "-1"));
	t.true(await isFree(other, "1"));
	t.is(await value(one, "select pg_advisory_unlock_all()"), "");
	for (const id of ["-1", "1, 2", "-1, -2147483648"]) t.true(await isFree(other, id));
});

test("shared ones bear each other", async (t) => {
	const server = served(t);
	const [one, two, three] = [
		await server.connect(),
		await server.connect(),
		await server.connect(),
	];
	await one.query("select pg_advisory_lock_shared(1)");
	t.is(await value(two, "select pg_try_advisory_lock_shared(1)"), "t");
	t.is(await value(three, "select pg_try_advisory_lock(1)"), "f");
	await one.query("select pg_advisory_unlock_shared(1)");
	t.is(await value(three, "select pg_try_advisory_xact_lock(1)"), "f");
	await two.query("select pg_advisory_unlock_shared(1)");
	t.is(await value(three, "select pg_try_advisory_xact_lock(1)"), "t");
	t.is(await value(two, "select pg_try_advisory_xact_lock_shared(1)"), "t");
});

test("locks of a transaction end with it, those of a session do not", async (t) => {
	const server = served(t);
	const [one, other] = [await server.connect(), await server.connect()];
	await one.query("begin; select pg_advisory_xact_lock(1), pg_advisory_lock(2)");
	t.is(await value(one, "select pg_advisory_unlock(1)"), "f");
	t.false(await isFree(other, "1"));
	await one.query("rollback");
	t.true(await isFree(other, "1"));
	t.false(await isFree(other, "2"));
	await one.query("begin; select pg_advisory_xact_lock(2); commit");
	t.false(await isFree(other, "2"));
	await one.query("begin; select pg_advisory_xact_lock(1); commit; select pg_advisory_unlock(2)");
	t.true(await isFree(other, "1"));
	t.true(await isFree(other, "2"));
	await one.query("select pg_advisory_xact_lock(3)");
	t.true(await isFree(other, "3"));
});

test("a savepoint takes back what was locked after it", async (t) => {
	const server = served(t);
	const [one, other] = [await server.connect(), await server.connect()];
	await one.query("begin; select pg_advisory_xact_lock(1); savepoint a");
	await one.query("select pg_advisory_xact_lock(2), pg_advisory_xact_lock(1), pg_advisory_lock(3)");
	t.regex(await one.error("select 1/0"), /^22012/);
	await one.query("rollback to a");
	t.true(await isFree(other, "2"));
	t.false(await isFree(other, "1"));
	t.false(await isFree(other, "3"));
	await one.query("commit");
	t.true(await isFree(other, "1"));
});

test("a failed transaction keeps no locks", async (t) => {
	const server = served(t);
	const [one, other] = [await server.connect(), await server.connect()];
	await one.query("begin; select pg_advisory_xact_lock(1)");
	t.regex(await one.error("select 1/0"), /^22012/);
	t.true(await isFree(other, "1"));
});

test("whoever waits is served in order, and told when it is cancelled or late", async (t) => {
	const server = served(t);
	const clients = await Promise.all([1, 2, 3, 4].map(() => server.connect()));
	const [one, two, three, four] = clients as [TestClient, TestClient, TestClient, TestClient];
	await one.query("select pg_advisory_lock(1)");
	t.is(
		await four.error("set lock_timeout = 30; select pg_advisory_lock(1)"),
		"55P03 canceling statement due to lock timeout",
	);
	const order: string[] = [];
	const waiting = two.query("select pg_advisory_lock(1)").then(() => order.push("two"));
	await atWork(two);
	const cancelled = three.error("select pg_advisory_lock(1)");
	await atWork(three);
	const last = four
		.query("reset lock_timeout; select pg_advisory_lock(1)")
		.then(() => order.push("four"));
	await atWork(four);
	three.session.cancel();
	t.is(await cancelled, "57014 canceling statement due to user request");
	await one.query("select pg_advisory_unlock(1)");
	await waiting;
	t.deepEqual(order, ["two"]);
	await two.session.close();
	await last;
	t.deepEqual(order, ["two", "four"]);
});

/** Once its wait stands in the row: each earlier request of the test was answered by then. */
async function atWork(_client: TestClient): Promise<void> {
	for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

test("the end of a session, and DISCARD ALL, release everything", async (t) => {
	const server = served(t);
	const [one, other] = [await server.connect(), await server.connect()];
	await one.query("select pg_advisory_lock(1), pg_advisory_lock_shared(2)");
	await one.query("discard all");
	t.true(await isFree(other, "1"));
	await one.query("select pg_advisory_lock(1); begin; select pg_advisory_xact_lock(2)");
	await one.session.close();
	t.true(await isFree(other, "1"));
	t.true(await isFree(other, "2"));
});

test("a statement with a lasting lock is not run again unseen", async (t) => {
	const server = served(t);
	const [one, other] = [await server.connect(), await server.connect()];
	await one.query("create table t (id int primary key, n int); insert into t values (1, 0)");
	await one.query("set transaction_mode = optimistic");
	await one.query("select pg_advisory_lock(5)");
	server.coordinator.beforeCommit = async () => {
		server.coordinator.beforeCommit = undefined;
		await other.query("update t set n = n + 10");
	};
	const statement = "update t set n = n + 1 where pg_try_advisory_lock(5) and id = 1";
	t.regex(await one.error(statement), /^40001/);
	t.is(await value(one, "select pg_advisory_unlock(5)"), "t");
	t.is(await value(one, "select pg_advisory_unlock(5)"), "t");
	t.is(await value(one, "select pg_advisory_unlock(5)"), "f");
});

test("a session whose tenure is ended commits nothing more", async (t) => {
	const server = served(t);
	const [one, other] = [await server.connect(), await server.connect()];
	await one.query("create table t (id int primary key)");
	await one.query("select pg_advisory_lock(1); begin; insert into t values (1)");
	const { store } = server.coordinator;
	const span = { start: "\x01t", end: "\x01u" } as Parameters<typeof store.keysIn>[0];
	for (const key of store.keysIn(span)) {
		store.write(key, server.coordinator.issueNow().timestamp, undefined);
	}
	const got = other.query("select pg_advisory_lock(1)");
	t.regex(await one.error("commit"), /^57P01/);
	t.regex(await one.error("select 1"), /^57P01/);
	t.is(one.session.terminated?.fields.severity, "FATAL");
	await t.throwsAsync(got, { message: /advisory locks were given on/ });
	const third = await server.connect();
	t.is(await value(third, "select pg_try_advisory_lock(1)"), "t");
	t.is(await value(third, "select count(*) from t"), "0");
});

test("pg_locks shows who holds and who waits", async (t) => {
	const server = served(t);
	const [one, two, three] = [
		await server.connect(),
		await server.connect(),
		await server.connect(),
	];
	await one.query("select pg_advisory_lock(4294967298), pg_advisory_lock_shared(3, 4)");
	const waiting = two.query("select pg_advisory_lock(3, 4)");
	const shown = `select classid, objid, objsubid, pid, mode, granted from pg_locks
		where locktype = 'advisory' order by classid, granted desc`;
	while ((await three.rows(shown)).length < 3) await atWork(two);
	t.deepEqual(await three.rows(shown), [
		["1", "2", "1", "1", "ExclusiveLock", "t"],
		["3", "4", "2", "1", "ShareLock", "t"],
		["3", "4", "2", "2", "ExclusiveLock", "f"],
	]);
	await one.query("select pg_advisory_unlock_all()");
	await waiting;
	t.deepEqual(await three.rows(shown), [["3", "4", "2", "2", "ExclusiveLock", "t"]]);
});
