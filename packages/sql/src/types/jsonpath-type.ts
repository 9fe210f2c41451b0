/** jsonpath: what the text means; it has no equality and no order. */
import { DatabaseError } from "@quorate/keys/database-error";
import { type BuiltinType, defineType } from "./builtin-type.ts";
import type { Datum } from "./datum.ts";
import { binaryLength } from "./errors.ts";
import { formatPath } from "./jsonpath/format.ts";
import { parsePath } from "./jsonpath/parse.ts";
import type { JsonPath } from "./jsonpath/path.ts";
import { OID } from "./oids.ts";
import { decodeUtf8 } from "./text-values.ts";

/** Of the binary form: a byte, and then the text. */
const binaryVersion = 1;

const format = (value: Datum): string => formatPath(value as JsonPath);

export const jsonpathType: BuiltinType = defineType({
	oid: OID.jsonpath,
	name: "jsonpath",
	length: -1,
	category: "U",
	arrayOid: OID.jsonpathArray,
	parse: parsePath,
	format,
	encodeBinary: (value) =>
		Buffer.concat([Buffer.from([binaryVersion]), Buffer.from(format(value), "utf8")]),
	decodeBinary(bytes) {
		if (bytes.length === 0) throw binaryLength(bytes, 1);
		if (bytes[0] !== binaryVersion) {
			throw new DatabaseError("XX000", `unsupported jsonpath version number: ${bytes[0]}`);
		}
		return parsePath(decodeUtf8(bytes.subarray(1)));
	},
	compare: undefined,
	keyCodec: undefined,
});
