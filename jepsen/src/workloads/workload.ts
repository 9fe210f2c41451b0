/** What a workload is: tables, operations one after the other for each worker, and a judgement of the history. */
import type { Step } from "@quorate/checker/isolation";
import type { Operation, Value } from "@quorate/checker/operations";
import type { Session } from "../net/session.ts";
import type { SeededRandom } from "../workload/random.ts";

/** One operation. */
export interface Work {
	readonly f: string;
	/** As it is invoked. */
	readonly value: Value;
	/** How long an answer is waited for; ten seconds where nothing is said. */
	readonly timeoutMs?: number;
	/** Resolves with what was answered; throws `Failed`. */
	run(session: Session): Promise<Value>;
}

export interface Worker {
	/** From 0 on; the process ids that it uses are new ones after each `info`. */
	readonly index: number;
	readonly workers: number;
	readonly process: number;
	readonly random: SeededRandom;
}

export interface Finding {
	readonly kind: string;
	/** A line a step. */
	readonly explanation: readonly string[];
	/** Of a cycle. */
	readonly steps?: readonly Step[];
	/** The transactions of a cycle by their ids, each as text. */
	readonly transactions?: readonly (readonly [number, string])[];
}

export interface Verdict {
	readonly valid: boolean;
	readonly findings: readonly Finding[];
	/** Numbers worth a line. */
	readonly counts: Readonly<Record<string, number>>;
}

export interface Workload {
	readonly name: string;
	/** What it shows, in a sentence. */
	readonly about: string;
	/** Statements that make its tables. */
	readonly schema: readonly string[];
	next(worker: Worker): Work;
	/** Reads that every node answers when all faults are healed. */
	finals?(): readonly Work[];
	/** A statement that cuts one of its tables somewhere. */
	split(random: SeededRandom): string;
	check(history: readonly Operation[]): Verdict;
}

export type MakeWorkload = () => Workload;

export const verdict = (
	findings: readonly Finding[],
	counts: Readonly<Record<string, number>>,
	proved: boolean,
): Verdict => ({
	valid: findings.length === 0 && proved,
	findings:
		findings.length === 0 && !proved
			? [{ kind: "nothing-proved", explanation: ["nothing that succeeded could be judged"] }]
			: findings,
	counts,
});

export const explained = (
	kind: string,
	problems: readonly { readonly explanation: string }[],
): readonly Finding[] => problems.map((p) => ({ kind, explanation: [p.explanation] }));

export function pick<T>(random: SeededRandom, items: readonly T[]): T {
	return items[random.between(0, items.length - 1)]!;
}

export const numbersFrom = (from: number, count: number): readonly number[] =>
	Array.from({ length: count }, (_, i) => from + i);
