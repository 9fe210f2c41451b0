/** Relations as the binder sees them: the items of FROM and what the planner makes in between. */
import type { SqlType } from "../types/datum.ts";
import type { Bound } from "./bound.ts";

export interface RelationColumn {
	readonly name: string;
	readonly type: SqlType;
	/** pg_class OID and attnum of a plain table column, else 0. */
	readonly tableOid: number;
	readonly attnum: number;
}

/** Of a column that has no name where the relation stands: one that a view does not know. No name is empty. */
export const namelessColumn = "";

export class Relation {
	/** As it is referred to: alias, or the table's name. */
	readonly name: string;
	/** Schema of an unaliased table: `public.t.c` is allowed. */
	readonly schema: string | undefined;
	readonly columns: readonly RelationColumn[];
	/** The table behind it, whatever its alias. */
	readonly table:
		| { readonly schema: string; readonly name: string; readonly kind?: string }
		| undefined;
	/** Which columns any expression refers to: a scan decodes no others. */
	readonly used: boolean[];
	/** Which of them the statement itself names: it needs the right to read those. */
	readonly asked = new Set<number>();

	/** Of a view that is written through: its columns, in terms of the table that is written. */
	expressions: readonly Bound[] | undefined;

	/** Of a function whose values are rows. */
	rowType: SqlType | undefined;

	/** An outer join may find no row of it. */
	isNulled = false;

	/** Columns from here on are found by their names, and are not among those of `*`. */
	starCount = Number.POSITIVE_INFINITY;

	/** A function's only value: its name alone stands for that, not for a row of it. */
	isScalar = false;

	constructor(
		name: string,
		schema: string | undefined,
		columns: readonly RelationColumn[],
		table?: Relation["table"],
	) {
		this.name = name;
		this.schema = schema;
		this.columns = columns;
		this.table = table;
		this.used = columns.map(() => false);
	}

	useAll(): void {
		this.used.fill(true);
	}

	/** All columns, as t.* does. */
	askAll(): void {
		this.useAll();
		for (let i = 0; i < this.columns.length; i++) this.asked.add(i);
	}
}

/** Where the columns of relations lie in the rows that an operator yields. */
export class Layout {
	readonly width: number;
	readonly #bases: ReadonlyMap<Relation, number>;
	/** Single columns of relations that are otherwise gone (group keys). */
	readonly #singles: ReadonlyMap<Relation, ReadonlyMap<number, number>>;

	constructor(
		width: number,
		bases: ReadonlyMap<Relation, number>,
		singles: ReadonlyMap<Relation, ReadonlyMap<number, number>> = new Map(),
	) {
		this.width = width;
		this.#bases = bases;
		this.#singles = singles;
	}

	/** `width` may exceed the relation's columns: a table scan adds the row's key. */
	static of(relation: Relation, width = relation.columns.length): Layout {
		return new Layout(width, new Map([[relation, 0]]));
	}

	static readonly empty = new Layout(0, new Map());

	/** Rows of `this` with rows of `right` after them. */
	join(right: Layout): Layout {
		const bases = new Map(this.#bases);
		for (const [relation, base] of right.#bases) bases.set(relation, base + this.width);
		const singles = new Map(this.#singles);
		for (const [relation, columns] of right.#singles) {
			singles.set(
				relation,
				new Map([...columns].map(([column, slot]) => [column, slot + this.width])),
			);
		}
		return new Layout(this.width + right.width, bases, singles);
	}

	/** -1: not here. */
	slot(relation: Relation, column: number): number {
		const base = this.#bases.get(relation);
		if (base !== undefined) return base + column;
		return this.#singles.get(relation)?.get(column) ?? -1;
	}

	has(relation: Relation): boolean {
		return this.#bases.has(relation) || this.#singles.has(relation);
	}

	relations(): readonly Relation[] {
		return [...this.#bases.keys()];
	}
}
