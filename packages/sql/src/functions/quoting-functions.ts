/** quote_ident, quote_literal, quote_nullable, format. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Datum, SqlType } from "../types/datum.ts";
import { invalidParameter } from "../types/errors.ts";
import type { FunctionContext, ScalarFunction } from "../types/registry.ts";
import { textLength } from "../types/text-values.ts";
import { contextual, pure, stable } from "./definition.ts";
import { reservedWords } from "./reserved-words.ts";
import { textOf } from "./text-functions.ts";

export function quoteIdentifier(name: string): string {
	return /^[a-z_][a-z0-9_]*$/.test(name) && !reservedWords.has(name)
		? name
		: `"${name.replaceAll('"', '""')}"`;
}

/** With E where there are backslashes. */
export function quoteLiteral(text: string): string {
	const quoted = `'${text.replaceAll("'", "''").replaceAll("\\", "\\\\")}'`;
	return text.includes("\\") ? `E${quoted}` : quoted;
}

/** As ruleutils.c writes the constants of expressions: backslashes are themselves. */
export const plainLiteral = (text: string): string => `'${text.replaceAll("'", "''")}'`;

const badSpecifier = (type: string): DatabaseError =>
	invalidParameter(`unrecognized format() type specifier "${type}"`, {
		hint: 'For a single "%" use "%%".',
	});

const specifier = /%(?:(\d+)\$)?(-*)(?:(\d+)|\*(?:(\d+)\$)?)?(.)?/gsu;

/** %[position$][-][width]type, type one of s, I, L; %% is a percent sign. */
class Formatter {
	readonly #args: readonly Datum[];
	readonly #types: readonly SqlType[];
	readonly #context: FunctionContext;
	#next = 1;

	constructor(args: readonly Datum[], types: readonly SqlType[], context: FunctionContext) {
		this.#args = args;
		this.#types = types;
		this.#context = context;
	}

	format(pattern: string): string {
		return pattern.replace(specifier, (whole, position, minus, width, widthPosition, type) => {
			if (whole === "%%") {
				return "%";
			}
			if (type === undefined) {
				throw invalidParameter("unterminated format() type specifier", {
					hint: 'For a single "%" use "%%".',
				});
			}
			const starred = whole.includes("*");
			const size = starred ? this.#width(widthPosition) : Number(width ?? 0);
			if (!"sIL".includes(type)) {
				throw badSpecifier(type);
			}
			const value = this.#convert(this.#index(position), type);
			return this.#pad(value, Math.abs(size), minus !== "" || size < 0);
		});
	}

	#index(position: string | undefined): number {
		const index = position === undefined ? this.#next : Number(position);
		if (index === 0) {
			throw invalidParameter("format specifies argument 0, but arguments are numbered from 1");
		}
		if (index >= this.#args.length) {
			throw invalidParameter("too few arguments for format()");
		}
		this.#next = index + 1;
		return index;
	}

	#width(position: string | undefined): number {
		return Number(this.#text(this.#index(position)) ?? 0);
	}

	#text(index: number): string | null {
		const value = this.#args[index] as Datum;
		return value === null ? null : textOf(value, this.#types[index]?.oid ?? 0, this.#context);
	}

	#convert(index: number, type: string): string {
		const text = this.#text(index);
		if (type === "L") {
			return text === null ? "NULL" : quoteLiteral(text);
		}
		if (type === "I") {
			if (text === null) {
				throw new DatabaseError("22004", "null values cannot be formatted as an SQL identifier");
			}
			return quoteIdentifier(text);
		}
		return text ?? "";
	}

	#pad(text: string, width: number, left: boolean): string {
		const fill = " ".repeat(Math.max(width - textLength(text), 0));
		return left ? text + fill : fill + text;
	}
}

export const quotingFunctions: readonly ScalarFunction[] = [
	pure("quote_ident(text) -> text", quoteIdentifier),
	pure("quote_literal(text) -> text", quoteLiteral),
	contextual("quote_literal(anyelement) -> text", stable, ([value], context, types) =>
		quoteLiteral(textOf(value as Datum, types[0]?.oid ?? 0, context)),
	),
	contextual("quote_nullable(text) -> text", { ...stable, strict: false }, ([value]) =>
		value === null ? "NULL" : quoteLiteral(value as string),
	),
	contextual(
		"quote_nullable(anyelement) -> text",
		{ volatility: "stable", strict: false },
		([value], context, types) =>
			value === null ? "NULL" : quoteLiteral(textOf(value as Datum, types[0]?.oid ?? 0, context)),
	),
	...["format(text) -> text", "format(text, variadic any) -> text"].map((text) =>
		contextual(text, { volatility: "stable", strict: false }, (args, context, types) => {
			const [pattern] = args;
			return pattern === null || pattern === undefined
				? null
				: new Formatter(args, types, context).format(pattern as string);
		}),
	),
];
