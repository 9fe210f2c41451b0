/** Roles, as PostgreSQL 15 has them: who they are, who may change them, and that those without rights have none. */
import test, { type ExecutionContext } from "ava";
import { saslprep } from "../auth/saslprep.ts";
import { makeVerifier, parseVerifier } from "../auth/scram-verifier.ts";
import { type TestClient, testServer } from "../testing/test-client.ts";

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

test("creating, altering and dropping roles", async (t) => {
	const server = testServer();
	const root = await server.connect();
	await walk(t, root, [
		["CREATE ROLE a", "CREATE ROLE"],
		["CREATE USER u PASSWORD 'x' CONNECTION LIMIT 1 VALID UNTIL 'infinity'", "CREATE ROLE"],
		["CREATE GROUP g USER u", "CREATE ROLE"],
		["CREATE ROLE a", '42710 role "a" already exists'],
		["CREATE ROLE public", '42939 role name "public" is reserved'],
		["CREATE ROLE pg_mine", '42939 role name "pg_mine" is reserved'],
		["CREATE ROLE b LOGIN NOLOGIN", "42601 conflicting or redundant options"],
		["CREATE ROLE b LOUD", '42601 unrecognized role option "loud"'],
		["CREATE ROLE b CONNECTION LIMIT -2", "22023 invalid connection limit: -2"],
		[
			"CREATE ROLE b PASSWORD 'md5d41d8cd98f00b204e9800998ecf8427e'",
			"0A000 passwords hashed with MD5 are not supported",
		],
		["ALTER ROLE a CREATEDB CREATEROLE NOINHERIT", "ALTER ROLE"],
		["ALTER USER a RENAME TO c", "ALTER ROLE"],
		["ALTER ROLE a LOGIN", '42704 role "a" does not exist'],
		["ALTER ROLE quorate NOSUPERUSER", "42501 permission denied to alter role"],
		["DROP ROLE quorate", "55006 current user cannot be dropped"],
		["DROP ROLE c, nobody", '42704 role "nobody" does not exist'],
		["DROP ROLE IF EXISTS nobody", "DROP ROLE"],
	]);
	t.deepEqual(
		await root.rows(
			"SELECT rolname, rolcreaterole, rolinherit, rolcanlogin, rolconnlimit, rolvaliduntil, rolpassword FROM pg_roles WHERE rolname !~ '^pg_' ORDER BY 1",
		),
		[
			["c", "t", "f", "f", "-1", null, "********"],
			["g", "f", "t", "f", "-1", null, "********"],
			["quorate", "t", "t", "t", "-1", null, "********"],
			["u", "f", "t", "t", "1", "infinity", "********"],
		],
	);
	await root.query("BEGIN; DROP ROLE c; CREATE ROLE c; ROLLBACK");
	await root.query("DROP ROLE c");
	t.deepEqual(await root.rows("SELECT 1 FROM pg_roles WHERE rolname = 'c'"), []);
	await server.close();
});

test("only verifiers are kept, and only superusers see them", async (t) => {
	const server = testServer();
	const root = await server.connect();
	const ready = makeVerifier("secret", Buffer.alloc(16, 7));
	await root.query(
		`CREATE USER u PASSWORD 'geheim'; CREATE USER v PASSWORD '${ready}'; CREATE USER w PASSWORD ''`,
	);
	t.is(root.sink.notices[0]?.message, "empty string is not a valid password, clearing password");
	await root.query(`CREATE USER x PASSWORD '${makeVerifier("", Buffer.alloc(16, 7))}'`);
	t.is(root.sink.notices[0]?.message, "empty string is not a valid password, clearing password");
	const shown = await root.rows(
		"SELECT usename, passwd FROM pg_shadow WHERE usename <> 'quorate' ORDER BY 1",
	);
	t.is(shown[1]?.[1], ready);
	t.is(shown[2]?.[1], null);
	t.is(shown[3]?.[1], null);
	const made = parseVerifier(shown[0]?.[1] ?? "");
	t.truthy(made);
	t.is(makeVerifier("geheim", made!.salt), shown[0]?.[1] ?? "");
	const u = await server.connect({ user: "u" });
	await walk(t, u, [
		["SELECT * FROM pg_authid", "42501 permission denied for table pg_authid"],
		["SELECT 1 FROM pg_shadow", "42501 permission denied for view pg_shadow"],
		["TABLE pg_roles", "SELECT 17"],
		["ALTER USER u PASSWORD 'other'", "ALTER ROLE"],
		["ALTER USER u CREATEDB", "42501 permission denied"],
		["ALTER USER v PASSWORD 'other'", "42501 permission denied"],
	]);
	await server.close();
});

test("a verifier that is quickly tried is not taken", async (t) => {
	const server = testServer();
	const root = await server.connect();
	const ready = makeVerifier("secret", Buffer.alloc(16, 7));
	for (const [iterations, code] of [
		["1", "22023"],
		["4095", "22023"],
		["1000001", "22023"],
		["4096", "no"],
		["1000000", "no"],
	] as const) {
		const verifier = ready.replace("4096", iterations);
		const told = await root.error(`create role r${iterations} password '${verifier}'`);
		t.is(told.split(" ")[0], code, iterations);
	}
	await server.close();
});

test("a password is shown to nobody who may see statements", async (t) => {
	const server = testServer();
	const root = await server.connect();
	const seen = async () => (await root.rows("select query from pg_stat_activity where pid = 2"))[0];
	const other = await server.connect();
	for (const [statement, shown] of [
		["create role a password 'hunter2'", "create role a password ?"],
		["ALTER ROLE a PASSWORD E'hunter\\x32'", "ALTER ROLE a PASSWORD ?"],
		["alter role a password $x$hunter2$x$", "alter role a password ?"],
		[
			"alter role a with /* hunter2 */ encrypted password 'hunter2' nologin",
			"alter role a with encrypted password ? nologin",
		],
	] as const) {
		await other.query(statement);
		t.deepEqual(await seen(), [shown]);
	}
	await t.throwsAsync(other.query("alter role nobody password 'hunter2'"));
	t.deepEqual(await seen(), ["alter role nobody password ?"]);
	await other.query("prepare p as select 'kept'");
	t.deepEqual(await seen(), ["prepare p as select 'kept'"]);
	const statistics = await root.rows("select statement from quorate_statements");
	t.false(JSON.stringify(statistics).includes("hunter"));
	await server.close();
});

test("who may make and change roles", async (t) => {
	const server = testServer();
	const root = await server.connect();
	await root.query("CREATE USER admin CREATEROLE; CREATE USER super SUPERUSER; CREATE USER u");
	const admin = await server.connect({ user: "admin" });
	await walk(t, admin, [
		["CREATE ROLE a", "CREATE ROLE"],
		["CREATE ROLE b SUPERUSER", "42501 must be superuser to create superusers"],
		["CREATE ROLE b REPLICATION", "42501 must be superuser to create replication users"],
		["CREATE ROLE b BYPASSRLS", "42501 must be superuser to create bypassrls users"],
		[
			"ALTER ROLE super PASSWORD 'x'",
			"42501 must be superuser to alter superuser roles or change superuser attribute",
		],
		[
			"ALTER ROLE admin SUPERUSER",
			"42501 must be superuser to alter superuser roles or change superuser attribute",
		],
		["DROP ROLE super", "42501 must be superuser to drop superusers"],
		["ALTER ROLE super RENAME TO lesser", "42501 must be superuser to rename superusers"],
		["GRANT super TO admin", "42501 must be superuser to alter superusers"],
		["GRANT pg_read_all_data TO admin", '42501 must have admin option on role "pg_read_all_data"'],
		["GRANT a TO u", "GRANT ROLE"],
		["DROP ROLE admin", "55006 current user cannot be dropped"],
		["DROP ROLE a", "DROP ROLE"],
	]);
	const u = await server.connect({ user: "u" });
	await walk(t, u, [
		["CREATE ROLE b", "42501 permission denied to create role"],
		["DROP ROLE admin", "42501 permission denied to drop role"],
		["ALTER ROLE admin RENAME TO b", "42501 permission denied to rename role"],
	]);
	await server.close();
});

test("membership, SET ROLE and SET SESSION AUTHORIZATION", async (t) => {
	const server = testServer();
	const root = await server.connect();
	await root.query("CREATE ROLE a; CREATE ROLE b; CREATE USER u; CREATE USER boss SUPERUSER");
	await walk(t, root, [
		["GRANT a TO b", "GRANT ROLE"],
		["GRANT b TO u WITH ADMIN OPTION", "GRANT ROLE"],
		["GRANT u TO a", '0LP01 role "u" is a member of role "a"'],
		["GRANT a TO a", '0LP01 role "a" is a member of role "a"'],
		["GRANT a TO public", '42704 role "public" does not exist'],
		["GRANT a TO b", "GRANT ROLE"],
	]);
	t.is(root.sink.notices[0]?.message, 'role "b" is already a member of role "a"');
	t.deepEqual(
		await root.rows(
			"SELECT m.rolname, r.rolname, admin_option FROM pg_auth_members JOIN pg_roles m ON m.oid = member JOIN pg_roles r ON r.oid = roleid WHERE m.rolname !~ '^pg_' ORDER BY 1",
		),
		[
			["b", "a", "f"],
			["u", "b", "t"],
		],
	);
	const u = await server.connect({ user: "u" });
	const who = async () =>
		(
			await u.rows(
				"SELECT current_user, session_user, current_setting('role'), current_setting('is_superuser')",
			)
		)[0];
	await walk(t, u, [["SET ROLE a", "SET"]]);
	t.deepEqual(await who(), ["a", "u", "a", "off"]);
	await walk(t, u, [
		["SET ROLE boss", '42501 permission denied to set role "boss"'],
		["SET ROLE nobody", '22023 role "nobody" does not exist'],
		[
			"SET SESSION AUTHORIZATION boss",
			'42501 permission denied to set session authorization "boss"',
		],
		["RESET ALL", "RESET"],
	]);
	t.deepEqual(await who(), ["a", "u", "a", "off"]);
	await u.query("RESET ROLE; BEGIN; SET LOCAL ROLE b");
	t.deepEqual(await who(), ["b", "u", "b", "off"]);
	await u.query("COMMIT");
	t.deepEqual(await who(), ["u", "u", "none", "off"]);
	await u.query("BEGIN; SELECT set_config('role', 'b', false); ROLLBACK");
	t.deepEqual(await who(), ["u", "u", "none", "off"]);
	await walk(t, u, [
		["GRANT b TO a", '0LP01 role "b" is a member of role "a"'],
		["REVOKE a FROM b", '42501 must have admin option on role "a"'],
		["REVOKE b FROM u", "REVOKE ROLE"],
		["SET ROLE b", '42501 permission denied to set role "b"'],
	]);
	await walk(t, root, [["SET SESSION AUTHORIZATION u", "SET"]]);
	t.deepEqual(root.sink.parameters, [
		["session_authorization", "u"],
		["is_superuser", "off"],
	]);
	await walk(t, root, [
		["CREATE ROLE x", "42501 permission denied to create role"],
		["SET SESSION AUTHORIZATION DEFAULT", "SET"],
		["SET ROLE u", "SET"],
		["CREATE ROLE x", "42501 permission denied to create role"],
		["DISCARD ALL", "DISCARD ALL"],
		["DROP ROLE a", "DROP ROLE"],
	]);
	t.deepEqual(await root.rows("SELECT 1 FROM pg_auth_members WHERE member > 16384"), []);
	await server.close();
});

test("who may log in", async (t) => {
	const server = testServer();
	const root = await server.connect();
	await root.query("CREATE ROLE r; CREATE USER one CONNECTION LIMIT 1");
	await t.throwsAsync(server.connect({ user: "nobody" }), {
		message: 'role "nobody" does not exist',
	});
	await t.throwsAsync(server.connect({ user: "r" }), {
		message: 'role "r" is not permitted to log in',
	});
	const one = await server.connect({ user: "one" });
	await t.throwsAsync(server.connect({ user: "one" }), {
		message: 'too many connections for role "one"',
	});
	await one.session.close();
	await server.connect({ user: "one" });
	await server.close();
});

test("whoever has no right gets 42501, by whatever way", async (t) => {
	const server = testServer();
	const root = await server.connect();
	await root.query(
		"CREATE TABLE t (id serial PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'secret'); CREATE USER u; CREATE TABLE pub (id int)",
	);
	await root.query("PREPARE q AS SELECT v FROM t WHERE id = 1; EXECUTE q");
	const u = await server.connect({ user: "u" });
	// The plan is there by now, and was run.
	for (let i = 0; i < 3; i++) await root.query("SELECT v FROM t WHERE id = 1");
	const none = "42501 permission denied for table t";
	await walk(t, u, [
		["SELECT v FROM t WHERE id = 1", none],
		["SELECT v FROM t WHERE id = 1", none],
		["SELECT count(*) FROM t", none],
		["SELECT 1 WHERE EXISTS (SELECT FROM t)", none],
		["WITH x AS (DELETE FROM t RETURNING v) SELECT v FROM x", none],
		["TABLE t", none],
		["INSERT INTO t VALUES (2, 'x')", none],
		["UPDATE t SET v = 'x'", none],
		["DELETE FROM t", none],
		["EXPLAIN SELECT v FROM t", none],
		["EXPLAIN ANALYZE DELETE FROM t", none],
		["COPY t TO STDOUT", none],
		["COPY (SELECT v FROM t) TO STDOUT", none],
		["COPY t FROM STDIN", none],
		["PREPARE q AS SELECT v FROM t; EXECUTE q", none],
		["SELECT v FROM t AS OF SYSTEM TIME '-0s'", none],
		["BEGIN; DECLARE c CURSOR FOR SELECT v FROM t; FETCH c", none],
		["ROLLBACK", "ROLLBACK"],
		["SET follower_reads = on; SELECT v FROM t", none],
		["CREATE TABLE mine (id int)", "42501 permission denied for schema public"],
		["CREATE TABLE mine AS SELECT v FROM t", none],
		["CREATE SEQUENCE s", "42501 permission denied for schema public"],
		["DROP TABLE t", "42501 must be owner of table t"],
		["ALTER TABLE t ADD COLUMN w int", "42501 must be owner of table t"],
		["ALTER TABLE t SPLIT AT VALUES (5)", "42501 must be owner of table t"],
		["CREATE INDEX ON t (v)", "42501 must be owner of table t"],
		["TRUNCATE t", none],
		["COMMENT ON TABLE t IS 'mine'", "42501 must be owner of table t"],
		["SHOW RANGES FROM TABLE t", none],
		[
			"ALTER SYSTEM SET gc_ttl = '1h'",
			"42501 permission denied to change the settings of the cluster",
		],
		["BACKUP DATABASE quorate TO '/nowhere'", "42501 permission denied to back up"],
		["RESTORE DATABASE quorate FROM '/nowhere'", "42501 permission denied to restore"],
		["SHOW BACKUP '/nowhere'", "42501 permission denied to read backups"],
		["SELECT * FROM quorate_locks", "42501 permission denied for view quorate_locks"],
		["SELECT nextval('t_id_seq')", "42501 permission denied for sequence t_id_seq"],
		["SELECT setval('t_id_seq', 5)", "42501 permission denied for sequence t_id_seq"],
	]);
	t.deepEqual(await u.rows("SELECT query FROM pg_stat_activity WHERE usename = 'quorate'"), [
		["<insufficient privilege>"],
	]);
	t.deepEqual(await root.rows("EXECUTE q"), [["secret"]]);
	await server.close();
});

test("passwords are prepared as RFC 4013 says", (t) => {
	// Its examples, section 3.
	t.is(saslprep("I\u00adX"), "IX");
	t.is(saslprep("user"), "user");
	t.is(saslprep("\u00aa"), "a");
	t.is(saslprep("\u2168"), "IX");
	// What it forbids is used as it is.
	t.is(saslprep("\u0007"), "\u0007");
	t.is(saslprep("\u0627\u0031"), "\u0627\u0031");
	t.is(saslprep("a\u00a0b"), "a b");
});
