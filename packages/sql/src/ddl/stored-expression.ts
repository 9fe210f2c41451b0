/**
 * Expressions as the catalog keeps them: as they were bound, with every cast said (`plan/deparse-bound.ts`), so that they are shown as
 * PostgreSQL shows them, and mean the same whatever a literal would be taken for elsewhere. What has no such text, or would lose something
 * in it, is kept as it was written.
 */
import { assert } from "@quorate/keys/assert";
import { DatabaseError } from "@quorate/keys/database-error";
import { liveColumns, type TableDescriptor } from "../catalog/descriptor.ts";
import { labelOf } from "../catalog/enum-labels.ts";
import { quoteIdentifier } from "../functions/quoting-functions.ts";
import type { Expression } from "../parser/ast.ts";
import { expressionStart } from "../parser/parse.ts";
import { storedExpression } from "../plan/bind-table.ts";
import { Binder } from "../plan/binder.ts";
import { type Bound, plainType, someNode, unknownOid } from "../plan/bound.ts";
import { coerce } from "../plan/coerce.ts";
import { BoundText } from "../plan/deparse-bound.ts";
import { folded } from "../plan/folded.ts";
import type { SqlType } from "../types/datum.ts";
import { deparse } from "./deparse.ts";
import { type SchemaEditor, withSchemas } from "./schema-editor.ts";

/** What binds the expressions of a definition. */
export const binderIn = ({ catalog, state }: SchemaEditor): Binder =>
	new Binder(
		{
			catalog,
			virtualTable: state.services.virtualTable,
			searchPath: state.context.searchPath,
			context: state.context,
		},
		[],
		[],
	);

/** What it is, with the literals of dates and times as they are read now. */
export type Bind = (node: Expression) => Bound;

export interface Stored {
	readonly text: string;
	/** Its literals are as they were read; otherwise they are read whenever it is. */
	readonly isRead: boolean;
}

export const storedText = (...given: Parameters<typeof stored>): string => stored(...given).text;

/** `columns`: those that it may name, as they are written. Throws what `bind` does, 0A000. */
export function stored(
	editor: SchemaEditor,
	node: Expression,
	bind: Bind,
	columns: readonly string[],
	own: (node: Expression) => string | undefined = () => undefined,
): Stored {
	const bound = bind(node);
	let isWhole = true;
	const written = deparse(node, {
		...editor.asWritten,
		node: (one) => {
			if (isLost(one)) isWhole = false;
			return own(one);
		},
	});
	const text = isWhole ? boundText(editor, bound, bind, columns) : undefined;
	if (text !== undefined) return { text, isRead: true };
	return { text: withSchemas(editor, written), isRead: false };
}

/** As it is written down: what is assigned says its cast to the column's type nowhere, but an untyped literal is of that type. Throws 42804. */
export function typedFor(
	binder: Binder,
	bound: Bound,
	{ type, name }: { readonly type: SqlType; readonly name: string },
): Bound {
	const assigned = coerce(binder, bound, type, "assignment", name);
	if (bound.type.oid !== unknownOid) return bound;
	return type.modifier < 0 && type.domain === undefined
		? assigned
		: coerce(binder, bound, plainType(type.oid), "assignment", name);
}

/** The texts of a table's columns. */
export const columnTexts = (table: TableDescriptor): readonly string[] =>
	liveColumns(table).map(({ name }) => quoteIdentifier(name));

/** What binding leaves nothing of. */
const isLost = (node: Expression): boolean =>
	node.kind === "collate" ||
	node.kind === "field" ||
	(node.kind === "case" && node.operand !== undefined);

/** Undefined: there is none that means the same. */
function boundText(
	editor: SchemaEditor,
	bound: Bound,
	bind: Bind,
	columns: readonly string[],
): string | undefined {
	const isOther = (one: Bound): boolean =>
		(one.kind === "row" && one.isWhole === true) ||
		(one.kind === "column" && columns[one.column] === undefined);
	if (someNode(bound, isOther)) return undefined;
	const { context } = editor.state;
	const writer = new BoundText({
		column: ({ column }) => columns[column]!,
		label: (type, sortKey) => labelOf(editor.catalog, type, sortKey),
	});
	const textOf = (one: Bound): string => withSchemas(editor, writer.of(folded(one, context)));
	try {
		const text = textOf(bound);
		const again = textOf(bind(storedExpression(text)));
		// An array of another type is read as one whose elements are cast, as PostgreSQL reads it.
		return again === text || text.includes("])::text[])") ? text : undefined;
	} catch (error) {
		if (error instanceof DatabaseError) return undefined;
		throw error;
	}
}

/** The same text with another name for a column. */
export function withColumnRenamed(text: string, from: string, to: string): string {
	const node = storedExpression(text);
	const places = new Set<number>();
	deparse(node, {
		column: (name) => name,
		node: (one) => {
			if (one.kind === "column" && one.name.parts.at(-1) === from) {
				places.add(one.at - expressionStart);
			}
			return undefined;
		},
	});
	let changed = text;
	for (const place of [...places].sort((a, b) => b - a)) {
		// What needs quotes may have been fewer words once.
		const before = text[place] === '"' ? `"${from.replaceAll('"', '""')}"` : from;
		assert(text.startsWith(before, place), () => `${before} stands at ${place} of ${text}`);
		changed = changed.slice(0, place) + quoteIdentifier(to) + changed.slice(place + before.length);
	}
	return changed;
}
