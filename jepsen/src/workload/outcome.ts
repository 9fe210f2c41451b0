/** What a client knows about a transaction that it sent. */
export type Outcome =
	| { readonly kind: "ok" }
	/** It certainly has not happened. "lost": the connection went before COMMIT was sent. */
	| { readonly kind: "failed"; readonly code: string; readonly detail?: string | undefined }
	/** It may or may not have happened, or may still. */
	| { readonly kind: "unknown"; readonly code: string; readonly detail?: string | undefined };

/** One transaction of the load, with all that is needed to find it again. */
export interface Attempt {
	/** Unique over the whole run. */
	readonly id: number;
	/** 1-based number of the node that the client was connected to. */
	readonly node: number;
	readonly account: number;
	readonly teller: number;
	readonly branch: number;
	readonly delta: number;
	readonly outcome: Outcome;
	/** Of the test's monotonic clock. */
	readonly startedMs: number;
	readonly endedMs: number;
}

/** "ok 120, failed 40001 2, unknown lost 3" */
export function summary(attempts: readonly Attempt[]): string {
	const counts = new Map<string, number>();
	for (const { outcome } of attempts) {
		const key = outcome.kind === "ok" ? "ok" : `${outcome.kind} ${outcome.code}`;
		counts.set(key, (counts.get(key) ?? 0) + 1);
	}
	return [...counts]
		.sort(([a], [b]) => (a < b ? -1 : 1))
		.map(([key, count]) => `${key} ${count}`)
		.join(", ");
}

/** The longest time in which no transaction was acknowledged, between the first and the last that was. */
export function longestGapMs(attempts: readonly Attempt[]): number {
	const ends = attempts
		.filter(({ outcome }) => outcome.kind === "ok")
		.map(({ endedMs }) => endedMs)
		.sort((a, b) => a - b);
	return ends.reduce((gap, end, index) => Math.max(gap, end - (ends[index - 1] ?? end)), 0);
}
