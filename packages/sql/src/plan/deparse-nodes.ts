/** Of expressions what has a text only within a query, or looks otherwise there: variables, aggregates, windows, subqueries. */
import { DatabaseError } from "@quorate/keys/database-error";
import { rowFieldsIn } from "../catalog/row-fields.ts";
import type { CatalogSnapshot } from "../catalog/snapshot.ts";
import { quoteIdentifier } from "../functions/quoting-functions.ts";
import type { Expression, FrameBound, OrderItem, Query, WindowDefinition } from "../parser/ast.ts";
import type { Datum, SqlType } from "../types/datum.ts";
import { isRow } from "../types/made-oids.ts";
import { type FunctionContext, typeByOid } from "../types/registry.ts";
import type { BindNotes } from "./bind-notes.ts";
import {
	type AggregateCall,
	type Bound,
	type BoundOrder,
	constant,
	plainType,
	textType,
	unknownOid,
} from "./bound.ts";
import type { BoundNames, BoundText, ColumnBound } from "./deparse-bound.ts";
import type { ItemNames } from "./deparse-names.ts";
import { classOf, type NodeClass } from "./deparse-parens.ts";
import { bare } from "./deparse-words.ts";
import { foldedHere } from "./folded.ts";
import type { Relation } from "./relation.ts";
import { windowParts } from "./window.ts";

/** The query has something that is not written here. */
export class NotShown extends Error {
	override readonly name = "NotShown";
}

/** A column, as it stands in the text. */
export interface Variable {
	readonly text: string;
	/** Undefined: it is a whole row. */
	readonly name: string | undefined;
}

interface Around {
	/** Throws `NotShown`. */
	namesOf(relation: Relation): ItemNames;
	query(query: Query): string;
	type(type: SqlType): string;
}

/** Literals that are of the moment at which they are read. */
const ofNow = /\b(?:now|today|tomorrow|yesterday)\b/i;
const isRegistered = (oid: number): boolean => [24, 2202, 2203, 2204, 2205, 2206].includes(oid);

/** Of an untyped one, or that of an interval, which has its unit put behind it. */
function literalOf(bound: Bound, context: FunctionContext): string | undefined {
	if (bound.kind === "constant") {
		return bound.type.oid === unknownOid ? (bound.value as string) : undefined;
	}
	const [value, unit] = bound.args;
	if (bound.kind !== "call" || bound.name !== "||" || unit?.at !== bound.at) return undefined;
	if (unit.kind !== "constant" || value === undefined) return undefined;
	const given = evaluated(value, context);
	return typeof given === "string" ? `${given}${unit.value}` : undefined;
}

/** Of calls on constants. */
function evaluated(bound: Bound, context: FunctionContext): unknown {
	if (bound.kind === "constant") return bound.value;
	if (bound.kind !== "call") return undefined;
	return bound.fn.call(
		bound.args.map((arg) => evaluated(arg, context) as Datum),
		context,
		bound.argTypes,
	);
}

export const direction = (descending: boolean, nullsFirst: boolean): string =>
	(descending ? " DESC" : "") +
	(nullsFirst === descending ? "" : ` NULLS ${nullsFirst ? "FIRST" : "LAST"}`);

/** An untyped literal, as the type that it gets. */
export function typed(bound: Bound, type: SqlType, context: FunctionContext): Bound {
	if (bound.type.oid !== unknownOid || bound.kind !== "constant") return bound;
	const { value } = bound;
	const read = value === null ? null : typeByOid(type.oid)!.parse(String(value), -1, context);
	return constant(read, plainType(type.oid), bound.at);
}

export class NodeText implements BoundNames {
	readonly #catalog: CatalogSnapshot;
	readonly #notes: BindNotes;
	readonly #context: FunctionContext;
	readonly #around: Around;
	readonly #pretty: boolean;
	/** Columns of USING that are made of both sides. */
	readonly #merged: ReadonlyMap<Bound, string>;
	text!: BoundText;

	/** `context`: with the schemas in which the query looks for names. */
	constructor(
		catalog: CatalogSnapshot,
		notes: BindNotes,
		context: FunctionContext,
		pretty: boolean,
		around: Around,
	) {
		this.#catalog = catalog;
		this.#notes = notes;
		this.#context = context;
		this.#pretty = pretty;
		this.#around = around;
		const pairs = [...notes.usings.values()].flat();
		this.#merged = new Map(
			pairs.flatMap(({ merged, name }) => (merged.kind === "column" ? [] : [[merged, name]])),
		);
	}

	type(type: SqlType): string {
		return this.#around.type(type);
	}

	column({ relation, column }: ColumnBound): string {
		const { name, columns } = this.#around.namesOf(relation);
		return `${quoteIdentifier(name)}.${quoteIdentifier(columns[column]!)}`;
	}

	/** `isTop`: where `t.*` would stand for the columns of t. */
	variable(bound: Bound, isTop: boolean): Variable | undefined {
		const merged = this.#merged.get(bound);
		if (merged !== undefined) return { text: quoteIdentifier(merged), name: merged };
		const written = this.#notes.written.get(bound);
		if (written?.kind === "collate" || this.#notes.outerCalls.has(bound)) return undefined;
		if (bound.kind === "column") {
			const name = this.#around.namesOf(bound.relation).columns[bound.column]!;
			return { text: this.column(bound), name };
		}
		if (written?.kind !== "column" && written?.kind !== "star") return undefined;
		const relation = relationIn(bound);
		if (relation === undefined) throw new NotShown();
		const own = quoteIdentifier(this.#around.namesOf(relation).name);
		if (written.kind === "column" && written.name.parts.at(-1) === "tableoid") {
			return { text: `${own}.tableoid`, name: "tableoid" };
		}
		const whole = `${own}.*`;
		return { text: isTop ? `${whole}::${this.#rowType(relation)}` : whole, name: undefined };
	}

	#rowType({ table }: Relation): string {
		if (table === undefined) return "record";
		const { searchPath } = this.#context;
		const isVisible =
			searchPath.find((schema) => this.#catalog.object(schema, table.name)) === table.schema;
		const name = quoteIdentifier(table.name);
		return isVisible ? name : `${quoteIdentifier(table.schema)}.${name}`;
	}

	folded(bound: Bound): Bound {
		const [operand] = bound.args;
		const { type, at } = bound;
		if (operand === undefined) return bound;
		if (bound.kind !== "cast") return this.#signed(bound) ?? bound;
		const literal = literalOf(operand, this.#context);
		if (literal === undefined || ofNow.test(literal)) return bound;
		if (!isRegistered(type.oid) && operand.kind === "constant") {
			return this.#tried(bound, () => foldedHere(bound, this.#context));
		}
		return this.#tried(bound, () =>
			constant(bound.cast.apply(literal, type, this.#context), type, at),
		);
	}

	/** A sign is part of the number that it stands before, unless that is cast first. */
	#signed(bound: Bound): Bound | undefined {
		const written = this.#notes.written.get(bound);
		const isSigned = written?.kind === "operator" && written.operands[0]?.kind === "literal";
		return isSigned ? foldedHere(bound, this.#context) : undefined;
	}

	/** What cannot be read now stays as it was written. */
	#tried(bound: Bound, make: () => Bound): Bound {
		try {
			return make();
		} catch (error) {
			if (error instanceof DatabaseError) return bound;
			throw error;
		}
	}

	isWritten(bound: Bound): boolean {
		return this.#notes.written.has(bound);
	}

	classOf(bound: Bound): NodeClass | undefined {
		if (this.#notes.rows.has(bound)) return "other";
		if (this.#merged.has(bound)) return "whole";
		const written = this.#notes.written.get(bound)?.kind;
		if (written === "collate") return "other";
		return written === "column" || written === "star" ? "whole" : undefined;
	}

	own(bound: Bound): string | undefined {
		const variable = this.variable(bound, false);
		if (variable !== undefined) return variable.text;
		const rows = this.#notes.rows.get(bound);
		if (rows !== undefined) {
			const [left, right] = [rows.left, rows.right].map((side) => `ROW(${this.text.list(side)})`);
			return `(${left} ${rows.symbol} ${right})`;
		}
		const written = this.#notes.written.get(bound);
		if (written?.kind === "subscript" && bound.kind === "call") return this.#step(bound);
		if (written?.kind === "collate") return this.#collated(bound, written);
		if (written?.kind === "case" && written.operand !== undefined && bound.kind === "case") {
			return this.#cases(bound, written.operand);
		}
		return this.#kind(bound);
	}

	#kind(bound: Bound): string | undefined {
		const { args } = bound;
		const outer = this.#notes.outerCalls.get(bound);
		if (outer !== undefined) return this.#aggregate(outer, this.#call(bound));
		switch (bound.kind) {
			case "aggregate":
				return this.#aggregate(bound.call, this.#call(bound));
			case "window":
				return this.#window(bound);
			case "grouping":
				return `GROUPING(${this.text.list(args)})`;
			case "set-call":
				return `${quoteIdentifier(bound.name)}(${this.text.list(args)})`;
			case "subquery":
				return this.#subquery(bound);
			case "field":
				return this.#field(bound);
			case "row": {
				if (bound.isWhole) throw new NotShown();
				const texts = args.map((arg) => this.variable(arg, true)?.text ?? this.text.part(arg));
				const isNamed = isRow(bound.type.oid);
				return `ROW(${texts.join(", ")})${isNamed ? `::${this.type(bound.type)}` : ""}`;
			}
			case "argument":
				throw new NotShown();
			default:
				return undefined;
		}
	}

	/** Of a document. */
	#step({ args }: Bound): string {
		const [document, path] = args as [Bound, Bound];
		const steps = path.args.map((step) => {
			const isNumber = step.kind === "cast" && step.args[0]!.type.oid === 23;
			return `[${this.text.part(isNumber ? step.args[0]! : step)}]`;
		});
		const text = this.text.part(document);
		return `${document.kind === "column" ? text : `(${text})`}${steps.join("")}`;
	}

	#collated(
		bound: Bound,
		{ operand, collation }: Extract<Expression, { kind: "collate" }>,
	): string {
		const inner = this.#notes.bounds.get(operand);
		const shown = inner === undefined || inner.type.oid === unknownOid ? { ...bound } : inner;
		const text = `${this.text.inner(shown, bound, "other")} COLLATE ${quoteIdentifier(collation.parts.at(-1)!)}`;
		return this.#pretty ? text : `(${text})`;
	}

	#cases({ args }: Bound, operand: Expression): string {
		const given = this.#notes.bounds.get(operand);
		if (given === undefined) throw new NotShown();
		const values = args.flatMap((arg, i) =>
			i % 2 === 0 && i + 1 < args.length ? [arg.args[1]!] : [],
		);
		const results = args.filter((_, i) => i % 2 === 1 || i + 1 === args.length);
		return this.text.cases(typed(given, textType, this.#context), values, results);
	}

	#call(bound: Bound): Extract<Expression, { kind: "call" }> {
		const written = this.#notes.written.get(bound);
		if (written?.kind !== "call") throw new NotShown();
		return written;
	}

	#aggregate(
		{ fn, name, args: given, distinct, filter, orderBy, direct }: AggregateCall,
		node: Extract<Expression, { kind: "call" }>,
	): string {
		const args = given.map((arg, i) => this.text.based(arg, fn.args[i]));
		const called = `${quoteIdentifier(name)}(${distinct ? "DISTINCT " : ""}`;
		const filtered = filter === undefined ? "" : `) FILTER (WHERE ${this.text.part(filter)}`;
		if (node.withinGroup !== undefined) {
			const first = this.text.list(args.slice(0, direct));
			return `${called}${first}) WITHIN GROUP (ORDER BY ${this.#orders(orderBy)}${filtered})`;
		}
		const listed = node.star ? "*" : this.text.list(args);
		// By what the arguments were before they got the types that the function wants.
		const keys = orderBy.map((item) => ({
			...item,
			expression: args.find((arg) => this.#isOf(arg, item.expression)) ?? item.expression,
		}));
		const ordered = node.orderBy.length === 0 ? "" : ` ORDER BY ${this.#orders(keys)}`;
		return `${called}${listed}${ordered}${filtered})`;
	}

	#isOf(arg: Bound, expression: Bound): boolean {
		const bare = arg.kind === "cast" || arg.kind === "relabel" ? arg.args[0]! : arg;
		return this.text.part(bare) === this.text.part(expression);
	}

	#orders(items: readonly BoundOrder[]): string {
		return items
			.map((item) => this.key(item.expression) + direction(item.descending, item.nullsFirst))
			.join(", ");
	}

	/** Of GROUP BY, ORDER BY and their kin: what could be taken for something else is closed (get_rule_sortgroupclause). */
	key(bound: Bound): string {
		const variable = this.variable(bound, false);
		if (variable !== undefined) return variable.text;
		const folded = this.folded(bound);
		if (folded.kind === "constant") return this.text.constant(folded, true);
		const text = this.text.part(bound);
		return this.#pretty || isCall(bound) ? `(${text})` : text;
	}

	#window(bound: Extract<Bound, { kind: "window" }>): string {
		const node = this.#call(bound);
		const { args: given, filter } = windowParts(bound);
		const args = given.map((arg, i) => this.text.based(arg, bound.fn.args[i]));
		const filtered = filter === undefined ? "" : `) FILTER (WHERE ${this.text.part(filter)}`;
		const { over } = node;
		if (over === undefined) throw new NotShown();
		const window = over.kind === "window" ? this.window(over) : quoteIdentifier(over.name);
		return `${quoteIdentifier(bound.name)}(${node.star ? "*" : this.text.list(args)}${filtered}) OVER ${window}`;
	}

	window({ base, partitionBy, orderBy, frame }: WindowDefinition): string {
		const parts = base === undefined ? [] : [quoteIdentifier(base.name)];
		if (partitionBy.length > 0) {
			parts.push(`PARTITION BY ${partitionBy.map((node) => this.#keyOf(node)).join(", ")}`);
		}
		if (orderBy.length > 0) {
			const keys = orderBy.map((item) => this.#keyOf(item.expression) + directionOf(item));
			parts.push(`ORDER BY ${keys.join(", ")}`);
		}
		if (frame !== undefined) {
			const start = this.#edge(frame.start);
			const bounds = frame.isBetween ? `BETWEEN ${start} AND ${this.#edge(frame.end)}` : start;
			const exclude =
				frame.exclude === "no others" ? "" : ` EXCLUDE ${frame.exclude.toUpperCase()}`;
			parts.push(`${frame.unit.toUpperCase()} ${bounds}${exclude}`);
		}
		return `(${parts.join(" ")})`;
	}

	#keyOf(node: Expression): string {
		const bound = this.#notes.bounds.get(node);
		if (bound === undefined) throw new NotShown();
		return this.key(typed(bound, textType, this.#context));
	}

	#edge(edge: FrameBound): string {
		const word = edge.edge.toUpperCase();
		if (!("offset" in edge)) return word;
		const own = this.#notes.bounds.get(edge.offset);
		const bound =
			own === undefined || own.type.oid === unknownOid ? this.#notes.offsets.get(edge) : own;
		if (bound === undefined) throw new NotShown();
		return `${this.text.part(bound)} ${word}`;
	}

	#subquery({ mode, query, comparisons, args }: Extract<Bound, { kind: "subquery" }>): string {
		const node = this.#notes.subqueries.get(query);
		if (node === undefined) throw new NotShown();
		const left = this.text.list(args);
		const tested = args.length === 1 ? left : `(${left})`;
		const symbol = comparisons[0]?.symbol;
		const inner = this.#around.query(node);
		switch (mode) {
			case "exists":
				return `(EXISTS (${inner}))`;
			case "any":
				return `(${tested} ${symbol === "=" ? "IN" : `${symbol} ANY`} (${inner}))`;
			case "all":
				return `(${tested} ${symbol} ALL (${inner}))`;
			case "row":
				return `(${tested} ${symbol} (${inner}))`;
			default:
				return `${mode === "array" ? "ARRAY" : ""}(${inner})`;
		}
	}

	#field({ args, index }: Extract<Bound, { kind: "field" }>): string {
		const operand = args[0]!;
		const { oid, fields } = operand.type;
		const name = (isRow(oid) ? rowFieldsIn(this.#catalog, oid) : fields)?.[index]?.name;
		if (name === undefined) throw new NotShown();
		const text = this.text.part(operand);
		const isStep =
			operand.kind === "field" || operand.kind === "subscript" || operand.kind === "slice";
		return `${isStep ? text : `(${text})`}.${quoteIdentifier(name)}`;
	}
}

/** PostgreSQL has a function for it, and would take it for another thing where keys stand. */
const isCall = (bound: Bound): boolean =>
	(bound.kind === "call" && !bound.operator && !bare.has(bound.name)) ||
	["aggregate", "window", "set-call"].includes(bound.kind) ||
	classOf(bound) === "cast";

export const directionOf = ({ descending, nulls }: OrderItem): string =>
	direction(descending, nulls === undefined ? descending : nulls === "first");

function relationIn(bound: Bound): Relation | undefined {
	if (bound.kind === "column") return bound.relation;
	for (const arg of bound.args) {
		const found = relationIn(arg);
		if (found !== undefined) return found;
	}
	return undefined;
}
