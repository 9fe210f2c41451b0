import { fenceName, fenceValue } from "@quorate/keys/write-fences";
import test from "ava";
import { bigTable, cell } from "../testing/schema-changes.ts";
import { type TestClient, type TestServer, testServer } from "../testing/test-client.ts";

const all = "alter table t add column a int, add check (k >= 0), add unique (id)";

const fences = (server: TestServer): number =>
	[...server.coordinator.settings().values.keys()].filter((name) => name.startsWith("write_fence"))
		.length;

/** As another node does. */
async function fenced(): Promise<{
	readonly server: TestServer;
	readonly client: TestClient;
	readonly name: string;
}> {
	const server = testServer();
	const client = await server.connect();
	await client.query("create table t (id int primary key, v text); create table other (id int)");
	await client.query("insert into t values (1, 'a')");
	const name = fenceName(Number(await cell(client, "select 't'::regclass::oid")), "somebody");
	const { coordinator } = server;
	await coordinator.set(name, fenceValue(coordinator.issueNow().timestamp));
	return { server, client, name };
}

test("writers wait as long as they would for a lock; readers do not", async (t) => {
	const { server, client, name } = await fenced();
	await client.query("insert into other values (1)");
	t.is(await cell(client, "select v from t where id = 1"), "a");
	await client.query("set lock_timeout = '50ms'");
	for (const statement of [
		"update t set v = 'b' where id = 1",
		"insert into t values (2)",
		"delete from t",
	]) {
		t.is(await client.error(statement), "55P03 canceling statement due to lock timeout");
	}
	client.sink.input = ["3\tc\n"];
	t.regex(await client.error("copy t from stdin"), /^55P03/);
	await client.query("set lock_timeout = 0; set statement_timeout = '50ms'");
	t.regex(await client.error("update t set v = 'b' where id = 1"), /^57014/);
	await client.query("set statement_timeout = 0; begin; select * from t");
	const waiting = client.query("update t set v = 'b' where id = 1");
	await server.coordinator.set(name, null);
	await waiting;
	await client.query("commit");
	t.is(await cell(client, "select v from t where id = 1"), "b");
});

test("a fence that nobody renews lapses", async (t) => {
	const { server, client } = await fenced();
	server.coordinator.advance(20_000);
	await client.query("update t set v = 'b' where id = 1");
	t.is(await cell(client, "select v from t where id = 1"), "b");
});

test("a statement that fails lets writers in", async (t) => {
	const server = testServer();
	const client = await bigTable(server);
	t.regex(await client.error("alter table t add column a int, add unique (k)"), /^23505/);
	t.is(fences(server), 0);
	await client.query("begin");
	t.regex(await client.error(`${all}, add unique (k)`), /^23505/);
	t.is(fences(server), 0);
	await client.query("rollback");
	await client.query(`begin; ${all}`);
	t.is(fences(server), 1);
	await client.query("insert into t values (1e6, 1, 'own')");
	await client.query("rollback");
	t.is(fences(server), 0);
});
