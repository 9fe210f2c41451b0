/** Many connections: one after the other, and at the same time. How fast, and in how much memory, is for a quiet machine to say. */
import test from "ava";
import pg from "pg";
import { served } from "./served.ts";

const url = served();
const inTurn = 100;
const atOnce = 300;

async function connected(): Promise<pg.Client> {
	const client = new pg.Client({ connectionString: url() });
	await client.connect();
	return client;
}

test.serial(`${inTurn} connections, one after the other, leave none behind`, async (t) => {
	for (let n = 0; n < inTurn; n++) {
		const client = await connected();
		t.deepEqual((await client.query("SELECT $1::int AS n", [n])).rows, [{ n }]);
		await client.end();
	}
	const client = await connected();
	const { rows } = await client.query("SELECT count(*)::int AS open FROM pg_stat_activity");
	await client.end();
	t.true(rows[0].open <= 2, `${rows[0].open} sessions are left`);
});

test.serial(`${atOnce} connections that are idle, and each still answers`, async (t) => {
	const clients = await Promise.all(Array.from({ length: atOnce }, connected));
	const [first] = clients;
	const { rows } = await first!.query("SELECT count(*)::int AS open FROM pg_stat_activity");
	t.true(rows[0].open >= atOnce);
	const answers = await Promise.all(clients.map((client, n) => client.query(`SELECT ${n} AS n`)));
	t.deepEqual(
		answers.map((answer) => answer.rows[0].n),
		clients.map((_, n) => n),
	);
	await Promise.all(clients.map((client) => client.end()));
});
