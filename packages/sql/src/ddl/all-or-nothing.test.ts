import test from "ava";
import { abandon, between, bigTable, cell, many } from "../testing/schema-changes.ts";
import { type TestClient, testServer } from "../testing/test-client.ts";

/** What the catalog says of the table, and its rows. */
const state = async (client: TestClient): Promise<unknown> => [
	await client.rows(
		"select attname, atttypid, attnotnull from pg_attribute where attrelid = 't'::regclass and attnum > 0 and not attisdropped order by 1",
	),
	await client.rows(
		"select conname, convalidated from pg_constraint where conrelid = 't'::regclass order by 1",
	),
	await client.rows(
		"select indexrelid::regclass, indisvalid from pg_index where indrelid = 't'::regclass order by 1",
	),
	await client.rows("select relname from pg_class where relkind = 'S' order by 1"),
	await client.rows("select * from t order by id, v"),
	await client.rows("show jobs"),
];

/** `id` is there once, `k` is not. */
const statements = [
	"alter table t add column a int, add unique (id), add unique (k)",
	"alter table t drop column v, add primary key (id), add unique (k)",
	"alter table t alter v set not null, add primary key (k)",
	"alter table t add column a int default 5 unique",
	"begin; alter table t add column a int; create unique index on t (k); commit",
	"alter table t add column a int; alter table t add primary key (k)",
];

test("a node that dies midway leaves nothing of a statement, whether or not a job has begun", async (t) => {
	for (const statement of statements) {
		const server = testServer();
		const client = await bigTable(server);
		// Only the default that all rows get still stands in the way.
		await client.query("update t set k = id");
		const before = await state(client);
		const isJob = statement.includes("default");
		await abandon(server, client, statement, isJob ? 3 : 0);
		await client.query("rollback");
		t.is((await client.rows("show jobs")).length, isJob ? 1 : 0, statement);
		for (let look = 1; look <= 5; look++) await server.adoptBuilds();
		t.deepEqual(await state(client), before, statement);
	}
});

test("all of a statement is done beside writers, or nothing", async (t) => {
	// No job makes the column, so none makes its index.
	const all = [...statements, "alter table t add column a text default current_user unique"];
	for (const level of ["serializable", "read committed"]) {
		for (const statement of all) {
			const server = testServer();
			const client = await bigTable(server);
			const writer = await server.connect();
			await client.query(`set default_transaction_isolation = '${level}'`);
			// One row: the statement begins again, where it can.
			between(server, async () => {
				await writer.query("update t set v = 'changed' where id = 7");
				return true;
			});
			const said = await client.error(statement);
			await client.query("rollback");
			t.regex(said, /^(23505|40001)/, `${level}: ${statement}`);
			t.is(await cell(client, "select count(*) from pg_index where indrelid = 't'::regclass"), "0");
			const columns =
				"select count(*) from pg_attribute where attrelid = 't'::regclass and attnum > 0 and not attisdropped and not attnotnull";
			t.is(await cell(client, columns), "3", statement);
			t.is(await cell(client, "select count(*) from t"), String(many));
			t.deepEqual(await client.rows("show jobs"), []);
		}
	}
});
