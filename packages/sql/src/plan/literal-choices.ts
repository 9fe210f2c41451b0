/**
 * Choices of a plan that hang on the values of literals which the plan cache has lifted out: whether an index may be used at all, where it
 * is partial. The plan holds for all literals for which each of them would be the same, few or many.
 */
import type { LiftedLiteral } from "../parser/parse.ts";

interface Choice {
	readonly ask: () => boolean;
	readonly answer: boolean;
}

export class LiteralChoices {
	#literals: readonly LiftedLiteral[];
	readonly #choices: Choice[] = [];
	#isRead = false;

	constructor(literals: readonly LiftedLiteral[]) {
		this.#literals = literals;
	}

	/** For questions alone. */
	text(index: number): string {
		this.#isRead = true;
		return this.#literals[index]!.text;
	}

	/** The answer to a question that depends on nothing but literals. */
	decide(ask: () => boolean): boolean {
		this.#isRead = false;
		const answer = ask();
		if (this.#isRead) this.#choices.push({ ask, answer });
		return answer;
	}

	/** Whether a statement of the same shape with other literals has the same plan. */
	holdFor(literals: readonly LiftedLiteral[]): boolean {
		if (this.#choices.length === 0) return true;
		this.#literals = literals;
		return this.#choices.every(({ ask, answer }) => ask() === answer);
	}
}
