import type { DatabaseError } from "@quorate/keys/database-error";
import test from "ava";
import { abandon, bigTable, cell, jobId, many } from "../testing/schema-changes.ts";
import { type TestClient, type TestServer, testServer } from "../testing/test-client.ts";

interface Form {
	readonly set?: string;
	readonly text: string;
	/** Makes a row that is wrong; what a writer is told who does. */
	readonly wrong: string;
	readonly refusal: RegExp;
	/** Puts the wrong row right. */
	readonly mend: string;
}

const parent =
	"create table p (a int primary key); insert into p select i from generate_series(0, 6) i;";

const forms: readonly Form[] = [
	{
		text: "alter table t add constraint c check (k < 100)",
		wrong: "update t set k = 100 where id = 4",
		refusal: /^23514/,
		mend: "update t set k = 1 where id = 4",
	},
	{
		text: "alter table t add constraint c foreign key (k) references p",
		wrong: "update t set k = 7 where id = 4",
		refusal: /^23503/,
		mend: "update t set k = 1 where id = 4",
	},
	{
		text: "alter table t alter k set not null",
		wrong: "update t set k = null where id = 4",
		refusal: /^23502/,
		mend: "update t set k = 1 where id = 4",
	},
	{
		set: "alter table t add constraint c check (k < 100) not valid",
		text: "alter table t validate constraint c",
		wrong: "update t set k = 100 where id = 4",
		refusal: /^23514/,
		mend: "update t set k = 1 where id = 4",
	},
	{
		set: "alter table t add constraint c foreign key (k) references p not valid",
		text: "alter table t validate constraint c",
		wrong: "update t set k = 7 where id = 4",
		refusal: /^23503/,
		mend: "update t set k = 1 where id = 4",
	},
];

/** What the catalog says of the table's constraints. */
const state = async (client: TestClient): Promise<unknown> => [
	await client.rows(
		"select conname, contype, convalidated from pg_constraint where conrelid = 't'::regclass order by 1",
	),
	await client.rows(
		"select attname, attnotnull from pg_attribute where attrelid = 't'::regclass and attnum > 0 order by 1",
	),
	await client.rows("select column_name, is_nullable from information_schema.columns order by 1"),
	await client.rows("show jobs"),
];

const failure = async (client: TestClient, text: string): Promise<unknown> => {
	try {
		await client.query(text);
	} catch (error) {
		const { code, message, fields } = error as DatabaseError;
		const { detail, table, schema, constraint, column } = fields;
		return { code, message, detail, table, schema, constraint, column };
	}
	return "no error";
};

/** So few rows that the statement looks at them itself, which is compared with PostgreSQL elsewhere (`testdata/sql`). */
async function smallTable(server: TestServer): Promise<TestClient> {
	const client = await server.connect();
	await client.query("create table t (id int, k int, v text)");
	await client.query("insert into t select i, i % 7, 'v' || i from generate_series(1, 9) i");
	return client;
}

async function prepared(client: TestClient, { set }: Form, wrong?: string): Promise<TestClient> {
	await client.query(parent);
	if (wrong !== undefined) await client.query(wrong);
	if (set !== undefined) await client.query(set);
	return client;
}

test("a constraint of a large table is as one of a small table in the end, right or wrong", async (t) => {
	for (const form of forms) {
		const large = await prepared(await bigTable(testServer()), form);
		const small = await prepared(await smallTable(testServer()), form);
		t.is(await large.tag(form.text), await small.tag(form.text));
		t.deepEqual(await state(large), await state(small), form.text);
		t.regex(await large.error(form.wrong), form.refusal);

		const wrongLarge = await prepared(await bigTable(testServer()), form, form.wrong);
		const wrongSmall = await prepared(await smallTable(testServer()), form, form.wrong);
		t.deepEqual(await failure(wrongLarge, form.text), await failure(wrongSmall, form.text));
		t.deepEqual(await state(wrongLarge), await state(wrongSmall), form.text);
		// The descriptor is as it was, so that older builds can read it.
		await wrongLarge.query(form.mend);
		t.is(await wrongLarge.tag(form.text), "ALTER TABLE");
	}
});

test("writers go on while rows are looked at, and keep the constraint from the beginning", async (t) => {
	for (const form of forms) {
		const server = testServer();
		const client = await prepared(await bigTable(server), form);
		const [writer, other] = [await server.connect(), await server.connect()];
		let step = 0;
		const write = async (): Promise<void> => {
			await writer.query(`insert into t values (${many + step + 1}, 3, 'new')`);
			await writer.query(`update t set k = (k + 1) % 7 where id = ${(step * 37) % many}`);
			await writer.query(`delete from t where id = ${many - step}`);
			step++;
		};
		const refusals: string[] = [];
		let commits = 0;
		let isWriting = true;
		const hook = async (): Promise<void> => {
			// The change itself; who looks.
			if (++commits !== 2) return;
			server.coordinator.beforeCommit = undefined;
			refusals.push(await other.error(form.wrong));
			t.regex(await other.error("alter table t alter k type bigint"), /^55006/);
			t.regex(await other.error(form.text), /^(55006|42710)/);
			isWriting = false;
		};
		server.coordinator.beforeCommit = hook;
		server.coordinator.beforeRead = async () => {
			if (isWriting || step === 8) return;
			isWriting = true;
			await write();
			isWriting = false;
		};
		t.is(await client.tag(form.text), "ALTER TABLE");
		server.coordinator.beforeRead = undefined;
		t.is(refusals.length, 1, form.text);
		t.true(step > 3);
		t.true(
			refusals.every((one) => form.refusal.test(one)),
			refusals.join(),
		);
		t.is(await cell(client, "select count(*) from t"), String(many));
	}
});

test("a job that looks at rows is cancelled, and the table is as it was", async (t) => {
	for (const form of forms) {
		for (const isJob of [true, false]) {
			const server = testServer();
			const client = await prepared(await bigTable(server), form);
			const other = await server.connect();
			const before = await state(client);
			let commits = 0;
			let id = "";
			server.coordinator.beforeCommit = async () => {
				// The change itself; who looks.
				if (++commits !== 2) return;
				id = await jobId(other);
				if (isJob) await other.query(`cancel job ${id}`);
				else client.session.cancel();
			};
			const said = await client.error(form.text);
			server.coordinator.beforeCommit = undefined;
			t.is(said, `57014 canceling statement due to ${isJob ? `CANCEL JOB ${id}` : "user request"}`);
			t.deepEqual(await state(client), before);
			if (form.set === undefined) await client.query(form.wrong);
		}
	}
});

test("rows that a node has begun to look at are looked at by another", async (t) => {
	for (const form of forms) {
		const server = testServer();
		const client = await prepared(await bigTable(server), form);
		await abandon(server, client, form.text, 2);
		t.is((await client.rows("show jobs")).length, 1);
		t.regex(await client.error(form.wrong), form.refusal);
		for (let look = 1; look <= 5; look++) await server.adoptBuilds();
		const done = await prepared(await smallTable(testServer()), form);
		await done.query(form.text);
		t.deepEqual(await state(client), await state(done));
	}
});

test("what becomes of the constraint meanwhile is minded", async (t) => {
	const begun = async (form: Form): Promise<readonly [TestServer, TestClient]> => {
		const server = testServer();
		const client = await prepared(await bigTable(server), form);
		await abandon(server, client, form.text, 2);
		return [server, client];
	};
	const [check, reference, notNull] = forms as [Form, Form, Form];
	for (const [form, change] of [
		[check, "alter table t drop constraint c"],
		[check, "alter table t drop column k"],
		[reference, "alter table t drop constraint c"],
		[reference, "drop table p cascade"],
		[notNull, "alter table t alter k drop not null"],
		[notNull, "alter table t drop column k"],
		[notNull, "drop table t"],
	] as const) {
		const [server, client] = await begun(form);
		await client.query(change);
		t.deepEqual(await client.rows("show jobs"), [], `${form.text}; ${change}`);
		for (let look = 1; look <= 5; look++) await server.adoptBuilds();
		await client.query("create table if not exists t (a int)");
	}
	const [server, client] = await begun(check);
	await client.query("alter table t rename constraint c to d; alter table t rename k to kk");
	await client.query("alter table t rename to u; create schema s; alter table u set schema s");
	t.is((await client.rows("show jobs"))[0]?.[3], "d");
	for (let look = 1; look <= 5; look++) await server.adoptBuilds();
	t.deepEqual(
		await client.rows("select conname, convalidated from pg_constraint where contype = 'c'"),
		[["d", "t"]],
	);
	const [, known] = await begun(notNull);
	t.regex(await known.error("alter table t add primary key (k)"), /^55006/);
	t.regex(
		await known.error("alter table t alter k add generated always as identity"),
		/^55000 .* must be declared NOT NULL/,
	);
});

test("a statement that is not alone looks at the rows itself, and is done with all others or not at all", async (t) => {
	const [check] = forms as [Form];
	const client = await prepared(await bigTable(testServer()), check, check.wrong);
	for (const text of [
		`begin; alter table t add column w int; ${check.text}; commit`,
		`alter table t add column w int; ${check.text}`,
		`alter table t add column w int, add constraint c check (k < 100)`,
	]) {
		const before = await state(client);
		t.regex(await client.error(text), /^23514/);
		await client.query("rollback");
		t.deepEqual(await state(client), before, text);
	}
});
