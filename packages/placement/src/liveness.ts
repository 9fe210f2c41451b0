/**
 * Who is alive, as the leader hears it: kept in its memory only, since silence is a hint and never
 * a decision about data. A new leader gives everyone the benefit of the doubt for one silence
 * period.
 */
import type { NodeId } from "@quorate/keys/ids";
import type { Clock } from "@quorate/runtime/runtime";
import type { NodeRecord } from "./types.ts";

/** Four heartbeats. */
export const suspectAfterMs = 2000;

interface Heard {
	readonly atMs: number;
	readonly bootId: string;
	readonly schemaVersion: number;
	/** It is about to stop. */
	readonly isStopping: boolean;
}

export class Liveness {
	readonly #clock: Clock;
	readonly #heard = new Map<NodeId, Heard>();
	#since = 0;

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** Leadership begins. */
	reset(): void {
		this.#heard.clear();
		this.#since = this.#clock.monotonicMs();
	}

	/** This process stood still: nobody could be heard. */
	excuse(): void {
		this.#since = this.#clock.monotonicMs();
	}

	heard(node: NodeId, bootId: string, schemaVersion: number, isStopping = false): void {
		this.#heard.set(node, { atMs: this.#clock.monotonicMs(), bootId, schemaVersion, isStopping });
	}

	/** The boot that is registered has said so. */
	isStopping({ nodeId, bootId }: NodeRecord): boolean {
		const heard = this.#heard.get(nodeId);
		return heard?.bootId === bootId && heard.isStopping;
	}

	/** How long nothing has been heard of the boot that is registered; counted from the beginning of the leadership at the earliest. */
	silentForMs({ nodeId, bootId }: NodeRecord): number {
		const heard = this.#heard.get(nodeId);
		const lastMs = heard?.bootId === bootId ? heard.atMs : 0;
		return this.#clock.monotonicMs() - Math.max(lastMs, this.#since);
	}

	/** The record with what was heard filled in. */
	judge(record: NodeRecord): NodeRecord {
		const heard = this.#heard.get(record.nodeId);
		const isOfBoot = heard !== undefined && heard.bootId === record.bootId;
		const schemaVersion = isOfBoot ? heard.schemaVersion : 0;
		if (record.state !== "live" && record.state !== "draining") {
			return { ...record, schemaVersion };
		}
		const state = record.state === "live" && this.#isSilent(record) ? "suspect" : record.state;
		return { ...record, schemaVersion, state };
	}

	/** Whether everyone who may be running statements now has seen the version. */
	haveSeen(records: readonly NodeRecord[], version: number): boolean {
		return records.every((record) => {
			const isRunning = record.state === "live" || record.state === "draining";
			return !isRunning || this.#isSilent(record) || this.judge(record).schemaVersion >= version;
		});
	}

	#isSilent(record: NodeRecord): boolean {
		return this.silentForMs(record) > suspectAfterMs;
	}
}
