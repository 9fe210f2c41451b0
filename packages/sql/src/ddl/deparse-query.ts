/**
 * A view's query as PostgreSQL's pg_get_viewdef writes it, for the common forms: names that may change later are parts of their own
 * (`DefinitionPart`). What is not among those forms is shown as it was written.
 */
import type { DefinitionPart } from "../catalog/descriptor.ts";
import { isEnclosed } from "../catalog/system-definitions.ts";
import { quoteIdentifier } from "../functions/quoting-functions.ts";
import type { Expression, OrderItem, Query, Select, TableExpression } from "../parser/ast.ts";
import type { Bound } from "../plan/bound.ts";
import { columnName } from "../plan/column-name.ts";
import type { Relation } from "../plan/relation.ts";
import type { ViewMaking } from "../plan/view-names.ts";
import { deparse } from "./deparse.ts";

type TableItem = Extract<TableExpression, { kind: "table" }>;

/** The query has something that is not written here. */
class NotShown extends Error {
	override readonly name = "NotShown";
}

interface Item {
	readonly node: Expression;
	readonly bound: Bound | undefined;
	readonly name: string;
}

/** Stand for parts within text. */
const mark = "\u0001";
const markPattern = new RegExp(`${mark}(\\d+)${mark}`);

class Writer {
	readonly #making: ViewMaking;
	readonly #parts: DefinitionPart[] = [];
	/** Relations that go by the name of their table, and those whose columns have names of their own. */
	readonly #unaliased = new Map<Relation, number>();
	readonly #renamed = new Set<Relation>();

	constructor(making: ViewMaking) {
		this.#making = making;
		for (const [item, relation] of making.tables) {
			const oid = relation.columns[0]?.tableOid ?? 0;
			if (item.kind !== "table" || oid === 0) continue;
			if (item.alias === undefined) this.#unaliased.set(relation, oid);
			if (item.columnAliases.length > 0) this.#renamed.add(relation);
		}
	}

	parts(text: string): readonly DefinitionPart[] {
		return text
			.split(markPattern)
			.map((piece, i) => (i % 2 === 0 ? piece : this.#parts[Number(piece)]!))
			.filter((piece) => piece !== "");
	}

	#mark(part: DefinitionPart): string {
		this.#parts.push(part);
		return `${mark}${this.#parts.length - 1}${mark}`;
	}

	/** `names`: of the view's columns; undefined: those that the query gives them. */
	query(query: Query, names: readonly string[] | undefined): string {
		if (query.with.length > 0 || query.locking.length > 0 || query.withTies === true) {
			throw new NotShown();
		}
		const body = this.#body(query, names);
		const limits = [
			query.offset === undefined ? "" : `\n OFFSET ${this.#expression(query.offset)}`,
			query.limit === undefined ? "" : `\n LIMIT ${this.#expression(query.limit)}`,
		];
		return body + limits.join("");
	}

	#body(query: Query, names: readonly string[] | undefined): string {
		const { body } = query;
		if (body.kind === "values") throw new NotShown();
		if (body.kind === "select") return this.#select(body, query.orderBy, names);
		if (query.orderBy.length > 0) throw new NotShown();
		const isNested = [body.left, body.right].some(
			({ body: inner, orderBy, limit, offset }) =>
				inner.kind !== "select" ||
				orderBy.length > 0 ||
				limit !== undefined ||
				offset !== undefined,
		);
		if (isNested) throw new NotShown();
		const operator = `${body.operator.toUpperCase()}${body.all ? " ALL" : ""}`;
		return `${this.query(body.left, names)}\n${operator}\n${this.query(body.right, names)}`;
	}

	#select(
		select: Select,
		orderBy: readonly OrderItem[],
		names: readonly string[] | undefined,
	): string {
		if (select.grouping !== undefined || (select.windows ?? []).length > 0) throw new NotShown();
		if (typeof select.distinct !== "string") throw new NotShown();
		const items = this.#items(select, names);
		const clauses = [
			` SELECT ${select.distinct === "distinct" ? "DISTINCT " : ""}`,
			items.map((item) => this.#output(item)).join(",\n    "),
		];
		if (select.from.length > 0) {
			clauses.push(`\n   FROM ${select.from.map((item) => this.#from(item)).join(",\n    ")}`);
		}
		if (select.where !== undefined) clauses.push(`\n  WHERE ${this.#condition(select.where)}`);
		if (select.groupBy.length > 0) {
			const keys = select.groupBy.map((node) => this.#key(node, items));
			clauses.push(`\n  GROUP BY ${keys.join(", ")}`);
		}
		if (select.having !== undefined) clauses.push(`\n HAVING ${this.#condition(select.having)}`);
		if (orderBy.length > 0) {
			const keys = orderBy.map((item) => this.#order(item, items));
			clauses.push(`\n  ORDER BY ${keys.join(", ")}`);
		}
		return clauses.join("");
	}

	#items(select: Select, names: readonly string[] | undefined): readonly Item[] {
		const items = select.items.flatMap(({ expression: node, alias }): Item[] => {
			if (node.kind !== "star") {
				return [{ node, bound: this.#making.columns.get(node), name: alias ?? columnName(node) }];
			}
			const outputs = this.#making.stars.get(node);
			if (outputs === undefined) throw new NotShown();
			return outputs.map(({ name, bound }) => ({ node, bound, name }));
		});
		return items.map((item, i) => ({ ...item, name: names?.[i] ?? item.name }));
	}

	#output({ node, bound, name }: Item): string {
		if (bound === undefined) {
			const text = this.#outer(this.#expression(node));
			return name === "?column?" ? text : `${text} AS ${quoteIdentifier(name)}`;
		}
		if (bound.kind !== "column") throw new NotShown();
		const { relation, column } = bound;
		const { tableOid, attnum, name: own } = relation.columns[column]!;
		if (tableOid !== 0 && !this.#renamed.has(relation)) {
			return this.#column(bound) + this.#mark({ as: name, column: attnum, of: tableOid });
		}
		return this.#column(bound) + (own === name ? "" : ` AS ${quoteIdentifier(name)}`);
	}

	#column(bound: Bound): string {
		if (bound.kind !== "column") throw new NotShown();
		const { relation, column } = bound;
		const { tableOid, attnum, name } = relation.columns[column]!;
		const unaliased = this.#unaliased.get(relation);
		const qualifier =
			unaliased === undefined ? quoteIdentifier(relation.name) : this.#mark({ alias: unaliased });
		const own =
			tableOid === 0 || this.#renamed.has(relation)
				? quoteIdentifier(name)
				: this.#mark({ column: attnum, of: tableOid });
		return `${qualifier}.${own}`;
	}

	#expression(node: Expression): string {
		return deparse(node, {
			column: () => {
				throw new NotShown();
			},
			node: (one) => this.#special(one),
			type: (name) => this.#making.types.get(name.name.join("\0"))?.oid,
		});
	}

	#special(node: Expression): string | undefined {
		switch (node.kind) {
			case "column": {
				const bound = this.#making.columns.get(node);
				if (bound === undefined) throw new NotShown();
				return this.#column(bound);
			}
			case "call":
				return this.#call(node);
			case "star":
			case "fields":
			case "exists":
			case "scalar-query":
			case "array-query":
			case "in-query":
			case "quantified":
			case "grouping":
			case "slice":
				throw new NotShown();
			default:
				return undefined;
		}
	}

	#call(node: Extract<Expression, { kind: "call" }>): string | undefined {
		const isPlain =
			node.filter === undefined &&
			node.over === undefined &&
			node.withinGroup === undefined &&
			node.orderBy.length === 0;
		if (!isPlain) throw new NotShown();
		const name = quoteIdentifier(node.name.parts.at(-1)!);
		if (node.star) return `${name}(*)`;
		if (!node.distinct) return undefined;
		return `${name}(DISTINCT ${node.args.map((one) => this.#expression(one)).join(", ")})`;
	}

	/** The outermost parentheses of an expression are those that a pretty one goes without. */
	#outer(text: string): string {
		if (!isEnclosed(text)) return text;
		return this.#mark({ paren: "(" }) + text.slice(1, -1) + this.#mark({ paren: ")" });
	}

	#condition(node: Expression): string {
		if (node.kind !== "operator" || node.operator !== "and") {
			return this.#outer(this.#expression(node));
		}
		const terms = conjuncts(node).map((one) => this.#outer(this.#expression(one)));
		return this.#mark({ paren: "(" }) + terms.join(" AND ") + this.#mark({ paren: ")" });
	}

	/** What GROUP BY and ORDER BY name by its place or its name in the list, they show in full. */
	#key(node: Expression, items: readonly Item[]): string {
		const ordinal = node.kind === "literal" && node.type === "integer" ? Number(node.text) : 0;
		const name =
			node.kind === "column" && !this.#making.columns.has(node) ? node.name.parts[0] : undefined;
		const item = ordinal > 0 ? items[ordinal - 1] : items.find((one) => one.name === name);
		if (item?.bound !== undefined && (ordinal > 0 || name !== undefined)) {
			return this.#column(item.bound);
		}
		return this.#expression(
			item === undefined || (ordinal === 0 && name === undefined) ? node : item.node,
		);
	}

	#order({ expression, descending, nulls }: OrderItem, items: readonly Item[]): string {
		const isFirst = nulls === "first";
		const placed =
			nulls === undefined || isFirst === descending ? "" : ` NULLS ${isFirst ? "FIRST" : "LAST"}`;
		return `${this.#key(expression, items)}${descending ? " DESC" : ""}${placed}`;
	}

	#from(item: TableExpression): string {
		switch (item.kind) {
			case "table":
				return this.#table(item);
			case "join":
				return this.#join(item);
			case "subquery": {
				if (item.lateral || item.columnAliases.length > 0 || item.alias === undefined) {
					throw new NotShown();
				}
				const inner = this.query(item.query, undefined).replaceAll("\n", "\n        ");
				return `(${inner}) ${quoteIdentifier(item.alias)}`;
			}
			default:
				throw new NotShown();
		}
	}

	#table(item: TableItem): string {
		const oid = this.#making.tables.get(item)?.columns[0]?.tableOid ?? 0;
		if (oid === 0) throw new NotShown();
		const name = this.#mark({ relation: oid });
		if (item.alias === undefined && item.columnAliases.length > 0) throw new NotShown();
		const alias = item.alias === undefined ? "" : ` ${quoteIdentifier(item.alias)}`;
		const columns =
			item.columnAliases.length === 0
				? ""
				: `(${this.#making.tables
						.get(item)!
						.columns.map((one) => quoteIdentifier(one.name))
						.join(", ")})`;
		return name + alias + columns;
	}

	#join(item: Extract<TableExpression, { kind: "join" }>): string {
		if (item.natural) throw new NotShown();
		const word = item.type === "inner" ? "JOIN" : `${item.type.toUpperCase()} JOIN`;
		const on =
			item.using.length > 0
				? ` USING (${item.using.map(quoteIdentifier).join(", ")})`
				: item.on === undefined
					? ""
					: ` ON ${this.#mark({ paren: "(" })}${this.#condition(item.on)}${this.#mark({ paren: ")" })}`;
		const right =
			item.right.kind === "join" ? `(${this.#from(item.right)})` : this.#from(item.right);
		const text = `${this.#from(item.left)}\n     ${word} ${right}${on}`;
		return this.#mark({ paren: "(" }) + text + this.#mark({ paren: ")" });
	}
}

function conjuncts(node: Expression): readonly Expression[] {
	return node.kind === "operator" && node.operator === "and"
		? node.operands.flatMap(conjuncts)
		: [node];
}

/** `text`: as it was written. */
export function deparseView(
	query: Query,
	making: ViewMaking,
	names: readonly string[],
	text: string,
): readonly DefinitionPart[] {
	if (text.includes(mark)) return [` ${text};`];
	const writer = new Writer(making);
	try {
		return writer.parts(`${writer.query(query, names)};`);
	} catch (error) {
		if (error instanceof NotShown || isUnwritten(error)) return [` ${text};`];
		throw error;
	}
}

/** What `deparse` has no text for. */
const isUnwritten = (error: unknown): boolean =>
	error instanceof Error && "code" in error && error.code === "0A000";
