/** Text to OID and back for regclass, regproc, regnamespace, regrole: the input and output of those types, and to_reg*. */
import { DatabaseError } from "@quorate/keys/database-error";
import { mayUseSchema } from "../auth/privileges.ts";
import { quoteIdentifier } from "../functions/quoting-functions.ts";
import { END, PUNCTUATION, QUOTED, Scanner, WORD } from "../parser/scanner.ts";
import { foldIdentifier, unquoteIdentifier } from "../parser/string-literal.ts";
import { arrayOfMade } from "../types/made-oids.ts";
import { type FunctionContext, formatType, typeByName, typeByOid } from "../types/registry.ts";
import type { CatalogSnapshot } from "./snapshot.ts";
import { findRelation, relationByOid, shortName } from "./system-names.ts";
import { type Operator, operatorByOid, operators } from "./system-operators.ts";
import { type Procedure, procedures } from "./system-types.ts";
import { findTypeOid } from "./type-names.ts";

/** a.b."C", folded as an identifier is. Throws 42602. */
export function parseName(text: string): string[] {
	const parts: string[] = [];
	const scanner = new Scanner();
	scanner.reset(text, 0);
	for (;;) {
		const kind = scanner.next();
		const token = text.slice(scanner.start, scanner.end);
		if (kind === WORD) {
			parts.push(foldIdentifier(token));
		} else if (kind === QUOTED) {
			parts.push(unquoteIdentifier(token));
		} else {
			throw new DatabaseError("42602", "invalid name syntax");
		}
		if (scanner.next() === END) {
			return parts;
		}
		if (scanner.kind !== PUNCTUATION || text.slice(scanner.start, scanner.end) !== ".") {
			throw new DatabaseError("42602", "invalid name syntax");
		}
	}
}

/** A database's name before the schema's is accepted. */
export function lookupRelation(
	catalog: CatalogSnapshot,
	context: FunctionContext,
	text: string,
): number | undefined {
	const parts = parseName(text);
	if (parts.length > 3) {
		throw new DatabaseError(
			"42601",
			`improper relation name (too many dotted names): ${parts.join(".")}`,
		);
	}
	const schema = parts.at(-2);
	if (
		schema !== undefined &&
		catalog.schemas.byName(schema) !== undefined &&
		!mayUseSchema(catalog, context.currentRole, schema)
	) {
		throw new DatabaseError("42501", `permission denied for schema ${schema}`);
	}
	return findRelation(catalog, context, schema, parts.at(-1) ?? "");
}

export function requireRelation(
	catalog: CatalogSnapshot,
	context: FunctionContext,
	text: string,
): number {
	const oid = lookupRelation(catalog, context, text);
	if (oid === undefined) {
		const name = parseName(text).join(".");
		throw new DatabaseError("42P01", `relation "${name}" does not exist`);
	}
	return oid;
}

export function relationText(
	catalog: CatalogSnapshot,
	context: FunctionContext,
	oid: number,
): string {
	const relation = relationByOid(catalog, oid);
	return relation === undefined ? String(oid) : shortName(catalog, context, relation);
}

export const lookupSchema = (catalog: CatalogSnapshot, text: string): number | undefined =>
	catalog.schemas.byName(parseName(text)[0] ?? "")?.oid;

export const schemaText = (catalog: CatalogSnapshot, oid: number): string => {
	const schema = catalog.schemas.byOid(oid);
	return schema === undefined ? String(oid) : quoteIdentifier(schema.name);
};

export const lookupRole = (catalog: CatalogSnapshot, text: string): number | undefined =>
	catalog.roles.byName(parseName(text)[0] ?? "")?.oid;

export function roleText(catalog: CatalogSnapshot, oid: number): string {
	const role = catalog.roles.byOid(oid);
	return role === undefined ? String(oid) : quoteIdentifier(role.name);
}

const named = (parts: readonly string[]): readonly Procedure[] => {
	const schema = parts.at(-2);
	return schema === undefined || schema === "pg_catalog"
		? procedures.filter(({ name }) => name === parts.at(-1))
		: [];
};

export const lookupProcedures = (text: string): readonly Procedure[] => named(parseName(text));

export function requireProcedure(text: string): number {
	const [only, another] = lookupProcedures(text);
	if (only === undefined) {
		throw new DatabaseError("42883", `function "${text}" does not exist`);
	}
	if (another !== undefined) {
		throw new DatabaseError("42725", `more than one function named "${text}"`);
	}
	return only.oid;
}

/** A type that somebody has made, or its array. */
export function lookupType(
	catalog: CatalogSnapshot,
	context: FunctionContext,
	text: string,
): number | undefined {
	const isArray = text.trimEnd().endsWith("[]");
	const parts = parseName(isArray ? text.trimEnd().slice(0, -2) : text);
	const found = findTypeOid(catalog, context.searchPath, parts.at(-2), parts.at(-1)!);
	return found !== undefined && isArray ? arrayOfMade(found) : found;
}

/** name(type, type). */
export function lookupSignature(text: string): Procedure | undefined {
	const open = text.indexOf("(");
	if (open === -1 || !text.trimEnd().endsWith(")")) {
		throw new DatabaseError("22P02", "expected a left parenthesis");
	}
	const inside = text.slice(open + 1, text.lastIndexOf(")")).trim();
	const args = inside === "" ? [] : inside.split(",").map((type) => typeByName(type.trim())?.oid);
	return named(parseName(text.slice(0, open))).find(
		(procedure) =>
			procedure.args.length === args.length && procedure.args.every((oid, i) => oid === args[i]),
	);
}

export function procedureText(oid: number): string {
	const procedure = procedures[oid - 1];
	if (procedure === undefined) {
		return String(oid);
	}
	const name = quoteIdentifier(procedure.name);
	// Qualified where the bare name would not lead back to it.
	return named([procedure.name]).length === 1 ? name : `pg_catalog.${name}`;
}

export const typeText = (oid: number): string =>
	typeByOid(oid) === undefined ? "-" : formatType({ oid, modifier: -1 });

export const argumentsText = ({ args, variadic }: Procedure): string =>
	args
		.map((oid, i) => (variadic && i === args.length - 1 ? "VARIADIC " : "") + typeText(oid))
		.join(", ");

export function signatureText(oid: number): string {
	const procedure = procedures[oid - 1];
	return procedure === undefined
		? String(oid)
		: `${quoteIdentifier(procedure.name)}(${argumentsText(procedure).replaceAll(", ", ",")})`;
}

/** name or schema.name: an operator's name is written without quotes. */
function namedOperators(text: string): readonly Operator[] {
	const [, schema, name] = /^\s*(?:(\w+)\.)?(\S+?)\s*$/.exec(text) ?? [];
	return schema === undefined || schema === "pg_catalog"
		? operators.filter((operator) => operator.name === name)
		: [];
}

export function requireOperator(text: string): number {
	const [only, another] = namedOperators(text);
	if (only === undefined) throw new DatabaseError("42883", `operator does not exist: ${text}`);
	if (another === undefined) return only.oid;
	throw new DatabaseError("42725", `more than one operator named ${text}`);
}

export function operatorText(oid: number): string {
	const operator = operatorByOid(oid);
	if (operator === undefined) return String(oid);
	// Qualified where the bare name would not lead back to it.
	return namedOperators(operator.name).length === 1 ? operator.name : `pg_catalog.${operator.name}`;
}

/** name(type,type); NONE: there is no such operand. Throws 22P02, 42883. */
export function requireOperatorSignature(text: string): number {
	const match = /^(.*)\(([^,()]*(?:\([^()]*\))?),([^,()]*(?:\([^()]*\))?)\)\s*$/s.exec(text);
	if (match === null) throw new DatabaseError("22P02", "expected a left parenthesis");
	const [, name = "", ...types] = match;
	const [left, right] = types.map((type) =>
		type.trim().toLowerCase() === "none" ? 0 : typeByName(type.trim())?.oid,
	);
	const found = namedOperators(name).find((one) => one.left === left && one.right === right);
	if (found === undefined) throw new DatabaseError("42883", `operator does not exist: ${text}`);
	return found.oid;
}

export function operatorSignatureText(oid: number): string {
	const operator = operatorByOid(oid);
	if (operator === undefined) return String(oid);
	const operand = (type: number): string => (type === 0 ? "NONE" : typeText(type));
	return `${operator.name}(${operand(operator.left)},${operand(operator.right)})`;
}
