/** What has to do with a composite type: types that are made of it, tables and domains with values of it, expressions and views. */
import { DatabaseError } from "@quorate/keys/database-error";
import {
	type ColumnDescriptor,
	liveAttributes,
	liveColumns,
	type RelationDescriptor,
	storedTexts,
	type TableDescriptor,
} from "../catalog/descriptor.ts";
import type { CatalogSnapshot } from "../catalog/snapshot.ts";
import { requireSameTypes, viewQuery } from "../plan/bind-from.ts";
import { bindCheck, bindGenerated, storedExpression, tableRelation } from "../plan/bind-table.ts";
import { Binder } from "../plan/binder.ts";
import type { Bound } from "../plan/bound.ts";
import { bindDomainCheck } from "../plan/domains.ts";
import type { SqlType } from "../types/datum.ts";
import { typesNamedIn } from "../types/enum-types.ts";
import { isDomainArray, namedOid } from "../types/made-oids.ts";
import type { Droppable } from "./dependencies.ts";
import { shownName } from "./describe.ts";
import type { SchemaEditor } from "./schema-editor.ts";

/** It, and all types that are made of it. */
export function typesWith(catalog: CatalogSnapshot, oid: number): ReadonlySet<number> {
	const found = new Set([oid]);
	const isIn = ({ oid: of, domain }: SqlType): boolean => found.has(namedOid(domain ?? of));
	for (let before = 0; before !== found.size; ) {
		before = found.size;
		for (const type of catalog.types()) {
			const isMade =
				type.of === "composite"
					? liveAttributes(type).some((one) => isIn(one.type))
					: type.of === "domain" && (isIn(type.base) || found.has(namedOid(type.base.oid)));
			if (isMade) found.add(type.oid);
		}
	}
	return found;
}

/** A column whose values are made of those of a domain, and not such values themselves. */
export function partUser(catalog: CatalogSnapshot, domain: number): string | undefined {
	const types = typesWith(catalog, domain);
	const isIn = ({ oid, domain: own }: SqlType): boolean =>
		types.has(namedOid(oid)) ||
		(own !== undefined && isDomainArray(own) && types.has(namedOid(own)));
	for (const relation of catalog.relations()) {
		const column =
			relation.kind === "table" && liveColumns(relation).find(({ type }) => isIn(type));
		if (column) return `${relation.name}.${column.name}`;
	}
	return undefined;
}

export interface User {
	readonly relation: RelationDescriptor;
	/** That is of the type. */
	readonly column?: string;
	/** Expressions that may name an attribute. */
	readonly texts: readonly string[];
	/** Whether it has an expression that tells which attributes there are, all of them, without naming each. */
	readonly isWhole: boolean;
}

/** `(c).*`, and functions in FROM whose columns are the fields of rows. */
const spreads = /\)\s*\.\s*\*|\bunnest\b|_populate_record/i;

/** Tables, views and domains that have to do with the type; those with columns of it first. */
export function usersOf(catalog: CatalogSnapshot, oid: number): readonly User[] {
	const types = typesWith(catalog, oid);
	const isIn = ({ oid: of, domain }: SqlType): boolean =>
		types.has(namedOid(domain ?? of)) || types.has(namedOid(of));
	const names = (texts: readonly string[]): boolean =>
		texts.flatMap(typesNamedIn).some((one) => types.has(namedOid(one)));
	const users = new Map<number, User>();
	for (const relation of catalog.relations()) {
		if (relation.kind === "table") {
			const columns = liveColumns(relation).filter(({ type }) => isIn(type));
			const column = columns[0]?.name;
			const texts = storedTexts(relation);
			const isWhole = names(texts) || columns.some(({ defaultText }) => defaultText !== undefined);
			if (column !== undefined) users.set(relation.oid, { relation, column, texts, isWhole });
			else if (isWhole) users.set(relation.oid, { relation, texts, isWhole });
		}
		if (relation.kind === "type" && relation.of === "domain") {
			const texts = [relation.defaultText ?? "", ...relation.checks.map(({ text }) => text)];
			const isOf = types.has(relation.oid);
			const isWhole = names(texts) || (isOf && relation.defaultText !== undefined);
			if (isOf || isWhole) users.set(relation.oid, { relation, texts, isWhole });
		}
	}
	// Views on views have higher numbers than those.
	for (const relation of catalog.relations()) {
		if (relation.kind !== "view") continue;
		const reads = relation.references.some((one) => users.has(one.oid));
		const isNamed = relation.types?.some((one) => types.has(namedOid(one.oid))) === true;
		const isColumn = relation.columns.some(({ type }) => isIn(type));
		if (!reads && !isNamed && !isColumn) continue;
		const isWhole = isNamed || spreads.test(relation.query);
		users.set(relation.oid, { relation, texts: [relation.query], isWhole });
	}
	return [...users.values()].sort(
		(a, b) => Number(b.column !== undefined) - Number(a.column !== undefined),
	);
}

/** What of it cannot be read any more, or not as what it was. Throws 0A000 where nothing but that can be dropped. */
export function brokenParts(editor: SchemaEditor, { relation }: User): readonly Droppable[] {
	const { state, catalog } = editor;
	const { virtualTable } = state.services;
	const { context } = state;
	const environment = { catalog, virtualTable, searchPath: context.searchPath, context };
	const binder = new Binder(environment, [], []);
	switch (relation.kind) {
		case "table":
			return [
				...relation.checks
					.filter((check) => fails(() => bindCheck(binder, relation, storedExpression(check.text))))
					.map((check): Droppable => ({ kind: "check", table: relation, check })),
				...liveColumns(relation)
					.filter(
						(column) =>
							column.generatedText !== undefined &&
							fails(() => generatedOf(binder, relation, column)),
					)
					.map((column): Droppable => ({ kind: "typed-column", table: relation, column })),
			];
		case "view":
			return fails(() => requireSameTypes(relation, viewQuery(binder, relation).columns))
				? [{ kind: "relation", relation }]
				: [];
		case "type": {
			if (relation.of !== "domain") return [];
			const { base, checks } = relation;
			for (const { text } of checks) {
				if (!fails(() => bindDomainCheck(binder, base, storedExpression(text)))) continue;
				throw new DatabaseError(
					"0A000",
					`dropping an attribute that a constraint of domain ${shownName(editor, relation)} names is not supported`,
					{ hint: "Drop the constraint first." },
				);
			}
			return [];
		}
		default:
			return [];
	}
}

const generatedOf = (binder: Binder, table: TableDescriptor, column: ColumnDescriptor): Bound =>
	bindGenerated(
		binder,
		column,
		tableRelation(table, undefined),
		storedExpression(column.generatedText!),
	);

function fails(bind: () => unknown): boolean {
	try {
		bind();
		return false;
	} catch (error) {
		if (error instanceof DatabaseError) return true;
		throw error;
	}
}
