/** Which operands stand without parentheses where the text is to be pretty: isSimpleNode of ruleutils.c. */
import type { Bound } from "./bound.ts";

/** What PostgreSQL calls such a node. */
export type NodeClass =
	| "operator"
	| "test"
	| "and"
	| "or"
	| "not"
	/** By a function; by the type alone, or by text. */
	| "cast"
	| "relabel"
	| "field"
	| "whole"
	| "other";

const binary = ["and", "or", "not"];

/** Types that a function makes a text of, not their output. */
const shownByFunction = new Set([16, 18, 19, 1042]);
const texts = new Set([25, 1042, 1043]);
const numbers = new Set([20, 21, 23, 700, 701, 1700]);
const times = new Set([1082, 1083, 1114, 1184, 1186, 1266]);

/** Whether a cast is one by a function of PostgreSQL (pg_cast.castmethod). */
function isByFunction(from: number, to: number): boolean {
	if (from === to) return false;
	if (texts.has(to)) return shownByFunction.has(from);
	if (texts.has(from)) return to === 18 || to === 19 || to === 2205;
	const isEither = (types: ReadonlySet<number>): boolean => types.has(from) || types.has(to);
	return isEither(numbers) || isEither(times);
}

export function classOf(bound: Bound): NodeClass {
	switch (bound.kind) {
		case "call":
			return bound.operator ? "operator" : "whole";
		case "subquery":
		case "is":
			return "test";
		case "distinct-from":
			return bound.negated ? "not" : "test";
		case "and":
		case "or":
			return bound.args.length === 1 ? classOf(bound.args[0]!) : bound.kind;
		case "not":
			return bound.args[0]!.kind === "in-list" && bound.args[0]!.at === bound.at ? "other" : "not";
		case "in-list":
			return bound.args.length === 2 ? "operator" : "other";
		case "quantified":
			return "other";
		case "cast":
		case "relabel":
			return isByFunction(bound.args[0]!.type.oid, bound.type.oid) ? "cast" : "relabel";
		case "modifier":
			return "cast";
		case "domain":
			return "relabel";
		case "field":
			return "field";
		default:
			return "whole";
	}
}

const level = (bound: Bound): number | undefined => {
	if (bound.kind !== "call" || bound.args.length !== 2) return undefined;
	if (["+", "-"].includes(bound.name)) return 1;
	return ["*", "/", "%"].includes(bound.name) ? 2 : undefined;
};

/** Whether it stands within `parent` as it is. `own`, `parentClass`: their classes. */
export function isSimple(
	node: Bound,
	own: NodeClass,
	parent: Bound,
	parentClass: NodeClass,
): boolean {
	switch (own) {
		case "whole":
		case "cast":
			return true;
		case "field":
			return parentClass !== "field";
		case "relabel":
			return isSimple(node.args[0]!, classOf(node.args[0]!), node, own);
		case "operator":
			if (parentClass !== "operator")
				return binary.includes(parentClass) || parentClass === "whole";
			return isTighter(node, parent);
		case "test":
			return binary.includes(parentClass) || parentClass === "whole";
		case "and":
		case "not":
			return parentClass === "and" || parentClass === "or" || parentClass === "whole";
		case "or":
			return parentClass === "or" || parentClass === "whole";
		default:
			return false;
	}
}

function isTighter(node: Bound, parent: Bound): boolean {
	const [inner, outer] = [level(node), level(parent)];
	if (inner === undefined || outer === undefined) return false;
	if (inner !== outer) return inner > outer;
	return parent.args[0] === node;
}
