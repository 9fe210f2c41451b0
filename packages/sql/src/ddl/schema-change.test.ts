import { DatabaseError } from "@quorate/keys/database-error";
import type { Key } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import test, { type ExecutionContext } from "ava";
import { droppedIndexSpan } from "../catalog/keys.ts";
import type { QuorateSession } from "../session/session.ts";
import { abandon, between, bigTable, cell, jobId, many } from "../testing/schema-changes.ts";
import { type TestClient, type TestServer, testServer } from "../testing/test-client.ts";
import { Fill } from "./fill.ts";

/** Every physical index that is in use has one entry a row, no more. */
async function counted(t: ExecutionContext, server: TestServer, client: TestClient): Promise<void> {
	const { store } = server.coordinator;
	const now = Number.MAX_SAFE_INTEGER as Timestamp;
	const dropped = new Set(store.keysIn(droppedIndexSpan).map((key) => key.slice(2)));
	const counts = new Map<string, number>();
	for (const key of store.keysIn({ start: "\x02" as Key, end: "\x03" as Key })) {
		if (store.read(key, now) === undefined) continue;
		const id = key.slice(1, 9);
		if (!dropped.has(id)) counts.set(id, (counts.get(id) ?? 0) + 1);
	}
	const rows = Number(await cell(client, "select count(*) from t"));
	t.deepEqual([...counts.values()], [rows, rows]);
}

/** The index has exactly the rows that the table has. */
async function agrees(t: ExecutionContext, client: TestClient): Promise<void> {
	const plan = await client.rows("explain select id from t where k = 3");
	t.true(plan.some(([line]) => line?.includes("using t_k") === true));
	for (let k = 0; k < 7; k++) {
		t.deepEqual(
			await client.rows(`select id, v from t where k = ${k} order by id`),
			await client.rows(`select id, v from t where k + 0 = ${k} order by id`),
		);
	}
}

test("an index is built while rows are inserted, updated and deleted", async (t) => {
	const server = testServer();
	const client = await bigTable(server);
	const writer = await server.connect();
	between(server, async (step) => {
		await writer.query(`insert into t values (${many + step + 1}, 3, 'new')`);
		await writer.query(`update t set k = (k + 1) % 7 where id = ${step * 300 + 5}`);
		// In the first batch, and soon behind it.
		await writer.query(`update t set k = (k + 2) % 7 where id = ${step + 20}`);
		await writer.query(`delete from t where id = ${step + 40}`);
		await writer.query(`delete from t where id = ${step * 300 + 9}`);
		await writer.query(`update t set k = 3 where id = ${many - step}`);
		return step === 6;
	});
	await client.query("create index t_k on t (k)");
	await agrees(t, client);
	await counted(t, server, client);
});

test("a unique index that cannot be is taken back", async (t) => {
	const server = testServer();
	const client = await bigTable(server);
	const failure = await t.throwsAsync(client.query("create unique index t_k on t (k)"));
	const { message, fields } = failure as DatabaseError;
	t.is(message, 'could not create unique index "t_k"');
	t.regex(fields.detail ?? "", /^Key \(k\)=\(\d\) is duplicated\.$/);
	t.is(await cell(client, "select count(*) from pg_class where relname = 't_k'"), "0");
	await client.query("insert into t values (1, 1, 'again')");
	await client.query("create unique index t_v on t (v)");
	t.regex(await client.error("insert into t values (1, 1, 'v1')"), /^23505/);
});

test("a primary key is added while rows change, old ones and new ones", async (t) => {
	for (const key of ["primary key (id)", "constraint t_key primary key using index t_id"]) {
		const server = testServer();
		const client = await bigTable(server);
		const writer = await server.connect();
		await client.query("create unique index t_id on t (id); create index t_k on t (k)");
		if (key.endsWith("(id)")) await client.query("drop index t_id");
		let steps = 0;
		between(server, async (step) => {
			steps++;
			await writer.query(`insert into t values (${many + step + 1}, 3, 'new')`);
			await writer.query(`update t set v = 'changed' where id = ${step * 300 + 5}`);
			await writer.query(`update t set id = id + 100000 where id = ${step * 300 + 7}`);
			await writer.query(`delete from t where id = ${many - step * 100}`);
			return step === 6;
		});
		await client.query(`alter table t add ${key}`);
		t.is(await cell(client, "select count(*) from t"), String(many));
		t.is(await cell(client, "select count(distinct id) from t"), String(many));
		t.is(await cell(client, "select v from t where id = 5"), "changed");
		t.true(steps > 1);
		t.is(await cell(client, "select count(*) from t where id > 100000"), String(steps));
		await agrees(t, client);
		await counted(t, server, client);
		t.regex(await client.error("insert into t values (1, 1, 'x')"), /^23505/);
		t.regex(await client.error("insert into t values (null, 1, 'x')"), /^23502/);
	}
});

test("a primary key that was to take the place of an index leaves it there", async (t) => {
	const server = testServer();
	const client = await bigTable(server);
	const other = await server.connect();
	await client.query("create index t_k on t (k)");
	await abandon(server, client, "create unique index t_id on t (id)");
	const key = "alter table t add primary key using index t_id";
	t.is(await client.error(key), '55000 index "t_id" is not valid');
	for (let look = 1; look <= 5; look++) await server.adoptBuilds();
	between(server, async (step) => {
		if (step === 1) await other.query(`cancel job ${await jobId(other)}`);
		return step === 1;
	});
	t.regex(await client.error(key), /^57014 /);
	t.regex(await client.error("insert into t values (1, 1, 'x')"), /^23505/);
	await client.query("insert into t values (null, 1, 'free')");
	t.is(await client.error(key), '23502 column "id" of relation "t" contains null values');
	await client.query("delete from t where id is null");
	between(server, async (step) => {
		if (step === 1) await other.query("drop index t_id");
		return step === 1;
	});
	await client.query(key);
	t.deepEqual(await client.rows("select indexname from pg_indexes where tablename = 't'"), [
		["t_id"],
		["t_k"],
	]);
	await agrees(t, client);
	await counted(t, server, client);
});

test("a schema change outlasts a cluster that cannot be reached for a while", async (t) => {
	for (const statement of ["create index t_k on t (k)", "alter table t add primary key (id)"]) {
		const server = testServer();
		const client = await bigTable(server);
		let commits = 0;
		let refusals = 0;
		server.coordinator.beforeCommit = async () => {
			// Not the first, which makes the change known: what is refused there is the statement's.
			if (++commits % 2 === 1) return;
			refusals++;
			throw new DatabaseError("57P03", "the placement group cannot be reached");
		};
		await client.query(statement);
		server.coordinator.beforeCommit = undefined;
		t.true(refusals > 1, statement);
		await client.query("create index if not exists t_k on t (k)");
		await agrees(t, client);
	}
});

test("a schema change that is cancelled midway takes back what it began", async (t) => {
	const server = testServer();
	const client = await bigTable(server);
	for (const statement of [
		"create index t_k on t (k)",
		"alter table t add primary key (id)",
		"alter table t add primary key (id) deferrable",
	]) {
		let commits = 0;
		server.coordinator.beforeCommit = async () => {
			if (++commits === 2) client.session.cancel();
		};
		t.is(await client.error(statement), "57014 canceling statement due to user request");
		t.true(commits < many / 500, statement);
		commits = 0;
		await t.throwsAsync(client.execute(statement), { code: "57014" }, "in the extended protocol");
		t.true(commits < many / 500, statement);
		server.coordinator.beforeCommit = undefined;
		t.is(await cell(client, "select count(*) from pg_index where indrelid = 't'::regclass"), "0");
		await client.query("insert into t values (1, 1, 'again')");
	}
});

test("a job is cancelled by somebody else: the statement that waits for it says so, and nothing is left", async (t) => {
	for (const statement of [
		"create index t_k on t (k)",
		"alter table t add primary key (id)",
		"alter table t add primary key (id) deferrable",
	]) {
		const server = testServer();
		const client = await bigTable(server);
		const other = await server.connect();
		let id = "";
		between(server, async (step) => {
			if (step === 0) return false;
			const [job] = await other.rows("show jobs");
			const [, , table, , status, , total, started, node] = job!;
			t.deepEqual([table, status, total, node], ["t", "running", String(many), "1"]);
			t.regex(started!, /^\d{4}-/);
			id = job![0]!;
			t.is(await other.tag(`cancel job ${id}`), "CANCEL JOB");
			t.deepEqual(await other.rows("show jobs"), []);
			return true;
		});
		t.is(await client.error(statement), `57014 canceling statement due to CANCEL JOB ${id}`);
		t.is(await cell(client, "select count(*) from pg_index where indrelid = 't'::regclass"), "0");
		await client.query("insert into t values (null, 1, 'free')");
		await client.query("create index t_k on t (k)");
		await client.query("delete from t where id is null");
		await agrees(t, client);
		t.is(await other.error(`cancel job ${id}`), `42704 job ${id} does not exist`);
	}
});

test("a job whose node is gone is cancelled, and nobody goes on with it", async (t) => {
	const server = testServer();
	const client = await bigTable(server);
	await abandon(server, client, "alter table t add primary key (id)");
	await client.query("create role somebody login; grant all on t to somebody");
	const somebody = await server.connect({ user: "somebody" });
	const id = await jobId(client);
	t.is(await somebody.error(`cancel job ${id}`), "42501 must be owner of table t");
	t.regex(await client.error(`begin; cancel job ${id}`), /^25001/);
	await client.query("rollback");
	for (let look = 1; look <= 3; look++) await server.adoptBuilds();
	await client.query(`alter table t owner to somebody`);
	await somebody.query(`cancel job ${id}`);
	for (let look = 1; look <= 5; look++) await server.adoptBuilds();
	t.deepEqual(await client.rows("show jobs"), []);
	await client.query("insert into t values (null, 1, 'free')");
	t.is(await cell(client, "select count(*) from pg_index where indrelid = 't'::regclass"), "0");
});

test("what a node has left behind is finished by another", async (t) => {
	for (const statement of ["create index t_k on t (k)", "alter table t add primary key (id)"]) {
		const server = testServer();
		const client = await bigTable(server);
		if (statement.startsWith("alter")) await client.query("create index t_k on t (k)");
		await abandon(server, client, statement);
		t.is((await client.rows("show jobs")).length, 1);
		// Writers go on keeping it.
		await client.query(`insert into t values (${many + 1}, 3, 'new')`);
		await client.query("delete from t where id = 7");
		for (let look = 1; look <= 4; look++) await server.adoptBuilds();
		t.is((await client.rows("show jobs")).length, 1, "its node may only be slow");
		t.regex(await client.error("alter table t alter k type bigint"), /^55006 /);
		await server.adoptBuilds();
		t.deepEqual(await client.rows("show jobs"), []);
		await agrees(t, client);
		await counted(t, server, client);
		if (statement.startsWith("alter")) {
			t.regex(await client.error("insert into t values (1, 1, 'x')"), /^23505/);
		}
	}
});

test("whoever goes on begins with the first stretch that is not done", async (t) => {
	const server = testServer();
	const client = await bigTable(server);
	const { state } = client.session as QuorateSession;
	const oid = Number(await cell(client, "select 't'::regclass::oid"));
	state.cancel.begin(0);
	const seen: number[] = [];
	const first = new Fill(state, oid, undefined, 0, async (_table, rows) => {
		const id = Number(rows[0]?.row[0]);
		if (id > 500 && id <= 1000) throw new Error("the node dies");
		seen.push(rows.length);
	});
	await t.throwsAsync(first.run(), { message: "the node dies" });
	const done = seen.reduce((sum, count) => sum + count, 0);
	t.is(first.rows, done);
	t.true(done > 500, "batches behind the one that failed are done");
	const left: unknown[] = [];
	const second = new Fill(state, oid, first.reached, first.rows, async (_table, rows) => {
		left.push(...rows.map(({ row }) => row[0]));
	});
	await second.run();
	t.is(left.length, many - 500);
	t.deepEqual(new Set(left), new Set(Array.from({ length: many - 500 }, (_, i) => i + 501)));
	state.cancel.end();
});

test("what a node has left behind and cannot be is taken back by another", async (t) => {
	for (const deferrable of ["", "deferrable"]) {
		const server = testServer();
		const client = await bigTable(server);
		await client.query(`insert into t values (${many}, 0, 'twice')`);
		await abandon(server, client, `alter table t add primary key (id) ${deferrable}`);
		if (deferrable === "") t.regex(await client.error("create index on t (v)"), /^55006/);
		for (let look = 1; look <= 5; look++) await server.adoptBuilds();
		t.deepEqual(await client.rows("show jobs"), []);
		await client.query("insert into t values (null, 1, 'still no key')");
		await client.query("create index t_k on t (k)");
		await agrees(t, client);
	}
});

test("a primary key that cannot be leaves the table as it was", async (t) => {
	const server = testServer();
	const client = await bigTable(server);
	const writer = await server.connect();
	await client.query(`insert into t values (${many}, 0, 'twice')`);
	between(server, async (step) => {
		if (step === 0) await writer.query(`update t set v = 'touched' where id = ${many} and k <> 0`);
		if (step === 1) await writer.query(`delete from t where id = ${many - 1}`);
		return step === 1;
	});
	t.is(
		await client.error("alter table t add primary key (id)"),
		'23505 could not create unique index "t_pkey"',
	);
	t.is(await cell(client, "select count(*) from t"), String(many));
	await client.query("insert into t values (null, 1, 'free')");
	await client.query("delete from t where id is null or v = 'twice'");
	await client.query("alter table t add primary key (id)");
	t.is(await cell(client, `select count(*) from t where id = ${many}`), "1");
});

test("while a primary key is being added, no writer slips a duplicate in", async (t) => {
	const server = testServer();
	const client = await bigTable(server);
	const writer = await server.connect();
	const answers: string[] = [];
	between(server, async (step) => {
		// The first of these commits copies the row with id 1.
		if (step < 1) return false;
		answers.push(await writer.error("insert into t values (1, 1, 'double')"));
		answers.push(await writer.error("insert into t values (null, 1, 'none')"));
		return step === 3;
	});
	await client.query("alter table t add primary key (id)");
	t.is(await cell(client, "select count(*) from t where id = 1"), "1");
	t.true(answers.some((answer) => answer.startsWith("23505")));
	t.true(answers.every((answer) => answer.startsWith("2350")));
});

const deferrable = [
	"alter table t add constraint t_id unique (id) deferrable initially deferred",
	"alter table t add constraint t_id primary key (id) deferrable",
];

test("a deferrable constraint is added while rows change", async (t) => {
	for (const statement of deferrable) {
		const server = testServer();
		const client = await bigTable(server);
		const writer = await server.connect();
		const answers: string[] = [];
		let steps = 0;
		between(server, async (step) => {
			steps++;
			await writer.query(`insert into t values (${many + step + 1}, 3, 'new')`);
			await writer.query(`update t set id = id + 100000 where id = ${step * 300 + 7}`);
			await writer.query(`delete from t where id = ${many - step * 100}`);
			// Rows that are in the index by now, and others that are not yet.
			await writer.query(
				`begin; set constraints all deferred; update t set id = ${many - 7} where id = ${step + 30};
				update t set id = ${step + 30} where id = ${many - 7} and v <> 'v${step + 30}'; commit`,
			);
			if (step > 1) answers.push(await writer.error("insert into t values (1, 1, 'double')"));
			return step === 4;
		});
		await client.query(statement);
		t.true(steps > 1, statement);
		t.true(answers.length > 0 && answers.every((answer) => answer.startsWith("23505")));
		t.is(await cell(client, "select count(distinct id) from t"), String(many));
		t.is(await cell(client, `select count(*) from t where id > 100000`), String(steps));
		await counted(t, server, client);
		t.regex(await client.error("insert into t values (3, 1, 'x')"), /^23505/);
		await client.query("begin; set constraints all deferred; insert into t values (3, 1, 'x')");
		await client.query("delete from t where id = 3 and v <> 'x'; commit");
		t.is(await cell(client, "select v from t where id = 3"), "x");
		t.deepEqual(await client.rows("show jobs"), []);
	}
});

test("a deferrable constraint that cannot be is taken back, wherever the rows that share a key are", async (t) => {
	for (const [position, row] of [1, 499, 500, 501, 1500, many].entries()) {
		for (const statement of deferrable) {
			const server = testServer();
			const client = await bigTable(server);
			await client.query(`insert into t values (${row}, 0, 'twice'); delete from t where id = 70`);
			const failure = await t.throwsAsync(client.query(statement));
			const { message, fields } = failure as DatabaseError;
			t.is(message, 'could not create unique index "t_id"', `${position}`);
			t.is(fields.detail, `Key (id)=(${row}) is duplicated.`);
			t.is(await cell(client, "select count(*) from pg_index where indrelid = 't'::regclass"), "0");
			await client.query("insert into t values (null, 1, 'free')");
		}
	}
});

test("NULLs are no key that is shared, and none of a primary key", async (t) => {
	const server = testServer();
	const client = await bigTable(server);
	await client.query("update t set id = null where id % 2 = 0 or k = 3");
	const [unique, primary] = deferrable as [string, string];
	t.is(await client.error(primary), '23502 column "id" of relation "t" contains null values');
	await client.query("insert into t values (null, 1, 'free')");
	await client.query(unique);
	t.regex(await client.error("insert into t values (1, 1, 'x')"), /^23505/);
	await client.query("insert into t values (null, 1, 'free')");
});

test("what is made in a transaction is seen there, and gone if it rolls back", async (t) => {
	const server = testServer();
	const [one, two] = [await server.connect(), await server.connect()];
	await one.query("begin; create table t (id serial primary key, v text unique)");
	await one.query("insert into t (v) values ('a'), ('b'); create index on t (v desc)");
	t.deepEqual(await one.rows("select id, v from t order by v desc"), [
		["2", "b"],
		["1", "a"],
	]);
	t.regex(await two.error("select * from t"), /^42P01/);
	await one.query("rollback");
	t.regex(await one.error("select * from t"), /^42P01/);
	t.is(await cell(one, "select count(*) from pg_class where relname like 't\\_%'"), "0");
	await one.query(
		"begin; create table t (id int); savepoint s; drop table t; rollback to s; commit",
	);
	t.is(await cell(two, "select count(*) from t"), "0");
});

test("of two sessions that create one name, one does", async (t) => {
	const server = testServer();
	const [one, two] = [await server.connect(), await server.connect()];
	await one.query("begin; create table t (a int)");
	const other = two.error("create table t (b int)");
	await one.query("commit");
	t.is(await other, '42P07 relation "t" already exists');
});

test("truncate and drop leave what is to be removed later", async (t) => {
	const server = testServer();
	const client = await server.connect();
	await client.query(
		"create table t (id int primary key, v text unique); insert into t values (1, 'a')",
	);
	await client.query("begin; truncate t; insert into t values (1, 'a'), (2, 'b'); commit");
	t.is(await cell(client, "select count(*) from t"), "2");
	t.is(server.coordinator.store.keysIn(droppedIndexSpan).length, 2);
	await client.query("drop table t");
	const { coordinator } = server;
	const now = Number.MAX_SAFE_INTEGER as Timestamp;
	const lines = (): number =>
		coordinator.store.keysIn(droppedIndexSpan).filter((key) => coordinator.store.read(key, now))
			.length;
	const rows = (): number =>
		coordinator.store.keysIn({ start: "\x02" as Key, end: "\x03" as Key }).length;
	t.is(lines(), 4);
	t.true(rows() > 0);
	// Somebody may read as of a time before.
	t.true(await server.clearDropped());
	t.is(lines(), 4);
	t.true(rows() > 0);
	coordinator.gcThreshold = coordinator.issueNow().timestamp;
	t.false(await server.clearDropped());
	t.is(lines(), 0);
	t.is(rows(), 0);
});

test("columns come, go and change their names", async (t) => {
	const client = await testServer().connect();
	await client.query("create table t (id int primary key, a int, b text, check (a < 10))");
	await client.query("insert into t values (1, 1, 'x'), (2, 2, 'y')");
	await client.query("alter table t add column c int not null default 5, add d serial");
	t.deepEqual(await client.rows("select * from t order by id"), [
		["1", "1", "x", "5", "1"],
		["2", "2", "y", "5", "2"],
	]);
	await client.query("alter table t rename column a to aa; alter table t drop column b");
	t.regex(await client.error("update t set aa = 11"), /^23514/);
	t.deepEqual(await client.rows("select * from t where aa = 2"), [["2", "2", "5", "2"]]);
	t.regex(await client.error("alter table t add column e int not null"), /^23502/);
	t.regex(await client.error("alter table t add constraint small check (c < 5)"), /^23514/);
	await client.query("alter table t alter c set default 6; alter table t rename to u");
	t.deepEqual(await client.rows("insert into u (id) values (3) returning *"), [
		["3", null, "6", "3"],
	]);
	t.regex(await client.error("alter table u alter aa set not null"), /^23502/);
	await client.query("update u set aa = 3 where aa is null; alter table u alter aa set not null");
	t.regex(await client.error("update u set aa = null"), /^23502/);
});

test("ranges split where they are told to", async (t) => {
	const server = testServer();
	const client = await server.connect();
	await client.query("create table t (a int, b text, primary key (a, b))");
	await client.query("alter table t split at values (10), (20, 'x')");
	const ranges = await client.rows("show ranges from table t");
	t.deepEqual(
		ranges.map(([, start, end]) => [start, end]),
		[
			["<before:table>", "(10)"],
			["(10)", "(20, x)"],
			["(20, x)", "<after:table>"],
		],
	);
	t.regex(await client.error("alter table t split at values (1, 'a', 2)"), /^42601/);
});

test("when ranges split by themselves is a setting of the cluster", async (t) => {
	const client = await testServer().connect();
	t.deepEqual(await client.rows("show range_max_bytes"), [["64MB"]]);
	t.deepEqual(await client.rows("show range_max_load"), [["2500"]]);
	await client.query("alter system set range_max_bytes = '1.5GB'");
	t.deepEqual(await client.rows("show range_max_bytes"), [["1536MB"]]);
	await client.query("alter system set range_max_bytes = 100000");
	t.deepEqual(await client.rows("show range_max_bytes"), [["100000B"]]);
	await client.query("alter system set range_max_load = 0");
	t.deepEqual(await client.rows("show range_max_load"), [["0"]]);
	await client.query("alter system reset range_max_bytes; alter system reset range_max_load");
	t.deepEqual(await client.rows("show range_max_bytes"), [["64MB"]]);
	t.regex(await client.error("alter system set range_max_bytes = '1kB'"), /^22023/);
	t.regex(await client.error("alter system set range_max_bytes = '64 parsecs'"), /^22023/);
	t.regex(await client.error("alter system set range_max_load = -1"), /^22023/);
	t.regex(await client.error("set range_max_bytes = '64MB'"), /^55P02/);
});
