/**
 * What INSERT, UPDATE and DELETE write: a table, by its own name or through views. Through a view the statement's names mean
 * expressions over the rows of the table behind it (`Relation.expressions`), so that all conditions are about that table alone;
 * what the view does to it is its owner's doing, as when it is read.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { ownerOf } from "../auth/privileges.ts";
import {
	type ColumnDescriptor,
	isGenerated,
	liveColumns,
	type TableDescriptor,
	type ViewDescriptor,
} from "../catalog/descriptor.ts";
import { ViewCheck } from "../execute/view-check.ts";
import type { QualifiedName } from "../parser/ast.ts";
import type { AccessCollector, TableAction } from "./access.ts";
import { bindBoolean, type Place } from "./bind-expression.ts";
import { seenColumns, type TableItem, tableColumns, viewBinder, viewColumns } from "./bind-from.ts";
import { bindItems } from "./bind-select.ts";
import { bindDefault } from "./bind-table.ts";
import { type Binder, notUpdatable, type WriteVerb } from "./binder.ts";
import { type Bound, conjunction, conjunctsOf, constant } from "./bound.ts";
import { compile } from "./compile.ts";
import type { CompileScope } from "./compile-scope.ts";
import { Relation } from "./relation.ts";
import { Scope } from "./scope.ts";
import { storedQuery } from "./view-names.ts";
import { baseColumns, simpleSelect, whyNotUpdatable, whyNotWritable } from "./view-updates.ts";

/** WITH CHECK OPTION: what a new row has to meet so that the view shows it. */
export interface ViewCondition {
	readonly view: string;
	readonly conditions: readonly Bound[];
}

/** A view on the way from the statement to the table, or the table itself. */
interface Level {
	readonly access: AccessCollector;
	readonly of: TableDescriptor | ViewDescriptor;
	readonly relation: Relation;
	/** By column: its position in the next level, -1 where it is computed. Of a table, its own. */
	readonly sources: readonly number[];
}

export interface WriteTarget {
	readonly table: TableDescriptor;
	/** The rows that are written. */
	readonly base: Relation;
	/** Of the table or view that the statement names. */
	readonly name: string;
	/** What the names in the statement mean: of a table, `base` itself. */
	readonly relation: Relation;
	/** Its columns. */
	readonly columns: Relation["columns"];
	/** Position of each of its columns among the table's live ones; -1: it is computed. */
	readonly slots: readonly number[];
	/** What the views show at all. */
	readonly where: readonly Bound[];
	/** Inner views first. */
	readonly checks: readonly ViewCondition[];
	/** The outermost first. */
	readonly levels: readonly Level[];
}

type CheckOption = ViewDescriptor["checkOption"];

/** Throws 42P01, 42809, 42501, 55000. */
export function writeTarget(
	binder: Binder,
	name: QualifiedName,
	alias: string | undefined,
	verb: WriteVerb,
): WriteTarget {
	const item: TableItem = { kind: "table", name, alias, columnAliases: [], at: name.at };
	return bindTarget(binder, item, verb, undefined);
}

/** `around`: what the view says that reads it. */
function bindTarget(
	binder: Binder,
	item: TableItem,
	verb: WriteVerb,
	around: CheckOption,
): WriteTarget {
	const resolved = binder.resolveWritten(item.name);
	if (resolved.kind === "view") return bindView(binder, item, resolved.view, verb, around);
	const { table } = resolved;
	const relation = targetRelation(binder, item, table, tableColumns(table));
	const slots = liveColumns(table).map((_, slot) => slot);
	return {
		table,
		base: relation,
		name: table.name,
		relation,
		columns: relation.columns,
		slots,
		where: [],
		checks: [],
		levels: [{ access: binder.access, of: table, relation, sources: slots }],
	};
}

function targetRelation(
	binder: Binder,
	item: TableItem,
	of: TableDescriptor | ViewDescriptor,
	columns: Relation["columns"],
): Relation {
	const shown = item.alias ?? of.name;
	const schema = item.alias === undefined ? of.schema : undefined;
	return new Relation(shown, schema, seenColumns(binder, item, columns, shown), of);
}

function bindView(
	binder: Binder,
	item: TableItem,
	view: ViewDescriptor,
	verb: WriteVerb,
	around: CheckOption,
): WriteTarget {
	const why =
		verb === "delete from" ? whyNotUpdatable(storedQuery(view.query)) : whyNotWritable(view);
	if (why !== undefined) throw notUpdatable(view, verb, why);
	const option = around === "cascaded" ? around : view.checkOption;
	const inner = viewBinder(binder, view);
	const { from, items, where } = simpleSelect(view);
	const below = bindTarget(inner, from, verb, option);
	const scope = new Scope(undefined);
	scope.add(below.relation);
	const place: Place = { binder: inner, scope, clause: "SELECT", aggregates: false, sets: false };
	const outputs = bindItems(place, items, false);
	const conditions = where === undefined ? [] : conjunctsOf(bindBoolean(place, where, "WHERE"));
	const relation = targetRelation(binder, item, view, viewColumns(view));
	relation.expressions = outputs.map(({ bound }) => bound);
	binder.access.through(ownerOf(view), inner.access);
	const sources = baseColumns(view).map((source) =>
		below.relation.columns.findIndex(({ attnum }) => attnum === source),
	);
	return {
		...below,
		name: view.name,
		relation,
		columns: relation.columns,
		slots: sources.map((source) => below.slots[source] ?? -1),
		where: [...conditions, ...below.where],
		checks:
			option === undefined || conditions.length === 0
				? below.checks
				: [...below.checks, { view: view.name, conditions }],
		levels: [{ access: binder.access, of: view, relation, sources }, ...below.levels],
	};
}

/** `columns`: positions of those that are given, of the target. */
export function noteWrites(
	{ levels, relation: asked }: WriteTarget,
	action: TableAction,
	columns: readonly number[],
): void {
	let here = columns;
	for (const { access, of, relation, sources } of levels) {
		access.writes(
			of.oid,
			action,
			here.map((i) => relation.columns[i]!.attnum),
		);
		access.mayRead(of, relation, asked);
		here = here.map((i) => sources[i]!).filter((i) => i >= 0);
	}
}

/** Two columns of a view may be one of the table. Throws 42601. */
export function refuseRepeated({ table }: WriteTarget, slots: readonly number[]): void {
	const again = slots.find((slot, i) => slots.indexOf(slot) !== i);
	if (again === undefined) return;
	const { name } = liveColumns(table)[again]!;
	throw new DatabaseError("42601", `multiple assignments to same column "${name}"`);
}

/** `level`: where the table's rows are. */
export const compileChecks = (
	{ table, checks }: WriteTarget,
	level: CompileScope,
): readonly ViewCheck[] =>
	checks.flatMap(({ view, conditions }) => {
		const condition = conjunction(conditions);
		return condition === undefined ? [] : [new ViewCheck(table, view, compile(condition, level))];
	});

/** What DEFAULT means in UPDATE; through a view it is NULL, as in PostgreSQL: the view's column has none. */
export function bindUpdateDefault(
	binder: Binder,
	{ relation, base }: WriteTarget,
	column: ColumnDescriptor,
): Bound {
	if (relation === base) return bindDefault(binder, column);
	refuseAssigned(column);
	const { oid, modifier } = column.type;
	return constant(null, { oid, modifier });
}

/** Throws 428C9: values for such a column are not given. */
export function refuseAssigned(column: ColumnDescriptor): void {
	if (column.identity !== "always" && !isGenerated(column)) return;
	throw new DatabaseError("428C9", `column "${column.name}" can only be updated to DEFAULT`, {
		detail: isGenerated(column)
			? `Column "${column.name}" is a generated column.`
			: `Column "${column.name}" is an identity column defined as GENERATED ALWAYS.`,
	});
}

/** Where a value for a column of the target goes, among the table's live columns. Throws 0A000. */
export function writtenSlot(
	{ levels, slots }: WriteTarget,
	column: number,
	verb: Exclude<WriteVerb, "delete from">,
): number {
	let here = column;
	for (const { of, sources } of levels) {
		const next = sources[here]!;
		if (next < 0) throw computedColumn(of, here, verb);
		here = next;
	}
	return slots[column]!;
}

const computedColumn = (
	{ name, columns }: TableDescriptor | ViewDescriptor,
	column: number,
	verb: string,
): DatabaseError =>
	new DatabaseError("0A000", `cannot ${verb} column "${columns[column]!.name}" of view "${name}"`, {
		detail: "View columns that are not columns of their base relation are not updatable.",
	});
