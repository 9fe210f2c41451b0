/**
 * What the grammar's actions do is put off until the parse has succeeded. An Earley parser completes many rules that turn out to
 * be dead ends; building their nodes would be waste, and an action could not refuse what it sees. So a rule leaves a `Deferred`,
 * and one walk over the finished parse runs the actions, innermost first.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import type { LexedStatement } from "./lex.ts";
import { statementPosition } from "./position.ts";
import type { Token } from "./tokens.ts";

/** `at`: offset of the first token of the rule, in the statement. */
// biome-ignore lint/suspicious/noExplicitAny: nearley's data has no types; the actions give it some.
export type Action = (data: any[], at: number) => unknown;

/** Actions of list rules, known to the walk so that long lists are not deep: `list -> item`, `list -> list "," item`. */
export const first: Action = (data) => [data[0]];
export const more: Action = (data) => [...data[0], data[data.length - 1]];
/** `list -> item "and" item`: a list of two with a separator. */
export const pair: Action = (data) => [data[0], data[2]];

export class Deferred {
	readonly action: Action | undefined;
	readonly data: readonly unknown[];
	/** Index of the rule's first token. */
	readonly reference: number;

	constructor(action: Action | undefined, data: readonly unknown[], reference: number) {
		this.action = action;
		this.data = data;
		this.reference = reference;
	}
}

/** About four levels of rules an operator: 1+1+1... may have several hundred. */
const DEPTH_MAX = 1500;

export class Evaluation {
	readonly #statement: LexedStatement;
	readonly #tokens: readonly Token[];
	readonly #end: number;
	#depth = 0;

	constructor(statement: LexedStatement, tokens: readonly Token[]) {
		this.#statement = statement;
		this.#tokens = tokens;
		this.#end = statement.text.length;
	}

	value(node: unknown): unknown {
		if (node === null) {
			return undefined;
		}
		if (!(node instanceof Deferred)) {
			return node;
		}
		if (node.action === more) {
			return this.#list(node);
		}
		this.#depth += 1;
		if (this.#depth > DEPTH_MAX) {
			throw new DatabaseError("54001", "stack depth limit exceeded", {
				hint: "Split the expression, or write long lists of values as an array.",
			});
		}
		const data: unknown[] = [];
		for (const child of node.data) {
			data.push(this.value(child));
		}
		this.#depth -= 1;
		return node.action === undefined ? data : this.#run(node.action, data, node.reference);
	}

	#run(action: Action, data: unknown[], reference: number): unknown {
		const at = this.#tokens[reference]?.start ?? this.#end;
		try {
			return action(data, at);
		} catch (error) {
			if (error instanceof DatabaseError && error.fields.position === undefined) {
				// What an action refuses is at the first token of its rule.
				const position = statementPosition(this.#statement, at);
				throw new DatabaseError(error.code, error.message, { ...error.fields, position });
			}
			throw error;
		}
	}

	/** Left-recursive lists, without recursion along their length. */
	#list(last: Deferred): unknown[] {
		const reversed: unknown[] = [];
		let node = last;
		while (node.action === more) {
			reversed.push(this.value(node.data[node.data.length - 1]));
			node = node.data[0] as Deferred;
		}
		const items = this.value(node) as unknown[];
		for (let i = reversed.length - 1; i >= 0; i -= 1) {
			items.push(reversed[i]);
		}
		return items;
	}
}
