/** Queries: WITH, the body, ORDER BY of set operations, LIMIT and locking. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { OrderItem, Query, QueryBody } from "../parser/ast.ts";
import type { SqlType } from "../types/datum.ts";
import { commonType, formatType } from "../types/registry.ts";
import { bindExpression, unify } from "./bind-expression.ts";
import { applyLocking } from "./bind-locking.ts";
import { bindSelect } from "./bind-select.ts";
import { bindWith } from "./bind-with.ts";
import type { Binder } from "./binder.ts";
import { type Bound, columnOf, plainType, unknownOid } from "./bound.ts";
import { coerce, resolutionType, settle } from "./coerce.ts";
import type { LogicalBody, LogicalQuery, SortKey } from "./logical.ts";
import { ordinalOf } from "./ordinal.ts";
import { Relation, type RelationColumn } from "./relation.ts";
import { Scope } from "./scope.ts";

export interface BoundBody {
	readonly body: LogicalBody;
	readonly columns: readonly RelationColumn[];
	readonly orderBy: readonly SortKey[];
}

/** `keepUnknown`: literals without a type stay so, for the place that will type them (UNION, INSERT). */
export function bindQuery(
	binder: Binder,
	query: Query,
	parent: Scope | undefined,
	keepUnknown = false,
): LogicalQuery {
	const around = new Scope(parent);
	const commonTables = bindWith(binder, query.with, query.recursive, around);
	const { body, columns, orderBy } = bindBody(binder, query, around, keepUnknown);
	const count = (node: Query["limit"], clause: string): Bound | undefined => {
		if (node === undefined) return undefined;
		const bound = bindExpression(
			{ binder, scope: around, clause, aggregates: false, sets: false },
			node,
		);
		return coerce(binder, bound, plainType(20), "assignment");
	};
	if (query.locking.length > 0) applyLocking(binder, query, body);
	if (query.withTies === true) checkTies(query);
	const bound: LogicalQuery = {
		columns,
		with: commonTables,
		body,
		orderBy,
		limit: count(query.limit, "LIMIT"),
		offset: count(query.offset, "OFFSET"),
		...(query.withTies === true ? { withTies: true } : {}),
		correlated: around.correlated,
		locks: query.locking.length > 0,
	};
	binder.notes?.query(query, bound);
	return bound;
}

function checkTies(query: Query): void {
	if (query.orderBy.length === 0) {
		throw new DatabaseError("42601", "WITH TIES cannot be specified without ORDER BY clause");
	}
	if (query.locking.some(({ wait }) => wait === "skip locked")) {
		throw new DatabaseError("42601", "SKIP LOCKED and WITH TIES options cannot be used together");
	}
}

function bindBody(binder: Binder, query: Query, around: Scope, keepUnknown: boolean): BoundBody {
	switch (query.body.kind) {
		case "select":
			return bindSelect(binder, query.body, query.orderBy, around, keepUnknown);
		case "values":
			return bindValues(binder, query.body, query.orderBy, around, keepUnknown);
		case "set-operation":
			return bindSetOperation(binder, query.body, query.orderBy, around);
		default:
			return query.body;
	}
}

function bindValues(
	binder: Binder,
	body: Extract<QueryBody, { kind: "values" }>,
	order: readonly OrderItem[],
	scope: Scope,
	keepUnknown: boolean,
): BoundBody {
	const width = body.rows[0]!.length;
	const place = { binder, scope, clause: "VALUES", aggregates: false, sets: false };
	const rows = body.rows.map((row) => {
		if (row.length !== width) {
			throw new DatabaseError("42601", "VALUES lists must all be the same length", {
				position: (row[0]?.at ?? body.at) + 1,
			});
		}
		return row.map((node) => bindExpression(place, node));
	});
	const columns: RelationColumn[] = [];
	const typed = rows.map((): Bound[] => []);
	for (let i = 0; i < width; i++) {
		const bounds = rows.map((row) => row[i]!);
		const untyped = bounds.every((bound) => resolutionType(binder, bound) === unknownOid);
		const { type, args } =
			keepUnknown && untyped
				? { type: plainType(unknownOid), args: bounds }
				: unify(binder, bounds, "VALUES", body.at);
		columns.push({ name: `column${i + 1}`, type, tableOid: 0, attnum: 0 });
		for (const [row, bound] of args.entries()) typed[row]!.push(bound);
	}
	return {
		body: { kind: "values", rows: typed },
		columns,
		orderBy: outputOrder(binder, order, columns, "*VALUES*"),
	};
}

function bindSetOperation(
	binder: Binder,
	body: Extract<QueryBody, { kind: "set-operation" }>,
	order: readonly OrderItem[],
	scope: Scope,
): BoundBody {
	const construct = body.operator.toUpperCase();
	const side = (query: Query, isHindrance: boolean): LogicalQuery => {
		const bind = (): LogicalQuery => bindQuery(binder, query, scope, true);
		return isHindrance ? binder.within(construct, bind) : bind();
	};
	// Of what is taken away, and of how many there are, a step of a recursion must not depend.
	const counts = body.all && body.operator !== "union";
	let left = side(body.left, counts);
	let right = side(body.right, counts || body.operator === "except");
	if (left.columns.length !== right.columns.length) {
		throw new DatabaseError(
			"42601",
			`each ${construct} query must have the same number of columns`,
			{ position: firstItem(body.right) + 1 },
		);
	}
	const types = left.columns.map(({ type }, i) => {
		const oid = commonType([type.oid, right.columns[i]!.type.oid], construct, body.at);
		return plainType(oid === unknownOid || oid === 0 ? 25 : oid);
	});
	left = literalsTyped(binder, left, types);
	right = literalsTyped(binder, right, types);
	binder.notes?.query(body.left, left);
	binder.notes?.query(body.right, right);
	const inputs = [
		new Relation("", undefined, left.columns),
		new Relation("", undefined, right.columns),
	] as const;
	const leftCasts: Bound[] = [];
	const rightCasts: Bound[] = [];
	const columns = left.columns.map((column, i): RelationColumn => {
		const other = right.columns[i]!;
		const { oid } = types[i]!;
		const same = column.type.modifier === other.type.modifier && column.type.oid === oid;
		const type = {
			oid,
			modifier: same && other.type.oid === oid ? column.type.modifier : -1,
		};
		leftCasts.push(branchColumn(binder, left, inputs[0], i, type));
		rightCasts.push(branchColumn(binder, right, inputs[1], i, type));
		return { name: column.name, type, tableOid: 0, attnum: 0 };
	});
	return {
		body: {
			kind: "set-operation",
			operator: body.operator,
			all: body.all,
			left,
			right,
			leftCasts,
			rightCasts,
			inputs,
		},
		columns,
		orderBy: outputOrder(binder, order, columns),
	};
}

/** Where errors about a query's columns point. */
function firstItem(query: Query): number {
	const { body } = query;
	if (body.kind === "set-operation") return firstItem(body.left);
	const item = body.kind === "select" ? body.items[0]?.expression : body.rows[0]?.[0];
	return item?.at ?? query.at;
}

/** Untyped literals in the list of a plain SELECT take the type of their column. */
function literalsTyped(
	binder: Binder,
	query: LogicalQuery,
	types: readonly SortKey["type"][],
): LogicalQuery {
	const { body } = query;
	if (body.kind !== "select" || body.distinct !== undefined || query.orderBy.length > 0) {
		return query;
	}
	const isUntyped = (bound: Bound): boolean =>
		(bound.kind === "constant" || bound.kind === "argument") && bound.type.oid === unknownOid;
	const projections = body.projections.map((bound, i) =>
		i < types.length && isUntyped(bound) ? coerce(binder, bound, types[i]!, "implicit") : bound,
	);
	const columns = query.columns.map((column, i) => ({ ...column, type: projections[i]!.type }));
	return { ...query, columns, body: { ...body, projections } };
}

/** A column of one side as the common type. A parameter without a type takes that type itself. */
function branchColumn(
	binder: Binder,
	query: LogicalQuery,
	input: Relation,
	index: number,
	type: SqlType,
): Bound {
	const column = columnOf(input, index);
	if (column.type.oid !== 0) return coerce(binder, column, type, "implicit");
	typeParameter(binder, query, index, type);
	return { ...column, type };
}

/** Finds the parameter behind an untyped output column. */
export function typeParameter(
	binder: Binder,
	query: LogicalQuery,
	index: number,
	type: SqlType,
): void {
	const { body } = query;
	if (body.kind === "set-operation") {
		typeParameter(binder, body.left, index, type);
		typeParameter(binder, body.right, index, type);
	}
	const sources =
		body.kind === "select"
			? [body.projections[index]!]
			: body.kind === "values"
				? body.rows.map((row) => row[index]!)
				: [];
	for (const source of sources) coerce(binder, source, type, "assignment");
}

export const sortKey = (slot: number, type: SortKey["type"], item: OrderItem): SortKey => ({
	slot,
	type,
	descending: item.descending,
	nullsFirst: item.nulls === undefined ? item.descending : item.nulls === "first",
});

/** ORDER BY where only output columns can be named: after a set operation or VALUES. `alias`: what they may be said to be of. */
function outputOrder(
	binder: Binder,
	order: readonly OrderItem[],
	columns: readonly RelationColumn[],
	alias?: string,
): readonly SortKey[] {
	return order.map((item) => {
		const node = item.expression;
		const ordinal = ordinalOf(binder, node, columns.length, "ORDER BY");
		if (ordinal !== undefined) return sortKey(ordinal, columns[ordinal]!.type, item);
		const parts = node.kind === "column" ? node.name.parts : [];
		const isOf = parts.length === 1 || (parts.length === 2 && parts[0] === alias);
		const name = isOf ? parts.at(-1) : undefined;
		const slot = columns.findIndex((column) => column.name === name);
		if (slot >= 0) return sortKey(slot, columns[slot]!.type, item);
		if (name !== undefined) {
			throw new DatabaseError("42703", `column "${name}" does not exist`, {
				position: node.at + 1,
			});
		}
		throw new DatabaseError("0A000", "invalid UNION/INTERSECT/EXCEPT ORDER BY clause", {
			detail: "Only result column names can be used, not expressions or functions.",
			hint: "Add the expression/function to every SELECT, or move the UNION into a FROM clause.",
			position: node.at + 1,
		});
	});
}

/** What a query gives to its client: nothing untyped. */
export function settledColumn(binder: Binder, bound: Bound): Bound {
	const settled = settle(binder, bound);
	if (settled.type.oid === 0) {
		throw new DatabaseError("42P18", `could not determine data type ${formatType(settled.type)}`);
	}
	return settled;
}
