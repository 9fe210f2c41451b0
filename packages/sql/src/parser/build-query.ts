/** What the grammar's rules for queries and FROM items make of their parts. */
import { DatabaseError } from "@quorate/keys/database-error";
import type {
	ColumnType,
	CommonTable,
	Expression,
	GroupElement,
	NamedWindow,
	OrderItem,
	QualifiedName,
	Query,
	QueryBody,
	Select,
	SelectInto,
	SelectItem,
	Statement,
	TableExpression,
} from "./ast.ts";
import type { Token } from "./tokens.ts";
import { unsupported } from "./unsupported.ts";

/** PostgreSQL's limit of a target list. */
const TARGETS_MAX = 1664;

interface Tail {
	readonly orderBy?: readonly OrderItem[];
	readonly limit?: Expression | undefined;
	readonly offset?: Expression | undefined;
	readonly withTies?: boolean;
	readonly locking?: Query["locking"];
}

/** WITH TIES comes with its count. */
export const limited = (
	limit: Expression | { readonly count: Expression; readonly withTies: true } | undefined,
): Tail =>
	limit !== undefined && "withTies" in limit
		? { limit: limit.count, withTies: true }
		: { limit: limit as Expression | undefined };

/** ORDER BY x USING >. */
export function sortUsing(
	expression: Expression,
	operator: Token,
	nulls: OrderItem["nulls"],
): OrderItem {
	if (operator.text !== "<" && operator.text !== ">") {
		throw new DatabaseError("42809", `operator ${operator.text} is not a valid ordering operator`, {
			hint: 'Ordering operators must be "<" or ">" members of btree operator families.',
		});
	}
	return { expression, descending: operator.text === ">", nulls };
}

export interface WithClause {
	readonly tables: readonly CommonTable[];
	readonly recursive: boolean;
}

interface Alias {
	readonly name: string;
	readonly columns: readonly string[];
}

interface FunctionAlias {
	readonly name: string | undefined;
	readonly columns: readonly string[];
	readonly definitions?: readonly ColumnType[];
}

export const queryNode = (
	body: QueryBody,
	tail: Tail,
	clause: WithClause | undefined,
	at: number,
): Query => ({
	kind: "query",
	with: clause?.tables ?? [],
	recursive: clause?.recursive ?? false,
	body,
	orderBy: tail.orderBy ?? [],
	limit: tail.limit,
	offset: tail.offset,
	...(tail.withTies === true ? { withTies: true } : {}),
	locking: tail.locking ?? [],
	at,
});

/** (query) ORDER BY ...: the clauses inside and outside are one query's, and none may be there twice. */
export function aroundQuery(
	inner: Query,
	tail: Tail,
	clause: WithClause | undefined,
	at: number,
): Query {
	const { orderBy = [], limit, offset, locking = [] } = tail;
	refuseSecond("ORDER BY", inner.orderBy.length > 0 && orderBy.length > 0);
	refuseSecond("OFFSET", inner.offset !== undefined && offset !== undefined);
	refuseSecond("LIMIT", inner.limit !== undefined && limit !== undefined);
	refuseSecond("WITH", inner.with.length > 0 && clause !== undefined);
	return {
		...inner,
		with: clause?.tables ?? inner.with,
		recursive: clause?.recursive ?? inner.recursive,
		orderBy: orderBy.length > 0 ? orderBy : inner.orderBy,
		limit: limit ?? inner.limit,
		offset: offset ?? inner.offset,
		...(tail.withTies === true ? { withTies: true } : {}),
		locking: [...inner.locking, ...locking],
		at,
	};
}

function refuseSecond(clause: string, twice: boolean): void {
	if (twice) {
		throw new DatabaseError("42601", `multiple ${clause} clauses not allowed`);
	}
}

/** SEARCH or CYCLE of what writes. */
export function notRecursive(): never {
	throw new DatabaseError("42601", "WITH query is not recursive");
}

export const twoLimits = (): DatabaseError =>
	new DatabaseError("42601", "LIMIT #,# syntax is not supported", {
		hint: "Use separate LIMIT and OFFSET clauses.",
	});

const selectAll = (table: TableExpression, at: number): Select => ({
	kind: "select",
	distinct: "all",
	items: [{ expression: { kind: "star", qualifier: [], at }, alias: undefined }],
	from: [table],
	where: undefined,
	groupBy: [],
	having: undefined,
	at,
});

export const tableQuery = (name: QualifiedName, at: number): Select =>
	selectAll(tableNode(name, undefined, at), at);

export function selectNode(
	[, distinct, items, into, from, asOf, where, group, having, windows]: [
		Token,
		Select["distinct"],
		readonly SelectItem[],
		SelectInto | undefined,
		readonly TableExpression[],
		Expression | undefined,
		Expression | undefined,
		Pick<Select, "groupBy" | "grouping">,
		Expression | undefined,
		readonly NamedWindow[],
	],
	at: number,
): Select {
	if (items.length > TARGETS_MAX) {
		throw new DatabaseError("54011", `target lists can have at most ${TARGETS_MAX} entries`);
	}
	const select = { kind: "select" as const, distinct, items, from, where, ...group, having, at };
	return {
		...select,
		...(windows.length > 0 ? { windows } : {}),
		...(into === undefined ? {} : { into }),
		...(asOf === undefined ? {} : { asOf }),
	};
}

/** INTO stands in the first SELECT of all. */
function withoutInto(query: Query): readonly [Query, SelectInto | undefined] {
	const { body } = query;
	if (body.kind === "set-operation") {
		const [left, into] = withoutInto(body.left);
		return [into === undefined ? query : { ...query, body: { ...body, left } }, into];
	}
	if (body.kind !== "select" || body.into === undefined) return [query, undefined];
	const { into, ...select } = body;
	return [{ ...query, body: select }, into];
}

/** A statement. */
export function queryOrInto(query: Query, at: number): Statement {
	const [as, into] = withoutInto(query);
	if (into === undefined) return query;
	const { name, temporary } = into;
	return {
		kind: "create-table",
		name,
		ifNotExists: false,
		temporary,
		columns: [],
		likes: [],
		constraints: [],
		options: [],
		onCommit: undefined,
		as,
		at,
	};
}

const asOperand = (side: Query | QueryBody): Query =>
	side.kind === "query" ? side : queryNode(side, {}, undefined, side.at);

/** Throws 42601. */
export const setOperation = (
	[left, word, every, right]: [Query | QueryBody, Token, boolean, Query | QueryBody],
	_at: number,
): QueryBody => {
	if (right.kind === "select" && right.into !== undefined) {
		throw new DatabaseError(
			"42601",
			"INTO is only allowed on first SELECT of UNION/INTERSECT/EXCEPT",
			{ position: right.into.name.at + 1 },
		);
	}
	return {
		kind: "set-operation",
		operator: word.text as "union" | "intersect" | "except",
		all: every,
		left: asOperand(left),
		right: asOperand(right),
		at: word.start,
	};
};

/** (a, b) groups by both; ROLLUP and CUBE look like calls. */
export function groupElement(item: Expression, at: number): GroupElement {
	if (item.kind === "call" && item.name.parts.length === 1) {
		const [name] = item.name.parts;
		if (name === "rollup" || name === "cube") {
			if (item.args.length === 0) {
				throw new DatabaseError("42601", 'syntax error at or near ")"');
			}
			return { kind: name, lists: item.args.map(partOf), at };
		}
	}
	return { kind: "set", expressions: partOf(item), at };
}

const partOf = (item: Expression): readonly Expression[] =>
	item.kind === "row" ? item.elements : [item];

/** Plain lists of expressions, which almost all are, stay so. */
export function groupClause(
	distinct: boolean,
	elements: readonly GroupElement[],
): Pick<Select, "groupBy" | "grouping"> {
	const groupBy: Expression[] = [];
	for (const element of elements) {
		if (element.kind !== "set" || element.expressions.length === 0) {
			return { groupBy: [], grouping: { distinct, elements } };
		}
		groupBy.push(...element.expressions);
	}
	return { groupBy };
}

export const tableNode = (
	name: QualifiedName,
	alias: Alias | undefined,
	at: number,
): TableExpression => ({
	kind: "table",
	name,
	alias: alias?.name,
	columnAliases: alias?.columns ?? [],
	at,
});

export const functionTable = (
	[lateral, call, ordinality, alias]: [boolean, Expression, boolean, FunctionAlias | undefined],
	at: number,
): TableExpression => functionNode(lateral, [call], ordinality, alias, at);

export const functionsTable = (
	[lateral, , , , calls, , ordinality, alias]: [
		boolean,
		Token,
		Token,
		Token,
		readonly Expression[],
		Token,
		boolean,
		Alias | undefined,
	],
	at: number,
): TableExpression => functionNode(lateral, calls, ordinality, alias, at);

function functionNode(
	lateral: boolean,
	calls: readonly Expression[],
	ordinality: boolean,
	alias: FunctionAlias | undefined,
	at: number,
): TableExpression {
	return {
		kind: "function",
		calls: calls.map((call) => {
			if (call.kind === "call") return call;
			throw unsupported("a cast in FROM is", "Put it into a subquery: FROM (SELECT ...).");
		}),
		lateral,
		ordinality,
		alias: alias?.name,
		columnAliases: alias?.columns ?? [],
		definitions: alias?.definitions,
		at,
	};
}

export function subqueryTable(
	[lateral, query, alias]: [boolean, Query, Alias | undefined],
	at: number,
): TableExpression {
	if (alias === undefined) {
		const values = query.body.kind === "values";
		throw new DatabaseError(
			"42601",
			`${values ? "VALUES" : "subquery"} in FROM must have an alias`,
			{ hint: `For example, FROM (${values ? "VALUES" : "SELECT"} ...) [AS] foo.` },
		);
	}
	const { name, columns: columnAliases } = alias;
	return { kind: "subquery", query, lateral, alias: name, columnAliases, at };
}

/** (a JOIN b ...) AS j: what is within is not in sight. */
export const joinTable = (
	[, join, , alias]: [Token, TableExpression, Token, Alias],
	at: number,
): TableExpression => ({
	kind: "subquery",
	query: queryNode(selectAll(join, at), {}, undefined, at),
	lateral: true,
	alias: alias.name,
	columnAliases: alias.columns,
	at,
});

export const joinNode = (
	type: "inner" | "left" | "right" | "full" | "cross",
	left: TableExpression,
	right: TableExpression,
	qual: {
		natural?: boolean;
		on?: Expression;
		using?: readonly string[];
		alias?: string | undefined;
	},
	at: number,
): TableExpression => ({
	kind: "join",
	type,
	natural: qual.natural ?? false,
	left,
	right,
	on: qual.on,
	using: qual.using ?? [],
	...(qual.alias === undefined ? {} : { usingAlias: qual.alias }),
	at,
});
