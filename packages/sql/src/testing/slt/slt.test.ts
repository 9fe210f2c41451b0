/** The files in testdata/sql that have sqllogictest's form, and the form itself. */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import test from "ava";
import { runOnQuorate } from "./run-file.ts";
import { parseSlt } from "./slt-file.ts";
import { SltRun } from "./slt-run.ts";

const folder = fileURLToPath(new URL("../../../../../testdata/sql/", import.meta.url));

for (const file of readdirSync(folder).filter((name) => name.endsWith(".slt"))) {
	test(file, async (t) => {
		const { records, complaints } = await runOnQuorate(folder + file);
		t.true(records > 0);
		t.is(complaints.join("\n"), "");
	});
}

/** What the only record of a file says of an answer. */
async function judged(file: string, answer: readonly string[]): Promise<string | undefined> {
	const [record] = parseSlt(file);
	return new SltRun(() => Promise.resolve(answer)).check(record!);
}

const rows = ["a int4 | b text", "|2|x y|", "|1|\\N|", "|10||", "SELECT 3"];

test("results are values or rows, sorted as the file says, or a hash", async (t) => {
	const query = (head: string, ...lines: string[]): string =>
		`query ${head}\nselect\n----\n${lines.join("\n")}\n\n`;
	const fine = [
		query("IT", "2", "x y", "1", "NULL", "10", "(empty)"),
		query("IT", "2 x y", "1 NULL", "10 (empty)"),
		query("IT rowsort", "1", "NULL", "10", "(empty)", "2", "x y"),
		query("IT rowsort", "1  NULL", "10 (empty)", "2\tx y"),
		query("IT valuesort", "(empty)", "1", "10", "2", "NULL", "x y"),
		query("IT rowsort", "6 values hashing to 6f24db7ce216d97436e3acfdc3b936f6"),
		"query IT\nselect\n",
	];
	for (const file of fine) t.is(await judged(file, rows), undefined, file);
	const wrong = [
		query("IT", "1 NULL", "2 x y", "10 (empty)"),
		query("IT", "2", "x y", "1", "NULL", "10"),
		query("IT rowsort", "6 values hashing to 6f24db7ce216d97436e3acfdc3b936f7"),
		query("I", "2", "1", "10"),
	];
	for (const file of wrong) t.truthy(await judged(file, rows), file);
	t.is(await judged(query("IRI", "1", "0.333", "1"), ["|1.9|0.33333|t|"]), undefined);
	const booleans = ["a int4 | b bool", "|1|t|", "|2|f|"];
	for (const [yes, no] of ["tf", "10"]) {
		t.is(await judged(query("IT", "1", yes!, "2", no!), booleans), undefined);
	}
	t.is(await judged(query("IB", "1 true", "2 false"), booleans), undefined);
	t.truthy(await judged(query("IB", "1 false", "2 true"), booleans));
	const named = query("IT rowsort,colnames", "a b", "1 NULL", "10 (empty)", "2 x y");
	t.is(await judged(named, rows), undefined);
	t.regex((await judged(named.replace("a b", "a c"), rows)) ?? "", /columns are a b/);
});

test("statements succeed, fail or touch so many rows", async (t) => {
	const failed = ['ERROR 42P01 at 8: relation "x" does not exist'];
	t.is(await judged("statement ok\nupdate", ["UPDATE 3"]), undefined);
	t.truthy(await judged("statement ok\nupdate", failed));
	t.is(await judged("statement count 3\nupdate", ["UPDATE 3"]), undefined);
	t.truthy(await judged("statement count 2\nupdate", ["UPDATE 3"]));
	t.is(await judged("statement error\nupdate", failed), undefined);
	t.is(await judged("query error relation .* does not exist\nupdate", failed), undefined);
	t.truthy(await judged("statement error duplicate\nupdate", failed));
	t.truthy(await judged("statement error\nupdate", ["UPDATE 3"]));
	t.is(await judged("statement error pgcode 42P01 relation\nupdate", failed), undefined);
	t.truthy(await judged("statement error pgcode 42703\nupdate", failed));
	t.is(await judged('statement error\nupdate\n----\nrelation "x" does not\n', failed), undefined);
	t.truthy(await judged('statement error\nupdate\n----\nrelation "y" does not\n', failed));
	t.truthy(await judged("statement error (\nupdate", failed));
	for (const answer of [["UPDATE 3"], failed]) {
		t.is(await judged("statement maybe\nupdate", answer), undefined);
	}
});

test("conditions, connections, labels, the end; and what is not known", async (t) => {
	const records = parseSlt(
		[
			"hash-threshold 8\n",
			"skipif postgresql\nstatement ok\na\n",
			"onlyif mysql\nstatement ok\nb\n",
			"onlyif postgresql\nconnection two\nquery I nosort same\nc\nd\n----\n1\n",
			"# a remark\nquery I nosort same\ne\n",
			"skipif mysql\nhalt\n",
			"statement ok\nnever",
		].join("\n"),
	);
	t.deepEqual(
		records.map(({ sql, connection, line }) => ({ sql, connection, line })),
		[
			{ sql: "c\nd", connection: "two", line: 13 },
			{ sql: "e", connection: "", line: 20 },
		],
	);
	let answers = 0;
	const run = new SltRun(() => Promise.resolve([`|${++answers}|`]));
	t.is(await run.check(records[0]!), undefined);
	t.regex((await run.check(records[1]!))!, /label same/);
	t.throws(() => parseSlt("what is this"), { code: "42601", message: /line 1/ });
});

test("loops", (t) => {
	const text = [
		"foreach t a b",
		"statement ok",
		// biome-ignore lint/suspicious/noTemplateCurlyInString: the form's own
		"create table ${t}",
		"",
		"loop i 0 2",
		"statement ok",
		// biome-ignore lint/suspicious/noTemplateCurlyInString: the form's own
		"insert into ${t} values (${i})",
		"",
		"endloop",
		"",
		"endloop",
		"",
		"statement ok",
		"end",
	].join("\n");
	t.deepEqual(
		parseSlt(text).map(({ sql, line }) => `${line} ${sql}`),
		[
			"2 create table a",
			"6 insert into a values (0)",
			"6 insert into a values (1)",
			"2 create table b",
			"6 insert into b values (0)",
			"6 insert into b values (1)",
			"13 end",
		],
	);
	t.throws(() => parseSlt("\nloop i 0 2\nstatement ok\na\n"), { message: /line 2: loop has no/ });
	t.throws(() => parseSlt("loop i\nendloop\n"), { message: /line 1: loop wants/ });
});
