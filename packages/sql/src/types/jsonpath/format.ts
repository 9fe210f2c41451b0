/** A jsonpath as text, as PostgreSQL shows it: keys in quotes, operators in parentheses. */
import { quoteJson } from "../json-value.ts";
import { formatNumeric } from "../numeric.ts";
import type { JsonPath, PathExpression, PathStep } from "./path.ts";

export const formatPath = ({ lax, expression }: JsonPath): string =>
	`${lax ? "" : "strict "}${show(expression, true)}`;

function show(expression: PathExpression, brackets: boolean): string {
	let out = "";
	for (const [i, step] of expression.entries()) {
		out += showStep(step, i > 0, i > 0 || brackets, i < expression.length - 1);
	}
	return out;
}

const priorities: Readonly<Record<string, number>> = {
	"||": 0,
	"&&": 1,
	"+": 3,
	"-": 3,
	"*": 4,
	"/": 4,
	"%": 4,
};

/** How tightly the first step holds what it is made of. */
function priority(step: PathStep): number {
	if (step.kind === "binary") return priorities[step.op] ?? 2;
	return step.kind === "sign" ? 5 : 6;
}

/** Of what an operator is over. */
const operand = (within: PathStep, part: PathExpression): string =>
	show(part, priority(part[0]!) <= priority(within));

/** `later`: something stands before it; `isFollowed`: and something after it. */
function showStep(step: PathStep, later: boolean, brackets: boolean, isFollowed: boolean): string {
	const around = (text: string): string => (brackets ? `(${text})` : text);
	switch (step.kind) {
		case "root":
			return "$";
		case "current":
			return "@";
		case "null":
		case "last":
			return step.kind;
		case "any-array":
			return "[*]";
		case "any-key":
			return later ? ".*" : "*";
		case "bool":
			return String(step.value);
		case "number":
			return isFollowed ? `(${formatNumeric(step.value)})` : formatNumeric(step.value);
		case "string":
			return quoteJson(step.value);
		case "variable":
			return `$${quoteJson(step.name)}`;
		case "key":
			return `.${quoteJson(step.name)}`;
		case "index":
			return `[${step.subscripts.map(({ from, to }) => show(from, false) + (to === undefined ? "" : ` to ${show(to, false)}`)).join(",")}]`;
		case "any":
			return `.**${levels(step)}`;
		case "filter":
			return `?(${show(step.condition, false)})`;
		case "method":
			return `.${step.name}()`;
		case "datetime":
			return `.datetime(${step.template === undefined ? "" : quoteJson(step.template)})`;
		case "binary":
			return around(`${operand(step, step.left)} ${step.op} ${operand(step, step.right)}`);
		case "sign":
			return around(step.op + operand(step, step.argument));
		case "not":
			return `!(${show(step.argument, false)})`;
		case "is unknown":
			return `(${show(step.argument, false)}) is unknown`;
		case "exists":
			return `exists (${show(step.argument, false)})`;
		case "like_regex": {
			const flags = step.flags === "" ? "" : ` flag "${step.flags}"`;
			return around(
				`${operand(step, step.argument)} like_regex ${quoteJson(step.pattern)}${flags}`,
			);
		}
	}
}

function levels({ first, last }: Extract<PathStep, { kind: "any" }>): string {
	if (first === 0 && last === undefined) return "";
	const name = (level: number | undefined): string =>
		level === undefined ? "last" : String(level);
	return first === last ? `{${name(first)}}` : `{${name(first)} to ${name(last)}}`;
}
