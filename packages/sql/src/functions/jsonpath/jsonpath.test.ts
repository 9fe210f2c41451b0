/** What testdata/sql/conformance/jsonpath.txt does not show: that each path has one parse, and that neither paths nor documents can hold a node up. */
import { readFileSync } from "node:fs";
import { DatabaseError } from "@quorate/keys/database-error";
import test from "ava";
import { parseCases } from "../../testing/conformance-file.ts";
import { parseJsonb } from "../../types/json-types.ts";
import { formatPath } from "../../types/jsonpath/format.ts";
import { countPathParses, parsePath } from "../../types/jsonpath/parse.ts";
import { typeByName } from "../../types/type-table.ts";
import { scalarCandidates } from "../table.ts";

const file = new URL("../../../../../testdata/sql/conformance/jsonpath.txt", import.meta.url);

/** Those that were recorded as text. */
const paths = parseCases(readFileSync(file, "utf8")).flatMap(({ statement, answer }) => {
	const given = /^select '(.*)'::jsonpath$/s.exec(statement)?.[1];
	return given === undefined || answer?.[0]?.startsWith("ERROR")
		? []
		: [given.replaceAll("''", "'")];
});

test("each path has one parse, and so has its text, which says the same", (t) => {
	t.true(paths.length > 100);
	for (const path of paths) {
		t.is(countPathParses(path), 1, path);
		const text = formatPath(parsePath(path));
		t.is(countPathParses(text), 1, text);
		t.is(formatPath(parsePath(text)), text);
	}
});

test("what was sent in binary is what it was", (t) => {
	const type = typeByName("jsonpath")!;
	for (const path of paths) {
		const value = type.parse(path, -1, {} as never);
		const back = type.decodeBinary(type.encodeBinary(value, {} as never), -1, {} as never);
		t.is(type.format(back, {} as never), type.format(value, {} as never));
	}
	const wrong = t.throws(() => type.decodeBinary(Uint8Array.of(2, 36), -1, {} as never));
	t.is(wrong?.message, "unsupported jsonpath version number: 2");
	t.throws(() => type.decodeBinary(new Uint8Array(0), -1, {} as never));
});

const code = (body: () => unknown): string => {
	try {
		body();
		return "";
	} catch (error) {
		return error instanceof DatabaseError ? error.code : String(error);
	}
};

test("long paths are refused, whatever they are made of", (t) => {
	const n = 1000;
	const around = (open: string, close: string): string => `${open.repeat(n)}$${close.repeat(n)}`;
	for (const path of [
		around("(", ")"),
		around("-", ""),
		around("$[", "]"),
		`$${".a".repeat(n)}`,
		`1${"+1".repeat(n)}`,
		`$ ? (${"1 == 1 && ".repeat(n)} 1 == 1)`,
		`$${" ? (@ == 1)".repeat(n)}`,
		`$[${"1,".repeat(n)}1]`,
	]) {
		t.is(
			code(() => parsePath(path)),
			"54001",
			path.slice(0, 40),
		);
	}
});

const [query] = scalarCandidates("jsonb_path_query_array");

const run = (path: string, document: string): string =>
	code(() =>
		query!.call(
			[{ kind: "jsonb", root: parseJsonb(document) }, parsePath(path)],
			{ transactionStart: 0n } as never,
			[],
		),
	);

test("what takes too many steps is refused", (t) => {
	const deep = `${"[".repeat(900)}${"]".repeat(900)}`;
	const wide = `[${Array(3000).fill(1).join()}]`;
	t.is(run("$.**", deep), "");
	t.is(run("$.**.**.**", deep), "54000");
	t.is(run("$.**.**.**.**.**.**", `{"a": ${deep}}`), "54000");
	t.is(run("$[*] ? (@ > 1)", wide), "");
	t.is(run("$[*] ? (@ == $[*] + 1)", wide), "54000");
	t.is(run("strict $[*] ? (@ > $[*])", wide), "54000");
	t.is(run(`$${".keyvalue()".repeat(190)}`, '{"a": 1, "b": {"c": 2}}'), "54000");
	const long = `[${Array(500).fill("9".repeat(10_000)).join()}]`;
	t.is(run("$[*] ? (@ / 7 == 1)", long), "54000");
	t.is(run(`$[*] ? (@ like_regex "(a*)*b")`, `["${"a".repeat(500_000)}"]`), "");
});
