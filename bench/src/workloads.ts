/** What is run: pgbench's own, and scripts for what it has none of. */
import type { Workload } from "./pgbench.ts";
import { runSql, type Target } from "./target.ts";

export const tpcB: Workload = { name: "TPC-B", samplingRate: 1 };
export const pointSelect: Workload = { name: "-S", selectOnly: true, samplingRate: 0.1 };

/** One row that every client updates. */
export const hotStatement: Workload = {
	name: "hot row, single statements",
	samplingRate: 1,
	fairness: true,
	script: "UPDATE bench_hot SET n = n + 1 WHERE id = 1;\n",
};

export const hotBlock: Workload = {
	name: "hot row, in BEGIN and COMMIT",
	samplingRate: 1,
	fairness: true,
	script: `BEGIN;
UPDATE bench_hot SET n = n + 1 WHERE id = 1;
COMMIT;
`,
};

export async function loadHotRow(target: Target): Promise<void> {
	await runSql(target, [
		"DROP TABLE IF EXISTS bench_hot",
		"CREATE TABLE bench_hot (id int PRIMARY KEY, n bigint NOT NULL)",
		"INSERT INTO bench_hot VALUES (1, 0), (2, 0)",
	]);
}

const items = 100_000;

/** Over a secondary index, in another order than the primary key. */
export const indexScan: Workload = {
	name: "index scan of 100 rows",
	samplingRate: 1,
	script: `\\set k random(1, ${items - 100})
SELECT id, filler FROM bench_items WHERE k BETWEEN :k AND :k + 99;
`,
};

export const join: Workload = {
	name: "join of 100 rows with 10",
	samplingRate: 1,
	script: `\\set aid random(1, 99900)
SELECT a.aid, a.abalance, b.bbalance FROM pgbench_accounts a JOIN pgbench_branches b ON a.bid = b.bid
WHERE a.aid BETWEEN :aid AND :aid + 99;
`,
};

export async function loadItems(target: Target): Promise<void> {
	const batch = 2_000;
	const inserts = Array.from({ length: items / batch }, (_, n) => {
		const rows = Array.from({ length: batch }, (_, m) => {
			const id = n * batch + m;
			// 7919 has no factor in common with the count: every k once.
			return `(${id}, ${(id * 7919) % items}, 'filler of item ${id}')`;
		});
		return `INSERT INTO bench_items VALUES ${rows.join(", ")}`;
	});
	await runSql(target, [
		"DROP TABLE IF EXISTS bench_items",
		"CREATE TABLE bench_items (id int PRIMARY KEY, k int NOT NULL, filler text NOT NULL)",
		"CREATE INDEX bench_items_k ON bench_items (k)",
		...inserts,
		"ANALYZE bench_items",
	]);
}
