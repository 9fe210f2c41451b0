/**
 * Statements that nobody has thought of, put to PostgreSQL 15 and to Quorate: what differs is made as small as fast-check can, and shown.
 *
 *     npm run differential -w packages/sql -- [--seed 1] [--rounds 20] [--runs 500]
 *
 * A round ends at its first difference; the next one has the next seed. Differences that are meant are in testdata/sql/differential.txt.
 */
import { parseArgs } from "node:util";
import * as fc from "fast-check";
import { type Case, parseCases } from "../conformance-file.ts";
import { memorySessions } from "../memory-sessions.ts";
import { PostgresServer, postgresInstalled } from "../postgres-server.ts";
import { PostgresSession } from "../postgres-session.ts";
import { runCase } from "../quorate-session.ts";
import { agree, essence } from "./compare.ts";
import { knownDifference } from "./known.ts";
import { type Statement, statements } from "./statements.ts";
import { setUp } from "./tables.ts";

const { values: flags } = parseArgs({
	options: {
		seed: { type: "string", default: "1" },
		rounds: { type: "string", default: "20" },
		runs: { type: "string", default: "500" },
	},
});
const [seed, rounds, runs] = [Number(flags.seed), Number(flags.rounds), Number(flags.runs)];

if (!postgresInstalled()) {
	console.error("needs PostgreSQL 15 in /usr/lib/postgresql/15/bin (Debian: postgresql-15)");
	process.exit(1);
}

const caseOf = (text: string): Case => parseCases(text)[0]!;

const server = await PostgresServer.start();
const database = memorySessions();
const quorate = await database.open();
const postgres = await PostgresSession.open(server.socketPath, "postgres");

let asked = 0;
/** As not supported, which is no wrong answer. */
let refused = 0;
/** But for those where errors do not count and there was one. */
let compared = 0;
let known = 0;
let failures = 0;

const isOfData = (error: string): boolean => /^ERROR (22|21)/.test(error);

async function differs(statement: Statement): Promise<readonly [string[], string[]] | undefined> {
	const one = { ...caseOf(statement.text), parameters: statement.parameters };
	asked++;
	compared++;
	const theirs = await postgres.run(one);
	const ours = await runCase(quorate, one);
	if (statement.text.startsWith("begin")) {
		await postgres.run(caseOf("rollback"));
		await runCase(quorate, caseOf("rollback"));
	}
	if (agree(statement.text, theirs, ours)) return undefined;
	const failed = [theirs, ours].map((answer) => answer.find((line) => line.startsWith("ERROR")));
	if (failed[1]?.startsWith("ERROR 0A000")) {
		refused++;
		return undefined;
	}
	if (!statement.errorsCount && failed.some((error) => error !== undefined)) {
		compared--;
		if (failed.every((error) => error === undefined || isOfData(error))) return undefined;
	}
	const pair = [essence(theirs), essence(ours)] as const;
	if (knownDifference(statement.text, ...pair)) {
		known++;
		return undefined;
	}
	return [[...theirs], [...ours]];
}

try {
	for (const text of setUp) {
		await postgres.run(caseOf(text));
		await runCase(quorate, caseOf(text));
	}
	for (let round = 0; round < rounds; round++) {
		const property = fc.asyncProperty(
			statements,
			async (one) => (await differs(one)) === undefined,
		);
		const found = await fc.check(property, { seed: seed + round, numRuns: runs });
		const smallest = found.counterexample?.[0];
		if (smallest === undefined) continue;
		failures++;
		const pair = await differs(smallest);
		console.log(`seed ${seed + round}: ${smallest.text}`);
		if (smallest.parameters !== undefined) console.log("  with", ...smallest.parameters);
		for (const line of pair?.[0] ?? []) console.log(`  PostgreSQL: ${line}`);
		for (const line of pair?.[1] ?? []) console.log(`  Quorate:    ${line}`);
	}
} finally {
	await database.close();
	await postgres.close();
	await server.stop();
}
console.log(
	`${asked} statements, ${compared} of them compared, ${refused} refused, ${failures} of ${rounds} rounds found a difference, ${known} known ones`,
);
if (failures > 0) process.exitCode = 1;
