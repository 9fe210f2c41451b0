/** Where BACKUP and RESTORE may read and write: below the directory that an operator has named, whatever links lead elsewhere. */
import {
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	realpathSync,
	renameSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RealDisk } from "@quorate/runtime/real-disk";
import test from "ava";
import { type TestClient, testServer } from "../testing/test-client.ts";

const work = realpathSync(mkdtempSync(join(tmpdir(), "quorate-places-")));
test.after.always(() => rmSync(work, { recursive: true, force: true }));

let places = 0;

/** A root, a data directory in it, and what is outside. */
async function place(withRoot: boolean) {
	const base = join(work, String(++places));
	const root = join(base, "root");
	const data = join(root, "data");
	const outside = join(base, "outside");
	for (const one of [data, outside]) mkdirSync(one, { recursive: true });
	const server = testServer({
		files: new RealDisk("/"),
		parts: { disk: new RealDisk(data) },
		...(withRoot ? { backupRoot: root } : {}),
	});
	const client = await server.connect();
	await client.query("create table t (a int primary key); insert into t values (1), (2)");
	return { root, data, outside, client };
}

const statements: readonly ((directory: string) => string)[] = [
	(directory) => `backup database quorate to '${directory}'`,
	(directory) => `backup database quorate to '${directory}' incremental`,
	(directory) => `restore database quorate from '${directory}'`,
	(directory) => `show backup '${directory}'`,
];

async function refused(t: import("ava").ExecutionContext, client: TestClient, directory: string) {
	for (const statement of statements) {
		t.regex(await client.error(statement(directory)), /^42501 /, statement(directory));
	}
}

test("below the root, and nowhere else", async (t) => {
	const { root, data, outside, client } = await place(true);
	await client.query(`backup database quorate to '${root}/a/b'`);
	await client.query(`backup database quorate to '${root}/./a//c/'`);
	for (const directory of [outside, `${outside}/new`, `${root}-more`, "/etc", `${work}`]) {
		await refused(t, client, directory);
	}
	for (const directory of [data, `${data}/a`]) await refused(t, client, directory);
	for (const directory of [`${root}/../outside`, "../outside", "a"]) {
		t.regex(await client.error(`backup database quorate to '${directory}'`), /^42602 /);
	}
	t.deepEqual([readdirSync(outside), readdirSync(data)], [[], []]);
});

test("symbolic links: what they lead to is judged, of directories and of files", async (t) => {
	const { root, data, outside, client } = await place(true);
	mkdirSync(join(root, "within"));
	symlinkSync(join(root, "within"), join(root, "fine"));
	symlinkSync(outside, join(root, "out"));
	symlinkSync(join(outside, "not-yet"), join(root, "dangling"));
	symlinkSync(data, join(root, "to-data"));
	await client.query(`backup database quorate to '${root}/fine/a'`);
	t.true(existsSync(join(root, "within/a/0001.manifest")));
	for (const directory of ["out", "out/a", "to-data", "to-data/a"]) {
		await refused(t, client, `${root}/${directory}`);
	}
	t.not(await client.error(`backup database quorate to '${root}/dangling'`), "no error");
	t.deepEqual([readdirSync(outside), readdirSync(data)], [[], []]);
	// A file of the backup that is one.
	const manifest = join(root, "within/a/0001.manifest");
	renameSync(manifest, join(outside, "manifest"));
	symlinkSync(join(outside, "manifest"), manifest);
	t.regex(
		await client.error(`restore database quorate from '${root}/fine/a'`),
		/^42501 .*0001.manifest" leads elsewhere by a symbolic link/,
	);
	t.regex(await client.error(`backup database quorate to '${root}/fine/a' incremental`), /^42501/);
});

test("a link in the place of a file that is about to be written is not written through", async (t) => {
	const { root, outside, client } = await place(true);
	const victim = join(outside, "victim");
	writeFileSync(victim, "as it was");
	mkdirSync(join(root, "a"));
	for (const name of ["0001.plan", "0001-000001.data", "0001.manifest"]) {
		symlinkSync(victim, join(root, "a", `${name}.replacing`));
	}
	await client.query(`backup database quorate to '${root}/a'`);
	t.is(readFileSync(victim, "utf8"), "as it was");
	t.deepEqual(await client.rows(`show backup '${root}/a'`).then((rows) => rows.length > 0), true);
});

test("without a root: anywhere but in the node's own data", async (t) => {
	const { root, data, outside, client } = await place(false);
	symlinkSync(data, join(outside, "to-data"));
	await client.query(`backup database quorate to '${outside}/a'`);
	await client.query(`backup database quorate to '${root}/a'`);
	await refused(t, client, data);
	await refused(t, client, `${outside}/to-data/a`);
	t.deepEqual(readdirSync(data), []);
});

test("only superusers, whatever the directory", async (t) => {
	const server = testServer({ files: new RealDisk("/"), backupRoot: work });
	const root = await server.connect();
	await root.query("create user u");
	const u = await server.connect({ user: "u" });
	await refused(t, u, `${work}/of-u`);
	t.false(existsSync(`${work}/of-u`));
	for (const statement of [
		"copy pg_am to '/tmp/x'",
		"copy pg_am from '/etc/passwd'",
		"copy pg_am to program 'id'",
	]) {
		for (const client of [root, u]) t.regex(await client.error(statement), /^(0A000|42501) /);
	}
});
