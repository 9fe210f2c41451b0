/** Expressions that the catalog keeps as text (defaults, checks), parsed once for each table descriptor. */
import { assert } from "@quorate/keys/assert";
import type { TableDescriptor } from "../catalog/descriptor.ts";
import { lex, parse } from "../parser/parse.ts";
import type { ParsedExpression, TableExpressions } from "./binder.ts";

const cache = new WeakMap<TableDescriptor, Promise<TableExpressions>>();

export async function parseExpression(
	text: string,
	yieldNow: () => Promise<void>,
): Promise<ParsedExpression> {
	const lexed = lex(`SELECT ${text}`)[0]!;
	const statement = await parse(lexed, yieldNow);
	assert(statement.kind === "query" && statement.body.kind === "select", "an expression");
	return { expression: statement.body.items[0]!.expression, literals: lexed.literals };
}

async function load(
	table: TableDescriptor,
	yieldNow: () => Promise<void>,
): Promise<TableExpressions> {
	const defaults = new Map<number, ParsedExpression>();
	for (const column of table.columns) {
		if (column.defaultText === undefined || column.dropped) continue;
		defaults.set(column.attnum, await parseExpression(column.defaultText, yieldNow));
	}
	const checks: TableExpressions["checks"][number][] = [];
	for (const check of table.checks) {
		checks.push({ name: check.name, parsed: await parseExpression(check.text, yieldNow) });
	}
	return { defaults, checks };
}

export function tableExpressions(
	table: TableDescriptor,
	yieldNow: () => Promise<void>,
): Promise<TableExpressions> {
	let known = cache.get(table);
	if (known === undefined) {
		known = load(table, yieldNow);
		cache.set(table, known);
		known.catch(() => cache.delete(table));
	}
	return known;
}
