/** What migrations of PostgreSQL's users begin with. */
import test from "ava";
import { testServer } from "../testing/test-client.ts";

test("extensions that are always here can be asked for, and no others", async (t) => {
	const server = testServer();
	const client = await server.connect();
	t.is(
		await client.tag('CREATE EXTENSION IF NOT EXISTS "uuid-ossp" WITH SCHEMA public'),
		"CREATE EXTENSION",
	);
	t.is(await client.tag("CREATE EXTENSION IF NOT EXISTS pgcrypto"), "CREATE EXTENSION");
	t.is(await client.tag("CREATE EXTENSION IF NOT EXISTS plpgsql"), "CREATE EXTENSION");
	t.is(
		await client.error('CREATE EXTENSION "uuid-ossp"'),
		'42710 extension "uuid-ossp" already exists',
	);
	t.is(
		await client.error("CREATE EXTENSION IF NOT EXISTS hstore"),
		'0A000 extension "hstore" is not available',
	);
	t.is(await client.tag("DROP EXTENSION IF EXISTS hstore, ltree"), "DROP EXTENSION");
	t.is(await client.error("DROP EXTENSION hstore"), '42704 extension "hstore" does not exist');
	t.regex(await client.error("DROP EXTENSION pgcrypto CASCADE"), /^2BP01/);
	t.deepEqual(await client.rows("SELECT extname, extversion FROM pg_extension ORDER BY 1"), [
		["pgcrypto", "1.3"],
		["plpgsql", "1.0"],
		["uuid-ossp", "1.1"],
	]);
	await server.close();
});

test("their functions answer as PostgreSQL's do", async (t) => {
	const server = testServer();
	const client = await server.connect();
	// Recorded from PostgreSQL 15 with both extensions.
	const known: readonly (readonly [string, string])[] = [
		[
			"uuid_generate_v3(uuid_ns_url(), 'http://www.postgresql.org')",
			"cf16fe52-3365-3a1f-8572-288d8d2aaa46",
		],
		["public.uuid_generate_v5(uuid_ns_dns(), 'a.example')", "05149b90-bca9-5cf7-9708-f45959ecfde6"],
		["uuid_nil()", "00000000-0000-0000-0000-000000000000"],
		["uuid_ns_oid()", "6ba7b812-9dad-11d1-80b4-00c04fd430c8"],
		["uuid_ns_x500()", "6ba7b814-9dad-11d1-80b4-00c04fd430c8"],
		["digest('abc', 'md5')", "\\x900150983cd24fb0d6963f7d28e17f72"],
		["digest('\\x616263'::bytea, 'SHA1')", "\\xa9993e364706816aba3e25717850c26c9cd0d89d"],
		[
			"hmac('data', 'key', 'sha256')",
			"\\x5031fe3d989c6d1537a013fa6e739da23463fdaec3b70137d828e36ace221bd0",
		],
		["length(gen_random_bytes(12))", "12"],
	];
	for (const [call, answer] of known) {
		t.deepEqual(await client.rows(`SELECT ${call}`), [[answer]], call);
	}
	t.regex(
		await client.error("SELECT digest('abc', 'nope')"),
		/^22023 Cannot use "nope": No such hash algorithm/,
	);
	t.regex(await client.error("SELECT gen_random_bytes(0)"), /^39000 Length not in range/);
	const versions = await client.rows(
		"SELECT substr(uuid_generate_v1()::text, 15, 1), substr(uuid_generate_v1mc()::text, 15, 1), substr(uuid_generate_v4()::text, 15, 1), uuid_generate_v4() <> uuid_generate_v4(), uuid_generate_v1() <> uuid_generate_v1()",
	);
	t.deepEqual(versions, [["1", "1", "4", "t", "t"]]);
	await client.query(
		"CREATE TABLE u (id uuid PRIMARY KEY DEFAULT public.uuid_generate_v4(), n int)",
	);
	await client.query("INSERT INTO u (n) SELECT generate_series(1, 50)");
	t.deepEqual(await client.rows("SELECT count(DISTINCT id) FROM u"), [["50"]]);
	await server.close();
});
