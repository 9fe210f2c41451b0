/**
 * SEARCH and CYCLE of a recursive common table (PostgreSQL's rewriteSearchAndCycle): columns behind its own that say in which order
 * its rows come, and which way led to them. Both terms of the recursion are put into a query that computes them; the step takes
 * those of the row before from the table itself.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import type { CommonTable, Query } from "../parser/ast.ts";
import type { SqlType } from "../types/datum.ts";
import { OID } from "../types/oids.ts";
import { formatType, typeByOid } from "../types/registry.ts";
import { bindExpression, type Place, unify } from "./bind-expression.ts";
import { compared, comparisonOf } from "./bind-operator.ts";
import type { Binder } from "./binder.ts";
import { type Bound, booleanType, columnOf, constant, plainType } from "./bound.ts";
import type { LogicalFrom, LogicalQuery } from "./logical.ts";
import type { Relation, RelationColumn } from "./relation.ts";
import type { Scope } from "./scope.ts";

const recordType = plainType(OID.record);
const pathType = plainType(OID.recordArray);
const depthType = plainType(20);

/** Values of the mark: found again, and not. */
interface Mark {
	readonly type: SqlType;
	readonly yes: Bound;
	readonly no: Bound;
}

const wrong = (code: string, message: string, at: number): DatabaseError =>
	new DatabaseError(code, message, { position: at + 1 });

export class Traversal {
	/** Behind the table's own. */
	readonly columns: readonly RelationColumn[];
	readonly #table: CommonTable;
	readonly #place: Place;
	readonly #mark: Mark | undefined;

	constructor(binder: Binder, table: CommonTable, scope: Scope) {
		this.#table = table;
		this.#place = { binder, scope, clause: "CYCLE", aggregates: false, sets: false };
		const { search, cycle } = table;
		this.#mark = cycle && bindMark(this.#place, cycle);
		const column = (name: string, type: SqlType): RelationColumn => ({
			name,
			type,
			tableOid: 0,
			attnum: 0,
		});
		const order =
			search === undefined ? [] : [column(search.column, search.breadth ? recordType : pathType)];
		const ways =
			cycle === undefined
				? []
				: [column(cycle.mark, this.#mark!.type), column(cycle.path, pathType)];
		this.columns = [...order, ...ways];
	}

	/** Throws 0A000, 42601, 42701. `names`: of the table's own columns. */
	check(body: Extract<Query["body"], { kind: "set-operation" }>, names: readonly string[]): void {
		const { search, cycle } = this.#table;
		for (const [side, query] of [
			["left", body.left],
			["right", body.right],
		] as const) {
			if (query.body.kind !== "set-operation") continue;
			throw new DatabaseError(
				side === "left" ? "0A000" : "42601",
				`with a SEARCH or CYCLE clause, the ${side} side of the UNION must be a SELECT`,
			);
		}
		if (search !== undefined) {
			checkColumns("search", search.columns, names, search.at);
			checkName("search sequence", search.column, names, search.at);
		}
		if (cycle === undefined) return;
		checkColumns("cycle", cycle.columns, names, cycle.at);
		checkName("cycle mark", cycle.mark, names, cycle.at);
		checkName("cycle path", cycle.path, names, cycle.at);
		if (cycle.mark === cycle.path) {
			const message = "cycle mark column name and cycle path column name are the same";
			throw wrong("42601", message, cycle.at);
		}
		for (const [what, name] of [
			["mark", cycle.mark],
			["path", cycle.path],
		] as const) {
			if (search?.column !== name) continue;
			const message = `search sequence column name and cycle ${what} column name are the same`;
			throw wrong("42601", message, search.at);
		}
	}

	/** Of the rows to begin with. `own`: the table's own columns. */
	first(relation: Relation, own: readonly RelationColumn[]): readonly Bound[] {
		const { search, cycle } = this.#table;
		const values: Bound[] = [];
		if (search?.breadth === true) {
			values.push(row([constant(0n, depthType), ...chosen(relation, own, search.columns)]));
		} else if (search !== undefined) {
			values.push(listOf(row(chosen(relation, own, search.columns))));
		}
		if (cycle !== undefined) {
			values.push(this.#mark!.no, listOf(row(chosen(relation, own, cycle.columns))));
		}
		return values;
	}

	/** The step, with the columns of the rows that it goes on from behind its own. Throws 0A000. */
	extended(step: LogicalQuery): LogicalQuery {
		const { body } = step;
		const found = body.kind === "select" ? body.from.flatMap(ownReferences)[0] : undefined;
		if (body.kind !== "select" || found === undefined) {
			throw new DatabaseError(
				"0A000",
				`with a SEARCH or CYCLE clause, the recursive reference to WITH query "${this.#table.name}" must be at the top level of its right-hand SELECT`,
			);
		}
		// PostgreSQL loses what it adds where rows are grouped, and ends with an error of its own.
		if (body.aggregation !== undefined) {
			throw new DatabaseError(
				"0A000",
				"SEARCH and CYCLE of a step with GROUP BY are not supported",
				{
					hint: "Use DISTINCT instead.",
				},
			);
		}
		const shifted = (slot: number): number =>
			slot < step.columns.length ? slot : slot + before.length;
		const from = found.columns.length - this.columns.length;
		const before = this.columns.map((_, i) => columnOf(found, from + i));
		found.useAll();
		return {
			...step,
			columns: [...step.columns, ...this.columns],
			body: {
				...body,
				// Of rows that differ in nothing but the way to them, one goes on.
				distinct: body.distinct?.map(shifted),
				projections: [
					...body.projections.slice(0, step.columns.length),
					...before,
					...body.projections.slice(step.columns.length),
				],
			},
			orderBy: step.orderBy.map((key) => ({ ...key, slot: shifted(key.slot) })),
		};
	}

	/** Of the rows of a step, which `extended` has made. */
	next(relation: Relation, own: readonly RelationColumn[]): readonly Bound[] {
		const { search, cycle } = this.#table;
		const place = this.#place;
		const values: Bound[] = [];
		const before = (): Bound => columnOf(relation, own.length + values.length);
		if (search?.breadth === true) {
			const depth: Bound = { kind: "field", index: 0, type: depthType, args: [before()], at: -1 };
			const deeper = compared(place, "+", depth, constant(1n, depthType), -1);
			values.push(row([deeper, ...chosen(relation, own, search.columns)]));
		} else if (search !== undefined) {
			const here = row(chosen(relation, own, search.columns));
			values.push(compared(place, "||", before(), here, -1));
		}
		if (cycle === undefined) return values;
		const here = row(chosen(relation, own, cycle.columns));
		const path = columnOf(relation, own.length + values.length + 1);
		const { comparison } = comparisonOf(place, "=", here, constant(null, recordType), -1);
		const isFound: Bound = {
			kind: "quantified",
			all: false,
			comparison,
			type: booleanType,
			args: [here, path],
			at: -1,
		};
		const { type, yes, no } = this.#mark!;
		values.push({ kind: "case", type, args: [isFound, yes, no], at: -1 });
		values.push(compared(place, "||", path, here, -1));
		return values;
	}

	/** From a row that was found again the step does not go on. */
	conditions(relation: Relation, own: readonly RelationColumn[]): readonly Bound[] {
		if (this.#mark === undefined) return [];
		const slot = own.length + (this.#table.search === undefined ? 0 : 1);
		return [compared(this.#place, "<>", columnOf(relation, slot), this.#mark.yes, -1)];
	}
}

function bindMark(place: Place, cycle: NonNullable<CommonTable["cycle"]>): Mark {
	if (cycle.values === undefined) {
		return {
			type: booleanType,
			yes: constant(true, booleanType),
			no: constant(false, booleanType),
		};
	}
	const bounds = cycle.values.map((value) => bindExpression(place, value));
	const { type, args } = unify(place.binder, bounds, "CYCLE", cycle.at);
	const [yes, no] = args;
	if (typeByOid(type.oid)?.comparable === false) {
		throw new DatabaseError(
			"42883",
			`could not identify an equality operator for type ${formatType(type)}`,
		);
	}
	return { type, yes: yes!, no: no! };
}

function checkColumns(
	what: string,
	chosenNames: readonly string[],
	names: readonly string[],
	at: number,
): void {
	for (const [i, name] of chosenNames.entries()) {
		if (!names.includes(name)) {
			throw wrong("42601", `${what} column "${name}" not in WITH query column list`, at);
		}
		if (chosenNames.indexOf(name) !== i) {
			throw wrong("42701", `${what} column "${name}" specified more than once`, at);
		}
	}
}

function checkName(what: string, name: string, names: readonly string[], at: number): void {
	if (!names.includes(name)) return;
	throw wrong("42601", `${what} column name "${name}" already used in WITH query column list`, at);
}

const chosen = (
	relation: Relation,
	own: readonly RelationColumn[],
	names: readonly string[],
): readonly Bound[] =>
	names.map((name) =>
		columnOf(
			relation,
			own.findIndex((column) => column.name === name),
		),
	);

const row = (args: readonly Bound[]): Bound => ({ kind: "row", type: recordType, args, at: -1 });

const listOf = (one: Bound): Bound => ({
	kind: "array",
	nested: false,
	type: pathType,
	args: [one],
	at: -1,
});

/** References of the table to itself in FROM, not in queries there. */
const ownReferences = (item: LogicalFrom): readonly Relation[] => {
	if (item.kind === "join") return [...ownReferences(item.left), ...ownReferences(item.right)];
	return item.kind === "cte" && item.isOwn ? [item.relation] : [];
};
