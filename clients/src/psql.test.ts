/**
 * psql's commands, against tables with everything on them: they show what they show of PostgreSQL 15 (testdata/clients/psql.txt, which
 * `npm run record-psql -w clients` records), but for those in psql-differences.txt, where it says why.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import test from "ava";
import { parseAnswers, psqlAnswers, psqlOutput } from "./psql-answers.ts";
import { served } from "./served.ts";

const url = served();
const read = (name: string): string =>
	readFileSync(new URL(`../../testdata/clients/${name}`, import.meta.url), "utf8");

const installed = spawnSync("psql", ["--version"]).status === 0;
const check = installed ? test : test.skip;

check(`psql's commands${installed ? "" : " (psql is not installed)"}`, async (t) => {
	const recorded = parseAnswers(read("psql.txt"));
	const differences = new Map(
		parseAnswers(read("psql-differences.txt")).map((one) => [one.command, one]),
	);
	t.notRegex(await psqlOutput(url(), read("shop.sql")), /ERROR/);
	const here = await psqlAnswers(
		url(),
		recorded.map(({ command }) => command),
	);
	t.is(here.length, recorded.length);
	for (const [i, { command, shown }] of here.entries()) {
		const expected = differences.get(command);
		t.is(shown, (expected ?? recorded[i]!).shown, command);
		t.not(expected?.shown, recorded[i]!.shown, `${command} differs no more`);
		t.notRegex(expected?.remark ?? "", /Why\?/, command);
	}
});
