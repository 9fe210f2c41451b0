/** json: the text as given, checked. It has no equality and no order. */
import { DatabaseError } from "@quorate/keys/database-error";
import { type BuiltinType, defineType } from "./builtin-type.ts";
import { OID } from "./oids.ts";
import { decodeUtf8 } from "./text-values.ts";

function checkJson(text: string): string {
	try {
		JSON.parse(text);
	} catch {
		throw new DatabaseError("22P02", "invalid input syntax for type json");
	}
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
