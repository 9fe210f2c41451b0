/** Definitions as text: CREATE INDEX, constraints. */
import { quoteIdentifier } from "../functions/quoting-functions.ts";
import { collationName } from "./collations.ts";
import type {
	CheckDescriptor,
	ForeignKeyDescriptor,
	IndexColumnDescriptor,
	IndexDescriptor,
	TableDescriptor,
} from "./descriptor.ts";
import { attributesOf, columnByAttnum, hasNullsFirst, isUnique } from "./descriptor.ts";
import { isCall, prettyExpression } from "./pretty-expression.ts";
import { typeData } from "./system-types.ts";

const columnList = (table: TableDescriptor, index: IndexDescriptor): string =>
	index.columns.map(({ attnum }) => quoteIdentifier(columnByAttnum(table, attnum).name)).join(", ");

/** pg_get_indexdef(oid). `tableName` is qualified or not as the caller shows it. */
export function indexDefinition(
	table: TableDescriptor,
	index: IndexDescriptor,
	tableName: string,
	pretty: boolean,
): string {
	const columns = index.columns.map((column) => {
		const order = column.descending ? " DESC" : "";
		const nulls = hasNullsFirst(column) ? " NULLS FIRST" : " NULLS LAST";
		const isUsual = hasNullsFirst(column) === column.descending;
		return `${indexColumnText(table, column, pretty)}${collationText(table, column)}${classText(column)}${order}${isUsual ? "" : nulls}`;
	});
	const unique = isUnique(index) ? "UNIQUE " : "";
	const name = quoteIdentifier(index.name);
	const include = includeText(table, index);
	const nulls = index.nullsNotDistinct === true ? " NULLS NOT DISTINCT" : "";
	const where =
		index.predicate === undefined ? "" : ` WHERE ${expressionText(index.predicate, pretty)}`;
	return `CREATE ${unique}INDEX ${name} ON ${tableName} USING btree (${columns.join(", ")})${include}${nulls}${where}`;
}

/** Where it is not the column's own. */
function collationText(
	table: TableDescriptor,
	{ attnum, collation, expression }: IndexColumnDescriptor,
): string {
	const own = expression === undefined ? columnByAttnum(table, attnum) : expression;
	const usual =
		("collation" in own ? own.collation : undefined) ?? typeData(own.type.oid)?.collation;
	if (collation === undefined || collation === usual) return "";
	return ` COLLATE ${quoteIdentifier(collationName(collation))}`;
}

const classText = ({ operatorClass }: IndexColumnDescriptor): string =>
	operatorClass === undefined ? "" : ` ${quoteIdentifier(operatorClass)}`;

const includeText = (table: TableDescriptor, { included }: IndexDescriptor): string =>
	included === undefined ? "" : ` INCLUDE (${namesOf(table, included)})`;

/** Stored is what pg_get_expr shows, with all parentheses. */
export const expressionText = (text: string, pretty: boolean): string =>
	pretty ? prettyExpression(text) : text;

/** A column of an index, as its definition has it. */
export function indexColumnText(
	table: TableDescriptor,
	{ attnum, expression }: IndexColumnDescriptor,
	pretty: boolean,
): string {
	if (expression === undefined) return quoteIdentifier(columnByAttnum(table, attnum).name);
	const text = expressionText(expression.text, pretty);
	return isCall(expression.text) ? text : `(${text})`;
}

/** pg_get_indexdef(oid, column, pretty). */
export function indexColumnDefinition(
	table: TableDescriptor,
	index: IndexDescriptor,
	column: number,
	pretty: boolean,
): string {
	const found = attributesOf(index)[column - 1];
	return found === undefined ? "" : indexColumnText(table, found, pretty);
}

export function keyDefinition(table: TableDescriptor, index: IndexDescriptor): string {
	const nulls = index.nullsNotDistinct === true ? " NULLS NOT DISTINCT" : "";
	const kind = isPrimary(table, index) ? "PRIMARY KEY" : `UNIQUE${nulls}`;
	const parts = [`${kind} (${columnList(table, index)})${includeText(table, index)}`];
	if (index.deferrable !== undefined) parts.push("DEFERRABLE");
	if (index.deferrable?.initiallyDeferred === true) parts.push("INITIALLY DEFERRED");
	return parts.join(" ");
}

export function checkDefinition(check: CheckDescriptor, pretty: boolean): string {
	const parts = [`CHECK (${expressionText(check.text, pretty)})`];
	if (check.noInherit === true) parts.push("NO INHERIT");
	if (check.notValid === true) parts.push("NOT VALID");
	return parts.join(" ");
}

export const isPrimary = (table: TableDescriptor, index: IndexDescriptor): boolean =>
	index.oid === table.primary.oid || index.deferrable?.primaryKey === true;

const namesOf = (table: TableDescriptor, attnums: readonly number[]): string =>
	attnums.map((attnum) => quoteIdentifier(columnByAttnum(table, attnum).name)).join(", ");

/** `parentName` is qualified or not as the caller shows it. */
export function foreignKeyDefinition(
	table: TableDescriptor,
	key: ForeignKeyDescriptor,
	parent: TableDescriptor,
	parentName: string,
): string {
	const own = namesOf(table, key.columns);
	const referenced = namesOf(parent, key.referencedColumns);
	const parts = [`FOREIGN KEY (${own}) REFERENCES ${parentName}(${referenced})`];
	if (key.matchFull) parts.push("MATCH FULL");
	if (key.onUpdate !== "no action") parts.push(`ON UPDATE ${key.onUpdate.toUpperCase()}`);
	if (key.onDelete !== "no action") parts.push(`ON DELETE ${key.onDelete.toUpperCase()}`);
	if (key.setColumns.length > 0) parts.push(`(${namesOf(table, key.setColumns)})`);
	if (key.deferrable) parts.push("DEFERRABLE");
	if (key.initiallyDeferred) parts.push("INITIALLY DEFERRED");
	if (!key.validated) parts.push("NOT VALID");
	return parts.join(" ");
}
