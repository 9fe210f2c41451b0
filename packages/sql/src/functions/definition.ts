/** How the tables of this folder write a function down: a signature in text, and a body over plain values. */
import { assert } from "@quorate/keys/assert";
import { DatabaseError } from "@quorate/keys/database-error";
import type { Datum, SqlType } from "../types/datum.ts";
import { OID } from "../types/oids.ts";
import type { FunctionContext, ScalarFunction } from "../types/registry.ts";
import { typeByName } from "../types/type-table.ts";

type Volatility = ScalarFunction["volatility"];

export interface Signature {
	readonly name: string;
	readonly args: readonly number[];
	readonly variadic: boolean;
	readonly result: number;
}

const shape = /^(\S+)\(([^)]*)\)(?: -> (\S+))?$/;
const variadicMark = "variadic ";

export function oidOf(typeName: string): number {
	const type = typeByName(typeName);
	assert(type !== undefined, () => `no type ${typeName}`);
	return type.oid;
}

/** "lpad(text, int4) -> text"; "format(text, variadic any) -> text" repeats its last argument. */
export function signature(text: string): Signature {
	const match = shape.exec(text);
	assert(match !== null, () => `not a signature: ${text}`);
	const list = match[2] as string;
	return {
		name: match[1] as string,
		args: list === "" ? [] : list.replace(variadicMark, "").split(", ").map(oidOf),
		variadic: list.includes(variadicMark),
		result: match[3] === undefined ? 0 : oidOf(match[3]),
	};
}

/** More than a JavaScript string or buffer holds. */
export function tooLarge(): DatabaseError {
	return new DatabaseError("54000", "requested length too large");
}

/** A value, or what is asked of it, is nested too deeply to be walked through. */
export const tooDeep = (): DatabaseError =>
	new DatabaseError("54001", "stack depth limit exceeded");

/** Results that can be longer than their arguments: the engine's refusal becomes a client's error. */
function bounded<A extends readonly never[] | readonly unknown[]>(
	result: number,
	body: (...args: A) => Datum,
): (...args: A) => Datum {
	if (result !== OID.text && result !== OID.bytea && result !== OID.textArray) {
		return body;
	}
	return (...args) => {
		try {
			return body(...args);
		} catch (error) {
			throw error instanceof RangeError ? tooLarge() : error;
		}
	};
}

/** The comparing operators, by what a comparison of two values says: below 0, 0, above. */
export const orderTests: readonly (readonly [string, (order: number) => boolean])[] = [
	["=", (order) => order === 0],
	["<>", (order) => order !== 0],
	["<", (order) => order < 0],
	["<=", (order) => order <= 0],
	[">", (order) => order > 0],
	[">=", (order) => order >= 0],
];

/** A strict function of its arguments alone. */
export function pure(
	text: string,
	body: (a: never, b: never, c: never, d: never, e: never, f: never) => Datum,
	volatility: Volatility = "immutable",
): ScalarFunction {
	const parsed = signature(text);
	const positional = bounded(parsed.result, body as (...args: readonly Datum[]) => Datum);
	const call = callOf(positional, parsed.variadic ? -1 : parsed.args.length);
	return {
		...parsed,
		strict: true,
		volatility,
		async: false,
		optional: 0,
		call,
		direct:
			!parsed.variadic && (parsed.args.length === 1 || parsed.args.length === 2)
				? (positional as (a: Datum, b: Datum) => Datum)
				: undefined,
	};
}

/** Without a spread where the number of arguments is known. */
function callOf(
	body: (...args: readonly Datum[]) => Datum,
	count: number,
): (args: readonly Datum[]) => Datum {
	switch (count) {
		case 1:
			return (args) => body(args[0] as Datum);
		case 2:
			return (args) => body(args[0] as Datum, args[1] as Datum);
		default:
			return (args) => body(...args);
	}
}

export interface Options {
	readonly volatility: Volatility;
	/** False: the body sees NULLs. */
	readonly strict?: boolean;
	readonly optional?: number;
}

/** A function that looks at its session, its argument types, or NULLs. */
export function contextual(
	text: string,
	options: Options,
	body: (args: readonly Datum[], context: FunctionContext, argTypes: readonly SqlType[]) => Datum,
): ScalarFunction {
	const parsed = signature(text);
	return {
		...parsed,
		strict: options.strict ?? true,
		volatility: options.volatility,
		async: false,
		optional: options.optional ?? 0,
		call: bounded(parsed.result, body),
		direct: undefined,
	};
}

/** A function whose answer may take time. */
export function asynchronous(
	text: string,
	body: (args: readonly Datum[], context: FunctionContext) => Datum | Promise<Datum>,
): ScalarFunction {
	return {
		...signature(text),
		strict: true,
		volatility: "volatile",
		async: true,
		optional: 0,
		call: body,
		direct: undefined,
	};
}

/** What PostgreSQL does not promise to be the same for ever, although it is here: no index is made of it. */
export const likeStable = (fn: ScalarFunction): ScalarFunction => ({ ...fn, volatility: "stable" });

export const stable: Options = { volatility: "stable" };
export const volatile: Options = { volatility: "volatile" };
export const nullable: Options = { volatility: "immutable", strict: false };
