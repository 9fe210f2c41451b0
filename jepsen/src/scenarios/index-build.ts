/** An index that is built while TPC-B runs has an entry for each row, with the row's value, and no other. */
import type { PgClient } from "quorate/client/pg-client";
import { runPgbench } from "../tools/pgbench.ts";
import { checkSums, type PgbenchOptions } from "./pgbench-tpcb.ts";
import type { Violations } from "./scenario.ts";

const indexName = "pgbench_accounts_abalance";

export async function indexDuringTpcb(options: PgbenchOptions): Promise<Violations> {
	const { cluster, clients, length } = options;
	const builder = await cluster.node(3).connect();
	await builder.query(`DROP INDEX IF EXISTS ${indexName}`);
	const args = ["--client", String(clients), "--jobs", "1", ...length];
	const load = runPgbench(cluster.node(1), [...args, "--max-tries", "10"]);
	const startedMs = performance.now();
	await builder.query(`CREATE INDEX ${indexName} ON pgbench_accounts (abalance)`);
	const builtMs = performance.now() - startedMs;
	const { processed, failed } = await load;
	options.log(
		`CREATE INDEX took ${(builtMs / 1000).toFixed(1)} s beside ${processed} transactions, ${failed} failed`,
	);
	const found = [...(await compareIndex(builder)), ...(await checkSums(options))];
	await builder.end();
	return failed === 0 ? found : [...found, `${failed} transactions failed beside CREATE INDEX`];
}

/** What the index finds for each value, against what reading the whole table finds. */
async function compareIndex(client: PgClient): Promise<Violations> {
	const rows = async (query: string): Promise<string[]> => {
		const [result] = await client.query(query);
		return (result?.rows ?? []).map((row) => row.join(" "));
	};
	const found: string[] = [];
	// The same rows twice: an expression hides the column from the planner, and with it the index.
	for (const range of ["abalance < 0", "abalance = 0", "abalance > 0"]) {
		const hidden = range.replace("abalance", "abalance + 0");
		const query = (condition: string) =>
			`SELECT aid, abalance FROM pgbench_accounts WHERE ${condition}`;
		await client.query("SET enable_seqscan = off");
		const plan = (await rows(`EXPLAIN ${query(range)}`)).join("\n");
		if (!plan.includes(indexName)) {
			found.push(`${range} is not read through the index:\n${plan}`);
		}
		const byIndex = (await rows(query(range))).sort();
		await client.query("RESET enable_seqscan");
		const byTable = (await rows(query(hidden))).sort();
		if (byIndex.join("\n") !== byTable.join("\n")) {
			const inTable = new Set(byTable);
			const inIndex = new Set(byIndex);
			found.push(
				`${range}: only in the index: ${byIndex.filter((row) => !inTable.has(row)).slice(0, 5)}; ` +
					`only in the table: ${byTable.filter((row) => !inIndex.has(row)).slice(0, 5)}; ` +
					`${byIndex.length} and ${byTable.length} rows`,
			);
		}
	}
	return found;
}
