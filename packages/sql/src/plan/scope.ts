/** Names in scope: the relations of one query level, its common tables, and the levels around it. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { QualifiedName } from "../parser/ast.ts";
import type { Place } from "./bind-expression.ts";
import { type AggregateCall, type Bound, columnOf } from "./bound.ts";
import type { CommonTableState } from "./logical.ts";
import { missingColumn, missingRelation } from "./missing-name.ts";
import { Relation, type RelationColumn } from "./relation.ts";
import { tableOid } from "./table-oid.ts";

/** A column that USING or NATURAL merged: found by its plain name before the columns behind it. */
interface MergedColumn {
	readonly name: string;
	readonly bound: Bound;
	readonly hides: readonly Relation[];
}

/** A column of JOIN ... USING (...) AS x. */
export interface AliasedColumn {
	readonly name: string;
	readonly bound: Bound;
}

/** Aggregates of a query level that stand in subqueries of it. */
export class OuterCalls {
	readonly calls: AggregateCall[] = [];
	readonly #columns: RelationColumn[] = [];
	/** One column a call. */
	readonly relation = new Relation("", undefined, this.#columns);

	add(call: AggregateCall): number {
		this.#columns.push({ name: call.name, type: call.type, tableOid: 0, attnum: 0 });
		return this.calls.push(call) - 1;
	}
}

export class Scope {
	readonly parent: Scope | undefined;
	readonly relations: Relation[] = [];
	/** Of the same query, but not to be referred to here: for hints. */
	readonly unseen: Relation[] = [];
	readonly merged: MergedColumn[] = [];
	/** What USING merged, by the alias of that. */
	readonly #joins = new Map<string, readonly AliasedColumn[]>();
	readonly commonTables = new Map<string, CommonTableState>();
	/** Names of common tables that come yet. */
	readonly laterTables = new Set<string>();
	/** Some name inside was found in a scope around this one. */
	correlated = false;
	/** Where the subquery stands that is being bound; undefined: it is none of an expression. */
	subqueryIn: Place | undefined;
	readonly outerCalls = new OuterCalls();
	/** It reads a common table whose recursive term it is. */
	isRecursive = false;
	/** For a lateral item: names of the left siblings live in `parent`, and finding one there makes the item lateral. */
	usedParent = false;

	constructor(parent: Scope | undefined) {
		this.parent = parent;
	}

	add(relation: Relation): void {
		if (relation.name !== "" && this.relations.some((other) => other.name === relation.name)) {
			const same = this.relations.find((other) => other.name === relation.name)!;
			if (
				same.schema === relation.schema ||
				same.schema === undefined ||
				relation.schema === undefined
			) {
				throw specifiedTwice(relation.name);
			}
		}
		if (this.#joins.has(relation.name)) throw specifiedTwice(relation.name);
		this.relations.push(relation);
	}

	/** Throws 42712. */
	addJoin(alias: string, columns: readonly AliasedColumn[]): void {
		const isTaken = this.relations.some(({ name }) => name === alias) || this.#joins.has(alias);
		if (isTaken) throw specifiedTwice(alias);
		this.#joins.set(alias, columns);
	}

	/** What an alias of a join means here, or around. */
	joinOf(qualifier: readonly string[]): readonly AliasedColumn[] | undefined {
		if (qualifier.length !== 1) return undefined;
		const own = this.#joins.get(qualifier[0]!);
		if (own !== undefined || this.relations.some((one) => matches(one, qualifier))) return own;
		const outer = this.parent?.joinOf(qualifier);
		if (outer !== undefined) {
			this.correlated = true;
			this.usedParent = true;
		}
		return outer;
	}

	/** For what sees no more than some relations of `other`. */
	takeMerged(other: Scope): void {
		this.merged.push(...other.merged);
		for (const [alias, columns] of other.#joins) this.#joins.set(alias, columns);
	}

	commonTable(name: string): CommonTableState | undefined {
		const own = this.commonTables.get(name);
		if (own !== undefined) return own;
		const outer = this.parent?.commonTable(name);
		// Its rows differ from evaluation to evaluation: what reads it cannot be evaluated once and kept.
		if (outer !== undefined && outer.change === undefined && outer.query?.correlated !== false) {
			this.correlated = true;
		}
		return outer;
	}

	/** Whether WITH, here or around, has such a table that is not to be referred to yet. */
	isLater(name: string): boolean {
		return this.laterTables.has(name) || this.parent?.isLater(name) === true;
	}

	/** Throws 42703, 42702, 42P01. */
	column(name: QualifiedName): Bound {
		const found = this.find(name);
		if (found !== undefined) return found;
		const qualifier = name.parts.slice(0, -1);
		const isKnown = (): boolean =>
			this.joinOf(qualifier) !== undefined || this.relation(qualifier) !== undefined;
		if (qualifier.length === 0 || isKnown()) {
			throw missingColumn(this, name);
		}
		throw missingRelation(this, qualifier, name.at);
	}

	/** Undefined: no such column here or around. */
	find(name: QualifiedName): Bound | undefined {
		const own = this.#findHere(name);
		if (own !== undefined) return own;
		const outer = this.parent?.find(name);
		if (outer !== undefined) {
			this.correlated = true;
			this.usedParent = true;
		}
		return outer;
	}

	#findHere(name: QualifiedName): Bound | undefined {
		const column = name.parts.at(-1)!;
		const qualifier = name.parts.slice(0, -1);
		const merged =
			qualifier.length === 0 ? this.merged.filter((entry) => entry.name === column) : [];
		const hidden = new Set(merged.flatMap((entry) => entry.hides));
		const found: Bound[] = merged.map((entry) => entry.bound);
		if (qualifier.length > 0) this.#only(qualifier, name.at);
		if (qualifier.length === 1) {
			const joined = this.#joins.get(qualifier[0]!) ?? [];
			found.push(...joined.filter((one) => one.name === column).map(({ bound }) => bound));
		}
		for (const relation of this.relations) {
			if (hidden.has(relation) || !matches(relation, qualifier)) continue;
			for (let i = 0; i < relation.columns.length; i++) {
				if (relation.columns[i]!.name === column) found.push(columnOf(relation, i, name.at));
			}
		}
		if (found.length === 0 && column === "tableoid") {
			const relations = this.relations.filter((relation) => matches(relation, qualifier));
			found.push(...relations.flatMap((relation) => tableOid(relation, name.at) ?? []));
		}
		if (found.length > 1) {
			throw new DatabaseError("42702", `column reference "${column}" is ambiguous`, {
				position: name.at + 1,
			});
		}
		if (found[0] !== undefined) markUsed(found[0]);
		return found[0];
	}

	/** The one of this level that a qualifier means. Throws 42P09. */
	#only(qualifier: readonly string[], at: number): Relation | undefined {
		const [found, another] = this.relations.filter((relation) => matches(relation, qualifier));
		if (another === undefined) return found;
		throw new DatabaseError("42P09", `table reference "${qualifier.at(-1)}" is ambiguous`, {
			position: at + 1,
		});
	}

	/** A relation of this or an outer level, by the qualifier of a name. */
	relation(qualifier: readonly string[], at = -1): Relation | undefined {
		const own = this.#only(qualifier, at);
		if (own !== undefined) return own;
		const outer = this.parent?.relation(qualifier, at);
		if (outer !== undefined) {
			this.correlated = true;
			this.usedParent = true;
		}
		return outer;
	}
}

const specifiedTwice = (name: string): DatabaseError =>
	new DatabaseError("42712", `table name "${name}" specified more than once`);

function matches(relation: Relation, qualifier: readonly string[]): boolean {
	if (qualifier.length === 0) return true;
	if (relation.name !== qualifier.at(-1)) return false;
	return qualifier.length === 1 || relation.schema === qualifier.at(-2);
}

export function markUsed(bound: Bound): void {
	if (bound.kind === "column") {
		bound.relation.used[bound.column] = true;
		bound.relation.asked.add(bound.column);
	}
	for (const arg of bound.args) markUsed(arg);
}
