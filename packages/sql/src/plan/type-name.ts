/** Type names of statements to types: those that every database has, then those that somebody has made. */
import { DatabaseError } from "@quorate/keys/database-error";
import { mayUseSchema } from "../auth/privileges.ts";
import { type Collated, collationOids } from "../catalog/collations.ts";
import type { CatalogSnapshot } from "../catalog/snapshot.ts";
import { typeData } from "../catalog/system-types.ts";
import { findTypeOid } from "../catalog/type-names.ts";
import type { TypeName } from "../parser/ast.ts";
import type { SqlType } from "../types/datum.ts";
import { referencedType } from "../types/enum-types.ts";
import { isDomainArray, isRowType, objectIdOf } from "../types/made-oids.ts";
import {
	formatType,
	packModifier,
	typeByName,
	typeByOid,
	unsupportedType,
} from "../types/registry.ts";
import type { Binder } from "./binder.ts";
import { plainType } from "./bound.ts";
import { arrayOf, typeOfMade } from "./domains.ts";

/** What a name means that is none of the system's. Throws 3F000, 42501. */
export type TypeLookup = (parts: readonly string[], at: number) => SqlType | undefined;

/** As a statement looks them up. */
export const typesIn =
	({
		catalog,
		searchPath,
		context,
	}: {
		readonly catalog: CatalogSnapshot;
		readonly searchPath: readonly string[];
		readonly context: { readonly currentRole: number };
	}): TypeLookup =>
	(parts, at) => {
		const oid = referencedType(parts);
		if (oid !== undefined) return typeOfMade(catalog, oid);
		const schema = parts.at(-2);
		if (schema !== undefined && catalog.schemas.byName(schema) === undefined) {
			throw new DatabaseError("3F000", `schema "${schema}" does not exist`, { position: at + 1 });
		}
		if (schema !== undefined && !mayUseSchema(catalog, context.currentRole, schema)) {
			throw new DatabaseError("42501", `permission denied for schema ${schema}`);
		}
		const found = findTypeOid(catalog, searchPath, schema, parts.at(-1)!);
		return found === undefined ? undefined : typeOfMade(catalog, found);
	};

/** As a query does, also that of a view. */
export const typesOf = (binder: Binder): TypeLookup => {
	const look = typesIn(binder.environment);
	return (parts, at) => {
		const kept = binder.meanings?.typeOf(parts);
		const found =
			kept === undefined ? look(parts, at) : typeOfMade(binder.environment.catalog, kept);
		if (found !== undefined) {
			const oid = found.domain ?? found.oid;
			if (binder.made !== undefined && isRowType(oid)) throw rowTypeKept("view", at);
			if (isRowType(oid)) binder.environment.use?.oids.add(objectIdOf(oid));
			binder.made?.types.set(parts.join("\0"), { name: parts, oid });
		}
		return found;
	};
};

/** Columns come and go, and what is kept would have to follow. */
export const rowTypeKept = (where: string, at: number): DatabaseError =>
	new DatabaseError("0A000", `naming the row type of a table in a ${where} is not supported`, {
		hint: "Create a composite type with the same attributes.",
		...(at < 0 ? {} : { position: at + 1 }),
	});

/** Whether values have an order that COLLATE could name: texts, and arrays of them. */
export const isCollatable = (oid: number): boolean => (typeData(oid)?.collation ?? 0) !== 0;

/** Throws 42804. */
export function requireCollatable(type: SqlType, at?: number): void {
	if (isCollatable(type.oid)) return;
	throw new DatabaseError(
		"42804",
		`collations are not supported by type ${formatType(type)}`,
		at === undefined ? {} : { position: at + 1 },
	);
}

/** Throws 42704, 42804, 22023, 0A000, and what `look` does. */
export function resolveTypeName(name: TypeName, look: TypeLookup): SqlType {
	const type = typeNamed(name, look);
	if (name.collation !== undefined) requireCollatable(type, name.collation.at);
	return type;
}

/** For the descriptor of what has the type. */
export const collationOf = ({ collation }: TypeName): Collated =>
	collation === undefined ? {} : { collation: collationOids[collation.name]! };

function typeNamed(name: TypeName, look: TypeLookup): SqlType {
	const parts = name.name;
	const base = parts.at(-1)!;
	const isOurs = parts.length === 1 || parts.at(-2) === "pg_catalog";
	const isAbsent = unsupportedType(base);
	const own = isOurs && !isAbsent ? typeByName(base) : undefined;
	const made = own === undefined ? look(parts, name.at) : undefined;
	if (own === undefined && made === undefined) {
		if (isOurs && isAbsent) typeByName(base);
		throw new DatabaseError("42704", `type "${parts.join(".")}" does not exist`, {
			position: name.at + 1,
		});
	}
	const { oid } = own ?? made!;
	const modifier = packModifier(oid, name.modifiers, name.at);
	if (name.dimensions === 0) return made ?? { oid, modifier };
	if (made?.domain !== undefined) {
		// The only array that there is of a type is that of one dimension.
		const array = isDomainArray(made.domain) ? made : arrayOf(made);
		if (array !== undefined) return array;
		throw new DatabaseError("0A000", "arrays of domains of arrays are not supported", {
			hint: "Use an array of more dimensions, or of a composite type.",
			position: name.at + 1,
		});
	}
	const array = typeByOid(typeByOid(oid)!.arrayOid);
	if (array === undefined) {
		throw new DatabaseError(
			"42704",
			`could not find array type for data type ${formatType(plainType(oid))}`,
			{ position: name.at + 1 },
		);
	}
	return { oid: array.oid, modifier };
}
