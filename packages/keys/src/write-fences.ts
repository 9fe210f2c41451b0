/**
 * Settings of the cluster by which a transaction that goes over all rows of a table asks others not to write it meanwhile. A fence that
 * is not renewed lapses by itself. It is scheduling only: whoever writes all the same makes that transaction fail, and nothing else.
 */
import { addMs, type Timestamp } from "./timestamp.ts";

const prefix = "write_fence.";
/** After so long without a word nobody is there any more. */
const lifeMs = 15_000;

export const fenceName = (tableOid: number, owner: string): string =>
	`${prefix}${tableOid}.${owner}`;

/** Counted from `now`. */
export const fenceValue = (now: Timestamp): string => String(addMs(now, lifeMs));

export interface WriteFence {
	readonly name: string;
	readonly tableOid: number;
	/** From then on it is nobody's. */
	readonly until: number;
}

type Settings = ReadonlyMap<string, string>;

/** Of settings that have not changed since they were looked at. */
const known = new WeakMap<Settings, readonly WriteFence[]>();

/** Also those that have lapsed. */
export function fencesIn(settings: Settings): readonly WriteFence[] {
	const found = known.get(settings);
	if (found !== undefined) return found;
	const fences = [...settings].flatMap(([name, value]): WriteFence[] => {
		if (!name.startsWith(prefix)) return [];
		const tableOid = Number(name.slice(prefix.length).split(".")[0]);
		return [{ name, tableOid, until: Number(value) }];
	});
	known.set(settings, fences);
	return fences;
}
