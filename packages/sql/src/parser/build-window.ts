/** What the grammar's rules for windows make of their parts. */
import type { Expression, FrameBound, OrderItem, WindowDefinition, WindowFrame } from "./ast.ts";
import type { Token } from "./tokens.ts";

export const windowNode = (
	[, base, partitionBy, orderBy, frame]: [
		Token,
		WindowDefinition["base"],
		readonly Expression[],
		readonly OrderItem[],
		WindowFrame | undefined,
		Token,
	],
	at: number,
): WindowDefinition => ({ kind: "window", base, partitionBy, orderBy, frame, at });

/** A bare UNBOUNDED before PRECEDING or FOLLOWING is no offset. */
export function frameBound(offset: Expression, word: Token, at: number): FrameBound {
	const direction = word.text === "preceding" ? "preceding" : "following";
	const unbounded =
		offset.kind === "column" &&
		offset.name.parts.length === 1 &&
		offset.name.parts[0] === "unbounded";
	return unbounded ? { edge: `unbounded ${direction}`, at } : { edge: direction, offset, at };
}

/** One bound is the start; the end is the current row. */
export const frameNode = (
	[unit, start, exclude]: [Token, FrameBound, WindowFrame["exclude"]],
	at: number,
): WindowFrame => ({
	unit: unit.text as WindowFrame["unit"],
	start,
	end: { edge: "current row", at },
	isBetween: false,
	exclude,
});

export const frameBetween = ([unit, , start, , end, exclude]: [
	Token,
	Token,
	FrameBound,
	Token,
	FrameBound,
	WindowFrame["exclude"],
]): WindowFrame => ({
	unit: unit.text as WindowFrame["unit"],
	start,
	end,
	isBetween: true,
	exclude,
});
