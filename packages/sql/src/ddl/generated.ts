/** GENERATED ALWAYS AS (...) STORED: the expression of a column over the others of its table. */
import { DatabaseError } from "@quorate/keys/database-error";
import {
	type ColumnDescriptor,
	isGenerated,
	liveColumns,
	type TableDescriptor,
} from "../catalog/descriptor.ts";
import type { AlterTableAction, Expression } from "../parser/ast.ts";
import {
	bindGenerated,
	bindGeneration,
	storedExpression,
	tableRelation,
} from "../plan/bind-table.ts";
import { type Bound, someNode } from "../plan/bound.ts";
import { folded } from "../plan/folded.ts";
import { isImmutable } from "../plan/immutable.ts";
import type { NewColumn } from "./column-definition.ts";
import { columnsIn } from "./deparse.ts";
import type { SchemaEditor } from "./schema-editor.ts";
import { binderIn, columnTexts, stored, typedFor } from "./stored-expression.ts";
import { columnNamed, replaceColumn } from "./table-parts.ts";

/** The table with the expressions of columns that it has. Throws 42P17. */
export function withGenerated(
	editor: SchemaEditor,
	table: TableDescriptor,
	made: readonly NewColumn[],
): TableDescriptor {
	const names = new Set(
		[
			...liveColumns(table).filter(isGenerated),
			...made.filter(({ generated }) => generated !== undefined).map(({ column }) => column),
		].map(({ name }) => name),
	);
	const texts = new Map<number, string>();
	for (const { column, generated } of made) {
		if (generated === undefined) continue;
		texts.set(column.attnum, generationText(editor, table, column, generated, names));
	}
	if (texts.size === 0) return table;
	const columns = table.columns.map((one) => {
		const generatedText = texts.get(one.attnum);
		return generatedText === undefined ? one : { ...one, generatedText };
	});
	return { ...table, columns };
}

/** `generated`: names of all generated columns. */
function generationText(
	editor: SchemaEditor,
	table: TableDescriptor,
	column: ColumnDescriptor,
	expression: Expression,
	generated: ReadonlySet<string>,
): string {
	const binder = binderIn(editor);
	const bind = (node: Expression): Bound =>
		typedFor(binder, bindGeneration(binder, tableRelation(table, undefined), node), column);
	const { text, isRead } = stored(editor, expression, bind, columnTexts(table));
	const relation = tableRelation(table, undefined);
	const given = bindGenerated(binder, column, relation, expression);
	const bound = isRead ? folded(given, binder.environment.context) : given;
	someNode(bound, (node) => {
		const name = node.kind === "column" ? node.relation.columns[node.column]!.name : undefined;
		if (name === undefined || !generated.has(name)) return false;
		throw new DatabaseError(
			"42P17",
			`cannot use generated column "${name}" in column generation expression`,
			{
				detail: "A generated column cannot reference another generated column.",
				position: node.at + 1,
			},
		);
	});
	if (someNode(bound, (node) => !isImmutable(node))) {
		throw new DatabaseError("42P17", "generation expression is not immutable");
	}
	return text;
}

/** What has been computed stays, and is a column's like any other. Throws 55000. */
export async function dropExpression(
	editor: SchemaEditor,
	table: TableDescriptor,
	{ column: name, ifExists }: Extract<AlterTableAction, { kind: "drop-expression" }>,
): Promise<void> {
	const column = columnNamed(table, name);
	const { generatedText, ...plain } = column;
	if (generatedText !== undefined) {
		await editor.put(replaceColumn(table, column, plain));
		return;
	}
	const message = `column "${name}" of relation "${table.name}" is not a stored generated column`;
	if (!ifExists) throw new DatabaseError("55000", message);
	editor.state.notice("NOTICE", "00000", `${message}, skipping`);
}

/** Generated columns that a column goes into. */
export const generatedFrom = (
	table: TableDescriptor,
	column: ColumnDescriptor,
): readonly ColumnDescriptor[] =>
	liveColumns(table).filter(
		({ generatedText }) =>
			generatedText !== undefined && columnsIn(storedExpression(generatedText)).has(column.name),
	);
