import { DatabaseError } from "@quorate/keys/database-error";
import test from "ava";
import fc from "fast-check";
import { lex, lexInParts } from "./parse.ts";
import * as scan from "./scanner.ts";
import { type Token, tokensBetween } from "./tokens.ts";

const one = (text: string) => {
	const statements = lex(text);
	if (statements.length !== 1) {
		throw new Error(`${statements.length} statements`);
	}
	return statements[0] as NonNullable<(typeof statements)[0]>;
};
const literals = (text: string): string[] => one(text).literals.map((literal) => literal.text);

test("statements are split at semicolons outside of everything", (t) => {
	const query = "select ';' ; -- ;\n/* ; */ begin;;select \";\", $$;$$";
	const statements = lex(query);
	t.deepEqual(
		statements.map((s) => s.text),
		["select ';'", "begin", 'select ";", $$;$$'],
	);
	for (const s of statements) {
		t.is(query.slice(s.offset, s.offset + s.text.length), s.text);
	}
	t.deepEqual(lex(""), []);
	t.deepEqual(lex(" -- x\n /* y */ ; "), []);
});

test("one shape for different literals of one type, not for different types", (t) => {
	const shape = (text: string): string => one(text).shape;
	t.is(shape("select a from t where b = 1"), shape("select a from t where b = 2147483647"));
	t.is(shape("select 'x'"), shape("select E'\\n'"));
	t.is(shape("select a + 5 from t"), shape("select a + -5 from t"));
	t.is(shape("select 1 /* x */ from t"), shape("select 2 /* y */ from t"));
	const types = ["1", "2147483648", "9223372036854775808", "'1'", "$1", "null"];
	t.is(new Set(types.map((literal) => shape(`select ${literal}`))).size, types.length);
	t.is(shape("select 1.5"), shape("select 9223372036854775808"));
	t.not(shape("select '\u0001'"), shape('select "\u0001"'));
});

test("a sign is part of a number only where it cannot be an operator", (t) => {
	t.deepEqual(literals("select a + -5, (-6), - 7, f(-8), a -9, -1.5"), [
		"-5",
		"-6",
		"-7",
		"-8",
		"9",
		"-1.5",
	]);
	t.deepEqual(literals("select (-5::text)"), ["5"]);
	t.deepEqual(literals("select (-9223372036854775808), (-9223372036854775809)"), [
		"-9223372036854775808",
		"-9223372036854775809",
	]);
	t.deepEqual(
		one("select (-9223372036854775808), (-9223372036854775809)").literals.map((l) => l.type),
		["integer", "decimal"],
	);
});

test("what means something by its value stays", (t) => {
	t.deepEqual(literals("select a::varchar(10), cast(b as numeric(8, 2)), left(c, 3)"), ["3"]);
	t.deepEqual(literals("select a, 'x' from t where b = 5 order by 1, f(2) desc limit 10"), [
		"x",
		"5",
		"10",
	]);
	t.deepEqual(literals("select a + 1 from t where b = 5 group by a + 1 having a > 6 limit 7"), [
		"5",
		"7",
	]);
	t.deepEqual(
		literals("select * from t where a in (select b + 1 from u where c = 2 group by b + 1)"),
		["2"],
	);
	t.deepEqual(literals("select distinct a + 1 from t where b = 2 order by a + 1"), ["2"]);
	t.deepEqual(literals("select distinct on (1) a from t where b = 'x'"), ["x"]);
	t.deepEqual(literals("create table t (a int default 5)"), []);
	t.deepEqual(literals("set x = 5"), []);
	t.deepEqual(literals("explain select 5"), []);
	t.deepEqual(literals("execute p (5)"), ["5"]);
});

test("rows of literals are read as data", (t) => {
	const statement = one(
		"insert into t (a, b) values (1, 'x'), (-2, null), (default, true) returning a",
	);
	t.deepEqual(literals(statement.text), ["1", "x"]);
	t.deepEqual(
		statement.moreRows?.map((row) =>
			row.map((cell) => (typeof cell === "object" ? cell.text : cell)),
		),
		[
			["-2", "null"],
			["default", true],
		],
	);
	t.is(statement.shape, "insert into t (a, b) values (\u0001, \u0004) returning a");
	t.is(statement.shape, one("insert into t (a, b) values (7, 'yy') returning a").shape);
	for (const text of [
		"insert into t values (1), (2, 3)",
		"insert into t values (1), (a)",
		"insert into t values (1), (2), (1 + 1)",
		"insert into t values (1), (2",
		"insert into t values (1), ",
		"insert into t select * from (values (1), (2)) v",
	]) {
		t.is(one(text).moreRows, undefined, text);
	}
});

test("lexical errors are PostgreSQL's, with positions in characters", (t) => {
	const refused = (text: string, message: string, position: number, code = "42601"): void => {
		const error = t.throws(() => lex(text), { instanceOf: DatabaseError });
		t.is(error?.message, message);
		t.is(error?.fields.position, position);
		t.is(error?.code, code);
	};
	refused("select 'abc", 'unterminated quoted string at or near "\'abc"', 8);
	refused("select '\u{1f600}', 'abc", 'unterminated quoted string at or near "\'abc"', 13);
	refused('select "abc', 'unterminated quoted identifier at or near ""abc"', 8);
	refused('select ""', 'zero-length delimited identifier at or near """"', 8);
	refused("select /* a /* b */", 'unterminated /* comment at or near "/* a /* b */"', 8);
	refused("select $a$ x", 'unterminated dollar-quoted string at or near "$a$ x"', 8);
	refused("select 12ab + 1", 'trailing junk after numeric literal at or near "12ab"', 8);
	refused("select 1e+", 'trailing junk after numeric literal at or near "1e+"', 8);
	refused("select $1a", 'trailing junk after parameter at or near "$1a"', 8);
	refused("select \\x", 'syntax error at or near "\\"', 8);
	refused("select E'\\u12'", "invalid Unicode escape", 10, "22025");
	refused("select x'1F'", "bit string constants are not supported", 8, "0A000");
});

test("string constants", (t) => {
	t.deepEqual(literals("select 'a''b', 'a'\n'b', 'a' -- ''\n\n 'b', ''"), ["a'b", "ab", "ab", ""]);
	t.deepEqual(literals("select E'a\\'b\\\\\\n\\x41\\101\\u00e9', e'\\xc3\\xa9''' "), [
		"a'b\\\nAA\u00e9",
		"\u00e9'",
	]);
	t.deepEqual(literals("select E'\\ud83d\\ude00', E'a\\n'\n'b\\n'"), ["\u{1f600}", "a\nb\n"]);
	t.deepEqual(literals("select $$a'b$$, $x$a$$b$x$"), ["a'b", "a$$b"]);
	for (const bad of ["E'\\xff'", "E'\\0'", "E'\\ud83d'"]) {
		t.throws(() => lex(`select ${bad}`), { instanceOf: DatabaseError });
	}
});

/** Tokens as the scanner finds them, in the words of the grammar's lexer. */
function scanned(text: string): string[] {
	const scanner = new scan.Scanner();
	scanner.reset(text, 0);
	const tokens: string[] = [];
	const names: readonly string[] = [
		"end",
		"word",
		"word",
		"string",
		"string",
		"string",
		"integer",
		"decimal",
		"parameter",
		"operator",
		"operator",
		"string",
		"word",
	];
	while (scanner.next() !== scan.END) {
		tokens.push(`${names[scanner.kind]} ${scanner.start} ${scanner.end}`);
	}
	return tokens;
}

const described = (token: Token): string =>
	`${token.type === "symbol" ? "operator" : token.type} ${token.start} ${token.end}`;

const fragment = fc.oneof(
	fc.constantFrom(
		...[
			"select",
			"a",
			"_x$1",
			"\u00e9t\u00e9",
			"E",
			"e'",
			"U&'",
			'u&"',
			"uescape '!'",
			"x",
			"'",
			"''",
			'"',
			'"a""b"',
			"$",
			"$$",
			"$a$",
			"$1",
			"\\",
		],
		...[
			"1",
			"0",
			"12.",
			".5",
			"1e5",
			"1e",
			"..",
			".",
			":",
			"::",
			":=",
			",",
			"(",
			")",
			"[",
			"]",
			";",
		],
		...[
			"+",
			"-",
			"*",
			"/",
			"<",
			">",
			"=",
			"~",
			"!",
			"@",
			"#",
			"%",
			"^",
			"&",
			"|",
			"`",
			"?",
			"--",
			"/*",
			"*/",
		],
		...[" ", "\n", "\t", "\r", "\f", "'a'\n'b'", "'a' -- c\n'b'", "/* c */", "-- c\n", "1.5e-3"],
	),
	fc.stringMatching(/^[a-z]{0,3}$/),
);

test("the scanner and the grammar's lexer read the same language", (t) => {
	fc.assert(
		fc.property(fc.array(fragment, { maxLength: 14 }), (fragments) => {
			const text = fragments.join("");
			let expected: string[];
			try {
				expected = scanned(text);
			} catch (error) {
				// moo only ever reads what the scanner has passed.
				return error instanceof DatabaseError;
			}
			const tokens: Token[] = [];
			t.is([...tokensBetween(text, 0, text.length, tokens)].length, 0);
			t.deepEqual(tokens.map(described), expected, JSON.stringify(text));
			return true;
		}),
		{ numRuns: 20_000, seed: 1 },
	);
});

test("lex finds every literal again in its statement", (t) => {
	fc.assert(
		fc.property(fc.array(fragment, { maxLength: 12 }), (fragments) => {
			const text = `select ${fragments.join(" ")}`;
			let statements: ReturnType<typeof lex>;
			try {
				statements = lex(text);
			} catch (error) {
				return error instanceof DatabaseError;
			}
			for (const statement of statements) {
				let shape = "";
				let from = 0;
				for (const literal of statement.literals) {
					shape += statement.text.slice(from, literal.at);
					from = literal.end;
				}
				shape += statement.text.slice(from);
				if (!/--|\/\*/.test(text)) {
					const unmarked = Array.from(statement.shape).filter((c) => c > "\u0004");
					t.is(unmarked.join(""), shape);
				}
			}
			return true;
		}),
		{ numRuns: 5_000, seed: 1 },
	);
});

test("a long text is read in parts as it is in one go", async (t) => {
	const row = fc.constantFrom("(1, 'a')", "(-2.5, null)", "(default, true)", "(3, $$x$$)");
	const odd = fc.constantFrom("(1, 1 + 1)", "(2, f(3))", "(1)", "(1, 'unended)");
	const rows = fc.array(fc.oneof({ weight: 300, arbitrary: row }, { weight: 1, arbitrary: odd }), {
		minLength: 1,
		maxLength: 900,
		size: "max",
	});
	const tail = fc.constantFrom("", " on conflict do nothing", " returning distinct a", " x (", ",");
	const statement = fc.oneof(
		fc.tuple(rows, tail).map(([all, end]) => `insert into t values ${all.join(", ")}${end}`),
		fc.constantFrom("select 1", "", "values (1), (2)", "select 'x", "-- c\n"),
	);
	let parts = 0;
	const yieldNow = async () => {
		parts++;
	};
	const inParts = fc.asyncProperty(fc.array(statement, { maxLength: 4 }), async (all) => {
		const text = all.join(";");
		const outcome = (run: () => unknown) => {
			try {
				return run();
			} catch (error) {
				return (error as DatabaseError).toString();
			}
		};
		const expected = outcome(() => lex(text));
		const found = await lexInParts(text, yieldNow).catch((error) => error.toString());
		t.deepEqual(found, expected);
	});
	await fc.assert(inParts, { numRuns: 60 });
	// What is drawn may happen to be short.
	parts = 0;
	await lexInParts(`insert into t values ${new Array(900).fill("(1, 'a')").join(", ")}`, yieldNow);
	t.true(parts > 1);
});
