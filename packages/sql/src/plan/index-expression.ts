/**
 * What an index makes of a row beside its columns: the values of expressions, and whether the row is in a partial index at all. Every node
 * and every session must make the same of a row, at all times, so:
 *
 * 1. They are immutable (`ddl/index-columns.ts` sees to it), and are evaluated in surroundings that are nobody's: no settings, no catalog.
 *    What they need to know of enums stands with the index.
 * 2. Their text says all (`deparse-bound.ts`), and depends on no search path.
 */
import { assert, InvariantError } from "@quorate/keys/assert";
import { DatabaseError } from "@quorate/keys/database-error";
import {
	type EnumDescriptor,
	type IndexLabel,
	liveColumns,
	type TableDescriptor,
} from "../catalog/descriptor.ts";
import { CatalogSnapshot } from "../catalog/snapshot.ts";
import { storageContext } from "../execute/column-codec.ts";
import { Env, type ExecRow, Execution } from "../execute/env.ts";
import type { Expression } from "../parser/ast.ts";
import type { Datum } from "../types/datum.ts";
import { labelReference, typesNamedIn } from "../types/enum-types.ts";
import { isEnum } from "../types/made-oids.ts";
import type { FunctionContext } from "../types/registry.ts";
import { bindBoolean, bindExpression, type Place } from "./bind-expression.ts";
import { storedExpression, tableRelation } from "./bind-table.ts";
import { Binder } from "./binder.ts";
import { type Bound, constant, mapArgs, someNode } from "./bound.ts";
import { settle } from "./coerce.ts";
import { compile } from "./compile.ts";
import { ArgumentList, CompileScope } from "./compile-scope.ts";
import { folded } from "./folded.ts";
import { Layout, type Relation } from "./relation.ts";
import { Scope } from "./scope.ts";

export interface IndexTerm {
	/** Over `relation`, the table's row. */
	readonly bound: Bound;
	/** Of the columns in it. */
	readonly slots: readonly number[];
	/** Of a row of the table's live columns. Throws what the expression does. */
	readonly evaluate: (row: ExecRow) => Datum;
}

export type IndexClause = "index expressions" | "index predicates";

export function bindIndexExpression(
	binder: Binder,
	relation: Relation,
	expression: Expression,
	clause: IndexClause,
): Bound {
	const scope = new Scope(undefined);
	scope.add(relation);
	const place: Place = { binder, scope, clause, aggregates: false, sets: false };
	const bound =
		clause === "index predicates"
			? bindBoolean(place, expression, "WHERE")
			: settle(binder, bindExpression(place, expression));
	return folded(bound, binder.environment.context);
}

/** With the values of all that is made of constants only. */
function evaluated(given: Bound, scope: CompileScope, env: Env): Bound {
	const bound = mapArgs(given, (arg) => evaluated(arg, scope, env));
	const isMade = ["call", "cast", "modifier", "relabel"].includes(bound.kind);
	if (!isMade || bound.args.length === 0) return bound;
	if (!bound.args.every(({ kind }) => kind === "constant")) return bound;
	try {
		const compiled = compile(bound, scope);
		return compiled.async ? bound : constant(compiled.evaluate([], env), bound.type);
	} catch (error) {
		// Whether it fails for a row is found out then.
		if (error instanceof DatabaseError) return bound;
		throw error;
	}
}

export class IndexExpressions {
	readonly relation: Relation;
	readonly #binder: Binder;
	readonly #context: FunctionContext;

	constructor(table: TableDescriptor, texts: readonly string[], labels: readonly IndexLabel[]) {
		this.relation = tableRelation(table, undefined);
		this.#context = surroundings(labels);
		this.#binder = new Binder(
			{
				catalog: new CatalogSnapshot(0, enumsIn(table, texts)),
				virtualTable: () => undefined,
				searchPath: [],
				context: this.#context,
			},
			[],
			[],
		);
	}

	bind(text: string, clause: IndexClause): Bound {
		return bindIndexExpression(this.#binder, this.relation, storedExpression(text), clause);
	}

	term(text: string, clause: IndexClause): IndexTerm {
		const context = {
			arguments: new ArgumentList(),
			planQuery: (): never => {
				throw new InvariantError("an index has no queries");
			},
		};
		const scope = CompileScope.root(context).inner(Layout.of(this.relation));
		const env = new Env(nowhere(this.#context), []);
		const bound = evaluated(this.bind(text, clause), scope, env);
		const compiled = compile(bound, scope);
		assert(!compiled.async, () => `"${text}" waits for nobody`);
		const slots = new Set<number>();
		someNode(bound, (node) => {
			if (node.kind === "column") slots.add(node.column);
			return false;
		});
		return { bound, slots: [...slots], evaluate: (row) => compiled.evaluate(row, env) };
	}
}

/** Of no statement: what is immutable asks nothing of one but to keep the set that a long list is. */
const nowhere = (context: FunctionContext): Execution =>
	new Execution({ context } as ConstructorParameters<typeof Execution>[0]);

function surroundings(labels: readonly IndexLabel[]): FunctionContext {
	const context = {
		...storageContext,
		searchPath: [],
		catalogCall: (name: string, [oid, value]: readonly Datum[]) => {
			if (name === "enum_out") return labelReference(oid as number, value as string);
			const found = labels.find(({ type, label }) => type === oid && label === value);
			if (name === "enum_in" && found !== undefined) return found.sortKey;
			throw new DatabaseError("0A000", `${name} is not supported in an index`, {
				hint: "Add a generated column that holds the value.",
			});
		},
	};
	return context as unknown as FunctionContext;
}

/** That they are there is all that is asked. */
function enumsIn(table: TableDescriptor, texts: readonly string[]): readonly EnumDescriptor[] {
	const oids = [
		...texts.flatMap(typesNamedIn),
		...liveColumns(table).map(({ type }) => type.oid),
	].filter(isEnum);
	return [...new Set(oids)].map((oid) => ({
		kind: "type",
		of: "enum",
		oid,
		schema: "",
		name: `type:${oid}`,
		values: [],
	}));
}
