/** What the grammar's rules for statements make of their parts. */
import { DatabaseError } from "@quorate/keys/database-error";
import { collationOids } from "../catalog/collations.ts";
import { cutFields, fieldsMask } from "../types/interval-fields.ts";
import { formatInterval, parseInterval } from "../types/interval-text.ts";
import type {
	Assignment,
	ColumnConstraint,
	ColumnDefinition,
	Deferral,
	ExecuteStatement,
	Expression,
	IndexColumn,
	IndexOptions,
	LikeClause,
	LikePart,
	OnCommit,
	OnConflict,
	Option,
	Part,
	QualifiedName,
	Query,
	RoleReference,
	SchemaElement,
	Select,
	SelectItem,
	Statement,
	TableConstraint,
	TableExpression,
	TransactionModes,
	TypeName,
} from "./ast.ts";
import { undeferred, withDeferrals } from "./build-constraint.ts";
import type { IntervalFields } from "./build-expression.ts";
import { queryNode, type WithClause } from "./build-query.ts";
import type { Token } from "./tokens.ts";
import { unsupported } from "./unsupported.ts";

export const option = (name: string, value: Option["value"], at: number): Option => ({
	name,
	value,
	at,
});

/** COLLATE, of a column or among what is said of it. */
export interface Collation {
	readonly kind: "collate";
	readonly name: string;
	readonly at: number;
}

/** The only order of text is that of its bytes. Throws 0A000. */
export function collateClause(word: Token, { parts }: QualifiedName): Collation {
	const name = parts.at(-1)!;
	if (collationOids[name] === undefined) {
		throw unsupported(`collation "${name}" is`, 'Text is ordered by its bytes, as COLLATE "C".');
	}
	return { kind: "collate", name, at: word.start };
}

export const collated = (type: TypeName, given: Collation | undefined): TypeName =>
	given === undefined ? type : { ...type, collation: { name: given.name, at: given.at } };

/** The type with what is said of it among the constraints, and those. Throws 42601. */
export function withCollation<T extends { readonly kind: string }>(
	type: TypeName,
	given: Collation | undefined,
	clauses: readonly (T | Collation)[],
): readonly [TypeName, readonly T[]] {
	const isCollation = (one: T | Collation): one is Collation => one.kind === "collate";
	const [first, second] = [...(given === undefined ? [] : [given]), ...clauses.filter(isCollation)];
	if (second !== undefined) {
		throw new DatabaseError("42601", "multiple COLLATE clauses not allowed", {
			position: second.at + 1,
		});
	}
	return [collated(type, first), clauses.filter((one): one is T => !isCollation(one))];
}

const isHoursAndMinutes = (fields: IntervalFields): boolean =>
	[fields.first, fields.last].every((field) => field === "hour" || field === "minute");

/** SET TIME ZONE INTERVAL '-08:00' HOUR TO MINUTE: as the setting takes it. Throws 42601, and what an interval's text does. */
export function intervalZone(
	text: string,
	fields: (IntervalFields & { readonly at: number }) | undefined,
): string {
	if (fields === undefined) return `INTERVAL '${formatInterval(parseInterval(text))}'`;
	if (!isHoursAndMinutes(fields)) {
		throw new DatabaseError("42601", "time zone interval must be HOUR or HOUR TO MINUTE", {
			position: fields.at + 1,
		});
	}
	// The last field is the unit of a bare number.
	const unit = /^\s*[+-]?\d+\s*$/.test(text) ? ` ${fields.last}` : "";
	const value = cutFields(parseInterval(text + unit), fieldsMask(fields.first, fields.last));
	return `INTERVAL '${formatInterval(value)}'`;
}

const withOf = (clause: WithClause | undefined) => ({
	with: clause?.tables ?? [],
	recursive: clause?.recursive ?? false,
});

/** A name of a list of columns, with its place. */
interface PlacedColumn {
	readonly name: string;
	readonly path?: readonly Part[];
	readonly at: number;
}

export const placedNames = (columns: readonly PlacedColumn[]) => ({
	columns: columns.map(({ name }) => name),
	columnsAt: columns.map(({ at }) => at),
	...(columns.some(({ path }) => path !== undefined)
		? { path: columns.map(({ path }) => path ?? []) }
		: {}),
});

export const assignmentOf = (
	{ name, ...part }: Omit<PlacedColumn, "at">,
	value: Expression,
	at: number,
): Assignment => ({ column: name, ...part, value, at });

export const conflictTarget = (
	target: readonly IndexColumn[],
	targetAt: number,
	constraint?: string,
) => {
	if (target.some(({ descending }) => descending)) {
		throw new DatabaseError("42P10", "ASC/DESC is not allowed in ON CONFLICT clause", {
			position: targetAt + 1,
		});
	}
	if (target.some(({ nulls }) => nulls !== undefined)) {
		throw new DatabaseError("42P10", "NULLS FIRST/LAST is not allowed in ON CONFLICT clause", {
			position: targetAt + 1,
		});
	}
	const keys = target.map(({ expression: operand, collation: named }): Expression => {
		if (named === undefined) return operand;
		return { kind: "collate", operand, collation: named.name, at: named.at };
	});
	return { target: keys, targetAt, constraint };
};

export const insertNode = (
	[clause, , , table, alias, body, onConflict, returning]: [
		WithClause | undefined,
		Token,
		Token,
		QualifiedName,
		string | undefined,
		ReturnType<typeof placedNames> & {
			readonly source: Query | "default values";
			readonly overriding?: "user" | "system";
		},
		OnConflict | undefined,
		readonly SelectItem[],
	],
	at: number,
): Statement => ({
	kind: "insert",
	table,
	alias,
	...body,
	onConflict,
	returning,
	...withOf(clause),
	at,
});

/** WHERE, or WHERE CURRENT OF. */
interface ChangedRows {
	readonly where: Expression | undefined;
	readonly currentOf?: string;
}

export const updateNode = (
	[clause, , table, alias, , set, from, where, returning]: [
		WithClause | undefined,
		Token,
		QualifiedName,
		string | undefined,
		Token,
		readonly Assignment[],
		readonly TableExpression[],
		ChangedRows,
		readonly SelectItem[],
	],
	at: number,
): Statement => ({
	kind: "update",
	table,
	alias,
	set,
	from,
	...where,
	returning,
	...withOf(clause),
	at,
});

export const deleteNode = (
	[clause, , , table, alias, using, where, returning]: [
		WithClause | undefined,
		Token,
		Token,
		QualifiedName,
		string | undefined,
		readonly TableExpression[],
		ChangedRows,
		readonly SelectItem[],
	],
	at: number,
): Statement => ({
	kind: "delete",
	table,
	alias,
	using,
	...where,
	returning,
	...withOf(clause),
	at,
});

/** SET (a, b) = (1, 2), or = ROW (1, 2), is taken apart. */
export function assignRow(columns: readonly PlacedColumn[], value: Expression): Assignment[] {
	if (value.kind === "scalar-query") {
		return columns.map(({ at, ...target }, i) =>
			assignmentOf(target, columnOfQuery(value.query, i, columns.length, value.at), at),
		);
	}
	const values = value.kind === "row" ? value.elements : [value];
	if (value.kind !== "row" && columns.length > 1) {
		throw new DatabaseError(
			"0A000",
			"source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression",
		);
	}
	if (values.length !== columns.length) {
		throw new DatabaseError("42601", "number of columns does not match number of values");
	}
	return columns.map(({ at, ...target }, i) => assignmentOf(target, values[i] as Expression, at));
}

/** (SELECT column2 FROM (query) AS row (column1, column2)): one column of a query that has several. */
function columnOfQuery(query: Query, index: number, count: number, at: number): Expression {
	const names = Array.from({ length: count }, (_, i) => `column${i + 1}`);
	const column: Expression = {
		kind: "column",
		name: { parts: [names[index] as string], at },
		at,
	};
	const body: Select = {
		kind: "select",
		distinct: "all",
		items: [{ expression: column, alias: undefined }],
		from: [{ kind: "subquery", query, lateral: false, alias: "row", columnAliases: names, at }],
		where: undefined,
		groupBy: [],
		having: undefined,
		at,
	};
	return { kind: "scalar-query", query: queryNode(body, {}, undefined, at), at };
}

export const copyTable = (
	[, binary, table, columns, direction, target, delimiters, options, where]: [
		Token,
		readonly Option[],
		QualifiedName,
		readonly string[],
		"from" | "to",
		"stdin" | "stdout" | { readonly file: string },
		readonly Option[],
		readonly Option[],
		{ readonly condition: Expression; readonly at: number } | undefined,
	],
	at: number,
): Statement => {
	if (where !== undefined && direction === "to") {
		throw new DatabaseError("42601", "WHERE clause not allowed with COPY TO", {
			position: where.at + 1,
		});
	}
	return {
		kind: "copy",
		table,
		columns,
		query: undefined,
		direction,
		target: standard(target, direction),
		options: [...binary, ...delimiters, ...options],
		...(where === undefined ? {} : { where: where.condition }),
		at,
	};
};

export const copyQuery = (
	[, query, , target, options]: [
		Token,
		Query,
		Token,
		"stdin" | "stdout" | { readonly file: string },
		readonly Option[],
	],
	at: number,
): Statement => ({
	kind: "copy",
	table: undefined,
	columns: [],
	query,
	direction: "to",
	target: standard(target, "to"),
	options,
	at,
});

/** PostgreSQL takes STDIN and STDOUT for each other. */
const standard = <T>(target: T, direction: "from" | "to"): T | "stdin" | "stdout" => {
	const isStandard = target === "stdin" || target === "stdout";
	return isStandard ? (direction === "from" ? "stdin" : "stdout") : target;
};

export const columnNode = (
	name: string,
	given: TypeName,
	collation: Collation | undefined,
	clauses: readonly (ColumnConstraint | Deferral | Collation)[],
	at: number,
): ColumnDefinition => {
	const [type, constraints] = withCollation(given, collation, clauses);
	return { name, type, constraints: withDeferrals(constraints), at };
};

export const createDomain = (
	name: QualifiedName,
	given: TypeName,
	collation: Collation | undefined,
	clauses: readonly (ColumnConstraint | Deferral | Collation)[],
	at: number,
) => {
	const [type, constraints] = withCollation(given, collation, clauses);
	return { kind: "create-domain", name, type, constraints: undeferred(constraints), at };
};

type TableElement =
	| ColumnDefinition
	| TableConstraint
	| (Omit<LikeClause, "before"> & { readonly kind: "like" });

const isColumn = (element: TableElement): element is ColumnDefinition => !("kind" in element);

const isLike = (element: TableElement): element is Extract<TableElement, { kind: "like" }> =>
	"kind" in element && element.kind === "like";

const likeable: readonly LikePart[] = [
	"comments",
	"compression",
	"constraints",
	"defaults",
	"generated",
	"identity",
	"indexes",
	"statistics",
	"storage",
];

/** The last word counts. Throws 42601. */
export function likeParts(options: readonly Option[]): readonly LikePart[] {
	const parts = new Set<LikePart>();
	for (const { name, value, at } of options) {
		const named = name === "all" ? likeable : likeable.filter((part) => part === name);
		if (named.length === 0) {
			throw new DatabaseError("42601", `syntax error at or near "${name}"`, { position: at + 1 });
		}
		for (const part of named) {
			if (value === true) parts.add(part);
			else parts.delete(part);
		}
	}
	return [...parts];
}

export const createTable = (
	[, temporary, , ifNotExists, name, , elements, , { options, onCommit }]: [
		Token,
		boolean,
		Token,
		boolean,
		QualifiedName,
		Token,
		readonly TableElement[],
		Token,
		TableTail,
	],
	at: number,
): Statement => ({
	kind: "create-table",
	name,
	ifNotExists,
	temporary,
	columns: elements.filter(isColumn),
	likes: elements.flatMap((e, i) =>
		isLike(e) ? [{ ...e, before: elements.slice(0, i).filter(isColumn).length }] : [],
	),
	constraints: elements.filter((e): e is TableConstraint => "kind" in e && e.kind !== "like"),
	options,
	onCommit,
	as: undefined,
	at,
});

/** WITH (...), ON COMMIT. */
interface TableTail {
	readonly options: readonly Option[];
	readonly onCommit: OnCommit | undefined;
}

export function createTableAs(
	[, temporary, , ifNotExists, name, columns, { options, onCommit }, , query, withData]: [
		Token,
		boolean,
		Token,
		boolean,
		QualifiedName,
		readonly string[],
		TableTail,
		Token,
		Query | ExecuteStatement,
		boolean,
	],
	at: number,
): Statement {
	let as = query;
	if (query.kind === "query" && columns.length > 0) {
		// Column names are column aliases of the query.
		as = queryNode(
			{
				kind: "select",
				distinct: "all",
				items: [{ expression: { kind: "star", qualifier: [], at }, alias: undefined }],
				from: [
					{
						kind: "subquery",
						query,
						lateral: false,
						alias: "*SELECT*",
						columnAliases: columns,
						at,
					},
				],
				where: undefined,
				groupBy: [],
				having: undefined,
				at,
			},
			{},
			undefined,
			at,
		);
	}
	return {
		kind: "create-table",
		name,
		ifNotExists,
		temporary,
		columns: [],
		likes: [],
		constraints: [],
		options,
		onCommit,
		as,
		...(query.kind === "execute" && columns.length > 0 ? { asNames: columns } : {}),
		...(withData ? {} : { withoutData: true }),
		at,
	};
}

export const createIndex = (
	[, unique, , concurrently, named, , table, method, , columns, , include, nulls, , where]: [
		Token,
		boolean,
		Token,
		boolean,
		{ readonly name: string | undefined; readonly ifNotExists: boolean },
		Token,
		QualifiedName,
		string | undefined,
		Token,
		readonly IndexColumn[],
		Token,
		IndexOptions,
		IndexOptions,
		unknown,
		Expression | undefined,
	],
	at: number,
): Statement => ({
	kind: "create-index",
	name: named.name,
	ifNotExists: named.ifNotExists,
	...include,
	...nulls,
	unique,
	concurrently,
	table,
	method,
	columns,
	where,
	at,
});

export function createSequence(
	[, temporary, , ifNotExists, name, options]: [
		Token,
		boolean,
		Token,
		boolean,
		QualifiedName,
		readonly Option[],
	],
	at: number,
): Statement {
	return { kind: "create-sequence", temporary, name, ifNotExists, options, at };
}

export const modesNode = (modes: readonly Partial<TransactionModes>[]): TransactionModes =>
	Object.assign({ isolation: undefined, readOnly: undefined, deferrable: undefined }, ...modes);

export const settingNode = (name: string, value: readonly string[] | undefined) => ({
	kind: "set",
	scope: "session",
	name,
	value,
});

export const explainNode = (
	words: readonly Token[],
	statement: Statement,
	at: number,
): Statement => ({
	kind: "explain",
	options: words.map((word) =>
		option(word.text === "verbose" ? "verbose" : "analyze", undefined, word.start),
	),
	statement,
	at,
});

type CreateView = Extract<Statement, { kind: "create-view" }>;

export function recursiveView([, , name, , columns, , options, , { query, at: queryAt }, check]: [
	Token,
	Token,
	QualifiedName,
	Token,
	readonly string[],
	Token,
	readonly Option[],
	Token,
	{ readonly query: Query; readonly at: number },
	CreateView["check"],
]): Omit<CreateView, "kind" | "replace" | "temporary" | "at"> {
	if (check !== undefined) {
		throw new DatabaseError("0A000", "WITH CHECK OPTION not supported on recursive views", {
			position: check.at + 1,
		});
	}
	return { recursive: true, name, columns, options, query, queryAt, check };
}

/** A name is that of the owner where there is none. */
export function schemaNode(
	name: string | undefined,
	ifNotExists: boolean,
	owner: RoleReference | undefined,
	given: readonly SchemaElement[],
	at: number,
): Statement {
	const [first] = given;
	if (ifNotExists && first !== undefined) {
		throw new DatabaseError("0A000", "CREATE SCHEMA IF NOT EXISTS cannot include schema elements", {
			position: first.at + 1,
		});
	}
	const elements = given.map((one, i) => {
		const next = given[i + 1];
		return one.kind === "create-view" && next !== undefined ? { ...one, end: next.at } : one;
	});
	return { kind: "create-schema", name, ifNotExists, owner, elements, at };
}
