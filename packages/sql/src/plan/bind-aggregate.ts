/** Calls of aggregates: their arguments, and the query level that they belong to. */
import { DatabaseError } from "@quorate/keys/database-error";
import { aggregateCandidates, resolve } from "../types/registry.ts";
import type { CallNode } from "./bind-call.ts";
import { bindBoolean, bindExpression, type Place } from "./bind-expression.ts";
import {
	type AggregateCall,
	type Bound,
	type BoundOrder,
	columnOf,
	plainType,
	someNode,
} from "./bound.ts";
import { coerce, resolutionType, settle } from "./coerce.ts";
import { relationsOf } from "./relations-of.ts";
import { same } from "./same.ts";
import type { Scope } from "./scope.ts";

/** Aggregates whose result depends on the order of their rows. */
const ordered: ReadonlySet<string> = new Set([
	"array_agg",
	"json_agg",
	"json_object_agg",
	"jsonb_agg",
	"jsonb_object_agg",
	"string_agg",
]);

/** Of DISTINCT rows, as PostgreSQL finds them by sorting, that of the arguments is the order unless another is asked for. */
function aggregateOrder(
	inner: Place,
	name: string,
	node: CallNode,
	args: readonly Bound[],
): readonly BoundOrder[] {
	if (node.distinct && node.orderBy.length === 0 && ordered.has(name)) {
		return args.map((expression) => ({ expression, descending: false, nullsFirst: false }));
	}
	return node.orderBy.map((item): BoundOrder => {
		const expression = settle(inner.binder, bindExpression(inner, item.expression));
		if (node.distinct && !args.some((arg) => same(inner.binder, arg, expression))) {
			throw new DatabaseError(
				"42P10",
				"in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list",
				{ position: item.expression.at + 1 },
			);
		}
		return {
			expression,
			descending: item.descending,
			nullsFirst: item.nulls === undefined ? item.descending : item.nulls === "first",
		};
	});
}

export const insideAggregate = (place: Place): Place => ({
	...place,
	aggregates: false,
	sets: false,
	windows: undefined,
	clause: "aggregate",
});

export function bindAggregate(place: Place, name: string, node: CallNode): Bound {
	const { binder } = place;
	const inner = insideAggregate(place);
	const bounds = node.star ? [] : node.args.map((arg) => bindExpression(inner, arg));
	if (!node.star && bounds.length === 0 && name === "count") {
		throw new DatabaseError(
			"42809",
			"count(*) must be used to call a parameterless aggregate function",
			{ position: node.at + 1 },
		);
	}
	const { chosen, argTypes, resultType } = resolve(
		"function",
		name,
		aggregateCandidates(name),
		bounds.map((bound) => resolutionType(binder, bound)),
		node.at,
	);
	const args = bounds.map((bound, i) =>
		settle(binder, coerce(binder, bound, plainType(argTypes[i]!), "implicit")),
	);
	return placed(place, node, {
		fn: chosen,
		name,
		args,
		argTypes: args.map((arg) => arg.type),
		distinct: node.distinct,
		orderBy: aggregateOrder(inner, name, node, args),
		filter: bindFilter(inner, node),
		type: plainType(resultType),
	});
}

export const bindFilter = (inner: Place, node: CallNode): Bound | undefined =>
	node.filter && bindBoolean({ ...inner, clause: "FILTER" }, node.filter, "FILTER");

/** The call, in the query level whose columns it is of: its own unless all of them are of one around it. */
export function placed(place: Place, node: CallNode, call: AggregateCall): Bound {
	const { type } = call;
	const level = levelOf(place.scope, call);
	if (level === place.scope) {
		refuseHere(place, node);
		return { kind: "aggregate", call, type, args: [], at: node.at };
	}
	if (level.subqueryIn === undefined) {
		throw new DatabaseError(
			"42803",
			"aggregate functions are not allowed in FROM clause of their own query level",
			{ position: node.at + 1 },
		);
	}
	refuseHere(level.subqueryIn, node);
	for (let scope = place.scope; scope !== level; scope = scope.parent!) {
		scope.correlated = true;
		scope.usedParent = true;
	}
	const bound = columnOf(level.outerCalls.relation, level.outerCalls.add(call), node.at);
	place.binder.notes?.outerCalls.set(bound, call);
	return bound;
}

function refuseHere(place: Place, node: CallNode): void {
	if (!place.aggregates) {
		const message =
			place.clause === "aggregate"
				? "aggregate function calls cannot be nested"
				: `aggregate functions are not allowed in ${place.clause}`;
		throw new DatabaseError("42803", message, { position: node.at + 1 });
	}
	if (place.scope.isRecursive) {
		throw new DatabaseError(
			"42P19",
			"aggregate functions are not allowed in a recursive query's recursive term",
			{ position: node.at + 1 },
		);
	}
}

function nested(level: Scope, call: AggregateCall): DatabaseError {
	let at = -1;
	for (const arg of call.args) {
		someNode(arg, (node) => {
			if (node.kind === "column" && node.relation === level.outerCalls.relation) at = node.at;
			return false;
		});
	}
	return new DatabaseError("42803", "aggregate function calls cannot be nested", {
		position: at + 1,
	});
}

/** The innermost level of which a column is used; the call's own if there is none. */
function levelOf(scope: Scope, call: AggregateCall): Scope {
	const used = new Set(
		[...call.args, ...call.orderBy.map((item) => item.expression), call.filter].flatMap((bound) =>
			bound === undefined ? [] : [...relationsOf(bound)],
		),
	);
	for (let level: Scope | undefined = scope; level !== undefined; level = level.parent) {
		if (used.has(level.outerCalls.relation)) throw nested(level, call);
		if (level.relations.some((relation) => used.has(relation))) return level;
	}
	return scope;
}
