/**
 * Bound expressions as PostgreSQL's ruleutils.c writes them: every cast is said, every operation is in parentheses, or, where the text is to
 * be pretty, only what needs them. What the catalog keeps is such a text: read again it means the same, whatever its literals would be taken
 * for elsewhere.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { storageContext } from "../execute/column-codec.ts";
import { plainLiteral, quoteIdentifier } from "../functions/quoting-functions.ts";
import type { Datum, SqlType } from "../types/datum.ts";
import { typeReference } from "../types/enum-types.ts";
import { isMadeArray, namedOid } from "../types/made-oids.ts";
import { OID } from "../types/oids.ts";
import { castName, commonType, type TypeContext, typeByOid } from "../types/registry.ts";
import { type Bound, plainType, someNode, textType, unknownOid } from "./bound.ts";
import { classOf, isSimple, type NodeClass } from "./deparse-parens.ts";
import { bare, normalizationText, wordedText } from "./deparse-words.ts";
import { Indentation, indent, withLines } from "./indentation.ts";

export type ColumnBound = Extract<Bound, { kind: "column" }>;

export interface BoundNames {
	/** A column, as it is written. */
	column(bound: ColumnBound): string;
	/** The label of a value of an enum; absent: the context knows. */
	label?(type: number, sortKey: string): string;
	/** A type, as it is written; absent: one that somebody has made stands by its number. */
	type?(type: SqlType): string;
	/** What is written in another way than others of its kind, or has a text only in a query. */
	own?(bound: Bound): string | undefined;
	classOf?(bound: Bound): NodeClass | undefined;
	/** Somebody wrote it; absent: nobody knows. */
	isWritten?(bound: Bound): boolean;
	/** The constant that it is, where it is made of one. */
	folded?(bound: Bound): Bound;
}

export interface TextStyle {
	/** With no more parentheses than are needed. */
	readonly pretty?: boolean;
	readonly indentation?: Indentation;
	/** How constants are shown. */
	readonly context?: TypeContext;
}

/** As it is read again, by the number of what somebody has made. */
function typeText(type: SqlType): string {
	const made = type.domain ?? type.oid;
	return isMadeArray(made) ? `${typeReference(namedOid(made))}[]` : castName(type);
}

/** CASE has a line for each branch. `branches`: one deeper. */
export function caseLines(
	depth: number,
	branches: (depth: number) => readonly string[],
	operand = "",
): string {
	const line = (at: number): string => `\n${"    ".repeat(at)}`;
	const inner = branches(depth + 1).map((branch) => line(depth + 1) + branch);
	return `${line(depth)}CASE${operand}${inner.join("")}${line(depth)}END`;
}

export class BoundText {
	readonly #names: BoundNames;
	readonly #context: TypeContext;
	readonly #pretty: boolean;
	readonly #indentation: Indentation;

	constructor(names: BoundNames, style: TextStyle = {}) {
		this.#names = names;
		this.#pretty = style.pretty === true;
		this.#indentation = style.indentation ?? new Indentation();
		this.#context = style.context ?? {
			...storageContext,
			catalogCall: (_name, [oid, value]: readonly Datum[]) =>
				names.label!(oid as number, value as string),
		};
	}

	of(bound: Bound): string {
		return withLines(this.part(bound));
	}

	/** As a part of a text whose lines are not settled. */
	part(given: Bound): string {
		const bound = this.#folded(given);
		const own = this.#names.own?.(bound);
		if (own !== undefined) return own;
		const { args } = bound;
		switch (bound.kind) {
			case "constant":
				return this.constant(bound);
			case "column":
				return this.#names.column(bound);
			case "call":
				return bound.operator ? this.#operator(bound) : this.#call(bound);
			case "cast":
			case "relabel":
				return this.#cast(args[0]!, bound);
			case "modifier":
				return this.#cast(withoutCast(this.#folded(args[0]!), bound.type), bound);
			case "domain":
				return bound.type.domain === undefined ? this.part(args[0]!) : this.#cast(args[0]!, bound);
			case "and":
			case "or":
				if (args.length === 1) return this.part(args[0]!);
				return this.#closed(
					args.map((arg) => this.inner(arg, bound)).join(` ${bound.kind.toUpperCase()} `),
				);
			case "not":
				return this.#not(bound);
			case "is":
				return this.#closed(
					`${this.inner(args[0]!, bound)} IS ${bound.negated ? "NOT " : ""}${bound.test.toUpperCase()}`,
				);
			case "distinct-from":
				return this.#distinct(bound);
			case "in-list":
				return this.#inList(bound, args, false);
			case "quantified":
				return this.#closed(
					`${this.inner(args[0]!, bound)} ${bound.comparison.symbol} ${bound.all ? "ALL" : "ANY"} (${this.inner(args[1]!, bound)})`,
				);
			case "case":
				return this.#case(args);
			case "coalesce":
				return `COALESCE(${this.list(this.#alike(args))})`;
			case "nullif":
				return `NULLIF(${this.list(args.map((arg) => this.based(arg)))})`;
			case "extreme":
				return `${bound.greatest ? "GREATEST" : "LEAST"}(${this.list(this.#alike(args))})`;
			case "array":
				return `ARRAY[${this.list(this.#alike(args))}]${args.length === 0 ? `::${this.type(bound.type)}` : ""}`;
			case "row":
				return `ROW(${this.list(args)})${bound.type.oid === OID.record ? "" : `::${this.type(bound.type)}`}`;
			case "subscript":
			case "slice":
				return this.#subscript(bound);
			default:
				throw new DatabaseError("0A000", "this expression is not supported in an index", {
					hint: "Add a generated column that holds the value.",
				});
		}
	}

	list(bounds: readonly Bound[]): string {
		return bounds.map((bound) => this.part(bound)).join(", ");
	}

	type(type: SqlType): string {
		return this.#names.type?.(type) ?? typeText(type);
	}

	#closed(text: string): string {
		return this.#pretty ? text : `(${text})`;
	}

	/** An operand that nothing but `parent` sets apart. */
	inner(given: Bound, parent: Bound, parentClass = this.#classOf(parent)): string {
		const bound = this.#folded(given);
		const text = this.part(bound);
		if (!this.#pretty || isSimple(bound, this.#classOf(bound), parent, parentClass)) return text;
		return `(${text})`;
	}

	#classOf(bound: Bound): NodeClass {
		return this.#names.classOf?.(bound) ?? classOf(bound);
	}

	#folded(bound: Bound): Bound {
		return this.#names.folded?.(bound) ?? bound;
	}

	/** `label`: whether with its type; undefined: where it would not be taken for that without. */
	constant(bound: Extract<Bound, { kind: "constant" }>, label?: boolean): string {
		const { value, type } = bound;
		if (type.oid === unknownOid) return value === null ? "NULL" : plainLiteral(String(value));
		const suffix = label === false ? "" : `::${this.type(type)}`;
		if (value === null) return `NULL${suffix}`;
		const always = label === true ? suffix : "";
		if (typeof value === "boolean") return `${value}${always}`;
		const text = typeByOid(type.oid)!.format(value, this.#context);
		if (type.oid === 23 && /^\d+$/.test(text)) return text + always;
		if (type.oid === 1700 && /^\d+\.\d*$/.test(text))
			return type.modifier < 0 ? text + always : text + suffix;
		return `${plainLiteral(text)}${suffix}`;
	}

	/** A cast that nobody has written. */
	#isImplicit(bound: Bound): boolean {
		const isCast = bound.kind === "cast" || bound.kind === "relabel";
		return isCast && this.#names.isWritten?.(bound) === false;
	}

	/** Where such a cast is not said. */
	#uncast(bound: Bound, parent: Bound, parentClass?: NodeClass): string {
		return this.#isImplicit(bound)
			? this.inner(bound.args[0]!, bound)
			: this.inner(bound, parent, parentClass);
	}

	#cast(given: Bound, bound: Bound): string {
		const { type } = bound;
		const operand = this.#folded(given);
		const name = this.type(type);
		if (operand.kind === "constant" && type.domain === undefined) {
			if (operand.type.oid === unknownOid) return `${plainLiteral(String(operand.value))}::${name}`;
			if (operand.type.oid === type.oid) return `${this.constant(operand, false)}::${name}`;
		}
		return `${this.#closed(this.#uncast(operand, bound))}::${name}`;
	}

	/** Of several types one is made, which is no domain unless all are that. */
	#alike(args: readonly Bound[]): readonly Bound[] {
		const isOne = args.every(({ type }) => type.domain === args[0]!.type.domain);
		return isOne ? args : args.map((arg) => this.based(arg));
	}

	/** What takes no domain takes what the domain is of. */
	based(arg: Bound, wanted = 0): Bound {
		const { domain, ...base } = arg.type;
		if (domain === undefined || isPolymorphic(wanted)) return arg;
		return { kind: "relabel", type: plainType(base.oid), args: [arg], at: arg.at };
	}

	#operator(bound: Extract<Bound, { kind: "call" }>): string {
		const [left, right] = bound.args.map((arg, i) => this.based(arg, bound.fn.args[i]!));
		return this.#closed(
			right === undefined
				? `${bound.name} ${this.inner(left!, bound)}`
				: `${this.inner(left!, bound)} ${bound.name} ${this.inner(right, bound)}`,
		);
	}

	#call(bound: Extract<Bound, { kind: "call" }>): string {
		const { name, variadic, fn } = bound;
		const args = bound.args.map((arg, i) => this.based(arg, fn.args[i] ?? fn.args.at(-1)!));
		const [first, second] = args;
		if (bare.has(name) || (name === "current_schema" && bound.worded)) {
			return `${name.toUpperCase()}${first === undefined ? "" : `(${this.part(first)})`}`;
		}
		if (name === "normalize" || name === "is_normalized") {
			const form = second?.kind === "constant" ? String(second.value) : second && "";
			const shown = normalizationText(name, this.part(first!), form);
			if (shown !== undefined) return shown;
		}
		const texts = args.map((arg) => (bound.worded ? this.#uncast(arg, bound) : this.part(arg)));
		if (bound.worded) {
			if (name === "timezone") texts[1] = this.#uncast(second!, bound, "other");
			const field = first?.kind === "constant" ? String(first.value) : "";
			const isOfTexts = args.every(({ type }) => type.oid === textType.oid);
			const worded = wordedText(name, texts, field, isOfTexts);
			if (worded !== undefined) return worded;
		}
		if (variadic) texts.push(`VARIADIC ${texts.pop()}`);
		return `${quoteIdentifier(name)}(${texts.join(", ")})`;
	}

	#distinct(bound: Extract<Bound, { kind: "distinct-from" }>): string {
		const [left, right] = bound.args.map((arg) => this.inner(this.based(arg), bound, "test"));
		const text = this.#closed(`${left} IS DISTINCT FROM ${right}`);
		return bound.negated ? this.#closed(`NOT ${text}`) : text;
	}

	/** NOT IN is one operator, and stands where that does. */
	#not(bound: Bound): string {
		const operand = bound.args[0]!;
		return operand.kind === "in-list" && operand.at === bound.at
			? this.#inList(operand, operand.args, true)
			: this.#closed(`NOT ${this.inner(operand, bound)}`);
	}

	/** Values without columns are an array, if there are several of them; others are compared one by one. */
	#inList(bound: Bound, [given, ...values]: readonly Bound[], negated: boolean): string {
		const operand = this.based(given!);
		const isOfRow = (one: Bound): boolean => someNode(one, ({ kind }) => kind === "column");
		const fixed = values.filter((one) => !isOfRow(one));
		const single = fixed.length > 1 ? values.filter(isOfRow) : values;
		const tests = single.map(
			(one) =>
				`${this.inner(operand, bound, "operator")} ${negated ? "<>" : "="} ${this.inner(one, bound, "operator")}`,
		);
		if (fixed.length > 1) {
			const array = this.#inArray(operand, fixed);
			tests.unshift(`${this.inner(operand, bound)} ${negated ? "<> ALL" : "= ANY"} (${array})`);
		}
		if (tests.length === 1) return this.#closed(tests[0]!);
		const word = negated ? " AND " : " OR ";
		const closed = tests.map((text, i) =>
			this.#pretty && (i > 0 || fixed.length < 2) ? text : `(${text})`,
		);
		return this.#closed(closed.join(word));
	}

	/** Of the type that all of them have in common with the operand; strings are of the operand's own, as an array of them is. */
	#inArray(operand: Bound, given: readonly Bound[]): string {
		const values = given.map((one) => this.#folded(one));
		const inner = operand.kind === "relabel" ? operand.args[0]!.type : undefined;
		const isText = operand.type.oid === textType.oid;
		if (inner !== undefined && isText && values.every(({ kind }) => kind === "constant")) {
			const own = plainType(inner.oid);
			const elements = values.map((one) =>
				one.kind === "constant" ? this.constant({ ...one, type: own }) : "",
			);
			return `${this.#closed(`ARRAY[${elements.join(", ")}]`)}::text[]`;
		}
		const types = [operand, ...values].map(({ type }) => type.oid);
		const element = plainType(commonType(types, "IN", -1));
		const elements = values.map((one) =>
			one.type.oid === element.oid
				? this.part(one)
				: this.#cast(one, { ...one, kind: "cast", type: element, args: [one] } as Bound),
		);
		return `ARRAY[${elements.join(", ")}]`;
	}

	/** `operand`: of CASE operand WHEN value; `values`: what it is compared with. */
	cases(operand: Bound | undefined, values: readonly Bound[], given: readonly Bound[]): string {
		const lines = this.#indentation;
		const results = this.#alike(given);
		let text = `${lines.line(0, indent.branch)}CASE${operand === undefined ? "" : ` ${this.part(operand)}`}`;
		for (const [i, value] of values.entries()) {
			text += `${lines.line()}WHEN ${this.part(value)} THEN `;
			text += this.part(results[i]!);
		}
		text += `${lines.line()}ELSE ${this.part(results.at(-1)!)}`;
		return `${text}${lines.line(-indent.branch)}END`;
	}

	#case(args: readonly Bound[]): string {
		const conditions = args.filter((_, i) => i % 2 === 0 && i + 1 < args.length);
		const results = args.filter((_, i) => i % 2 === 1 || i + 1 === args.length);
		return this.cases(undefined, conditions, results);
	}

	#subscript(bound: Extract<Bound, { kind: "subscript" | "slice" }>): string {
		const [array, ...indexes] = bound.args;
		const text = this.part(array!);
		const next = (isThere: boolean): string => (isThere ? this.part(indexes.shift()!) : "");
		const places =
			bound.kind === "subscript"
				? indexes.map((index) => `[${this.part(index)}]`)
				: bound.dimensions.map(({ lower, upper }) => `[${next(lower)}:${next(upper)}]`);
		const isPlain = array!.kind === "column" || array!.kind === "field";
		return `${isPlain ? text : `(${text})`}${places.join("")}`;
	}
}

/** anyarray, "any", anyelement, anynonarray, anyenum, anycompatible, anycompatiblearray. */
const isPolymorphic = (oid: number): boolean =>
	[2276, 2277, 2283, 2776, 3500, 5077, 5078].includes(oid);

/** A cast and the length or scale that comes with it are said as one. */
const withoutCast = (bound: Bound, { oid }: SqlType): Bound =>
	(bound.kind === "cast" || bound.kind === "relabel") && bound.type.oid === oid
		? bound.args[0]!
		: bound;
