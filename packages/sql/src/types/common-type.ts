/** The type that UNION, CASE, IN, VALUES, ARRAY settle on (manual, section 10.5; select_common_type). */
import { DatabaseError } from "@quorate/keys/database-error";
import { findCast } from "./casts.ts";
import { OID } from "./oids.ts";
import { builtinType, formatType } from "./type-table.ts";

const isImplicit = (from: number, to: number): boolean =>
	findCast(from, to)?.context === "implicit";

/** The pair at which the search ended, or the type. */
function search(
	types: readonly number[],
): number | { readonly left: number; readonly right: number; readonly index: number } {
	let chosen = 0;
	for (const [index, type] of types.entries()) {
		if (type === 0 || type === OID.unknown || type === chosen) {
			continue;
		}
		if (chosen === 0) {
			chosen = type;
			continue;
		}
		const a = builtinType(chosen);
		const b = builtinType(type);
		if (a?.category !== b?.category) {
			return { left: chosen, right: type, index };
		}
		if (a?.preferred !== true && isImplicit(chosen, type) && !isImplicit(type, chosen)) {
			chosen = type;
		}
	}
	return chosen === 0 ? OID.text : chosen;
}

/** Undefined where there is none. Only unknowns: text. */
export function selectCommonType(types: readonly number[]): number | undefined {
	const found = search(types);
	return typeof found === "number" &&
		types.every((t) => t === 0 || t === OID.unknown || t === found || isImplicit(t, found))
		? found
		: undefined;
}

/** `places`: of the members, for the error. Throws 42804, or 42846 where a member cannot become the common type. */
export function commonType(
	types: readonly number[],
	construct: string,
	at: number,
	places: readonly number[] = [],
): number {
	const position = (index: number) => ({ position: (places[index] ?? at) + 1 });
	const found = search(types);
	const name = (oid: number): string => formatType({ oid, modifier: -1 });
	if (typeof found !== "number") {
		throw new DatabaseError(
			"42804",
			`${construct} types ${name(found.left)} and ${name(found.right)} cannot be matched`,
			position(found.index),
		);
	}
	for (const [index, type] of types.entries()) {
		if (type !== 0 && type !== OID.unknown && type !== found && !isImplicit(type, found)) {
			throw new DatabaseError(
				"42846",
				`${construct} could not convert type ${name(type)} to ${name(found)}`,
				position(index),
			);
		}
	}
	return found;
}
