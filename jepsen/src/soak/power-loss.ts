/**
 * The power goes on all three nodes at once, under load: what was acknowledged is there when it is back, although nothing survives but
 * what was synced. A kill is no such test, since the kernel keeps what a dead process has written.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ProcessCluster, quorateProgram } from "../harness/process-cluster.ts";
import { type Hooks, hooksVariable } from "../nodes/hooks.ts";
import { seconds, type Violations } from "../scenarios/scenario.ts";
import { longestGapMs, summary } from "../workload/outcome.ts";
import { readState, violations } from "../workload/tpcb-check.ts";
import { TpcbLoad } from "../workload/tpcb-load.ts";
import { createTpcb } from "../workload/tpcb-schema.ts";
import { LoopDisk } from "./loop-disk.ts";

const lies: Hooks = { liesAboutSync: true };

/** To show that this check fails where it should. */
export const programWithoutSync: readonly string[] = [
	...["env", `${hooksVariable}=${JSON.stringify(lies)}`],
	process.execPath,
	fileURLToPath(new URL("../nodes/node-with-hooks.js", import.meta.url)),
];

export interface PowerLossOptions {
	readonly rounds: number;
	/** Transactions between two cuts. */
	readonly pace: number;
	readonly program?: readonly string[];
	log(line: string): void;
}

const scale = 4;
const clientsPerNode = 4;

export async function powerLoss(options: PowerLossOptions): Promise<Violations> {
	const parent = mkdtempSync(join(tmpdir(), "quorate-power-"));
	const disks: LoopDisk[] = [];
	let cluster: ProcessCluster | undefined;
	try {
		for (const name of ["d1", "d2", "d3"]) {
			disks.push(new LoopDisk(parent, name));
		}
		cluster = await ProcessCluster.start({
			program: options.program ?? quorateProgram,
			dataDirectories: disks.map((disk) => join(disk.directory, "data")),
		});
		return await rounds(options, cluster, disks);
	} finally {
		await cluster?.close();
		for (const disk of disks) {
			disk.remove();
		}
		rmSync(parent, { recursive: true, force: true });
	}
}

async function rounds(
	options: PowerLossOptions,
	cluster: ProcessCluster,
	disks: readonly LoopDisk[],
): Promise<Violations> {
	const first = await cluster.node(1).connect();
	await createTpcb(first, scale);
	await first.end();
	const load = new TpcbLoad({ cluster, clientsPerNode, scale, seed: 1 });
	try {
		for (let round = 1; round <= options.rounds; round++) {
			await load.more(options.pace, [1, 2, 3]);
			await cutAll(cluster, disks);
			options.log(
				`power cut ${round} of ${options.rounds} after ${load.acknowledged()} transactions`,
			);
			await cluster.startAll();
		}
		await load.more(options.pace, [1, 2, 3]);
	} finally {
		await load.stop();
	}
	options.log(`${summary(load.attempts)}; longest gap ${seconds(longestGapMs(load.attempts))}`);
	const reader = await cluster.node(2).connect();
	const state = await readState(reader);
	await reader.end();
	return violations(load.attempts, state);
}

async function cutAll(cluster: ProcessCluster, disks: readonly LoopDisk[]): Promise<void> {
	for (const node of cluster.nodes) {
		// Its disk fails under it: that it stops then is right.
		node.expectEnd();
	}
	for (const disk of disks) {
		disk.cutPower();
	}
	await cluster.killAll();
	for (const disk of disks) {
		disk.unmount();
		disk.mount();
	}
}
