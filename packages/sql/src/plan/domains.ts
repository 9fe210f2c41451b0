/**
 * Domains. A value of one is a value of the base type, and everything that is done with it is done as with that; the domain is a mark
 * on the static type (`SqlType.domain`) and a check where a value becomes one: at casts and defaults by a node of its own, and of
 * columns, however they are written, by the writer of the table. An array of a domain is likewise one of the base type's with a mark, and
 * of what has elements or fields that are of domains these are checked.
 */
import { assert } from "@quorate/keys/assert";
import { DatabaseError } from "@quorate/keys/database-error";
import type { DomainDescriptor } from "../catalog/descriptor.ts";
import { relationOfType, rowFieldsIn } from "../catalog/row-fields.ts";
import type { CatalogSnapshot } from "../catalog/snapshot.ts";
import { typeDescriptor } from "../catalog/type-names.ts";
import type { Env } from "../execute/env.ts";
import type { Expression } from "../parser/ast.ts";
import { flatten } from "../types/array-values.ts";
import type { ArrayValue, Datum, RowValue, SqlType } from "../types/datum.ts";
import { typeReference } from "../types/enum-types.ts";
import {
	arrayOfMade,
	elementOfMade,
	isDomainArray,
	isRow,
	isRowType,
	namedOid,
} from "../types/made-oids.ts";
import { typeByOid } from "../types/registry.ts";
import { bindBoolean } from "./bind-expression.ts";
import { storedExpression } from "./bind-table.ts";
import type { Binder } from "./binder.ts";
import type { Bound } from "./bound.ts";
import { type Compiled, compile } from "./compile.ts";
import type { CompileScope } from "./compile-scope.ts";
import { Layout, Relation } from "./relation.ts";
import { Scope } from "./scope.ts";

/** What a value of a domain has to satisfy, that of the domains which it is made of included. */
export interface DomainConditions {
	/** As messages call the domain: of several the outermost. */
	readonly shown: { readonly oid: number; readonly schema: string; readonly name: string };
	readonly notNull: boolean;
	/** Those of the innermost domain first. */
	readonly checks: readonly {
		readonly name: string;
		readonly condition: Bound;
		/** Its only column is VALUE. */
		readonly relation: Relation;
	}[];
}

/** What a value has to satisfy: its parts by themselves, and as a whole. */
export interface ValueConditions {
	readonly domain?: DomainConditions;
	/** Each element of an array. */
	readonly elements?: ValueConditions;
	/** By field of a row. */
	readonly fields?: readonly (ValueConditions | undefined)[];
}

export function domainOf(catalog: CatalogSnapshot, oid: number): DomainDescriptor {
	const found = typeDescriptor(catalog, oid);
	assert(found?.of === "domain", () => `type ${oid} is a domain`);
	return found;
}

/** It, and the domains that it is made of, the outermost first. */
export function domainsOf(catalog: CatalogSnapshot, oid: number): readonly DomainDescriptor[] {
	const domain = domainOf(catalog, oid);
	const { base } = domain;
	const isLast = base.domain === undefined || isDomainArray(base.domain);
	return isLast ? [domain] : [domain, ...domainsOf(catalog, base.domain!)];
}

/** The static type of values of a type that somebody has made, or of its array. */
export function typeOfMade(catalog: CatalogSnapshot, oid: number): SqlType | undefined {
	if (isRowType(oid)) return relationOfType(catalog, oid) && { oid, modifier: -1 };
	if (isDomainArray(oid)) return arrayOf(typeOfMade(catalog, elementOfMade(oid)));
	const found = typeDescriptor(catalog, oid);
	if (found?.of !== "domain") return found && { oid, modifier: -1 };
	return { ...found.base, domain: oid };
}

/** Values of a domain's array are those of its base type's. Undefined: there is no such array. */
export function arrayOf(element: SqlType | undefined): SqlType | undefined {
	if (element === undefined) return undefined;
	const { oid, modifier, domain } = element;
	const array = typeByOid(oid)?.arrayOid ?? 0;
	if (array === 0) return undefined;
	return { oid: array, modifier, ...(domain === undefined ? {} : { domain: arrayOfMade(domain) }) };
}

/** The other way round. */
export function elementOf(catalog: CatalogSnapshot, { oid, domain }: SqlType): SqlType {
	const made = domain !== undefined && isDomainArray(domain) ? elementOfMade(domain) : undefined;
	const element = made === undefined ? undefined : typeOfMade(catalog, made);
	return element ?? { oid: typeByOid(oid)?.elementOid ?? 0, modifier: -1 };
}

/** The condition of a CHECK of a domain. Throws what binding it throws. */
export function bindDomainCheck(
	binder: Binder,
	base: SqlType,
	expression: Expression,
): { readonly condition: Bound; readonly relation: Relation } {
	const column = { name: "value", type: base, tableOid: 0, attnum: 0 };
	const relation = new Relation("", undefined, [column]);
	const scope = new Scope(undefined);
	scope.add(relation);
	const place = { binder, scope, clause: "check constraints", aggregates: false, sets: false };
	return { relation, condition: bindBoolean(place, expression, "CHECK") };
}

function conditionsOf(binder: Binder, oid: number): DomainConditions {
	const domains = domainsOf(binder.environment.catalog, oid);
	const checks = [...domains].reverse().flatMap(({ base, checks: own }) =>
		[...own]
			.sort((a, b) => (a.name < b.name ? -1 : 1))
			.map(({ name, text }) => ({
				name,
				...bindDomainCheck(binder, base, storedExpression(text)),
			})),
	);
	return { shown: domains[0]!, notNull: domains.some(({ notNull }) => notNull), checks };
}

/** What a value of the type has to satisfy. Undefined: nothing. */
export function conditionsFor(binder: Binder, type: SqlType): ValueConditions | undefined {
	const { catalog } = binder.environment;
	const { domain } = type;
	if (domain === undefined || isDomainArray(domain)) return partsFor(binder, type);
	const innermost = domainsOf(catalog, domain).at(-1)!;
	const parts = conditionsFor(binder, innermost.base);
	return { ...parts, domain: conditionsOf(binder, domain) };
}

/** Of its elements or fields. */
function partsFor(binder: Binder, type: SqlType): ValueConditions | undefined {
	const { catalog } = binder.environment;
	if (type.domain !== undefined || isRow(elementOfMade(type.oid))) {
		const elements = conditionsFor(binder, elementOf(catalog, type));
		return elements && { elements };
	}
	if (!isRow(type.oid)) return undefined;
	const fields = rowFieldsIn(catalog, type.oid).map((field) => conditionsFor(binder, field.type));
	return fields.every((one) => one === undefined) ? undefined : { fields };
}

/** A value of the base type as one of the domain, or of a type that has parts of domains. */
export function withDomain(binder: Binder, bound: Bound, type: SqlType): Bound {
	if (type.domain === undefined && !isRow(namedOid(type.oid))) return bound;
	const isOfType = bound.type.oid === type.oid && bound.type.domain === type.domain;
	if (isOfType && bound.kind !== "argument" && bound.kind !== "constant") return bound;
	return checked(binder, bound, type);
}

/** Whatever the value says of itself. */
export function checked(binder: Binder, bound: Bound, type: SqlType): Bound {
	const conditions = conditionsFor(binder, type);
	if (conditions === undefined) {
		return type.domain === undefined
			? bound
			: { kind: "relabel", type, args: [bound], at: bound.at };
	}
	return { kind: "domain", conditions, type, args: [bound], at: bound.at };
}

const fieldsOf = ({ shown }: DomainConditions) => ({ schema: shown.schema, dataType: shown.name });

const nullViolation = (conditions: DomainConditions): DatabaseError =>
	new DatabaseError(
		"23502",
		`domain ${typeReference(conditions.shown.oid)} does not allow null values`,
		fieldsOf(conditions),
	);

const checkViolation = (conditions: DomainConditions, name: string): DatabaseError =>
	new DatabaseError(
		"23514",
		`value for domain ${typeReference(conditions.shown.oid)} violates check constraint "${name}"`,
		{ ...fieldsOf(conditions), constraint: name },
	);

type Check =
	| { readonly async: false; readonly check: (value: Datum, env: Env) => void }
	| { readonly async: true; readonly check: (value: Datum, env: Env) => Promise<void> };

/** Throws 23502, 23514. */
export function compileDomain(
	{ args, conditions }: Extract<Bound, { kind: "domain" }>,
	scope: CompileScope,
): Compiled {
	const operand = compile(args[0]!, scope);
	const { domain, ...parts } = conditions;
	const checks = [
		...compileConditions(parts, scope).map((one) => placed(one, args[0]!)),
		...compileConditions(domain === undefined ? {} : { domain }, scope),
	];
	if (operand.async || checks.some((one) => one.async)) {
		return {
			async: true,
			evaluate: async (row, env) => {
				const value = await operand.evaluate(row, env);
				for (const { check } of checks) await check(value, env);
				return value;
			},
		};
	}
	return {
		async: false,
		evaluate: (row, env: Env): Datum => {
			const value = operand.evaluate(row, env);
			for (const { check } of checks) void check(value, env);
			return value;
		},
	};
}

/** What is wrong with a part of a literal is so where that stands. */
function placed(one: Check, operand: Bound): Check {
	const isLiteral = operand.kind === "constant" || operand.kind === "argument";
	const source = operand.kind === "cast" ? operand.args[0]!.kind : undefined;
	if (operand.at < 0 || !(isLiteral || source === "constant" || source === "argument")) return one;
	if (operand.kind === "argument" && operand.argument.source === "parameter") return one;
	const at = (error: unknown): unknown =>
		error instanceof DatabaseError
			? new DatabaseError(error.code, error.message, { ...error.fields, position: operand.at + 1 })
			: error;
	if (one.async) {
		const check = (value: Datum, env: Env): Promise<void> =>
			one.check(value, env).catch((error: unknown) => {
				throw at(error);
			});
		return { async: true, check };
	}
	const check = (value: Datum, env: Env): void => {
		try {
			one.check(value, env);
		} catch (error) {
			throw at(error);
		}
	};
	return { async: false, check };
}

/** What a value is made of first. */
function compileConditions(
	{ domain, elements, fields }: ValueConditions,
	scope: CompileScope,
): readonly Check[] {
	const checks: Check[] = [];
	if (elements !== undefined) {
		checks.push(ofParts(compileConditions(elements, scope).map((check) => [undefined, check])));
	}
	if (fields !== undefined) {
		const all = fields.flatMap((field, i) =>
			field === undefined
				? []
				: compileConditions(field, scope).map((check) => [i, check] as const),
		);
		checks.push(ofParts(all));
	}
	if (domain === undefined) return checks;
	if (domain.notNull) {
		const check = (value: Datum): void => {
			if (value === null) throw nullViolation(domain);
		};
		checks.push({ async: false, check });
	}
	for (const { name, condition, relation } of domain.checks) {
		const compiled = compile(condition, scope.inner(Layout.of(relation)));
		const require = (holds: Datum): void => {
			if (holds === false) throw checkViolation(domain, name);
		};
		checks.push(
			compiled.async
				? {
						async: true,
						check: async (value, env) => require(await compiled.evaluate([value], env)),
					}
				: { async: false, check: (value, env) => require(compiled.evaluate([value], env)) },
		);
	}
	return checks;
}

/** Of the field with that index, or of all elements. */
function ofParts(all: readonly (readonly [number | undefined, Check])[]): Check {
	const partsOf = (value: Datum, index: number | undefined): readonly Datum[] => {
		if (value === null) return [];
		return index === undefined
			? flatten(value as ArrayValue)
			: [(value as RowValue).fields[index] ?? null];
	};
	if (all.some(([, one]) => one.async)) {
		return {
			async: true,
			check: async (value, env) => {
				for (const [index, { check }] of all) {
					for (const part of partsOf(value, index)) await check(part, env);
				}
			},
		};
	}
	return {
		async: false,
		check: (value, env) => {
			for (const [index, { check }] of all) {
				for (const part of partsOf(value, index)) void check(part, env);
			}
		},
	};
}
