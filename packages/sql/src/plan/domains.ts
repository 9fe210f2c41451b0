/**
 * Domains. A value of one is a value of the base type, and everything that is done with it is done as with that; the domain is a mark
 * on the static type (`SqlType.domain`) and a check where a value becomes one: at casts and defaults by a node of its own, and of
 * columns, however they are written, by the writer of the table.
 */
import { assert } from "@quorate/keys/assert";
import { DatabaseError } from "@quorate/keys/database-error";
import type { DomainDescriptor } from "../catalog/descriptor.ts";
import type { CatalogSnapshot } from "../catalog/snapshot.ts";
import { typeDescriptor } from "../catalog/type-names.ts";
import type { Env } from "../execute/env.ts";
import type { Expression } from "../parser/ast.ts";
import type { Datum, SqlType } from "../types/datum.ts";
import { typeReference } from "../types/enum-types.ts";
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

export function domainOf(catalog: CatalogSnapshot, oid: number): DomainDescriptor {
	const found = typeDescriptor(catalog, oid);
	assert(found?.of === "domain", () => `type ${oid} is a domain`);
	return found;
}

/** It, and the domains that it is made of, the outermost first. */
export function domainsOf(catalog: CatalogSnapshot, oid: number): readonly DomainDescriptor[] {
	const domain = domainOf(catalog, oid);
	const { base } = domain;
	return base.domain === undefined ? [domain] : [domain, ...domainsOf(catalog, base.domain)];
}

/** The static type of values of a type that somebody has made. */
export function typeOfMade(catalog: CatalogSnapshot, oid: number): SqlType | undefined {
	const found = typeDescriptor(catalog, oid);
	if (found?.of !== "domain") return found && { oid, modifier: -1 };
	return { ...found.base, domain: oid };
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

export function conditionsOf(binder: Binder, oid: number): DomainConditions {
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

/** A value of the base type as one of the domain. */
export function withDomain(binder: Binder, bound: Bound, type: SqlType): Bound {
	if (type.domain === undefined || bound.type.domain === type.domain) return bound;
	return domainNode(binder, bound, type);
}

export const domainNode = (binder: Binder, bound: Bound, type: SqlType): Bound => ({
	kind: "domain",
	conditions: conditionsOf(binder, type.domain!),
	type,
	args: [bound],
	at: bound.at,
});

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

/** Throws 23502, 23514. */
export function compileDomain(
	{ args, conditions }: Extract<Bound, { kind: "domain" }>,
	scope: CompileScope,
): Compiled {
	const operand = compile(args[0]!, scope);
	const checks = conditions.checks.map(({ name, condition, relation }) => ({
		name,
		condition: compile(condition, scope.inner(Layout.of(relation))),
	}));
	const { notNull } = conditions;
	if (operand.async || checks.some(({ condition }) => condition.async)) {
		return {
			async: true,
			evaluate: async (row, env) => {
				const value = await operand.evaluate(row, env);
				if (value === null && notNull) throw nullViolation(conditions);
				for (const { name, condition } of checks) {
					const holds = await condition.evaluate([value], env);
					if (holds === false) throw checkViolation(conditions, name);
				}
				return value;
			},
		};
	}
	return {
		async: false,
		evaluate: (row, env: Env): Datum => {
			const value = operand.evaluate(row, env);
			if (value === null && notNull) throw nullViolation(conditions);
			for (const { name, condition } of checks) {
				if (condition.evaluate([value], env) === false) throw checkViolation(conditions, name);
			}
			return value;
		},
	};
}
