/** Calls with WITHIN GROUP. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { OrderItem } from "../parser/ast.ts";
import {
	aggregateCandidates,
	formatType,
	type OrderedSetFunction,
	orderedSetCandidates,
	resolve,
	scalarCandidates,
} from "../types/registry.ts";
import { bindFilter, insideAggregate, placed } from "./bind-aggregate.ts";
import type { CallNode } from "./bind-call.ts";
import { bindExpression, type Place, unify } from "./bind-expression.ts";
import { type Bound, type BoundOrder, plainType } from "./bound.ts";
import { coerce, resolutionType, settle } from "./coerce.ts";

const wrong = (code: string, message: string, at: number, hint?: string): DatabaseError =>
	new DatabaseError(code, message, {
		...(hint === undefined ? {} : { hint }),
		position: at + 1,
	});

export function bindOrderedSet(
	place: Place,
	name: string,
	node: CallNode,
	within: readonly OrderItem[],
): Bound {
	refuseSyntax(node);
	const inner = insideAggregate(place);
	const given = [...node.args, ...within.map((item) => item.expression)];
	const bounds = given.map((arg) => bindExpression(inner, arg));
	const candidates = orderedSetCandidates(name);
	if (candidates.length === 0) refuseOthers(place, name, bounds, node);
	const hypothetical = candidates.find((fn) => fn.direct === "hypothetical");
	const { fn, args, resultType } =
		hypothetical === undefined
			? ordinary(place, name, candidates, bounds, node)
			: compared(place, hypothetical, bounds, node, within);
	const direct = node.args.length;
	return placed(place, node, {
		fn,
		name,
		args,
		argTypes: args.map((arg) => arg.type),
		distinct: false,
		orderBy: within.map(
			(item, i): BoundOrder => ({
				expression: args[direct + i]!,
				descending: item.descending,
				nullsFirst: item.nulls === undefined ? item.descending : item.nulls === "first",
			}),
		),
		filter: bindFilter(inner, node),
		type: plainType(resultType),
		direct,
	});
}

function refuseSyntax({ distinct, orderBy, withinGroup }: CallNode): void {
	const { at } = withinGroup!;
	if (orderBy.length > 0) {
		throw wrong("42601", "cannot use multiple ORDER BY clauses with WITHIN GROUP", at);
	}
	if (distinct) throw wrong("42601", "cannot use DISTINCT with WITHIN GROUP", at);
}

/** Functions of other kinds. */
function refuseOthers(
	{ binder }: Place,
	name: string,
	bounds: readonly Bound[],
	node: CallNode,
): void {
	const aggregates = aggregateCandidates(name);
	const types = bounds.map((bound) => resolutionType(binder, bound));
	resolve("function", name, [...aggregates, ...scalarCandidates(name)], types, node.at);
	throw wrong(
		"42809",
		aggregates.length > 0
			? `${name} is not an ordered-set aggregate, so it cannot have WITHIN GROUP`
			: `WITHIN GROUP specified, but ${name} is not an aggregate function`,
		node.at,
	);
}

const signatureOf = ({ binder }: Place, name: string, bounds: readonly Bound[]): string => {
	const types = bounds.map((bound) => formatType(plainType(resolutionType(binder, bound))));
	return `function ${name}(${types.join(", ")}) does not exist`;
};

interface Resolved {
	readonly fn: OrderedSetFunction;
	readonly args: readonly Bound[];
	readonly resultType: number;
}

function ordinary(
	place: Place,
	name: string,
	candidates: readonly OrderedSetFunction[],
	bounds: readonly Bound[],
	node: CallNode,
): Resolved {
	const { binder } = place;
	const { chosen, argTypes, resultType } = resolve(
		"function",
		name,
		candidates,
		bounds.map((bound) => resolutionType(binder, bound)),
		node.at,
	);
	if (chosen.direct !== node.args.length) {
		throw wrong(
			"42883",
			signatureOf(place, name, bounds),
			node.at,
			`There is an ordered-set aggregate ${name}, but it requires ${chosen.direct} direct arguments, not ${node.args.length}.`,
		);
	}
	const args = bounds.map((bound, i) =>
		settle(binder, coerce(binder, bound, plainType(argTypes[i]!), "implicit")),
	);
	return { fn: chosen, args, resultType };
}

/** Each direct argument and its key have one type. */
function compared(
	place: Place,
	fn: OrderedSetFunction,
	bounds: readonly Bound[],
	node: CallNode,
	within: readonly OrderItem[],
): Resolved {
	const count = node.args.length;
	if (count !== within.length) {
		throw wrong(
			"42883",
			signatureOf(place, fn.name, bounds),
			node.at,
			`To use the hypothetical-set aggregate ${fn.name}, the number of hypothetical direct arguments (here ${count}) must match the number of ordering columns (here ${within.length}).`,
		);
	}
	const pairs = bounds
		.slice(0, count)
		.map(
			(bound, i) => unify(place.binder, [bound, bounds[count + i]!], "WITHIN GROUP", bound.at).args,
		);
	return {
		fn,
		args: [...pairs.map(([direct]) => direct!), ...pairs.map(([, key]) => key!)],
		resultType: fn.result,
	};
}
