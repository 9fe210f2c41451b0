/** LISTEN and NOTIFY as sessions of one process see them. */
import { DatabaseError } from "@quorate/keys/database-error";
import test, { type ExecutionContext } from "ava";
import { type TestClient, type TestServer, testServer } from "../testing/test-client.ts";
import { queueBytesMax } from "./session-notifications.ts";

/** While a session listens, its node has something to do: it ends with the test. */
function served(t: ExecutionContext): TestServer {
	const server = testServer();
	t.teardown(() => server.close());
	return server;
}

/** What the protocol server would send now, as channel:payload. */
const told = ({ session }: TestClient): string[] =>
	session.transactionStatus === "I"
		? session.takeNotifications().map(({ channel, payload }) => `${channel}:${payload}`)
		: [];

test("a committed notification reaches every session that listens, the sender too, once", async (t) => {
	const server = served(t);
	const [one, two, deaf] = [await server.connect(), await server.connect(), await server.connect()];
	await one.query("listen a");
	await two.query("listen a; listen b; listen a");
	t.is(await one.tag("notify a, 'x'"), "NOTIFY");
	t.deepEqual(one.session.takeNotifications(), [{ channel: "a", payload: "x", pid: 1 }]);
	t.deepEqual(told(two), ["a:x"]);
	t.deepEqual(told(two), []);
	await deaf.query("select pg_notify('b', 'y'), pg_notify('c', 'z')");
	t.deepEqual([told(one), told(two), told(deaf)], [[], ["b:y"], []]);
	t.deepEqual(await two.rows("select * from pg_listening_channels()"), [["a"], ["b"]]);
	await two.query("unlisten a");
	await one.query("notify a; notify b");
	t.deepEqual([told(one), told(two)], [["a:"], ["b:"]]);
	await two.query("unlisten *");
	t.deepEqual(await two.rows("select * from pg_listening_channels()"), []);
	await one.query("notify b");
	t.deepEqual(told(two), []);
});

test("what is rolled back notifies nobody, and listens to nothing", async (t) => {
	const server = served(t);
	const [one, two] = [await server.connect(), await server.connect()];
	await two.query("listen a");
	await one.query("begin; notify a, 'lost'; listen a; rollback");
	await one.query("begin; notify a, 'kept'; savepoint s; notify a, 'undone'; notify a, 'kept'");
	await one.query("rollback to s; notify a, 'undone'; listen b; rollback to s; notify a, 'last'");
	t.deepEqual(told(two), []);
	await one.query("commit");
	t.deepEqual(told(two), ["a:kept", "a:last"]);
	await one.query("begin; notify a");
	t.regex(await one.error("select 1/0"), /^22012/);
	await one.query("commit");
	t.deepEqual(await one.rows("select * from pg_listening_channels()"), []);
	await two.query("notify a; notify b");
	t.deepEqual([told(one), told(two)], [[], ["a:"]]);
});

test("the same name and payload in one transaction are told once, in the order of the first", async (t) => {
	const server = served(t);
	const [one, two] = [await server.connect(), await server.connect()];
	await two.query("listen a; listen b");
	await one.query(
		"begin; notify a, '1'; notify b, '1'; notify a, '2'; notify a, '1'; notify b, '1'; commit",
	);
	t.deepEqual(told(two), ["a:1", "b:1", "a:2"]);
	await one.query("notify a, '1'");
	await one.query("notify a, '1'");
	t.deepEqual(told(two), ["a:1", "a:1"]);
	// Many rows of the queue, one transaction.
	await one.query(
		"select pg_notify('a', i::text || repeat('-', 5000)) from generate_series(1, 100) i",
	);
	t.deepEqual(
		two.session.takeNotifications().map(({ payload }) => Number.parseInt(payload, 10)),
		Array.from({ length: 100 }, (_, i) => i + 1),
	);
});

test("a session is told outside of transactions, and from its LISTEN on", async (t) => {
	const server = served(t);
	const [one, two] = [await server.connect(), await server.connect()];
	await one.query("create table t (id int primary key)");
	await one.query("begin; listen a; insert into t values (1)");
	await two.query("notify a, 'before'");
	t.deepEqual(told(one), []);
	await one.query("notify a, 'own'; commit");
	await two.query("notify a, 'after'");
	t.deepEqual(told(one), ["a:own", "a:after"]);
	await one.query("begin; select 1");
	await two.query("notify a, 'meanwhile'");
	t.deepEqual(told(one), []);
	await one.query("commit");
	t.deepEqual(told(one), ["a:meanwhile"]);
	// A channel that is not listened to any more when the transaction ends says nothing.
	await one.query("begin; unlisten a");
	await two.query("notify a, 'too late'");
	await one.query("commit");
	t.deepEqual(told(one), []);
});

test("read-only transactions notify as others do", async (t) => {
	const server = served(t);
	const [one, two] = [await server.connect(), await server.connect()];
	await two.query("listen a");
	await one.query("begin read only; notify a, 'x'; select 1; commit");
	await one.query("begin read only; listen a; notify a, 'y'; commit");
	t.deepEqual(told(two), ["a:x", "a:y"]);
	t.deepEqual(told(one), ["a:y"]);
});

test("names and payloads have limits", async (t) => {
	const client = await served(t).connect();
	await client.query("listen a");
	await client.query(`select pg_notify('a', '${"x".repeat(7_999)}')`);
	t.is(client.session.takeNotifications()[0]?.payload.length, 7_999);
	t.is(await client.error(`notify a, '${"ä".repeat(4_000)}'`), "22023 payload string too long");
	t.is(await client.error("select pg_notify('', 'x')"), "22023 channel name cannot be empty");
	t.is(await client.error("select pg_notify(null, 'x')"), "22023 channel name cannot be empty");
	t.is(
		await client.error(`select pg_notify('${"n".repeat(64)}', 'x')`),
		"22023 channel name too long",
	);
	await client.query("select pg_notify('a', null)");
	t.deepEqual(told(client), ["a:"]);
});

test("whoever does not take what it is told ends, and nobody else", async (t) => {
	const server = served(t);
	const [one, two, slow] = [await server.connect(), await server.connect(), await server.connect()];
	await two.query("listen a");
	await slow.query("listen a");
	await slow.query("begin; select 1");
	let attention = 0;
	slow.session.attend(() => attention++);
	const some = `select pg_notify('a', i::text || repeat('-', 7990)) from generate_series(1, 500) i`;
	let sent = 0;
	while (slow.session.terminated === undefined) {
		await one.query(some);
		sent += 500;
		t.is(told(two).length, 500);
		t.true(sent * 8_000 < 2 * queueBytesMax, "the queue has a bound");
	}
	t.true(attention > 0);
	t.is(slow.session.terminated.code, "57P01");
	t.regex(await slow.error("commit"), /^57P01 .* does not take its notifications/);
	await one.query("notify a");
	t.deepEqual(told(two), ["a:"]);
	t.deepEqual(await two.rows("select pg_notification_queue_usage()"), [["0"]]);
});

test("a node that was away for too long ends the sessions that listen", async (t) => {
	const server = served(t);
	const [one, two] = [await server.connect(), await server.connect()];
	await one.query("listen a");
	server.coordinator.loseFeeds();
	t.true(one.session.terminated instanceof DatabaseError);
	t.is(two.session.terminated, undefined);
	await two.query("listen a; notify a, 'x'");
	t.deepEqual(told(two), ["a:x"]);
});

test("the end of a session, and DISCARD ALL, end its listening", async (t) => {
	const server = served(t);
	const [one, two] = [await server.connect(), await server.connect()];
	await one.query("listen a; listen b");
	await one.query("discard all");
	t.deepEqual(await one.rows("select * from pg_listening_channels()"), []);
	await one.query("listen a");
	await one.session.close();
	await two.query("notify a");
	t.deepEqual(told(one), []);
});
