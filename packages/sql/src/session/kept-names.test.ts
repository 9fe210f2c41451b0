/** What a session keeps under names, and until it says otherwise, is bounded; what is refused leaves everything as it was. */
import { DatabaseError } from "@quorate/keys/database-error";
import test from "ava";
import { lex } from "../parser/parse.ts";
import { type TestClient, testServer } from "../testing/test-client.ts";
import { type CachedPlan, PlanCache } from "./plan-cache.ts";

async function refusal(task: () => Promise<unknown>): Promise<DatabaseError> {
	try {
		await task();
	} catch (error) {
		if (error instanceof DatabaseError) return error;
		throw error;
	}
	throw new Error("it was not refused");
}

/** As a driver does: what failed is passed over up to Sync. */
async function prepare({ session }: TestClient, name: string, text: string): Promise<void> {
	try {
		await session.prepare(name, text, []);
	} catch (error) {
		session.fail(error as DatabaseError);
		throw error;
	} finally {
		await session.sync();
	}
}

async function bounded() {
	const server = testServer();
	const root = await server.connect();
	await root.query("alter system set max_prepared_statements = 3");
	await root.query("alter system set max_portals = 2");
	await root.query("alter system set session_memory = '1MB'");
	return { server, root, client: await server.connect() };
}

test("prepared statements: a number, of both kinds together", async (t) => {
	const { server, client } = await bounded();
	await client.query("prepare a as select 1; prepare b as select 2");
	await prepare(client, "c", "select 3");
	for (const attempt of [
		() => prepare(client, "d", "select 4"),
		() => client.query("prepare d as select 4"),
	]) {
		const error = await refusal(attempt);
		t.is(error.code, "53400");
		t.is(error.message, "too many prepared statements");
		t.is(error.fields.detail, "A session may have 3 (max_prepared_statements).");
		t.regex(error.fields.hint ?? "", /DEALLOCATE/);
	}
	// The unnamed one takes the place of the one before it.
	for (let i = 0; i < 5; i++) t.deepEqual((await client.execute(`select ${i}`))?.rows, [[`${i}`]]);
	t.deepEqual(await client.rows("execute a"), [["1"]]);
	await client.query("deallocate a");
	await prepare(client, "d", "select 4");
	t.deepEqual(await client.rows("execute d"), [["4"]]);
	await client.query("deallocate all");
	await client.query("prepare x as select 1; prepare y as select 2; prepare z as select 3");
	await server.close();
});

test("prepared statements: bytes, which come back", async (t) => {
	const { server, client } = await bounded();
	const long = (n: number) => `select ${n} /* ${"x".repeat(60_000)} */`;
	await prepare(client, "a", long(1));
	const error = await refusal(() => prepare(client, "b", long(2)));
	t.is(error.code, "53400");
	t.is(error.message, "too much memory for prepared statements");
	t.regex(error.fields.detail ?? "", /1048576 bytes \(session_memory\)/);
	client.session.closeStatement("a");
	await prepare(client, "b", long(2));
	t.deepEqual(await client.rows("execute b"), [["2"]]);
	await server.close();
});

test("portals and cursors: a number, together, and bytes", async (t) => {
	const { server, client } = await bounded();
	const { session } = client;
	const bind = async (name: string, statement: string, values: (string | null)[] = []) =>
		session.bind(name, statement, values);
	await prepare(client, "n", "select generate_series(1, 3)");
	await prepare(client, "s", "select $1::text");
	await client.query("begin; declare c cursor for select 1");
	await bind("p", "n");
	let error = await refusal(() => bind("q", "n"));
	t.is(error.code, "53400");
	t.is(error.message, "too many portals and cursors");
	t.is(error.fields.detail, "A session may have 2 (max_portals).");
	for (let i = 0; i < 5; i++) await bind("", "n");
	await session.closePortal("p");
	error = await refusal(() => bind("p", "s", ["x".repeat(1 << 20)]));
	t.is(error.code, "53400");
	t.is(error.message, "too much memory for portals and cursors");
	await bind("p", "s", ["x".repeat(1 << 19)]);
	t.regex(await client.error("declare d cursor for select 1"), /^no error/, "a query ends portals");
	t.is(await client.error("declare e cursor for select 1"), "53400 too many portals and cursors");
	await client.query("rollback");
	await client.query("begin; declare c cursor for select 1; declare d cursor for select 1; commit");
	await server.close();
});

test("savepoints and settings", async (t) => {
	const server = testServer();
	const client = await server.connect();
	const some = "savepoint a; ".repeat(4096);
	await client.query("begin");
	for (let i = 0; i < 16; i++) await client.query(some);
	t.is(await client.error("savepoint a"), "54000 more than 65536 savepoints");
	await client.query("rollback");
	await client.query(`set my.text = '${"x".repeat(60_000)}'`);
	t.is(
		await client.error(`set my.other = '${"x".repeat(10_000)}'`),
		'54000 too much is set to set "my.other"',
	);
	t.is(
		await client.error(`select set_config('search_path', repeat('x', 100000), true)`),
		'54000 too much is set to set "search_path"',
	);
	await client.query("reset my.text");
	await client.query(`set my.other = '${"x".repeat(10_000)}'`);
	await server.close();
});

test("plans: the oldest go when there are too many, or too long ones", (t) => {
	const plans = new PlanCache();
	const entry = { schemaVersion: 1, searchPath: [], pinned: [], askedTypes: [] };
	for (let i = 0; i < 100; i++) {
		const [statement] = lex(`select a${i} /* */ ${"as b, c ".repeat(20_000)}`);
		plans.add(statement!, entry as unknown as CachedPlan);
		plans.add(statement!, entry as unknown as CachedPlan);
	}
	t.true(plans.characters > 7_000_000 && plans.characters <= 8_000_000, `${plans.characters}`);
});

test("channels: a number, of a session and of what a transaction asks for", async (t) => {
	const server = testServer();
	const root = await server.connect();
	await root.query("alter system set max_channels = 2");
	const client = await server.connect();
	await client.query("listen a; listen b");
	await client.query("listen a");
	const error = await refusal(() => client.query("listen c"));
	t.is(error.code, "54000");
	t.is(error.fields.detail, "A session may listen to 2 (max_channels).");
	await client.query("unlisten b");
	await client.query("listen c");
	t.deepEqual(await client.rows("select pg_listening_channels()"), [["a"], ["c"]]);
	const again = await refusal(() => client.query("begin; listen a; unlisten a; listen a"));
	t.is(again.code, "54000");
	await client.query("rollback");
	t.deepEqual(await client.rows("select pg_listening_channels()"), [["a"], ["c"]]);
	await server.close();
});

test("advisory locks: a number, and of a transaction also how often", async (t) => {
	const server = testServer();
	const root = await server.connect();
	await root.query("alter system set max_advisory_locks = 3");
	const client = await server.connect();
	await client.rows("select pg_advisory_lock(n) from generate_series(1, 3) n");
	const error = await refusal(() => client.rows("select pg_try_advisory_lock(4)"));
	t.is(error.code, "53200");
	t.is(error.message, "out of shared memory");
	t.deepEqual(await client.rows("select pg_advisory_unlock(1), pg_try_advisory_lock(4)"), [
		["t", "t"],
	]);
	await client.rows("select pg_advisory_unlock_all()");
	const often = await refusal(() =>
		client.rows("select pg_advisory_xact_lock(1) from generate_series(1, 4)"),
	);
	t.is(often.code, "53200");
	t.deepEqual(await client.rows("select count(*) from pg_locks where locktype = 'advisory'"), [
		["0"],
	]);
	await server.close();
});
