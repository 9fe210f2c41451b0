/** WITH: common tables, recursive ones included. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { ChangeStatement, CommonTable, Query } from "../parser/ast.ts";
import { formatType } from "../types/registry.ts";
import { bindQuery } from "./bind-query.ts";
import type { Binder } from "./binder.ts";
import { textType, unknownOid } from "./bound.ts";
import type { CommonTableState, LogicalQuery } from "./logical.ts";
import type { RelationColumn } from "./relation.ts";
import { Scope } from "./scope.ts";

/** Binds them in order and leaves their names in `scope`. */
export function bindWith(
	binder: Binder,
	tables: readonly CommonTable[],
	recursive: boolean,
	scope: Scope,
): readonly CommonTableState[] {
	return tables.map((table) => {
		if (scope.commonTables.has(table.name)) {
			throw new DatabaseError("42712", `WITH query name "${table.name}" specified more than once`, {
				position: table.at + 1,
			});
		}
		const state = bindTable(binder, table, recursive, scope);
		scope.commonTables.set(table.name, state);
		return state;
	});
}

function bindTable(
	binder: Binder,
	table: CommonTable,
	recursive: boolean,
	scope: Scope,
): CommonTableState {
	const { query } = table;
	if (query.kind !== "query") return bindChange(binder, table, query, scope);
	return recursive && query.body.kind === "set-operation"
		? bindRecursive(binder, table, query, scope)
		: bindPlain(binder, table, query, scope);
}

function bindChange(
	binder: Binder,
	table: CommonTable,
	statement: ChangeStatement,
	scope: Scope,
): CommonTableState {
	if (scope.parent !== undefined || binder.planChange === undefined) {
		throw new DatabaseError(
			"0A000",
			"WITH clause containing a data-modifying statement must be at the top level",
			{ position: table.at + 1 },
		);
	}
	const change = binder.planChange(statement, scope);
	return {
		name: table.name,
		columns: named(table, change.columns ?? []),
		change,
		query: undefined,
		recursion: undefined,
		referenced: false,
	};
}

function named(
	table: CommonTable,
	columns: readonly Pick<RelationColumn, "name" | "type">[],
): readonly RelationColumn[] {
	if (table.columns.length > columns.length) {
		throw new DatabaseError(
			"42P10",
			`WITH query "${table.name}" has ${columns.length} columns available but ${table.columns.length} columns specified`,
			{ position: table.at + 1 },
		);
	}
	return columns.map((column, i) => ({
		name: table.columns[i] ?? column.name,
		type: column.type.oid === unknownOid ? textType : column.type,
		tableOid: 0,
		attnum: 0,
	}));
}

function bindPlain(binder: Binder, table: CommonTable, ast: Query, scope: Scope): CommonTableState {
	const query = bindQuery(binder, ast, scope);
	return {
		name: table.name,
		columns: named(table, query.columns),
		query,
		recursion: undefined,
		referenced: false,
	};
}

function bindRecursive(
	binder: Binder,
	table: CommonTable,
	ast: Query,
	scope: Scope,
): CommonTableState {
	const { body } = ast;
	if (body.kind !== "set-operation") return bindPlain(binder, table, ast, scope);
	const base = bindQuery(binder, body.left, scope);
	const state: CommonTableState = {
		name: table.name,
		columns: named(table, base.columns),
		query: undefined,
		recursion: undefined,
		referenced: false,
	};
	const inner = new Scope(scope);
	inner.commonTables.set(table.name, state);
	const step = bindQuery(binder, body.right, inner);
	if (inner.correlated) scope.correlated = true;
	if (!state.referenced) return bindPlain(binder, table, ast, scope);
	if (body.operator !== "union" || ast.orderBy.length > 0 || ast.limit !== undefined) {
		throw new DatabaseError(
			"42P19",
			`recursive query "${table.name}" does not have the form non-recursive-term UNION [ALL] recursive-term`,
		);
	}
	checkTypes(table, state, step);
	state.query = base;
	state.recursion = { query: step, distinct: !body.all };
	return state;
}

function checkTypes(table: CommonTable, state: CommonTableState, step: LogicalQuery): void {
	if (step.columns.length !== state.columns.length) {
		throw new DatabaseError("42601", "each UNION query must have the same number of columns");
	}
	for (const [i, column] of state.columns.entries()) {
		const other = step.columns[i]!.type;
		if (other.oid === column.type.oid || other.oid === unknownOid) continue;
		throw new DatabaseError(
			"42804",
			`recursive query "${table.name}" column ${i + 1} has type ${formatType(column.type)} in non-recursive term but type ${formatType(other)} overall`,
			{ hint: "Cast the output of the non-recursive term to the correct type." },
		);
	}
}
