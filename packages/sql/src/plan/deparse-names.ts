/**
 * What relations and columns are called where a query is written down again, as ruleutils.c has it (set_rtable_names,
 * set_relation_column_names): each by the name that it has now, unless the query gave it another; one that is taken gets a number.
 */
import type { CatalogSnapshot } from "../catalog/snapshot.ts";
import { relationByOid } from "../catalog/system-names.ts";
import { systemShapes } from "../catalog/system-shape.ts";
import type { TableExpression } from "../parser/ast.ts";
import type { BindNotes, MergedPair } from "./bind-notes.ts";
import type { Bound } from "./bound.ts";
import type { LogicalFrom } from "./logical.ts";
import type { Relation, RelationColumn } from "./relation.ts";

/** An item of FROM that is no join. */
export interface FromItem {
	readonly node: Exclude<TableExpression, { kind: "join" }>;
	readonly from: Exclude<LogicalFrom, { kind: "join" }>;
}

export interface ItemNames {
	readonly name: string;
	/** The name is not the relation's own. */
	readonly isGiven: boolean;
	/** By column. */
	readonly columns: readonly string[];
	/** Some have other names than their own. */
	readonly areGiven: boolean;
}

/** Of what is in the catalog: its number. */
export function catalogOid(from: FromItem["from"]): number | undefined {
	switch (from.kind) {
		case "table":
		case "virtual":
			return from.table.oid;
		case "subquery":
			return from.view?.oid;
		default:
			return undefined;
	}
}

function currentName(catalog: CatalogSnapshot, { tableOid, attnum, name }: RelationColumn): string {
	const relation = catalog.relation(tableOid);
	if (relation?.kind === "table" || relation?.kind === "view") {
		return relation.columns[attnum - 1]?.name ?? name;
	}
	return systemShapes.find(({ oid }) => oid === tableOid)?.columns[attnum - 1]?.name ?? name;
}

const unique = (name: string, isTaken: (name: string) => boolean): string => {
	let found = name;
	for (let i = 1; isTaken(found); i++) found = `${name}_${i}`;
	return found;
};

/** Those that an expression is made of. */
function* columnsIn(bound: Bound): Iterable<Extract<Bound, { kind: "column" }>> {
	if (bound.kind === "column") yield bound;
	for (const arg of bound.args) yield* columnsIn(arg);
}

/** Of one query level. */
export class QueryNames {
	readonly #parent: QueryNames | undefined;
	readonly #items = new Map<Relation, ItemNames>();
	readonly #taken: Set<string>;
	/** Names of its WITH. */
	readonly #commonTables: ReadonlySet<string>;

	/** A view has the relations of a rule, too. */
	constructor(parent: QueryNames | undefined, commonTables: readonly string[]) {
		this.#parent = parent;
		this.#taken = new Set(parent === undefined ? ["old", "new"] : []);
		this.#commonTables = new Set(commonTables);
	}

	/** All those of FROM, in their order. */
	add(
		catalog: CatalogSnapshot,
		notes: BindNotes,
		items: readonly FromItem[],
		joins: readonly TableExpression[],
	): void {
		const merged = joins.flatMap((join) => notes.usings.get(join) ?? []);
		for (const { node, from } of items) {
			const oid = catalogOid(from);
			const own =
				oid === undefined
					? from.kind === "cte"
						? from.cte.name
						: from.relation.name
					: (relationByOid(catalog, oid)?.name ?? from.relation.name);
			const name = unique(node.alias ?? own, (one) => this.isTaken(one));
			this.#taken.add(name);
			this.#items.set(from.relation, {
				name,
				isGiven: node.alias !== undefined || name !== own,
				...columnNames(catalog, { node, from }, merged),
			});
		}
	}

	isTaken(name: string): boolean {
		return this.#taken.has(name) || this.#parent?.isTaken(name) === true;
	}

	/** Undefined: it is none of a FROM. */
	of(relation: Relation): ItemNames | undefined {
		return this.#items.get(relation) ?? this.#parent?.of(relation);
	}

	isCommonTable(name: string): boolean {
		return this.#commonTables.has(name) || this.#parent?.isCommonTable(name) === true;
	}
}

function columnNames(
	catalog: CatalogSnapshot,
	{ node, from }: FromItem,
	merged: readonly MergedPair[],
): Pick<ItemNames, "columns" | "areGiven"> {
	const { relation } = from;
	const isStored = catalogOid(from) !== undefined;
	const joined = new Map<number, string>();
	for (const { name, left, right } of merged) {
		for (const side of [left, right]) {
			for (const one of columnsIn(side))
				if (one.relation === relation) joined.set(one.column, name);
		}
	}
	const taken = new Set(joined.values());
	const own = relation.columns.map((column) =>
		isStored ? currentName(catalog, column) : column.name,
	);
	const columns = relation.columns.map((column, i) => {
		const known = joined.get(i);
		if (known !== undefined) return known;
		const isAlias = node.columnAliases.includes(column.name);
		const name = unique(isAlias ? column.name : own[i]!, (one) => taken.has(one));
		taken.add(name);
		return name;
	});
	const isChanged = columns.some((name, i) => name !== own[i]);
	const areGiven =
		from.kind === "function" || isChanged || (!isStored && node.columnAliases.length > 0);
	return { columns, areGiven };
}
