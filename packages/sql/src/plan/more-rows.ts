/** Rows of INSERT ... VALUES that the lexer read as data: each cell becomes a value of its column. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { ColumnDescriptor } from "../catalog/descriptor.ts";
import type { LiftedLiteral } from "../parser/parse.ts";
import type { Datum } from "../types/datum.ts";
import {
	applyModifier,
	type FunctionContext,
	findCast,
	formatType,
	typeByOid,
} from "../types/registry.ts";
import { placed } from "./arguments.ts";
import type { Binder } from "./binder.ts";
import { plainType } from "./bound.ts";
import { numberLiteralType } from "./coerce.ts";

export type CellReader = (cell: unknown, context: FunctionContext) => Datum;

/** Types whose input reads an integer literal just as the assignment of that literal would. */
const readsIntegers = new Set([20, 21, 23, 700, 701, 1700]);

function assigned(
	value: Datum,
	from: number,
	column: ColumnDescriptor,
	context: FunctionContext,
): Datum {
	if (from === column.type.oid) return value;
	const cast = findCast(from, column.type.oid);
	if (cast === undefined || cast.context === "explicit") {
		throw new DatabaseError(
			"42804",
			`column "${column.name}" is of type ${formatType(plainType(column.type.oid))} but expression is of type ${formatType(plainType(from))}`,
			{ hint: "You will need to rewrite or cast the expression." },
		);
	}
	return cast.apply(value, column.type, context);
}

export function cellReader(_binder: Binder, column: ColumnDescriptor): CellReader {
	const type = typeByOid(column.type.oid)!;
	const finish = (value: Datum): Datum =>
		column.type.modifier < 0 || value === null ? value : applyModifier(value, column.type, false);
	return (cell, context) => {
		if (cell === "null") return null;
		if (typeof cell === "boolean") return finish(assigned(cell, 16, column, context));
		const literal = cell as LiftedLiteral;
		if (literal.type === "string") {
			let value: Datum;
			try {
				value = type.parse(literal.text, -1, context);
			} catch (error) {
				throw placed(error, literal.at);
			}
			return finish(value);
		}
		const natural = numberLiteralType(literal.type, literal.text);
		if (natural === 23 && readsIntegers.has(column.type.oid)) {
			return finish(type.parse(literal.text, -1, context));
		}
		const value = typeByOid(natural)!.parse(literal.text, -1, context);
		return finish(assigned(value, natural, column, context));
	};
}
