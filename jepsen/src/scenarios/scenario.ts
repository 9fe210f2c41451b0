/** What a scenario is given and what it finds. Tests run them small, the soak at length. */
import type { ProcessCluster } from "../harness/process-cluster.ts";

export interface ScenarioContext {
	readonly cluster: ProcessCluster;
	log(line: string): void;
}

/** Sentences that say what is wrong; [] is a pass. */
export type Violations = readonly string[];

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
