/** json: the text as given, checked; it has no equality and no order. jsonb: what the text means. */
import { DatabaseError } from "@quorate/keys/database-error";
import { type BuiltinType, defineType } from "./builtin-type.ts";
import type { Datum } from "./datum.ts";
import { binaryLength } from "./errors.ts";
import { jsonbKey } from "./json-key.ts";
import { type JsonBuilder, parseJson } from "./json-parser.ts";
import {
	compareJsonb,
	formatJson,
	type Json,
	type JsonbValue,
	jsonb,
	jsonObjectOf,
} from "./json-value.ts";
import { parseNumeric } from "./numeric.ts";
import { OID } from "./oids.ts";
import { decodeUtf8 } from "./text-values.ts";

const nothing = (): undefined => undefined;
const checker: JsonBuilder<undefined> = {
	decodes: false,
	string: nothing,
	number: nothing,
	literal: nothing,
	array: nothing,
	object: nothing,
};

const jsonBuilder: JsonBuilder<Json> = {
	decodes: true,
	string: (value) => value,
	number: parseNumeric,
	literal: (value) => value,
	array: (items, count) => items.slice(items.length - count),
	object: (keys, values, count) =>
		jsonObjectOf(keys, values, keys.length - count, values.length - count),
};

/** Throws 22P02, 22P05, 22003, 54000, 54001. */
export const parseJsonb = (text: string): Json => parseJson(text, jsonBuilder);

function checkJson(text: string): string {
	parseJson(text, checker);
	return text;
}

export const jsonType: BuiltinType = defineType({
	oid: OID.json,
	name: "json",
	length: -1,
	category: "U",
	arrayOid: OID.jsonArray,
	parse: checkJson,
	format: (value) => value as string,
	encodeBinary: (value) => Buffer.from(value as string, "utf8"),
	decodeBinary: (bytes) => checkJson(decodeUtf8(bytes)),
	compare: undefined,
	keyCodec: undefined,
});

const formatJsonb = (value: Datum): string => formatJson((value as JsonbValue).root);

/** Of the binary form: a byte, and then the text. */
const binaryVersion = 1;

export const jsonbType: BuiltinType = defineType({
	oid: OID.jsonb,
	name: "jsonb",
	length: -1,
	category: "U",
	arrayOid: OID.jsonbArray,
	parse: (text) => jsonb(parseJsonb(text)),
	format: formatJsonb,
	encodeBinary: (value) =>
		Buffer.concat([Buffer.from([binaryVersion]), Buffer.from(formatJsonb(value), "utf8")]),
	decodeBinary(bytes) {
		if (bytes.length === 0) throw binaryLength(bytes, 1);
		if (bytes[0] !== binaryVersion) {
			throw new DatabaseError("XX000", `unsupported jsonb version number ${bytes[0]}`);
		}
		return jsonb(parseJsonb(decodeUtf8(bytes.subarray(1))));
	},
	compare: (a, b) => compareJsonb((a as JsonbValue).root, (b as JsonbValue).root),
	keyCodec: jsonbKey,
});
