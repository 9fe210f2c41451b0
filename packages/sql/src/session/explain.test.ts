/** EXPLAIN (FORMAT JSON), as programs read it. */
import test from "ava";
import { testServer } from "../testing/test-client.ts";

interface Node {
	readonly [name: string]: unknown;
	readonly Plans?: readonly Node[];
}

test("plans as JSON: nodes under PostgreSQL's names, what they did, no costs", async (t) => {
	const server = testServer();
	const client = await server.connect();
	const explained = async (options: string, query: string): Promise<Node> => {
		const rows = await client.rows(`EXPLAIN (FORMAT JSON${options}) ${query}`);
		t.is(rows.length, 1);
		return (JSON.parse(rows[0]![0]!) as readonly Node[])[0]!;
	};
	await client.tag(`CREATE TYPE mood AS ENUM ('sad', 'a "quoted" one')`);
	await client.tag("CREATE TABLE t (id int PRIMARY KEY, v text, m mood)");
	await client.tag("INSERT INTO t SELECT n, 'v' || n FROM generate_series(1, 5) n");

	const lookup = (await explained("", "SELECT v FROM t AS one WHERE id = 3 AND v <> 'x'"))["Plan"];
	t.like(lookup, {
		"Node Type": "Index Scan",
		"Relation Name": "t",
		Alias: "one",
		"Index Name": "t_pkey",
		"Plan Rows": 1,
		Filter: "(one.v <> 'x'::text)",
	});
	t.deepEqual(
		Object.keys(lookup as Node).filter((name) => /Cost|Actual|Schema|Plans/.test(name)),
		[],
	);

	const run = await explained(", ANALYZE, VERBOSE", "SELECT v FROM t WHERE id > 2");
	t.like(run["Plan"] as Node, { Schema: "public", "Actual Rows": 3, "Actual Loops": 1 });
	t.is(typeof run["Execution Time"], "number");

	const joined = (await explained(
		", COSTS off",
		"SELECT count(*) FROM t a LEFT JOIN t b ON a.v = b.v",
	)) as { readonly Plan: Node };
	t.like(joined.Plan, { "Node Type": "Aggregate" });
	t.like(joined.Plan.Plans![0], { "Node Type": "Hash Join", "Join Type": "Left" });
	t.deepEqual(
		joined.Plan.Plans![0]!.Plans!.map((node) => node["Alias"]),
		["a", "b"],
	);
	t.false("Plan Rows" in joined.Plan);

	const quoted = await explained("", `SELECT 1 FROM t WHERE m = 'a "quoted" one'::mood`);
	t.regex(String((quoted["Plan"] as Node)["Filter"]), /a "quoted" one/);
	t.like((await explained("", "UPDATE t SET v = 'x'"))["Plan"] as Node, {
		"Node Type": "ModifyTable",
		Operation: "Update",
		"Relation Name": "t",
	});
	t.regex(await client.error("EXPLAIN (FORMAT YAML) SELECT 1"), /^0A000/);
	await server.close();
});

test("of EXECUTE, with what it gives to the statement; without estimates", async (t) => {
	const server = testServer();
	const client = await server.connect();
	await client.tag("CREATE TABLE t (id int PRIMARY KEY, v text)");
	await client.tag("PREPARE change (int) AS INSERT INTO t VALUES ($1, 'x') RETURNING id");
	await client.tag("PREPARE look (int) AS SELECT v FROM t WHERE id = $1");
	const lines = async (query: string): Promise<readonly string[]> =>
		(await client.rows(query)).map(([line]) => line!);
	const plain = await lines("EXPLAIN EXECUTE change (1)");
	t.true(plain.some((line) => line.includes("(rows=")));
	t.deepEqual(await client.rows("SELECT * FROM t"), []);
	await lines("EXPLAIN (ANALYZE) EXECUTE change (7)");
	t.deepEqual(await client.rows("EXECUTE look (7)"), [["x"]]);
	const bare = await lines("EXPLAIN (ANALYZE, COSTS OFF) EXECUTE look (7)");
	t.regex(bare[0]!, / \(actual time=[\d.]+ rows=1 loops=1\)$/);
	t.false(bare.some((line) => line.includes("(rows=")));
	t.regex(await client.error("EXPLAIN EXECUTE look"), /^42601/);
	t.regex(await client.error("EXPLAIN EXECUTE missing"), /^26000/);
});
