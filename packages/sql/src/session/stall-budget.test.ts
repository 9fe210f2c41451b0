/**
 * How long a statement may hold the event loop, on which the node's other sessions, its leases and its heartbeats live. Counted in
 * steps: rows and pairs of rows between two looks at the clock. A step that is slow by itself is counted by what it reads.
 */
import test from "ava";
import { testServer } from "../testing/test-client.ts";

/** With 10 ms for each look, every one of them ends a time slice. */
function countingServer(msForEach: number) {
	const counted = { looks: 0 };
	const clock = {
		monotonicMs: () => {
			counted.looks++;
			return counted.looks * msForEach;
		},
		wallMs: () => Date.now(),
	};
	return { counted, server: testServer({ parts: { clock } }) };
}

const rows = 10_000;
const many = `generate_series(1, ${rows}) as g(n)`;
/** Pairs of which none joins. */
const pairs = "generate_series(1, 100) as a(n) join generate_series(1, 2000) as b(n)";

const statements: readonly (readonly [steps: number, text: string])[] = [
	[rows, `select count(*) from ${many}`],
	[rows, `select count(*) from ${many} where n % 2 = 3`],
	[rows, `select n + 1 from ${many} where n < 0`],
	[rows, `select n % 7, sum(n) from ${many} group by 1`],
	[rows, `select n from ${many} order by -n limit 10`],
	[rows, `select n from ${many} order by -n offset ${rows}`],
	[rows, `select distinct n % 7 from ${many}`],
	[rows, `select count(*) from (select n from ${many} except select -n from ${many}) x`],
	[rows, `select max(s) from (select sum(n) over (order by n) as s from ${many}) x`],
	[
		rows,
		`with recursive r(n) as (select 1 union all select n + 1 from r where n < ${rows}) select max(n) from r`,
	],
	[200_000, `select count(*) from ${pairs} on a.n > b.n + 2000`],
	[200_000, `select count(*) from ${pairs} on a.n + b.n < 0`],
	[
		200_000,
		`select count(*) from generate_series(1, 100) a(n) where exists (select 1 from generate_series(1, 2000) b(n) where b.n < -a.n)`,
	],
	[
		rows,
		`select count(*) from generate_series(1, ${rows}) a(n) join generate_series(1, ${rows}) b(n) using (n)`,
	],
	[rows, `insert into t select n from ${many}`],
	[rows, "select count(*) from t where a % 2 = 5"],
	[rows, "update t set b = a"],
	[rows, "delete from t where b is not null"],
	[
		500,
		`select count(*) from generate_series(1, 500) n where repeat('a', 2000) ~ ('(a|b)*c' || n)`,
	],
];

/** Of rows, while they are fast. */
const stepsMax = 1024;

test("no statement goes over many rows without a look at the clock", async (t) => {
	const { counted, server } = countingServer(0);
	const client = await server.connect();
	await client.query("create table t (a int primary key, b int)");
	for (const [steps, text] of statements) {
		counted.looks = 0;
		await client.query(text);
		t.true(counted.looks >= steps / stepsMax, `${text}: ${counted.looks} looks in ${steps} steps`);
	}
	await server.close();
});

test("where a row takes longer than a time slice, each one ends with a turn for others", async (t) => {
	const { counted, server } = countingServer(10);
	const client = await server.connect();
	for (const text of [
		"select count(*) from generate_series(1, 1000) n where n % 2 = 3",
		"select n + 1 from generate_series(1, 1000) n",
		"select count(*) from generate_series(1, 10) a(n) join generate_series(1, 100) b(n) on a.n + b.n < 0",
		"select n % 3, count(*) from generate_series(1, 1000) n group by 1",
	]) {
		counted.looks = 0;
		await client.query(text);
		t.true(counted.looks >= 1000, `${text}: ${counted.looks} looks`);
	}
	await server.close();
});

/** Of two statements the second has to keep its rows, and goes over them again, so often. */
const kept: readonly (readonly [times: number, text: string, keeping: string])[] = [
	[3, "update t set b = a", "update t set a = a + 20000"],
	[
		2,
		`select length(string_agg(n::text, ',')) from ${many}`,
		`select length(string_agg(n::text, ',' order by -n)) from ${many}`,
	],
];

test("rows that were kept are gone over with as many looks at the clock", async (t) => {
	const { counted, server } = countingServer(0);
	const client = await server.connect();
	await client.query("create table t (a int primary key, b int)");
	await client.query(`insert into t select n from ${many}`);
	const looks = async (text: string): Promise<number> => {
		counted.looks = 0;
		await client.query(text);
		return counted.looks;
	};
	for (const [times, text, keeping] of kept) {
		const more = (await looks(keeping)) - (await looks(text));
		t.true(more >= (times * rows) / stepsMax, `${keeping}: ${more} more`);
	}
	await server.close();
});

/** What a search would take too long for: refused after a number of characters that does not depend on the machine. */
const refused: readonly string[] = [
	"select regexp_replace(repeat('a', 100000), 'a|a*b', 'x', 'g')",
	"select regexp_replace(repeat('a', 1100000), 'a', 'x', 'g')",
	"select substring(repeat('a', 10000) similar '%#\"a#\"%' escape '#')",
	"select regexp_count(repeat('a', 100000), 'a|a*[bc]')",
	"select count(*) from regexp_matches(repeat('a', 100000), 'a|a*[bc]', 'g')",
	"select regexp_split_to_array(repeat('a', 100000), 'a|a*[bc]')",
	"select count(*) from regexp_split_to_table(repeat('a', 100000), 'a|a*[bc]')",
	"select repeat('a', 10000) ~ 'a{0,900}a{0,900}a{0,900}a{0,900}[bc]'",
	"select regexp_match(repeat('a', 10000), '(a{0,300}){0,3}(a{0,900}){0,1}a{0,900}[bc]')",
	"select substring(repeat('a', 10000) from 'a{0,900}a{0,900}a{0,900}[bc]')",
	"select repeat('a', 10000) similar to '(a{0,900})(a{0,900})(a{0,900})[bc]'",
	"select repeat('a', 100000) like '%' || repeat('a_', 5000) || 'b%'",
	"select repeat('A', 100000) ilike '%' || repeat('_a', 5000) || 'b%'",
];

test("a pattern that would hold the event loop for long is refused", async (t) => {
	const server = testServer();
	const client = await server.connect();
	for (const text of refused) t.regex(await client.error(text), /^54000 .* takes too long/, text);
	t.deepEqual(
		await client.rows(
			"select length(regexp_replace(repeat('ab ', 20000), 'a|a*c', 'xy', 'g')), regexp_count(repeat('word ', 50000), '\\w+'), repeat('abc', 100000) like '%_bc_bd%'",
		),
		[["80000", "50000", "f"]],
	);
	await server.close();
});
