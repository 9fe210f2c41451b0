/** ON CONFLICT of INSERT: which unique index it is about, and what happens to the row that is there. */
import { DatabaseError } from "@quorate/keys/database-error";
import { hasPrimaryKey, isUnique } from "../catalog/descriptor.ts";
import type { IndexCodec, IndexKeyColumn } from "../execute/index-codec.ts";
import type { ConflictAction } from "../execute/operators/insert.ts";
import { tableCodec } from "../execute/table-codec.ts";
import type { Expression, OnConflict, QualifiedName, Statement } from "../parser/ast.ts";
import { bindBoolean, bindExpression, type Place } from "./bind-expression.ts";
import { Binder } from "./binder.ts";
import { type Bound, conjunctsOf } from "./bound.ts";
import { settle } from "./coerce.ts";
import { compile } from "./compile.ts";
import type { CompileScope } from "./compile-scope.ts";
import { isImplied, isMatch } from "./index-match.ts";
import { bindAssignments } from "./plan-modify.ts";
import { Layout, type Relation } from "./relation.ts";
import { Scope } from "./scope.ts";
import { isCollatable } from "./type-name.ts";
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
	const arbiters = findArbiters(binder, target, conflict);
	refuseDeferrable(target, arbiters);
	// Whether a row is there tells something about it.
	for (const slot of arbiters?.flatMap(({ slots }) => [...slots]) ?? []) {
		const position = target.slots.indexOf(slot);
		if (position >= 0) relation.asked.add(position);
	}
	if (conflict.action === "nothing") return { arbiters, update: undefined };
	if (arbiters === undefined) {
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
		arbiters,
		update: {
			assigned,
			where: where && compile(bindBoolean({ ...place, clause: "WHERE" }, where, "WHERE"), level),
		},
	};
}

function targetPlace(
	binder: Binder,
	relation: Relation,
	clause: "index expressions" | "index predicates",
): Place {
	const scope = new Scope(undefined);
	scope.add(relation);
	return { binder, scope, clause, aggregates: false, sets: false };
}

/** Whether a row is in the way is not known before the end. Throws 55000. */
function refuseDeferrable({ table }: WriteTarget, arbiters: ConflictAction["arbiters"]): void {
	const looked = arbiters === undefined ? table.indexes : arbiters.map(({ index }) => index);
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

function findArbiters(
	binder: Binder,
	target: WriteTarget,
	conflict: OnConflict,
): ConflictAction["arbiters"] {
	const { table } = target;
	const codec = tableCodec(table);
	const unique = [
		...(hasPrimaryKey(table) ? [codec.primary] : []),
		...codec.secondary.filter(({ index }) => isUnique(index) && index.state === "public"),
	];
	if (conflict.constraint !== undefined) {
		const found = unique.find(
			({ index }) => index.name === conflict.constraint && index.constraintOid !== undefined,
		);
		if (found !== undefined && target.relation === target.base) return [found];
		throw new DatabaseError(
			"42704",
			`constraint "${conflict.constraint}" for table "${target.name}" does not exist`,
		);
	}
	if (conflict.target.length === 0) return undefined;
	const keys = conflict.target.map((node) => bindKey(binder, target, node, conflict.targetAt));
	const { targetWhere } = conflict;
	const place = targetPlace(binder, target.relation, "index predicates");
	const where =
		targetWhere === undefined
			? []
			: conjunctsOf(settle(binder, bindExpression(place, targetWhere)));
	const found = unique.filter(
		(codec) => isOn(codec, keys, target.base) && isImplied(codec, where, target.base),
	);
	if (found.length > 0) return found;
	throw noConstraint();
}

const noConstraint = (): DatabaseError =>
	new DatabaseError(
		"42P10",
		"there is no unique or exclusion constraint matching the ON CONFLICT specification",
	);

/** A column, or an expression, over the rows that are written. Throws 42703. */
function bindKey(binder: Binder, target: WriteTarget, node: Expression, at: number): Bound {
	if (node.kind === "collate") {
		const key = bindKey(binder, target, node.operand, at);
		if (!isCollatable(key.type.oid)) throw noConstraint();
		return key;
	}
	const name = node.kind === "column" && node.name.parts.length === 1 ? node.name.parts[0] : null;
	if (name !== null && !target.columns.some((column) => column.name === name)) {
		throw new DatabaseError("42703", `column "${name}" does not exist`, { position: at + 1 });
	}
	const place = targetPlace(binder, target.relation, "index expressions");
	return settle(binder, bindExpression(place, node));
}

/** Whether the index is on just those keys. */
function isOn(codec: IndexCodec, keys: readonly Bound[], relation: Relation): boolean {
	const { index } = codec;
	const isColumn = (key: Bound, { slot, expression }: IndexKeyColumn): boolean =>
		expression === undefined
			? key.kind === "column" && key.relation === relation && key.column === slot
			: isMatch(key, expression.bound, { index, relation });
	return (
		codec.columns.every((column) => keys.some((key) => isColumn(key, column))) &&
		keys.every((key) => codec.columns.some((column) => isColumn(key, column)))
	);
}
