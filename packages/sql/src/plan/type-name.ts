/** Type names of statements to types. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { TypeName } from "../parser/ast.ts";
import type { SqlType } from "../types/datum.ts";
import { type TypeDefinition, typeByName, typeByOid } from "../types/registry.ts";

const invalid = (code: string, message: string, at: number): DatabaseError =>
	new DatabaseError(code, message, { position: at + 1 });

function lengthModifier(name: TypeName, shown: string): number {
	const length = name.modifiers[0]!;
	if (name.modifiers.length > 1) {
		throw invalid("22023", `invalid type modifier`, name.at);
	}
	if (length < 1) throw invalid("22023", `length for type ${shown} must be at least 1`, name.at);
	if (length > 10485760) {
		throw invalid("22023", `length for type ${shown} cannot exceed 10485760`, name.at);
	}
	return length + 4;
}

function numericModifier(name: TypeName): number {
	const [precision = 0, scale = 0] = name.modifiers;
	if (precision < 1 || precision > 1000) {
		throw invalid("22023", `NUMERIC precision ${precision} must be between 1 and 1000`, name.at);
	}
	if (scale < -1000 || scale > 1000) {
		throw invalid("22023", `NUMERIC scale ${scale} must be between -1000 and 1000`, name.at);
	}
	return ((precision << 16) | (scale & 0x7ff)) + 4;
}

function modifierOf(name: TypeName, type: TypeDefinition): number {
	if (name.modifiers.length === 0) return -1;
	switch (type.oid) {
		case 1043:
			return lengthModifier(name, "varchar");
		case 1042:
			return lengthModifier(name, "char");
		case 1700:
			return numericModifier(name);
		case 1083:
		case 1114:
		case 1184:
		case 1266:
			return Math.min(name.modifiers[0]!, 6);
		case 1186:
			return -1;
		default:
			throw invalid("42601", `type modifier is not allowed for type "${type.name}"`, name.at);
	}
}

/** Throws 42704, 22023. */
export function resolveTypeName(name: TypeName): SqlType {
	const parts = name.name;
	const base = parts.at(-1)!;
	const schemaIsKnown = parts.length === 1 || parts.at(-2) === "pg_catalog";
	const type = schemaIsKnown ? typeByName(base) : undefined;
	if (type === undefined) {
		throw invalid("42704", `type "${parts.join(".")}" does not exist`, name.at);
	}
	const modifier = modifierOf(name, type);
	if (name.dimensions === 0) return { oid: type.oid, modifier };
	const array = typeByOid(type.arrayOid);
	if (array === undefined) {
		throw invalid("42704", `could not find array type for data type ${type.sqlName}`, name.at);
	}
	return { oid: array.oid, modifier };
}
