/** INSERT: where the rows come from, what fills the columns that are not named, ON CONFLICT. */
import { assert } from "@quorate/keys/assert";
import { DatabaseError } from "@quorate/keys/database-error";
import { isGenerated, liveColumns, type TableDescriptor } from "../catalog/descriptor.ts";
import type { Env } from "../execute/env.ts";
import { bulkRows, Insert, type RowSource } from "../execute/operators/insert.ts";
import { sortMemory } from "../execute/operators/sort.ts";
import type { Part, Query, Statement } from "../parser/ast.ts";
import type { Datum } from "../types/datum.ts";
import { argumentReader } from "./arguments.ts";
import { bindPart, bindPartOf, noContainer } from "./bind-assigned.ts";
import { bindExpression, type Place } from "./bind-expression.ts";
import { bindQuery, typeParameter } from "./bind-query.ts";
import { bindDefault, bindReturning, compileAll, tableWriter, targetSlots } from "./bind-table.ts";
import { bindWith } from "./bind-with.ts";
import type { Binder } from "./binder.ts";
import { type Bound, columnOf, hasSubquery } from "./bound.ts";
import { coerce } from "./coerce.ts";
import { type Compiled, compile, evaluateAll, syncOnly } from "./compile.ts";
import type { CompileScope } from "./compile-scope.ts";
import type { LogicalQuery } from "./logical.ts";
import { type CellReader, cellReader } from "./more-rows.ts";
import { planConflict } from "./plan-conflict.ts";
import type { Planner } from "./plan-query.ts";
import { readsTable } from "./reads-table.ts";
import { Layout, Relation } from "./relation.ts";
import { Scope } from "./scope.ts";
import type { StatementPlan } from "./statement-plan.ts";
import { withFrame } from "./with-frame.ts";
import {
	compileChecks,
	noteWrites,
	refuseRepeated,
	type WriteTarget,
	writeTarget,
	writtenSlot,
} from "./write-target.ts";

type InsertStatement = Extract<Statement, { kind: "insert" }>;

/** Reads nothing but the source while rows are completed. */
interface Columns {
	readonly table: TableDescriptor;
	readonly target: WriteTarget;
	/** Positions, among the target's columns, of the source's columns. */
	readonly named: readonly number[];
	/** The same among the table's live columns; -1: `requireWritten` refuses it. */
	readonly slots: readonly number[];
	/** By position: the default, compiled. */
	readonly defaults: readonly Compiled[];
	readonly overriding: InsertStatement["overriding"];
	readonly path: InsertStatement["path"];
	readonly columnsAt: InsertStatement["columnsAt"];
}

/** What is given of the source's column; none: all of it. */
const partsOf = (
	{ path }: { readonly path?: InsertStatement["path"] | undefined },
	i: number,
): readonly Part[] => path?.[i] ?? [];

/** OVERRIDING USER VALUE: the value that is given is none. */
const isOverridden = ({ table, overriding }: Columns, slot: number): boolean =>
	overriding === "user" && liveColumns(table)[slot]!.identity !== undefined;

export function planInsert(
	binder: Binder,
	planner: Planner,
	statement: InsertStatement,
	around: Scope | undefined,
): StatementPlan {
	const target = writeTarget(binder, statement.table, statement.alias, "insert into");
	const { table, base } = target;
	const scope = new Scope(around);
	const tables = bindWith(binder, statement.with, statement.recursive, scope);
	const frame = withFrame(planner, tables);
	const { parent } = frame;
	const live = liveColumns(table);
	const named = targetSlots(
		target,
		statement.columns,
		statement.columnsAt,
		(i) => partsOf(statement, i).length > 0,
	);
	const defaults = live.map((column) => compile(bindDefault(binder, column), parent));
	const slots = named.map((column) => target.slots[column]!);
	const { overriding } = statement;
	const { path, columnsAt } = statement;
	const columns: Columns = {
		table,
		target,
		named,
		slots,
		defaults,
		overriding,
		path,
		columnsAt,
	};
	const source = planSource(binder, planner, statement, columns, scope, parent);
	noteWrites(target, "INSERT", named);
	const conflict = statement.onConflict && planConflict(binder, statement, target, parent);
	const resultScope = new Scope(scope);
	resultScope.add(target.relation);
	const returning = bindReturning(binder, statement.returning, resultScope);
	const root = new Insert(
		tableWriter(binder, table, parent),
		source,
		conflict,
		returning && compileAll(returning.bounds, parent.inner(Layout.of(base))),
		compileChecks(target, parent.inner(Layout.of(base))),
		returning?.bounds.some(hasSubquery) === true,
	);
	return {
		command: "INSERT",
		columns: returning?.columns,
		readArguments: argumentReader(planner.arguments.list),
		writes: true,
		direct: tables.length === 0 ? root.directStatement() : undefined,
		run: (env) => frame.run(root, env),
		root,
	};
}

function planSource(
	binder: Binder,
	planner: Planner,
	statement: InsertStatement,
	columns: Columns,
	scope: Scope,
	parent: CompileScope,
): RowSource {
	const { source } = statement;
	if (source === "default values") return defaultRow(columns);
	const plain =
		source.with.length === 0 &&
		source.orderBy.length === 0 &&
		source.limit === undefined &&
		source.offset === undefined;
	if (source.body.kind === "values" && plain) {
		const around = new Scope(scope);
		around.unseen.push(columns.target.relation);
		return valuesSource(binder, source.body.rows, columns, around, parent, statement);
	}
	const query = bindQuery(binder, source, scope, true);
	checkCount(query.columns.length, columns.slots.length, statement, (i) => itemAt(source, i));
	requireWritten(columns, query.columns.length);
	return querySource(binder, planner, query, columns, parent);
}

function itemAt(query: Query, index: number): number {
	const { body } = query;
	if (body.kind === "set-operation") return itemAt(body.left, index);
	const item = body.kind === "select" ? body.items[index]?.expression : body.rows[0]?.[index];
	return item?.at ?? query.at;
}

/** `expressionAt`: where an expression of the source stands. */
function checkCount(
	given: number,
	wanted: number,
	{ columnsAt }: InsertStatement,
	expressionAt: (index: number) => number,
): void {
	if (given > wanted) {
		throw new DatabaseError("42601", "INSERT has more expressions than target columns", {
			position: expressionAt(wanted) + 1,
		});
	}
	const unfilled = columnsAt[given];
	if (unfilled !== undefined) {
		throw new DatabaseError("42601", "INSERT has more target columns than expressions", {
			position: unfilled + 1,
		});
	}
}

/** The columns for which the source has values. Throws 0A000, 42601. */
function requireWritten(columns: Columns, width: number): void {
	const { target, named } = columns;
	const slots = named.slice(0, width).map((column) => writtenSlot(target, column, "insert into"));
	refuseRepeated(
		target,
		slots.filter((_, i) => partsOf(columns, i).length === 0),
	);
}

/** Throws 428C9. */
function refuseGenerated({ table, overriding }: Columns, slot: number): void {
	const column = liveColumns(table)[slot]!;
	if (isGenerated(column)) {
		throw new DatabaseError(
			"428C9",
			`cannot insert a non-DEFAULT value into column "${column.name}"`,
			{ detail: `Column "${column.name}" is a generated column.` },
		);
	}
	if (column.identity !== "always" || overriding !== undefined) return;
	throw new DatabaseError(
		"428C9",
		`cannot insert a non-DEFAULT value into column "${column.name}"`,
		{
			detail: `Column "${column.name}" is an identity column defined as GENERATED ALWAYS.`,
			hint: "Use OVERRIDING SYSTEM VALUE to override.",
		},
	);
}

function defaultRow(columns: Columns): RowSource {
	const evaluators = syncOnly(columns.defaults);
	return {
		children: [],
		single: evaluators && ((env) => evaluators.map((evaluate) => evaluate([], env))),
		async *rows(env) {
			yield { rows: [await evaluateAll(columns.defaults, [], env)], bulk: false };
		},
	};
}

/** One expression a column: given, or the default. */
function bindRow(
	binder: Binder,
	row: readonly Parameters<typeof bindExpression>[1][],
	columns: Columns,
	scope: Scope,
	parent: CompileScope,
): readonly Compiled[] {
	const live = liveColumns(columns.table);
	const place: Place = { binder, scope, clause: "VALUES", aggregates: false, sets: false };
	const out = [...columns.defaults];
	const assembled = new Map<number, Bound>();
	for (const [i, node] of row.entries()) {
		const slot = columns.slots[i]!;
		const path = partsOf(columns, i);
		if (path.length > 0) {
			const column = live[slot]!;
			refuseGenerated(columns, slot);
			const container = assembled.get(slot) ?? noContainer(column);
			assembled.set(
				slot,
				bindPart(place, container, { column, path, at: columns.columnsAt[i]! }, node),
			);
			continue;
		}
		if (node.kind === "default") continue;
		refuseGenerated(columns, slot);
		const column = live[slot]!;
		const bound = bindExpression(place, node);
		if (isOverridden(columns, slot)) continue;
		out[slot] = compile(coerce(binder, bound, column.type, "assignment", column.name), parent);
	}
	for (const [slot, part] of assembled) {
		const { type, name } = live[slot]!;
		out[slot] = compile(coerce(binder, part, type, "assignment", name), parent);
	}
	return out;
}

const valuesBatch = 128;

function valuesSource(
	binder: Binder,
	rows: readonly (readonly Parameters<typeof bindExpression>[1][])[],
	columns: Columns,
	scope: Scope,
	parent: CompileScope,
	statement: InsertStatement,
): RowSource {
	const width = rows[0]!.length;
	requireWritten(columns, Math.min(width, columns.slots.length));
	const compiled = rows.map((row) => {
		if (row.length !== width) {
			throw new DatabaseError("42601", "VALUES lists must all be the same length", {
				position: (row[0]?.at ?? 0) + 1,
			});
		}
		checkCount(row.length, columns.slots.length, statement, (i) => row[i]!.at);
		return bindRow(binder, row, columns, scope, parent.inner(Layout.empty));
	});
	const live = liveColumns(columns.table);
	const readers = columns.slots
		.slice(0, width)
		.map((slot): CellReader => cellReader(binder, live[slot]!));
	const refusing = columns.slots
		.slice(0, width)
		.flatMap((slot, at) =>
			live[slot]!.identity === "always" || isGenerated(live[slot]!) ? [{ slot, at }] : [],
		);
	const evaluators = compiled.length === 1 ? syncOnly(compiled[0]!) : undefined;
	const more = async (cells: readonly unknown[], env: Env): Promise<Datum[]> => {
		const row: Datum[] = new Array(live.length);
		for (let slot = 0; slot < live.length; slot++) {
			const at = columns.slots.indexOf(slot);
			const cell = at >= 0 && at < cells.length ? cells[at] : "default";
			row[slot] =
				cell === "default" || isOverridden(columns, slot)
					? await columns.defaults[slot]!.evaluate([], env)
					: readers[at]!(cell, env.context);
		}
		return row;
	};
	return {
		children: [],
		single: evaluators && ((env) => evaluators.map((evaluate) => evaluate([], env))),
		async *rows(env) {
			const bulk = compiled.length + (env.execution.moreRows?.length ?? 0) >= bulkRows;
			let batch: Datum[][] = [];
			for (const row of compiled) batch.push(await evaluateAll(row, [], env));
			const rest = env.execution.moreRows ?? [];
			assert(rest.length === 0 || columns.path === undefined, "rows of parts are in the plan");
			for (const { slot, at } of refusing) {
				if (rest.some((cells) => cells[at] !== "default")) refuseGenerated(columns, slot);
			}
			for (const cells of rest) {
				batch.push(await more(cells, env));
				if (batch.length < valuesBatch) continue;
				yield { rows: batch, bulk };
				batch = [];
			}
			if (batch.length > 0) yield { rows: batch, bulk };
		},
	};
}

function querySource(
	binder: Binder,
	planner: Planner,
	query: LogicalQuery,
	columns: Columns,
	parent: CompileScope,
): RowSource {
	const live = liveColumns(columns.table);
	const relation = new Relation("", undefined, query.columns);
	const level = parent.inner(Layout.of(relation));
	const assembled = new Map<number, Bound>();
	const place: Place = {
		binder,
		scope: new Scope(undefined),
		clause: "INSERT",
		aggregates: false,
		sets: false,
	};
	const values = query.columns.map((_, i): Bound => {
		const slot = columns.slots[i]!;
		refuseGenerated(columns, slot);
		const column = live[slot]!;
		const bound = columnOf(relation, i);
		const path = partsOf(columns, i);
		if (path.length > 0) {
			const container = assembled.get(slot) ?? noContainer(column);
			const part = bindPartOf(place, container, { column, path, at: columns.columnsAt[i]! }, bound);
			assembled.set(slot, part);
			return coerce(binder, part, column.type, "assignment", column.name);
		}
		if (bound.type.oid !== 0) {
			return coerce(binder, bound, column.type, "assignment", column.name);
		}
		typeParameter(binder, query, i, column.type);
		return { ...bound, type: column.type };
	});
	const cells = [...columns.defaults];
	for (const [i, value] of values.entries()) {
		const slot = columns.slots[i]!;
		if (!isOverridden(columns, slot)) cells[slot] = compile(value, level);
	}
	const node = planner.planQuery(query, parent);
	// A source that reads the table that is written is complete before the first row is written.
	const selfReading = readsTable(query, columns.table.oid);
	const completed = async function* (env: Env): AsyncIterable<Datum[][]> {
		for await (const batch of node.run(env)) {
			const rows: Datum[][] = [];
			for (const row of batch) rows.push(await evaluateAll(cells, row, env));
			yield rows;
		}
	};
	return {
		children: [node],
		single: undefined,
		async *rows(env) {
			if (selfReading) {
				const all: Datum[][] = [];
				for await (const batch of completed(env)) {
					for (const row of batch) {
						env.execution.memory.add(row, sortMemory);
						all.push(row);
					}
				}
				const bulk = all.length >= bulkRows;
				for (let i = 0; i < all.length; i += valuesBatch) {
					yield { rows: all.slice(i, i + valuesBatch), bulk };
				}
				return;
			}
			let count = 0;
			for await (const rows of completed(env)) {
				yield { rows, bulk: count >= bulkRows };
				count += rows.length;
			}
		},
	};
}
