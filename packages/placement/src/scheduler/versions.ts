/**
 * Raises the active version of the cluster as soon as all nodes can a higher one. A node that is silent counts: it may come back as it
 * was. One that is dead, or was removed, does not: if it comes back too old it is refused.
 */
import {
	commonVersion,
	firstVersions,
	type VersionSpan,
	versionSetting,
} from "@quorate/keys/cluster-version";
import type { PlacementMachine } from "../group-machine.ts";
import type { NodeRecord } from "../types.ts";

export class Versions {
	readonly #machine: PlacementMachine;
	readonly #record: (reason: string) => Promise<unknown>;
	#isRaising = false;

	constructor(machine: PlacementMachine, record: (reason: string) => Promise<unknown>) {
		this.#machine = machine;
		this.#record = record;
	}

	/** True: it has been raised now. */
	async step(): Promise<boolean> {
		const { state } = this.#machine;
		const active = state.clusterVersion();
		const possible = possibleVersion(state.nodes());
		if (possible <= active || this.#isRaising) return false;
		this.#isRaising = true;
		try {
			return await this.#raise(active, possible);
		} finally {
			this.#isRaising = false;
		}
	}

	async #raise(from: number, to: number): Promise<boolean> {
		const command = { kind: "set", name: versionSetting, value: String(to) } as const;
		const result = await this.#machine.propose(command);
		if (typeof result !== "object") return false;
		await this.#record(`cluster version ${from} to ${to}: all nodes can it`);
		return true;
	}
}

/** Who has not registered yet has not said what it can: it may be a founder of an older build. */
export const possibleVersion = (nodes: readonly NodeRecord[]): number =>
	commonVersion(
		nodes
			.filter(({ state }) => state !== "dead" && state !== "removed")
			.map(({ versions }): VersionSpan => versions ?? firstVersions),
	);
