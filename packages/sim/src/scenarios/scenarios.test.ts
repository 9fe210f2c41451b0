/**
 * Runs every file of `testdata/transactions`: see the README there. REWRITE=1 writes the transcripts that came out into the files:
 * read the difference. ONLY=text: only files with this in their name.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import test from "ava";
import { runSuite } from "./scenario-suite.ts";

const folder = new URL("../../../../testdata/transactions/", import.meta.url);
const only = process.env["ONLY"] ?? "";

const names = readdirSync(folder).filter((name) => name.endsWith(".txt") && name.includes(only));
for (const name of names.sort()) {
	test.serial(name, async (t) => {
		const url = new URL(name, folder);
		const text = readFileSync(url, "utf8");
		const report = await runSuite(text);
		t.deepEqual(report.problems, []);
		if (process.env["REWRITE"] === "1") writeFileSync(url, report.text);
		else t.is(report.text, text);
	});
}
