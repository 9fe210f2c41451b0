/** Advisory locks of a cluster of three, over TCP: one holder whoever asks where, deadlocks with rows, and what a death gives back. */
import test, { type ExecutionContext } from "ava";
import { Cluster } from "./cluster.ts";
import { SqlClient } from "./testing/sql-client.ts";

interface Served {
	readonly cluster: Cluster;
	/** One session on each node. */
	readonly clients: readonly [SqlClient, SqlClient, SqlClient];
}

async function served(t: ExecutionContext): Promise<Served> {
	const cluster = await Cluster.start({ nodes: 3 });
	t.teardown(() => cluster.stop());
	const clients = await Promise.all(
		cluster.nodes.map((node) => SqlClient.connect(node.connectionString)),
	);
	t.teardown(() => {
		for (const client of clients) client.close();
	});
	return { cluster, clients: clients as unknown as Served["clients"] };
}

const value = async (client: SqlClient, text: string): Promise<string | null | undefined> =>
	(await client.query(text)).at(-1)?.[0];

test.serial("a lock has one holder, whichever node is asked", async (t) => {
	const { clients } = await served(t);
	const [one, two, three] = clients;
	await one.query("SELECT pg_advisory_lock(1)");
	t.is(await value(two, "SELECT pg_try_advisory_lock(1)"), "f");
	t.is(await value(three, "SELECT pg_try_advisory_xact_lock_shared(1)"), "f");
	const waiting = two.query("SELECT pg_advisory_lock(1)");
	const shown =
		"SELECT classid, objid, objsubid, mode, granted FROM pg_locks WHERE locktype = 'advisory' ORDER BY granted";
	while ((await three.query(shown)).length < 2)
		await new Promise((resolve) => setImmediate(resolve));
	t.deepEqual(await three.query(shown), [
		["0", "1", "1", "ExclusiveLock", "f"],
		["0", "1", "1", "ExclusiveLock", "t"],
	]);
	await one.query("SELECT pg_advisory_unlock(1)");
	await waiting;
	t.is(await value(one, "SELECT pg_try_advisory_lock(1)"), "f");
	// Its client is gone, so is its session.
	const again = three.query("SELECT pg_advisory_lock(1)");
	two.close();
	await again;
});

test.serial("a cycle through an advisory lock and a row ends with one victim", async (t) => {
	const { clients } = await served(t);
	const [one, two] = clients;
	await one.query("CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 0)");
	await one.query("BEGIN");
	await one.query("UPDATE t SET n = 1 WHERE id = 1");
	await two.query("BEGIN");
	await two.query("SELECT pg_advisory_lock(1)");
	const outcomes = await Promise.all([
		settled(one, "SELECT pg_advisory_xact_lock(1)", ["SELECT pg_advisory_unlock_all()"]),
		settled(two, "UPDATE t SET n = 2 WHERE id = 1", ["SELECT pg_advisory_unlock_all()"]),
	]);
	t.deepEqual([...outcomes].sort(), ["40P01", "done"]);
});

/** The statement, then the end of its transaction; after a failure what frees the other side. */
async function settled(
	client: SqlClient,
	statement: string,
	afterwards: readonly string[],
): Promise<string> {
	try {
		await client.query(statement);
		await client.query("COMMIT");
		return "done";
	} catch (error) {
		await client.query("ROLLBACK");
		for (const text of afterwards) await client.query(text);
		return (error as { code: string }).code;
	}
}

test.serial("the locks of a node that died are given on, also to who only tries", async (t) => {
	const { cluster, clients } = await served(t);
	const [one, two, three] = clients;
	await two.query("CREATE TABLE t (id int PRIMARY KEY)");
	await one.query("SELECT pg_advisory_lock(1), pg_advisory_lock(2)");
	const first = cluster.nodes[0]!;
	await first.kill();
	for (;;) {
		const free = await value(three, "SELECT pg_try_advisory_lock(2)").catch((error) => {
			if (error.code !== "57P03") throw error;
		});
		if (free === "t") break;
		await new Promise((resolve) => setImmediate(resolve));
	}
	await two.query("SELECT pg_advisory_lock(1)");
	await first.restart();
	const back = await SqlClient.connect(first.connectionString);
	t.teardown(() => back.close());
	t.is(await value(back, "SELECT pg_try_advisory_lock(1)"), "f");
	t.is(await value(back, "SELECT pg_try_advisory_lock(2)"), "f");
});
