/** `reset`: an empty database for every session, whatever it was doing. */
import test, { type ExecutionContext } from "ava";
import { Cluster } from "./cluster.ts";
import { SqlClient, SqlError } from "./testing/sql-client.ts";

async function startedWithClients(t: ExecutionContext): Promise<[Cluster, SqlClient[]]> {
	const cluster = await Cluster.start({ nodes: 3 });
	t.teardown(() => cluster.stop());
	const clients = await Promise.all(
		cluster.nodes.map((n) => SqlClient.connect(n.connectionString)),
	);
	return [cluster, clients];
}

const outcome = (query: Promise<unknown>): Promise<string> =>
	query.then(
		() => "done",
		(error: SqlError) => error.code,
	);

/** The connection has ended: nothing more is to be had from it. */
const lost = "08006";

const userTables = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace";

test.serial("all sessions see an empty database, and sequences begin anew", async (t) => {
	const [cluster, clients] = await startedWithClients(t);
	const [first, second, third] = clients as [SqlClient, SqlClient, SqlClient];
	const schema = `CREATE TABLE t (id serial PRIMARY KEY, a int UNIQUE); CREATE SEQUENCE s;
		CREATE INDEX ON t (a, id); SELECT nextval('s')`;
	await second.query("SET application_name = 'kept'; PREPARE p AS SELECT 1");
	for (let round = 0; round < 3; round++) {
		await first.query(schema);
		await second.query("INSERT INTO t (a) SELECT generate_series(1, 10)");
		t.deepEqual(await third.query("SELECT max(id), nextval('s') FROM t"), [["10", "2"]]);
		await cluster.reset();
		for (const client of clients) {
			t.deepEqual(await client.query(userTables), [["0"]]);
			t.is(await outcome(client.query("SELECT * FROM t")), "42P01");
		}
	}
	await cluster.reset();
	t.deepEqual(await second.query("SHOW application_name"), [["kept"]]);
	t.deepEqual(await second.query("EXECUTE p"), [["1"]]);
});

test.serial("an open transaction does not hold it up, and its client is told", async (t) => {
	const [cluster, clients] = await startedWithClients(t);
	const [first, second, third] = clients as [SqlClient, SqlClient, SqlClient];
	await first.query("CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1)");
	await first.query("BEGIN; UPDATE t SET a = 2; CREATE TABLE u ()");
	await second.query("BEGIN; SAVEPOINT s; SELECT * FROM t");
	await third.query("BEGIN");
	await cluster.reset();
	const error = await t.throwsAsync(first.query("SELECT 1"), { instanceOf: SqlError });
	t.is((error as SqlError).code, "40000");
	t.regex(error!.message, /the database was reset by cluster\.reset\(\)/);
	t.is(await outcome(second.query("ROLLBACK TO s")), "40000");
	t.is(await outcome(second.query("COMMIT")), "40000", "not a quiet ROLLBACK");
	await first.query("ROLLBACK");
	t.deepEqual(await third.query(userTables), [["0"]], "it had not begun to read");
	await third.query("COMMIT");
	for (const client of clients) t.deepEqual(await client.query(userTables), [["0"]]);
});

test.serial("a statement that waits for a lock is ended too", async (t) => {
	const [cluster, clients] = await startedWithClients(t);
	const [first, second] = clients as [SqlClient, SqlClient];
	await first.query("CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1)");
	await first.query("BEGIN; UPDATE t SET a = 2");
	await second.query("BEGIN; SELECT 1 FROM t");
	const waiting = outcome(second.query("UPDATE t SET a = 3"));
	await cluster.reset();
	t.is(await waiting, "40000");
});

test.serial("it is empty after each reset, whatever others do meanwhile", async (t) => {
	const [cluster, clients] = await startedWithClients(t);
	const expected = new Set(["done", "42P01", "42P07", "40000", "40001", "40P01", "23505", "25P02"]);
	const seen = new Map<string, number>();
	let stopped = false;
	const work = clients.map(async (client, n) => {
		for (let i = 0; !stopped; i++) {
			const statements = [
				`CREATE TABLE IF NOT EXISTS t${n} (id serial PRIMARY KEY, a int)`,
				`INSERT INTO t${(n + 1) % 3} (a) VALUES (${i})`,
				`BEGIN; INSERT INTO t${n} (a) VALUES (${i}); SELECT count(*) FROM t${n}; COMMIT`,
			];
			for (const statement of statements) {
				const code = await outcome(client.query(statement));
				seen.set(code, (seen.get(code) ?? 0) + 1);
				if (code === lost) return;
				if (code !== "done") await outcome(client.query("ROLLBACK"));
			}
		}
	});
	for (let round = 0; round < 20; round++) await cluster.reset();
	stopped = true;
	await Promise.all(work);
	t.deepEqual(
		[...seen.keys()].filter((code) => !expected.has(code)),
		[],
	);
	await cluster.reset();
	for (const client of clients) t.deepEqual(await client.query(userTables), [["0"]]);
	await clients[0]!.query("CREATE TABLE t0 (id serial PRIMARY KEY, a int)");
	t.deepEqual(await clients[1]!.query("INSERT INTO t0 (a) VALUES (1) RETURNING id"), [["1"]]);
	t.deepEqual(await clients[2]!.query("SELECT count(*) FROM t0"), [["1"]]);
});
