/** Whole clusters in memory, by their public interface and a client over TCP. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { ownVersions } from "@quorate/keys/cluster-version";
import test, { type ExecutionContext } from "ava";
import { Cluster, ClusterError, type ClusterOptions } from "./cluster.ts";
import { SqlClient } from "./testing/sql-client.ts";

async function started(t: ExecutionContext, options: ClusterOptions): Promise<Cluster> {
	const cluster = await Cluster.start(options);
	t.teardown(() => cluster.stop());
	return cluster;
}

async function connected(t: ExecutionContext, connectionString: string): Promise<SqlClient> {
	const client = await SqlClient.connect(connectionString);
	t.teardown(() => client.close());
	return client;
}

/** Again after what passes: a lease of a lost node that has to run out, an answer that was lost with it. */
async function eventually<T>(task: () => Promise<T>): Promise<T> {
	for (let attempt = 1; ; attempt++) {
		try {
			return await task();
		} catch (error) {
			const { code } = error as { code?: string };
			if (attempt === 20 || code === undefined || !["57P03", "40001", "40003"].includes(code)) {
				throw error;
			}
		}
	}
}

test.serial("every node of a fresh cluster takes clients", async (t) => {
	const cluster = await started(t, { nodes: 3 });
	t.deepEqual(
		cluster.nodes.map(({ id, isRunning }) => [id, isRunning]),
		[
			[1, true],
			[2, true],
			[3, true],
		],
	);
	const clients = await Promise.all(cluster.nodes.map((n) => connected(t, n.connectionString)));
	await clients[0]!.query("CREATE TABLE t (a int PRIMARY KEY)");
	await clients[1]!.query("INSERT INTO t VALUES (7)");
	t.deepEqual(await clients[2]!.query("SELECT a FROM t"), [["7"]]);
});

test.serial("a fresh cluster can at once what this build can", async (t) => {
	for (const nodes of [1, 3]) {
		const cluster = await started(t, { nodes });
		for (const { connectionString } of cluster.nodes) {
			const client = await connected(t, connectionString);
			const rows = await client.query("SHOW cluster_version");
			t.deepEqual(rows, [[String(ownVersions.newest)]]);
		}
	}
});

test.serial("a killed node loses its connections and nothing that was committed", async (t) => {
	const cluster = await started(t, { nodes: 3 });
	const [first, second] = cluster.nodes as [Cluster["nodes"][0], Cluster["nodes"][0]];
	const lost = await connected(t, first.connectionString);
	const kept = await connected(t, second.connectionString);
	await lost.query("CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1)");
	const before = first.connectionString;
	await first.kill();
	await lost.closed();
	t.false(first.isRunning);
	t.is(cluster.connectionString, second.connectionString);
	const { port } = new URL(before);
	const [refused] = await once(connect(Number(port), "127.0.0.1"), "error");
	t.is((refused as { code: string }).code, "ECONNREFUSED");
	t.deepEqual(await eventually(() => kept.query("SELECT a FROM t")), [["1"]]);
	await eventually(() => kept.query("INSERT INTO t VALUES (2) ON CONFLICT DO NOTHING"));
	await first.restart();
	t.is(first.connectionString, before);
	const again = await connected(t, first.connectionString);
	t.deepEqual(await again.query("SELECT a FROM t ORDER BY a"), [["1"], ["2"]]);
});

test.serial("all nodes killed at once come back with what was committed", async (t) => {
	const cluster = await started(t, { nodes: 3 });
	const client = await connected(t, cluster.connectionString);
	await client.query("CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1), (2)");
	await Promise.all(cluster.nodes.map((node) => node.kill()));
	await Promise.all(cluster.nodes.map((node) => node.restart()));
	const again = await connected(t, cluster.connectionString);
	t.deepEqual(await eventually(() => again.query("SELECT count(*) FROM t")), [["2"]]);
});

test.serial("a minority behind a partition answers when it heals, not before", async (t) => {
	const cluster = await started(t, { nodes: 3 });
	const client = await connected(t, cluster.nodes[0]!.connectionString);
	await client.query("CREATE TABLE t (a int PRIMARY KEY)");
	cluster.partition([0, cluster.nodes[1]!]);
	const cutOff = await connected(t, cluster.nodes[2]!.connectionString);
	let answered = false;
	const waiting = eventually(() => cutOff.query("SELECT a FROM t")).finally(() => {
		answered = true;
	});
	await eventually(() => client.query("INSERT INTO t VALUES (5) ON CONFLICT DO NOTHING"));
	for (let i = 0; i < 50; i++) await client.query("SELECT a FROM t");
	t.false(answered);
	cluster.heal();
	t.deepEqual(await waiting, [["5"]]);
});

test.serial("without a majority nothing is decided, also not by a leader", async (t) => {
	const cluster = await started(t, { nodes: 3 });
	const clients = await Promise.all(cluster.nodes.map((n) => connected(t, n.connectionString)));
	await clients[0]!.query("CREATE TABLE t (a int PRIMARY KEY)");
	cluster.partition([0], [1], [2]);
	const writes = clients.map((client, n) =>
		client.query(`INSERT INTO t VALUES (${n})`).then(
			() => "done",
			(error: { code: string }) => error.code,
		),
	);
	let decided = 0;
	for (const write of writes) void write.then((outcome) => (decided += outcome === "done" ? 1 : 0));
	// Without a cut the writes would be done in a fraction of the time of these, which no other node is asked for.
	const others = await Promise.all(cluster.nodes.map((n) => connected(t, n.connectionString)));
	for (let i = 0; i < 50; i++) await Promise.all(others.map((c) => c.query("SHOW server_version")));
	t.is(decided, 0);
	cluster.heal();
	const outcomes = await Promise.all(writes);
	const rows = await eventually(() => clients[0]!.query("SELECT a FROM t"));
	for (const [n, outcome] of outcomes.entries()) {
		if (outcome === "done") t.true(rows.some(([a]) => a === String(n)));
	}
});

test.serial("five nodes", async (t) => {
	const cluster = await started(t, { nodes: 5 });
	const client = await connected(t, cluster.nodes[4]!.connectionString);
	t.deepEqual(await client.query("SELECT 1"), [["1"]]);
	await cluster.nodes[4]!.kill();
	await cluster.nodes[4]!.restart();
	const again = await connected(t, cluster.nodes[4]!.connectionString);
	t.deepEqual(await again.query("SELECT 1"), [["1"]]);
});

test.serial("a node can be killed while it starts, and again", async (t) => {
	const cluster = await started(t, { nodes: 3 });
	const node = cluster.nodes[1]!;
	const starting = [node.restart(), node.restart()];
	await node.kill();
	for (const { status } of await Promise.allSettled(starting)) t.is(status, "rejected");
	t.false(node.isRunning);
	await Promise.all([node.restart(), node.restart()]).catch(() => undefined);
	await node.restart();
	const client = await connected(t, node.connectionString);
	t.deepEqual(await client.query("SELECT 1"), [["1"]]);
});

test.serial("mistakes are said in one line and leave nothing behind", async (t) => {
	const cases: [ClusterOptions, RegExp][] = [
		[{ nodes: 0 }, /`nodes` must be a whole number from 1 to 9, not 0/],
		[{ nodes: 2.5 }, /`nodes` must be/],
		[{ port: 0 }, /`port` must be/],
		[{ node: 3 } as ClusterOptions, /no option `node`; there are nodes,/],
		[{ dataDirectory: "" }, /`dataDirectory` must be the path/],
		[{ logLevel: "loud" as "info" }, /`logLevel` must be one of/],
	];
	for (const [options, message] of cases) {
		await t.throwsAsync(Cluster.start(options), { instanceOf: ClusterError, message });
	}
	const blocker = createServer();
	await new Promise<void>((resolve) => blocker.listen(0, "127.0.0.1", resolve));
	t.teardown(() => void blocker.close());
	const { port } = blocker.address() as { port: number };
	const taken = Cluster.start({ port });
	await t.throwsAsync(taken, { instanceOf: ClusterError, message: /is taken by another program/ });

	const cluster = await started(t, {});
	t.throws(() => cluster.partition(), { message: /at least one group/ });
	t.throws(() => cluster.partition([1]), { message: /1 is no node of this cluster/ });
	t.throws(() => cluster.partition([0], [0]), { message: /in two groups/ });
	await cluster.stop();
	await cluster.stop();
	t.throws(() => cluster.heal(), { message: /the cluster is stopped/ });
	await t.throwsAsync(cluster.nodes[0]!.restart(), { message: /the cluster is stopped/ });
});

test.serial("a program ends by itself after stop, with a client still open", async (t) => {
	const program = fileURLToPath(new URL("./testing/start-and-stop.js", import.meta.url));
	const out = await new Promise<string>((resolve, reject) => {
		execFile(process.execPath, [program], { timeout: 300_000 }, (error, stdout, stderr) =>
			error === null ? resolve(stdout + stderr) : reject(error),
		);
	});
	t.is(out, "stopped, open: []\nexit\n");
});
