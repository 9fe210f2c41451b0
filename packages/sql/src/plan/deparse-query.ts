/**
 * Queries as PostgreSQL's ruleutils.c writes them: how pg_get_viewdef shows a view. It goes along the syntax tree with what the binder has
 * found of it (`bind-notes.ts`), so that every name is the one that is valid now, every cast is said and every literal has its type.
 */
import type { CatalogSnapshot } from "../catalog/snapshot.ts";
import { qualified, relationByOid, shortName } from "../catalog/system-names.ts";
import { typeName } from "../catalog/type-names.ts";
import { plainLiteral, quoteIdentifier } from "../functions/quoting-functions.ts";
import type {
	CommonTable,
	Expression,
	GroupElement,
	Query,
	Select,
	TableExpression,
} from "../parser/ast.ts";
import type { SqlType } from "../types/datum.ts";
import { castName, type FunctionContext } from "../types/registry.ts";
import type { BindNotes } from "./bind-notes.ts";
import { type Bound, plainType, textType, unknownOid } from "./bound.ts";
import { BoundText } from "./deparse-bound.ts";
import { catalogOid, type FromItem, QueryNames } from "./deparse-names.ts";
import { directionOf, NodeText, NotShown, typed } from "./deparse-nodes.ts";
import { Indentation, indent, lineMark, withLines } from "./indentation.ts";
import type { FunctionSource, LogicalQuery } from "./logical.ts";

type Values = Extract<LogicalQuery["body"], { kind: "values" }>;
type SetOperation = Extract<Query["body"], { kind: "set-operation" }>;
type JoinItem = Extract<TableExpression, { kind: "join" }>;

const waits = { block: "", nowait: " NOWAIT", "skip locked": " SKIP LOCKED" };

export class QueryText {
	readonly #catalog: CatalogSnapshot;
	readonly #context: FunctionContext;
	readonly #notes: BindNotes;
	readonly #pretty: boolean;
	readonly #lines = new Indentation();
	readonly #text: BoundText;
	readonly #nodes: NodeText;
	#names: QueryNames | undefined;

	constructor(
		catalog: CatalogSnapshot,
		context: FunctionContext,
		notes: BindNotes,
		{ pretty, searchPath }: { readonly pretty: boolean; readonly searchPath: readonly string[] },
	) {
		this.#catalog = catalog;
		this.#context = context;
		this.#notes = notes;
		this.#pretty = pretty;
		this.#nodes = new NodeText(catalog, notes, { ...context, searchPath }, pretty, {
			namesOf: (relation) => {
				const names = this.#names?.of(relation);
				if (names === undefined) throw new NotShown();
				return names;
			},
			query: (query) => this.#query(query, undefined, false),
			type: (type) => this.#type(type),
		});
		this.#text = new BoundText(this.#nodes, { pretty, context, indentation: this.#lines });
		this.#nodes.text = this.#text;
	}

	/** `names`: of the view's columns. Throws `NotShown`. */
	of(query: Query, names: readonly string[]): string {
		return withLines(this.#query(query, names, true));
	}

	#type(type: SqlType): string {
		const made = type.domain ?? type.oid;
		return typeName(this.#catalog, this.#context.searchPath, made) ?? castName(type);
	}

	/** `visible`: what its columns are called matters. */
	#query(query: Query, names: readonly string[] | undefined, visible: boolean): string {
		const outer = this.#names;
		const { level } = this.#lines;
		this.#names = new QueryNames(
			outer,
			query.with.map(({ name }) => name),
		);
		const { body } = query;
		const items: FromItem[] = [];
		const joins: TableExpression[] = [];
		if (body.kind === "select") for (const item of body.from) this.#collect(item, items, joins);
		this.#names.add(this.#catalog, this.#notes, items, joins);
		const text =
			this.#with(query) +
			this.#body(query, names, visible) +
			this.#order(query) +
			this.#limits(query) +
			this.#locking(query, items);
		this.#names = outer;
		this.#lines.level = level;
		return text;
	}

	#collect(node: TableExpression, items: FromItem[], joins: TableExpression[]): void {
		const from = this.#notes.froms.get(node);
		if (node.kind === "join") {
			joins.push(node);
			this.#collect(node.left, items, joins);
			this.#collect(node.right, items, joins);
		} else if (from !== undefined && from.kind !== "join") items.push({ node, from });
		else throw new NotShown();
	}

	#clause(word: string, plus: number): string {
		return `${this.#lines.line(-indent.clause, indent.clause, plus)}${word} `;
	}

	#with({ with: tables, recursive }: Query): string {
		if (tables.length === 0) return "";
		this.#lines.level += indent.clause;
		const texts = tables.map((table) => this.#commonTable(table));
		this.#lines.level -= indent.clause;
		return ` WITH ${recursive ? "RECURSIVE " : ""}${texts.join(", ")}${this.#lines.line()}`;
	}

	#commonTable({ name, columns, query, materialized, search, cycle }: CommonTable): string {
		if (query.kind !== "query") throw new NotShown();
		const list = (names: readonly string[]): string => names.map(quoteIdentifier).join(", ");
		const word =
			materialized === undefined
				? ""
				: materialized === "always"
					? "MATERIALIZED "
					: "NOT MATERIALIZED ";
		const given = columns.length === 0 ? "" : `(${list(columns)})`;
		let text = `${quoteIdentifier(name)}${given} AS ${word}(${this.#lines.line()}`;
		text += this.#query(query, undefined, true);
		text += `${this.#lines.line()})`;
		if (search !== undefined) {
			text += ` SEARCH ${search.breadth ? "BREADTH" : "DEPTH"} FIRST BY ${list(search.columns)} SET ${quoteIdentifier(search.column)}`;
		}
		if (cycle !== undefined) {
			text += ` CYCLE ${list(cycle.columns)} SET ${quoteIdentifier(cycle.mark)}`;
			const [found, otherwise] = (cycle.values ?? []).map(bareConstant);
			const isPlain = found === undefined || (found === "true" && otherwise === "false");
			text += isPlain ? "" : ` TO ${found} DEFAULT ${otherwise}`;
			text += ` USING ${quoteIdentifier(cycle.path)}`;
		}
		return text;
	}

	#body(query: Query, names: readonly string[] | undefined, visible: boolean): string {
		const { body } = query;
		if (body.kind === "set-operation") return this.#setOperation(body, names, visible);
		const logical = this.#notes.queries.get(query);
		if (logical === undefined) throw new NotShown();
		if (body.kind === "select") return this.#select(body, logical, names, visible);
		this.#lines.level += indent.clause;
		if (logical.body.kind !== "values") throw new NotShown();
		const rows = this.#values(body.rows, logical.body);
		const isRenamed = names?.some((name, i) => name !== logical.columns[i]!.name) === true;
		if (!isRenamed) return ` ${rows}`;
		const from = quoteIdentifier("*VALUES*");
		const items = names!.map((name, i) => {
			const column = `column${i + 1}`;
			return `${from}.${column}${name === column ? "" : ` AS ${quoteIdentifier(name)}`}`;
		});
		const list = items.join(`, ${this.#lines.line(-indent.clause, indent.clause, indent.branch)}`);
		return ` SELECT ${list}${this.#clause(" FROM", 2)}(${rows}) ${from}`;
	}

	#values(rows: readonly (readonly Expression[])[], { rows: bounds }: Values): string {
		const texts = rows.map(
			(row, i) => `(${row.map((node, j) => this.#unforced(node, bounds[i]![j]!)).join(",")})`,
		);
		return `VALUES ${texts.join(", ")}`;
	}

	/** Without the cast to the type that its place wants. */
	#unforced(node: Expression, bound: Bound): string {
		const own = this.#notes.bounds.get(node);
		if (own === undefined || own.type.oid === unknownOid) return this.#text.part(bound);
		return own.type.oid === bound.type.oid
			? this.#text.part(own)
			: this.#text.inner(own, bound, "cast");
	}

	/** An expression that says its type itself. */
	#own(node: Expression): string {
		return this.#text.part(this.#boundOf(node));
	}

	#boundOf(node: Expression): Bound {
		const bound = this.#notes.bounds.get(node);
		if (bound === undefined) throw new NotShown();
		return this.#typed(bound);
	}

	#setOperation(
		body: SetOperation,
		names: readonly string[] | undefined,
		visible: boolean,
	): string {
		const { left, right, operator, all } = body;
		const isOther = (side: Query): boolean =>
			isNested(side) && !(side.body.operator === operator && side.body.all === all);
		const lines = this.#lines;
		let text = "";
		if (isOther(left)) {
			text += `(${lines.line(indent.clause)}`;
			text += this.#side(left, names, visible);
			text += `${lines.line(-indent.clause)}) `;
		} else text += this.#side(left, names, visible) + lines.line();
		text += `${operator.toUpperCase()} ${all ? "ALL " : ""}`;
		if (!isNested(right)) return `${text}${lines.line()}${this.#side(right, names, false)}`;
		text += `(${lines.line(indent.clause)}${this.#side(right, names, false)}`;
		lines.level -= indent.clause;
		return `${text}${lines.line()})`;
	}

	#side(query: Query, names: readonly string[] | undefined, visible: boolean): string {
		if (isNested(query)) return this.#setOperation(query.body, names, visible);
		const text = this.#query(query, names, visible);
		return isPlain(query) ? text : `(${text})`;
	}

	#select(
		select: Select,
		logical: LogicalQuery,
		names: readonly string[] | undefined,
		visible: boolean,
	): string {
		this.#lines.level += indent.clause;
		let text = ` SELECT${this.#distinct(select)}`;
		const outputs = this.#notes.outputs.get(select) ?? [];
		for (const [i, { name, bound }] of outputs.entries()) {
			const type = logical.columns[i]!.type;
			const output = this.#typed(bound, type);
			const shown = this.#output(output, names?.[i] ?? name, visible);
			text += i === 0 ? " " : ", ";
			if (i > 0 && !shown.startsWith(lineMark)) {
				text += this.#lines.line(-indent.clause, indent.clause, indent.branch);
			}
			text += shown;
		}
		for (const [i, item] of select.from.entries()) {
			text += i === 0 ? this.#clause(" FROM", 2) : ", ";
			const shown = this.#from(item);
			if (i > 0) text += this.#lines.line(-indent.clause, indent.clause, indent.branch);
			text += shown;
		}
		if (select.where !== undefined) text += this.#clause(" WHERE", 1) + this.#own(select.where);
		text += this.#groups(select);
		if (select.having !== undefined) text += this.#clause(" HAVING", 0) + this.#own(select.having);
		const windows = (select.windows ?? []).map(
			({ name, window }) => `${quoteIdentifier(name)} AS ${this.#nodes.window(window)}`,
		);
		return windows.length === 0 ? text : text + this.#clause(" WINDOW", 1) + windows.join(", ");
	}

	#distinct({ distinct }: Select): string {
		if (typeof distinct === "string") return distinct === "distinct" ? " DISTINCT" : "";
		return ` DISTINCT ON (${distinct.on.map((node) => this.#key(node)).join(", ")})`;
	}

	#output(bound: Bound, name: string, visible: boolean): string {
		const variable = this.#nodes.variable(bound, true);
		const text = variable?.text ?? this.#text.part(bound);
		const own = variable === undefined && !visible ? "?column?" : variable?.name;
		return own === name ? text : `${text} AS ${quoteIdentifier(name)}`;
	}

	#groups({ groupBy, grouping }: Select): string {
		const keys =
			grouping === undefined
				? groupBy.map((node) => this.#key(node))
				: grouping.elements.map((element) => this.#groupElement(element, true));
		if (keys.length === 0) return "";
		return `${this.#clause(" GROUP BY", 1)}${grouping?.distinct ? "DISTINCT " : ""}${keys.join(", ")}`;
	}

	/** `bare`: a key alone has no parentheses. */
	#groupElement(element: GroupElement, bare: boolean): string {
		const set = (nodes: readonly Expression[], isBare: boolean): string => {
			const keys = nodes.map((node) => this.#key(node)).join(", ");
			return isBare && nodes.length === 1 ? keys : `(${keys})`;
		};
		switch (element.kind) {
			case "set":
				return set(element.expressions, bare);
			case "sets":
				return `GROUPING SETS (${element.elements.map((one) => this.#groupElement(one, false)).join(", ")})`;
			default:
				return `${element.kind.toUpperCase()}(${element.lists.map((list) => set(list, true)).join(", ")})`;
		}
	}

	/** What a key means may stand elsewhere. */
	#key(node: Expression): string {
		const bound = this.#notes.keys.get(node);
		return this.#nodes.key(bound === undefined ? this.#boundOf(node) : this.#typed(bound));
	}

	#typed(bound: Bound, type = textType): Bound {
		return typed(bound, type.oid === unknownOid ? textType : type, this.#context);
	}

	#order(query: Query): string {
		const { body, orderBy } = query;
		if (orderBy.length === 0) return "";
		const slots = this.#notes.queries.get(query)!.orderBy.map(({ slot }) => slot + 1);
		const keys = orderBy.map((item, i) => {
			if (body.kind === "select") return this.#key(item.expression) + directionOf(item);
			const column = body.kind === "values" ? `"*VALUES*".column` : "";
			return `${column}${slots[i]}${directionOf(item)}`;
		});
		return `${this.#clause(" ORDER BY", 1)}${keys.join(", ")}`;
	}

	#limits({ offset, limit, withTies }: Query): string {
		let text = "";
		if (offset !== undefined) text += `${this.#clause(" OFFSET", 0)}${this.#count(offset)}`;
		if (limit === undefined) return text;
		if (withTies) {
			return `${text}${this.#clause(" FETCH FIRST", 0)}(${this.#count(limit)}) ROWS WITH TIES`;
		}
		return `${text}${this.#clause(" LIMIT", 0)}${limit.kind === "null" ? "ALL" : this.#count(limit)}`;
	}

	/** Its cast to bigint is not said. */
	#count(node: Expression): string {
		const bound = this.#notes.bounds.get(node);
		if (bound === undefined) throw new NotShown();
		return this.#text.inner(this.#typed(bound, plainType(20)), bound, "cast");
	}

	#locking({ locking }: Query, items: readonly FromItem[]): string {
		let text = "";
		for (const { strength, of, wait } of locking) {
			for (const { from } of items) {
				if (of.length > 0 && !of.includes(from.relation.name)) continue;
				const name = quoteIdentifier(this.#names!.of(from.relation)!.name);
				text += `${this.#clause(` FOR ${strength.toUpperCase()}`, 0)}OF ${name}${waits[wait]}`;
			}
		}
		return text;
	}

	#from(item: TableExpression): string {
		if (item.kind === "join") return this.#join(item);
		const from = this.#notes.froms.get(item);
		if (from === undefined || from.kind === "join") throw new NotShown();
		const { name, columns, isGiven, areGiven } = this.#names!.of(from.relation)!;
		const text = this.#source({ node: item, from });
		const alias = isGiven || areGiven ? ` ${quoteIdentifier(name)}` : "";
		if (item.kind === "function" && item.definitions !== undefined && from.kind === "function") {
			const list = from.sources[0]!.columns.map(
				(column, i) => `${quoteIdentifier(columns[i]!)} ${this.#type(column.type)}`,
			);
			return `${text}${alias}(${list.join(", ")})`;
		}
		return `${text}${alias}${areGiven ? `(${columns.map(quoteIdentifier).join(", ")})` : ""}`;
	}

	#source({ node, from }: FromItem): string {
		const oid = catalogOid(from);
		if (oid !== undefined) {
			const relation = relationByOid(this.#catalog, oid);
			if (relation === undefined) throw new NotShown();
			return this.#names!.isCommonTable(relation.name)
				? qualified(relation)
				: shortName(this.#catalog, this.#context, relation);
		}
		if (from.kind === "cte") return quoteIdentifier(from.cte.name);
		if (node.kind === "subquery") {
			return `${node.lateral ? "LATERAL " : ""}(${this.#query(node.query, undefined, true)})`;
		}
		if (node.kind !== "function" || from.kind !== "function") throw new NotShown();
		const lateral = node.lateral || from.lateral ? "LATERAL " : "";
		return `${lateral}${this.#functions(from.sources)}${from.ordinality ? " WITH ORDINALITY" : ""}`;
	}

	#functions(sources: readonly FunctionSource[]): string {
		if (sources.length === 1) return this.#function(sources[0]!);
		if (sources.every(({ name }) => name === "unnest")) {
			return `UNNEST(${this.#text.list(sources.flatMap(({ args }) => args))})`;
		}
		return `ROWS FROM(${sources.map((source) => this.#function(source)).join(", ")})`;
	}

	#function({ fn, name, args }: FunctionSource): string {
		if (fn !== undefined) return `${quoteIdentifier(name)}(${this.#text.list(args)})`;
		const bound = args[0]!;
		const text = this.#text.part(bound);
		const isCall = ["call", "coalesce", "nullif", "extreme"].includes(bound.kind);
		return isCall ? text : `CAST(${text} AS ${this.#type(bound.type)})`;
	}

	#join(item: JoinItem): string {
		const pairs = this.#notes.usings.get(item) ?? [];
		const isBare = item.on === undefined && pairs.length === 0;
		const isInner = item.type === "inner" || item.type === "cross";
		const word = isInner ? (isBare ? "CROSS JOIN" : "JOIN") : `${item.type.toUpperCase()} JOIN`;
		let text = this.#from(item.left);
		text += `${this.#lines.line(-indent.clause, indent.clause, 4)} ${word} `;
		const right = this.#from(item.right);
		text += this.#pretty && item.right.kind === "join" ? `(${right})` : right;
		if (pairs.length > 0) {
			text += ` USING (${pairs.map(({ name }) => quoteIdentifier(name)).join(", ")})`;
		} else if (item.on !== undefined) {
			const on = this.#own(item.on);
			text += ` ON ${this.#pretty ? on : `(${on})`}`;
		} else if (!isInner) text += " ON TRUE";
		return this.#pretty ? text : `(${text})`;
	}
}

/** Where nothing but a constant may stand: PostgreSQL writes a cast there, and reads none. */
function bareConstant(node: Expression): string {
	if (node.kind === "boolean") return String(node.value);
	if (node.kind !== "literal") throw new NotShown();
	return node.type === "string" ? plainLiteral(node.text) : node.text;
}

/** An operation within an operation, not a query of its own. */
function isNested(query: Query): query is Query & { readonly body: SetOperation } {
	return query.body.kind === "set-operation" && isPlain(query);
}

const isPlain = (query: Query): boolean =>
	query.with.length === 0 &&
	query.orderBy.length === 0 &&
	query.locking.length === 0 &&
	query.limit === undefined &&
	query.offset === undefined;
