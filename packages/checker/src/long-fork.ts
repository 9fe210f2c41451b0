/**
 * Long forks: keys are written once each, by transactions of their own, and groups of keys are read at once. Of two reads of a group
 * one must have seen all that the other saw: else they saw two writes in opposite orders.
 */
import type { Key } from "./history.ts";

/** One that was answered. */
export interface GroupRead {
	readonly id: number;
	readonly group: Key;
	/** Those of the group's keys that had been written. */
	readonly seen: readonly Key[];
}

export interface Fork {
	readonly group: Key;
	readonly reads: readonly [number, number];
	readonly explanation: string;
}

export interface LongForkResult {
	/** Some read saw something, and there is no fork. */
	readonly valid: boolean;
	readonly reads: number;
	/** For each group at most one for each read. */
	readonly forks: readonly Fork[];
}

export function checkLongFork(reads: readonly GroupRead[]): LongForkResult {
	const groups = new Map<Key, GroupRead[]>();
	for (const read of reads) {
		const ofGroup = groups.get(read.group);
		if (ofGroup === undefined) groups.set(read.group, [read]);
		else ofGroup.push(read);
	}
	const forks: Fork[] = [];
	for (const [group, ofGroup] of groups) {
		// All are comparable if, by size, each holds the one before it.
		const bySize = ofGroup.map((read) => ({ read, seen: new Set(read.seen) }));
		bySize.sort((a, b) => a.seen.size - b.seen.size);
		for (let i = 1; i < bySize.length; i++) {
			const [a, b] = [bySize[i - 1]!, bySize[i]!];
			const onlyA = a.read.seen.find((key) => !b.seen.has(key));
			if (onlyA === undefined) continue;
			const onlyB = b.read.seen.find((key) => !a.seen.has(key))!;
			forks.push({
				group,
				reads: [a.read.id, b.read.id],
				explanation: `#${a.read.id} saw ${onlyA} and not ${onlyB}, #${b.read.id} saw ${onlyB} and not ${onlyA}`,
			});
		}
	}
	const valid = forks.length === 0 && reads.some((r) => r.seen.length > 0);
	return { valid, reads: reads.length, forks };
}
