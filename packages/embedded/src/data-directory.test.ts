/** Clusters that keep their data. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { Cluster, ClusterError } from "./cluster.ts";
import { SqlClient } from "./testing/sql-client.ts";

function directory(t: ExecutionContext): string {
	const path = mkdtempSync(join(tmpdir(), "quorate-embedded-"));
	t.teardown(() => rmSync(path, { recursive: true, force: true }));
	return path;
}

async function ask(cluster: Cluster, text: string): Promise<(string | null)[][]> {
	const client = await SqlClient.connect(cluster.connectionString);
	try {
		return await client.query(text);
	} finally {
		client.close();
	}
}

test.serial("what was committed is there after a stop, a kill and a new start", async (t) => {
	const dataDirectory = join(directory(t), "data");
	const first = await Cluster.start({ nodes: 3, dataDirectory });
	await ask(first, "CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1)");
	await first.nodes[0]!.kill();
	await first.nodes[0]!.restart();
	await ask(first, "INSERT INTO t VALUES (2)");
	await first.stop();

	const second = await Cluster.start({ dataDirectory });
	t.is(second.nodes.length, 3);
	t.deepEqual(await ask(second, "SELECT a FROM t ORDER BY a"), [["1"], ["2"]]);
	await Promise.all(second.nodes.map((node) => node.kill()));
	await second.stop();

	await using third = await Cluster.start({ dataDirectory });
	t.deepEqual(await ask(third, "SELECT a FROM t ORDER BY a"), [["1"], ["2"]]);
});

test.serial("a directory that is not the cluster's own is left alone", async (t) => {
	const dataDirectory = directory(t);
	const refused = (nodes: number, message: RegExp) =>
		t.throwsAsync(Cluster.start({ nodes, dataDirectory }), { instanceOf: ClusterError, message });
	writeFileSync(join(dataDirectory, "notes.txt"), "");
	await refused(1, /holds other files \(notes\.txt\) and no cluster/);
	t.deepEqual(readdirSync(dataDirectory), ["notes.txt"]);
	rmSync(join(dataDirectory, "notes.txt"));

	await using cluster = await Cluster.start({ nodes: 1, dataDirectory });
	await refused(1, /is in use: stop the cluster that runs on it/);
	await cluster.stop();
	await refused(3, /is of a cluster of 1: start it with `nodes: 1`/);
});
