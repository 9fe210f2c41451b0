/** WITH: common tables, recursive ones included. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { ChangeStatement, CommonTable, Query } from "../parser/ast.ts";
import { commonType, formatType } from "../types/registry.ts";
import type { TableItem } from "./bind-from.ts";
import { bindQuery } from "./bind-query.ts";
import type { Binder } from "./binder.ts";
import { type Bound, beginningOf, columnOf, plainType, textType, unknownOid } from "./bound.ts";
import { coerce } from "./coerce.ts";
import type { CommonTableState, LogicalQuery } from "./logical.ts";
import { refuseTail } from "./recursion.ts";
import { Relation, type RelationColumn } from "./relation.ts";
import { Scope } from "./scope.ts";
import { Traversal } from "./search-cycle.ts";

/** Binds them in order and leaves their names in `scope`. */
export function bindWith(
	binder: Binder,
	tables: readonly CommonTable[],
	recursive: boolean,
	scope: Scope,
): readonly CommonTableState[] {
	for (const [i, { name, at }] of tables.entries()) {
		if (tables.findIndex((one) => one.name === name) === i) continue;
		throw new DatabaseError("42712", `WITH query name "${name}" specified more than once`, {
			position: at + 1,
		});
	}
	if (!recursive) for (const { name } of tables) scope.laterTables.add(name);
	return (recursive ? byDependence(tables) : tables).map((table) => {
		const state = bindTable(binder, table, recursive, scope);
		scope.laterTables.delete(table.name);
		scope.commonTables.set(table.name, state);
		return state;
	});
}

/** With RECURSIVE a table may come behind one that reads it. Throws 0A000 where two read each other. */
function byDependence(tables: readonly CommonTable[]): readonly CommonTable[] {
	if (tables.length === 1) return tables;
	const names = new Set(tables.map(({ name }) => name));
	const items = tables.map((table) => {
		const reads = new Set<string>();
		collectNames(table.query, names, reads);
		reads.delete(table.name);
		return { table, reads };
	});
	for (let i = 0; i < items.length; i++) {
		const j = items.findIndex(({ reads }, at) => at >= i && reads.size === 0);
		if (j < 0) {
			throw new DatabaseError("0A000", "mutual recursion between WITH items is not implemented", {
				position: items[i]!.table.at + 1,
			});
		}
		[items[i], items[j]] = [items[j]!, items[i]!];
		for (const { reads } of items) reads.delete(items[i]!.table.name);
	}
	return items.map(({ table }) => table);
}

/** Which of these tables a part of the tree reads: what a WITH inside of it names is another. */
function collectNames(node: unknown, names: ReadonlySet<string>, out: Set<string>): void {
	if (typeof node !== "object" || node === null) return;
	if (Array.isArray(node)) {
		for (const child of node) collectNames(child, names, out);
		return;
	}
	const { kind, name, with: inner } = node as Partial<TableItem> & { with?: CommonTable[] };
	if (kind === "table" && name?.parts?.length === 1 && names.has(name.parts[0]!)) {
		out.add(name.parts[0]!);
	}
	const hidden = new Set(inner?.map((one) => one.name));
	const seen = hidden.size === 0 ? names : new Set([...names].filter((one) => !hidden.has(one)));
	for (const child of Object.values(node)) collectNames(child, seen, out);
}

function bindTable(
	binder: Binder,
	table: CommonTable,
	recursive: boolean,
	scope: Scope,
): CommonTableState {
	const { query } = table;
	if (query.kind !== "query") return bindChange(binder, table, query, scope);
	const bound = recursive
		? bindRecursive(binder, table, query, scope)
		: bindPlain(binder, table, query, scope);
	const isTraversed = table.search !== undefined || table.cycle !== undefined;
	if (!isTraversed || bound.recursion !== undefined) return bound;
	throw new DatabaseError("42601", "WITH query is not recursive", { position: table.at + 1 });
}

const stateOf = (
	{ name, at }: CommonTable,
	columns: readonly RelationColumn[],
): CommonTableState => ({
	name,
	at,
	columns,
	query: undefined,
	recursion: undefined,
	referenced: false,
});

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
	return { ...stateOf(table, named(table, change.columns ?? [])), change };
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
	return { ...stateOf(table, named(table, query.columns)), query };
}

/** With RECURSIVE the table's name means itself; whether it may is seen where it is referred to. */
function bindRecursive(
	binder: Binder,
	table: CommonTable,
	ast: Query,
	scope: Scope,
): CommonTableState {
	const inner = (state: CommonTableState): Scope => {
		const within = new Scope(scope);
		within.commonTables.set(table.name, state);
		return within;
	};
	const { body } = ast;
	const unfit: CommonTableState = { ...stateOf(table, []), binding: "form" };
	if (body.kind !== "set-operation" || body.operator !== "union") {
		const query = bindQuery(binder, ast, inner(unfit));
		return { ...stateOf(table, named(table, query.columns)), query };
	}
	const unread: CommonTableState = { ...stateOf(table, []), binding: "base" };
	const base = bindQuery(binder, body.left, inner(unread));
	const own = named(table, base.columns);
	const isTraversed = table.search !== undefined || table.cycle !== undefined;
	const traversal = isTraversed ? new Traversal(binder, table, scope) : undefined;
	const state: CommonTableState = {
		...stateOf(table, [...own, ...(traversal?.columns ?? [])]),
		...(traversal === undefined ? {} : { starCount: own.length }),
		binding: "step",
	};
	const within = inner(state);
	const step = binder.within(undefined, () => bindQuery(binder, body.right, within));
	if (within.correlated) scope.correlated = true;
	if (!state.referenced) return bindPlain(binder, table, ast, scope);
	refuseTail(ast);
	state.binding = undefined;
	traversal?.check(
		body,
		own.map(({ name }) => name),
	);
	state.query = traversal === undefined ? base : withFirst(traversal, base, own);
	const query = asBase(binder, table, body, own, step, traversal);
	state.recursion = { query, distinct: !body.all };
	return state;
}

/** The rows to begin with, with what SEARCH and CYCLE say of them. */
function withFirst(
	traversal: Traversal,
	base: LogicalQuery,
	own: readonly RelationColumn[],
): LogicalQuery {
	const relation = new Relation("", undefined, base.columns);
	const projections = own.map((_, i) => columnOf(relation, i));
	const columns = [...own, ...traversal.columns];
	return around(base, relation, columns, [...projections, ...traversal.first(relation, own)], []);
}

/** SELECT projections FROM (query). */
function around(
	query: LogicalQuery,
	relation: Relation,
	columns: readonly RelationColumn[],
	projections: readonly Bound[],
	where: readonly Bound[],
): LogicalQuery {
	relation.useAll();
	return {
		columns,
		with: [],
		body: {
			kind: "select",
			from: [{ kind: "subquery", relation, query, lateral: false }],
			where,
			aggregation: undefined,
			windows: [],
			sets: undefined,
			projections,
			distinct: undefined,
		},
		orderBy: [],
		limit: undefined,
		offset: undefined,
		correlated: query.correlated,
		locks: false,
	};
}

/** The rows of the step as the base has them. Throws 42804. */
function asBase(
	binder: Binder,
	table: CommonTable,
	body: Extract<Query["body"], { kind: "set-operation" }>,
	own: readonly RelationColumn[],
	step: LogicalQuery,
	traversal: Traversal | undefined,
): LogicalQuery {
	if (step.columns.length !== own.length) {
		throw new DatabaseError("42601", "each UNION query must have the same number of columns", {
			position: itemAt(body.right, 0) + 1,
		});
	}
	const inner = traversal?.extended(step) ?? step;
	const relation = new Relation("", undefined, inner.columns);
	const projections = own.map((column, i) => {
		const other = step.columns[i]!.type;
		const overall = commonType([column.type.oid, other.oid], "UNION", body.at, [
			itemAt(body.left, i),
			placeOf(step, i),
		]);
		if (overall !== column.type.oid) {
			throw new DatabaseError(
				"42804",
				`recursive query "${table.name}" column ${i + 1} has type ${formatType(column.type)} in non-recursive term but type ${formatType(plainType(overall))} overall`,
				{
					hint: "Cast the output of the non-recursive term to the correct type.",
					position: itemAt(body.left, i) + 1,
				},
			);
		}
		return coerce(binder, columnOf(relation, i), plainType(column.type.oid), "implicit");
	});
	if (traversal === undefined) {
		return projections.every((projection) => projection.kind === "column")
			? step
			: around(step, relation, own, projections, []);
	}
	return around(
		inner,
		relation,
		[...own, ...traversal.columns],
		[...projections, ...traversal.next(relation, own)],
		traversal.conditions(relation, own),
	);
}

const placeOf = ({ body }: LogicalQuery, index: number): number =>
	body.kind === "select" ? beginningOf(body.projections[index]!) : -1;

/** Where an item of a query's list stands. */
function itemAt(query: Query, index: number): number {
	const { body } = query;
	if (body.kind === "set-operation") return itemAt(body.left, index);
	const item = body.kind === "select" ? body.items[index]?.expression : body.rows[0]?.[index];
	return item?.at ?? query.at;
}
