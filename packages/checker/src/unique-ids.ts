/** Identifiers and values of sequences: no two that were handed out are equal. */
export interface UniqueIdsResult<T> {
	/** Some were handed out, no two of them equal. */
	readonly valid: boolean;
	readonly count: number;
	/** With how often each was handed out. */
	readonly duplicates: readonly (readonly [T, number])[];
}

export function checkUniqueIds<T extends string | number | bigint>(
	handedOut: readonly T[],
): UniqueIdsResult<T> {
	const counts = new Map<T, number>();
	for (const id of handedOut) counts.set(id, (counts.get(id) ?? 0) + 1);
	const duplicates = [...counts].filter(([, count]) => count > 1);
	const valid = duplicates.length === 0 && handedOut.length > 0;
	return { valid, count: handedOut.length, duplicates };
}
