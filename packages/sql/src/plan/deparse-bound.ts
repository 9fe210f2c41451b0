/**
 * Bound expressions as PostgreSQL's ruleutils.c writes them: every cast is said, every operation is in parentheses. What the catalog keeps is
 * such a text: read again it means the same, whatever its literals would be taken for elsewhere.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { storageContext } from "../execute/column-codec.ts";
import { plainLiteral, quoteIdentifier } from "../functions/quoting-functions.ts";
import type { Datum, SqlType } from "../types/datum.ts";
import { typeReference } from "../types/enum-types.ts";
import { isMadeArray, namedOid } from "../types/made-oids.ts";
import { OID } from "../types/oids.ts";
import { castName, type TypeContext, typeByOid } from "../types/registry.ts";
import { type Bound, plainType, textType, unknownOid } from "./bound.ts";

export interface BoundNames {
	/** A column of the relation, as it is written. */
	column(slot: number): string;
	/** The label of a value of an enum. */
	label(type: number, sortKey: string): string;
}

/** Functions that SQL writes without parentheses. */
export const bare: ReadonlySet<string> = new Set([
	"current_catalog",
	"current_date",
	"current_role",
	"current_time",
	"current_timestamp",
	"current_user",
	"localtime",
	"localtimestamp",
	"session_user",
	"user",
]);

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

/** normalize and is_normalized, where their form can be written as a word; undefined: they are calls as others are. */
export function normalizationText(
	name: string,
	text: string,
	form: string | undefined,
): string | undefined {
	if (form !== undefined && !/^NFK?[CD]$/.test(form)) return undefined;
	if (name === "normalize") return `NORMALIZE(${text}${form === undefined ? "" : `, ${form}`})`;
	return `(${text} IS ${form === undefined ? "" : `${form} `}NORMALIZED)`;
}

export class BoundText {
	readonly #names: BoundNames;
	readonly #context: TypeContext;
	/** Of CASE in CASE. */
	#depth = 0;

	constructor(names: BoundNames) {
		this.#names = names;
		this.#context = {
			...storageContext,
			catalogCall: (_name, [oid, value]: readonly Datum[]) =>
				names.label(oid as number, value as string),
		};
	}

	of(bound: Bound): string {
		const { args } = bound;
		switch (bound.kind) {
			case "constant":
				return this.#constant(bound.value, bound.type, true);
			case "column":
				return this.#names.column(bound.column);
			case "call":
				return bound.operator ? this.#operator(bound.name, args) : this.#call(bound);
			case "cast":
			case "relabel":
				return this.#cast(args[0]!, bound.type);
			case "modifier":
				return this.#cast(withoutCast(args[0]!, bound.type), bound.type);
			case "domain":
				return bound.type.domain === undefined
					? this.of(args[0]!)
					: this.#cast(args[0]!, bound.type);
			case "and":
			case "or":
				return `(${args.map((arg) => this.of(arg)).join(` ${bound.kind.toUpperCase()} `)})`;
			case "not":
				return this.#not(args[0]!, bound.at);
			case "is":
				return `(${this.of(args[0]!)} IS ${bound.negated ? "NOT " : ""}${bound.test.toUpperCase()})`;
			case "distinct-from": {
				const text = `(${this.of(args[0]!)} IS DISTINCT FROM ${this.of(args[1]!)})`;
				return bound.negated ? `(NOT ${text})` : text;
			}
			case "in-list":
				return this.#inList(args, "= ANY");
			case "quantified":
				return `(${this.of(args[0]!)} ${bound.comparison.symbol} ${bound.all ? "ALL" : "ANY"} (${this.of(args[1]!)}))`;
			case "case":
				return this.#case(args);
			case "coalesce":
				return `COALESCE(${this.#list(args)})`;
			case "nullif":
				return `NULLIF(${this.#list(args)})`;
			case "extreme":
				return `${bound.greatest ? "GREATEST" : "LEAST"}(${this.#list(args)})`;
			case "array":
				return `ARRAY[${this.#list(args)}]${args.length === 0 ? `::${typeText(bound.type)}` : ""}`;
			case "row":
				return `ROW(${this.#list(args)})${bound.type.oid === OID.record ? "" : `::${typeText(bound.type)}`}`;
			case "subscript":
				return this.#subscript(args);
			default:
				throw new DatabaseError("0A000", "this expression is not supported in an index", {
					hint: "Add a generated column that holds the value.",
				});
		}
	}

	#list(bounds: readonly Bound[]): string {
		return bounds.map((bound) => this.of(bound)).join(", ");
	}

	/** `typed`: with its type, where it would not be taken for that without. */
	#constant(value: Datum, type: SqlType, typed: boolean): string {
		const suffix = typed ? `::${typeText(type)}` : "";
		if (value === null) return `NULL${suffix}`;
		if (typeof value === "boolean") return String(value);
		const text = typeByOid(type.oid)!.format(value, this.#context);
		if (type.oid === 23 && /^\d+$/.test(text)) return text;
		if (type.oid === 1700 && /^\d+\.\d*$/.test(text))
			return type.modifier < 0 ? text : text + suffix;
		return `${plainLiteral(text)}${suffix}`;
	}

	#cast(operand: Bound, type: SqlType): string {
		const name = typeText(type);
		if (operand.kind === "constant" && type.domain === undefined) {
			if (operand.type.oid === unknownOid) return `${plainLiteral(String(operand.value))}::${name}`;
			if (operand.type.oid === type.oid) {
				return `${this.#constant(operand.value, operand.type, false)}::${name}`;
			}
		}
		return `(${this.of(operand)})::${name}`;
	}

	#operator(name: string, args: readonly Bound[]): string {
		const [left, right] = args;
		return right === undefined
			? `(${name} ${this.of(left!)})`
			: `(${this.of(left!)} ${name} ${this.of(right)})`;
	}

	#call({ name, args, variadic }: Extract<Bound, { kind: "call" }>): string {
		const [first, second] = args;
		if (bare.has(name)) {
			return `${name.toUpperCase()}${first === undefined ? "" : `(${this.of(first)})`}`;
		}
		if (name === "timezone" && args.length === 2) {
			return `(${this.of(second!)} AT TIME ZONE ${this.of(first!)})`;
		}
		if (name === "extract" && first?.kind === "constant") {
			return `EXTRACT(${first.value} FROM ${this.of(second!)})`;
		}
		if (name === "normalize" || name === "is_normalized") {
			const form = second?.kind === "constant" ? String(second.value) : second && "";
			const shown = normalizationText(name, this.of(first!), form);
			if (shown !== undefined) return shown;
		}
		const texts = args.map((arg) => this.of(arg));
		if (variadic) texts.push(`VARIADIC ${texts.pop()}`);
		return `${quoteIdentifier(name)}(${texts.join(", ")})`;
	}

	/** NOT IN is one operator, and stands where that does. */
	#not(operand: Bound, at: number): string {
		return operand.kind === "in-list" && operand.at === at
			? this.#inList(operand.args, "<> ALL")
			: `(NOT ${this.of(operand)})`;
	}

	/** Strings are of the operand's own type, as an array of them is. */
	#inList(args: readonly Bound[], operator: string): string {
		const [operand, ...values] = args as [Bound, ...Bound[]];
		const [only] = values;
		if (values.length === 1) {
			return `(${this.of(operand)} ${operator.startsWith("=") ? "=" : "<>"} ${this.of(only!)})`;
		}
		const inner = operand.kind === "relabel" ? operand.args[0]!.type : undefined;
		const isText = operand.type.oid === textType.oid;
		if (inner === undefined || !isText || !values.every(({ kind }) => kind === "constant")) {
			return `(${this.of(operand)} ${operator} (ARRAY[${this.#list(values)}]))`;
		}
		const own = plainType(inner.oid);
		const elements = values.map((one) =>
			one.kind === "constant" ? this.#constant(one.value, own, true) : "",
		);
		return `(${this.of(operand)} ${operator} ((ARRAY[${elements.join(", ")}])::text[]))`;
	}

	#case(args: readonly Bound[]): string {
		return caseLines(this.#depth, (depth) => {
			this.#depth = depth;
			const branches: string[] = [];
			for (let i = 0; i + 1 < args.length; i += 2) {
				branches.push(`WHEN ${this.of(args[i]!)} THEN ${this.of(args[i + 1]!)}`);
			}
			if (args.length % 2 === 1) branches.push(`ELSE ${this.of(args.at(-1)!)}`);
			this.#depth = depth - 1;
			return branches;
		});
	}

	#subscript([array, ...indexes]: readonly Bound[]): string {
		const text = this.of(array!);
		const places = indexes.map((index) => `[${this.of(index)}]`).join("");
		return array!.kind === "column" ? `${text}${places}` : `(${text})${places}`;
	}
}

/** A cast and the length or scale that comes with it are said as one. */
const withoutCast = (bound: Bound, { oid }: SqlType): Bound =>
	(bound.kind === "cast" || bound.kind === "relabel") && bound.type.oid === oid
		? bound.args[0]!
		: bound;
