/** The types that only signatures mention. */
import { DatabaseError } from "@quorate/keys/database-error";
import { type BuiltinType, defineType } from "./builtin-type.ts";
import { OID } from "./oids.ts";

function refuse(verb: string, name: string): DatabaseError {
	return new DatabaseError("0A000", `cannot ${verb} a value of type ${name}`);
}

function pseudo(oid: number, name: string, sqlName = name, length = 4): BuiltinType {
	return defineType({
		oid,
		name,
		sqlName,
		length,
		category: "P",
		arrayOid: 0,
		parse() {
			throw refuse("accept", sqlName);
		},
		format() {
			throw refuse("display", sqlName);
		},
		encodeBinary() {
			throw refuse("display", sqlName);
		},
		decodeBinary() {
			throw refuse("accept", sqlName);
		},
		compare: undefined,
		keyCodec: undefined,
	});
}

export function pseudoTypes(): BuiltinType[] {
	return [
		pseudo(OID.any, "any", '"any"'),
		pseudo(OID.anyarray, "anyarray", "anyarray", -1),
		pseudo(OID.anyelement, "anyelement"),
		pseudo(OID.anynonarray, "anynonarray"),
		pseudo(OID.anyenum, "anyenum"),
		pseudo(OID.anycompatible, "anycompatible"),
		pseudo(OID.anycompatiblearray, "anycompatiblearray", "anycompatiblearray", -1),
		pseudo(OID.anycompatiblenonarray, "anycompatiblenonarray"),
		pseudo(OID.trigger, "trigger"),
		pseudo(OID.internal, "internal", "internal", 8),
	];
}
