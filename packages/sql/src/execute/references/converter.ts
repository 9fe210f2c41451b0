/** Values of one type as values of another that they are equal to: the columns of a foreign key need not have the same type. */
import type { Datum } from "../../types/datum.ts";
import { int2Max, int2Min, int4Max, int4Min } from "../../types/integer-types.ts";
import { OID } from "../../types/oids.ts";

type Converter = (value: Datum) => Datum | undefined;

const same: Converter = (value) => value;

const within =
	(min: number, max: number): Converter =>
	(value) => {
		const number = Number(value as number | bigint);
		return number >= min && number <= max ? number : undefined;
	};

/** By the type that is wanted. */
const integers: ReadonlyMap<number, Converter> = new Map([
	[OID.int2, within(int2Min, int2Max)],
	[OID.int4, within(int4Min, int4Max)],
	[OID.int8, (value: Datum): Datum => BigInt(value as number | bigint)],
]);

const texts: ReadonlySet<number> = new Set([OID.text, OID.varchar]);

/** The function answers undefined where no value of the type is equal. Undefined: there is no such function. */
export function converter(from: number, to: number): Converter | undefined {
	if (from === to || (texts.has(from) && texts.has(to))) return same;
	return integers.has(from) ? integers.get(to) : undefined;
}
