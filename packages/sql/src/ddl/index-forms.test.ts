import { DatabaseError } from "@quorate/keys/database-error";
import test, { type ExecutionContext } from "ava";
import { between } from "../testing/schema-changes.ts";
import { type TestClient, type TestServer, testServer } from "../testing/test-client.ts";
import { directRowsMax } from "./whole-table.ts";

const many = directRowsMax * 2;

async function planOf(client: TestClient, query: string): Promise<string> {
	return (await client.rows(`explain ${query}`)).map(([line]) => line).join("\n");
}

/** Whether each query goes by the index, and by another. */
async function uses(
	t: ExecutionContext,
	client: TestClient,
	index: string,
	queries: readonly string[],
	expected = true,
): Promise<void> {
	for (const query of queries) {
		const plan = await planOf(client, query);
		t.is(new RegExp(`using ${index} on`).test(plan), expected, `${query}\n${plan}`);
	}
}

test("a partial index is used where the conditions imply its predicate", async (t) => {
	const client = await testServer().connect();
	await client.query(
		"create table t (id int primary key, a int, s text, v varchar(9), b bool, d date, n numeric)",
	);
	const cases: readonly (readonly [string, readonly string[], readonly string[]])[] = [
		[
			"s = 'x'",
			["s = 'x'", "s in ('x')", "s = 'x' and id > 3"],
			["s = 'y'", "s <> 'x'", "s is not null", "s = (select 'x')", "s = 'x' or a = 1"],
		],
		["v = 'x'", ["v = 'x'"], ["v = 'y'"]],
		[
			"b",
			["b", "b = true", "b is true"],
			["not b", "b is not null", "b or id = 3", "b is not false"],
		],
		["not b", ["not b", "b = false", "b is false"], ["b", "b is not true"]],
		[
			"s is not null",
			[
				"s = (select 'x')",
				"s > 'x'",
				"s like 'x%'",
				"lower(s) = 'x'",
				"not (s = 'x')",
				"s in ('x', 'y')",
				"s = any (array(select 'x'))",
			],
			[
				"not (s = any (array(select 'x')))",
				"s is null",
				"coalesce(s, 'x') = 'x'",
				"s is distinct from 'x'",
				"s = 'x' or a = 1",
			],
		],
		["s is null", ["s is null"], ["s = 'x'", "a is null"]],
		[
			"n > 10",
			["n > 10", "n > 11", "n >= 10.5", "n = 12", "n in (11, 12)", "12 < n", "n > 10.0"],
			["n >= 10", "n > 9", "n = 10", "n <> 12", "n < 20", "n > (select 12)", "n in (5, 12)"],
		],
		[
			"n <= 3",
			["n <= 3", "n < 3", "n = 3", "n <= 2.5", "n between 1 and 3"],
			["n <= 3.5", "n < 4"],
		],
		[
			"n <> 3",
			["n <> 3", "n > 3", "n < 3", "n >= 4", "n = 4", "n not in (1, 3)"],
			["n >= 3", "n <> 4", "n in (3, 4)"],
		],
		[
			"a in (1, 2, 3)",
			["a = 2", "a in (3, 1)", "a = any (array[1, 2])", "a = 1 or a = 3"],
			["a in (1, 4)", "a > 1 and a < 3", "a = any (array(select 1))"],
		],
		[
			"a not in (1, 2)",
			["a not in (1, 2)", "a not in (1, 2, 3)", "a = 5", "a > 2", "a <> all (array[2, 1])"],
			["a not in (1)", "a <> 1"],
		],
		["a = 1 or b", ["b", "a = 1", "a = 1 or b", "a = 1 and b"], ["a = 2", "a = 1 or not b"]],
		[
			"a > 1 and a < 9",
			["a > 1 and a < 9", "a between 2 and 8", "a = 3"],
			["a > 1", "a > 0 and a < 9"],
		],
		["a % 2 = 0", ["a % 2 = 0"], ["a % 2 = 1", "a % 3 = 0", "a = 2"]],
		[
			"d > '2020-01-01'",
			["d > '2020-01-01'", "d = '2021-05-05'", "d >= date '2020-01-02'"],
			["d > '2019-12-31'", "d > 'yesterday'", "d > (select current_date)"],
		],
		["a > 5::int8", ["a > 5::int8", "a > 6::int8"], ["a > 4::int8"]],
	];
	for (const [predicate, yes, no] of cases) {
		await client.query(`create index i on t (id desc) where ${predicate}`);
		const query = (where: string): string =>
			`select s from t where ${where} order by id desc limit 3`;
		await uses(t, client, "i", yes.map(query));
		await uses(t, client, "i", no.map(query), false);
		await client.query("drop index i");
	}
});

test("plans that hang on literals hold for no others", async (t) => {
	const client = await testServer().connect();
	await client.query("create table t (id int primary key, a int, s text)");
	await client.query("insert into t select i, i % 5, 's' || i % 3 from generate_series(1, 60) i");
	await client.query("create index t_s on t (a) where s = 's1'");
	await client.query("create index t_a on t ((a * 2 + 1)) where id < 30");
	for (let turn = 0; turn < 3; turn++) {
		for (const s of ["s1", "s0", "s1", "s2"]) {
			const found = await client.rows(`select count(*) from t where s = '${s}' and a = 2`);
			t.deepEqual(found, [["4"]], s);
		}
		for (const [factor, bound, expected] of [
			[2, 30, "6"],
			[3, 30, "0"],
			[2, 61, "12"],
			[2, 10, "2"],
			[3, 61, "0"],
		]) {
			const found = await client.rows(
				`select count(*) from t where a * ${factor} + 1 = 5 and id < ${bound}`,
			);
			t.deepEqual(found, [[expected]], `${factor} ${bound}`);
		}
		const inserted = "insert into t values (1, 1, 'x') on conflict (a) where s = ";
		await client.query("create unique index t_u on t (a) where s = 'x'");
		t.regex(await client.error(`${inserted}'y' do nothing`), /^42P10/);
		await client.query(`${inserted.replace("(1", "(100")}'x' do nothing`);
		t.regex(await client.error(`${inserted}'y' do nothing`), /^42P10/);
		await client.query("drop index t_u; delete from t where id = 100");
	}
});

test("expressions of an index are found in conditions, joins and orders", async (t) => {
	const client = await testServer().connect();
	await client.query(
		"create table t (id int primary key, name varchar(20), a int, b int, j jsonb, at timestamptz, f float8)",
	);
	await client.query("create table other (k text primary key)");
	await client.query("create index i_name on t (lower(name), a desc nulls last)");
	await client.query("create index i_sum on t ((a + b))");
	await client.query("create index i_json on t ((j ->> 'k'))");
	await client.query("create index i_day on t (((at at time zone 'UTC')::date))");
	await client.query("create index i_float on t ((f::text))");
	await uses(t, client, "i_name", [
		"select * from t where lower(name) = 'x'",
		"select * from t x where lower(x.name) in ('a', 'b') and x.b = 3",
		"select * from t where lower(name) >= 'x' and lower(name) < 'y'",
		"select * from t where lower(name) = 'x' order by a desc nulls last limit 3",
		"select id from t order by lower(name), a desc nulls last limit 3",
		"select id from t order by lower(name) desc nulls first, a nulls first limit 3",
		"select * from other join t on lower(t.name) = other.k where other.k = 'x'",
	]);
	await uses(
		t,
		client,
		"i_name",
		[
			"select * from t where lower(name || 'x') = 'x'",
			"select * from t where name = 'x'",
			"select id from t order by lower(name) nulls first limit 3",
			"select id from t order by lower(name), a desc limit 3",
			"select id from t order by lower(name), a limit 3",
		],
		false,
	);
	await uses(t, client, "i_sum", [
		"select * from t where a + b = 3",
		"select * from t where a + b between 3 and 5",
		"select * from t where a + b = 3::int8",
		"update t set a = 1 where a + b = 7",
		"delete from t where a + b > 7 and a + b < 9",
		"select a + b from t order by a + b desc nulls first limit 2",
	]);
	await uses(t, client, "i_sum", ["select * from t where b + a = 3"], false);
	await uses(t, client, "i_json", ["select * from t where j ->> 'k' = 'v'"]);
	await uses(t, client, "i_json", ["select * from t where j ->> 'l' = 'v'"], false);
	await uses(t, client, "i_day", [
		"select * from t where (at at time zone 'UTC')::date = '2020-01-01'",
	]);
	// What a float looks like is the session's affair.
	await uses(t, client, "i_float", ["select * from t where f::text = '0.1'"], false);
});

async function bigTable(server: TestServer): Promise<TestClient> {
	const client = await server.connect();
	await client.query("create table t (id int, k int, v text)");
	await client.query(`insert into t select i, i % 7, 'V' || i from generate_series(1, ${many}) i`);
	return client;
}

/** The index has what the table has, which is read in an order that it has not. */
async function agrees(t: ExecutionContext, client: TestClient): Promise<void> {
	await uses(t, client, "t_form", ["select id from t where k > 2 and lower(v) = 'v3'"]);
	const all = await client.rows("select id, lower(v) from t where k + 0 > 2 order by id, v");
	const byIndex = await client.rows(
		"select id, lower(v) from t where k > 2 and lower(v) > '' order by lower(v)",
	);
	const sorted = (rows: readonly unknown[]): string[] =>
		rows.map((row) => JSON.stringify(row)).sort();
	t.deepEqual(sorted(byIndex), sorted(all));
	t.true(all.length > many / 3);
}

test("a partial index on an expression is built while rows come, change and go", async (t) => {
	for (const unique of ["", "unique "]) {
		const server = testServer();
		const client = await bigTable(server);
		const writer = await server.connect();
		let steps = 0;
		between(server, async (step) => {
			steps++;
			await writer.query(`insert into t values (${many + step + 1}, 3, 'New${step}')`);
			await writer.query(`update t set k = (k + 1) % 7 where id = ${step * 300 + 5}`);
			await writer.query(`update t set k = (k + 3) % 7, v = 'X' || v where id = ${step + 20}`);
			await writer.query(`delete from t where id = ${step * 300 + 9}`);
			await writer.query(`update t set v = 'Y' || v where id = ${many - step}`);
			return step === 6;
		});
		await client.query(`create ${unique}index t_form on t (lower(v)) where k > 2`);
		t.true(steps > 1);
		await agrees(t, client);
	}
});

test("what is left behind of it is finished by another node", async (t) => {
	const server = testServer();
	const client = await bigTable(server);
	let commits = 0;
	server.coordinator.beforeCommit = async () => {
		if (++commits > 4) throw new DatabaseError("57P03", "nobody can be reached");
	};
	t.regex(await client.error("create index t_form on t (lower(v)) where k > 2"), /^57P03/);
	server.coordinator.beforeCommit = undefined;
	await client.query(`insert into t values (${many + 1}, 3, 'NEW'), (${many + 2}, 1, 'NONE')`);
	await client.query("update t set k = 5, v = 'W' || v where id = 8");
	await client.query("delete from t where id = 10");
	await uses(t, client, "t_form", ["select id from t where k > 2 and lower(v) = 'v3'"], false);
	for (let look = 1; look <= 5; look++) await server.adoptBuilds();
	t.deepEqual(await client.rows("show jobs"), []);
	await agrees(t, client);
});

test("an expression that fails for a row ends the building, and leaves nothing", async (t) => {
	const server = testServer();
	const client = await bigTable(server);
	const writer = await server.connect();
	await client.query(`update t set k = -1 where id in (${many - 10}, ${many - 11}, ${many - 12})`);
	const answers: string[] = [];
	between(server, async (step) => {
		// A writer minds the index before it is there; what has no entry in it can go.
		if (step > 0) return true;
		answers.push(await writer.error("insert into t values (0, -1, 'x')"));
		for (const change of ["delete from t", "update t set k = 3"]) {
			const where = `where id = ${change.startsWith("delete") ? many - 11 : many - 12}`;
			answers.push(await writer.query(`${change} ${where}`).then(() => "done", String));
		}
		return false;
	});
	t.is(await client.error("create index t_form on t ((1 / (k + 1)))"), "22012 division by zero");
	t.deepEqual(answers, ["22012 division by zero", "done", "done"]);
	t.deepEqual(await client.rows("show jobs"), []);
	t.deepEqual(await client.rows("select indexname from pg_indexes where tablename = 't'"), []);
	await client.query("insert into t values (0, -1, 'x')");
	await client.query("update t set k = 0 where k = -1; create index t_form on t ((1 / (k + 1)))");
});
