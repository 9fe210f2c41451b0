/** What a person types into psql: it runs without an error, and the expected lines are in it. */
import { psql } from "../tools/psql.ts";
import { type ProgramResult, runProgram } from "../tools/run-program.ts";
import type { ScenarioContext, Violations } from "./scenario.ts";

interface Check {
	readonly input: string;
	readonly expected: readonly RegExp[];
	/** The statement is wrong on purpose. */
	readonly fails?: true;
}

const tables = `
CREATE TABLE pets (id int PRIMARY KEY, name text NOT NULL DEFAULT 'nobody', born date, weight numeric(6,2) CHECK (weight > 0));
CREATE UNIQUE INDEX pets_name ON pets (name);
CREATE TABLE toys (id int PRIMARY KEY, pet int);
INSERT INTO pets VALUES (1, 'Ada', '2020-02-29', 4.25), (2, 'Bo', NULL, NULL);
`;

const checks: readonly Check[] = [
	{ input: "\\l", expected: [/List of databases/, /^ quorate +\| quorate +\| UTF8/m] },
	{ input: "\\dn", expected: [/List of schemas/, /^ +public +\|/m] },
	{ input: "\\dt", expected: [/List of relations/, /^ public \| pets +\| table \| quorate$/m] },
	{
		input: "\\di",
		expected: [/^ public \| pets_name +\| index \| quorate \| pets$/m, /pets_pkey/],
	},
	{ input: "\\dv", expected: [/Did not find any relations\./] },
	{
		input: "\\d",
		expected: [
			/^ public \| pets +\| table \| quorate$/m,
			/^ public \| toys +\| table \| quorate$/m,
		],
	},
	{
		input: "\\d pets",
		expected: [
			/Table "public\.pets"/,
			/^ id +\| integer +\| +\| not null \| ?$/m,
			/^ name +\| text +\| +\| not null \| 'nobody'::text$/m,
			/^ weight +\| numeric\(6,2\) +\|/m,
			/^ {4}"pets_pkey" PRIMARY KEY, btree \(id\)$/m,
			/^ {4}"pets_name" UNIQUE, btree \(name\)$/m,
			/^Check constraints:\n {4}"pets_weight_check" CHECK \(+weight > 0/m,
		],
	},
	{
		input: "\\d pets_name",
		expected: [/Index "public\.pets_name"/, /^unique, btree, for table "public\.pets"$/m],
	},
	{ input: "\\d+ pets", expected: [/Table "public\.pets"/, /Storage/] },
	{ input: "\\du", expected: [/List of roles/, /^ quorate +\| .*Superuser/m] },
	{ input: "\\df nothing", expected: [/List of functions/, /\(0 rows\)/] },
	{ input: "\\dT", expected: [/List of data types/] },
	{ input: "\\ds", expected: [/Did not find any relations\./] },
	{ input: "\\encoding", expected: [/^UTF8$/m] },
	{
		input: "\\conninfo",
		expected: [/connected to database "quorate" as user "quorate" on host "127\.0\.0\.1"/],
	},
	{ input: "\\timing on\nSELECT 1;", expected: [/Timing is on\./, /^Time: \d+\.\d+ ms/m] },
	{
		input: "\\x on\nSELECT * FROM pets WHERE id = 1;",
		expected: [/-\[ RECORD 1 \]/, /^name +\| Ada$/m, /^weight \| 4\.25$/m],
	},
	{
		input: "SELECT id, name, born FROM pets ORDER BY id;",
		expected: [/^ {2}1 \| Ada {2}\| 2020-02-29$/m, /^\(2 rows\)$/m],
	},
	{ input: "SELECT 1 AS a \\gset\n\\echo got :a", expected: [/^got 1$/m] },
	{
		input: "BEGIN;\nINSERT INTO pets (id) VALUES (3);\nROLLBACK;\nSELECT count(*) FROM pets;",
		expected: [/^ROLLBACK$/m, /^ {5}2$/m],
	},
	{ input: "\\copy pets (id, name) TO STDOUT", expected: [/^1\tAda$/m, /^2\tBo$/m] },
	{
		input: "COPY pets FROM STDIN;\n4\tDee\t\\N\t\\N\n\\.\nDELETE FROM pets WHERE id = 4;",
		expected: [/^COPY 1$/m, /^DELETE 1$/m],
	},
	{
		input: "SELECT id\nFROM pets WHERE nam = 'Ada';",
		fails: true,
		expected: [
			/ERROR: {2}column "nam" does not exist\nLINE 2: FROM pets WHERE nam = 'Ada';\n {24}\^/,
			/HINT: {2}Perhaps you meant to reference the column "pets\.name"\./,
		],
	},
	{
		input: "SELEC 1;",
		fails: true,
		expected: [/ERROR: {2}syntax error at or near "SELEC"\nLINE 1: SELEC 1;\n {8}\^/],
	},
	{
		input: "SELECT * FROM nothing;",
		fails: true,
		expected: [/relation "nothing" does not exist\nLINE 1: SELECT \* FROM nothing;\n {22}\^/],
	},
	{
		input: "INSERT INTO pets VALUES (1, 'Cy');",
		fails: true,
		expected: [
			/duplicate key value violates unique constraint "pets_pkey"\nDETAIL: {2}Key \(id\)=\(1\) already exists\./,
		],
	},
	{ input: "SELECT 1/0;", fails: true, expected: [/ERROR: {2}division by zero/] },
];

export async function psqlWorks({ cluster, log }: ScenarioContext): Promise<Violations> {
	const node = cluster.node(1);
	const found: string[] = [];
	const created = await psql(node, ["-q"], tables);
	if (created.status !== 0 || created.err !== "") {
		return [`the tables were not created: ${created.err}`];
	}
	for (const check of checks) {
		found.push(...(await checkInput(node, check)));
	}
	found.push(...(await checkFlags(cluster.node(2))));
	found.push(...(await checkDatabases([cluster.node(1), cluster.node(2)])));
	const dropped = await psql(node, ["-q"], "DROP TABLE toys; DROP TABLE pets;");
	log(`${checks.length} inputs`);
	return dropped.status === 0 ? found : [...found, dropped.err];
}

type Node = ScenarioContext["cluster"]["nodes"][number];

async function checkInput(node: Node, check: Check): Promise<Violations> {
	const { status, out, err } = await psql(node, [], `${check.input}\n`);
	const all = `${out}${err}`;
	const failed = status !== 0 || /^(ERROR|psql: error)/m.test(err);
	if (failed !== (check.fails ?? false)) {
		return [`${check.input}: ended with ${status}:\n${all}`];
	}
	return check.expected
		.filter((pattern) => !pattern.test(all))
		.map((pattern) => `${check.input}: no ${pattern} in\n${all}`);
}

/** Made at one node, used at another, dropped at the first: with PostgreSQL's programs for that. */
async function checkDatabases(nodes: readonly Node[]): Promise<Violations> {
	const [first, other] = [nodes[0]!, nodes.at(-1)!];
	const main = "--maintenance-db=quorate";
	const input = "CREATE TABLE t (a int); INSERT INTO t VALUES (7);\n\\c quorate\n\\dt t\n";
	const steps: readonly (readonly [() => Promise<ProgramResult>, RegExp])[] = [
		[() => runProgram("createdb", [main, "shop"], first), /^$/],
		[() => psql(other, ["-d", "shop"], input), /connected to database "quorate"/],
		[
			() => psql(first, ["-d", "shop", "-Atc", "SELECT a, current_database() FROM t"]),
			/^7\|shop$/m,
		],
		[() => psql(other, ["-l", "-d", "shop"]), /^ shop +\| quorate +\|/m],
		[() => runProgram("dropdb", [main, "shop"], first), /^$/],
		[() => psql(other, ["-Atc", "SELECT count(*) FROM pg_database"]), /^1$/m],
	];
	const found: string[] = [];
	for (const [step, expected] of steps) {
		const { status, out, err } = await step();
		const all = `${out}${err}`;
		if (status !== 0 || !expected.test(all))
			found.push(`databases: ${status}, ${expected}: ${all}`);
	}
	return found;
}

/** What scripts give on the command line. */
async function checkFlags(node: Node): Promise<Violations> {
	const cases: readonly { args: readonly string[]; expected: RegExp; status: number }[] = [
		{ args: ["-Atc", "SELECT name FROM pets ORDER BY id"], expected: /^Ada\nBo\n$/, status: 0 },
		{ args: ["-c", "SELECT 1", "-c", "\\dt pets"], expected: /\(1 row\)[\s\S]*pets/, status: 0 },
		{
			args: ["--csv", "-c", "TABLE pets"],
			expected: /^id,name,born,weight\n1,Ada,2020-02-29,4\.25\n/,
			status: 0,
		},
		{ args: ["-l", "-d", "quorate"], expected: /^ quorate +\|/m, status: 0 },
		{
			args: ["-1", "-qc", "INSERT INTO pets VALUES (9)", "-c", "SELECT nope"],
			expected: /nope/,
			status: 1,
		},
		{ args: ["-Atc", "SELECT count(*) FROM pets"], expected: /^2\n$/, status: 0 },
		{
			args: ["-d", "nowhere", "-c", "SELECT 1"],
			expected: /database "nowhere" does not exist/,
			status: 2,
		},
	];
	const found: string[] = [];
	for (const { args, expected, status } of cases) {
		const result = await psql(node, args);
		const all = `${result.out}${result.err}`;
		if (result.status !== status || !expected.test(all)) {
			found.push(`psql ${args.join(" ")}: ended with ${result.status}:\n${all}`);
		}
	}
	return found;
}
