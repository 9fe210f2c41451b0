/** Writers are told that what they have read is not kept any more only if they are as old as that. */
import { key } from "@quorate/keys/key";
import test from "ava";
import { SimCluster } from "./sim-cluster.ts";
import { SqlConnection } from "./sql-connection.ts";

const never = new Promise<void>(() => {});

test.serial(
	"history is collected while a transaction writes rows that are older than that",
	async (t) => {
		const cluster = new SimCluster(3, { limits: { collectMs: 500, historyLifeMs: 3_000 } });
		await cluster.start();
		const runtime = cluster.world.addMachine(100).boot();
		const open = () => SqlConnection.open(runtime, cluster.nodes[0]!.sqlAddress, never);
		const threshold = (): number => {
			const { keyValue } = cluster.nodes[0]!;
			return keyValue!.store.replicaFor(key("\x02"))!.state.gcThreshold;
		};
		const run = async (): Promise<string> => {
			const [writer, other] = [await open(), await open()];
			await writer.query("CREATE TABLE a (id int PRIMARY KEY, n int)");
			await writer.query("INSERT INTO a SELECT g, 0 FROM generate_series(1, 9) g");
			/** As others write, until more is collected. */
			const collected = async (): Promise<void> => {
				const before = threshold();
				while (threshold() === before) {
					await other.query("UPDATE a SET n = n + 1 WHERE id = 9");
					await cluster.world.sleep(100);
				}
			};
			await collected();
			await writer.query("BEGIN");
			await writer.query("UPDATE a SET n = 5 WHERE id = 1; INSERT INTO a VALUES (10, 5)");
			await writer.query("UPDATE a SET n = 5 WHERE id BETWEEN 2 AND 4");
			await collected();
			return (await writer.query("COMMIT")).map(({ tag }) => tag).join();
		};
		t.is(await cluster.run(run(), 60_000), "COMMIT");
		t.deepEqual(cluster.problems, []);
	},
);
