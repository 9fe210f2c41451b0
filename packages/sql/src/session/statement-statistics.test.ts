/** What is counted of statements, and that nothing of what they say is shown. */
import test from "ava";
import { lex } from "../parser/parse.ts";
import { testServer } from "../testing/test-client.ts";
import { preparedOf } from "./prepared.ts";
import { StatementStatistics } from "./statement-statistics.ts";
import { statementTextMax, withoutLiterals } from "./statement-text.ts";

const shown = (text: string): string => withoutLiterals(lex(text)[0]!);

test("no literal is shown, whatever its form and place", (t) => {
	t.is(
		shown("select  a, 'x''y' /* 41 */ from t\nwhere b = -1.5e3 and c = E'\\'s' and d = $1"),
		"select a, ? from t where b = -? and c = ? and d = $1",
	);
	t.is(shown("select 1; select $$secret$$"), "select ?");
	t.is(shown('select "a1" from t1 order by 1 limit 5'), 'select "a1" from t1 order by ? limit ?');
	t.is(
		shown("insert into t values (1, 'a'), (2, 'b'), (3, 'c') on conflict do nothing"),
		"insert into t values (?, ?) on conflict do nothing",
	);
	t.true(shown(`select ${"a, ".repeat(10_000)} 1`).length < statementTextMax + 10);
});

test("statements are counted by text, and by kind", async (t) => {
	const client = await testServer().connect();
	await client.query("create table t (id int primary key, v text)");
	await client.query("insert into t values (1, 'secret'), (2, 'secret')");
	for (const id of [1, 2, 3_000_000_000]) await client.query(`select v from t where id = ${id}`);
	await client.execute("select v from t where id = $1", ["1"]);
	await client.error("insert into t values (1, 'secret')");
	await client.query("begin; update t set v = 'secret' where id = 1; commit");
	await client.error("selec 'secret'");
	await client.error("select 'secret' from nosuch");
	await client.query("set application_name = 'secret'");
	const rows = await client.rows(
		"select kind, calls, failures, statement from quorate_statements order by kind, statement",
	);
	t.deepEqual(rows, [
		["commit", "1", "0", "COMMIT"],
		["insert", "2", "1", "insert into t values (?, ?)"],
		["other", "1", "0", "BEGIN"],
		["other", "1", "0", "CREATE TABLE"],
		["other", "1", "0", "SET"],
		["select", "1", "1", "select ? from nosuch"],
		["select", "1", "0", "select v from t where id = $1"],
		["select", "3", "0", "select v from t where id = ?"],
		["update", "1", "0", "update t set v = ? where id = ?"],
	]);
	const kinds = await client.rows(
		"select count(*) from quorate_statements where total_ms < worst_ms or mean_ms > worst_ms",
	);
	t.deepEqual(kinds, [["0"]]);
});

test("texts are for who may see what others run", async (t) => {
	const server = testServer();
	const client = await server.connect();
	await client.query(
		"create role ann login; create role ben login; grant pg_read_all_stats to ben",
	);
	const all =
		"select count(*), count(*) filter (where statement = 'CREATE ROLE') from quorate_statements";
	await client.query("set role ann");
	t.is((await client.rows(all))[0]?.[1], "0");
	await client.query("set role ben");
	t.is((await client.rows(all))[0]?.[1], "1");
});

test("there is a bound, and what took longest is kept", (t) => {
	const statistics = new StatementStatistics();
	const note = (text: string, ms: number): void => {
		const prepared = preparedOf(lex(text)[0]!, [], undefined, undefined, undefined);
		statistics.note({ ...prepared, parsed: { kind: "query" } as never }, ms, false);
	};
	for (let i = 0; i < 5_000; i++) {
		note(`select c${i} from t`, 1);
		if (i % 50 === 0) note("select slow from t", 900);
	}
	const { shapes, histograms } = statistics.report(Number.POSITIVE_INFINITY);
	t.true(shapes.length <= 500, String(shapes.length));
	t.like(shapes[0], { text: "select slow from t", calls: 100, totalMs: 90_000, worstMs: 900 });
	t.is(statistics.report(3).shapes.length, 3);
	const selects = histograms.find(({ kind }) => kind === "select");
	t.is(
		selects?.counts.reduce((a, b) => a + b),
		5_100,
	);
	t.is(selects?.counts[1], 5_000);
});
