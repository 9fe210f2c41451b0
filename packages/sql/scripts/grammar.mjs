// Compiles the grammars: src/parser/grammar/*.ne to src/parser/sql.grammar.ts, and that of jsonpath. With --check: only says whether
// those files are up to date.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);
const nearley = require("nearley");
const compile = require("nearley/lib/compile");
const generate = require("nearley/lib/generate");
const bootstrapped = require("nearley/lib/nearley-language-bootstrapped");

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const folder = at("../src/parser/grammar/");
// Joined here: nearley's @include forgets in the included file that there is a lexer. grammar.ne, with the head, goes first.
const parts = readdirSync(folder).sort();
const main = parts.splice(parts.indexOf("grammar.ne"), 1);
const grammars = [
	{ sources: [...main, ...parts].map((part) => folder + part), target: at("../src/parser/sql.grammar.ts") },
	{
		sources: [at("../src/types/jsonpath/jsonpath.ne")],
		target: at("../src/types/jsonpath/jsonpath.grammar.ts"),
	},
];

function compiledFrom(sources) {
	const parser = new nearley.Parser(nearley.Grammar.fromCompiled(bootstrapped));
	parser.feed(sources.map((source) => readFileSync(source, "utf8")).join("\n"));
	const compiled = compile(parser.results[0], {
		alreadycompiled: [],
		args: [],
		version: require("nearley/package.json").version,
	});
	// nearley would declare a variable for each %token.
	compiled.customTokens = [];
	const imported = new Set(compiled.body.join("\n").match(/\w+/g));
	const rules = new Set(compiled.rules.map((rule) => rule.name));
	for (const rule of compiled.rules) {
		for (const symbol of rule.symbols) {
			if (typeof symbol === "string" && !rules.has(symbol)) {
				throw new Error(`${rule.name} names ${symbol}, which has no rule`);
			}
		}
	}
	// What nearley leaves to run time is known here: whether %name is a type of token or an imported matcher. And the parts of a
	// rule are a tuple to its action, and `at` is always there (deferred.ts).
	return generate(compiled, "grammar")
		.replace(/\(tokens\.has\("(\w+)"\) \? \{type: "\w+"\} : \w+\)/g, (_, name) =>
			imported.has(name) ? name : `{type: "${name}"}`,
		)
		.replace("Lexer: tokens,", "Lexer: undefined,")
		.replace("| { literal: any } |", "| { literal: any } | { type: string } |")
		.replace(
			"postprocess?: (d: any[], loc?: number, reject?: {}) => any;",
			"postprocess?: (d: any, at: number) => any;",
		);
}

for (const { sources, target } of grammars) {
	const output = compiledFrom(sources);
	if (!process.argv.includes("--check")) {
		writeFileSync(target, output);
	} else if (readFileSync(target, "utf8") !== output) {
		console.error(`${target} is out of date: npm run grammar -w packages/sql`);
		process.exit(1);
	}
}
