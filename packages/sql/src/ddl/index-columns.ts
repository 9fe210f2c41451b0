/** Columns and predicate of CREATE INDEX: names settled, expressions as texts that mean the same wherever they are read. */
import { DatabaseError } from "@quorate/keys/database-error";
import { collationOids } from "../catalog/collations.ts";
import {
	type ColumnDescriptor,
	columnByAttnum,
	type IndexColumnDescriptor,
	type IndexDescriptor,
	type IndexLabel,
	indexTexts,
	liveColumns,
	type TableDescriptor,
} from "../catalog/descriptor.ts";
import { labelOf } from "../catalog/enum-labels.ts";
import { namedOperatorClass, operatorClassOid } from "../catalog/system-operators.ts";
import { quoteIdentifier } from "../functions/quoting-functions.ts";
import type { Expression, IndexColumn, IndexOptions } from "../parser/ast.ts";
import { storedExpression, tableRelation } from "../plan/bind-table.ts";
import { type Bound, someNode } from "../plan/bound.ts";
import { columnName } from "../plan/column-name.ts";
import { BoundText } from "../plan/deparse-bound.ts";
import { isImmutable } from "../plan/immutable.ts";
import { bindIndexExpression, type IndexClause } from "../plan/index-expression.ts";
import { requireCollatable } from "../plan/type-name.ts";
import { flatten } from "../types/array-values.ts";
import type { ArrayValue, SqlType } from "../types/datum.ts";
import { isEnum, isMadeArray, namedOid } from "../types/made-oids.ts";
import type { SchemaEditor } from "./schema-editor.ts";
import { binderIn } from "./stored-expression.ts";
import { checkIndexable, optionsOf } from "./table-parts.ts";
import { unplaced } from "./unplaced.ts";

/** What an index has beside its name and its rows. */
export type IndexForm = Pick<
	IndexDescriptor,
	"columns" | "predicate" | "labels" | "included" | "nullsNotDistinct"
>;

/** Throws 42703, 42704, 42P17, 0A000. */
export function indexForm(
	editor: SchemaEditor,
	table: TableDescriptor,
	items: readonly IndexColumn[],
	where: Expression | undefined,
	options: IndexOptions,
): IndexForm {
	const maker = new FormMaker(editor, table, table);
	const names = columnNames(items);
	const predicate = where && maker.text(where, "index predicates").text;
	const columns = items.map((item, i) => maker.column(item, names[i]!));
	return { ...maker.form(columns, predicate), ...optionsOf(table.columns, options) };
}

/** The same index of the table after a change of its columns. Throws 42883, 42P17 and the like where it does not go with that. */
export function changedForm(
	editor: SchemaEditor,
	index: IndexDescriptor,
	before: TableDescriptor,
	after: TableDescriptor,
): IndexDescriptor {
	if (indexTexts(index).length === 0) return index;
	// A name that changes is read as it was, one that has another type as it will be.
	const renamed = liveColumns(before).some(
		({ attnum, name }) => columnByAttnum(after, attnum).name !== name,
	);
	const maker = new FormMaker(editor, renamed ? before : after, after);
	try {
		const columns = index.columns.map((column): IndexColumnDescriptor => {
			const { expression } = column;
			if (expression === undefined) return column;
			const { text, bound } = maker.text(storedExpression(expression.text), "index expressions");
			checkIndexable({ name: expression.name, type: bound.type });
			return { ...column, expression: { ...expression, text, type: bound.type } };
		});
		const { predicate } = index;
		const text = predicate && maker.text(storedExpression(predicate), "index predicates").text;
		return { ...index, ...maker.form(columns, text) };
	} catch (error) {
		throw unplaced(error);
	}
}

/** As ChooseIndexColumnNames: each once. */
function columnNames(items: readonly IndexColumn[]): readonly string[] {
	const names: string[] = [];
	for (const { expression } of items) {
		const figured = columnName(expression);
		const base = figured === "?column?" ? "expr" : figured;
		let name = base;
		for (let n = 1; names.includes(name); n++) name = `${base}${n}`;
		names.push(name);
	}
	return names;
}

/** Throws 42704, 42804. */
function classOf(
	{ operatorClass: named }: IndexColumn,
	type: SqlType,
): Pick<IndexColumnDescriptor, "operatorClass"> {
	if (named === undefined) return {};
	const { name, oid } = namedOperatorClass(named.parts.at(-1)!, type);
	return oid === operatorClassOid(type.oid) ? {} : { operatorClass: name };
}

class FormMaker {
	readonly #editor: SchemaEditor;
	/** As expressions read it, and as they are to be written. */
	readonly #read: TableDescriptor;
	readonly #written: readonly ColumnDescriptor[];
	readonly #labels = new Map<string, IndexLabel>();

	constructor(editor: SchemaEditor, read: TableDescriptor, written: TableDescriptor) {
		this.#editor = editor;
		this.#read = read;
		this.#written = liveColumns(written);
	}

	form(columns: readonly IndexColumnDescriptor[], predicate: string | undefined): IndexForm {
		return {
			columns,
			...(predicate === undefined ? {} : { predicate }),
			...(this.#labels.size === 0 ? {} : { labels: [...this.#labels.values()] }),
		};
	}

	column(item: IndexColumn, name: string): IndexColumnDescriptor {
		const { descending, collation } = item;
		const nullsFirst = (item.nulls ?? (descending ? "first" : "last")) === "first";
		const order = {
			descending,
			...(nullsFirst === descending ? {} : { nullsFirst }),
			...(collation === undefined
				? {}
				: { collation: collationOids[collation.name.parts.at(-1)!]! }),
		};
		const node = item.expression;
		if (node.kind === "column" && node.name.parts.length === 1) {
			const named = liveColumns(this.#read).find((column) => column.name === node.name.parts[0]);
			if (named === undefined) {
				throw new DatabaseError("42703", `column "${node.name.parts[0]}" does not exist`);
			}
			checkIndexable(named);
			if (collation !== undefined) requireCollatable(named.type);
			return { attnum: named.attnum, ...order, ...classOf(item, named.type) };
		}
		const { text, bound } = this.text(node, "index expressions");
		checkIndexable({ name, type: bound.type });
		if (collation !== undefined) requireCollatable(bound.type);
		const expression = { text, type: bound.type, name };
		return { attnum: 0, ...order, ...classOf(item, bound.type), expression };
	}

	/** Throws 42P17. */
	text(node: Expression, clause: IndexClause): { readonly text: string; readonly bound: Bound } {
		const { catalog } = this.#editor;
		const binder = binderIn(this.#editor);
		const bound = bindIndexExpression(binder, tableRelation(this.#read, undefined), node, clause);
		if (someNode(bound, (one) => !isImmutable(one))) {
			const what = clause === "index predicates" ? "predicate" : "expression";
			throw new DatabaseError("42P17", `functions in index ${what} must be marked IMMUTABLE`);
		}
		this.#noteLabels(bound);
		const writer = new BoundText({
			column: ({ column }) => quoteIdentifier(this.#written[column]!.name),
			label: (type, sortKey) => labelOf(catalog, type, sortKey),
		});
		return { text: writer.of(bound), bound };
	}

	#noteLabels(bound: Bound): void {
		const { catalog } = this.#editor;
		someNode(bound, (node) => {
			if (node.kind !== "constant" || node.value === null) return false;
			const { oid } = node.type;
			const type = namedOid(oid);
			if (!isEnum(type)) return false;
			const keys = isMadeArray(oid) ? flatten(node.value as ArrayValue) : [node.value];
			for (const sortKey of keys as readonly (string | null)[]) {
				if (sortKey === null) continue;
				const label = labelOf(catalog, type, sortKey);
				this.#labels.set(`${type}:${sortKey}`, { type, label, sortKey });
			}
			return false;
		});
	}
}
