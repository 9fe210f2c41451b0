/** Definitions as text: CREATE INDEX, constraints. */
import { quoteIdentifier } from "../functions/quoting-functions.ts";
import type {
	CheckDescriptor,
	ForeignKeyDescriptor,
	IndexDescriptor,
	TableDescriptor,
} from "./descriptor.ts";
import { columnByAttnum, isUnique } from "./descriptor.ts";

const columnList = (table: TableDescriptor, index: IndexDescriptor): string =>
	index.columns.map(({ attnum }) => quoteIdentifier(columnByAttnum(table, attnum).name)).join(", ");

/** pg_get_indexdef(oid). `tableName` is qualified or not as the caller shows it. */
export function indexDefinition(
	table: TableDescriptor,
	index: IndexDescriptor,
	tableName: string,
): string {
	const columns = index.columns.map(({ attnum, descending }) => {
		const name = quoteIdentifier(columnByAttnum(table, attnum).name);
		return descending ? `${name} DESC` : name;
	});
	const unique = isUnique(index) ? "UNIQUE " : "";
	const name = quoteIdentifier(index.name);
	return `CREATE ${unique}INDEX ${name} ON ${tableName} USING btree (${columns.join(", ")})`;
}

/** pg_get_indexdef(oid, column, pretty). */
export function indexColumnDefinition(
	table: TableDescriptor,
	index: IndexDescriptor,
	column: number,
): string {
	const attnum = index.columns[column - 1]?.attnum;
	return attnum === undefined ? "" : quoteIdentifier(columnByAttnum(table, attnum).name);
}

export function keyDefinition(table: TableDescriptor, index: IndexDescriptor): string {
	const parts = [
		`${isPrimary(table, index) ? "PRIMARY KEY" : "UNIQUE"} (${columnList(table, index)})`,
	];
	if (index.deferrable !== undefined) parts.push("DEFERRABLE");
	if (index.deferrable?.initiallyDeferred === true) parts.push("INITIALLY DEFERRED");
	return parts.join(" ");
}

/** Stored is what pg_get_expr shows, with all parentheses; pretty, the outermost ones are left out. */
export const expressionText = (text: string, pretty: boolean): string =>
	pretty && isEnclosed(text) ? text.slice(1, -1) : text;

export const checkDefinition = (check: CheckDescriptor, pretty: boolean): string =>
	`CHECK (${expressionText(check.text, pretty)})${check.notValid === undefined ? "" : " NOT VALID"}`;

/** Whether the first parenthesis is closed by the last. */
export function isEnclosed(text: string): boolean {
	if (!text.startsWith("(")) return false;
	let depth = 0;
	let quote = "";
	for (const [i, character] of [...text].entries()) {
		if (quote !== "") {
			if (character === quote) quote = "";
		} else if (character === "'" || character === '"') quote = character;
		else if (character === "(") depth++;
		else if (character === ")" && --depth === 0) return i === [...text].length - 1;
	}
	return false;
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
