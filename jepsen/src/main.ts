/**
 * `make jepsen`: hostile checks on real processes. Nodes are processes of this checkout, each in its own network namespace where that
 * is possible, and with TCP proxies between them where it is not. Clients run a workload through the `pg` driver, a nemesis does harm,
 * and checkers judge what the clients saw. A cluster's promises are those of the README; no clock, no log and no counter of a node is
 * believed, only answers.
 *
 * 1. What is written down is what a client knows: `ok` was answered, `fail` certainly did not happen, anything else is `info`.
 * 2. The order of lines of a history is real time (`run/recorder.ts`), and other tools read it: see `@quorate/checker/operations`.
 * 3. A run with no success, no fault, a node that ended by itself, an error that nothing explains, or a cluster that does not come back
 *    is no pass (`run/judge.ts`).
 * 4. Only processes, namespaces, mounts and directories that the run has made are touched, and they go when it ends, however it ends.
 *
 * Beside this file: `workloads/` (what clients do, and the judgement), `nemesis/` (harm), `net/` (sessions and networks), `nodes/` (the
 * program with hooks for clocks, syncs and protections taken out), `run/` (one run), `report/` (its page). The older scenarios with a
 * fixed course (`scenarios/`, `soak/`) are beside it: `make soak`.
 *
 * May import: the command line's client and programs, the server, the checker, `pg`.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isRunning } from "quorate/process-identity";
import { ended, signalOwned, spawnOwned } from "./harness/owned-processes.ts";
import {
	enter,
	makeNamespaces,
	NamespaceNetwork,
	namespacesImpossible,
	removeNamespaces,
} from "./net/namespaces.ts";
import type { Network } from "./net/network.ts";
import { ProxyNetwork } from "./net/proxies.ts";
import { resultTable } from "./report/table.ts";
import { type RunOptions, readOptions } from "./run/options.ts";
import { type RunResult, runOne } from "./run/run-one.ts";

/** In the environment of a run inside of the namespaces: the pid of who made them. */
const ownerVariable = "QUORATE_JEPSEN_NAMESPACES_OF";
const store = process.env["STORE"] || fileURLToPath(new URL("../store", import.meta.url));

process.exitCode = await main();

async function main(): Promise<number> {
	let runs: readonly RunOptions[];
	try {
		runs = readOptions(process.env, store);
	} catch (error) {
		console.error(`jepsen: ${(error as Error).message}`);
		return 2;
	}
	const owner = process.env[ownerVariable];
	endProperly(owner === undefined);
	if (owner !== undefined) return all(runs, Number(owner));
	const impossible = runs[0]!.useProxies ? "asked for" : namespacesImpossible();
	if (impossible === undefined) return insideNamespaces(Math.max(...runs.map((r) => r.nodes)) + 1);
	console.log(`TCP proxies instead of network namespaces: ${impossible}`);
	return all(runs, undefined);
}

/** However it ends, but for a kill of the outermost process, it leaves nothing: what that leaves goes when the next run begins. */
function endProperly(isOutermost: boolean): void {
	for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
		process.on(signal, () => process.exit(130));
	}
	if (!isOutermost) return;
	for (const name of readdirSync(tmpdir())) {
		const owner = /^quorate-jepsen-run-(\d+)$/.exec(name)?.[1];
		if (owner !== undefined && !isRunning(Number(owner))) remove(join(tmpdir(), name));
	}
	const directory = join(tmpdir(), `quorate-jepsen-run-${process.pid}`);
	mkdirSync(directory);
	process.env["TMPDIR"] = directory;
	process.on("exit", () => remove(directory));
}

const remove = (directory: string): void =>
	rmSync(directory, { recursive: true, force: true, maxRetries: 10 });

/** This program again, where the nodes can be reached; mounts that it makes go with it. */
async function insideNamespaces(places: number): Promise<number> {
	process.on("exit", removeNamespaces);
	const control = makeNamespaces(places);
	const [program, ...rest] = [
		...enter(control),
		...["unshare", "--mount", "--propagation", "private", "--"],
		...[process.execPath, ...process.execArgv, process.argv[1]!],
	];
	const child = spawnOwned(program!, rest, {
		stdio: "inherit",
		env: { ...process.env, [ownerVariable]: String(process.pid) },
	});
	// Ctrl-C reaches both: the inner one ends its nodes, and then this one removes what they ran in.
	for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
		process.removeAllListeners(signal);
		process.on(signal, () => signalOwned(child, signal));
	}
	const status = await ended(child);
	return typeof status === "number" ? status : 130;
}

async function all(runs: readonly RunOptions[], owner: number | undefined): Promise<number> {
	const results: RunResult[] = [];
	for (const options of runs) {
		const network: Network =
			owner === undefined
				? await ProxyNetwork.make(options.nodes + 1)
				: new NamespaceNetwork(owner, options.nodes + 1);
		try {
			results.push(await runOne(options, network));
		} catch (error) {
			// Nothing is known of this run; the others are still worth something.
			console.error(`${options.test} with ${options.nemesis} could not be run:`, error);
		} finally {
			network.heal();
			network.close();
		}
		if (runs.length > 1) writeFileSync(join(store, "table.md"), `${resultTable(results)}\n`);
	}
	if (runs.length > 1) console.log(`\n${resultTable(results)}`);
	const isWhole = results.length === runs.length;
	return isWhole && results.every(({ judgement }) => judgement.valid) ? 0 : 1;
}
