/**
 * Settings of the cluster by which somebody who reads the past for long, as a backup does, asks that history be kept meanwhile. A hold
 * that is not renewed lapses by itself. It is a courtesy: who reads below what is kept is told so, hold or no hold.
 */
import { addMs, type Timestamp } from "./timestamp.ts";

const prefix = "history_hold.";
/** After so long without a word nobody is there any more. */
const lifeMs = 600_000;

export const holdName = (id: string): string => prefix + id;

/** Keeps what a read at `from` needs, counted from `now`. */
export const holdValue = (from: Timestamp, now: Timestamp): string =>
	`${from} ${addMs(now, lifeMs)}`;

/** The oldest timestamp that is held. */
export function oldestHold(
	settings: ReadonlyMap<string, string>,
	now: Timestamp,
): Timestamp | undefined {
	let oldest: number | undefined;
	for (const [name, value] of settings) {
		if (!name.startsWith(prefix)) continue;
		const [from, until] = value.split(" ").map(Number);
		if (from === undefined || until === undefined || !(until > now)) continue;
		oldest = Math.min(oldest ?? from, from);
	}
	return oldest as Timestamp | undefined;
}

/** Names of those that have lapsed. */
export const lapsedHolds = (settings: ReadonlyMap<string, string>, now: Timestamp): string[] =>
	[...settings].flatMap(([name, value]) =>
		name.startsWith(prefix) && !(Number(value.split(" ")[1]) > now) ? [name] : [],
	);
