/**
 * How often the statements of a node run and how long they take, by their text without literals and by kind. It is on the way of every
 * statement: one lookup by the shape that the plan cache is asked for as well, and a few additions.
 *
 * Bounded: of texts there are `textsMax`; when there are more, those that took least time in total are forgotten, a tenth at once.
 */
import type {
	StatementHistogram,
	StatementKind,
	StatementReport,
	StatementShape,
} from "../types/statement-report.ts";
import { latencyBounds, statementKinds } from "../types/statement-report.ts";
import type { Prepared } from "./prepared.ts";
import { withoutLiterals } from "./statement-text.ts";

const textsMax = 500;
/** Several shapes may have one text. */
const shapesMax = 1_000;
/** What is longer is looked up by its text. */
const shapeLengthMax = 4_096;

class Use implements StatementShape {
	readonly text: string;
	readonly kind: StatementKind;
	calls = 0;
	failures = 0;
	totalMs = 0;
	worstMs = 0;

	constructor(text: string, kind: StatementKind) {
		this.text = text;
		this.kind = kind;
	}
}

class Histogram implements StatementHistogram {
	readonly kind: StatementKind;
	readonly counts: number[] = new Array(latencyBounds.length + 1).fill(0);
	failures = 0;
	totalMs = 0;

	constructor(kind: StatementKind) {
		this.kind = kind;
	}

	note(ms: number, failed: boolean): void {
		const seconds = ms / 1000;
		let i = 0;
		while (i < latencyBounds.length && seconds > latencyBounds[i]!) i += 1;
		this.counts[i]! += 1;
		this.totalMs += ms;
		if (failed) this.failures += 1;
	}
}

export class StatementStatistics {
	readonly #byShape = new Map<string, Use>();
	readonly #byText = new Map<string, Use>();
	readonly #histograms = new Map(statementKinds.map((kind) => [kind, new Histogram(kind)]));

	/** Undefined: what could not be parsed. */
	note(prepared: Prepared | undefined, ms: number, failed: boolean): void {
		const use = prepared === undefined ? undefined : this.#useOf(prepared);
		this.#histograms.get(use?.kind ?? "other")!.note(ms, failed);
		if (use !== undefined) add(use, ms, failed);
	}

	/** A transaction that a Sync has committed. */
	noteCommit(ms: number, failed: boolean): void {
		this.#histograms.get("commit")!.note(ms, failed);
	}

	report(shapesMost: number): StatementReport {
		const uses = [...this.#byText.values()].sort((a, b) => b.totalMs - a.totalMs);
		return {
			shapes: uses.slice(0, shapesMost).map((use) => ({ ...use })),
			histograms: [...this.#histograms.values()].map((h) => ({ ...h, counts: [...h.counts] })),
		};
	}

	#useOf(prepared: Prepared): Use | undefined {
		const { lexed } = prepared;
		if (lexed === undefined) return undefined;
		return this.#byShape.get(lexed.shape) ?? this.#newShape(prepared);
	}

	#newShape(prepared: Prepared): Use | undefined {
		const text = textOf(prepared);
		if (text === undefined) return undefined;
		const lexed = prepared.lexed!;
		let use = this.#byText.get(text);
		if (use === undefined) {
			if (this.#byText.size >= textsMax) this.#forget();
			use = new Use(text, kindOf(prepared));
			this.#byText.set(text, use);
		}
		if (lexed.query.length <= shapeLengthMax) {
			if (this.#byShape.size >= shapesMax) this.#byShape.clear();
			this.#byShape.set(lexed.shape, use);
		}
		return use;
	}

	#forget(): void {
		const uses = [...this.#byText.values()].sort((a, b) => a.totalMs - b.totalMs);
		for (const use of uses.slice(0, textsMax / 10)) this.#byText.delete(use.text);
		this.#byShape.clear();
	}
}

function add(use: Use, ms: number, failed: boolean): void {
	use.calls += 1;
	use.totalMs += ms;
	if (ms > use.worstMs) use.worstMs = ms;
	if (failed) use.failures += 1;
}

const ofCommand = {
	SELECT: "select",
	INSERT: "insert",
	UPDATE: "update",
	DELETE: "delete",
} as const;

/** Undefined: it is not known yet what it is. */
function textOf({ lexed, utility, plan, parsed, inner }: Prepared): string | undefined {
	if (utility !== undefined) return utility.kind.toUpperCase().replaceAll("-", " ");
	if (inner !== undefined) return "EXECUTE";
	return plan === undefined && parsed === undefined ? undefined : withoutLiterals(lexed!);
}

function kindOf({ utility, plan, parsed, inner }: Prepared): StatementKind {
	if (utility !== undefined) {
		return utility.kind === "commit" || utility.kind === "copy" ? utility.kind : "other";
	}
	if (inner !== undefined) return "other";
	if (plan !== undefined) return ofCommand[plan.plan.command];
	return parsed === undefined || parsed.kind === "query" ? "select" : parsed.kind;
}
