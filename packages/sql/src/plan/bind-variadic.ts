/** f(a, VARIADIC array): the elements are the call's last arguments. How many they are is known when it runs. */
import { DatabaseError } from "@quorate/keys/database-error";
import { flatten } from "../types/array-values.ts";
import type { ArrayValue } from "../types/datum.ts";
import { OID } from "../types/oids.ts";
import { resolve, type ScalarFunction, scalarCandidates, typeByOid } from "../types/registry.ts";
import type { CallNode } from "./bind-call.ts";
import { bindExpression, type Place } from "./bind-expression.ts";
import { type Bound, beginningOf, plainType } from "./bound.ts";
import { coerce, resolutionType } from "./coerce.ts";

/** Throws 42883, 42804. */
export function bindVariadic(place: Place, name: string, node: CallNode): Bound {
	const bounds = node.args.map((arg) => bindExpression(place, arg));
	const whole = new Map(
		scalarCandidates(name).map((fn) => [fn.variadic ? withArray(fn) : fn, fn] as const),
	);
	const { chosen, argTypes, resultType } = resolve(
		"function",
		name,
		[...whole.keys()],
		bounds.map((bound) => resolutionType(place.binder, bound)),
		node.at,
	);
	const fn = whole.get(chosen)!;
	const last = bounds.at(-1)!;
	const isOfAny = fn.variadic && fn.args.at(-1) === OID.any;
	if (isOfAny && elementOf(resolutionType(place.binder, last)) === 0) {
		throw new DatabaseError("42804", "VARIADIC argument must be an array", {
			position: beginningOf(last) + 1,
		});
	}
	const args = bounds.map((bound, i) =>
		coerce(place.binder, bound, plainType(argTypes[i]!), "implicit"),
	);
	return {
		kind: "call",
		fn: fn.variadic ? spreading(fn, elementOf(argTypes.at(-1)!)) : fn,
		name,
		operator: false,
		...(fn.variadic ? { variadic: true } : {}),
		argTypes: args.map((arg) => arg.type),
		type: plainType(resultType),
		args,
		at: node.at,
	};
}

const elementOf = (oid: number): number => {
	const type = typeByOid(oid);
	return type?.category === "A" ? type.elementOid : 0;
};

function withArray(fn: ScalarFunction): ScalarFunction {
	const last = fn.args.at(-1)!;
	const array = last === OID.any ? last : (typeByOid(last)?.arrayOid ?? 0);
	return { ...fn, args: [...fn.args.slice(0, -1), array], variadic: false };
}

/** Equal calls have the same function. */
const made = new WeakMap<ScalarFunction, Map<number, ScalarFunction>>();

function spreading(fn: ScalarFunction, element: number): ScalarFunction {
	const known = made.get(fn) ?? new Map<number, ScalarFunction>();
	made.set(fn, known);
	const found = known.get(element) ?? spread(fn, element);
	known.set(element, found);
	return found;
}

function spread(fn: ScalarFunction, element: number): ScalarFunction {
	const type = plainType(element);
	return {
		...withArray(fn),
		direct: undefined,
		call(args, context, argTypes) {
			const array = args.at(-1) as ArrayValue | null;
			// To PostgreSQL's format it is an array without elements.
			if (array === null && fn.name !== "format") return null;
			const elements = array === null ? [] : flatten(array);
			const all = [...args.slice(0, -1), ...elements];
			if (fn.strict && all.includes(null)) return null;
			return fn.call(all, context, [...argTypes.slice(0, -1), ...elements.map(() => type)]);
		},
	};
}
