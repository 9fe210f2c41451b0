/** Methods of a jsonpath that make one item of another. */
import { DatabaseError, type DatabaseErrorFields } from "@quorate/keys/database-error";
import { microsPerDay } from "../../types/calendar.ts";
import type { PathMethod } from "../../types/jsonpath/path.ts";
import { numericFromFloat, numericToFloat } from "../../types/numeric.ts";
import { absolute, ceiling, floor } from "../../types/numeric-arithmetic.ts";
import { typeByName } from "../../types/type-table.ts";
import { momentByTemplate, templatePieces } from "../from-char.ts";
import { isNumber, type Moment, type PathItem, parseMoment } from "./item.ts";

/** What a path may complain of; predicates and silent calls make nothing of it. */
export class PathError extends DatabaseError {}

export const pathError = (
	code: string,
	message: string,
	fields: DatabaseErrorFields = {},
): PathError => new PathError(code, message, fields);

export function rounding(name: PathMethod, value: PathItem): PathItem {
	if (!isNumber(value)) {
		throw pathError(
			"22036",
			`jsonpath item method .${name}() can only be applied to a numeric value`,
		);
	}
	return name === "abs" ? absolute(value) : name === "floor" ? floor(value) : ceiling(value);
}

export function double(value: PathItem): PathItem {
	if (isNumber(value)) {
		if (Number.isFinite(numericToFloat(value))) return value;
		throw pathError(
			"22036",
			"numeric argument of jsonpath item method .double() is out of range for type double precision",
		);
	}
	if (typeof value === "string") return numericFromFloat(floatOf(value), 15);
	throw pathError(
		"22036",
		"jsonpath item method .double() can only be applied to a string or numeric value",
	);
}

function floatOf(text: string): number {
	const wrong = pathError(
		"22036",
		"string argument of jsonpath item method .double() is not a valid representation of a double precision number",
	);
	try {
		const number = typeByName("float8")!.parse(text, -1, {} as never) as number;
		if (Number.isFinite(number)) return number;
	} catch (error) {
		if (!(error instanceof DatabaseError)) throw error;
	}
	throw wrong;
}

export function datetime(value: PathItem, template: string | undefined): Moment {
	if (typeof value !== "string") {
		throw pathError("22031", "jsonpath item method .datetime() can only be applied to a string");
	}
	if (template !== undefined) return byTemplate(value, template);
	const moment = parseMoment(value);
	if (moment !== undefined) return moment;
	throw pathError("22031", `datetime format is not recognized: "${value}"`, {
		hint: "Use a datetime template argument to specify the input data format.",
	});
}

/** What is wrong with the template itself is no matter of the path. */
function byTemplate(text: string, template: string): Moment {
	const pieces = templatePieces(template);
	try {
		const { type, days = 0, micros, offset } = momentByTemplate(text, pieces);
		const local = BigInt(days) * microsPerDay + BigInt(micros);
		return { kind: "moment", type, local, offset };
	} catch (error) {
		if (!(error instanceof DatabaseError)) throw error;
		throw pathError(error.code, error.message, error.fields);
	}
}
