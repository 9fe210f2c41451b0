/** Statements that are planned: queries and the three that write rows. */
import { andThen } from "@quorate/keys/and-then";
import { assert } from "@quorate/keys/assert";
import type { DirectRow } from "../execute/plan-node.ts";
import type { ChangeStatement, Expression, Query, Statement } from "../parser/ast.ts";
import type { ResultColumn } from "../session/types.ts";
import { argumentReader } from "./arguments.ts";
import { bindQuery } from "./bind-query.ts";
import type { Binder } from "./binder.ts";
import { CompileScope } from "./compile-scope.ts";
import type { LogicalFrom, LogicalQuery } from "./logical.ts";
import { planInsert } from "./plan-insert.ts";
import { planDelete, planUpdate } from "./plan-modify.ts";
import { Planner } from "./plan-query.ts";
import type { Scope } from "./scope.ts";
import type { CursorTables, LoneRow, StatementPlan } from "./statement-plan.ts";

export type PlannedStatement = Extract<
	Statement,
	{ kind: "query" | "insert" | "update" | "delete" }
>;

export const isPlanned = (statement: Statement): statement is PlannedStatement =>
	statement.kind === "query" ||
	statement.kind === "insert" ||
	statement.kind === "update" ||
	statement.kind === "delete";

export function planStatement(binder: Binder, statement: PlannedStatement): StatementPlan {
	const planner = new Planner(binder.environment.catalog);
	binder.planChange = (change, around) => planChange(binder, planner, change, around);
	return statement.kind === "query"
		? planQueryStatement(binder, planner, statement)
		: planChange(binder, planner, statement, undefined);
}

/** `around`: of a statement in WITH, the tables before it. */
function planChange(
	binder: Binder,
	planner: Planner,
	statement: ChangeStatement,
	around: Scope | undefined,
): StatementPlan {
	switch (statement.kind) {
		case "insert":
			return planInsert(binder, planner, statement, around);
		case "update":
			return planUpdate(binder, planner, statement, around);
		default:
			return planDelete(binder, planner, statement, around);
	}
}

function planQueryStatement(binder: Binder, planner: Planner, query: Query): StatementPlan {
	const { asOf, present } = takeAsOf(query);
	const bound = bindQuery(binder, present, undefined);
	const [logical, cursorRows] = binder.isForCursor ? withRowKeys(bound) : [bound, undefined];
	const root = planner.planQuery(logical, CompileScope.root(planner));
	assert(
		root.layout.width === logical.columns.length + (cursorRows?.tables.length ?? 0),
		"a row has the query's columns",
	);
	const directRow = root.direct?.();
	const hasChanges = logical.with.some(({ change }) => change !== undefined);
	return {
		command: "SELECT",
		columns: logical.columns.map(
			(column): ResultColumn => ({
				name: column.name,
				type: column.type,
				tableOid: column.tableOid,
				attribute: column.attnum,
			}),
		),
		readArguments: argumentReader(planner.arguments.list),
		writes: locks(logical) || hasChanges,
		hasChanges,
		...(cursorRows === undefined ? {} : { cursorRows }),
		asOf,
		direct:
			directRow &&
			((env) =>
				andThen(directRow.read(env), (read) => {
					const row = read && directRow.finish(read, env);
					return row === undefined ? [] : [row];
				})),
		byKey: directRow && !hasChanges ? loneRow(directRow) : undefined,
		run: (env) => root.run(env),
		root,
	};
}

/** The rows of tables that each row of the query stands for. */
function withRowKeys(query: LogicalQuery): readonly [LogicalQuery, CursorTables] {
	const { body, locks } = query;
	const isPlain =
		body.kind === "select" &&
		body.aggregation === undefined &&
		body.distinct === undefined &&
		body.sets === undefined &&
		body.windows.length === 0;
	if (!isPlain) return [query, { locks, tables: [] }];
	const found = body.from.flatMap(tablesIn);
	const items = locks
		? found.filter(({ lock }) => lock !== undefined)
		: body.from.length === 1 && body.from[0]!.kind === "table"
			? found
			: [];
	const keysOf = items.map(({ relation }) => relation);
	const tables = items.map(({ table }) => table.oid);
	return [
		{ ...query, body: { ...body, keysOf } },
		{ locks, tables },
	];
}

const tablesIn = (item: LogicalFrom): readonly Extract<LogicalFrom, { kind: "table" }>[] => {
	if (item.kind === "join") return [...tablesIn(item.left), ...tablesIn(item.right)];
	return item.kind === "table" ? [item] : [];
};

function loneRow({ byKey, finish }: DirectRow): LoneRow | undefined {
	return (
		byKey && {
			key: byKey.key,
			row: (key, value, env) => finish(byKey.decode(key, value), env),
		}
	);
}

/** Whoever plans a whole query reads it at that time (`session/as-of.ts`); the plan is the same. */
function takeAsOf(query: Query): {
	readonly asOf: Expression | undefined;
	readonly present: Query;
} {
	const { body } = query;
	if (body.kind !== "select" || body.asOf === undefined) return { asOf: undefined, present: query };
	const { asOf, ...select } = body;
	return { asOf, present: { ...query, body: select } };
}

function locks(query: LogicalQuery): boolean {
	const { body } = query;
	const inItem = (item: LogicalFrom): boolean =>
		item.kind === "join"
			? inItem(item.left) || inItem(item.right)
			: item.kind === "subquery" && locks(item.query);
	return query.locks || (body.kind === "select" && body.from.some(inItem));
}
