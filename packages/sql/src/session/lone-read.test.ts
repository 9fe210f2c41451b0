/** Queries of one row by its key go a way of their own: when they do, when they do not, and that nobody can tell. */
import test from "ava";
import { CollectingSink, type TestClient, testServer } from "../testing/test-client.ts";

async function withTable(): Promise<{
	readonly server: ReturnType<typeof testServer>;
	readonly client: TestClient;
	/** Transactions that were begun since it was asked last. */
	readonly begun: () => number;
}> {
	const server = testServer();
	const client = await server.connect();
	await client.query("create table t (id int primary key, v int, w text)");
	await client.query("insert into t values (1, 10, 'a'), (2, 20, null)");
	const { coordinator } = server;
	const begin = coordinator.begin.bind(coordinator);
	let count = 0;
	coordinator.begin = (options) => {
		if (!options.readOnly) count++;
		return begin(options);
	};
	const begun = (): number => {
		const now = count;
		count = 0;
		return now;
	};
	return { server, client, begun };
}

const byKey = "select v + 1, w, now() = statement_timestamp() from t where id = $1";

test("a row by its key needs no transaction, in both protocols", async (t) => {
	const { client, begun } = await withTable();
	const rows = async (id: string | null) => (await client.execute(byKey, [id]))?.rows;
	await rows("1");
	begun();
	t.deepEqual(await rows("1"), [["11", "a", "t"]]);
	t.deepEqual(await rows("2"), [["21", null, "t"]]);
	t.deepEqual(await rows("3"), []);
	const simple = "select w from t where id = 1 and v > 5";
	t.deepEqual(await client.rows(simple), [["a"]]);
	begun();
	t.deepEqual(await client.rows(simple), [["a"]]);
	t.deepEqual(await client.rows("select w from t where id = 1 and v > 50"), []);
	t.is(begun(), 0);
});

test("where the session has something open, it is a statement as all others", async (t) => {
	const { client, begun } = await withTable();
	const read = "select v from t where id = 1";
	await client.rows(read);
	for (const [before, after] of [
		["begin", "commit"],
		["select pg_advisory_lock(1)", "select pg_advisory_unlock(1)"],
		["declare c cursor with hold for select 1", "close c"],
		["set follower_reads = on", "reset follower_reads"],
		["set transaction_timeout = '1h'", "reset transaction_timeout"],
	] as const) {
		await client.query(before);
		begun();
		t.deepEqual(await client.rows(read), [["10"]]);
		t.is(begun(), 1, before);
		await client.query(after);
		begun();
		t.deepEqual(await client.rows(read), [["10"]]);
		t.is(begun(), 0, after);
	}
});

test("a statement that another follows before Sync shares its transaction", async (t) => {
	const { client, begun } = await withTable();
	const { session } = client;
	await session.prepare("r", "select v from t where id = 1", []);
	await session.prepare("w", "update t set v = 11 where id = 1", []);
	const sink = new CollectingSink(() => session);
	begun();
	const run = async (statement: string, isAlone: boolean) => {
		const portal = await session.bind("", statement, []);
		sink.expect(portal.columns);
		return portal.execute(sink, 0, isAlone);
	};
	await run("r", false);
	await run("w", false);
	await run("r", true);
	await session.sync();
	t.deepEqual(sink.results.at(-1)?.rows, [["11"]]);
	t.is(begun(), 1);
});

test("a schema that moved between plan and read is noticed", async (t) => {
	const { server, client } = await withTable();
	const other = await server.connect();
	const read = "select * from t where id = 1";
	t.deepEqual(await client.rows(read), [["1", "10", "a"]]);
	let once = true;
	server.coordinator.beforeRead = async () => {
		if (!once) return;
		once = false;
		await other.query("alter table t drop column v");
	};
	t.deepEqual(await client.rows(read), [["1", "a"]]);
	t.false(once);
});

test("errors of parameters, conditions and results are told as ever", async (t) => {
	const { client } = await withTable();
	const divided = "select 1 / (v - 10) from t where id = $1";
	t.deepEqual((await client.execute(divided, ["2"]))?.rows, [["0"]]);
	await t.throwsAsync(client.execute(divided, ["1"]), { message: "division by zero" });
	t.deepEqual((await client.execute(divided, ["2"]))?.rows, [["0"]]);
	t.regex(await client.error("select v / 0 from t where id = 2"), /^22012/);
	t.deepEqual(await client.rows("select v from t where id = 2"), [["20"]]);
});

test("a cancelled read ends", async (t) => {
	const { server, client } = await withTable();
	const read = "select v from t where id = 1";
	await client.rows(read);
	server.coordinator.beforeRead = () => {
		server.coordinator.beforeRead = undefined;
		client.session.cancel();
	};
	t.regex(await client.error(read), /^57014/);
	t.deepEqual(await client.rows(read), [["10"]]);
});
