import test from "ava";
import fc from "fast-check";
import { connectionOptions } from "./connection-options.ts";
import { formatMessage } from "./message-format.ts";
import { StatementSplitter } from "./statement-splitter.ts";
import { displayWidth, formatResult } from "./table-format.ts";

test("a URL goes before DATABASE_URL, and that before the PG variables", (t) => {
	const env = { PGHOST: "h", PGPORT: "1", PGUSER: "u", PGDATABASE: "d" };
	t.like(connectionOptions(undefined, {}), {
		host: "127.0.0.1",
		port: 7431,
		user: "quorate",
		database: "quorate",
	});
	t.like(connectionOptions(undefined, env), { host: "h", port: 1, user: "u", database: "d" });
	const both = { ...env, DATABASE_URL: "postgres://x:2/e%20e" };
	t.like(connectionOptions(undefined, both), { host: "x", port: 2, user: "u", database: "e e" });
	t.like(connectionOptions("postgresql://me@[::1]/", both), {
		host: "::1",
		port: 1,
		user: "me",
		database: "d",
	});
	t.throws(() => connectionOptions("mysql://x", {}), { message: /must begin with postgresql/ });
	t.throws(() => connectionOptions("x y", {}), { message: /is not a URL/ });
	t.throws(() => connectionOptions(undefined, { PGPORT: "99999" }), {
		message: '"99999" is not a port number',
	});
	t.throws(() => connectionOptions("postgres://x/?sslmode=on", {}), {
		message: /is none of disable/,
	});
});

const split = (text: string): string[] => {
	const splitter = new StatementSplitter();
	const statements = splitter.push(text);
	const rest = splitter.take();
	return rest === "" ? statements : [...statements, `${rest} ...`];
};

test("statements end at semicolons outside everything that may hold one", (t) => {
	t.deepEqual(split("select 1; select 2;"), ["select 1;", "select 2;"]);
	t.deepEqual(split(";;  ; select"), ["select ..."]);
	t.deepEqual(split("select ';', 'it''s;'; x"), ["select ';', 'it''s;';", "x ..."]);
	t.deepEqual(split("select E'\\';'; select '\\';"), ["select E'\\';';", "select '\\';"]);
	t.deepEqual(split("select name'\\'; x"), ["select name'\\';", "x ..."]);
	t.deepEqual(split('select "a;""b;"; x'), ['select "a;""b;";', "x ..."]);
	t.deepEqual(split("select $$;$$, $a$;$$;$a$; x"), ["select $$;$$, $a$;$$;$a$;", "x ..."]);
	t.deepEqual(split("select a$b; x$b"), ["select a$b;", "x$b ..."]);
	t.deepEqual(split("select $1; x"), ["select $1;", "x ..."]);
	t.deepEqual(split("/* ; /* ; */ ; */ select 1; -- ;\n"), ["/* ; /* ; */ ; */ select 1;"]);
	t.deepEqual(split("(select 1; select 2); x"), ["(select 1; select 2);", "x ..."]);
});

test("how the text is cut into pieces does not matter", (t) => {
	const tokens = [
		"select",
		" ",
		"';'",
		"E'\\'",
		"'",
		"$$",
		";",
		"--x\n",
		"/*",
		"*/",
		'"a"',
		"(",
		")",
		"\n",
		"1",
	];
	fc.assert(
		fc.property(
			fc.array(fc.constantFrom(...tokens), { maxLength: 20 }),
			fc.nat(100),
			(parts, cut) => {
				const text = parts.join("");
				const at = Math.min(cut, text.length);
				// A quote at the cut may be half of a doubled one, -- and /* half of a comment.
				fc.pre(!/['"$*/-]/.test(text.slice(at - 1, at + 1)));
				const splitter = new StatementSplitter();
				const pieces = [...splitter.push(text.slice(0, at)), ...splitter.push(text.slice(at))];
				t.deepEqual(pieces, new StatementSplitter().push(text));
			},
		),
		{ numRuns: 500, seed: 3 },
	);
});

test("tables look as psql's", (t) => {
	const fields = [
		{ name: "id", dataTypeID: 23 },
		{ name: "name", dataTypeID: 25 },
		{ name: "n", dataTypeID: 1700 },
	];
	const rows = [
		["1", "日本", "1.5"],
		["20", null, null],
		["3", "two\nlines", "-10.25"],
	];
	t.deepEqual(formatResult({ fields, rows, tag: "SELECT 3" }), [
		" id | name  |   n    ",
		"----+-------+--------",
		"  1 | 日本  |    1.5",
		" 20 |       |       ",
		"  3 | two  +| -10.25",
		"    | lines |       ",
		"(3 rows)",
	]);
	t.deepEqual(formatResult({ fields: [fields[1]!], rows: [["a"], ["bcdef"]], tag: "" }), [
		" name  ",
		"-------",
		" a",
		" bcdef",
		"(2 rows)",
	]);
	t.deepEqual(formatResult({ fields: undefined, rows: [], tag: "INSERT 0 1" }), ["INSERT 0 1"]);
	t.is(displayWidth("e\u0301🙂"), 3);
});

test("errors point at the place", (t) => {
	const error = (position: number) => ({
		severity: "ERROR",
		code: "42601",
		message: 'syntax error at or near "frm"',
		detail: undefined,
		hint: "Perhaps you meant FROM.",
		position,
	});
	t.deepEqual(formatMessage(error(14), "select '日本'\n\tfrm t"), [
		'ERROR:  syntax error at or near "frm"',
		"LINE 2:  frm t",
		"         ^",
		"HINT:  Perhaps you meant FROM.",
	]);
	const long = `select ${"x, ".repeat(60)}frm`;
	const [, line, caret] = formatMessage(error(long.length - 2), long);
	t.is(line!.slice(caret!.indexOf("^")), "frm");
	t.true(line!.startsWith("LINE 1: ..."));
	t.deepEqual(formatMessage(error(999), "short").length, 2);
});
