import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { DatabaseError } from "@quorate/keys/database-error";
import test from "ava";
import { countParses, lex, parse, parseExpression } from "./parse.ts";
import { renderTree } from "./render-tree.ts";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const now = async (): Promise<void> => {};

const parseOne = async (text: string) => {
	const [statement] = lex(text);
	if (statement === undefined) {
		throw new Error("no statement");
	}
	return parse(statement, now);
};

test("the compiled grammar is that of the .ne files", (t) => {
	t.notThrows(() => {
		execFileSync(process.execPath, [path("../../scripts/grammar.mjs"), "--check"]);
	});
});

const clients = path("../../../../testdata/sql/clients/");
for (const file of readdirSync(clients)) {
	test(`what clients send has one parse: ${file}`, async (t) => {
		for (const text of readFileSync(clients + file, "utf8").split("\n\n")) {
			for (const statement of lex(text)) {
				t.is(countParses(statement), 1, text);
				await parse(statement, now);
			}
		}
	});
}

test("long lists are neither deep nor slow", async (t) => {
	const numbers = Array.from({ length: 20_000 }, (_, i) => i);
	const list = await parseOne(`select * from t where a in (${numbers.join(", ")})`);
	t.true(renderTree(list).includes("index: 19999"));
	const parameters = numbers.map((i) => `$${i + 1}`).join(",");
	t.true(renderTree(await parseOne(`select f(${parameters})`)).includes("index: 20000"));
	const terms = numbers.slice(0, 2000).map((i) => `a = ${i}`);
	t.true(renderTree(await parseOne(`select ${terms.join(" or ")}`)).includes("index: 1999"));
});

test("limits", async (t) => {
	const refused = async (text: string, code: string): Promise<void> => {
		const error = await t.throwsAsync(() => parseOne(text), { instanceOf: DatabaseError });
		t.is(error?.code, code, text.slice(0, 40));
	};
	const deep = (n: number): string => `select ${"(".repeat(n)}1${")".repeat(n)}`;
	await t.notThrowsAsync(() => parseOne(deep(200)));
	await refused(deep(201), "54001");
	await t.notThrowsAsync(() => parseOne(`select 1${" + a".repeat(200)}`));
	await refused(`select 1${" + a".repeat(5000)}`, "54001");
	await refused(`select a${", a".repeat(15_000)}`, "54001");
	await refused(`select a${", a".repeat(1664)}`, "54011");
	await refused("select $0", "42P02");
	await refused("select $65536", "42P02");
});

test("a large constant costs no stack", async (t) => {
	const text = "x''".repeat(1_000_000);
	t.is((await parseOne(`insert into t values ('${text}')`)).kind, "insert");
	await t.throwsAsync(() => parseOne(`comment on table t is '${text}'`), {
		instanceOf: DatabaseError,
	});
});

test("the parser gives way between slices", async (t) => {
	const [statement] = lex(`select ${"a + ".repeat(200)} a`);
	let yields = 0;
	await parse(statement as NonNullable<typeof statement>, async () => {
		yields += 1;
	});
	t.true(yields >= 9);
});

test("concurrent parses do not meet", async (t) => {
	const texts = [
		"select a from t where b = 1",
		"update t set a = 2, b = 'x' where c",
		"values (1)",
	];
	const alone = [];
	for (const text of texts) {
		alone.push(renderTree(await parseOne(text)));
	}
	const wide = texts.map((text) => `${text}${" and ((a))".repeat(text.startsWith("v") ? 0 : 100)}`);
	await Promise.all([...wide.map(parseOne), ...texts.map(parseOne)]);
	const together = await Promise.all(texts.map(parseOne));
	t.deepEqual(together.map(renderTree), alone);
});

test("stored expressions keep their literals", (t) => {
	t.is(
		renderTree(parseExpression("nextval('s'::regclass) + -1")),
		'operator(operator: "+", operands: [call(name: "nextval", args: [cast(operand: literal(type: "string", text: "s"), ' +
			'type: (name: ["regclass"], dimensions: 0))]), literal(type: "integer", text: "-1")])',
	);
});
