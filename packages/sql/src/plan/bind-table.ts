/** What INSERT, UPDATE, DELETE and COPY share about their target: names of columns, defaults, checks, RETURNING. */
import { assert } from "@quorate/keys/assert";
import { DatabaseError } from "@quorate/keys/database-error";
import {
	type CheckDescriptor,
	type ColumnDescriptor,
	columnByAttnum,
	type ForeignKeyDescriptor,
	liveColumns,
	type TableDescriptor,
} from "../catalog/descriptor.ts";
import type { CatalogSnapshot } from "../catalog/snapshot.ts";
import { Reference, type TableReferences } from "../execute/references/reference.ts";
import { tableCodec } from "../execute/table-codec.ts";
import {
	type CheckConstraint,
	type GeneratedColumn,
	TableWriter,
} from "../execute/table-writer.ts";
import type { Expression, SelectItem } from "../parser/ast.ts";
import { parseExpression } from "../parser/parse.ts";
import type { ResultColumn } from "../session/types.ts";
import type { SqlType } from "../types/datum.ts";
import { isDomainArray } from "../types/made-oids.ts";
import { bindBoolean, bindExpression, type Place } from "./bind-expression.ts";
import { tableColumns } from "./bind-from.ts";
import { bindItems } from "./bind-select.ts";
import type { Binder } from "./binder.ts";
import { type Bound, columnOf, constant } from "./bound.ts";
import { coerce } from "./coerce.ts";
import { type Compiled, compile } from "./compile.ts";
import type { CompileScope } from "./compile-scope.ts";
import { checked, domainOf, withDomain } from "./domains.ts";
import { isPure } from "./immutable.ts";
import { Layout, Relation } from "./relation.ts";
import { rowConversion } from "./row-conversion.ts";
import { Scope } from "./scope.ts";

/** A table or view, with the columns that it has now. */
interface Named {
	readonly name: string;
	readonly columns: readonly { readonly name: string }[];
}

/** `isPart`: of several parts of a column that may each be named. Positions of named columns; all of them if none are named. `at`: where each name stands. Throws 42703, 42701. */
export function targetSlots(
	target: Named,
	names: readonly string[],
	at: readonly number[],
	isPart: (i: number) => boolean = () => false,
): readonly number[] {
	if (names.length === 0) return target.columns.map((_, i) => i);
	return names.map((name, i) => {
		const slot = columnSlot(target, name, at[i] ?? -1);
		const before = names.findIndex((other, j) => other === name && !(isPart(i) && isPart(j)));
		if (before < 0 || before >= i) return slot;
		throw new DatabaseError(
			"42701",
			`column "${name}" specified more than once`,
			at[i] === undefined ? {} : { position: at[i] + 1 },
		);
	});
}

export function columnSlot(target: Named, name: string, at: number): number {
	const slot = target.columns.findIndex((column) => column.name === name);
	if (slot < 0) {
		throw new DatabaseError(
			"42703",
			`column "${name}" of relation "${target.name}" does not exist`,
			at >= 0 ? { position: at + 1 } : {},
		);
	}
	return slot;
}

const parsed = new Map<string, Expression>();
const parsedMax = 1000;

/** An expression that the catalog keeps as text. */
export function storedExpression(text: string): Expression {
	let expression = parsed.get(text);
	if (expression === undefined) {
		expression = parseExpression(text);
		if (parsed.size >= parsedMax) parsed.clear();
		parsed.set(text, expression);
	}
	return expression;
}

/** The default of a column, cast to its type; NULL where it has none. */
export function bindDefault(binder: Binder, column: ColumnDescriptor): Bound {
	const { type } = column;
	const text = column.defaultText ?? domainDefault(binder, type);
	if (text === undefined && type.domain === undefined) return constant(null, type);
	const place: Place = {
		binder,
		scope: new Scope(undefined),
		clause: "DEFAULT expressions",
		aggregates: false,
		sets: false,
	};
	const bound =
		text === undefined
			? constant(null, { oid: type.oid, modifier: type.modifier })
			: bindExpression(place, storedExpression(text));
	return withDomain(binder, coerce(binder, bound, type, "assignment", column.name), type);
}

const domainDefault = (binder: Binder, { domain }: SqlType): string | undefined =>
	domain === undefined || isDomainArray(domain)
		? undefined
		: domainOf(binder.environment.catalog, domain).defaultText;

/** What the columns of domains have to satisfy: each throws. */
function compileDomains(
	binder: Binder,
	table: TableDescriptor,
	parent: CompileScope,
): readonly Compiled[] {
	return liveColumns(table).flatMap(({ type }, slot) => {
		const relation = tableRelation(table, undefined);
		const bound = checked(binder, columnOf(relation, slot), type);
		if (bound.kind !== "domain") return [];
		return [compile(bound, parent.inner(Layout.of(relation)))];
	});
}

/** A row of the table's live columns, by the table's own name. */
export function tableRelation(table: TableDescriptor, alias: string | undefined): Relation {
	return new Relation(
		alias ?? table.name,
		alias === undefined ? table.schema : undefined,
		tableColumns(table),
		table,
	);
}

export function compileChecks(
	binder: Binder,
	table: TableDescriptor,
	parent: CompileScope,
): readonly CheckConstraint[] {
	return table.checks.map((check) => compileCheck(binder, table, check, parent));
}

/** COPY ... WHERE: over a row of the table. */
export function compileCopyCondition(
	binder: Binder,
	table: TableDescriptor,
	condition: Expression,
	parent: CompileScope,
): Compiled {
	const relation = tableRelation(table, undefined);
	const scope = new Scope(undefined);
	scope.add(relation);
	binder.access.mayRead(table, relation, relation);
	const bound = bindBoolean(
		{ binder, scope, clause: "COPY FROM WHERE conditions", aggregates: false, sets: false },
		condition,
		"WHERE",
	);
	return compile(bound, parent.inner(Layout.of(relation)));
}

export function bindCheck(
	binder: Binder,
	table: TableDescriptor,
	condition: Expression,
): { readonly relation: Relation; readonly bound: Bound } {
	const relation = tableRelation(table, undefined);
	const scope = new Scope(undefined);
	scope.add(relation);
	const bound = bindBoolean(
		{ binder, scope, clause: "check constraints", aggregates: false, sets: false },
		condition,
		"CHECK",
	);
	return { relation, bound };
}

export function compileCheck(
	binder: Binder,
	table: TableDescriptor,
	check: CheckDescriptor,
	parent: CompileScope,
): CheckConstraint {
	const { relation, bound } = bindCheck(binder, table, storedExpression(check.text));
	return {
		name: check.name,
		condition: compile(bound, parent.inner(Layout.of(relation))),
		isPure: isPure(bound),
	};
}

/** The expression of a generated column, assigned to its type. `relation`: the table's row. */
export function bindGenerated(
	binder: Binder,
	column: ColumnDescriptor,
	relation: Relation,
	expression: Expression,
): Bound {
	const bound = bindGeneration(binder, relation, expression);
	return coerce(binder, bound, column.type, "assignment", column.name);
}

/** Of the type that it has by itself. */
export function bindGeneration(binder: Binder, relation: Relation, expression: Expression): Bound {
	const scope = new Scope(undefined);
	scope.add(relation);
	const clause = "column generation expressions";
	const place: Place = { binder, scope, clause, aggregates: false, sets: false };
	return bindExpression(place, expression);
}

export function compileGenerated(
	binder: Binder,
	table: TableDescriptor,
	parent: CompileScope,
): readonly GeneratedColumn[] {
	return liveColumns(table).flatMap((column, slot) => {
		const { generatedText } = column;
		if (generatedText === undefined) return [];
		const relation = tableRelation(table, undefined);
		const bound = bindGenerated(binder, column, relation, storedExpression(generatedText));
		return [{ slot, value: compile(bound, parent.inner(Layout.of(relation))) }];
	});
}

/** `made`: writers of this plan, by table; foreign keys may refer in circles. */
export function tableWriter(
	binder: Binder,
	table: TableDescriptor,
	parent: CompileScope,
	made = new Map<number, TableWriter>(),
): TableWriter {
	const known = made.get(table.oid);
	if (known !== undefined) return known;
	const writer = new TableWriter(
		tableCodec(table),
		compileChecks(binder, table, parent),
		compileGenerated(binder, table, parent),
		compileDomains(binder, table, parent),
		rowConversion(binder, table, parent),
	);
	made.set(table.oid, writer);
	writer.references = tableReferences(binder, table, parent, made);
	return writer;
}

const changesRows = ({ onDelete, onUpdate }: ForeignKeyDescriptor): boolean =>
	[onDelete, onUpdate].some((action) => action !== "no action" && action !== "restrict");

/** Undefined: it has none. */
function tableReferences(
	binder: Binder,
	table: TableDescriptor,
	parent: CompileScope,
	made: Map<number, TableWriter>,
): TableReferences | undefined {
	const { catalog } = binder.environment;
	const referring = catalog.referrersOf(table.oid);
	if (table.foreignKeys.length === 0 && referring.length === 0) return undefined;
	const own = table.foreignKeys.map(
		(key) => new Reference(key, table, referencedTable(catalog, key)),
	);
	const referrers = referring.map(({ table: child, key }) => {
		const reference = new Reference(key, child, table);
		if (changesRows(key)) {
			reference.action = {
				writer: tableWriter(binder, child, parent, made),
				defaults: key.columns.map((attnum) =>
					compile(bindDefault(binder, columnByAttnum(child, attnum)), parent),
				),
			};
		}
		return reference;
	});
	return { own, referrers };
}

export function referencedTable(
	catalog: CatalogSnapshot,
	key: ForeignKeyDescriptor,
): TableDescriptor {
	const found = catalog.relation(key.referencedTable);
	assert(found?.kind === "table", () => `foreign key ${key.oid} refers to a table`);
	return found;
}

export interface Returning {
	readonly columns: readonly ResultColumn[];
	readonly bounds: readonly Bound[];
}

export function bindReturning(
	binder: Binder,
	items: readonly SelectItem[],
	scope: Scope,
): Returning | undefined {
	if (items.length === 0) return undefined;
	const outputs = bindItems(
		{ binder, scope, clause: "RETURNING", aggregates: false, sets: false },
		items,
		false,
	);
	return {
		bounds: outputs.map((output) => output.bound),
		columns: outputs.map(({ name, bound }): ResultColumn => {
			const source = bound.kind === "column" ? bound.relation.columns[bound.column] : undefined;
			return {
				name,
				type: bound.type,
				tableOid: source?.tableOid ?? 0,
				attribute: source?.attnum ?? 0,
			};
		}),
	};
}

export const compileAll = (bounds: readonly Bound[], scope: CompileScope): readonly Compiled[] =>
	bounds.map((bound) => compile(bound, scope));
