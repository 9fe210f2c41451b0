/** What an assignment in INSERT or UPDATE gives a column: a value, or an element, slice or part of what it has. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { ColumnDescriptor } from "../catalog/descriptor.ts";
import { withJsonPart } from "../functions/json-assign.ts";
import type { Expression, Subscript } from "../parser/ast.ts";
import { withElement, withSlice } from "../types/array-assign.ts";
import { dimensionsMax } from "../types/array-values.ts";
import type { ArrayValue, Datum, SqlType } from "../types/datum.ts";
import { formatType, type ScalarFunction, typeByOid } from "../types/registry.ts";
import { bindIndex, jsonbOid, jsonSteps } from "./bind-array.ts";
import { bindExpression, type Place } from "./bind-expression.ts";
import { type Bound, plainType } from "./bound.ts";
import { coerce, resolutionType } from "./coerce.ts";

interface Assignment {
	readonly column: ColumnDescriptor;
	readonly subscripts: readonly Subscript[];
	/** Of the column's name. */
	readonly at: number;
}

/** `container`: what the column has. Throws 42804, 54000, 0A000. */
export function bindPart(
	place: Place,
	container: Bound,
	assignment: Assignment,
	value: Expression,
): Bound {
	if (value.kind === "default") {
		throw new DatabaseError("0A000", "cannot set an array element to DEFAULT", {
			position: assignment.at + 1,
		});
	}
	return bindPartOf(place, container, assignment, bindExpression(place, value));
}

export function bindPartOf(
	place: Place,
	container: Bound,
	{ column, subscripts, at }: Assignment,
	value: Bound,
): Bound {
	const { oid, modifier } = column.type;
	const type: SqlType = { oid, modifier };
	const part = (args: readonly Bound[], call: ScalarFunction["call"]): Bound => {
		const fn = { ...assigning, result: oid, call };
		const argTypes = args.map((arg) => arg.type);
		const name = assigning.name;
		return { kind: "call", fn, name, operator: false, argTypes, type: plainType(oid), args, at };
	};
	const fitting = (wanted: SqlType): Bound => fittingValue(place, column.name, value, wanted, at);
	if (oid === jsonbOid) {
		const { steps, isIndex } = jsonSteps(place, subscripts);
		const args = [container, fitting(type), ...steps];
		return part(args, ([target, given, ...path]) => withJsonPart(target!, path, given!, isIndex));
	}
	const elementOid = typeByOid(oid)?.category === "A" ? typeByOid(oid)!.elementOid : 0;
	if (elementOid === 0) {
		throw new DatabaseError(
			"42804",
			`cannot subscript type ${formatType(type)} because it does not support subscripting`,
			{ position: at + 1 },
		);
	}
	if (subscripts.length > dimensionsMax) {
		throw new DatabaseError(
			"54000",
			`number of array dimensions (${subscripts.length}) exceeds the maximum allowed (${dimensionsMax})`,
		);
	}
	const index = (expression: Expression): Bound => bindIndex(place, expression);
	if (subscripts.every((one) => "index" in one)) {
		const indexes = subscripts.map((one) => index((one as { index: Expression }).index));
		const args = [container, fitting({ oid: elementOid, modifier }), ...indexes];
		return part(args, ([array, given, ...path]) => withElement(array!, path, given!));
	}
	const one: Expression = { kind: "literal", type: "integer", text: "1", at };
	// An index alone is the upper bound.
	const ranges = subscripts.map((range) =>
		"index" in range ? { lower: one, upper: range.index } : range,
	);
	const given = ranges.map(({ lower, upper }) => ({
		lower: lower !== undefined,
		upper: upper !== undefined,
	}));
	const bounds = ranges.flatMap(({ lower, upper }) => [lower ?? [], upper ?? []].flat().map(index));
	const args = [container, fitting(type), ...bounds];
	return part(args, ([array, source, ...limits]) =>
		withSlice(array!, given, limits, source as ArrayValue),
	);
}

const assigning = {
	name: "subscripted assignment",
	args: [],
	variadic: false,
	strict: false,
	volatility: "immutable",
	async: false,
	optional: 0,
	direct: undefined,
} as const satisfies Partial<ScalarFunction>;

function fittingValue(
	{ binder }: Place,
	name: string,
	value: Bound,
	wanted: SqlType,
	at: number,
): Bound {
	try {
		return coerce(binder, value, wanted, "assignment", name);
	} catch (error) {
		if (!(error instanceof DatabaseError) || error.code !== "42804") throw error;
		const given = formatType(plainType(resolutionType(binder, value)));
		throw new DatabaseError(
			"42804",
			`subscripted assignment to "${name}" requires type ${formatType(wanted)} but expression is of type ${given}`,
			{
				hint: "You will need to rewrite or cast the expression.",
				...(at < 0 ? {} : { position: at + 1 }),
			},
		);
	}
}

/** Where nothing was given before. */
export const noContainer = ({ type }: ColumnDescriptor): Bound => ({
	kind: "constant",
	value: null as Datum,
	type: plainType(type.oid),
	args: [],
	at: -1,
});
