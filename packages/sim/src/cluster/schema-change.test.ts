/** Schema changes while the placement group, which numbers them, loses its leader. */
import test from "ava";
import { SimCluster } from "./sim-cluster.ts";
import { SqlConnection, SqlError } from "./sql-connection.ts";

const oneWayMs = 20;
const never = new Promise<void>(() => {});

test("a schema change whose number was lost with the placement leader leaves nothing that others wait for", async (t) => {
	const cluster = new SimCluster(3);
	await cluster.start();
	const { world, nodes } = cluster;
	const client = world.addMachine(100).boot();
	const open = (i: number) => SqlConnection.open(client, nodes[i]!.sqlAddress, never);
	cluster.moveApart(oneWayMs);
	const setUp = async (): Promise<void> => {
		const first = await open(0);
		await first.query("CREATE TABLE t (id int PRIMARY KEY, n int)");
		await first.query("INSERT INTO t VALUES (1, 0)");
	};
	await cluster.run(setUp(), 60_000);
	const outcomes: string[] = [];
	const change = async (at: number, text: string): Promise<void> => {
		const connection = await open(at);
		await connection.query(text).then(
			() => outcomes.push("done"),
			(error: Error & { code?: string }) => outcomes.push(error.code ?? error.message),
		);
		connection.close();
	};
	for (let i = 0; i < 30; i++) {
		const at = i % 3;
		const changing = change(at, `CREATE TABLE u${i} (id int)`);
		// From before the change is sent until after its number is known.
		await cluster.run(world.sleep(40 + 15 * i), 60_000);
		for (const node of nodes) if (node !== nodes[at]) node.machine.pause(4_000);
		await cluster.run(changing, 60_000);
		await cluster.run(world.sleep(4_000), 60_000);
		const look = async (): Promise<void> => {
			const reader = await open((i + 1) % 3);
			const rows = (await reader.query("SELECT n FROM t")).at(-1)?.rows;
			t.deepEqual(rows, [["0"]]);
			reader.close();
		};
		await cluster.run(look(), 20_000);
	}
	t.true(outcomes.includes("done"));
	t.log(outcomes.join(" "));
	t.deepEqual(cluster.problems, []);
});

test("schema changes of many sessions wait for each other, and none of them fails", async (t) => {
	const cluster = new SimCluster(4);
	await cluster.start();
	const client = cluster.world.addMachine(100).boot();
	const errors: string[] = [];
	const session = async (i: number): Promise<void> => {
		const node = cluster.nodes[i % 3]!;
		const connection = await SqlConnection.open(client, node.sqlAddress, never);
		const texts = [
			`CREATE TABLE t${i} (id int PRIMARY KEY, n int)`,
			`BEGIN; TRUNCATE t${i}`,
			`INSERT INTO t${i} SELECT g, g FROM generate_series(1, 20) g`,
			"COMMIT",
			`CREATE INDEX ON t${i} (n)`,
			`ALTER TABLE shared ADD COLUMN n${i} int`,
			`ALTER TABLE t${i} ADD FOREIGN KEY (n) REFERENCES shared`,
			`DROP TABLE t${i}`,
		];
		for (const text of texts) {
			await connection.query(text).catch((error: unknown) => {
				if (!(error instanceof SqlError)) throw error;
				errors.push(`${text}: ${error.code} ${error.message}`);
			});
		}
	};
	const all = async (): Promise<void> => {
		const first = await SqlConnection.open(client, cluster.nodes[0]!.sqlAddress, never);
		await first.query("CREATE TABLE shared (id int PRIMARY KEY)");
		await first.query("INSERT INTO shared SELECT generate_series(1, 20)");
		await Promise.all(Array.from({ length: 8 }, (_, i) => session(i)));
	};
	await cluster.run(all(), 200_000);
	t.deepEqual(errors, []);
	t.deepEqual(cluster.problems, []);
});
