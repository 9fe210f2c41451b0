/** JOIN ... USING and NATURAL JOIN: equalities, and one merged column for each pair. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { TableExpression } from "../parser/ast.ts";
import { unify } from "./bind-expression.ts";
import type { MergedPair } from "./bind-notes.ts";
import { compared } from "./bind-operator.ts";
import type { Binder } from "./binder.ts";
import { type Bound, columnOf } from "./bound.ts";
import { namelessColumn, type Relation } from "./relation.ts";
import { type AliasedColumn, markUsed, type Scope } from "./scope.ts";

interface Side {
	readonly bound: Bound;
	readonly hides: readonly Relation[];
}

function find(
	scope: Scope,
	relations: readonly Relation[],
	name: string,
	side: "left" | "right",
	at: number,
): Side {
	const merged = scope.merged.find(
		(entry) => entry.name === name && entry.hides.some((relation) => relations.includes(relation)),
	);
	const hidden = new Set(merged?.hides ?? []);
	const found: Side[] = merged === undefined ? [] : [{ bound: merged.bound, hides: merged.hides }];
	for (const relation of relations) {
		if (hidden.has(relation)) continue;
		const index = relation.columns.findIndex((column) => column.name === name);
		if (index >= 0) found.push({ bound: columnOf(relation, index, at), hides: [relation] });
	}
	if (found.length > 1) {
		throw new DatabaseError(
			"42702",
			`common column name "${name}" appears more than once in ${side} table`,
		);
	}
	if (found[0] === undefined) {
		throw new DatabaseError(
			"42703",
			`column "${name}" specified in USING clause does not exist in ${side} table`,
		);
	}
	return found[0];
}

function commonNames(left: readonly Relation[], right: readonly Relation[]): readonly string[] {
	const names = (relations: readonly Relation[]): Set<string> =>
		new Set(relations.flatMap((relation) => relation.columns.map((column) => column.name)));
	const rightNames = names(right);
	return [...names(left)].filter((name) => name !== namelessColumn && rightNames.has(name));
}

export function bindUsing(
	binder: Binder,
	item: Extract<TableExpression, { kind: "join" }>,
	scope: Scope,
	left: readonly Relation[],
	right: readonly Relation[],
): readonly Bound[] {
	const names = item.natural ? commonNames(left, right) : item.using;
	const place = { binder, scope, clause: "JOIN/USING", aggregates: false, sets: false };
	const aliased: AliasedColumn[] = [];
	const pairs: MergedPair[] = [];
	binder.notes?.usings.set(item, pairs);
	const conditions = names.map((name) => {
		const a = find(scope, left, name, "left", item.at);
		const b = find(scope, right, name, "right", item.at);
		markUsed(a.bound);
		markUsed(b.bound);
		const { type, args } = unify(binder, [a.bound, b.bound], "JOIN/USING", item.at);
		const bound: Bound =
			item.type === "right"
				? args[1]!
				: item.type === "full"
					? { kind: "coalesce", type, args, at: item.at }
					: args[0]!;
		const hides = [...a.hides, ...b.hides];
		for (let i = scope.merged.length - 1; i >= 0; i--) {
			const entry = scope.merged[i]!;
			if (entry.name === name && entry.hides.some((relation) => hides.includes(relation))) {
				scope.merged.splice(i, 1);
			}
		}
		scope.merged.push({ name, bound, hides });
		aliased.push({ name, bound });
		pairs.push({ name, left: a.bound, right: b.bound, merged: bound });
		return compared(place, "=", a.bound, b.bound, item.at);
	});
	if (item.usingAlias === undefined) return conditions;
	if (binder.made !== undefined) {
		throw new DatabaseError("0A000", "an alias of JOIN ... USING is not supported in a view", {
			hint: "Give aliases to the tables.",
		});
	}
	scope.addJoin(item.usingAlias, aliased);
	return conditions;
}
