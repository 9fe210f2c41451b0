/** What sessions begin with. What PostgreSQL answers is in testdata/sql/conformance/initial-settings.txt. */
import { ownVersions, versionSetting } from "@quorate/keys/cluster-version";
import test from "ava";
import { testServer } from "../testing/test-client.ts";

test("what is said of less goes before what is said of more, and the client before all", async (t) => {
	const server = testServer();
	const root = await server.connect();
	await root.query("CREATE USER u; CREATE USER v; CREATE ROLE g IN ROLE u");
	const name = "application_name";
	const seen = async (parameters: Readonly<Record<string, string>> = {}) => {
		const client = await server.connect({ user: "u", ...parameters });
		const [row] = await client.rows(`SHOW ${name}`);
		await client.session.close();
		return row?.[0];
	};
	t.is(await seen(), "");
	for (const [of, value] of [
		["ROLE ALL", "all"],
		["DATABASE quorate", "database"],
		["ROLE u", "role"],
		["ROLE u IN DATABASE quorate", "both"],
	]) {
		await root.query(`ALTER ${of} SET ${name} = '${value}'`);
		t.is(await seen(), value);
	}
	await root.query("CREATE DATABASE other");
	t.is(await seen({ database: "other" }), "role");
	await root.query(`ALTER ROLE u IN DATABASE other SET ${name} = 'elsewhere'`);
	t.is(await seen({ database: "other" }), "elsewhere");
	t.is(await seen(), "both");
	await root.query(`ALTER ROLE u IN DATABASE other RESET ${name}`);
	t.is(await seen({ database: "other" }), "role");
	t.is(await seen({ user: "v" }), "database");
	t.is(await seen({ [name]: "client" }), "client");
	t.is(await seen({ options: `-c ${name}=options` }), "options");
	const client = await server.connect({ user: "u" });
	await client.query(`SET ${name} = 'session'; RESET ${name}`);
	t.deepEqual(await client.rows(`SHOW ${name}`), [["both"]]);
	// Who a session acts as later changes nothing.
	await root.query("SET ROLE u");
	t.deepEqual(await root.rows(`SHOW ${name}`), [[""]]);
	await root.query(
		"RESET ROLE; ALTER ROLE u IN DATABASE quorate RESET ALL; ALTER ROLE u RESET ALL",
	);
	t.is(await seen(), "database");
	// Rights of the database, too, are kept in that row.
	await root.query("REVOKE TEMPORARY ON DATABASE quorate FROM PUBLIC");
	t.is(await seen(), "database");
	await root.query("ALTER DATABASE quorate RESET ALL");
	t.is(await seen(), "all");
	t.true((await client.error("CREATE TEMP TABLE t (a int)")).startsWith("42501 "));
	await server.close();
});

test("they wait for all nodes to be able to read them", async (t) => {
	const server = testServer();
	const client = await server.connect();
	await client.query("CREATE ROLE r");
	await server.coordinator.set(versionSetting, "4");
	for (const of of ["ROLE r", "ROLE ALL", "DATABASE quorate"]) {
		t.regex(await client.error(`ALTER ${of} SET timezone = 'UTC'`), /^55000 .* version 5/);
	}
	const rights = "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO r";
	t.regex(await client.error(rights), /^55000 ALTER DEFAULT PRIVILEGES needs cluster version 5/);
	await client.query("ALTER ROLE r NOLOGIN; ALTER ROLE r RESET timezone");
	await server.coordinator.set(versionSetting, "12");
	await client.query("CREATE DATABASE other");
	const elsewhere = "ALTER ROLE r IN DATABASE other SET timezone = 'UTC'";
	t.regex(await client.error(elsewhere), /^55000 .* version 13/);
	await server.coordinator.set(versionSetting, String(ownVersions.newest));
	await client.query("ALTER ROLE r SET timezone = 'UTC'");
	await server.close();
});
