/** FROM: tables, subqueries, functions and joins, with the names that they bring into scope. */
import { DatabaseError } from "@quorate/keys/database-error";
import { ownerOf } from "../auth/privileges.ts";
import {
	liveColumns,
	type SequenceDescriptor,
	type TableDescriptor,
	type ViewDescriptor,
} from "../catalog/descriptor.ts";
import { isTemporary } from "../catalog/temporary.ts";
import type { VirtualTable } from "../catalog/virtual-table.ts";
import type { QualifiedName, TableExpression } from "../parser/ast.ts";
import type { SqlType } from "../types/datum.ts";
import { bindBoolean } from "./bind-expression.ts";
import { bindFunctions } from "./bind-function.ts";
import { bindQuery } from "./bind-query.ts";
import { bindUsing } from "./bind-using.ts";
import { Binder, type ResolvedTable, splitName } from "./binder.ts";
import { conjunctsOf, plainType } from "./bound.ts";
import type { LogicalFrom, LogicalQuery } from "./logical.ts";
import { checkRecursion } from "./recursion.ts";
import { namelessColumn, Relation, type RelationColumn } from "./relation.ts";
import { Scope } from "./scope.ts";
import { storedQuery, ViewMeanings } from "./view-names.ts";

export function bindFrom(
	binder: Binder,
	items: readonly TableExpression[],
	scope: Scope,
): LogicalFrom[] {
	return items.map((item) => bindItem(binder, item, scope));
}

function bindItem(binder: Binder, item: TableExpression, scope: Scope): LogicalFrom {
	const bound = bindKind(binder, item, scope);
	binder.notes?.froms.set(item, bound);
	return bound;
}

function bindKind(binder: Binder, item: TableExpression, scope: Scope): LogicalFrom {
	switch (item.kind) {
		case "table":
			return bindTable(binder, item, scope);
		case "subquery":
			return bindDerived(binder, item, scope);
		case "function":
			return bindFunctions(binder, item, scope);
		case "join":
			return bindJoin(binder, item, scope);
		default:
			return item;
	}
}

export function renamed(
	columns: readonly RelationColumn[],
	aliases: readonly string[],
	shown: string,
): readonly RelationColumn[] {
	if (aliases.length > columns.length) {
		throw new DatabaseError(
			"42P10",
			`table "${shown}" has ${columns.length} columns available but ${aliases.length} columns specified`,
		);
	}
	return columns.map((column, i) => ({ ...column, name: aliases[i] ?? column.name }));
}

export const tableColumns = (table: TableDescriptor): readonly RelationColumn[] =>
	liveColumns(table).map((column) => ({
		name: column.name,
		type: column.type,
		tableOid: table.oid,
		attnum: column.attnum,
	}));

const virtualColumns = (table: VirtualTable): readonly RelationColumn[] =>
	table.columns.map((column, i) => ({
		name: column.name,
		type: { oid: column.typeOid, modifier: column.modifier },
		tableOid: table.oid,
		attnum: i + 1,
	}));

function bindTable(
	binder: Binder,
	item: Extract<TableExpression, { kind: "table" }>,
	scope: Scope,
): LogicalFrom {
	const [schema, name] = splitName(item.name);
	const shown = item.alias ?? name;
	const cte = schema === undefined ? scope.commonTable(name) : undefined;
	if (cte !== undefined) {
		if (cte.change !== undefined && cte.columns.length === 0) {
			throw new DatabaseError("0A000", `WITH query "${name}" does not have a RETURNING clause`, {
				position: item.name.at + 1,
			});
		}
		const isOwn = cte.binding !== undefined;
		if (isOwn) checkRecursion(binder, cte, item.name.at);
		if (isOwn) scope.isRecursive = true;
		cte.referenced = true;
		const relation = new Relation(
			shown,
			undefined,
			renamed(cte.columns, item.columnAliases, shown),
		);
		const isNear = scope.parent?.commonTables.get(name) === cte;
		if (!isNear && cte.starCount !== undefined) relation.starCount = cte.starCount;
		scope.add(relation);
		return { kind: "cte", relation, cte, isOwn };
	}
	const resolved = resolveTable(binder, item.name, scope);
	if (resolved.kind === "view") return bindView(binder, item, resolved.view, scope);
	if (resolved.kind === "sequence") return bindSequence(binder, item, resolved.sequence, scope);
	const columns =
		resolved.kind === "table" ? tableColumns(resolved.table) : virtualColumns(resolved.table);
	const relation = new Relation(
		shown,
		item.alias === undefined ? resolved.table.schema : undefined,
		seenColumns(binder, item, columns, shown),
		resolved.table,
	);
	scope.add(relation);
	if (resolved.kind === "table") binder.access.reads(resolved.table, relation);
	else binder.access.virtual(resolved.table);
	return resolved.kind === "table"
		? { kind: "table", relation, table: resolved.table, lock: undefined }
		: { kind: "virtual", relation, table: resolved.table };
}

/** Throws 42P01, 42809. */
function resolveTable(binder: Binder, name: QualifiedName, scope: Scope): ResolvedTable {
	const [first, second] = name.parts;
	if (second !== undefined || !scope.isLater(first!) || binder.lookup(name) !== undefined) {
		return binder.resolveTable(name);
	}
	throw new DatabaseError("42P01", `relation "${first}" does not exist`, {
		detail: `There is a WITH item named "${first}", but it cannot be referenced from this part of the query.`,
		hint: "Use WITH RECURSIVE, or re-order the WITH items to remove forward references.",
		position: name.at + 1,
	});
}

export type TableItem = Extract<TableExpression, { kind: "table" }>;

const sequenceColumns: readonly (readonly [string, number])[] = [
	["last_value", 20],
	["log_cnt", 20],
	["is_called", 16],
];

/** A sequence is a table of one row. */
function bindSequence(
	binder: Binder,
	item: TableItem,
	sequence: SequenceDescriptor,
	scope: Scope,
): LogicalFrom {
	const shown = item.alias ?? sequence.name;
	const columns = sequenceColumns.map(([name, typeOid], i) => ({
		name,
		type: plainType(typeOid),
		tableOid: sequence.oid,
		attnum: i + 1,
	}));
	const relation = new Relation(
		shown,
		item.alias === undefined ? sequence.schema : undefined,
		renamed(columns, item.columnAliases, shown),
		sequence,
	);
	scope.add(relation);
	binder.access.reads(sequence, relation);
	return { kind: "sequence", relation, sequence };
}

/** Within a view a relation has the columns, and they have the names, that it had when the view was made. */
export function seenColumns(
	binder: Binder,
	item: TableItem,
	columns: readonly RelationColumn[],
	shown: string,
): readonly RelationColumn[] {
	const reference = binder.meanings?.referenceOf(item.name);
	if (reference === undefined) return renamed(columns, item.columnAliases, shown);
	const names = new Map(
		reference.columns.map(({ attnum, name }, i) => [attnum, item.columnAliases[i] ?? name]),
	);
	return columns.map((column) => ({
		...column,
		name: names.get(column.attnum) ?? namelessColumn,
	}));
}

export const viewColumns = (view: ViewDescriptor): readonly RelationColumn[] =>
	view.columns.map(({ name, type, attnum }) => ({ name, type, tableOid: view.oid, attnum }));

/** Binds what a view's text says as it was when the view was made. */
export function viewBinder({ environment }: Binder, view: ViewDescriptor): Binder {
	const inner = new Binder({ ...environment, searchPath: view.searchPath }, [], []);
	inner.meanings = new ViewMeanings(view);
	return inner;
}

/** Its query, bound as it was when the view was made. */
export const viewQuery = (binder: Binder, view: ViewDescriptor): LogicalQuery =>
	bindQuery(viewBinder(binder, view), storedQuery(view.query), undefined);

/** Its query, in the name of its owner. */
function bindView(
	binder: Binder,
	item: TableItem,
	view: ViewDescriptor,
	scope: Scope,
): LogicalFrom {
	const inner = viewBinder(binder, view);
	const query = bindQuery(inner, storedQuery(view.query), undefined);
	if (isTemporary(view)) requireSameTypes(view, query.columns);
	const shown = item.alias ?? view.name;
	const columns = viewColumns(view);
	const relation = new Relation(
		shown,
		item.alias === undefined ? view.schema : undefined,
		seenColumns(binder, item, columns, shown),
		view,
	);
	scope.add(relation);
	binder.access.reads(view, relation);
	binder.access.through(ownerOf(view), inner.access);
	return {
		kind: "subquery",
		relation,
		query,
		lateral: false,
		view: { oid: view.oid, access: inner.access },
	};
}

/** Whoever changes a table asks all views, but for those of other sessions. Throws 55000. */
export function requireSameTypes(
	view: ViewDescriptor,
	columns: readonly { readonly type: SqlType }[],
): void {
	const isAll = columns.length === view.columns.length;
	const isSame = view.columns.every(({ type: { oid, modifier, domain } }, i) => {
		const now = columns[i]?.type;
		return now?.oid === oid && now.modifier === modifier && now.domain === domain;
	});
	if (isAll && isSame) return;
	throw new DatabaseError("55000", `what temporary view "${view.name}" reads has changed`, {
		hint: "Create the view again.",
	});
}

function bindDerived(
	binder: Binder,
	item: Extract<TableExpression, { kind: "subquery" }>,
	scope: Scope,
): LogicalFrom {
	if (item.alias === undefined) {
		const what = item.query.body.kind === "values" ? "VALUES" : "subquery";
		throw new DatabaseError("42601", `${what} in FROM must have an alias`, {
			hint: `For example, FROM (${what === "VALUES" ? "VALUES" : "SELECT"} ...) [AS] foo.`,
			position: item.at + 1,
		});
	}
	// Siblings are in sight only of a lateral item; what is around the query is in sight of any.
	const around = item.lateral ? siblingScope(scope) : outside(scope);
	const query = bindQuery(binder, item.query, around);
	const lateral = item.lateral && around.usedParent;
	if (query.correlated && !lateral) scope.correlated = true;
	const relation = new Relation(
		item.alias,
		undefined,
		renamed(
			query.columns.map((column) => ({ ...column, tableOid: 0, attnum: 0 })),
			item.columnAliases,
			item.alias,
		),
	);
	scope.add(relation);
	return { kind: "subquery", relation, query, lateral };
}

/** A scope between a lateral item and its siblings: tells whether a sibling, or something further out, was used. */
export const siblingScope = (scope: Scope): Scope => new Scope(scope);

/** Common tables of this level, names of the levels around, no siblings. */
function outside(scope: Scope): Scope {
	const around = new Scope(scope.parent);
	around.unseen.push(...scope.relations);
	for (let level: Scope | undefined = scope; level !== undefined; level = level.parent) {
		for (const [name, cte] of level.commonTables) {
			if (!around.commonTables.has(name)) around.commonTables.set(name, cte);
		}
	}
	return around;
}

/** `nulled`: its columns may be NULL for rows of the other side. */
const bindSide = (
	binder: Binder,
	item: TableExpression,
	scope: Scope,
	nulled: boolean,
): LogicalFrom => {
	if (!nulled) return bindItem(binder, item, scope);
	const before = scope.relations.length;
	const bound = binder.within("an outer join", () => bindItem(binder, item, scope));
	for (const relation of scope.relations.slice(before)) relation.isNulled = true;
	return bound;
};

function bindJoin(
	binder: Binder,
	item: Extract<TableExpression, { kind: "join" }>,
	scope: Scope,
): LogicalFrom {
	const before = scope.relations.length;
	const nulled = (side: "left" | "right"): boolean => item.type === "full" || item.type === side;
	const left = bindSide(binder, item.left, scope, nulled("right"));
	const middle = scope.relations.length;
	const right = bindSide(binder, item.right, scope, nulled("left"));
	const leftRelations = scope.relations.slice(before, middle);
	const rightRelations = scope.relations.slice(middle);
	const type = item.type === "cross" ? "inner" : item.type;
	if (item.natural || item.using.length > 0) {
		const on = bindUsing(binder, item, scope, leftRelations, rightRelations);
		return { kind: "join", type, left, right, on };
	}
	if (item.on === undefined) return { kind: "join", type, left, right, on: [] };
	// Only the two sides are in sight of ON.
	const inner = new Scope(scope.parent);
	inner.relations.push(...leftRelations, ...rightRelations);
	inner.takeMerged(scope);
	inner.unseen.push(...scope.relations.slice(0, before));
	for (const [name, cte] of scope.commonTables) inner.commonTables.set(name, cte);
	const condition = bindBoolean(
		{ binder, scope: inner, clause: "JOIN conditions", aggregates: false, sets: false },
		item.on,
		"JOIN/ON",
	);
	if (inner.correlated) scope.correlated = true;
	return { kind: "join", type, left, right, on: conjunctsOf(condition) };
}
