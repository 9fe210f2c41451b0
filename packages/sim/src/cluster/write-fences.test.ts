/** Nobody else writes a table while all of its rows are gone over: beside writers, and where the node dies that asks for it. */
import { fencesIn } from "@quorate/keys/write-fences";
import test from "ava";
import { SimCluster } from "./sim-cluster.ts";
import { SqlConnection } from "./sql-connection.ts";

const never = new Promise<void>(() => {});

async function begin() {
	const cluster = new SimCluster(1);
	await cluster.start();
	const runtime = cluster.world.addMachine(100).boot();
	const [first, second] = cluster.nodes;
	const open = (at = second!) => SqlConnection.open(runtime, at.sqlAddress, never);
	const setUp = async () => {
		const [altering, writing] = [await open(first), await open()];
		await writing.query("CREATE TABLE a (id int PRIMARY KEY, k int)");
		await writing.query("INSERT INTO a SELECT g, g FROM generate_series(1, 1500) g");
		return { altering, writing };
	};
	return { cluster, first: first!, second: second!, ...(await cluster.run(setUp(), 60_000)) };
}

test.serial("a schema change of several statements succeeds beside a writer", async (t) => {
	const { cluster, altering, writing } = await begin();
	let isOver = false;
	const write = async (): Promise<number> => {
		for (let n = 1; ; n++) {
			if (isOver) return n - 1;
			await writing.query(`UPDATE a SET k = -k WHERE id = ${n % 1500}`);
			await writing.query(`INSERT INTO a VALUES (${10_000 + n}, ${10_000 + n})`);
		}
	};
	const alter = async (): Promise<void> => {
		await altering.query("BEGIN");
		await altering.query("ALTER TABLE a ADD COLUMN b int");
		await altering.query("CREATE UNIQUE INDEX ON a (k)");
		await altering.query("COMMIT");
		await altering.query("ALTER TABLE a ADD COLUMN c int, ADD UNIQUE (id, k)");
		await altering.query("BEGIN ISOLATION LEVEL READ COMMITTED");
		await altering.query("SELECT count(*) FROM a");
		await altering.query("ALTER TABLE a ADD CHECK (id > 0)");
		await altering.query("COMMIT");
	};
	const run = async (): Promise<void> => {
		const written = write();
		await alter().finally(() => {
			isOver = true;
		});
		const rows = String(1500 + (await written));
		const answers = await altering.query("SELECT count(*), count(distinct k) FROM a");
		t.deepEqual(answers[0]!.rows, [[rows, rows]]);
	};
	await cluster.run(run(), 60_000);
	t.deepEqual(cluster.problems, []);
});

test.serial("those who wait for a node that has died go on", async (t) => {
	const { cluster, first, second, altering, writing } = await begin();
	const run = async (): Promise<number> => {
		altering.query("ALTER TABLE a ADD COLUMN b int, ADD UNIQUE (k)").catch(() => undefined);
		while (fencesIn(second.keyValue!.placement.settings().values).length === 0) {
			await cluster.world.sleep(5);
		}
		first.crash("power");
		const since = cluster.world.nowMs;
		await writing.query("UPDATE a SET k = 0 WHERE id = 1; INSERT INTO a VALUES (2000, 0)");
		return cluster.world.nowMs - since;
	};
	const waitedMs = await cluster.run(run(), 120_000);
	t.true(waitedMs > 5_000 && waitedMs < 40_000, `${waitedMs} ms`);
	t.deepEqual(cluster.problems, []);
});
