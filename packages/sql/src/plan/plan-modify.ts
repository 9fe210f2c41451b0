/** UPDATE and DELETE. */
import { DatabaseError } from "@quorate/keys/database-error";
import { isGenerated, liveColumns, type TableDescriptor } from "../catalog/descriptor.ts";
import type { IndexCodec } from "../execute/index-codec.ts";
import { CurrentRow } from "../execute/operators/current-row.ts";
import { type Assigned, Delete, type Target, Update } from "../execute/operators/modify.ts";
import { TableScan } from "../execute/operators/table-scan.ts";
import type { PlanNode } from "../execute/plan-node.ts";
import { Recheck } from "../execute/recheck.ts";
import { tableCodec } from "../execute/table-codec.ts";
import { exclusive } from "../execute/table-writer.ts";
import type { Assignment, Statement, TableExpression } from "../parser/ast.ts";
import { argumentReader } from "./arguments.ts";
import { bindPart } from "./bind-assigned.ts";
import { bindBoolean, bindExpression, type Place } from "./bind-expression.ts";
import { bindFrom } from "./bind-from.ts";
import { bindReturning, columnSlot, compileAll, tableWriter } from "./bind-table.ts";
import { bindWith } from "./bind-with.ts";
import type { Binder } from "./binder.ts";
import { type Bound, columnOf, conjunction, conjunctsOf, hasSubquery } from "./bound.ts";
import { coerce } from "./coerce.ts";
import { compile } from "./compile.ts";
import type { CompileScope } from "./compile-scope.ts";
import { isPure } from "./immutable.ts";
import type { LogicalFrom } from "./logical.ts";
import { planFrom } from "./plan-from.ts";
import type { Planner } from "./plan-query.ts";
import type { Relation } from "./relation.ts";
import { Scope } from "./scope.ts";
import type { StatementPlan } from "./statement-plan.ts";
import { type Frame, withFrame } from "./with-frame.ts";
import {
	bindUpdateDefault,
	compileChecks,
	noteWrites,
	refuseAssigned,
	type WriteTarget,
	writeTarget,
	writtenSlot,
} from "./write-target.ts";

type UpdateStatement = Extract<Statement, { kind: "update" }>;
type DeleteStatement = Extract<Statement, { kind: "delete" }>;

/** What both have bound before they differ. */
interface Bindings {
	readonly written: WriteTarget;
	readonly table: TableDescriptor;
	/** The rows of the table. */
	readonly relation: Relation;
	readonly scope: Scope;
	readonly frame: Frame;
	readonly target: Extract<LogicalFrom, { kind: "table" }>;
	readonly from: readonly LogicalFrom[];
	readonly where: readonly Bound[];
}

function bindTarget(
	binder: Binder,
	planner: Planner,
	statement: UpdateStatement | DeleteStatement,
	others: readonly TableExpression[],
	outside: Scope | undefined,
): Bindings {
	const verb = statement.kind === "update" ? "update" : "delete from";
	const written = writeTarget(binder, statement.table, statement.alias, verb);
	const { table, base: relation } = written;
	if (statement.currentOf !== undefined) requireBare(written, others);
	const around = new Scope(outside);
	const tables = bindWith(binder, statement.with, statement.recursive, around);
	const frame = withFrame(planner, tables);
	const scope = new Scope(around);
	scope.add(written.relation);
	const target: Bindings["target"] = {
		kind: "table",
		relation,
		table,
		lock: exclusive,
		locksLate: others.length > 0 ? "always" : "unless by key",
	};
	const from = [target, ...bindFrom(binder, others, scope)];
	const place: Place = { binder, scope, clause: "WHERE", aggregates: false, sets: false };
	const own =
		statement.where === undefined ? [] : conjunctsOf(bindBoolean(place, statement.where, "WHERE"));
	const where = [...written.where, ...own];
	return { written, table, relation, scope, frame, target, from, where };
}

/** Throws 0A000. */
function requireBare({ relation, base }: WriteTarget, others: readonly TableExpression[]): void {
	if (relation !== base) {
		throw new DatabaseError("0A000", "WHERE CURRENT OF on a view is not implemented");
	}
	if (others.length === 0) return;
	throw new DatabaseError("0A000", "WHERE CURRENT OF with other tables is not supported", {
		hint: "Read what is needed of them in subqueries.",
	});
}

/** The rows that are changed. */
function targetRows(
	planner: Planner,
	{ currentOf }: UpdateStatement | DeleteStatement,
	{ table, relation, target, from, where }: Bindings,
	parent: CompileScope,
): PlanNode {
	return currentOf === undefined
		? planFrom(planner, from, where, parent, undefined).node
		: new CurrentRow(table, relation, currentOf, target.lock ?? exclusive);
}

function targetOf(node: PlanNode, bindings: Bindings): Target {
	return {
		base: node.layout.slot(bindings.relation, 0),
		width: liveColumns(bindings.table).length,
	};
}

/** Undefined where the rows of the target are locked as they are read at every level. */
function recheckOf(
	node: PlanNode,
	{ table, relation, target, from, where }: Bindings,
	level: CompileScope,
): Recheck | undefined {
	const [scan] = leavesOf(node);
	if (scan instanceof CurrentRow) return undefined;
	if (from.length === 1 && scan instanceof TableScan && !scan.reader.locksLate) return undefined;
	const condition = conjunction([...where, ...from.flatMap(innerConditions)]);
	return new Recheck(
		tableCodec(table),
		node.layout.slot(relation, 0),
		target.lock ?? exclusive,
		condition && compile(condition, level),
	);
}

const leavesOf = (node: PlanNode): readonly PlanNode[] =>
	node.children.length === 0 ? [node] : node.children.flatMap(leavesOf);

/** Of joins that are no more than conditions. */
const innerConditions = (item: LogicalFrom): readonly Bound[] =>
	item.kind === "join" && item.type === "inner"
		? [...item.on, ...innerConditions(item.left), ...innerConditions(item.right)]
		: [];

export function planUpdate(
	binder: Binder,
	planner: Planner,
	statement: UpdateStatement,
	around: Scope | undefined,
): StatementPlan {
	const bindings = bindTarget(binder, planner, statement, statement.from, around);
	const { written, table, relation, scope, frame } = bindings;
	const assignments = bindAssignments(binder, statement.set, written, scope);
	noteWrites(
		written,
		"UPDATE",
		assignments.map(({ position }) => position),
	);
	const returning = bindReturning(binder, statement.returning, scope);
	relation.useAll();
	const { parent } = frame;
	const changed = changedSlots(table, assignments);
	const touches = (indexes: readonly IndexCodec[]): boolean =>
		indexes.some(({ slots }) => [...slots].some((slot) => changed.has(slot)));
	const codec = tableCodec(table);
	const indexes = [codec, ...(codec.rewrite === undefined ? [] : [codec.rewrite])].flatMap(
		({ primary, secondary }) => [primary, ...secondary],
	);
	const touchesKey = touches(indexes);
	// Whoever only relies on the row's being there under its keys (FOR KEY SHARE) need not be waited for.
	if (!touches(indexes.filter(({ index }) => index.unique || index === table.primary))) {
		bindings.target.lock = { strength: "no key update", wait: "block" };
	}
	const attnums = new Set([...changed].map((slot) => liveColumns(table)[slot]!.attnum));
	const refers = table.foreignKeys.some(({ columns }) => columns.some((one) => attnums.has(one)));
	const node = targetRows(planner, statement, bindings, parent);
	const level = parent.inner(node.layout);
	const reads = [...bindings.where, ...assignments.map(({ value }) => value)].some(hasSubquery);
	const writer = tableWriter(binder, table, parent);
	const root = new Update(
		node,
		writer,
		targetOf(node, bindings),
		assignments.map(({ slot, value }): Assigned => ({ slot, value: compile(value, level) })),
		returning && compileAll(returning.bounds, level),
		{
			deferred: touchesKey || reads || bindings.from.length > 1,
			recheck: recheckOf(node, bindings, level),
			returningReads: returning?.bounds.some(hasSubquery) === true,
			valueOnly: !touchesKey && !refers && table.rewrite === undefined,
			checks: compileChecks(written, level),
		},
	);
	const direct = statement.with.length === 0 ? root.directStatement() : undefined;
	const isPureChange =
		direct !== undefined &&
		returning === undefined &&
		[...bindings.where, ...assignments.map(({ value }) => value)].every(isPure) &&
		writer.isPure;
	return {
		command: "UPDATE",
		columns: returning?.columns,
		readArguments: argumentReader(planner.arguments.list),
		writes: true,
		direct,
		changedKey: isPureChange ? root.changedKey : undefined,
		run: (env) => frame.run(root, env),
		root,
	};
}

/** Those that are assigned, and the generated ones, which may follow them. */
const changedSlots = (
	table: TableDescriptor,
	assignments: readonly { readonly slot: number }[],
): ReadonlySet<number> =>
	new Set([
		...assignments.map(({ slot }) => slot),
		...liveColumns(table).flatMap((column, slot) => (isGenerated(column) ? [slot] : [])),
	]);

interface AssignedColumn {
	/** Among the target's columns. */
	readonly position: number;
	/** Among the table's. */
	readonly slot: number;
	readonly value: Bound;
	/** Elements were assigned: more of them may be. */
	readonly isPart: boolean;
}

/** `scope`: what the values refer to. */
export function bindAssignments(
	binder: Binder,
	set: readonly Assignment[],
	target: WriteTarget,
	scope: Scope,
	verb: "update" | "insert into" = "update",
): readonly AssignedColumn[] {
	const { table } = target;
	const live = liveColumns(table);
	const place: Place = { binder, scope, clause: "UPDATE", aggregates: false, sets: false };
	const seen = new Map<number, AssignedColumn>();
	for (const assignment of set) {
		if (assignment.column === "tableoid") {
			throw new DatabaseError("0A000", 'cannot assign to system column "tableoid"', {
				position: assignment.at + 1,
			});
		}
		const position = columnSlot(target, assignment.column, assignment.at);
		const slot = writtenSlot(target, position, verb);
		const before = seen.get(slot);
		const { path } = assignment;
		if (before !== undefined && !(before.isPart && path !== undefined)) {
			throw new DatabaseError("42601", `multiple assignments to same column "${live[slot]!.name}"`);
		}
		const column = live[slot]!;
		if (path !== undefined) {
			refuseAssigned(column);
			const container = before?.value ?? columnOf(target.base, slot);
			const part = { column, path, at: assignment.at };
			const bound = bindPart(place, container, part, assignment.value);
			const value = coerce(binder, bound, column.type, "assignment", column.name);
			seen.set(slot, { position, slot, value, isPart: true });
			continue;
		}
		const isDefault = assignment.value.kind === "default";
		if (!isDefault) refuseAssigned(column);
		const bound = isDefault
			? bindUpdateDefault(binder, target, column)
			: bindExpression(place, assignment.value);
		const value = coerce(binder, bound, column.type, "assignment", column.name);
		seen.set(slot, { position, slot, value, isPart: false });
	}
	return [...seen.values()];
}

export function planDelete(
	binder: Binder,
	planner: Planner,
	statement: DeleteStatement,
	around: Scope | undefined,
): StatementPlan {
	const bindings = bindTarget(binder, planner, statement, statement.using, around);
	const { written, table, relation, scope, frame } = bindings;
	noteWrites(written, "DELETE", []);
	const returning = bindReturning(binder, statement.returning, scope);
	useIndexColumns(table, relation);
	const { parent } = frame;
	const node = targetRows(planner, statement, bindings, parent);
	const level: CompileScope = parent.inner(node.layout);
	const root = new Delete(
		node,
		tableWriter(binder, table, parent),
		targetOf(node, bindings),
		returning && compileAll(returning.bounds, level),
		{
			deferred: bindings.where.some(hasSubquery) || bindings.from.length > 1,
			recheck: recheckOf(node, bindings, level),
			returningReads: returning?.bounds.some(hasSubquery) === true,
		},
	);
	return {
		command: "DELETE",
		columns: returning?.columns,
		readArguments: argumentReader(planner.arguments.list),
		writes: true,
		direct: undefined,
		run: (env) => frame.run(root, env),
		root,
	};
}

/** A deleted row's entries are found by the columns that they hold. */
function useIndexColumns(table: TableDescriptor, relation: Relation): void {
	const { primary, secondary, rewrite } = tableCodec(table);
	// Where the row is in the second set (S5); what else it has there is read there.
	const moved = rewrite === undefined || table.rewrite?.change ? [] : [rewrite.primary];
	for (const index of [primary, ...secondary, ...moved]) {
		for (const slot of index.slots) relation.used[slot] = true;
	}
}
