/** What the grammar's rules make. They run for parses that come to nothing, too, so they refuse nothing but numbers that are none. */
import { int4Max, int4Min, parseInteger } from "../integer-types.ts";
import { parseNumeric } from "../numeric.ts";
import { negate } from "../numeric-arithmetic.ts";
import type { PathExpression, PathMethod, PathStep, Subscript } from "./path.ts";
import type { PathToken } from "./scan.ts";

// biome-ignore lint/suspicious/noExplicitAny: nearley's data has no types; the actions give it some.
type Data = any[];

export const item = (step: PathStep): PathExpression => [step];

export const step = {
	number: ([token]: Data): PathStep => ({ kind: "number", value: parseNumeric(token.value) }),
};

export const binary = ([left, { text: op }, right]: Data): PathExpression =>
	item({ kind: "binary", op, left, right });

/** Of a number alone it is another number. */
export function signed([{ text: op }, argument]: Data): PathExpression {
	const [only] = argument as PathExpression;
	if (argument.length === 1 && only?.kind === "number") {
		return op === "+" ? argument : item({ kind: "number", value: negate(only.value) });
	}
	return item({ kind: "sign", op, argument });
}

const flagOrder = "ismxq";

/** Flags in the order in which they are shown; what is none of them is left for `check` to refuse. */
export function likeRegex(
	argument: PathExpression,
	{ value: pattern }: PathToken,
	given: PathToken | undefined,
): PathExpression {
	const letters = [...new Set(given?.value ?? "")];
	const wrong = letters.find((letter) => !flagOrder.includes(letter));
	const known = [...flagOrder].filter((letter) => letters.includes(letter));
	const flags = wrong === undefined ? known.join("") : given!.value;
	return item({ kind: "like_regex", argument, pattern, flags });
}

export const method = ({ text }: PathToken): PathStep => ({
	kind: "method",
	name: text as PathMethod,
});

export const anyLevel = ([token]: Data): number =>
	parseInteger(token.value, "integer", int4Min, int4Max);

export const more = (data: Data): readonly unknown[] => [...data[0], data[2]];

export const between = ([from, , to]: Data): Subscript => ({ from, to });
