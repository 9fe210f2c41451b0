/** The options of a sequence: its own, or those of an identity column. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { SequenceDescriptor } from "../catalog/descriptor.ts";
import type { Option } from "../parser/ast.ts";
import { typeByName } from "../types/registry.ts";

const bounds: Readonly<Record<number, readonly [bigint, bigint]>> = {
	21: [-32768n, 32767n],
	23: [-2147483648n, 2147483647n],
	20: [-9223372036854775808n, 9223372036854775807n],
};

/** The part of a descriptor that is about numbers. */
export type SequenceNumbers = Pick<
	SequenceDescriptor,
	"typeOid" | "start" | "increment" | "min" | "max" | "cache" | "cycle"
>;

const bad = (message: string): DatabaseError => new DatabaseError("22023", message);

const named = (name: string, value: Option["value"]): Option => ({ name, value, at: -1 });

/** Options that say what a sequence is like, but for those that are given anew. */
export function optionsOf(
	sequence: SequenceNumbers,
	given: ReadonlySet<string>,
): readonly Option[] {
	const type = Object.entries({ int2: 21, int4: 23, int8: 20 }).find(
		([, oid]) => oid === sequence.typeOid,
	);
	const range = bounds[sequence.typeOid]!;
	// A bound that was the type's moves with the type.
	const moves = (bound: string, typeBound: bigint): boolean =>
		given.has("as") && BigInt(bound) === typeBound;
	const all = [
		named("as", type![0]),
		named("increment", sequence.increment),
		...(moves(sequence.min, range[0]) ? [] : [named("minvalue", sequence.min)]),
		...(moves(sequence.max, range[1]) ? [] : [named("maxvalue", sequence.max)]),
		named("start", sequence.start),
		named("cache", String(sequence.cache)),
		named("cycle", sequence.cycle),
	];
	return all.filter(({ name }) => !given.has(name));
}

/** Throws 22023, 42601. */
export function numbersOf(options: readonly Option[]): SequenceNumbers {
	const given = new Map<string, Option["value"]>();
	for (const { name, value, at } of options) {
		if (given.has(name)) {
			throw new DatabaseError("42601", "conflicting or redundant options", { position: at + 1 });
		}
		given.set(name, value);
	}
	const number = (name: string): bigint | undefined => {
		const value = given.get(name);
		return value === undefined ? undefined : BigInt(String(value));
	};
	const typeOid = typeByName(String(given.get("as") ?? "int8"))?.oid ?? 0;
	const range = bounds[typeOid];
	if (range === undefined) throw bad("sequence type must be smallint, integer, or bigint");
	const increment = number("increment") ?? 1n;
	if (increment === 0n) throw bad("INCREMENT must not be zero");
	const up = increment > 0n;
	const min = number("minvalue") ?? (up ? 1n : range[0]);
	const max = number("maxvalue") ?? (up ? range[1] : -1n);
	if (max > range[1] || max < range[0])
		throw bad(`MAXVALUE (${max}) is out of range for sequence data type`);
	if (min > range[1] || min < range[0])
		throw bad(`MINVALUE (${min}) is out of range for sequence data type`);
	if (min >= max) throw bad(`MINVALUE (${min}) must be less than MAXVALUE (${max})`);
	const start = number("start") ?? (up ? min : max);
	if (start < min) throw bad(`START value (${start}) cannot be less than MINVALUE (${min})`);
	if (start > max) throw bad(`START value (${start}) cannot be greater than MAXVALUE (${max})`);
	const cache = number("cache") ?? 1n;
	if (cache < 1n) throw bad(`CACHE (${cache}) must be greater than zero`);
	return {
		typeOid,
		start: String(start),
		increment: String(increment),
		min: String(min),
		max: String(max),
		cache: Number(cache > 1_000_000n ? 1_000_000n : cache),
		cycle: given.get("cycle") === true,
	};
}
