/** ON CONFLICT of INSERT: which unique index it is about, and what happens to the row that is there. */
import { DatabaseError } from "@quorate/keys/database-error";
import { hasPrimaryKey, liveColumns, type TableDescriptor } from "../catalog/descriptor.ts";
import type { ConflictAction } from "../execute/operators/insert.ts";
import { tableCodec } from "../execute/table-codec.ts";
import type { Expression, OnConflict } from "../parser/ast.ts";
import { bindBoolean, bindExpression, type Place } from "./bind-expression.ts";
import { bindDefault, columnSlot } from "./bind-table.ts";
import type { Binder } from "./binder.ts";
import { coerce } from "./coerce.ts";
import { compile } from "./compile.ts";
import type { CompileScope } from "./compile-scope.ts";
import { refuseAssigned } from "./plan-modify.ts";
import { Layout, Relation } from "./relation.ts";
import { Scope } from "./scope.ts";

export function planConflict(
	binder: Binder,
	table: TableDescriptor,
	conflict: OnConflict,
	relation: Relation,
	parent: CompileScope,
): ConflictAction {
	const arbiter = findArbiter(table, conflict);
	// Whether a row is there tells something about it.
	for (const column of arbiter?.columns ?? []) relation.asked.add(column.slot);
	if (conflict.targetWhere !== undefined) bindPredicate(binder, relation, conflict.targetWhere);
	if (conflict.action === "nothing") return { arbiter, update: undefined };
	if (arbiter === undefined) {
		throw new DatabaseError(
			"42601",
			"ON CONFLICT DO UPDATE requires inference specification or constraint name",
			{ hint: "For example, ON CONFLICT (column_name).", position: conflict.at + 1 },
		);
	}
	const excluded = new Relation("excluded", undefined, relation.columns);
	const scope = new Scope(undefined);
	scope.add(relation);
	scope.add(excluded);
	const level = parent.inner(Layout.of(relation).join(Layout.of(excluded)));
	const live = liveColumns(table);
	const place: Place = { binder, scope, clause: "UPDATE", aggregates: false, sets: false };
	const assigned = conflict.action.set.map((assignment) => {
		const slot = columnSlot(table, live, assignment.column, assignment.at);
		const column = live[slot]!;
		if (assignment.value.kind !== "default") refuseAssigned(column);
		const bound =
			assignment.value.kind === "default"
				? bindDefault(binder, column)
				: bindExpression(place, assignment.value);
		const value = coerce(binder, bound, column.type, "assignment", column.name);
		return { slot, value: compile(value, level) };
	});
	binder.access.writes(
		table,
		undefined,
		"UPDATE",
		assigned.map(({ slot }) => slot),
	);
	const { where } = conflict.action;
	return {
		arbiter,
		update: {
			assigned,
			where: where && compile(bindBoolean({ ...place, clause: "WHERE" }, where, "WHERE"), level),
		},
	};
}

/** Indexes are of all rows: whatever the predicate says, it is so for them. */
function bindPredicate(binder: Binder, relation: Relation, predicate: Expression): void {
	const scope = new Scope(undefined);
	scope.add(relation);
	const place: Place = {
		binder,
		scope,
		clause: "index predicates",
		aggregates: false,
		sets: false,
	};
	bindBoolean(place, predicate, "WHERE");
}

function findArbiter(table: TableDescriptor, conflict: OnConflict): ConflictAction["arbiter"] {
	const codec = tableCodec(table);
	const unique = [
		...(hasPrimaryKey(table) ? [codec.primary] : []),
		...codec.secondary.filter(({ index }) => index.unique && index.state === "public"),
	];
	if (conflict.constraint !== undefined) {
		const found = unique.find(({ index }) => index.name === conflict.constraint);
		if (found !== undefined) return found;
		throw new DatabaseError(
			"42704",
			`constraint "${conflict.constraint}" for table "${table.name}" does not exist`,
		);
	}
	if (conflict.target.length === 0) return undefined;
	const live = liveColumns(table);
	const wanted = new Set(
		conflict.target.map((name) => {
			const slot = live.findIndex((column) => column.name === name);
			if (slot >= 0) return slot;
			throw new DatabaseError("42703", `column "${name}" does not exist`, {
				position: conflict.targetAt + 1,
			});
		}),
	);
	const found = unique.find(
		({ columns }) =>
			columns.length === wanted.size && columns.every((column) => wanted.has(column.slot)),
	);
	if (found !== undefined) return found;
	throw new DatabaseError(
		"42P10",
		"there is no unique or exclusion constraint matching the ON CONFLICT specification",
	);
}
