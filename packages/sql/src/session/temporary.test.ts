/** Temporary tables: what PostgreSQL answers is in testdata/sql/conformance/temporary.txt; here is what others must not notice. */
import { DatabaseError } from "@quorate/keys/database-error";
import { keyMax, keyMin } from "@quorate/keys/key";
import test from "ava";
import fc from "fast-check";
import { testServer } from "../testing/test-client.ts";

const everything = { start: keyMin, end: keyMax };

test("the cluster never hears of them", async (t) => {
	const server = testServer();
	const { coordinator } = server;
	const mine = await server.connect();
	const other = await server.connect();
	await mine.query("CREATE TABLE lasting (id int PRIMARY KEY); INSERT INTO lasting VALUES (1)");
	await other.query("BEGIN; INSERT INTO lasting VALUES (2)");
	const keys = coordinator.store.keysIn(everything);
	const version = coordinator.currentVersion;
	for (const text of [
		"CREATE TEMP TABLE t (id serial PRIMARY KEY, name text UNIQUE, n int DEFAULT 1)",
		"INSERT INTO t (name) SELECT 'n' || g FROM generate_series(1, 1200) g",
		"CREATE INDEX ON t (n, name)",
		"ALTER TABLE t ADD COLUMN more int DEFAULT 7, ALTER COLUMN n TYPE bigint",
		"UPDATE t SET n = id",
		"DELETE FROM t WHERE id > 1000",
		"CREATE TEMP VIEW v AS SELECT * FROM t JOIN lasting USING (id)",
		"CREATE TEMP SEQUENCE s",
		"SELECT nextval('s'), setval('s', 10), nextval('t_id_seq')",
		"CREATE TEMP TABLE child (id int REFERENCES t ON DELETE CASCADE)",
		"INSERT INTO child VALUES (1), (2)",
		"DELETE FROM t WHERE id = 1",
		"COPY child FROM STDIN",
		"BEGIN; DROP TABLE child; SAVEPOINT a; TRUNCATE t RESTART IDENTITY; ROLLBACK TO a; COMMIT",
		"CREATE TEMP TABLE made ON COMMIT DROP AS SELECT * FROM lasting",
		"COMMENT ON TABLE t IS 'x'",
		"CREATE TEMP TABLE keyless (a int)",
		"INSERT INTO keyless VALUES (1), (2)",
		"ALTER TABLE keyless ADD PRIMARY KEY (a)",
		"ALTER SEQUENCE s RESTART",
		"TRUNCATE t RESTART IDENTITY",
		"INSERT INTO t (name) VALUES ('again')",
	]) {
		await t.notThrowsAsync(mine.query(text, ["3\n"]), text);
	}
	t.deepEqual(await mine.rows("SELECT id, more FROM t"), [["1", "7"]]);
	t.deepEqual(coordinator.store.keysIn(everything), keys);
	t.is(coordinator.currentVersion, version);
	t.is(await other.tag("COMMIT"), "COMMIT");
	await mine.session.close();
	t.deepEqual((await other.rows("SELECT count(*) FROM lasting"))[0], ["2"]);
	await server.close();
});

test("a statement that is run again has not been run before", async (t) => {
	const server = testServer();
	const client = await server.connect();
	await client.query("CREATE TABLE lasting (id int); CREATE TEMP TABLE t (id int)");
	let conflicts = 2;
	server.coordinator.beforeCommit = () => {
		if (conflicts-- > 0) throw new DatabaseError("40001", "a conflict");
	};
	const both = "WITH x AS (INSERT INTO lasting VALUES (1) RETURNING id) INSERT INTO t SELECT 5";
	t.is(await client.tag(both), "INSERT 0 1");
	t.deepEqual(await client.rows("SELECT * FROM t"), [["5"]]);
	conflicts = 1;
	t.is(
		await client.error("BEGIN; INSERT INTO t VALUES (6); INSERT INTO lasting VALUES (2); COMMIT"),
		"40001 a conflict",
	);
	t.deepEqual(await client.rows("SELECT * FROM t"), [["5"]]);
	conflicts = 1;
	await client.execute(both);
	t.deepEqual(await client.rows("SELECT count(*) FROM t"), [["2"]]);
	await server.close();
});

test("what a session keeps is bounded, and what a rollback takes back does not count", async (t) => {
	const server = testServer({ temporaryMemory: 1 << 20 });
	const client = await server.connect();
	await client.query("CREATE TEMP TABLE t (id int PRIMARY KEY, filler text)");
	const half = "INSERT INTO t SELECT g, repeat('x', 400) FROM generate_series(1, 800) g";
	t.is(await client.tag(half), "INSERT 0 800");
	const more = "INSERT INTO t SELECT g + 1000, repeat('x', 400) FROM generate_series(1, 1500) g";
	t.is(await client.error(more), "53200 out of memory");
	t.deepEqual(await client.rows("SELECT count(*) FROM t"), [["800"]]);
	for (let i = 0; i < 5; i++) {
		await client.query(`BEGIN; UPDATE t SET filler = 'y'; ROLLBACK`);
		await client.query("TRUNCATE t");
		t.is(await client.tag(half), "INSERT 0 800");
		await client.query("DELETE FROM t");
		t.is(await client.tag(half), "INSERT 0 800");
		await client.query("CREATE TEMP TABLE u AS SELECT * FROM t LIMIT 100; DROP TABLE u");
	}
	await server.close();
});

test("what depends on something that others have dropped is gone with it", async (t) => {
	const server = testServer();
	const mine = await server.connect();
	const other = await server.connect();
	await other.query(
		"CREATE TABLE base (a int, b int); CREATE TYPE mood AS ENUM ('good'); CREATE DOMAIN small AS int",
	);
	await mine.query(
		"CREATE TEMP VIEW v AS SELECT a FROM base; CREATE TEMP VIEW w AS SELECT * FROM v",
	);
	await mine.query("CREATE TEMP TABLE moody (m mood); INSERT INTO moody VALUES ('good')");
	await mine.query("CREATE TEMP TABLE smalls (s small); CREATE TEMP TABLE stays (a int)");
	t.deepEqual(await mine.rows("SELECT * FROM w"), []);
	t.true((await mine.error("DROP TABLE base")).startsWith("2BP01 "));
	await other.query("ALTER TABLE base ALTER COLUMN a TYPE text");
	t.is(await mine.error("SELECT * FROM w"), '55000 what temporary view "v" reads has changed');
	await other.query("ALTER TABLE base DROP COLUMN a");
	t.is(await mine.error("SELECT * FROM w"), '42P01 relation "w" does not exist');
	await mine.query("CREATE TEMP VIEW v2 AS SELECT b FROM base");
	await mine.query("CREATE DOMAIN pg_temp.own AS mood; CREATE TYPE pg_temp.pair AS (m own, n int)");
	await other.query("DROP TABLE base; DROP TYPE mood; DROP DOMAIN small");
	for (const name of ["v", "v2", "moody", "smalls"]) {
		t.is(await mine.error(`SELECT * FROM ${name}`), `42P01 relation "${name}" does not exist`);
	}
	for (const name of ["own", "pair"]) {
		t.is(await mine.error(`SELECT NULL::${name}`), `42704 type "${name}" does not exist`);
	}
	t.deepEqual(await mine.rows("SELECT relname FROM pg_class WHERE relpersistence = 't'"), [
		["stays"],
	]);
	await mine.query("CREATE TEMP TABLE moody (a int)");
	await server.close();
});

test("so is a table with values of a type whose attributes others have changed; one's own are rewritten", async (t) => {
	const server = testServer();
	const [mine, other] = [await server.connect(), await server.connect()];
	await mine.query("CREATE TYPE pair AS (a int, b text); CREATE DOMAIN pairs AS pair[]");
	const made = "CREATE TEMP TABLE t (p pair, n int); CREATE TEMP TABLE plain (n int)";
	for (const client of [mine, other]) {
		await client.query(`${made}; INSERT INTO t VALUES ('(1,x)', 1); INSERT INTO plain VALUES (1)`);
	}
	await other.query("CREATE TEMP TABLE d (p pairs)");
	await mine.query("ALTER TYPE pair ADD ATTRIBUTE c int, DROP ATTRIBUTE a");
	t.deepEqual(await mine.rows("SELECT (p).b, (p).c FROM t"), [["x", null]]);
	for (const name of ["t", "d"]) {
		const error = await t.throwsAsync(other.query(`SELECT * FROM ${name}`));
		t.is((error as { code?: string }).code, "42P01");
	}
	t.deepEqual(await other.rows("SELECT n FROM plain"), [["1"]]);
	await other.query("CREATE TEMP TABLE t (p pair); INSERT INTO t VALUES ('(y,2)')");
	t.deepEqual(await other.rows("SELECT (p).c FROM t"), [["2"]]);
	await server.close();
});

test("nothing that lasts refers to them", async (t) => {
	const server = testServer();
	const client = await server.connect();
	await client.query("CREATE TEMP TABLE t (id int PRIMARY KEY); CREATE TEMP SEQUENCE s");
	const refused = '0A000 table "p" cannot use a temporary sequence';
	t.is(await client.error("CREATE TABLE p (a int DEFAULT nextval('s'))"), refused);
	await client.query("CREATE TABLE p (a int)");
	t.is(await client.error("ALTER TABLE p ALTER COLUMN a SET DEFAULT nextval('s')"), refused);
	t.is(
		await client.error("CREATE SEQUENCE kept OWNED BY t.id"),
		"55000 sequence must be in same schema as table it is linked to",
	);
	await client.query("CREATE TYPE pg_temp.e AS ENUM ('x'); CREATE DOMAIN pg_temp.d AS int");
	for (const [text, what] of [
		["ALTER TABLE p ADD b e", 'table "p"'],
		["ALTER TABLE p ADD CHECK (a < 5::d)", 'table "p"'],
		["CREATE TABLE p2 (a d[])", 'table "p2"'],
		["CREATE DOMAIN lasting AS e", 'type "lasting"'],
		["CREATE TYPE lasting AS (a int, b e)", 'type "lasting"'],
		["CREATE VIEW lasting AS SELECT 'x'::e AS a", 'view "lasting"'],
	]) {
		t.is(await client.error(text!), `0A000 ${what} cannot use a temporary type`, text);
	}
	for (const text of [
		"ALTER TABLE t SPLIT AT VALUES (1)",
		"SHOW RANGES FROM TABLE t",
		"ALTER TABLE t CONFIGURE replicas = 3",
	]) {
		t.is(await client.error(text), '42809 table "t" is temporary', text);
	}
	await server.close();
});

type Change =
	| { readonly kind: "put" | "delete"; readonly id: number }
	| { readonly kind: "savepoint" | "back" | "commit" | "rollback" | "truncate" };

const change: fc.Arbitrary<Change> = fc.oneof(
	{ weight: 6, arbitrary: fc.record({ kind: fc.constant("put" as const), id: fc.nat(9) }) },
	{ weight: 3, arbitrary: fc.record({ kind: fc.constant("delete" as const), id: fc.nat(9) }) },
	...(["savepoint", "back", "commit", "rollback", "truncate"] as const).map((kind) => ({
		weight: 1,
		arbitrary: fc.constant({ kind }),
	})),
);

function textOf(one: Change, n: number, table: string): string {
	switch (one.kind) {
		case "put":
			return `INSERT INTO ${table} VALUES (${one.id}, ${n}) ON CONFLICT (id) DO UPDATE SET n = ${n}`;
		case "delete":
			return `DELETE FROM ${table} WHERE id = ${one.id}`;
		case "truncate":
			return `TRUNCATE ${table}`;
		default:
			return "";
	}
}

const control = {
	savepoint: "SAVEPOINT s",
	back: "ROLLBACK TO s",
	commit: "COMMIT; BEGIN; SAVEPOINT s",
	rollback: "ROLLBACK; BEGIN; SAVEPOINT s",
} as const;

test("transactions and savepoints do to a temporary table what they do to another", async (t) => {
	const server = testServer();
	const client = await server.connect();
	await client.query("CREATE TABLE b (id int PRIMARY KEY, n int UNIQUE)");
	await client.query("CREATE TEMP TABLE a (id int PRIMARY KEY, n int UNIQUE)");
	const rows = (table: string) => client.rows(`SELECT * FROM ${table} ORDER BY n`);
	await fc.assert(
		fc.asyncProperty(fc.array(change, { maxLength: 40 }), async (changes) => {
			await client.query("BEGIN; SAVEPOINT s");
			for (const [n, one] of changes.entries()) {
				if (one.kind in control) await client.query(control[one.kind as keyof typeof control]);
				else for (const table of ["a", "b"]) await client.query(textOf(one, n, table));
				t.deepEqual(await rows("a"), await rows("b"));
			}
			await client.query("COMMIT; TRUNCATE a; TRUNCATE b");
		}),
		{ numRuns: 40 },
	);
	await server.close();
});
