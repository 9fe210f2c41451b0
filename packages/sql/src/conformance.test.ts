/**
 * What Quorate answers to the statements in testdata/sql/conformance, compared with what PostgreSQL 15 answered to
 * `npm run record-sql -w packages/sql`. Where Quorate means to differ, differences.txt says what it answers instead, and why;
 * an entry there that is not needed fails as well. CONFORMANCE=name,name: only these files. REWRITE=1 writes what Quorate answers
 * into the entries of differences.txt: give one a reason and the statement, then read the diff.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import type { Session } from "./session/types.ts";
import {
	type Case,
	isRemark,
	parseCases,
	renderCases,
	sameAnswer,
} from "./testing/conformance-file.ts";
import { memorySessions } from "./testing/memory-sessions.ts";
import { runCase } from "./testing/quorate-session.ts";

const folder = fileURLToPath(new URL("../../../testdata/sql/conformance/", import.meta.url));
const differencesFile = "differences.txt";
const wanted = process.env["CONFORMANCE"]?.split(",");

const rewrites = process.env["REWRITE"] === "1";

const parseFile = (file: string): Case[] => parseCases(readFileSync(folder + file, "utf8"));
const casesOf = (file: string): Case[] => parseFile(file).filter((one) => !isRemark(one));
const differences = parseFile(differencesFile);

/** Sessions on a database of their own, by name; they end with the test. */
function openSessions(t: ExecutionContext): (name: string) => Promise<Session> {
	const database = memorySessions();
	const sessions = new Map<string, Promise<Session>>();
	t.teardown(() => database.close());
	return (name) => {
		const session = sessions.get(name) ?? database.open();
		sessions.set(name, session);
		return session;
	};
}

/** `difference` says first in which file it is. */
const sameCase = (one: Case, difference: Case): boolean =>
	one.statement === difference.statement &&
	one.copyData === difference.copyData &&
	one.directives.join() === difference.directives.slice(1).join();

const show = (lines: readonly string[]): string => lines.map((line) => `    ${line}\n`).join("");

/** Undefined: as it should be. */
function complaint(one: Case, name: string, answer: readonly string[]): string | undefined {
	const recorded = one.answer!;
	const difference = differences.find((other) => other.file === name && sameCase(one, other));
	if (difference !== undefined && rewrites) difference.answer = answer;
	const agrees = sameAnswer(one.statement, recorded, answer);
	if (difference === undefined) {
		return agrees
			? undefined
			: `line ${one.line}: ${one.statement}\n  PostgreSQL:\n${show(recorded)}  Quorate:\n${show(answer)}`;
	}
	if (agrees) {
		return `line ${one.line}: ${one.statement}\n  differs no more: take it out of ${differencesFile}\n`;
	}
	const expected = difference.answer ?? [];
	return sameAnswer(one.statement, expected, answer)
		? undefined
		: `line ${one.line}: ${one.statement}\n  ${differencesFile}:\n${show(expected)}  Quorate:\n${show(answer)}`;
}

/** What only reads, and reads the same again. */
const isRepeatable = (one: Case, answer: readonly string[]): boolean =>
	one.parameters === undefined &&
	/^(select|values|table|with)\b/i.test(one.statement) &&
	!/;|nextval|setval|set_config|random|insert|update|delete|advisory|notif|\binto\b/i.test(
		one.statement,
	) &&
	!answer.some((line) => /^(ERROR|NOTICE|WARNING|\(in a failed)/.test(line));

/** The same with the plan that is now cached, in both protocols. Undefined: as it should be. */
async function repeated(
	session: Session,
	one: Case,
	answer: readonly string[],
): Promise<string | undefined> {
	for (const again of [one, { ...one, parameters: [] }]) {
		const second = await runCase(session, again);
		if (sameAnswer(one.statement, answer, second)) continue;
		const how = again === one ? "again" : "in the extended protocol";
		return `line ${one.line}: ${one.statement}\n  first:\n${show(answer)}  ${how}:\n${show(second)}`;
	}
	return undefined;
}

for (const file of readdirSync(folder).sort()) {
	const name = file.replace(/\.txt$/, "");
	if (file === differencesFile || (wanted !== undefined && !wanted.includes(name))) continue;
	test(name, async (t) => {
		const sessionOf = openSessions(t);
		const complaints: string[] = [];
		const cases = casesOf(file);
		for (const one of cases) {
			const session = await sessionOf(one.session);
			const answer = await runCase(session, one);
			let found = complaint(one, name, answer);
			if (isRepeatable(one, answer)) found ??= await repeated(session, one, answer);
			if (found !== undefined) complaints.push(found);
		}
		if (rewrites) writeFileSync(folder + differencesFile, renderCases(differences));
		t.is(complaints.length, 0, `${complaints.length} of ${cases.length}\n${complaints.join("\n")}`);
	});
}

test("every difference has a reason, and is of one statement", (t) => {
	for (const difference of differences.filter((one) => !isRemark(one))) {
		const { file, comments, statement } = difference;
		t.true(comments.length > 0, `no reason: ${statement}`);
		const meant = casesOf(`${file}.txt`).filter((one) => sameCase(one, difference));
		t.is(meant.length, 1, `${file}: ${statement}`);
	}
});
