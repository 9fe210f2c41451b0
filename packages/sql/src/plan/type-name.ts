/** Type names of statements to types. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { TypeName } from "../parser/ast.ts";
import type { SqlType } from "../types/datum.ts";
import { packModifier, typeByName, typeByOid } from "../types/registry.ts";

/** Throws 42704, 22023, 0A000. */
export function resolveTypeName(name: TypeName): SqlType {
	const parts = name.name;
	const base = parts.at(-1)!;
	const schemaIsKnown = parts.length === 1 || parts.at(-2) === "pg_catalog";
	const type = schemaIsKnown ? typeByName(base) : undefined;
	if (type === undefined) {
		throw new DatabaseError("42704", `type "${parts.join(".")}" does not exist`, {
			position: name.at + 1,
		});
	}
	const modifier = packModifier(type.oid, name.modifiers, name.at);
	if (name.dimensions === 0) return { oid: type.oid, modifier };
	const array = typeByOid(type.arrayOid);
	if (array === undefined) {
		throw new DatabaseError("42704", `could not find array type for data type ${type.sqlName}`, {
			position: name.at + 1,
		});
	}
	return { oid: array.oid, modifier };
}
