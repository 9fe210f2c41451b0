/** enum_first, enum_last, enum_range: the argument says by its type which enum is meant; it may be NULL. */
import { DatabaseError } from "@quorate/keys/database-error";
import { arrayOf } from "../types/array-values.ts";
import type { ArrayValue, Datum, SqlType } from "../types/datum.ts";
import type { FunctionContext, ScalarFunction } from "../types/registry.ts";
import { formatType } from "../types/type-table.ts";
import { contextual } from "./definition.ts";

const loose = { volatility: "stable", strict: false } as const;

const valuesOf = (context: FunctionContext, [type]: readonly SqlType[]): readonly Datum[] =>
	(context.catalogCall("enum_values", [type?.oid ?? 0]) as ArrayValue).elements;

/** Throws 55000. */
function someOf(context: FunctionContext, types: readonly SqlType[]): readonly Datum[] {
	const values = valuesOf(context, types);
	if (values.length > 0) return values;
	throw new DatabaseError("55000", `enum ${formatType(types[0]!)} contains no values`);
}

export const enumFunctions: readonly ScalarFunction[] = [
	contextual(
		"enum_first(anyenum) -> anyenum",
		loose,
		(_args, c, types) => someOf(c, types)[0] as Datum,
	),
	contextual(
		"enum_last(anyenum) -> anyenum",
		loose,
		(_args, c, types) => someOf(c, types).at(-1) as Datum,
	),
	contextual("enum_range(anyenum) -> anyarray", loose, (_args, c, types) =>
		arrayOf(valuesOf(c, types)),
	),
	contextual("enum_range(anyenum, anyenum) -> anyarray", loose, ([from, to], c, types) =>
		arrayOf(
			valuesOf(c, types).filter(
				(value) =>
					(from === null || (value as string) >= (from as string)) &&
					(to === null || (value as string) <= (to as string)),
			),
		),
	),
];
