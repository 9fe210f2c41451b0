/** SELECT: the list, grouping, DISTINCT and ORDER BY, brought into one row of projections. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Expression, OrderItem, Select, SelectItem } from "../parser/ast.ts";
import { bindBoolean, bindExpression, type Place } from "./bind-expression.ts";
import { bindFrom } from "./bind-from.ts";
import { bindGroups } from "./bind-group.ts";
import { type BoundBody, settledColumn, sortKey } from "./bind-query.ts";
import { starRelation } from "./bind-row.ts";
import { bindDefinition, bindFrame } from "./bind-window.ts";
import type { Binder } from "./binder.ts";
import { type Bound, beginningOf, columnOf, conjunctsOf, mapArgs, someNode } from "./bound.ts";
import { columnName } from "./column-name.ts";
import { requireComparable } from "./comparable.ts";
import { bindFields } from "./fields.ts";
import { Grouping } from "./grouping.ts";
import type { LogicalFrom, SetProjection, SortKey } from "./logical.ts";
import { ordinalOf } from "./ordinal.ts";
import { namelessColumn, Relation, type RelationColumn } from "./relation.ts";
import { same } from "./same.ts";
import { markUsed, Scope } from "./scope.ts";
import { separateWindows } from "./window.ts";
import { Windows } from "./windows.ts";

export interface Output {
	readonly name: string;
	bound: Bound;
}

export function bindSelect(
	binder: Binder,
	select: Select,
	order: readonly OrderItem[],
	around: Scope,
	keepUnknown: boolean,
): BoundBody {
	if (select.into !== undefined) {
		throw new DatabaseError("42601", "SELECT ... INTO is not allowed here", {
			position: select.into.name.at + 1,
		});
	}
	if (select.asOf !== undefined) {
		throw new DatabaseError(
			"0A000",
			"AS OF SYSTEM TIME is not supported in a part of a statement",
			{
				hint: "Give it to the outermost SELECT, or to BEGIN.",
				position: select.asOf.at + 1,
			},
		);
	}
	const scope = new Scope(around);
	const from = bindFrom(binder, select.from, scope);
	const windows = new Windows(select.windows ?? []);
	const place = (clause: string, rich: boolean): Place => ({
		binder,
		scope,
		clause,
		aggregates: rich,
		sets: rich,
		windows: rich ? windows : undefined,
	});
	const outputs = bindItems(place("SELECT", true), select.items, true);
	const where =
		select.where === undefined
			? []
			: conjunctsOf(bindBoolean(place("WHERE", false), select.where, "WHERE"));
	if (!keepUnknown) settleOutputs(binder, outputs);
	const groups = bindGroups({ ...place("GROUP BY", false), sets: true }, select, outputs);
	const having =
		select.having === undefined
			? undefined
			: bindBoolean(
					{ ...place("HAVING", true), sets: false, windows: undefined },
					select.having,
					"HAVING",
				);
	const projections = outputs.map((output) => output.bound);
	const slotOf = (node: Expression, clause: string): number => {
		const slot = outputSlot(place(clause, true), node, clause, outputs, projections);
		binder.notes?.keys.set(node, projections[slot]!);
		return slot;
	};
	const distinctOn =
		typeof select.distinct === "object"
			? select.distinct.on.map((node) => slotOf(node, "SELECT DISTINCT ON"))
			: undefined;
	const orderBy = order.map((item) => {
		const slot = slotOf(item.expression, "ORDER BY");
		requireComparable(binder, projections[slot]!, "ordering", item.expression.at);
		return { slot, item };
	});
	const distinct = distinctSlots(select, outputs.length, distinctOn, orderBy);
	for (const slot of distinct ?? []) {
		requireComparable(binder, projections[slot]!, "equality", beginningOf(projections[slot]!));
	}
	const input = separateSets(groups.keys);
	const keys = { keys: input.bounds, sets: groups.sets };
	const grouping = new Grouping(binder, scope, from, keys, having, input.sets);
	const grouped = grouping.apply(
		projections.map((projection) => withSets(binder, projection, input.sets)),
	);
	checkWindows(place("window definitions", true), windows);
	const separated = separateWindows(binder, grouped);
	const { sets, bounds } = separateSets(separated.bounds);
	binder.notes?.outputs.set(select, outputs);
	const columns = outputs.map((output, i) =>
		outputColumn(output.name, bounds[i]!, projections[i]!),
	);
	if (scope.correlated) around.correlated = true;
	return {
		body: {
			kind: "select",
			from,
			where,
			aggregation: grouping.result(),
			windows: separated.windows,
			sets,
			projections: bounds,
			distinct,
		},
		columns,
		orderBy: orderBy.map(({ slot, item }): SortKey => sortKey(slot, bounds[slot]!.type, item)),
	};
}

/** Those that no call names have to be right as well. */
function checkWindows(place: Place, windows: Windows): void {
	for (const definition of windows.all) {
		bindFrame(place, definition, bindDefinition(place, definition).order);
	}
}

function outputColumn(name: string, bound: Bound, original: Bound): RelationColumn {
	const source =
		original.kind === "column" ? original.relation.columns[original.column]! : undefined;
	return {
		name,
		type: bound.type,
		tableOid: source?.tableOid ?? 0,
		attnum: source?.attnum ?? 0,
	};
}

export function bindItems(
	place: Place,
	items: readonly SelectItem[],
	keepUnknown: boolean,
): Output[] {
	const outputs: Output[] = [];
	for (const item of items) {
		const node = item.expression;
		if (node.kind === "star") {
			const expanded = expandStar(place, node);
			outputs.push(...expanded);
			continue;
		}
		if (node.kind === "fields") {
			const expanded = bindFields(place, node);
			outputs.push(...expanded);
			continue;
		}
		const bound = bindExpression(place, node);
		outputs.push({
			name: item.alias ?? columnName(node),
			bound,
		});
	}
	if (!keepUnknown) settleOutputs(place.binder, outputs);
	return outputs;
}

/** Once all is bound: what is untyped may have got its type elsewhere. */
function settleOutputs(binder: Binder, outputs: readonly Output[]): void {
	for (const output of outputs) output.bound = settledColumn(binder, output.bound);
}

function expandStar(place: Place, node: Extract<Expression, { kind: "star" }>): Output[] {
	const { scope } = place;
	const output = (name: string, bound: Bound): Output => {
		markUsed(bound);
		return { name, bound };
	};
	if (node.qualifier.length > 0) {
		const joined = scope.joinOf(node.qualifier);
		if (joined !== undefined) return joined.map(({ name, bound }) => output(name, bound));
		const relation = starRelation(scope, node);
		return relation.columns.flatMap((column, i) =>
			column.name === namelessColumn || i >= relation.starCount
				? []
				: [output(column.name, columnOf(relation, i, node.at))],
		);
	}
	if (scope.relations.length === 0) {
		throw new DatabaseError("42601", "SELECT * with no tables specified is not valid", {
			position: node.at + 1,
		});
	}
	const out = scope.merged.map((entry) => output(entry.name, entry.bound));
	for (const relation of scope.relations) {
		for (const [i, column] of relation.columns.entries()) {
			const hidden = scope.merged.some(
				(entry) => entry.name === column.name && entry.hides.includes(relation),
			);
			if (!hidden && column.name !== namelessColumn && i < relation.starCount)
				out.push(output(column.name, columnOf(relation, i, node.at)));
		}
	}
	return out;
}

/** ORDER BY, DISTINCT ON: an ordinal, an output name, an expression. May append a hidden projection. */
function outputSlot(
	place: Place,
	node: Expression,
	clause: string,
	outputs: readonly Output[],
	projections: Bound[],
): number {
	const ordinal = ordinalOf(place.binder, node, outputs.length, clause);
	if (ordinal !== undefined) return ordinal;
	if (node.kind === "column" && node.name.parts.length === 1) {
		const name = node.name.parts[0]!;
		const slots = outputs.flatMap((output, i) => (output.name === name ? [i] : []));
		const first = slots[0];
		if (first !== undefined) {
			const bound = outputs[first]!.bound;
			if (slots.some((slot) => !same(place.binder, outputs[slot]!.bound, bound))) {
				throw new DatabaseError("42702", `${clause} "${name}" is ambiguous`, {
					position: node.at + 1,
				});
			}
			return first;
		}
	}
	const bound = settledColumn(place.binder, bindExpression(place, node));
	const known = projections.findIndex((projection) => same(place.binder, projection, bound));
	if (known >= 0) return known;
	projections.push(bound);
	return projections.length - 1;
}

function distinctSlots(
	select: Select,
	visible: number,
	on: readonly number[] | undefined,
	orderBy: readonly { readonly slot: number; readonly item: OrderItem }[],
): readonly number[] | undefined {
	if (select.distinct === "all") return undefined;
	if (on === undefined) {
		const hidden = orderBy.find(({ slot }) => slot >= visible);
		if (hidden !== undefined) {
			throw new DatabaseError(
				"42P10",
				"for SELECT DISTINCT, ORDER BY expressions must appear in select list",
				{ position: hidden.item.expression.at + 1 },
			);
		}
		return Array.from({ length: visible }, (_, i) => i);
	}
	const wanted = new Set(on);
	const leading = new Set<number>();
	for (const { slot } of orderBy) {
		if (leading.size === wanted.size) break;
		if (!wanted.has(slot)) {
			throw new DatabaseError(
				"42P10",
				"SELECT DISTINCT ON expressions must match initial ORDER BY expressions",
				{ position: (typeof select.distinct === "object" ? select.distinct.on[0]!.at : 0) + 1 },
			);
		}
		leading.add(slot);
	}
	return on;
}

/** Takes set-returning calls out of the projections; columns of a relation stand in for them. */
function separateSets(projections: readonly Bound[]): {
	readonly sets: SetProjection | undefined;
	readonly bounds: readonly Bound[];
} {
	const calls: Extract<Bound, { kind: "set-call" }>[] = [];
	for (const projection of projections) collectSets(projection, calls);
	if (calls.length === 0) return { sets: undefined, bounds: projections };
	const relation = new Relation(
		"",
		undefined,
		calls.map((call) => ({ name: call.name, type: call.type, tableOid: 0, attnum: 0 })),
	);
	const replace = (bound: Bound): Bound => {
		const index = calls.indexOf(bound as (typeof calls)[number]);
		if (index >= 0) return columnOf(relation, index);
		return bound.args.length === 0 ? bound : { ...bound, args: bound.args.map(replace) };
	};
	return { sets: { calls, relation }, bounds: projections.map(replace) };
}

/** The set-returning calls that are grouped by, in what refers to them. */
function withSets(binder: Binder, bound: Bound, sets: SetProjection | undefined): Bound {
	if (sets === undefined) return bound;
	if (bound.kind !== "set-call") return mapArgs(bound, (arg) => withSets(binder, arg, sets));
	const index = sets.calls.findIndex((call) => same(binder, call, bound));
	return index >= 0 ? columnOf(sets.relation, index, bound.at) : bound;
}

function collectSets(bound: Bound, calls: Extract<Bound, { kind: "set-call" }>[]): void {
	if (bound.kind === "set-call") {
		if (bound.args.some((arg) => someNode(arg, (node) => node.kind === "set-call"))) {
			throw new DatabaseError("0A000", "nested set-returning functions are not supported", {
				hint: "Call the inner one in FROM.",
			});
		}
		// One value may have several of its fields in the list.
		if (!calls.includes(bound)) calls.push(bound);
		return;
	}
	for (const arg of bound.args) collectSets(arg, calls);
}

/** Base tables of FROM, for the dependency of columns on a grouped primary key. */
export function baseTables(
	items: readonly LogicalFrom[],
): readonly Extract<LogicalFrom, { kind: "table" }>[] {
	return items.flatMap((item) =>
		item.kind === "join"
			? baseTables([item.left, item.right])
			: item.kind === "table"
				? [item]
				: [],
	);
}
