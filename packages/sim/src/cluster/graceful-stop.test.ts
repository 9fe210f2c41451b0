/** A node that is stopped in order is in nobody's way: who is connected to another one notices waits, no errors. */
import test from "ava";
import { SimCluster } from "./sim-cluster.ts";
import { SqlConnection, SqlError } from "./sql-connection.ts";

const clients = 8;
const rounds = 4;
/** Of a client between two transactions, but for the moments around a stop: then there are as many as can be. */
const thinkMsMean = 40;
const never = new Promise<void>(() => {});

async function stopOneAfterTheOther(seed: number): Promise<{ codes: string[]; done: number }> {
	const cluster = new SimCluster(seed);
	await cluster.start();
	const runtime = cluster.world.addMachine(100).boot();
	const [stays, ...others] = cluster.nodes;
	const open = () => SqlConnection.open(runtime, stays!.sqlAddress, never);
	const codes: string[] = [];
	let done = 0;
	let goesOn = true;
	let isStopping = false;
	const random = cluster.world.random("clients");
	const work = async (connection: SqlConnection, id: number): Promise<void> => {
		for (let i = 0; goesOn; i++) {
			if (!isStopping) await cluster.world.sleep(random.exponential(thinkMsMean));
			const [from, to] = [(id + i) % 30, (id * 7 + i * 3) % 30];
			try {
				await connection.query("BEGIN");
				await connection.query(`UPDATE t SET n = n - 1 WHERE id = ${Math.min(from, to)}`);
				await connection.query(`UPDATE t SET n = n + 1 WHERE id = ${Math.max(from, to)}`);
				await connection.query("COMMIT");
				done++;
			} catch (error) {
				if (!(error instanceof SqlError)) throw error;
				codes.push(`${error.code} ${error.message} ${error.detail ?? ""}`);
				await connection.query("ROLLBACK");
			}
		}
	};
	const scenario = async (): Promise<void> => {
		const first = await open();
		await first.query("CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL)");
		await first.query("INSERT INTO t SELECT x, 0 FROM generate_series(0, 29) x");
		await first.query("ALTER TABLE t SPLIT AT VALUES (10), (20)");
		const running = Array.from({ length: clients }, async (_, id) => work(await open(), id));
		for (let round = 0; round < rounds; round++) {
			const node = others[round % others.length]!;
			await cluster.world.sleep(400);
			isStopping = true;
			await cluster.world.sleep(100);
			await node.stop();
			await cluster.world.sleep(300);
			isStopping = false;
			await cluster.world.sleep(700);
			node.start();
			await cluster.until("it serves again", 60_000, () => node.keyValue !== undefined);
			// Which spreads the leases; it is refused until all replicas have caught up.
			const spread = () =>
				first.query("ALTER TABLE t SPLIT AT VALUES (10), (20)").then(
					() => true,
					() => false,
				);
			await cluster.until("the leases are spread again", 60_000, spread);
		}
		goesOn = false;
		await Promise.all(running);
		const sum = await first.query("SELECT sum(n) FROM t");
		if (sum.at(-1)!.rows[0]![0] !== "0") codes.push(`sum ${sum.at(-1)!.rows[0]![0]}`);
	};
	await cluster.run(scenario(), 200_000);
	return { codes: [...codes, ...cluster.problems], done };
}

test("clients of another node get no error when nodes are stopped in order", async (t) => {
	for (let seed = 1; seed <= 2; seed++) {
		const { codes, done } = await stopOneAfterTheOther(seed);
		t.log(`seed ${seed}: ${done} transactions`);
		t.deepEqual(codes, [], `seed ${seed}`);
		t.true(done > 100);
	}
});
