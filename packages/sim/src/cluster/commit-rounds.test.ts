/** How long a client waits for a commit, in rounds between nodes: so far apart that nothing else counts. */
import test, { type ExecutionContext } from "ava";
import { SimCluster } from "./sim-cluster.ts";
import { SqlConnection } from "./sql-connection.ts";

const oneWayMs = 50;
const roundMs = 2 * oneWayMs;
/** The first may find leases that have to be extended. */
const attempts = 4;
/** For how long the oracle has not been asked when a commit begins is a matter of chance. */
const seeds = [1, 3, 4];
const never = new Promise<void>(() => {});

interface Far {
	readonly cluster: SimCluster;
	/** To a node that holds the leases of two ranges, and a row of each of them. */
	readonly connection: SqlConnection;
	readonly ids: readonly [number, number];
}

async function startFar(t: ExecutionContext, seed: number): Promise<Far> {
	const cluster = new SimCluster(seed);
	await cluster.start();
	const client = cluster.world.addMachine(100).boot();
	const open = (i: number) => SqlConnection.open(client, cluster.nodes[i]!.sqlAddress, never);
	const prepare = async (): Promise<Far> => {
		const first = await open(0);
		await first.query("CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL)");
		await first.query("INSERT INTO t SELECT x, 0 FROM generate_series(1, 60) x");
		await first.query("ALTER TABLE t SPLIT AT VALUES (10), (20), (30), (40), (50)");
		const found = await first.query("SHOW RANGES FROM TABLE t");
		const holders = found.at(-1)!.rows.map((row) => Number(row[3]));
		const node = holders.find((id, i) => holders.indexOf(id) < i)!;
		const [one, two] = holders.flatMap((id, i) => (id === node ? [10 * i + 5] : []));
		const at = cluster.nodes.findIndex((n) => n.nodeId === node);
		return { cluster, connection: await open(at), ids: [one!, two!] };
	};
	const far = await cluster.run(prepare(), 60_000);
	cluster.moveApart(oneWayMs);
	t.deepEqual(cluster.problems, []);
	return far;
}

/** Rounds from sending `last` to its answer, at best. */
async function rounds(
	{ cluster, connection }: Far,
	before: readonly string[],
	last: string,
): Promise<number> {
	let leastMs = Number.POSITIVE_INFINITY;
	const work = async (): Promise<void> => {
		for (let i = 0; i < attempts; i++) {
			for (const text of before) await connection.query(text);
			const sentMs = cluster.world.nowMs;
			await connection.query(last);
			leastMs = Math.min(leastMs, cluster.world.nowMs - sentMs);
		}
	};
	await cluster.run(work(), 300_000);
	return leastMs / roundMs;
}

const update = (id: number): string => `UPDATE t SET n = n + 1 WHERE id = ${id}`;

async function count(t: ExecutionContext, seed: number): Promise<void> {
	const far = await startFar(t, seed);
	const [one, two] = far.ids;
	const counted = {
		onePhase: await rounds(far, ["BEGIN", update(one)], "COMMIT"),
		twoPhase: await rounds(far, ["BEGIN", update(one), update(two)], "COMMIT"),
		readElsewhere: await rounds(
			far,
			["BEGIN", `SELECT n FROM t WHERE id = ${two}`, update(one)],
			"COMMIT",
		),
		single: await rounds(far, [], update(one)),
	};
	t.log(seed, counted);
	const whole = Object.fromEntries(Object.entries(counted).map(([k, n]) => [k, Math.floor(n)]));
	t.deepEqual(whole, { onePhase: 2, twoPhase: 3, readElsewhere: 2, single: 2 });
	t.deepEqual(far.cluster.problems, []);
}

test("a commit waits for one call of the oracle and for one Raft round, for two where it wrote to two ranges", async (t) => {
	for (const seed of seeds) await count(t, seed);
});
