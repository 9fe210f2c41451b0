/**
 * Enums. What is known of one here is its number alone: a value is a sort key (`enum-order.ts`), of which the catalog knows the
 * label, so input and output ask `context.catalogCall` for `enum_in`(type, label) and `enum_out`(type, value). Order, equality and
 * keys need nothing else; the same object serves whatever cluster the number is from. In texts, too, the type stands by its
 * number, as "type:1073758208": names are put in its place at the border (`catalog/type-names.ts`).
 */
import { assert } from "@quorate/keys/assert";
import { type BuiltinType, defineType } from "./builtin-type.ts";
import type { Datum } from "./datum.ts";
import { textKey } from "./key-codecs.ts";
import { arrayOfMade } from "./made-oids.ts";
import type { TypeContext } from "./registry.ts";

/** How a type of the catalog is written where its name may change. */
export const typeReference = (oid: number): string => `"type:${oid}"`;
/** A value of an enum in a plan that is shown. */
export const labelReference = (oid: number, sortKey: string): string => `label:${oid}:${sortKey}`;
/** `parts`: of a name. */
export function referencedType(parts: readonly string[]): number | undefined {
	const found = parts.length === 1 ? /^type:(\d{1,10})$/.exec(parts[0]!) : null;
	return found === null ? undefined : Number(found[1]);
}

/** OIDs of the types that an expression of the catalog names so. */
export const typesNamedIn = (text: string): readonly number[] =>
	text.includes('"type:') ? [...text.matchAll(/"type:(\d+)"/g)].map(([, oid]) => Number(oid)) : [];

/** An expression of the catalog with other numbers in it. */
export const withTypeReferences = (text: string, to: (oid: number) => number): string =>
	text.includes('"type:')
		? text.replace(/"type:(\d+)"/g, (_, oid) => typeReference(to(Number(oid))))
		: text;

export const compareSortKeys = (a: Datum, b: Datum): number =>
	(a as string) < (b as string) ? -1 : (a as string) > (b as string) ? 1 : 0;

function ask(context: TypeContext, name: string, oid: number, argument: Datum): string {
	assert(context.catalogCall !== undefined, () => `${name} needs a session with a catalog`);
	return context.catalogCall(name, [oid, argument]) as string;
}

export function enumType(oid: number): BuiltinType {
	const format = (value: Datum, context: TypeContext) => ask(context, "enum_out", oid, value);
	const parse = (text: string, context: TypeContext) => ask(context, "enum_in", oid, text);
	return defineType({
		oid,
		name: `type:${oid}`,
		sqlName: typeReference(oid),
		length: 4,
		category: "E",
		arrayOid: arrayOfMade(oid),
		parse,
		format,
		encodeBinary: (value, context) => Buffer.from(format(value, context), "utf8"),
		decodeBinary: (bytes, context) =>
			parse(
				Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8"),
				context,
			),
		compare: compareSortKeys,
		keyCodec: textKey,
	});
}
