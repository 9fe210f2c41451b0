/** What an assignment in INSERT or UPDATE gives a column: a value, or an element, slice or part of what it has. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { ColumnDescriptor } from "../catalog/descriptor.ts";
import { withJsonPart } from "../functions/json-assign.ts";
import type { Expression, Part, Subscript } from "../parser/ast.ts";
import { withElement, withSlice } from "../types/array-assign.ts";
import { dimensionsMax } from "../types/array-values.ts";
import type { ArrayValue, Datum, RowValue, SqlType } from "../types/datum.ts";
import { formatType, type ScalarFunction, typeByOid } from "../types/registry.ts";
import { rowOf } from "../types/row-types.ts";
import { bindIndex, jsonbOid, jsonSteps } from "./bind-array.ts";
import { bindExpression, type Place } from "./bind-expression.ts";
import { type Bound, plainType } from "./bound.ts";
import { coerce, resolutionType } from "./coerce.ts";
import { withDomain } from "./domains.ts";
import { fieldOf, fieldsOfType } from "./fields.ts";

interface Assignment {
	readonly column: ColumnDescriptor;
	readonly path: readonly Part[];
	/** Of the column's name. */
	readonly at: number;
}

/** `container`: what the column has. Throws 42703, 42804, 54000, 0A000. */
export function bindPart(
	place: Place,
	container: Bound,
	assignment: Assignment,
	value: Expression,
): Bound {
	if (value.kind === "default") {
		const isField = "field" in assignment.path[0]!;
		throw new DatabaseError(
			"0A000",
			`cannot set ${isField ? "a subfield" : "an array element"} to DEFAULT`,
			{ position: assignment.at + 1 },
		);
	}
	return bindPartOf(place, container, assignment, bindExpression(place, value));
}

export function bindPartOf(
	place: Place,
	container: Bound,
	{ column, path, at }: Assignment,
	value: Bound,
): Bound {
	const { oid, modifier } = column.type;
	return new Parts(place, value, at).within(container, { oid, modifier }, path, column.name);
}

class Parts {
	readonly #place: Place;
	readonly #value: Bound;
	readonly #at: number;

	constructor(place: Place, value: Bound, at: number) {
		this.#place = place;
		this.#value = value;
		this.#at = at;
	}

	/** What becomes of `container`, which is of `type`. `name`: of the column or field that it is. */
	within(container: Bound, type: SqlType, parts: readonly Part[], name: string): Bound {
		const [first] = parts;
		if (first !== undefined && "field" in first) {
			return this.#field(container, type, first.field, parts.slice(1), name);
		}
		const fields = parts.findIndex((part) => "field" in part);
		const count = fields < 0 ? parts.length : fields;
		const subscripts = parts.slice(0, count) as readonly Subscript[];
		return this.#subscripted(container, type, subscripts, parts.slice(count), name);
	}

	#given(wanted: SqlType, rest: readonly Part[], inner: () => Bound, name: string): Bound {
		return rest.length > 0
			? this.within(inner(), wanted, rest, name)
			: fittingValue(this.#place, name, this.#value, wanted, this.#at, "subscripted assignment to");
	}

	#field(
		container: Bound,
		type: SqlType,
		field: string,
		rest: readonly Part[],
		name: string,
	): Bound {
		const fields = fieldsOfType(this.#place.binder, type);
		const wrong = (code: string, why: string): DatabaseError =>
			new DatabaseError(
				code,
				`cannot assign to field "${field}" of column "${name}" because ${why}`,
				{ position: this.#at + 1 },
			);
		if (fields === undefined) {
			throw wrong("42804", `its type ${formatType(type)} is not a composite type`);
		}
		const index = fields.findIndex((one) => one.name === field);
		if (index < 0) {
			throw wrong("42703", `there is no such column in data type ${formatType(type)}`);
		}
		const wanted = fields[index]!.type;
		const value =
			rest.length > 0
				? this.within(fieldOf(container, index, fields[index]!), wanted, rest, field)
				: fittingValue(this.#place, field, this.#value, wanted, this.#at, "subfield");
		const checked = withDomain(this.#place.binder, value, wanted);
		return partOf(type, [container, checked], this.#at, ([row, given]) => {
			const before = row === null ? fields.map(() => null) : (row as RowValue).fields;
			return rowOf(fields, before.with(index, given!));
		});
	}

	#subscripted(
		container: Bound,
		type: SqlType,
		subscripts: readonly Subscript[],
		rest: readonly Part[],
		name: string,
	): Bound {
		const place = this.#place;
		const { oid, modifier } = type;
		if (oid === jsonbOid && rest.length === 0) {
			const { steps, isIndex } = jsonSteps(place, subscripts);
			const given = this.#given(type, rest, () => container, name);
			return partOf(type, [container, given, ...steps], this.#at, ([target, value, ...path]) =>
				withJsonPart(target!, path, value!, isIndex),
			);
		}
		const elementOid = typeByOid(oid)?.category === "A" ? typeByOid(oid)!.elementOid : 0;
		if (elementOid === 0) {
			throw new DatabaseError(
				"42804",
				`cannot subscript type ${formatType(type)} because it does not support subscripting`,
				{ position: this.#at + 1 },
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
			const element = { oid: elementOid, modifier };
			const given = this.#given(
				element,
				rest,
				() => ({ kind: "subscript", type: element, args: [container, ...indexes], at: this.#at }),
				name,
			);
			return partOf(type, [container, given, ...indexes], this.#at, ([array, value, ...path]) =>
				withElement(array!, path, value!),
			);
		}
		if (rest.length > 0) {
			throw new DatabaseError("0A000", "assigning a field of a slice is not supported", {
				hint: "Assign to the elements one by one.",
				position: this.#at + 1,
			});
		}
		return this.#slice(container, type, subscripts, index, name);
	}

	#slice(
		container: Bound,
		type: SqlType,
		subscripts: readonly Subscript[],
		index: (expression: Expression) => Bound,
		name: string,
	): Bound {
		const one: Expression = { kind: "literal", type: "integer", text: "1", at: this.#at };
		// An index alone is the upper bound.
		const ranges = subscripts.map((range) =>
			"index" in range ? { lower: one, upper: range.index } : range,
		);
		const given = ranges.map(({ lower, upper }) => ({
			lower: lower !== undefined,
			upper: upper !== undefined,
		}));
		const bounds = ranges.flatMap(({ lower, upper }) =>
			[lower ?? [], upper ?? []].flat().map(index),
		);
		const source = this.#given(type, [], () => container, name);
		return partOf(type, [container, source, ...bounds], this.#at, ([array, value, ...limits]) =>
			withSlice(array!, given, limits, value as ArrayValue),
		);
	}
}

function partOf(
	{ oid }: SqlType,
	args: readonly Bound[],
	at: number,
	call: ScalarFunction["call"],
): Bound {
	return {
		kind: "call",
		fn: { ...assigning, result: oid, call },
		name: assigning.name,
		operator: false,
		argTypes: args.map((arg) => arg.type),
		type: plainType(oid),
		args,
		at,
	};
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
	what: "subfield" | "subscripted assignment to",
): Bound {
	try {
		return coerce(binder, value, wanted, "assignment", name);
	} catch (error) {
		if (!(error instanceof DatabaseError) || error.code !== "42804") throw error;
		const given = formatType(plainType(resolutionType(binder, value)));
		const verb = what === "subfield" ? "is of" : "requires";
		throw new DatabaseError(
			"42804",
			`${what} "${name}" ${verb} type ${formatType(wanted)} but expression is of type ${given}`,
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
