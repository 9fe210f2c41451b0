import pg from "pg";
import { Cluster } from "quorate";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { schema, transfer } from "../transfer.cjs";

let cluster;
let pool;

beforeAll(async () => {
	cluster = await Cluster.start({ nodes: 3 });
	pool = new pg.Pool({ connectionString: cluster.connectionString });
}, 60_000);

beforeEach(async () => {
	await cluster.reset();
	await pool.query(schema);
	await pool.query("INSERT INTO account (owner, balance) VALUES ('ann', 100), ('bob', 0)");
});

afterAll(async () => {
	await pool?.end();
	await cluster?.stop();
});

const balances = async () => {
	const { rows } = await pool.query("SELECT balance FROM account ORDER BY id");
	return rows.map((row) => row.balance);
};

test("money arrives", async () => {
	await transfer(pool, 1, 2, 30);
	expect(await balances()).toEqual([70, 30]);
});

test("nobody can give what they do not have", async () => {
	await expect(transfer(pool, 2, 1, 1)).rejects.toMatchObject({ code: "23514" });
	expect(await balances()).toEqual([100, 0]);
});

test("a node that is cut off does not stop the others", { timeout: 60_000 }, async () => {
	cluster.partition([2]);
	await transfer(pool, 1, 2, 30);
	cluster.heal();
	expect(await balances()).toEqual([70, 30]);
});
