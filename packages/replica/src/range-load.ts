/** What a leaseholder tells of its range to whoever decides where ranges lie. */
import type { RangeId } from "@quorate/keys/ids";
import type { Replica } from "./replica.ts";

export interface RangeLoad {
	readonly rangeId: RangeId;
	/** Of the range whose keys were measured. */
	readonly version: number;
	readonly sizeBytes: number;
	readonly requestsPerSecond: number;
	/** It begins where somebody wanted it to (SPLIT AT). */
	readonly byHand: boolean;
}

/** What was asked so long ago says nothing about now. */
export const idleAfterMs = 60_000;

export function loadOf(replica: Replica, nowMs: number): RangeLoad {
	const { descriptor, byHand } = replica.state;
	const isIdle = nowMs - replica.lastUsedMs >= idleAfterMs;
	return {
		rangeId: descriptor.rangeId,
		version: descriptor.epoch.version,
		sizeBytes: Math.round(replica.sizeBytes()),
		requestsPerSecond: isIdle ? 0 : Math.round(replica.requestsPerSecond * 10) / 10,
		byHand,
	};
}
