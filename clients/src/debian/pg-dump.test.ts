/** pg_dump of a whole database, restored into PostgreSQL and into another cluster; and of PostgreSQL, restored here. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Cluster } from "@quorate/embedded/cluster";
import { PostgresServer, postgresInstalled } from "@quorate/sql/testing/postgres-server";
import test, { type ExecutionContext } from "ava";
import { output, psql, psqlScript, runs } from "./programs.ts";

const installed = postgresInstalled() && runs("pg_dump") && runs("psql");
const check = installed ? test.serial : test.serial.skip;
const schema = readFileSync(new URL("../../../testdata/clients/shop.sql", import.meta.url), "utf8");
/** Roles are the cluster's, so a database's dump has none. */
const roles = "CREATE ROLE reader; CREATE ROLE writer LOGIN;";

let from: Cluster;
let to: Cluster;
let server: PostgresServer;
let postgres = "";

test.before(async () => {
	if (!installed) return;
	[from, to, server] = await Promise.all([
		Cluster.start(),
		Cluster.start(),
		PostgresServer.start(),
	]);
	postgres = `host=${server.directory} user=quorate dbname=postgres`;
	await psqlScript(from.connectionString, schema);
});

test.after.always(async () => {
	await from?.stop();
	await to?.stop();
	await server?.stop();
});

const dumpOf = (url: string): Promise<string> => output("pg_dump", ["-d", url]);

/** Without what differs from one dump to the next. */
const settled = (dump: string): string =>
	dump
		.split("\n")
		.filter((line) => !/^(\\(un)?restrict |-- Dumped from database version)/.test(line))
		.join("\n");

async function rowsOf(url: string): Promise<Record<string, string>> {
	const names = await psql(
		url,
		"-At",
		"-c",
		`SELECT c.oid::regclass FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
		WHERE relkind IN ('r', 'v') AND nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1::text`,
	);
	const rows: Record<string, string> = {};
	for (const name of names.trim().split("\n")) {
		const text = await psql(url, "-c", `COPY (SELECT * FROM ${name}) TO STDOUT`);
		rows[name] = text.split("\n").sort().join("\n");
	}
	return rows;
}

check("what pg_dump writes is in PostgreSQL what it was here, row for row", async (t) => {
	const dump = await dumpOf(from.connectionString);
	await psqlScript(postgres, `${roles}\n${dump}`);
	const rows = await rowsOf(from.connectionString);
	t.deepEqual(await rowsOf(postgres), rows);
	t.is(Object.keys(rows).length, 10);
	t.true(Object.values(rows).join().includes("Bob \\\\ the\\tbuilder\\n"));
	t.is(settled(await dumpOf(postgres)), settled(dump));
});

check("and in another cluster, and its dump is the same", async (t) => {
	const dump = await dumpOf(from.connectionString);
	await psqlScript(to.connectionString, `${roles}\n${dump}`);
	t.deepEqual(await rowsOf(to.connectionString), await rowsOf(from.connectionString));
	t.is(settled(await dumpOf(to.connectionString)), settled(dump));
	// Identity columns and sequences go on where they were.
	const next = `INSERT INTO "Odd Name"."Select" DEFAULT VALUES RETURNING "Key"`;
	t.is(await psql(to.connectionString, "-At", "-c", next), "4\n");
});

check("what pg_dump writes of PostgreSQL is here what it was there", async (t) => {
	const dump = await dumpOf(postgres);
	await to.reset();
	await psqlScript(to.connectionString, `${roles}\n${dump}`);
	t.deepEqual(await rowsOf(to.connectionString), await rowsOf(postgres));
	t.is(settled(await dumpOf(to.connectionString)), settled(dump));
});

/** Rows are in another order, and are not compared by those who read them. */
const restored = async (t: ExecutionContext, url: string): Promise<void> => {
	t.deepEqual(await rowsOf(url), await rowsOf(from.connectionString));
};

check("as an archive, with pg_restore, and as INSERTs: into both", async (t) => {
	const folder = mkdtempSync(join(tmpdir(), "quorate-dump-"));
	const archive = join(folder, "archive");
	const own = (name: string): string => postgres.replace("dbname=postgres", `dbname=${name}`);
	await output("pg_dump", ["-Fc", "-f", archive, "-d", from.connectionString]);
	await psqlScript(postgres, "CREATE DATABASE archived; CREATE DATABASE inserted;");
	await output("pg_restore", ["-e", "-d", own("archived"), archive]);
	await restored(t, own("archived"));
	await to.reset();
	await psqlScript(to.connectionString, roles);
	// By several sessions, from one snapshot.
	const directory = join(folder, "directory");
	await output("pg_dump", ["-Fd", "-j", "2", "-f", directory, "-d", from.connectionString]);
	for (const section of ["pre-data", "data", "post-data"]) {
		const jobs = section === "data" ? ["-j", "2"] : [];
		const options = ["-e", ...jobs, `--section=${section}`, "-d", to.connectionString];
		await output("pg_restore", [...options, directory]);
	}
	await restored(t, to.connectionString);
	rmSync(folder, { recursive: true });
	for (const [form, url] of [
		["--inserts", to.connectionString],
		["--column-inserts", own("inserted")],
	] as const) {
		const dump = await output("pg_dump", [form, "-d", from.connectionString]);
		t.true(dump.includes("INSERT INTO app.customer "));
		if (url === to.connectionString) await to.reset();
		await psqlScript(url, url === to.connectionString ? `${roles}\n${dump}` : dump);
		await restored(t, url);
	}
});

check("with --create, and as a plain schema", async (t) => {
	const dump = await output("pg_dump", ["-C", "-s", "-d", from.connectionString]);
	t.true(dump.includes("CREATE DATABASE quorate WITH TEMPLATE = template0 ENCODING = 'UTF8'"));
	t.false(dump.includes("COPY "));
});

check("it reads a table that is dropped meanwhile", async (t) => {
	const rows = await psqlScript(
		from.connectionString,
		`CREATE TABLE going (a int); INSERT INTO going VALUES (1);
		BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; LOCK TABLE going IN ACCESS SHARE MODE;
		\\! psql -X -q -c 'DROP TABLE going' "${from.connectionString}"
		\\pset tuples_only on
		\\pset format unaligned
		SELECT a FROM going; COMMIT;
		SELECT count(*) FROM pg_class WHERE relname = 'going';`,
	);
	t.is(rows.replace(/.*is (off|on|aligned|unaligned)\.\n/g, ""), "1\n0\n");
});

check("constraints that are deferrable, of a table that is not small", async (t) => {
	const rows = 2500;
	await psqlScript(
		postgres,
		`CREATE TABLE slot (id int PRIMARY KEY DEFERRABLE, place int UNIQUE DEFERRABLE INITIALLY DEFERRED);
		INSERT INTO slot SELECT i, ${rows} - i FROM generate_series(1, ${rows}) i`,
	);
	const dump = await output("pg_dump", ["-t", "slot", "-d", postgres]);
	await to.reset();
	await psqlScript(to.connectionString, dump);
	t.deepEqual(await rowsOf(to.connectionString), { slot: (await rowsOf(postgres))["slot"] });
	t.is(settled(await output("pg_dump", ["-t", "slot", "-d", to.connectionString])), settled(dump));
	const swap = `BEGIN; UPDATE slot SET place = 7 WHERE id = 1; UPDATE slot SET place = ${rows - 1} WHERE id = ${rows - 7}; COMMIT`;
	await psqlScript(to.connectionString, swap);
	const twice = await t.throwsAsync(
		psqlScript(to.connectionString, "UPDATE slot SET place = 8 WHERE id = 1"),
	);
	t.regex(twice.message, /slot_place_key/);
});
