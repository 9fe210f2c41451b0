/** LISTEN and NOTIFY in a cluster of three, over TCP: who is told what, in which order, and what a death changes. */
import test, { type ExecutionContext } from "ava";
import { Cluster } from "./cluster.ts";
import { SqlClient } from "./testing/sql-client.ts";

async function served(t: ExecutionContext): Promise<Cluster> {
	const cluster = await Cluster.start({ nodes: 3 });
	t.teardown(() => cluster.stop());
	return cluster;
}

async function sessions(t: ExecutionContext, cluster: Cluster): Promise<SqlClient[]> {
	const clients = await Promise.all(
		cluster.nodes.map((node) => SqlClient.connect(node.connectionString)),
	);
	t.teardown(() => {
		for (const client of clients) client.close();
	});
	return clients;
}

/** Again after what certainly did not happen. */
async function insist(client: SqlClient, text: string): Promise<void> {
	for (;;) {
		try {
			await client.query(text);
			return;
		} catch (error) {
			if (!["57P03", "40001"].includes((error as { code: string }).code)) throw error;
		}
	}
}

test.serial("everybody is told everything once, in one order", async (t) => {
	const cluster = await served(t);
	const listeners = await sessions(t, cluster);
	const senders = await sessions(t, cluster);
	await Promise.all(listeners.map((client) => client.query("LISTEN a")));
	const pids = await Promise.all(
		senders.map(async (client) => Number((await client.query("SELECT pg_backend_pid()"))[0]![0])),
	);
	const each = 30;
	await Promise.all(
		senders.map(async (client, s) => {
			for (let i = 0; i < each; i++) await client.query(`NOTIFY a, '${s} ${i}'`);
		}),
	);
	await Promise.all(listeners.map((client) => client.untilTold(3 * each)));
	const [first, ...others] = listeners.map(({ told }) => told);
	for (const told of others) t.deepEqual(told, first);
	for (const [s, pid] of pids.entries()) {
		const own = first!.filter((one) => one.pid === pid).map((one) => one.payload);
		t.deepEqual(
			own,
			Array.from({ length: each }, (_, i) => `${s} ${i}`),
		);
	}
	t.is(first!.length, 3 * each);
});

test.serial(
	"a notification outlives the node that committed it, and the one that leads the range",
	async (t) => {
		const cluster = await served(t);
		const [one, two, three] = (await sessions(t, cluster)) as [SqlClient, SqlClient, SqlClient];
		await two.query("CREATE TABLE t (id int PRIMARY KEY)");
		await two.query("LISTEN a");
		await three.query("LISTEN a");
		// Tables apart from the queue: its commits take two phases.
		await one.query("ALTER TABLE t SPLIT AT VALUES (0)");
		await one.query("BEGIN; INSERT INTO t VALUES (1); NOTIFY a, 'last words'; COMMIT");
		await cluster.nodes[0]!.kill();
		await Promise.all([two.untilTold(1), three.untilTold(1)]);
		t.deepEqual(
			[two, three].map(({ told }) => told.map(({ payload }) => payload)),
			[["last words"], ["last words"]],
		);
		await insist(two, "BEGIN; INSERT INTO t VALUES (2); NOTIFY a, 'after'; COMMIT").catch(
			async () => {
				await two.query("ROLLBACK");
				await insist(two, "NOTIFY a, 'after'");
			},
		);
		await Promise.all([two.untilTold(2), three.untilTold(2)]);
		await cluster.nodes[0]!.restart();
		await insist(three, "NOTIFY a, 'again'");
		await Promise.all([two.untilTold(3), three.untilTold(3)]);
		t.deepEqual(
			[two, three].map(({ told }) => told.map(({ payload }) => payload)),
			[
				["last words", "after", "again"],
				["last words", "after", "again"],
			],
		);
	},
);
