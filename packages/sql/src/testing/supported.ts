/**
 * docs/sql.md, and the table in README.md: what of SQL there is, read off the grammar, the types, the functions, the settings and the
 * catalogs themselves. A test holds it against the files; `npm run supported -w packages/sql` writes them.
 */
import { assert } from "@quorate/keys/assert";
import { systemShapes } from "../catalog/system-shape.ts";
import grammar from "../parser/sql.grammar.ts";
import { allSettings } from "../session/setting-definitions.ts";
import { allFunctions, allTypes } from "../types/registry.ts";

export const supportedFile = new URL("../../../../docs/sql.md", import.meta.url);
export const readmeFile = new URL("../../../../README.md", import.meta.url);

type Rule = (typeof grammar.ParserRules)[number];

/** What is said of how a thing is made or named, but not of what it is. */
const modifiers: ReadonlySet<string> = new Set(
	"or replace unique if not exists only concurrently local global unlogged recursive".split(" "),
);
/** Statements whose second word says what they are about. */
const families: ReadonlySet<string> = new Set(
	"alter create drop show comment declare refresh reindex restore backup cancel".split(" "),
);

const rulesOf = (name: string): readonly Rule[] =>
	grammar.ParserRules.filter((rule) => rule.name === name);

/** The parser knows it only to refuse it by name. A bundler may have put a number behind the function's. */
const isRefused = (rule: Rule): boolean => /\bunsupported\d*\(/.test(String(rule.postprocess));

/** Behind the words: something else than a word. */
const other = "...";

/** The words that a list of symbols can begin with, up to `count` that matter. */
function beginnings(symbols: Rule["symbols"], count: number, depth: number): readonly string[][] {
	const [first, ...rest] = symbols;
	if (first === undefined || count === 0) return [[]];
	return beginningsOf(first, count, depth).flatMap((words) =>
		words.includes(other) || words.length >= count
			? [words]
			: beginnings(rest, count - words.length, depth).map((more) => [...words, ...more]),
	);
}

function beginningsOf(
	symbol: Rule["symbols"][number],
	count: number,
	depth: number,
): readonly string[][] {
	if (typeof symbol === "object" && "literal" in symbol) {
		const word = String(symbol.literal);
		if (modifiers.has(word)) return [[]];
		return [[/^[a-z]+$/.test(word) ? word : other]];
	}
	if (typeof symbol !== "string" || depth === 0) return [[other]];
	const found = rulesOf(symbol)
		.filter((rule) => !isRefused(rule))
		.flatMap((rule) => beginnings(rule.symbols, count, depth - 1));
	return [...new Map(found.map((words) => [words.join(" "), words])).values()];
}

export function statements(): readonly string[] {
	return sorted(
		beginnings(["statement"], 2, 8).flatMap(([verb = other, object = other]) => {
			if (verb === other) return [];
			return families.has(verb) && object !== other ? [`${verb} ${object}`] : [verb];
		}),
	).map((words) => words.toUpperCase());
}

const sorted = (names: Iterable<string>): readonly string[] => [...new Set(names)].sort();

/** Operators and what only casts call have no such names. */
const functionNames = (list: readonly { readonly name: string }[]): readonly string[] =>
	sorted(list.map(({ name }) => name).filter((name) => /^[a-z][a-z0-9_]*$/.test(name)));

const code = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(", ");

const typeNames = (): readonly string[] =>
	sorted(
		allTypes()
			.filter(({ category, name }) => category !== "A" && category !== "P" && name !== "unknown")
			.map(({ sqlName }) => sqlName),
	);

function catalogs(schema: string): readonly string[] {
	return sorted(systemShapes.filter((one) => one.schema === schema).map(({ name }) => name));
}

function settingRows(): string {
	const who = (one: ReturnType<typeof allSettings>[number]): string =>
		one.cluster ? "`ALTER SYSTEM`" : one.settable ? "`SET`" : "fixed";
	return [...allSettings()]
		.sort((a, b) => (a.name < b.name ? -1 : 1))
		.map(
			(one) =>
				`| \`${one.name}\` | ${one.initial === "" ? "" : `\`${one.initial}\``} | ${who(one)} |`,
		)
		.join("\n");
}

export function supported(): string {
	const { scalar, aggregate, window, set } = allFunctions();
	return `<!-- Written by \`npm run supported -w packages/sql\`: read off the code, which a test holds it against. -->
# What of SQL there is

Within a statement not everything that PostgreSQL has need be there; what is not answers with 0A000 and says what it is. The
[README](../README.md#what-it-does-not-do-yet) lists what is missed most.

| | |
| --- | --- |
| Statements | ${code(statements())} |
| Types, and arrays of all | ${code(typeNames())} |
| Functions | ${code(functionNames(scalar))} |
| Functions that return sets | ${code(functionNames(set))} |
| Aggregates | ${code(functionNames(aggregate))} |
| Window functions | ${code(functionNames(window))} |
| pg_catalog | ${code(catalogs("pg_catalog"))} |
| information_schema | ${code(catalogs("information_schema"))} |

## Settings

| Name | At first | Changed by |
| --- | --- | --- |
${settingRows()}
`;
}

const tableStart = "<!-- What `npm run supported -w packages/sql` reads off the code: -->\n";
const tableEnd = "<!-- Until here. -->\n";

/** The README with its table as the code would have it: the small sets by name, of the large ones how many. */
export function withTable(readme: string): string {
	const { scalar, aggregate, window, set } = allFunctions();
	const count = (names: readonly string[]): string => `${names.length}`;
	const names = { scalar: functionNames(scalar), set: functionNames(set) };
	const start = readme.indexOf(tableStart) + tableStart.length;
	const end = readme.indexOf(tableEnd);
	assert(start >= tableStart.length && end >= start, "the README has no place for the table");
	const table = `| | |
| --- | --- |
| Statements | ${code(statements())} |
| Types, and arrays of all | ${code(typeNames())}; enums, domains, composite types |
| Aggregates | ${code(functionNames(aggregate))} |
| Window functions | ${code(functionNames(window))}, and every aggregate |
| In [docs/sql.md](docs/sql.md) | ${count(names.scalar)} functions, ${count(names.set)} that return sets, ${count(catalogs("pg_catalog"))} relations of pg_catalog, ${count(catalogs("information_schema"))} of information_schema, ${allSettings().length} settings |
`;
	return readme.slice(0, start) + table + readme.slice(end);
}
