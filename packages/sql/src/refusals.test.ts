/** What is not supported says what that is, and what to do instead. The parser's refusals cannot be made without a hint. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import test from "ava";

const packages = fileURLToPath(new URL("../../", import.meta.url));

/** What PostgreSQL 15 refuses as well, in the same words, and without one. */
const alsoThere: readonly RegExp[] = [
	/^unsupported frontend protocol/,
	/^client (uses authorization identity|requires an unsupported SCRAM)/,
	/^cannot (change owner(ship)? of|alter type|use column reference|use subquery|move|set|assign|convert|specify HEADER)/,
	/^(current|session) (database|user) cannot be renamed/,
	/^views must not contain/,
	/^x does not support (dropping multiple objects|CASCADE)/,
	/^unit .* not supported for type/,
	/^timestamps cannot be binned/,
	/^formatting field/,
	/not supported for input$/,
	/^specifying constraint deferrability/,
	/^source for a multiple-column UPDATE/,
	/^row expansion via/,
	/^WITH (query|clause)/,
	/is not allowed with/,
	/^could not determine interpretation of row comparison/,
	/^OVER is not supported/,
	/is not supported for column type/,
	/in a recursive query is not implemented$/,
	/^mutual recursion between WITH items/,
	/must be a single one-byte character$/,
	/available only in CSV mode$/,
	/^cached plan must not change result type$/,
	/^DECLARE /,
	/^WHERE CURRENT OF on a view/,
	/^with a SEARCH or CYCLE clause/,
	/^WITH CHECK OPTION not supported/,
	/^CREATE SCHEMA IF NOT EXISTS cannot/,
	/^XQuery "x" flag/,
	/^cannot .* (column .* of view|a value of type)/,
	/^input of anonymous composite types/,
	/^aggregate function calls cannot contain/,
	/^a snapshot-importing transaction must have|^(a .*serializable transaction )?cannot import a snapshot from/,
	/^SET LOCAL TRANSACTION SNAPSHOT is not implemented/,
	/^parameters are not allowed in a stored expression/,
	// Made elsewhere: of window functions.
	/^\("0A000", message, /,
];

/** From the opening parenthesis to its counterpart. */
function argumentsAt(source: string, start: number): string {
	let depth = 0;
	let quote = "";
	for (let at = start; at < source.length; at++) {
		const character = source[at]!;
		if (quote !== "") {
			if (character === "\\") at++;
			else if (character === quote) quote = "";
		} else if ("\"'`".includes(character)) quote = character;
		else if ("({[".includes(character)) depth++;
		else if (")}]".includes(character) && --depth === 0) return source.slice(start, at);
	}
	return source.slice(start, start + 500);
}

const sources = readdirSync(packages, { recursive: true, encoding: "utf8" }).filter(
	(path) => /^[^/]+\/src\/.*(?<!\.test)\.ts$/.test(path) && !path.includes("/testing/"),
);

test("each 0A000 has a hint, unless it is PostgreSQL's own", (t) => {
	t.true(sources.length > 400);
	const without: string[] = [];
	for (const path of sources) {
		const source = readFileSync(packages + path, "utf8");
		for (const { index } of source.matchAll(/(?<=new (DatabaseError|ProtocolViolation))\(/g)) {
			const given = argumentsAt(source, index);
			if (!given.includes('"0A000"') || given.includes("hint")) continue;
			const quoted = [...given.matchAll(/(["'`])((?:(?!\1)[^\\]|\\.)+)\1/g)].map((m) => m[2]!);
			const texts = [given, ...quoted];
			const isKnown = texts.some((text) =>
				alsoThere.some((pattern) => pattern.test(text.replace(/\$\{[^}]*\}/g, "x"))),
			);
			if (!isKnown) without.push(`${path}: ${given}`);
		}
	}
	t.deepEqual(without, []);
});
