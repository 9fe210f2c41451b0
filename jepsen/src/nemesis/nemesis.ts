/** Faults: each is begun, stays for a while, and is ended. What a run needs for them is said beforehand. */
import type { Value } from "@quorate/checker/operations";
import type { DiskKind, RunCluster } from "../run/run-cluster.ts";
import type { SeededRandom } from "../workload/random.ts";
import type { Workload } from "../workloads/workload.ts";

export interface NemesisContext {
	readonly cluster: RunCluster;
	readonly workload: Workload;
	readonly random: SeededRandom;
}

export interface Fault {
	/** By which faults are counted: "kill", "partition-ring" ... */
	readonly kind: string;
	readonly what: Value;
	end(): Promise<void>;
}

export interface Nemesis {
	readonly name: string;
	readonly about: string;
	readonly needsHooks?: boolean;
	/** Nodes run below clocks of libfaketime. */
	readonly fakesClocks?: boolean;
	readonly disk?: DiskKind;
	/** At least so many nodes. */
	readonly nodesMin?: number;
	/** Errors that clients may be told because of it, besides those that every run may see. */
	readonly codes?: readonly string[];
	/** Rejects where it was not possible: nothing has been done then. */
	begin(context: NemesisContext): Promise<Fault>;
}

/** What it remembers is of one run. */
export type MakeNemesis = () => Nemesis;

export const nothing = async (): Promise<void> => undefined;
