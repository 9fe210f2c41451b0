/**
 * `make jepsen-mutants`: protections taken out of real nodes, one after the other; each must be missed by what clients see. That a run
 * was slow, or that a node ended without a word about it, does not count.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Mutations } from "@quorate/keys/mutations";
import type { Finding } from "../workloads/workload.ts";

interface Planted {
	readonly mutation: keyof Mutations;
	readonly what: string;
	readonly test: string;
	readonly nemesis: string;
	/** What nodes say that notice it themselves, and then do not serve: clients get to see nothing at all. */
	readonly noticed?: RegExp;
}

const planted: readonly Planted[] = [
	{
		mutation: "withoutValidation",
		what: "commit without validating",
		test: "g2",
		nemesis: "none",
	},
	{
		mutation: "resolvedAtPreparePoint",
		what: "resolve an intent with the prepare timestamp",
		test: "list-append",
		nemesis: "none",
	},
	{
		mutation: "timestampBeforePending",
		what: "draw the commit timestamp before the writes are pending",
		test: "list-append",
		nemesis: "none",
	},
	{
		mutation: "withoutSync",
		what: "skip the fsync of the log",
		test: "set",
		nemesis: "power",
		noticed: /acknowledged entries were lost|files of one of the two were lost/,
	},
];
const program = fileURLToPath(new URL("../main.js", import.meta.url));
const attempts = 3;
/** What says nothing of the answers that clients had. */
const circumstances = new Set([
	...["nothing-proved", "problem", "unexpected-error", "no-success", "no-fault", "unavailable"],
	"undecided",
]);

const chosen = planted.filter(({ mutation }) =>
	[undefined, "", mutation].includes(process.env["MUTANT"]),
);
let missing = chosen.length === 0 ? 1 : 0;
for (const one of chosen) {
	const found = look(one);
	if (found === undefined) missing++;
	console.log(`${one.what} (${one.test}, ${one.nemesis}): ${found ?? "NOT FOUND"}`);
}
process.exitCode = missing === 0 ? 0 : 1;

/** The first line that says what was seen. */
function look({ mutation, test, nemesis, noticed }: Planted): string | undefined {
	for (let attempt = 1; attempt <= attempts; attempt++) {
		const store = mkdtempSync(join(tmpdir(), "quorate-planted-"));
		const variables = { MUTANT: mutation, TEST: test, NEMESIS: nemesis, STORE: store };
		spawnSync(process.execPath, [program], {
			stdio: ["ignore", "ignore", "inherit"],
			env: { ...process.env, TIME: process.env["TIME"] || "30", NODES: "3", ...variables },
		});
		const findings = findingsIn(store);
		rmSync(store, { recursive: true, force: true });
		const first = findings.find(({ kind }) => !circumstances.has(kind));
		if (first !== undefined) return `run ${attempt}: ${first.kind}: ${first.explanation[0]}`;
		const lines = findings.flatMap(({ explanation }) => explanation);
		const said = noticed && lines.map((line) => noticed.exec(line)?.[0]).find(Boolean);
		if (said !== undefined) return `run ${attempt}: a node noticed it itself: "${said}"`;
	}
	return undefined;
}

function findingsIn(store: string): readonly Finding[] {
	const names = readdirSync(store, { recursive: true }) as string[];
	const results = names.find((name) => name.endsWith("results.json"));
	if (results === undefined) return [];
	const read = JSON.parse(readFileSync(join(store, results), "utf8")) as {
		readonly findings: readonly Finding[];
	};
	return read.findings;
}
