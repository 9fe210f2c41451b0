/** What a node tells of the statements that it has run. Nothing in it is anybody's data: literals are not shown. */

/** `commit`: COMMIT, and what a Sync of the extended protocol commits. `other`: all that is not planned, and what has a syntax error. */
export const statementKinds = [
	"select",
	"insert",
	"update",
	"delete",
	"commit",
	"copy",
	"other",
] as const;
export type StatementKind = (typeof statementKinds)[number];

/** Upper bounds in seconds; what took longer is in one more bucket. */
export const latencyBounds: readonly number[] = [
	0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

export interface StatementShape {
	/** The text with `?` for each literal, cut where it is long; of what is not planned only the command. */
	readonly text: string;
	readonly kind: StatementKind;
	/** That ended, well or not. */
	readonly calls: number;
	readonly failures: number;
	readonly totalMs: number;
	readonly worstMs: number;
}

export interface StatementHistogram {
	readonly kind: StatementKind;
	/** Not cumulative: one count for each of `latencyBounds`, and one for the rest. */
	readonly counts: readonly number[];
	readonly failures: number;
	readonly totalMs: number;
}

/** Since the node's process began. */
export interface StatementReport {
	/** Those that took most time in total come first. */
	readonly shapes: readonly StatementShape[];
	readonly histograms: readonly StatementHistogram[];
}
