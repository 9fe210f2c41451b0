/**
 * Plans by shape of their statement, shared by all sessions of a node. An entry holds for one schema version, one search
 * path and one list of parameter types; where a plan depends on the value of a literal, it holds for that value only.
 */
import type { Authorized } from "../auth/authorize.ts";
import type { LexedStatement, LiftedLiteral } from "../parser/parse.ts";
import type { CatalogUse } from "../plan/catalog-use.ts";
import type { LiteralChoices } from "../plan/literal-choices.ts";
import type { StatementPlan } from "../plan/statement-plan.ts";

export interface CachedPlan extends Authorized {
	readonly plan: StatementPlan;
	/** As the client asked for it, 0 where it left a type open, and as they were inferred from that. */
	readonly askedTypes: readonly number[];
	readonly parameterTypes: readonly number[];
	readonly schemaVersion: number;
	/** The generation of the temporary objects of the session that it is for; 0: of none. */
	readonly temporary: number;
	readonly searchPath: readonly string[];
	readonly use: CatalogUse;
	readonly choices: LiteralChoices;
	readonly pinned: readonly { readonly index: number; readonly text: string }[];
}

const shapesMax = 2000;
/** Of the texts of all shapes, in characters: plans are some ten times as large. */
const charactersMax = 8_000_000;
const variantsMax = 4;

function holds(entry: CachedPlan, literals: readonly LiftedLiteral[]): boolean {
	for (const { index, text } of entry.pinned) if (literals[index]?.text !== text) return false;
	return entry.choices.holdFor(literals);
}

function sameTypes(asked: readonly number[], entry: CachedPlan): boolean {
	return (
		isPrefix(asked, entry.askedTypes) ||
		(asked.length === entry.parameterTypes.length && isPrefix(asked, entry.parameterTypes))
	);
}

/** What is not said is open, too. */
function isPrefix(asked: readonly number[], known: readonly number[]): boolean {
	const count = Math.max(asked.length, known.length);
	for (let i = 0; i < count; i++) if ((asked[i] ?? 0) !== (known[i] ?? 0)) return false;
	return true;
}

export class PlanCache {
	readonly #shapes = new Map<string, CachedPlan[]>();
	#characters = 0;
	hits = 0;
	misses = 0;

	find(
		statement: LexedStatement,
		parameterTypes: readonly number[],
		schemaVersion: number,
		searchPath: readonly string[],
	): CachedPlan | undefined {
		const variants = this.#shapes.get(statement.shape);
		if (variants !== undefined) {
			for (const entry of variants) {
				if (
					entry.schemaVersion === schemaVersion &&
					samePath(entry.searchPath, searchPath) &&
					sameTypes(parameterTypes, entry) &&
					holds(entry, statement.literals)
				) {
					this.hits++;
					return entry;
				}
			}
		}
		this.misses++;
		return undefined;
	}

	add(statement: LexedStatement, entry: CachedPlan): void {
		const variants = (this.#shapes.get(statement.shape) ?? []).filter(
			(known) => known.schemaVersion >= entry.schemaVersion,
		);
		variants.unshift(entry);
		// Moved to the end: the least recently planned shape goes first.
		this.#forget(statement.shape);
		this.#shapes.set(statement.shape, variants.slice(0, variantsMax));
		this.#characters += statement.shape.length;
		for (const oldest of this.#shapes.keys()) {
			if (this.#shapes.size <= shapesMax && this.#characters <= charactersMax) break;
			this.#forget(oldest);
		}
	}

	get characters(): number {
		return this.#characters;
	}

	#forget(shape: string): void {
		if (this.#shapes.delete(shape)) this.#characters -= shape.length;
	}
}

/** Each session has a list of its own. */
export const samePath = (a: readonly string[], b: readonly string[]): boolean =>
	a === b || (a.length === b.length && a.every((schema, i) => schema === b[i]));
