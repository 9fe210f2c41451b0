/** ON CONFLICT of INSERT: which unique index it is about, and what happens to the row that is there. */
import { DatabaseError } from "@quorate/keys/database-error";
import { hasPrimaryKey, isUnique } from "../catalog/descriptor.ts";
import type { ConflictAction } from "../execute/operators/insert.ts";
import { tableCodec } from "../execute/table-codec.ts";
import type { Expression, OnConflict, QualifiedName, Statement } from "../parser/ast.ts";
import { bindBoolean, type Place } from "./bind-expression.ts";
import { Binder } from "./binder.ts";
import { compile } from "./compile.ts";
import type { CompileScope } from "./compile-scope.ts";
import { bindAssignments } from "./plan-modify.ts";
import { Layout, type Relation } from "./relation.ts";
import { Scope } from "./scope.ts";
import { noteWrites, type WriteTarget, writeTarget } from "./write-target.ts";

type InsertStatement = Extract<Statement, { kind: "insert" }>;

export function planConflict(
	binder: Binder,
	statement: Pick<InsertStatement, "table" | "onConflict">,
	target: WriteTarget,
	parent: CompileScope,
): ConflictAction {
	const conflict = statement.onConflict!;
	const { base, relation } = target;
	const arbiter = findArbiter(target, conflict);
	refuseDeferrable(target, arbiter);
	// Whether a row is there tells something about it.
	for (const { slot } of arbiter?.columns ?? []) relation.asked.add(target.slots.indexOf(slot));
	if (conflict.targetWhere !== undefined) bindPredicate(binder, relation, conflict.targetWhere);
	if (conflict.action === "nothing") return { arbiter, update: undefined };
	if (arbiter === undefined) {
		throw new DatabaseError(
			"42601",
			"ON CONFLICT DO UPDATE requires inference specification or constraint name",
			{ hint: "For example, ON CONFLICT (column_name).", position: conflict.at + 1 },
		);
	}
	// The row that was to be written, seen as the one that is there.
	const excluded = excludedTarget(binder, statement.table);
	const scope = new Scope(undefined);
	scope.add(relation);
	scope.add(excluded.relation);
	const level = parent.inner(Layout.of(base).join(Layout.of(excluded.base)));
	const place: Place = { binder, scope, clause: "UPDATE", aggregates: false, sets: false };
	const bound = bindAssignments(binder, conflict.action.set, target, scope, "insert into");
	const assigned = bound.map(({ slot, value }) => ({ slot, value: compile(value, level) }));
	noteWrites(
		target,
		"UPDATE",
		bound.map(({ position }) => position),
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

/** Whether a row is in the way is not known before the end. Throws 55000. */
function refuseDeferrable({ table }: WriteTarget, arbiter: ConflictAction["arbiter"]): void {
	const looked = arbiter === undefined ? table.indexes : [arbiter.index];
	const deferrable = looked.find((index) => index.deferrable !== undefined);
	if (deferrable === undefined) return;
	throw new DatabaseError(
		"55000",
		"ON CONFLICT does not support deferrable unique constraints/exclusion constraints as arbiters",
		{ schema: table.schema, table: table.name, constraint: deferrable.name },
	);
}

/** Under another name, and with rights of nobody's concern: the statement's own target needs the same. */
const excludedTarget = ({ environment }: Binder, name: QualifiedName): WriteTarget =>
	writeTarget(new Binder(environment, [], []), name, "excluded", "insert into");

function findArbiter(target: WriteTarget, conflict: OnConflict): ConflictAction["arbiter"] {
	const { table } = target;
	const codec = tableCodec(table);
	const unique = [
		...(hasPrimaryKey(table) ? [codec.primary] : []),
		...codec.secondary.filter(({ index }) => isUnique(index) && index.state === "public"),
	];
	if (conflict.constraint !== undefined) {
		const found = unique.find(({ index }) => index.name === conflict.constraint);
		if (found !== undefined && target.relation === target.base) return found;
		throw new DatabaseError(
			"42704",
			`constraint "${conflict.constraint}" for table "${target.name}" does not exist`,
		);
	}
	if (conflict.target.length === 0) return undefined;
	const wanted = new Set(
		conflict.target.map((name) => {
			const position = target.columns.findIndex((column) => column.name === name);
			if (position >= 0) return target.slots[position]!;
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
