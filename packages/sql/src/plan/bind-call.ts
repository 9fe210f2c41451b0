/** Function calls: the constructs that look like functions, aggregates, set-returning and ordinary functions. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Expression } from "../parser/ast.ts";
import type { RowField, SqlType } from "../types/datum.ts";
import { aggregateCandidates, resolve, setCandidates, typeByName } from "../types/registry.ts";
import { bindAggregate } from "./bind-aggregate.ts";
import { bindExpression, castTo, type Place, unify } from "./bind-expression.ts";
import { callByName, comparisonOf } from "./bind-operator.ts";
import { bindOrderedSet } from "./bind-ordered-set.ts";
import { bindVariadic } from "./bind-variadic.ts";
import { bindWindowCall, requireOver } from "./bind-window.ts";
import { functionName } from "./binder.ts";
import { type Bound, plainType } from "./bound.ts";
import { coerce, resolutionType } from "./coerce.ts";
import { checked, conditionsFor } from "./domains.ts";
import { recordOf } from "./fields.ts";
import { typesOf } from "./type-name.ts";

export type CallNode = Extract<Expression, { kind: "call" }>;

export function bindCall(place: Place, node: CallNode): Bound {
	const name = functionName(place.binder, node.name);
	const construct = bindConstruct(place, name, node);
	if (construct !== undefined) return construct;
	if (node.over !== undefined) return bindWindowCall(place, name, node);
	if (node.withinGroup !== undefined)
		return bindOrderedSet(place, name, node, node.withinGroup.orderBy);
	requireOver(name, node);
	if (aggregateCandidates(name).length > 0) return bindAggregate(place, name, node);
	refuseAggregateSyntax(name, node);
	if (node.variadic && setCandidates(name).length === 0) return bindVariadic(place, name, node);
	const args = node.args.map((arg) => bindExpression(place, arg));
	if (setCandidates(name).length > 0) return bindSetCall(place, name, args, node.at);
	try {
		const plain = callByName(place, name, args, node.at);
		const call: Bound = plain.kind === "call" && node.worded ? { ...plain, worded: true } : plain;
		// What it makes of a document nobody has looked at.
		return name.endsWith("_populate_record") ? checked(place.binder, call, call.type) : call;
	} catch (error) {
		// The name of a type, as of a function: a cast.
		const type = args.length === 1 ? typeCalled(place, node, name) : undefined;
		const missing = error instanceof DatabaseError && error.code === "42883";
		if (type === undefined || !missing) throw error;
		return castTo(place.binder, args[0]!, type, node.at);
	}
}

/** The type of that name. */
function typeCalled(place: Place, node: CallNode, name: string): SqlType | undefined {
	const own = typeByName(name);
	return own === undefined ? typesOf(place.binder)(node.name.parts, node.at) : plainType(own.oid);
}

function refuseAggregateSyntax(name: string, node: CallNode): void {
	const what = node.distinct
		? "DISTINCT"
		: node.orderBy.length > 0
			? "ORDER BY"
			: node.filter !== undefined
				? "FILTER"
				: undefined;
	if (what !== undefined) {
		throw new DatabaseError(
			"42809",
			`${what} specified, but ${name} is not an aggregate function`,
			{ position: node.at + 1 },
		);
	}
	if (node.star) {
		throw new DatabaseError(
			"42809",
			`${name}(*) specified, but ${name} is not an aggregate function`,
			{
				position: node.at + 1,
			},
		);
	}
}

/** COALESCE, NULLIF, GREATEST, LEAST: evaluated by the executor, not by a function. */
function bindConstruct(place: Place, name: string, node: CallNode): Bound | undefined {
	const bind = (): readonly Bound[] => node.args.map((arg) => bindExpression(place, arg));
	switch (name) {
		case "coalesce": {
			const { type, args } = unify(place.binder, bind(), "COALESCE", node.at);
			return { kind: "coalesce", type, args, at: node.at };
		}
		case "greatest":
		case "least": {
			const { type, args } = unify(place.binder, bind(), name.toUpperCase(), node.at);
			return { kind: "extreme", greatest: name === "greatest", type, args, at: node.at };
		}
		case "nullif": {
			const [left, right] = bind();
			if (left === undefined || right === undefined) return undefined;
			const { comparison, args } = comparisonOf(place, "=", left, right, node.at);
			return { kind: "nullif", comparison, type: args[0].type, args, at: node.at };
		}
		default:
			return undefined;
	}
}

const lateralHint = {
	hint: "You might be able to move the set-returning function into a LATERAL FROM item.",
};

function bindSetCall(place: Place, name: string, bounds: readonly Bound[], at: number): Bound {
	if (!place.sets) {
		throw new DatabaseError(
			"0A000",
			place.clause === "aggregate"
				? "aggregate function calls cannot contain set-returning function calls"
				: place.clause === "window"
					? "window function calls cannot contain set-returning function calls"
					: `set-returning functions are not allowed in ${place.clause}`,
			{
				...(place.clause === "aggregate" || place.clause === "window" ? lateralHint : {}),
				position: at + 1,
			},
		);
	}
	const { fn, args, columns } = resolveSetCall(place, name, bounds, at);
	if (fn.withColumns !== undefined) {
		throw new DatabaseError("0A000", `could not determine row type for result of ${name}`, {
			hint: "Provide a non-null record argument, or call the function in the FROM clause using a column definition list.",
		});
	}
	return {
		kind: "set-call",
		fn,
		name,
		argTypes: args.map((arg) => arg.type),
		type: columns.length === 1 ? columns[0]!.type : recordOf(columns),
		args,
		at,
	};
}

/** Also for functions in FROM. */
export function resolveSetCall(
	place: Place,
	name: string,
	bounds: readonly Bound[],
	at: number,
): {
	readonly fn: ReturnType<typeof setCandidates>[number];
	readonly args: readonly Bound[];
	readonly columns: readonly RowField[];
} {
	const { chosen, argTypes, typeOf } = resolve(
		"function",
		name,
		setCandidates(name),
		bounds.map((bound) => resolutionType(place.binder, bound)),
		at,
	);
	const args = bounds.map((bound, i) =>
		coerce(place.binder, bound, plainType(argTypes[i]!), "implicit"),
	);
	if (name.endsWith("_populate_recordset")) {
		const wanted = plainType(argTypes[0]!);
		if (conditionsFor(place.binder, wanted) !== undefined) {
			throw new DatabaseError(
				"0A000",
				`${name} of a type that has parts of domains is not supported`,
				{ hint: "Call the function for one record on each element.", position: at + 1 },
			);
		}
	}
	const columns = chosen.columns.map((column) => ({
		name: column.name,
		type: plainType(typeOf(column.oid)),
	}));
	return { fn: chosen, args, columns };
}
