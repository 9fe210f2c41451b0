/** GRANT and REVOKE, as PostgreSQL 15 has them. */
import { DatabaseError } from "@quorate/keys/database-error";
import { formatKey } from "@quorate/keys/key";
import { conflictError } from "@quorate/txn/conflict-error";
import test, { type ExecutionContext } from "ava";
import { indexKeyOf } from "../execute/index-codec.ts";
import { tableCodec } from "../execute/table-codec.ts";
import { type TestClient, testServer } from "../testing/test-client.ts";
import type { QuorateSession } from "./session.ts";

/** [statement, its tag, or SQLSTATE and message]. */
type Step = readonly [text: string, outcome: string];

async function walk(
	t: ExecutionContext,
	client: TestClient,
	steps: readonly Step[],
): Promise<void> {
	for (const [text, outcome] of steps) {
		const actual = /^[0-9][0-9A-Z]{4} /.test(outcome)
			? await client.error(text)
			: await client.tag(text).catch((error: unknown) => String(error));
		t.is(actual, outcome, text);
	}
}

async function withTable() {
	const server = testServer();
	const root = await server.connect();
	await root.query(
		"CREATE TABLE t (a int PRIMARY KEY, b text, c text); INSERT INTO t VALUES (1, 'b', 'c')",
	);
	await root.query("CREATE USER u; CREATE USER v; CREATE ROLE g");
	const u = await server.connect({ user: "u" });
	const v = await server.connect({ user: "v" });
	return { server, root, u, v };
}

const none = "42501 permission denied for table t";

test("each right allows what it says", async (t) => {
	const { server, root, u } = await withTable();
	const grant = (what: string) => root.query(`REVOKE ALL ON t FROM u; GRANT ${what} ON t TO u`);
	await grant("SELECT");
	await walk(t, u, [
		["SELECT * FROM t", "SELECT 1"],
		["SELECT * FROM t WHERE a = 1", "SELECT 1"],
		["SELECT * FROM t FOR UPDATE", none],
		["UPDATE t SET b = 'x'", none],
	]);
	await grant("INSERT");
	await walk(t, u, [
		["INSERT INTO t VALUES (2)", "INSERT 0 1"],
		["INSERT INTO t VALUES (3) RETURNING a", none],
		["INSERT INTO t VALUES (2) ON CONFLICT (a) DO NOTHING", none],
		["COPY t FROM STDIN", "COPY 0"],
		["SELECT a FROM t WHERE a = 1", none],
	]);
	await grant("UPDATE");
	await walk(t, u, [
		["UPDATE t SET b = 'x'", "UPDATE 2"],
		["UPDATE t SET b = c", none],
		["UPDATE t SET b = 'x' WHERE a = 1", none],
	]);
	await grant("UPDATE, SELECT");
	await walk(t, u, [
		["UPDATE t SET b = c WHERE a = 1 RETURNING *", "UPDATE 1"],
		["SELECT * FROM t WHERE a = 1 FOR UPDATE", "SELECT 1"],
		["INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 'y'", none],
		["DELETE FROM t", none],
	]);
	await grant("DELETE");
	await walk(t, u, [
		["DELETE FROM t WHERE a = 2", none],
		["TRUNCATE t", none],
		["DELETE FROM t", "DELETE 2"],
	]);
	await grant("TRUNCATE");
	await walk(t, u, [
		["TRUNCATE t", "TRUNCATE TABLE"],
		["DROP TABLE t", "42501 must be owner of table t"],
	]);
	await server.close();
});

test("an error does not tell of rows that one may not read", async (t) => {
	const { server, root, u } = await withTable();
	await root.query("ALTER TABLE t ALTER b SET NOT NULL; GRANT INSERT ON t TO u");
	const detail = async (client: TestClient, text: string) => {
		const error = (await t.throwsAsync(client.query(text))) as unknown as {
			fields: { detail?: string };
		};
		return error.fields.detail;
	};
	for (const text of ["INSERT INTO t VALUES (1, 'x')", "INSERT INTO t VALUES (2, NULL)"]) {
		t.truthy(await detail(root, text), text);
		t.is(await detail(u, text), undefined, text);
	}
	await root.query("GRANT SELECT ON t TO u");
	t.is(await detail(u, "INSERT INTO t VALUES (1, 'x')"), "Key (a)=(1) already exists.");
	await server.close();
});

test("what stands in the way is named by its key only to those who may read it", async (t) => {
	const { server, root, u } = await withTable();
	await root.query("GRANT SELECT (a, b), UPDATE ON t TO u");
	await root.query("SELECT 1");
	const { snapshot } = (root.session as QuorateSession).state;
	const found = snapshot!.object("public", "t");
	const table = found?.kind === "table" ? found.table : undefined;
	const row = [1, "b", "c"];
	const key = indexKeyOf(tableCodec(table!).primary, row);
	const errors = (): readonly DatabaseError[] => [
		conflictError("another transaction has changed the row", key),
		new DatabaseError("55P03", "could not obtain lock on row", {
			detail: `Another transaction holds the lock on key ${formatKey(key)}.`,
		}),
		new DatabaseError("40P01", "deadlock detected", {
			detail: `Process 1 waits for a lock for update on key ${formatKey(key)}; blocked by process 2.\nProcess 2 waits for the end of a write on key ${formatKey(key)}; blocked by process 1.`,
		}),
	];
	const told = async ({ session }: TestClient) => {
		await session.query("SELECT 1", u.sink);
		const { state } = session as QuorateSession;
		return errors().map((error) => (state.translate(error) as DatabaseError).fields.detail);
	};
	for (const detail of await told(root)) t.regex(detail ?? "", /key \(a\)=\(1\) of table "t"/);
	for (const detail of await told(u)) {
		t.regex(detail ?? "", /key of table "t"/);
		t.notRegex(detail ?? "", /\(a\)|=/);
	}
	await root.query("GRANT SELECT ON t TO u");
	for (const detail of await told(u)) t.regex(detail ?? "", /key \(a\)=\(1\) of table "t"/);
	await server.close();
});

test("rights on columns", async (t) => {
	const { server, root, u } = await withTable();
	await root.query("GRANT SELECT (a, b), UPDATE (b), INSERT (a, b) ON t TO u");
	await walk(t, u, [
		["SELECT a, b FROM t", "SELECT 1"],
		["SELECT count(*) FROM t", "SELECT 1"],
		["SELECT b FROM t WHERE a = 1", "SELECT 1"],
		["SELECT c FROM t", none],
		["SELECT * FROM t", none],
		["SELECT t FROM t", none],
		["SELECT a FROM t ORDER BY c", none],
		["SELECT a FROM t WHERE c = 'c'", none],
		["SELECT a FROM t JOIN (SELECT c FROM t) x ON true", none],
		["UPDATE t SET b = 'x' WHERE a = 1", "UPDATE 1"],
		["UPDATE t SET c = 'x'", none],
		["UPDATE t SET b = c", none],
		["INSERT INTO t (a, b) VALUES (2, 'b') RETURNING a", "INSERT 0 1"],
		["INSERT INTO t VALUES (3, 'b', 'c')", none],
		["COPY t (a, b) TO STDOUT", "COPY 2"],
		["COPY t TO STDOUT", none],
	]);
	t.deepEqual(
		await root.rows(
			"SELECT attname, attacl FROM pg_attribute WHERE attrelid = 't'::regclass AND attacl IS NOT NULL ORDER BY 1",
		),
		[
			["a", "{u=ar/quorate}"],
			["b", "{u=arw/quorate}"],
		],
	);
	await root.query("REVOKE SELECT (a, b), INSERT (a), ALL (b) ON t FROM u");
	await walk(t, u, [
		["SELECT a FROM t", none],
		["INSERT INTO t (a) VALUES (4)", none],
	]);
	t.deepEqual(
		await root.rows(
			"SELECT attname FROM pg_attribute WHERE attrelid = 't'::regclass AND attacl IS NOT NULL",
		),
		[],
	);
	await server.close();
});

test("grant options, what depends on them, and lists as PostgreSQL writes them", async (t) => {
	const { server, root, u, v } = await withTable();
	const acl = async () =>
		(await root.rows("SELECT relacl FROM pg_class WHERE relname = 't'"))[0]?.[0];
	t.is(await acl(), null);
	await root.query("GRANT SELECT, UPDATE ON t TO u WITH GRANT OPTION");
	t.is(await acl(), "{quorate=arwdDxt/quorate,u=r*w*/quorate}");
	await walk(t, u, [
		["GRANT SELECT ON t TO v WITH GRANT OPTION", "GRANT"],
		["GRANT INSERT ON t TO v", "GRANT"],
		["GRANT ALL ON t TO g", "GRANT"],
	]);
	t.is(u.sink.notices[0]?.message, 'not all privileges were granted for "t"');
	await walk(t, v, [
		["GRANT SELECT ON t TO public", "GRANT"],
		["GRANT UPDATE ON t TO g", "GRANT"],
	]);
	t.is(v.sink.notices[0]?.message, 'no privileges were granted for "t"');
	t.is(await acl(), "{quorate=arwdDxt/quorate,u=r*w*/quorate,v=r*/u,g=rw/u,=r/v}");
	await walk(t, root, [
		["REVOKE GRANT OPTION FOR SELECT ON t FROM u", "2BP01 dependent privileges exist"],
		[
			"GRANT SELECT ON t TO public WITH GRANT OPTION",
			"0LP01 grant options can only be granted to roles",
		],
		["GRANT USAGE ON t TO u", "0LP01 invalid privilege type USAGE for relation"],
		["GRANT FLY ON t TO u", '42601 unrecognized privilege type "fly"'],
		["GRANT SELECT (nothing) ON t TO u", '42703 column "nothing" of relation "t" does not exist'],
		["GRANT SELECT ON nothing TO u", '42P01 relation "nothing" does not exist'],
		["GRANT SELECT ON t TO nobody", '42704 role "nobody" does not exist'],
		["REVOKE SELECT ON t FROM u CASCADE", "REVOKE"],
	]);
	t.is(await acl(), "{quorate=arwdDxt/quorate,u=w*/quorate,g=w/u}");
	await walk(t, v, [
		["SELECT * FROM t", none],
		["GRANT SELECT ON t TO u", none],
	]);
	await root.query("REVOKE ALL ON t FROM quorate");
	await walk(t, root, [["SELECT count(*) FROM t", "SELECT 1"]]);
	await server.close();
});

test("rights come through roles, PUBLIC and INHERIT", async (t) => {
	const { server, root, u, v } = await withTable();
	await root.query("GRANT SELECT ON t TO g; GRANT g TO u, v; ALTER ROLE v NOINHERIT");
	await walk(t, u, [["SELECT a FROM t", "SELECT 1"]]);
	await walk(t, v, [
		["SELECT a FROM t", none],
		["SET ROLE g", "SET"],
		["SELECT a FROM t", "SELECT 1"],
		["RESET ROLE", "RESET"],
		["SELECT a FROM t", none],
	]);
	await root.query("REVOKE g FROM u");
	await walk(t, u, [["SELECT a FROM t", none]]);
	await root.query("GRANT SELECT ON ALL TABLES IN SCHEMA public TO public");
	await walk(t, u, [["SELECT a FROM t WHERE a = 1", "SELECT 1"]]);
	await root.query("REVOKE SELECT ON t FROM public; GRANT pg_read_all_data TO u");
	await walk(t, u, [
		["SELECT a FROM t WHERE a = 1", "SELECT 1"],
		["DELETE FROM t", none],
	]);
	await server.close();
});

test("schema, database and sequences", async (t) => {
	const { server, root, u } = await withTable();
	await walk(t, u, [["CREATE TABLE mine (a serial)", "42501 permission denied for schema public"]]);
	await root.query("GRANT CREATE ON SCHEMA public TO u; CREATE SEQUENCE s");
	await walk(t, u, [
		["CREATE TABLE mine (a serial PRIMARY KEY)", "CREATE TABLE"],
		["INSERT INTO mine DEFAULT VALUES", "INSERT 0 1"],
		["ALTER TABLE mine ADD COLUMN b int", "ALTER TABLE"],
		["CREATE INDEX ON mine (b)", "CREATE INDEX"],
		["SELECT nextval('s')", "42501 permission denied for sequence s"],
	]);
	await root.query("GRANT USAGE ON SEQUENCE s TO u");
	await walk(t, u, [
		["SELECT nextval('s'), currval('s')", "SELECT 1"],
		["SELECT setval('s', 1)", "42501 permission denied for sequence s"],
	]);
	t.deepEqual(await root.rows("SELECT tableowner FROM pg_tables WHERE tablename = 'mine'"), [
		["u"],
	]);
	await root.query(
		"REVOKE USAGE ON SCHEMA public FROM public; REVOKE CONNECT ON DATABASE quorate FROM public",
	);
	await walk(t, u, [
		["SELECT * FROM mine", '42P01 relation "mine" does not exist'],
		["SELECT * FROM public.mine", "42501 permission denied for schema public"],
	]);
	await t.throwsAsync(server.connect({ user: "v" }), {
		message: 'permission denied for database "quorate"',
	});
	await root.query(
		"GRANT CONNECT ON DATABASE quorate TO v; GRANT USAGE ON SCHEMA public TO public",
	);
	await server.connect({ user: "v" });
	t.deepEqual(await root.rows("SELECT datacl FROM pg_database"), [
		["{=T/quorate,quorate=CTc/quorate,v=c/quorate}"],
	]);
	await server.close();
});

test("owners", async (t) => {
	const { server, root, u, v } = await withTable();
	await root.query(
		"CREATE TABLE w (a serial); GRANT SELECT ON w TO v; GRANT CREATE ON SCHEMA public TO u",
	);
	await walk(t, root, [
		["ALTER TABLE w OWNER TO u", "ALTER TABLE"],
		["ALTER SEQUENCE w_a_seq OWNER TO v", "0A000 cannot change owner of sequence"],
		["DROP ROLE u", '2BP01 role "u" cannot be dropped because some objects depend on it'],
		["DROP ROLE v", '2BP01 role "v" cannot be dropped because some objects depend on it'],
	]);
	t.deepEqual(await root.rows("SELECT relacl FROM pg_class WHERE relname = 'w'"), [
		["{u=arwdDxt/u,v=r/u}"],
	]);
	await walk(t, v, [["ALTER TABLE w OWNER TO v", "42501 must be owner of table w"]]);
	await walk(t, u, [
		["SELECT nextval('w_a_seq')", "SELECT 1"],
		["ALTER TABLE w OWNER TO v", '42501 must be member of role "v"'],
		["REVOKE ALL ON w FROM u", "REVOKE"],
		["SELECT * FROM w", "42501 permission denied for table w"],
		["GRANT SELECT ON w TO u", "GRANT"],
		["SELECT * FROM w", "SELECT 0"],
	]);
	await walk(t, root, [
		["REASSIGN OWNED BY u TO v", "REASSIGN OWNED"],
		["DROP OWNED BY u", "DROP OWNED"],
		["DROP ROLE u", "DROP ROLE"],
		["DROP OWNED BY v", "DROP OWNED"],
		["SELECT * FROM w", '42P01 relation "w" does not exist'],
		["DROP ROLE v", "DROP ROLE"],
	]);
	await server.close();
});

test("asking what one may", async (t) => {
	const { server, root, u } = await withTable();
	await root.query(
		"GRANT SELECT (a), UPDATE ON t TO u; GRANT g TO u; GRANT DELETE ON t TO g WITH GRANT OPTION",
	);
	const row = async (client: TestClient, text: string) =>
		(await client.rows(`SELECT ${text}`))[0]?.join(" ");
	t.is(
		await row(
			u,
			"has_table_privilege('t', 'SELECT'), has_table_privilege('t', 'SELECT, UPDATE'), has_any_column_privilege('t', 'SELECT'), has_column_privilege('t', 'a', 'SELECT'), has_column_privilege('t', 'b', 'SELECT'), has_column_privilege('t', 'b', 'UPDATE')",
		),
		"f t t t f t",
	);
	t.is(
		await row(
			root,
			"has_table_privilege('t', 'SELECT'), has_table_privilege('u', 't', 'DELETE'), has_table_privilege('u', 't', 'DELETE WITH GRANT OPTION'), has_table_privilege('u', 't', 'UPDATE WITH GRANT OPTION'), has_table_privilege('public', 't', 'SELECT')",
		),
		"t t t f f",
	);
	t.is(
		await row(
			u,
			"has_schema_privilege('public', 'USAGE'), has_schema_privilege('public', 'CREATE'), has_schema_privilege('pg_catalog', 'USAGE'), has_database_privilege('quorate', 'CONNECT'), has_database_privilege('quorate', 'CREATE'), pg_has_role('g', 'MEMBER'), pg_has_role('quorate', 'USAGE'), has_table_privilege('pg_authid', 'SELECT'), has_table_privilege('pg_class', 'SELECT')",
		),
		"t f t t f t f f t",
	);
	t.regex(
		await u.error("SELECT has_table_privilege('t', 'FLY')"),
		/^22023 unrecognized privilege type: "FLY"/,
	);
	t.regex(
		await u.error("SELECT has_table_privilege('nobody', 't', 'SELECT')"),
		/^42704 role "nobody" does not exist/,
	);
	await server.close();
});
