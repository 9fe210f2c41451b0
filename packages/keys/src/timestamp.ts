/**
 * Timestamps: safe integers, milliseconds since 2020-01-01 UTC times 4096 plus a counter.
 * They fit a double until 2089 and leave 4,096 a millisecond. Only the oracle makes new ones.
 */
import { assert } from "./assert.ts";

declare const brand: unique symbol;
export type Timestamp = number & { readonly [brand]: "Timestamp" };

export const ticksPerMs = 4096;
/** 2020-01-01T00:00:00Z in milliseconds since 1970. */
export const epochMs = 1_577_836_800_000;

export const timestampZero = 0 as Timestamp;
export const timestampMax = Number.MAX_SAFE_INTEGER as Timestamp;

export function timestamp(value: number): Timestamp {
	assert(Number.isSafeInteger(value) && value >= 0, () => `not a timestamp: ${value}`);
	return value as Timestamp;
}

/** `wallMs`: milliseconds since 1970. */
export function timestampFromWallMs(wallMs: number): Timestamp {
	return timestamp(Math.max(0, Math.floor(wallMs - epochMs)) * ticksPerMs);
}

/** Milliseconds since 1970 of the timestamp's millisecond part. */
export function timestampToWallMs(ts: Timestamp): number {
	return Math.floor(ts / ticksPerMs) + epochMs;
}

export function addMs(ts: Timestamp, ms: number): Timestamp {
	return timestamp(ts + Math.round(ms) * ticksPerMs);
}
