/** Literals that are read as they are written down: those of dates and times, and signs. */
import type { Datum } from "../types/datum.ts";
import type { FunctionContext } from "../types/registry.ts";
import { type Bound, constant, mapArgs, unknownOid } from "./bound.ts";

/** Dates and times, whose input depends on the session. */
const isTemporal = (oid: number): boolean => [1082, 1083, 1114, 1184, 1266].includes(oid);

/** A literal is read when the index is made, that of a date or a time too; a sign is part of it. */
export const folded = (given: Bound, context: FunctionContext): Bound =>
	foldedHere(
		mapArgs(given, (arg) => folded(arg, context)),
		context,
	);

/** What is made of one literal alone. */
export function foldedHere(bound: Bound, context: FunctionContext): Bound {
	const [operand] = bound.args;
	if (operand?.kind !== "constant" || operand.value === null) return bound;
	const { type, at } = bound;
	if (bound.kind === "cast" && operand.type.oid === unknownOid && isTemporal(type.oid)) {
		return constant(bound.cast.apply(operand.value, type, context), type, at);
	}
	const isSigned = bound.kind === "call" && bound.name === "-" && bound.args.length === 1;
	if (!isSigned) return bound;
	return constant(bound.fn.call([operand.value], context, []) as Datum, type, at);
}
