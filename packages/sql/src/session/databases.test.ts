/** Several databases in one cluster: each with names, settings and sessions of its own, roles for all. */
import test from "ava";
import { type TestClient, testServer } from "../testing/test-client.ts";

async function two() {
	const server = testServer();
	const first = await server.connect();
	await first.query("CREATE DATABASE shop");
	const shop = await server.connect({ database: "shop" });
	return { server, first, shop };
}

const cell = async (client: TestClient, text: string) => (await client.rows(text))[0]?.[0];

test("a name means something else in each of them", async (t) => {
	const { server, first, shop } = await two();
	await first.query(
		"CREATE TABLE t (a int PRIMARY KEY, b text); INSERT INTO t VALUES (1, 'first')",
	);
	t.regex(await shop.error("SELECT * FROM t"), /^42P01/);
	await shop.query("CREATE TABLE t (a int, c numeric); INSERT INTO t VALUES (2, 2.5), (3, 3.5)");
	await shop.query("CREATE SCHEMA s; CREATE TABLE s.t (x int); CREATE TYPE mood AS ENUM ('sad')");
	await shop.query("CREATE SEQUENCE q; CREATE VIEW v AS SELECT c FROM t; SELECT nextval('q')");
	t.deepEqual(await first.rows("SELECT * FROM t"), [["1", "first"]]);
	t.deepEqual(await shop.rows("SELECT * FROM v ORDER BY c"), [["2.5"], ["3.5"]]);
	t.regex(await first.error("SELECT nextval('q')"), /^42P01/);
	t.regex(await first.error("SELECT 'sad'::mood"), /^42704/);
	// The same statement text, planned in both.
	for (let i = 0; i < 3; i++) {
		t.is(await cell(first, "SELECT count(*) FROM t"), "1");
		t.is(await cell(shop, "SELECT count(*) FROM t"), "2");
	}
	t.is(await cell(first, "SELECT current_database()"), "quorate");
	t.is(await cell(shop, "SELECT current_database()"), "shop");
	const tables =
		"SELECT nspname, relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind = 'r' AND c.oid >= 16384 ORDER BY 1, 2";
	t.deepEqual(await first.rows(tables), [["public", "t"]]);
	t.deepEqual(await shop.rows(tables), [
		["public", "t"],
		["s", "t"],
	]);
	t.is(
		await cell(
			shop,
			"SELECT table_catalog FROM information_schema.tables WHERE table_name = 't' AND table_schema = 's'",
		),
		"shop",
	);
	await first.query("CREATE SCHEMA s; DROP TABLE t");
	await first.query("CREATE TABLE t (other int)");
	t.is(await cell(shop, "SELECT count(*) FROM t"), "2");
	await shop.query("ALTER TABLE t RENAME TO u; DROP SCHEMA s CASCADE");
	t.is(await cell(first, "SELECT count(*) FROM t"), "0");
	t.is(await cell(first, "SELECT count(*) FROM pg_namespace WHERE nspname = 's'"), "1");
	await server.close();
});

test("pg_database has all of them, with owner, limits and rights", async (t) => {
	const { server, first } = await two();
	await first.query("CREATE USER u; CREATE USER owner CREATEDB");
	await first.query(
		"CREATE DATABASE b OWNER owner CONNECTION LIMIT 1 ENCODING 'UTF8' TEMPLATE template0",
	);
	await first.query("REVOKE CONNECT ON DATABASE b FROM public");
	t.deepEqual(
		await first.rows(
			"SELECT datname, pg_get_userbyid(datdba), datconnlimit, datacl FROM pg_database ORDER BY datname",
		),
		[
			["b", "owner", "1", "{=T/owner,owner=CTc/owner}"],
			["quorate", "quorate", "-1", null],
			["shop", "quorate", "-1", null],
		],
	);
	t.is(await cell(first, "SELECT has_database_privilege('u', 'b', 'CONNECT')"), "f");
	t.is(await cell(first, "SELECT has_database_privilege('u', 'shop', 'CONNECT')"), "t");
	await t.throwsAsync(server.connect({ user: "u", database: "b" }), {
		message: /permission denied for database "b"/,
	});
	await first.query("GRANT CONNECT ON DATABASE b TO u");
	const u = await server.connect({ user: "u", database: "b" });
	await t.throwsAsync(server.connect({ user: "u", database: "b" }), {
		message: /too many connections for database "b"/,
	});
	// pg_database_owner is whoever owns it: the schema public is theirs.
	t.regex(await u.error("CREATE TABLE t (a int)"), /^42501 permission denied for schema public/);
	await first.query("ALTER DATABASE b CONNECTION LIMIT -1");
	const owner = await server.connect({ user: "owner", database: "b" });
	await owner.query("CREATE TABLE t (a int); CREATE SCHEMA s");
	t.is(
		await cell(owner, "SELECT nspacl FROM pg_namespace WHERE nspname = 'public'"),
		"{pg_database_owner=UC/pg_database_owner,=U/pg_database_owner}",
	);
	await first.query("ALTER DATABASE b ALLOW_CONNECTIONS false");
	await t.throwsAsync(server.connect({ user: "owner", database: "b" }), {
		message: /not currently accepting connections/,
	});
	await server.close();
});

test("who may do what with a database", async (t) => {
	const { server, first } = await two();
	await first.query("CREATE USER u; CREATE USER maker CREATEDB");
	const u = await server.connect({ user: "u" });
	const maker = await server.connect({ user: "maker" });
	t.is(await u.error("CREATE DATABASE x"), "42501 permission denied to create database");
	t.is(await u.error("DROP DATABASE shop"), "42501 must be owner of database shop");
	t.is(
		await u.error("ALTER DATABASE shop SET work_mem = '8MB'"),
		"42501 must be owner of database shop",
	);
	t.is(await maker.error("CREATE DATABASE x OWNER u"), '42501 must be member of role "u"');
	t.is(await maker.tag("CREATE DATABASE x"), "CREATE DATABASE");
	t.is(await maker.error("CREATE DATABASE x"), '42P04 database "x" already exists');
	t.is(await maker.tag("ALTER DATABASE x RENAME TO y"), "ALTER DATABASE");
	t.is(
		await first.error("DROP ROLE maker"),
		'2BP01 role "maker" cannot be dropped because some objects depend on it',
	);
	t.is(await first.tag("ALTER DATABASE y OWNER TO u"), "ALTER DATABASE");
	t.is(await maker.error("DROP DATABASE y"), "42501 must be owner of database y");
	t.is(await u.tag("DROP DATABASE y"), "DROP DATABASE");
	t.is(await first.error("DROP DATABASE y"), '3D000 database "y" does not exist');
	t.is(await first.tag("DROP DATABASE IF EXISTS y"), "DROP DATABASE");
	await first.query("DROP ROLE maker");
	for (const [text, code] of [
		["BEGIN; CREATE DATABASE z", /^25001 CREATE DATABASE cannot run inside a transaction block/],
		["ROLLBACK; BEGIN; DROP DATABASE shop", /^25001/],
		["ROLLBACK; DROP DATABASE quorate", /^0A000/],
		["CREATE DATABASE z TEMPLATE shop", /^0A000 copying a database is not supported/],
		["CREATE DATABASE z TEMPLATE nothing", /^3D000 template database "nothing" does not exist/],
		["CREATE DATABASE z ENCODING 'LATIN1'", /^0A000/],
		["CREATE DATABASE z WITH nonsense = 1", /^42601 option "nonsense" not recognized/],
		["CREATE DATABASE z OWNER a OWNER b", /^42601 conflicting or redundant options/],
		["CREATE DATABASE quorate", /^42P04/],
		["BACKUP DATABASE shop TO '/x'", /^55000 database "shop" is not that of this session/],
	] as const) {
		t.regex(await first.error(text), code, text);
	}
	await t.throwsAsync(server.connect({ database: "nothing" }), {
		message: /database "nothing" does not exist/,
	});
	await server.close();
});

test("a database is dropped with all that is in it, once nobody is in it", async (t) => {
	const { server, first, shop } = await two();
	await shop.query("CREATE TABLE t (a serial PRIMARY KEY, b text); INSERT INTO t (b) VALUES ('x')");
	await shop.query("CREATE SCHEMA s; CREATE VIEW s.v AS SELECT 1; CREATE DOMAIN d AS int");
	await first.query("CREATE USER u");
	await shop.query("ALTER TABLE t OWNER TO u");
	t.regex(await first.error("DROP ROLE u"), /^2BP01/);
	t.is(
		await first.error("DROP DATABASE shop"),
		'55006 database "shop" is being accessed by other users',
	);
	t.is(await shop.error("DROP DATABASE shop"), "55006 cannot drop the currently open database");
	await shop.session.close();
	t.is(await first.tag("DROP DATABASE shop"), "DROP DATABASE");
	await first.query("DROP ROLE u");
	await t.throwsAsync(server.connect({ database: "shop" }), { message: /does not exist/ });
	// One of the same name is another one.
	await first.query("CREATE DATABASE shop");
	const again = await server.connect({ database: "shop" });
	t.is(await cell(again, "SELECT count(*) FROM pg_class WHERE oid >= 16384"), "0");
	t.is(await cell(again, "SELECT count(*) FROM pg_namespace WHERE nspname = 's'"), "0");
	await again.query("CREATE SCHEMA s; CREATE TABLE t (a int)");
	await server.close();
});

test("a session whose database is gone is told so, and does no harm", async (t) => {
	const { server, first, shop } = await two();
	await shop.query("CREATE TABLE t (a int); INSERT INTO t VALUES (1)");
	await first.query("CREATE TABLE t (a int); INSERT INTO t VALUES (2)");
	await shop.query("SELECT * FROM t");
	// It does not hear of the session.
	const other = testServer({ coordinator: server.coordinator, seed: 2 });
	await (await other.connect()).query("DROP DATABASE shop");
	await other.close();
	t.regex(await shop.error("SELECT * FROM t"), /^3D000/);
	t.regex(await shop.error("CREATE TABLE x (a int)"), /^3D000/);
	t.regex(await shop.error("INSERT INTO t VALUES (1)"), /^3D000/);
	t.deepEqual(await first.rows("SELECT * FROM t"), [["2"]]);
	await server.close();
});

test("settings, channels and advisory locks are a database's own", async (t) => {
	const { server, first, shop } = await two();
	await first.query("ALTER DATABASE shop SET work_mem = '9MB'");
	const later = await server.connect({ database: "shop" });
	t.is(await cell(later, "SHOW work_mem"), "9MB");
	t.not(await cell(await server.connect(), "SHOW work_mem"), "9MB");
	t.deepEqual(
		await first.rows(
			"SELECT datname, setconfig FROM pg_db_role_setting s JOIN pg_database d ON d.oid = setdatabase",
		),
		[["shop", "{work_mem=9MB}"]],
	);
	t.is(await cell(first, "SELECT pg_try_advisory_lock(7)"), "t");
	t.is(await cell(shop, "SELECT pg_try_advisory_lock(7)"), "t");
	t.is(await cell(later, "SELECT pg_try_advisory_lock(7)"), "f");
	await first.query("LISTEN c");
	await shop.query("LISTEN c");
	t.deepEqual(await shop.rows("SELECT pg_listening_channels()"), [["c"]]);
	t.deepEqual(
		await first.rows("SELECT datname, count(*) FROM pg_stat_activity GROUP BY 1 ORDER BY 1"),
		[
			["quorate", "2"],
			["shop", "2"],
		],
	);
	await server.close();
});

test("a backup of one database restores into another", async (t) => {
	const { server, first, shop } = await two();
	await first.query("CREATE TABLE t (a int PRIMARY KEY)");
	await shop.query("CREATE SCHEMA s; CREATE TABLE s.t (a serial PRIMARY KEY, b text UNIQUE)");
	await shop.query("INSERT INTO s.t (b) VALUES ('x'), ('y')");
	await shop.query("BACKUP DATABASE shop TO '/var/backups/shop'");
	t.regex(
		await first.error("BACKUP DATABASE quorate TO '/var/backups/shop' INCREMENTAL"),
		/^55000/,
	);
	await first.query("CREATE DATABASE copy");
	const copy = await server.connect({ database: "copy" });
	t.is(await copy.tag("RESTORE DATABASE copy FROM '/var/backups/shop'"), "RESTORE 2");
	await copy.query("INSERT INTO s.t (b) VALUES ('z')");
	t.deepEqual(await copy.rows("SELECT * FROM s.t ORDER BY a"), [
		["1", "x"],
		["2", "y"],
		["3", "z"],
	]);
	t.is(await cell(copy, "SELECT count(*) FROM pg_tables WHERE schemaname IN ('s', 'public')"), "1");
	t.is(await cell(shop, "SELECT count(*) FROM s.t"), "2");
	await server.close();
});
