// Records what PostgreSQL 15 answers to the statements in testdata/sql/conformance, into the same files. Needs Debian's
// postgresql-15 and a build. With --check: records again, changes nothing, and exits with 1 if anything differs.
// Names of files (without .txt) after it: only those.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isRemark, parseCases, renderCases } from "../dist/testing/conformance-file.js";
import { PostgresServer, postgresInstalled } from "../dist/testing/postgres-server.js";
import { PostgresSession } from "../dist/testing/postgres-session.js";

const folder = fileURLToPath(new URL("../../../testdata/sql/conformance/", import.meta.url));
const check = process.argv.includes("--check");
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const names = readdirSync(folder)
	.filter((name) => name.endsWith(".txt") && name !== "differences.txt")
	.map((name) => name.slice(0, -".txt".length))
	.filter((name) => wanted.length === 0 || wanted.includes(name))
	.sort();

if (!postgresInstalled()) {
	console.error("needs PostgreSQL 15 in /usr/lib/postgresql/15/bin (Debian: postgresql-15)");
	process.exit(1);
}
const server = await PostgresServer.start();
let statements = 0;
let changed = 0;
try {
	for (const name of names) await recordFile(name);
} finally {
	await server.stop();
}
console.log(`${statements} statements in ${names.length} files, ${changed} files changed`);
if (check && changed > 0) process.exit(1);

async function recordFile(name) {
	const path = `${folder}${name}.txt`;
	const before = readFileSync(path, "utf8");
	const cases = parseCases(before);
	await inFreshDatabase(async (sessionOf) => {
		for (const one of cases) {
			if (isRemark(one)) continue;
			statements++;
			one.answer = await (await sessionOf(one.session)).run(one);
		}
	});
	const after = renderCases(cases);
	if (after === before) return;
	changed++;
	console.log(`${name}: ${check ? "differs" : "recorded"}`);
	if (check) showDifference(parseCases(before), cases);
	else writeFileSync(path, after);
}

function showDifference(before, after) {
	for (const [index, one] of after.entries()) {
		const was = before[index].answer?.join("\n");
		const is = one.answer?.join("\n");
		if (was !== is) console.log(`line ${one.line}: ${one.statement}\nrecorded:\n${was}\nnow:\n${is}\n`);
	}
}

async function inFreshDatabase(body) {
	const maintenance = await PostgresSession.open(server.socketPath, "postgres");
	const run = (text) => maintenance.run(parseCases(text)[0]);
	await run("create database quorate");
	const sessions = new Map();
	try {
		await body(async (name) => {
			if (!sessions.has(name)) {
				sessions.set(name, await PostgresSession.open(server.socketPath, "quorate"));
			}
			return sessions.get(name);
		});
	} finally {
		for (const session of sessions.values()) await session.close();
		await run("drop database quorate with (force)");
		await maintenance.close();
	}
}
