/**
 * Names of the types that somebody has made: from a name to the type, and back. Texts that are kept or thrown name such a type by its
 * number (`typeReference`), so that they hold whatever it is called later; here names are put in, before a client sees them.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { quoteIdentifier } from "../functions/quoting-functions.ts";
import { isMadeArray, namedOid, rowTypeOid } from "../types/made-oids.ts";
import { isBuiltinName } from "../types/type-table.ts";
import type { TypeDescriptor } from "./descriptor.ts";
import { relationOfType } from "./row-fields.ts";
import type { CatalogSnapshot } from "./snapshot.ts";

/** pg_catalog, which comes first, is the caller's business. */
export function findType(
	catalog: CatalogSnapshot,
	searchPath: readonly string[],
	schema: string | undefined,
	name: string,
): TypeDescriptor | undefined {
	for (const one of schema === undefined ? searchPath : [schema]) {
		const found = catalog.type(one, name);
		if (found !== undefined) return found;
	}
	return undefined;
}

/** The number of a type that has such a name: a relation's is that of the type of its rows. */
export function findTypeOid(
	catalog: CatalogSnapshot,
	searchPath: readonly string[],
	schema: string | undefined,
	name: string,
): number | undefined {
	for (const one of schema === undefined ? searchPath : [schema]) {
		const found = catalog.type(one, name);
		if (found !== undefined) return found.oid;
		const object = catalog.object(one, name);
		if (object?.kind === "table") return rowTypeOid(object.table.oid);
		if (object?.kind === "view") return rowTypeOid(object.view.oid);
	}
	return undefined;
}

export function typeDescriptor(catalog: CatalogSnapshot, oid: number): TypeDescriptor | undefined {
	const found = catalog.relation(oid);
	return found?.kind === "type" ? found : undefined;
}

/** Without its schema it would be found. */
export const isTypeVisible = (
	catalog: CatalogSnapshot,
	searchPath: readonly string[],
	type: TypeDescriptor,
): boolean => isNameVisible(catalog, searchPath, type.name, type.oid);

const isNameVisible = (
	catalog: CatalogSnapshot,
	searchPath: readonly string[],
	name: string,
	oid: number,
): boolean => !isBuiltinName(name) && findTypeOid(catalog, searchPath, undefined, name) === oid;

/** As format_type shows it. Undefined: nobody has made it. */
export function typeName(
	catalog: CatalogSnapshot,
	searchPath: readonly string[],
	oid: number,
): string | undefined {
	const named = namedOid(oid);
	const type = typeDescriptor(catalog, named) ?? relationOfType(catalog, named);
	if (type === undefined) return undefined;
	const name = quoteIdentifier(type.name);
	const whole = isNameVisible(catalog, searchPath, type.name, named)
		? name
		: `${quoteIdentifier(type.schema)}.${name}`;
	return isMadeArray(oid) ? `${whole}[]` : whole;
}

/** A text that a client sees. */
export function withTypeNames(
	catalog: CatalogSnapshot,
	searchPath: readonly string[],
	text: string,
): string {
	if (!text.includes('"type:')) return text;
	return text.replace(
		/"type:(\d+)"/g,
		(whole, oid) => typeName(catalog, searchPath, Number(oid)) ?? whole,
	);
}

export function namedError(
	catalog: CatalogSnapshot,
	searchPath: readonly string[],
	error: DatabaseError,
): DatabaseError {
	const { detail, hint } = error.fields;
	const texts = [error.message, detail, hint];
	if (!texts.some((text) => text?.includes('"type:'))) return error;
	const [message = "", ...rest] = texts.map(
		(text) => text && withTypeNames(catalog, searchPath, text),
	);
	return new DatabaseError(error.code, message, {
		...error.fields,
		...(detail === undefined ? {} : { detail: rest[0]! }),
		...(hint === undefined ? {} : { hint: rest[1]! }),
	});
}
