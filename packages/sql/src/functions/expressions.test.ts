/**
 * testdata/sql/expressions: expressions and what PostgreSQL 15 says to them (recorded by record.sh there): `type: value` for
 * each row, or `ERROR code: message`. A line `set timezone = '...'` holds from there on.
 */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { DatabaseError } from "@quorate/keys/database-error";
import test from "ava";
import { type FunctionContext, formatType, typeByOid } from "../types/registry.ts";
import { testContext } from "./testing/context.ts";
import { evaluateSelect } from "./testing/evaluate.ts";

const folder = fileURLToPath(new URL("../../../../testdata/sql/expressions/", import.meta.url));

async function run(text: string, context: FunctionContext): Promise<string> {
	try {
		const { type, values } = await evaluateSelect(text, context);
		const texts = values.map((value) =>
			value === null ? "NULL" : (typeByOid(type.oid)?.format(value, context) ?? ""),
		);
		// An untyped literal that nothing asks for becomes text.
		const oid = type.oid === 705 ? 25 : type.oid;
		const name =
			oid === 1042 && type.modifier < 0 ? "bpchar" : formatType({ oid, modifier: type.modifier });
		return `${name}: ${texts.join(" ; ")}`.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
	} catch (error) {
		if (error instanceof DatabaseError) {
			return `ERROR ${error.code}: ${error.message}`;
		}
		throw error;
	}
}

for (const file of readdirSync(folder)
	.filter((name) => name.endsWith(".test"))
	.sort()) {
	test(`expressions: ${file}`, async (t) => {
		const lines = readFileSync(folder + file, "utf8").split("\n");
		let context = testContext();
		const wrong: string[] = [];
		let cases = 0;
		for (const [i, line] of lines.entries()) {
			const zone = /^set timezone = '(.*)'$/.exec(line);
			if (zone !== null) {
				context = testContext({ timeZone: zone[1] as string });
			} else if (line !== "" && !line.startsWith("#") && !line.startsWith("\t")) {
				const wanted = (lines[i + 1] ?? "").trimStart();
				const seen = (await run(line, context)).trimStart();
				cases++;
				if (seen !== wanted) {
					wrong.push(`${line}\n\twanted ${wanted}\n\tseen   ${seen}`);
				}
			}
		}
		t.deepEqual(wrong.join("\n"), "");
		t.true(cases > 0);
	});
}
