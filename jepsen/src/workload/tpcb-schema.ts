/** The tables of TPC-B, named as pgbench names them, and `ids`: each transaction of the load leaves its number there. */
import type { PgClient } from "quorate/client/pg-client";

/** A scale of 1 is one branch, ten tellers and this many accounts: fewer than pgbench's 100,000, to load fast. */
export const accountsPerBranch = 1000;
export const tellersPerBranch = 10;
const rowsPerInsert = 500;

const tables = [
	"CREATE TABLE pgbench_branches (bid int PRIMARY KEY, bbalance int NOT NULL, filler char(88))",
	"CREATE TABLE pgbench_tellers (tid int PRIMARY KEY, bid int NOT NULL, tbalance int NOT NULL, filler char(84))",
	"CREATE TABLE pgbench_accounts (aid int PRIMARY KEY, bid int NOT NULL, abalance int NOT NULL, filler char(84))",
	// No primary key, as pgbench's: a transaction applied twice leaves two rows. The filler is the transaction's number.
	"CREATE TABLE pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22))",
	"CREATE TABLE ids (id bigint PRIMARY KEY)",
];

export async function createTpcb(client: PgClient, scale: number): Promise<void> {
	for (const table of tables) {
		await client.query(table);
	}
	await fill(client, "pgbench_branches", scale, (bid) => `(${bid}, 0)`);
	await fill(client, "pgbench_tellers", scale * tellersPerBranch, (tid) => {
		return `(${tid}, ${branchOf(tid, tellersPerBranch)}, 0)`;
	});
	await fill(client, "pgbench_accounts", scale * accountsPerBranch, (aid) => {
		return `(${aid}, ${branchOf(aid, accountsPerBranch)}, 0)`;
	});
}

/** Cuts the accounts into `parts` ranges of about the same size. */
export async function splitAccounts(
	client: PgClient,
	accounts: number,
	parts: number,
): Promise<void> {
	const cuts = Array.from(
		{ length: parts - 1 },
		(_, index) => `(${1 + Math.floor(((index + 1) * accounts) / parts)})`,
	);
	await client.query(`ALTER TABLE pgbench_accounts SPLIT AT VALUES ${cuts.join(", ")}`);
}

const branchOf = (number: number, perBranch: number): number =>
	1 + Math.floor((number - 1) / perBranch);

async function fill(
	client: PgClient,
	table: string,
	count: number,
	row: (number: number) => string,
): Promise<void> {
	for (let from = 1; from <= count; from += rowsPerInsert) {
		const length = Math.min(rowsPerInsert, count - from + 1);
		const rows = Array.from({ length }, (_, index) => row(from + index));
		await client.query(`INSERT INTO ${table} VALUES ${rows.join(", ")}`);
	}
}
