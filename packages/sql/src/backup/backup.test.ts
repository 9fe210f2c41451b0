/** Backups and restores over the in-process coordinator: what comes back, at which timestamps, and after which interruptions. */
import { MemoryDisk } from "@quorate/runtime/memory-disk";
import type { Disk } from "@quorate/runtime/runtime";
import test, { type ExecutionContext } from "ava";
import {
	contents,
	generator,
	makeTables,
	moment,
	someChange,
	tableNames,
} from "../testing/backup-history.ts";
import { type TestClient, testServer } from "../testing/test-client.ts";

const small = { backupFileBytes: 300, restoreBatchRows: 5 };
const directory = "/var/backups/one";

async function same(
	t: ExecutionContext,
	original: TestClient,
	restored: TestClient,
	at: string,
): Promise<void> {
	for (const table of tableNames) {
		t.deepEqual(await contents(restored, table), await contents(original, table, at), table);
	}
	// By way of each index.
	const byOwner = "select id, owner from account where owner = 'o1' order by balance desc, id";
	const past = byOwner.replace("account", `account as of system time ${at}`);
	t.deepEqual(await restored.rows(byOwner), await original.rows(past));
	t.deepEqual(
		await restored.rows("select a from item where c = 7.5"),
		await original.rows(`select a from item as of system time ${at} where c = 7.5`),
	);
}

for (const seed of [1, 2]) {
	test(`a full and two incremental backups hold every moment between them, seed ${seed}`, async (t) => {
		const files = new MemoryDisk();
		const random = generator(seed);
		const server = testServer({ files, limits: small });
		const client = await server.connect();
		await makeTables(client);
		const moments: string[] = [];
		const live = async (): Promise<void> => {
			for (let i = 0; i < 25; i++) {
				await client.query(someChange(random));
				if (random(5) === 0) moments.push(await moment(client));
			}
		};
		await live();
		moments.length = 0;
		t.regex((await client.tag(`backup database quorate to '${directory}'`))!, /^BACKUP \d+$/);
		await live();
		await client.query(`backup database quorate to '${directory}' incremental`);
		await live();
		await client.query("truncate note");
		await live();
		await client.query(`backup database quorate to '${directory}' incremental`);
		const shown = await client.rows(`show backup '${directory}'`);
		t.deepEqual(
			[...new Set(shown.map(([number, kind]) => `${number} ${kind}`))],
			["1 full", "2 incremental", "3 incremental"],
		);
		t.true(moments.length > 5);
		const ends = [...new Set(shown.map((row) => row[3]!))];
		for (const at of [...ends, ...moments.filter((_, i) => i % 5 === 0)]) {
			const other = testServer({ files, seed: 77, limits: small });
			const restored = await other.connect();
			await restored.query("create table before_it (x int)");
			await restored.query("insert into before_it values (1)");
			const end = at === ends.at(-1) ? "" : ` as of system time ${at}`;
			await restored.query(`restore database quorate from '${directory}'${end}`);
			await same(t, client, restored, at);
			// It is a database like any other: what is inserted finds a place.
			for (let i = 0; i < 20; i++) await restored.query(someChange(random));
			const [[before]] = (await restored.rows("select count(*) from note")) as [[string]];
			await restored.query("insert into note select 'new' from generate_series(1, 30)");
			const after = await restored.rows("select count(*) from note");
			t.is(after[0]![0], String(Number(before) + 30));
		}
		t.regex(
			await client.error(`restore database quorate from '${directory}' as of system time 1000`),
			/^22023 the backup does not hold that timestamp/,
		);
	});
}

test("tables that come, change and go between two backups", async (t) => {
	const files = new MemoryDisk();
	const server = testServer({ files });
	const client = await server.connect();
	await client.query(
		"create table a (id int primary key, v text); insert into a values (1, 'one')",
	);
	await client.query(`backup database quorate to '${directory}'`);
	const [full] = (await client.rows(`show backup '${directory}'`)).map((row) => row[3]!);
	await client.query("create table b (id serial, x int unique); insert into b (x) values (7), (8)");
	const withB = await moment(client);
	await client.query(
		"alter table a add column w int default 5; insert into a values (2, 'two', 6)",
	);
	await client.query("alter table a drop column v");
	await client.query("drop table b");
	await client.query("create table b as select 'again' as word");
	await client.query(`backup database quorate to '${directory}' incremental`);
	const restoredAt = async (at: string): Promise<TestClient> => {
		const restored = await testServer({ files, seed: 9 }).connect();
		await restored.query(`restore database quorate from '${directory}' as of system time ${at}`);
		return restored;
	};
	const first = await restoredAt(full!);
	t.deepEqual(await first.rows("select * from a"), [["1", "one"]]);
	t.regex(await first.error("select * from b"), /^42P01/);
	const second = await restoredAt(withB);
	t.deepEqual(await second.rows("select * from b order by id"), [
		["1", "7"],
		["2", "8"],
	]);
	t.deepEqual(await second.rows("insert into b (x) values (9) returning id"), [["3"]]);
	t.regex(await second.error("insert into b (x) values (8)"), /^23505/);
	const last = await testServer({ files, seed: 10 }).connect();
	await last.query(`restore database quorate from '${directory}'`);
	t.deepEqual(await last.rows("select * from a order by id"), [
		["1", "5"],
		["2", "6"],
	]);
	t.deepEqual(await last.rows("select * from b"), [["again"]]);
});

test("one table beside others, and nothing over what is there", async (t) => {
	const files = new MemoryDisk();
	const client = await testServer({ files }).connect();
	await makeTables(client);
	await client.query("insert into account values (1, 'ann', 5); insert into uses (x) values ('a')");
	await client.query(`backup database quorate to '${directory}'`);
	t.regex(
		await client.error(`restore table account from '${directory}'`),
		/^42P07 relation "account" already exists/,
	);
	t.regex(await client.error(`restore database quorate from '${directory}'`), /^42P07/);
	t.regex(await client.error(`restore table nothing from '${directory}'`), /^42P01/);
	await client.query("drop table account; drop table uses");
	t.is(await client.tag(`restore table account from '${directory}'`), "RESTORE 1");
	t.deepEqual(await client.rows("select * from account"), [["1", "ann", "5"]]);
	t.is(await client.tag(`restore table public.uses from '${directory}'`), "RESTORE 1");
	// The sequence was there still, and has gone on.
	t.deepEqual(await client.rows("insert into uses default values returning id"), [["110"]]);
	await client.query("drop table uses; drop sequence free_one");
	await client.query(`restore table uses from '${directory}'`);
	t.deepEqual(await client.rows("insert into uses default values returning id"), [["110"]]);
});

test("foreign keys come back between tables that do", async (t) => {
	const files = new MemoryDisk();
	const client = await testServer({ files }).connect();
	await client.query("create table parent (id int primary key, u int unique)");
	await client.query(
		"create table child (id int primary key, pid int references parent on delete cascade, pu int references parent (u))",
	);
	await client.query("insert into parent values (1, 10)");
	await client.query("insert into child values (1, 1, 10)");
	await client.query(`backup database quorate to '${directory}'`);
	const whole = await testServer({ files, seed: 3 }).connect();
	await whole.query("create table before_it (x int)");
	await whole.query(`restore database quorate from '${directory}'`);
	t.regex(await whole.error("insert into child values (2, 2, null)"), /child_pid_fkey/);
	t.regex(await whole.error("insert into child values (2, 1, 2)"), /child_pu_fkey/);
	await whole.query("update child set pu = null");
	await whole.query("delete from parent");
	t.deepEqual(await whole.rows("select * from child"), []);
	const part = await testServer({ files, seed: 4 }).connect();
	await part.query(`restore table child from '${directory}'`);
	t.is(await part.tag("insert into child values (2, 2, 2)"), "INSERT 0 1");
});

test("a table that is being loaded while a full backup is taken comes whole with the next", async (t) => {
	const files = new MemoryDisk();
	const server = testServer({ files, limits: small });
	const client = await server.connect();
	await client.query("create table a (id int primary key)");
	await client.query("insert into a select * from generate_series(1, 60)");
	await client.query(`backup database quorate to '${directory}'`);
	await client.query("drop table a");
	const other = await server.connect();
	let commits = 0;
	server.coordinator.beforeCommit = async () => {
		if (++commits !== 6) return;
		// Some of its rows are there, under a prefix that no catalog names.
		await other.query("backup database quorate to '/var/backups/two'");
	};
	await client.query(`restore database quorate from '${directory}'`);
	server.coordinator.beforeCommit = undefined;
	await client.query("delete from a where id = 3");
	await client.query("backup database quorate to '/var/backups/two' incremental");
	const restored = await testServer({ files, seed: 5 }).connect();
	await restored.query("restore database quorate from '/var/backups/two'");
	t.deepEqual(await restored.rows("select count(*), sum(id) from a"), [["59", "1827"]]);
});

test("what a backup is refused for", async (t) => {
	const files = new MemoryDisk();
	const client = await testServer({ files }).connect();
	const foreign = await testServer({ files, seed: 2 }).connect();
	const error = (text: string) => client.error(text);
	t.regex(await error("backup database quorate to 'relative'"), /^42602/);
	t.regex(await error("backup database quorate to '/a/../b'"), /^42602/);
	t.regex(await error("backup database other to '/a'"), /^3D000/);
	t.regex(await error("begin; backup database quorate to '/a'"), /^25001/);
	await client.query("rollback");
	t.regex(await error("backup database quorate to '/a' incremental"), /^55000 there is no backup/);
	t.regex(await error("restore database quorate from '/a'"), /^58P01 there is no finished backup/);
	t.regex(await error("show backup '/a'"), /^58P01/);
	await client.query("create table t (x int)");
	const before = await moment(client);
	await client.query("backup database quorate to '/a'");
	t.regex(await error("backup database quorate to '/a'"), /^55000 there is a backup/);
	const early = `backup database quorate to '/a' incremental as of system time ${before}`;
	t.regex(await error(early), /^22023 the backup in the directory reaches/);
	t.regex(await foreign.error("backup database quorate to '/a' incremental"), /another cluster/);
	t.regex(await error("backup database quorate to '/b' as of system time '+1h'"), /^22023/);
});

test("AS OF SYSTEM TIME: a backup of the past, in the extended protocol too", async (t) => {
	const files = new MemoryDisk();
	const client = await testServer({ files }).connect();
	await client.query("create table t (x int); insert into t values (1)");
	const at = await moment(client);
	await client.query("update t set x = 2; drop table t");
	const done = await client.execute(`backup database quorate to '/a' as of system time ${at}`);
	t.regex(done!.tag!, /^BACKUP/);
	const shown = await client.execute("show backup '/a'");
	t.is(shown!.rows[0]![3], at);
	t.is((await client.execute("restore database quorate from '/a'"))!.tag, "RESTORE 1");
	t.deepEqual(await client.rows("select * from t"), [["1"]]);
});

/** Writes fail once so many have succeeded. */
function failing(disk: Disk, writes: number): Disk {
	let left = writes;
	return new Proxy(disk, {
		get: (target, name) => {
			const value = Reflect.get(target, name) as unknown;
			if (typeof value !== "function") return value;
			if (name !== "replace") return value.bind(target) as unknown;
			return (path: string, bytes: Uint8Array) =>
				left-- > 0
					? target.replace(path, bytes)
					: Promise.reject(Object.assign(new Error("full"), { code: "ENOSPC" }));
		},
	});
}

async function allFiles(disk: Disk): Promise<Map<string, string>> {
	const found = new Map<string, string>();
	for (const name of await disk.list(directory.slice(1))) {
		const bytes = await disk.readWhole(`${directory.slice(1)}/${name}`);
		found.set(name, Buffer.from(bytes!).toString("hex"));
	}
	return found;
}

test("a backup that stops anywhere is gone on with, and is the one that it was to be", async (t) => {
	const disk = new MemoryDisk();
	const server = testServer({
		files: new Proxy(disk, { get: (_, name) => through(name) }),
		limits: small,
	});
	let current: Disk = disk;
	function through(name: string | symbol): unknown {
		const value = Reflect.get(current, name) as unknown;
		return typeof value === "function" ? value.bind(current) : value;
	}
	const client = await server.connect();
	const random = generator(3);
	await makeTables(client);
	for (let i = 0; i < 80; i++) await client.query(someChange(random));
	await client.query("insert into note select 'n' || x from generate_series(1, 50) as s (x)");
	const at = await moment(client);
	const statement = `backup database quorate to '${directory}'`;
	current = new MemoryDisk();
	await client.query(`${statement} as of system time ${at}`);
	const whole = await allFiles(current);
	t.true(whole.size > 5);
	// The plan, then what is left at the end.
	for (let writes = 1; writes <= whole.size; writes++) {
		const plain = new MemoryDisk();
		current = failing(plain, writes);
		t.regex(await client.error(`${statement} as of system time ${at}`), /^53100/);
		t.regex(await client.error(`restore database quorate from '${directory}'`), /^58P01/);
		const data = (await plain.list(directory.slice(1))).filter((name) => name.endsWith(".data"));
		current = plain;
		// Something is written meanwhile, but the backup is of then.
		await client.query(someChange(random));
		await client.query(statement);
		const notices = client.sink.notices.map(({ message }) => message).join();
		t.is(/gone on with: (\d+) files/.exec(notices)?.[1] ?? "0", String(data.length));
		t.deepEqual([...(await allFiles(plain)).keys()], [...whole.keys()]);
		const restored = await testServer({ files: plain, seed: 6 }).connect();
		await restored.query(`restore database quorate from '${directory}'`);
		await same(t, client, restored, at);
	}
});

test("history that is gone: an unfinished backup begins anew, an incremental one is refused", async (t) => {
	const plain = new MemoryDisk();
	let current: Disk = failing(plain, 2);
	const files = new Proxy(plain, {
		get: (_, name) => {
			const value = Reflect.get(current, name) as unknown;
			return typeof value === "function" ? value.bind(current) : value;
		},
	});
	const { coordinator, connect } = testServer({ files, limits: small });
	const client = await connect();
	await makeTables(client);
	await client.query("insert into note select 'n' || x from generate_series(1, 50) as s (x)");
	const statement = `backup database quorate to '${directory}'`;
	t.regex(await client.error(statement), /^53100/);
	current = plain;
	await client.query("delete from note where body = 'n7'");
	coordinator.gcThreshold = coordinator.issueNow().timestamp;
	const at = await moment(client);
	await client.query(statement);
	t.true(client.sink.notices.some(({ message }) => message.includes("too old to go on with")));
	const restored = await testServer({ files, seed: 6 }).connect();
	await restored.query(`restore database quorate from '${directory}'`);
	await same(t, client, restored, at);
	coordinator.gcThreshold = coordinator.issueNow().timestamp;
	t.regex(await client.error(`${statement} incremental`), /^72000 what the backup has to read/);
	const past = `backup database quorate to '/b' as of system time ${at}`;
	t.regex(await client.error(past), /^72000/);
});

test("a restore that stops anywhere is gone on with; until its end there is nothing", async (t) => {
	const files = new MemoryDisk();
	const client = await testServer({ files, limits: small }).connect();
	const random = generator(4);
	await makeTables(client);
	for (let i = 0; i < 50; i++) await client.query(someChange(random));
	await client.query(`backup database quorate to '${directory}'`);
	const at = (await client.rows(`show backup '${directory}'`))[0]![3]!;
	const statement = `restore database quorate from '${directory}'`;
	for (let stopAt = 1; ; stopAt++) {
		const other = testServer({ files, seed: 7, limits: small });
		const restored = await other.connect();
		let commits = 0;
		other.coordinator.beforeCommit = () => {
			if (++commits === stopAt) throw Object.assign(new Error("stop"), { stops: true });
		};
		const stopped = await restored.query(statement).then(
			() => false,
			(error: { readonly stops?: boolean }) => error.stops === true,
		);
		other.coordinator.beforeCommit = undefined;
		if (!stopped) {
			t.true(stopAt > 10);
			break;
		}
		for (const table of tableNames)
			t.regex(await restored.error(`select * from ${table}`), /^42P01/);
		await restored.query(statement);
		const [notice] = restored.sink.notices;
		t.is(notice?.message.startsWith("an unfinished restore is gone on with") === true, stopAt > 2);
		if (stopAt % 4 === 1) await same(t, client, restored, at);
	}
});

test("of two sessions that run one restore the later one goes on with it", async (t) => {
	const files = new MemoryDisk();
	const client = await testServer({ files, limits: small }).connect();
	await client.query("create table a (id int primary key)");
	await client.query("insert into a select * from generate_series(1, 50)");
	await client.query(`backup database quorate to '${directory}'`);
	const other = testServer({ files, seed: 8, limits: small });
	const [first, second] = [await other.connect(), await other.connect()];
	let commits = 0;
	other.coordinator.beforeCommit = async () => {
		if (++commits !== 5) return;
		await second.query(`restore database quorate from '${directory}'`);
	};
	t.regex(
		await first.error(`restore database quorate from '${directory}'`),
		/^55006 another session/,
	);
	t.deepEqual(await first.rows("select count(*), min(id), max(id) from a"), [["50", "1", "50"]]);
});

test("schemas and views come back with what is in them", async (t) => {
	const files = new MemoryDisk();
	const client = await testServer({ files }).connect();
	await client.query(
		`create schema s; create table s.t (id serial primary key, v text);
		insert into s.t (v) values ('one'), ('two');
		create view s.v as select id as n, v from s.t where id > 1;
		create view w as select n, relname from s.v, pg_class where relname = 'w';
		alter table s.t rename column v to word`,
	);
	await client.query(`backup database quorate to '${directory}'`);
	const restored = await testServer({ files, seed: 9 }).connect();
	await restored.query("create table in_between (x serial)");
	await restored.query(`restore database quorate from '${directory}'`);
	t.deepEqual(await restored.rows("select * from s.v"), [["2", "two"]]);
	t.deepEqual(await restored.rows("select * from w"), [["2", "w"]]);
	t.deepEqual(await restored.rows("insert into s.t (word) values ('three') returning id > 2"), [
		["t"],
	]);
	t.deepEqual(
		await restored.rows("select pg_get_viewdef('s.v', true)"),
		await client.rows("select pg_get_viewdef('s.v', true)"),
	);
	t.regex(
		await restored.error("drop table s.t"),
		/^2BP01 cannot drop table s.t because other objects depend on it/,
	);
});
