/** Transactions of several sessions that read the same moment. */
import test from "ava";
import { testServer } from "../testing/test-client.ts";

const begin = "begin isolation level repeatable read";
const take = "select pg_export_snapshot()";

test("who begins with a snapshot sees what its exporter sees, until that one has ended", async (t) => {
	const server = testServer();
	const [a, b, c] = [await server.connect(), await server.connect(), await server.connect()];
	await a.query("create table t (id int primary key)");
	await a.query("insert into t values (1)");
	await a.query(`${begin}; insert into t values (10)`);
	const [[id]] = (await a.rows(take)) as [[string]];
	t.regex(id, /^[0-9A-F]{8}-[0-9A-F]{16}-1$/);
	await c.query("insert into t values (2); alter table t add column v int default 7");
	const rows = "select * from t";
	await b.query(`${begin}; set transaction snapshot '${id}'`);
	t.deepEqual(await b.rows(rows), [["1"]]);
	t.regex(await b.error("insert into t values (3)"), /^25006/);
	await b.query("rollback");
	t.deepEqual(await a.rows(rows), [["1"], ["10"]]);

	const refused = async (modes: string, message: RegExp) => {
		await b.query(`begin isolation level ${modes}`);
		t.regex(await b.error(`set transaction snapshot '${id}'`), message);
		await b.query("rollback");
	};
	await refused(
		"serializable, read only",
		/^0A000 a serializable transaction cannot import a snap/,
	);
	await refused("read committed", /^0A000 a snapshot-importing transaction must have isolation/);
	await refused(
		"repeatable read; select * from t",
		/^25001 SET TRANSACTION SNAPSHOT must be called/,
	);
	// An id of the same session, at another moment.
	await b.query(begin);
	const other = id.replace(/.-1$/, (end) => `${end.startsWith("0") ? 1 : 0}-1`);
	t.is(
		await b.error(`set transaction snapshot '${other}'`),
		`22023 invalid snapshot identifier: "${other}"`,
	);
	await b.query("rollback");
	await b.query(`${begin}; set transaction snapshot '${id}'`);
	await a.query("rollback");
	t.deepEqual(await b.rows(rows), [["1"]]);
	await b.query("commit");
	await refused("repeatable read", /^22023 invalid snapshot identifier/);
});

test("only a snapshot that stays is exported", async (t) => {
	const server = testServer();
	const [a, b] = [await server.connect(), await server.connect()];
	await a.query("create table t (id int primary key)");
	for (const modes of ["serializable", "read committed", "read committed, read only"]) {
		await a.query(`begin isolation level ${modes}`);
		t.regex(
			await a.error(take),
			/^0A000 pg_export_snapshot in a transaction whose snapshot may move/,
		);
		await a.query("rollback");
	}
	await a.query("begin isolation level serializable, read only");
	const [[id]] = (await a.rows(take)) as [[string]];
	await b.query("insert into t values (1)");
	t.deepEqual(await a.rows("select * from t"), []);
	await b.query("begin isolation level serializable");
	t.regex(
		await b.error(`set transaction snapshot '${id}'`),
		/^0A000 a non-read-only serializable transaction cannot import/,
	);
	await b.query("rollback");
	for (const isolation of ["serializable, read only", "repeatable read"]) {
		await b.query(`begin isolation level ${isolation}; set transaction snapshot '${id}'`);
		t.deepEqual(await b.rows("select * from t"), []);
		await b.query("commit");
	}
});
