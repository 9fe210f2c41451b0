/** ARRAY[...], subscripts and slices. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Expression, Subscript } from "../parser/ast.ts";
import { dimensionsMax } from "../types/array-values.ts";
import type { SqlType } from "../types/datum.ts";
import { findCast, formatType, typeByOid } from "../types/registry.ts";
import { bindExpression, type Place, unify } from "./bind-expression.ts";
import { compared } from "./bind-operator.ts";
import { type Bound, beginningOf, plainType } from "./bound.ts";
import { coerce, resolutionType, settle } from "./coerce.ts";
import { elementOf } from "./domains.ts";

/** `target`: of a cast right around it, which says what the elements are. */
export function bindArray(
	place: Place,
	elements: readonly Expression[],
	target: SqlType | undefined,
	at: number,
): Bound {
	const { binder } = place;
	const bounds = elements.map((element) =>
		element.kind === "array"
			? bindArray(place, element.elements, target, element.at)
			: bindExpression(place, element),
	);
	const nested =
		elements.some((element) => element.kind === "array") ||
		bounds.some((bound) => typeByOid(resolutionType(binder, bound))?.category === "A");
	if (target !== undefined) {
		const element = nested ? target : plainType(typeByOid(target.oid)!.elementOid);
		const args = bounds.map((bound) => coerce(binder, bound, element, "explicit"));
		return { kind: "array", nested, type: target, args, at };
	}
	if (bounds.length === 0) {
		throw new DatabaseError("42P18", "cannot determine type of empty array", {
			hint: "Explicitly cast to the desired type, for example ARRAY[]::integer[].",
			position: at + 1,
		});
	}
	const { type, args } = unify(binder, bounds, "ARRAY", at);
	if (nested) return { kind: "array", nested, type: plainType(type.oid), args, at };
	const arrayOid = typeByOid(type.oid)?.arrayOid ?? 0;
	if (arrayOid === 0) {
		throw new DatabaseError(
			"42704",
			`could not find array type for data type ${formatType(type)}`,
			{ position: at + 1 },
		);
	}
	return { kind: "array", nested, type: plainType(arrayOid), args, at };
}

/** A name is an array of bytes, too, and so its own elements are of type "char". */
const nameOid = 19;
const charOid = 18;

type SubscriptNode = Extract<Expression, { kind: "subscript" | "slice" }>;

/** a[1][2:3]: all subscripts in a row are of one access, and one slice among them makes slices of all. */
export function bindSubscripts(place: Place, node: SubscriptNode): Bound {
	const subscripts: SubscriptNode[] = [node];
	let inner: Expression = node.operand;
	while ((inner.kind === "subscript" || inner.kind === "slice") && inner.closed !== true) {
		subscripts.unshift(inner);
		inner = inner.operand;
	}
	const { binder } = place;
	const operand = settle(binder, bindExpression(place, inner));
	const begins = beginningOf(operand);
	if (operand.type.oid === jsonbOid) return bindJsonSubscripts(place, operand, subscripts, node.at);
	const isName = operand.type.oid === nameOid && subscripts.every(({ kind }) => kind !== "slice");
	const elementOid = isName ? charOid : (typeByOid(operand.type.oid)?.elementOid ?? 0);
	if (elementOid === 0) {
		throw new DatabaseError(
			"42804",
			`cannot subscript type ${formatType(operand.type)} because it does not support subscripting`,
			{ position: (begins >= 0 ? begins : node.at) + 1 },
		);
	}
	if (subscripts.length > dimensionsMax) {
		throw new DatabaseError(
			"54000",
			`number of array dimensions (${subscripts.length}) exceeds the maximum allowed (${dimensionsMax})`,
		);
	}
	const index = (expression: Expression): Bound => bindIndex(place, expression);
	if (!subscripts.some(({ kind }) => kind === "slice")) {
		const indexes = subscripts.flatMap((one) =>
			one.kind === "subscript" ? [index(one.index)] : [],
		);
		return {
			kind: "subscript",
			type: isName ? plainType(elementOid) : elementOf(binder.environment.catalog, operand.type),
			args: [operand, ...indexes],
			at: node.at,
		};
	}
	const ranges = subscripts.map((one) =>
		// An index alone is the upper bound.
		one.kind === "slice"
			? { lower: one.lower && index(one.lower), upper: one.upper && index(one.upper) }
			: {
					lower: index({ kind: "literal", type: "integer", text: "1", at: one.at }),
					upper: index(one.index),
				},
	);
	return {
		kind: "slice",
		dimensions: ranges.map(({ lower, upper }) => ({
			lower: lower !== undefined,
			upper: upper !== undefined,
		})),
		type: plainType(operand.type.oid),
		args: [operand, ...ranges.flatMap(({ lower, upper }) => [lower ?? [], upper ?? []].flat())],
		at: node.at,
	};
}

export const jsonbOid = 3802;

/** jsonb's subscripts are a path: texts, and numbers as texts. */
function bindJsonSubscripts(
	place: Place,
	operand: Bound,
	subscripts: readonly SubscriptNode[],
	at: number,
): Bound {
	const { steps } = jsonSteps(place, subscripts);
	const path: Bound = { kind: "array", nested: false, type: plainType(1009), args: steps, at };
	return compared(place, "#>", operand, path, at);
}

/** As texts. `isIndex`: the first is a number. */
export function jsonSteps(
	place: Place,
	subscripts: readonly (Subscript & { readonly at?: number })[],
): { readonly steps: readonly Bound[]; readonly isIndex: boolean } {
	const { binder } = place;
	let isIndex = false;
	const steps = subscripts.map((one, i) => {
		if (!("index" in one)) {
			const edge = one.upper ?? one.lower;
			const at = edge?.at ?? one.at;
			throw new DatabaseError(
				"42804",
				"jsonb subscript does not support slices",
				at === undefined ? {} : { position: at + 1 },
			);
		}
		const step = settle(binder, bindExpression(place, one.index));
		const { oid } = step.type;
		const target = typeByOid(oid)?.category === "S" ? plainType(25) : plainType(23);
		if (oid !== target.oid && findCast(oid, target.oid)?.context !== "implicit") {
			throw new DatabaseError("42804", `subscript type ${formatType(step.type)} is not supported`, {
				hint: "jsonb subscript must be coercible to either integer or text.",
				position: one.index.at + 1,
			});
		}
		if (i === 0) isIndex = target.oid === 23;
		return coerce(binder, coerce(binder, step, target, "implicit"), plainType(25), "assignment");
	});
	return { steps, isIndex };
}

export function bindIndex(place: Place, node: Expression): Bound {
	const bound = bindExpression(place, node);
	try {
		return coerce(place.binder, bound, plainType(23), "assignment");
	} catch (error) {
		if (!(error instanceof DatabaseError) || error.code !== "42846") throw error;
		throw new DatabaseError("42804", "array subscript must have type integer", {
			position: node.at + 1,
		});
	}
}
