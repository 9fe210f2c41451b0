import test from "ava";
import pg from "pg";
import { Cluster } from "quorate";
import { schema, transfer } from "../transfer.cjs";

let cluster;
let pool;

test.before(async () => {
	cluster = await Cluster.start({ nodes: 3 });
	pool = new pg.Pool({ connectionString: cluster.connectionString });
});

test.beforeEach(async () => {
	await cluster.reset();
	await pool.query(schema);
	await pool.query("INSERT INTO account (owner, balance) VALUES ('ann', 100), ('bob', 0)");
});

test.after.always(async () => {
	await pool?.end();
	await cluster?.stop();
});

const balances = async () => {
	const { rows } = await pool.query("SELECT balance FROM account ORDER BY id");
	return rows.map((row) => row.balance);
};

// One database for all tests of the file, so one test at a time.
test.serial("money arrives", async (t) => {
	await transfer(pool, 1, 2, 30);
	t.deepEqual(await balances(), [70, 30]);
});

test.serial("nobody can give what they do not have", async (t) => {
	await t.throwsAsync(transfer(pool, 2, 1, 1), { code: "23514" });
	t.deepEqual(await balances(), [100, 0]);
});

test.serial("a lost node loses nothing", async (t) => {
	await transfer(pool, 1, 2, 30);
	const [, , third] = cluster.nodes;
	await third.kill();
	await transfer(pool, 1, 2, 30);
	await third.restart();
	t.deepEqual(await balances(), [40, 60]);
});
