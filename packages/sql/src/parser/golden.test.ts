/**
 * testdata/sql/parse: statements, `----`, and the tree or error that they give; cases are separated by blank lines. REWRITE=1
 * writes what is seen instead. Errors and their positions were compared with PostgreSQL 15.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { DatabaseError } from "@quorate/keys/database-error";
import test from "ava";
import { countParses, type LexedStatement, lex, parse } from "./parse.ts";
import { renderTree } from "./render-tree.ts";

const folder = fileURLToPath(new URL("../../../../testdata/sql/parse/", import.meta.url));

const MARKS: readonly string[] = ["", "<int4>", "<int8>", "<numeric>", "<string>"];

function renderStatement(statement: LexedStatement): string[] {
	const { literals, shape, moreRows } = statement;
	if (literals.length === 0 && moreRows === undefined) {
		return [];
	}
	const shown = Array.from(shape, (c) => MARKS[c.charCodeAt(0)] ?? c).join("");
	const lines = [`shape: ${shown.replaceAll("\n", "\\n")}`];
	lines.push(`literals: ${JSON.stringify(literals.map((literal) => literal.text))}`);
	if (moreRows !== undefined) {
		const cells = moreRows.map((row) =>
			row.map((cell) => (typeof cell === "object" ? cell.text : cell)),
		);
		lines.push(`more rows: ${JSON.stringify(cells)}`);
	}
	return lines;
}

async function run(text: string): Promise<string> {
	const lines: string[] = [];
	try {
		for (const statement of lex(text)) {
			lines.push(...renderStatement(statement));
			const parses = countParses(statement);
			lines.push(renderTree(await parse(statement, async () => {})));
			if (parses !== 1) {
				lines.push(`AMBIGUOUS: ${parses} parses`);
			}
		}
	} catch (error) {
		if (!(error instanceof DatabaseError)) {
			throw error;
		}
		const { position, hint } = error.fields;
		lines.push(`ERROR ${error.code} at ${position}: ${error.message}`);
		if (hint !== undefined) {
			lines.push(`HINT: ${hint}`);
		}
	}
	return lines.length === 0 ? "no statement" : lines.join("\n");
}

for (const file of readdirSync(folder).sort()) {
	test(`parse: ${file}`, async (t) => {
		const text = readFileSync(folder + file, "utf8");
		const seen: string[] = [];
		for (const block of text.trimEnd().split("\n\n")) {
			const [command = ""] = block.split("\n----");
			const statement = command.replace(/^(#.*\n)*/, "");
			seen.push(`${command}\n----\n${await run(statement)}`);
		}
		const rewritten = `${seen.join("\n\n")}\n`;
		t.false(rewritten.includes("AMBIGUOUS"));
		if (process.env["REWRITE"] === "1") {
			writeFileSync(folder + file, rewritten);
			t.pass();
		} else {
			t.is(rewritten, text);
		}
	});
}
