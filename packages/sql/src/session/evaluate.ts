/** Expressions outside of plans: arguments of EXECUTE, keys of SPLIT AT, defaults of new columns. */
import { Env, Execution } from "../execute/env.ts";
import { StatementStore } from "../execute/statement-store.ts";
import type { Expression } from "../parser/ast.ts";
import type { LexedStatement } from "../parser/parse.ts";
import { argumentReader } from "../plan/arguments.ts";
import { bindExpression } from "../plan/bind-expression.ts";
import { Binder } from "../plan/binder.ts";
import { coerce } from "../plan/coerce.ts";
import { compile } from "../plan/compile.ts";
import { CompileScope } from "../plan/compile-scope.ts";
import { Planner } from "../plan/plan-query.ts";
import { Scope } from "../plan/scope.ts";
import type { Datum, SqlType } from "../types/datum.ts";
import type { SessionState } from "./session-state.ts";
import type { TransactionBlock } from "./transaction-block.ts";

export async function binderFor(
	state: SessionState,
	block: TransactionBlock,
	lexed: LexedStatement | undefined,
	types: readonly number[],
): Promise<Binder> {
	const transaction = await state.open(block);
	const catalog = await state.catalogOf(block, transaction);
	const use = await state.relianceOf(block);
	return new Binder(
		{
			catalog,
			virtualTable: state.services.virtualTable,
			searchPath: state.context.searchPath,
			use,
			context: state.context,
		},
		types,
		lexed?.literals ?? [],
	);
}

/** A run of something that has no plan of its own. */
export async function executionFor(
	state: SessionState,
	block: TransactionBlock,
): Promise<Execution> {
	const { services } = state;
	const transaction = await state.open(block);
	const catalog = await state.catalogOf(block, transaction);
	return new Execution({
		runtime: services.runtime,
		store: new StatementStore(transaction, catalog.version),
		context: state.context,
		isolation: block.characteristics.isolation,
		rowIds: services.rowIds,
		cancel: state.cancel,
		moreRows: undefined,
		memoryLimit: services.statementMemory,
		deferred: block.constraints,
	});
}

/** Values of expressions without columns, each assigned to its type. */
export async function evaluateExpressions(
	state: SessionState,
	block: TransactionBlock,
	nodes: readonly Expression[],
	targets: readonly SqlType[],
	lexed: LexedStatement | undefined,
): Promise<Datum[]> {
	const binder = await binderFor(state, block, lexed, []);
	const planner = new Planner(binder.environment.catalog);
	const scope = CompileScope.root(planner).inner();
	const place = {
		binder,
		scope: new Scope(undefined),
		clause: "EXECUTE parameters",
		aggregates: false,
		sets: false,
	};
	const compiled = nodes.map((node, i) => {
		const bound = bindExpression(place, node);
		return compile(coerce(binder, bound, targets[i]!, "assignment"), scope);
	});
	const args = argumentReader(planner.arguments.list)(lexed?.literals ?? [], [], state.context);
	const env = new Env(await executionFor(state, block), args);
	const values: Datum[] = [];
	for (const one of compiled) values.push(await one.evaluate([], env));
	return values;
}
