/** PostgreSQL's four strengths of row locks, and which of them bear each other (its manual, section 13.3.2). */

export type LockStrength = "key share" | "share" | "no key update" | "update";

/** From the weakest. A stronger lock conflicts with all that a weaker one conflicts with. */
export const lockStrengths: readonly LockStrength[] = [
	"key share",
	"share",
	"no key update",
	"update",
];

/** By the strength of one, the weakest of another that it conflicts with. */
const conflictsFrom: Readonly<Record<LockStrength, number>> = {
	"key share": 3,
	share: 2,
	"no key update": 1,
	update: 0,
};

export const lockRank = (strength: LockStrength): number => lockStrengths.indexOf(strength);

export const locksConflict = (a: LockStrength, b: LockStrength): boolean =>
	lockRank(b) >= conflictsFrom[a];

export const strongerLock = (a: LockStrength, b: LockStrength): LockStrength =>
	lockRank(a) >= lockRank(b) ? a : b;
