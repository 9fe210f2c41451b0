/** The nemesis at work: quiet, a fault, quiet, a fault, until the run is over; then everything is whole again. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Fault, Nemesis, NemesisContext } from "../nemesis/nemesis.ts";
import type { Recorder } from "./recorder.ts";

export interface FaultsOptions extends NemesisContext {
	readonly nemesis: Nemesis;
	readonly recorder: Recorder;
	/** Where the run goes by operations: how many pass in a quiet time and in a fault. */
	readonly pace: number | undefined;
	/** Between these a fault stays, in milliseconds. */
	readonly faultMs: readonly [number, number];
	isOver(): boolean;
	log(line: string): void;
}

const quietMs = [1_500, 3_000] as const;
/** Where it goes by operations: nothing may pass while all nodes are down. */
const paceMsMax = 4_000;
const pollMs = 25;

export interface FaultsDone {
	/** By kind. */
	readonly counts: Record<string, number>;
	/** Begun and ended without having been possible. */
	readonly failures: string[];
}

/** What was done is counted in `done`, also where it ends badly. */
export async function runFaults(options: FaultsOptions, done: FaultsDone): Promise<void> {
	const { nemesis, recorder, cluster, log } = options;
	const { counts, failures } = done;
	while (!options.isOver()) {
		await rest(options, quietMs);
		if (options.isOver()) break;
		let fault: Fault;
		recorder.nemesis("inject", nemesis.name);
		try {
			fault = await nemesis.begin(options);
		} catch (error) {
			failures.push((error as Error).message);
			log(`a fault was not possible: ${(error as Error).message.split("\n")[0]}`);
			continue;
		}
		counts[fault.kind] = (counts[fault.kind] ?? 0) + 1;
		recorder.nemesis(`start-${fault.kind}`, fault.what);
		log(`${fault.kind}: ${JSON.stringify(fault.what).slice(0, 120)}`);
		await rest(options, options.faultMs);
		await fault.end();
		recorder.nemesis(`stop-${fault.kind}`, null);
		cluster.throwIfEnded();
	}
	cluster.network.heal();
	await cluster.startAll();
	recorder.nemesis("healed", null);
}

async function rest(
	{ random, recorder, pace, isOver }: FaultsOptions,
	[from, to]: readonly [number, number],
): Promise<void> {
	const ms = pace === undefined ? random.between(from, to) : paceMsMax;
	const goal = pace === undefined ? Number.POSITIVE_INFINITY : recorder.completed + pace;
	const deadline = performance.now() + ms;
	while (!isOver() && performance.now() < deadline && recorder.completed < goal)
		await sleep(pollMs);
}
