/** `make soak`: the long tests on real processes, one after the other, and a table at the end. Arguments: parts of their names. */
import { soakCases } from "./soak-cases.ts";

interface Row {
	readonly name: string;
	readonly result: string;
	readonly tookMs: number;
}

const chosen = process.argv.slice(2);
const cases = soakCases.filter(
	({ name }) => chosen.length === 0 || chosen.some((part) => name.includes(part)),
);
if (cases.length === 0) {
	console.error(`none of: ${soakCases.map(({ name }) => name).join("; ")}`);
	process.exit(1);
}
const rows: Row[] = [];
for (const [index, { name, run }] of cases.entries()) {
	console.log(`[${index + 1}/${cases.length}] ${name}`);
	const startedMs = performance.now();
	const log = (line: string) => {
		const sinceStart = ((performance.now() - startedMs) / 1000).toFixed(0).padStart(5);
		console.log(`${sinceStart} s  ${line}`);
	};
	rows.push({ name, result: await outcome(run, log), tookMs: performance.now() - startedMs });
}
const width = Math.max(...rows.map(({ name }) => name.length));
console.log("");
for (const { name, result, tookMs } of rows) {
	console.log(`${name.padEnd(width)}  ${(tookMs / 1000).toFixed(0).padStart(5)} s  ${result}`);
}
process.exit(rows.some(({ result }) => result.startsWith("FAILED")) ? 1 : 0);

async function outcome(
	run: (typeof soakCases)[number]["run"],
	log: (line: string) => void,
): Promise<string> {
	try {
		const found = await run(log);
		if ("skipped" in found) {
			log(`skipped: ${found.skipped}`);
			return `skipped: ${found.skipped}`;
		}
		for (const line of found) {
			log(`violation: ${line}`);
		}
		return found.length === 0 ? "passed" : `FAILED: ${found.length} violations`;
	} catch (error) {
		log(`error: ${error instanceof Error ? error.stack : String(error)}`);
		return "FAILED: it did not run to its end";
	}
}
