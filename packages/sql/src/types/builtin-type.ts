/** How the files of this folder write a type down: the contract's `TypeDefinition` plus what only this folder asks. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Datum } from "./datum.ts";
import type { KeyCodec } from "./key-codecs.ts";
import type { TypeContext, TypeDefinition } from "./registry.ts";

export interface BuiltinType extends TypeDefinition {
	readonly keyCodec: KeyCodec | undefined;
	/** Applies a type modifier; undefined where the type has none. `explicit`: a cast, which may cut silently. */
	readonly modify: ((value: Datum, modifier: number, explicit: boolean) => Datum) | undefined;
	/** The SQL name with its modifier: character varying(10). */
	readonly describe: ((modifier: number) => string) | undefined;
	/** type(a, b) as a modifier; throws 22023 as typmodin. */
	readonly packModifier: ((modifiers: readonly number[]) => number) | undefined;
}

export interface TypeSpec {
	readonly oid: number;
	readonly name: string;
	/** Defaults to `name`. */
	readonly sqlName?: string;
	readonly length: number;
	readonly category: string;
	readonly preferred?: boolean;
	readonly arrayOid: number;
	readonly elementOid?: number;
	parse(text: string, context: TypeContext): Datum;
	format(value: Datum, context: TypeContext): string;
	encodeBinary(value: Datum, context: TypeContext): Uint8Array;
	decodeBinary(bytes: Uint8Array, context: TypeContext): Datum;
	/** Undefined: no order, and no equality. */
	readonly compare: ((a: Datum, b: Datum) => number) | undefined;
	/** Where an array asks its elements. */
	readonly comparable?: boolean;
	readonly keyCodec: KeyCodec | undefined;
	readonly modify?: (value: Datum, modifier: number, explicit: boolean) => Datum;
	readonly describe?: (modifier: number) => string;
	readonly packModifier?: (modifiers: readonly number[]) => number;
}

export function defineType(spec: TypeSpec): BuiltinType {
	const { modify } = spec;
	const sqlName = spec.sqlName ?? spec.name;
	return {
		oid: spec.oid,
		name: spec.name,
		sqlName,
		length: spec.length,
		category: spec.category,
		preferred: spec.preferred ?? false,
		arrayOid: spec.arrayOid,
		elementOid: spec.elementOid ?? 0,
		parse:
			modify === undefined
				? (text, _modifier, context) => spec.parse(text, context)
				: (text, modifier, context) => {
						const value = spec.parse(text, context);
						return modifier < 0 ? value : modify(value, modifier, false);
					},
		format: spec.format,
		encodeBinary: spec.encodeBinary,
		decodeBinary:
			modify === undefined
				? (bytes, _modifier, context) => spec.decodeBinary(bytes, context)
				: (bytes, modifier, context) => {
						const value = spec.decodeBinary(bytes, context);
						return modifier < 0 ? value : modify(value, modifier, false);
					},
		comparable: spec.comparable ?? spec.compare !== undefined,
		compare: spec.compare ?? (() => incomparable(sqlName)),
		keyCodec: spec.keyCodec,
		modify,
		describe: spec.describe,
		packModifier: spec.packModifier,
	};
}

function incomparable(sqlName: string): never {
	throw new DatabaseError("42883", `could not identify an ordering operator for type ${sqlName}`, {
		hint: "Use an explicit ordering operator or modify the query.",
	});
}

export const compareNumbers = (a: Datum, b: Datum): number => (a as number) - (b as number);

export function compareBigints(a: Datum, b: Datum): number {
	return (a as bigint) < (b as bigint) ? -1 : (a as bigint) > (b as bigint) ? 1 : 0;
}
