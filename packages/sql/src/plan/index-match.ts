/**
 * Whether an expression of a statement is one that an index keeps, and whether a statement's conditions imply the predicate of a partial
 * index: PostgreSQL's predtest.c for what is simple. "Yes" is certain; "no" only means that it was not seen.
 *
 * The index's expressions are over the row of a relation of their own, with constants; those of the statement are over `relation`, and its
 * literals are arguments, which the answer may depend on (`literal-choices.ts`).
 */
import type { IndexDescriptor } from "../catalog/descriptor.ts";
import { storageContext } from "../execute/column-codec.ts";
import type { IndexCodec } from "../execute/index-codec.ts";
import type { Datum } from "../types/datum.ts";
import { isEnum, isMadeArray, isRow, namedOid } from "../types/made-oids.ts";
import { applyModifier, type FunctionContext, typeByOid } from "../types/registry.ts";
import { type Bound, booleanType, type Comparison, conjunctsOf } from "./bound.ts";
import type { LiteralChoices } from "./literal-choices.ts";
import type { Relation } from "./relation.ts";

/** The relation that a statement reads, and the index that it may use. */
export interface Match {
	readonly relation: Relation;
	readonly index: IndexDescriptor;
}

/** A date or a time that is the same whenever and wherever it is read. */
const fixedText = new Map<number, RegExp>([
	[1082, /^\d{4}-\d\d-\d\d$/],
	[1083, /^\d\d:\d\d/],
	[1114, /^\d{4}-\d\d-\d\d( \d\d:\d\d(:\d\d(\.\d+)?)?)?$/],
	[1266, /^\d\d:\d\d(:\d\d(\.\d+)?)?(\+\d\d(:\d\d)?|-\d\d(:\d\d)?|Z)$/],
	[1184, /^\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d(\.\d+)?)?(\+\d\d(:\d\d)?|-\d\d(:\d\d)?|Z)$/],
]);

/** The value of a constant or of a literal; undefined: it is none, or not always the same. */
function constantOf(bound: Bound, at: Match): { readonly value: Datum } | undefined {
	if (bound.kind === "constant") return bound;
	if (bound.kind === "cast" && fixedText.has(bound.type.oid)) return temporalOf(bound, at);
	if (isMade(bound)) return madeOf(bound, at);
	if (bound.kind !== "argument" || bound.argument.choices === undefined) return undefined;
	const { type, explicit, choices, index } = bound.argument;
	const definition = typeByOid(type.oid);
	if (definition === undefined) return undefined;
	const text = choices.text(index);
	if (isEnum(type.oid)) {
		const found = at.index.labels?.find((one) => one.type === type.oid && one.label === text);
		return found && { value: found.sortKey };
	}
	if (isRow(namedOid(type.oid))) return undefined;
	if (fixedText.get(type.oid)?.test(text) === false) return undefined;
	if (type.oid === 25 || type.oid === 705) return { value: text };
	try {
		const value = definition.parse(text, -1, storageContext);
		return { value: type.modifier < 0 ? value : applyModifier(value, type, explicit) };
	} catch {
		return undefined;
	}
}

const numbers = new Set([20, 21, 23, 700, 701, 1700]);

/** Another number type of a number, another string type, a sign. */
function isMade(bound: Bound): bound is Extract<Bound, { kind: "cast" | "relabel" | "call" }> {
	if (bound.kind === "relabel") return true;
	const isNumeric =
		numbers.has(bound.type.oid) && bound.args.every(({ type }) => numbers.has(type.oid));
	const isSigned = bound.kind === "call" && bound.name === "-" && bound.args.length === 1;
	return isNumeric && (bound.kind === "cast" || isSigned);
}

function madeOf(
	bound: Extract<Bound, { kind: "cast" | "relabel" | "call" }>,
	at: Match,
): { readonly value: Datum } | undefined {
	const inner = constantOf(bound.args[0]!, at);
	if (inner === undefined || inner.value === null || bound.kind === "relabel") return inner;
	try {
		return bound.kind === "cast"
			? { value: bound.cast.apply(inner.value, bound.type, storageContext) }
			: {
					value: bound.fn.call(
						[inner.value],
						storageContext as unknown as FunctionContext,
						[],
					) as Datum,
				};
	} catch {
		return undefined;
	}
}

/** A text that is read as a date or a time when the plan runs. */
function temporalOf(
	bound: Extract<Bound, { kind: "cast" }>,
	at: Match,
): { readonly value: Datum } | undefined {
	const inner = constantOf(bound.args[0]!, at);
	if (typeof inner?.value !== "string") return undefined;
	if (fixedText.get(bound.type.oid)?.test(inner.value) !== true) return undefined;
	try {
		return { value: bound.cast.apply(inner.value, bound.type, storageContext) };
	} catch {
		return undefined;
	}
}

function sameDatum(oid: number, a: Datum, b: Datum): boolean {
	if (a === null || b === null || isEnum(oid)) return a === b;
	if (isRow(oid) || isMadeArray(oid)) return false;
	const type = typeByOid(oid);
	// Equal values may differ in what is made of them: 1.0 and 1.00.
	return type?.comparable === true
		? type.compare(a, b) === 0 && type.format(a, storageContext) === type.format(b, storageContext)
		: a === b;
}

const sameType = (a: Bound, b: Bound): boolean =>
	a.type.oid === b.type.oid && a.type.modifier === b.type.modifier;

/** Asks a question about conditions that literals may be in. */
function decided(bounds: readonly Bound[], ask: () => boolean): boolean {
	const choices = choicesIn(bounds);
	return choices === undefined ? ask() : choices.decide(ask);
}

function choicesIn(bounds: readonly Bound[]): LiteralChoices | undefined {
	for (const bound of bounds) {
		const own = bound.kind === "argument" ? bound.argument.choices : choicesIn(bound.args);
		if (own !== undefined) return own;
	}
	return undefined;
}

/** Whether it is the same expression. `own`: of the index. */
export const isMatch = (bound: Bound, own: Bound, at: Match): boolean =>
	bound.kind === own.kind && decided([bound], () => isSame(bound, own, at));

function isSame(bound: Bound, own: Bound, at: Match): boolean {
	if (bound.type.oid !== own.type.oid) return false;
	if (own.kind === "constant") {
		const found = constantOf(bound, at);
		return found !== undefined && sameDatum(own.type.oid, found.value, own.value);
	}
	return (
		bound.kind === own.kind &&
		bound.args.length === own.args.length &&
		sameNode(bound, own, at) &&
		bound.args.every((arg, i) => isSame(arg, own.args[i]!, at))
	);
}

function sameNode(a: Bound, b: Bound, at: Match): boolean {
	switch (a.kind) {
		case "column":
			return b.kind === "column" && a.relation === at.relation && a.column === b.column;
		case "call":
			return b.kind === "call" && a.fn === b.fn;
		case "cast":
		case "relabel":
			return sameType(a, b) && !isShownBySettings(a);
		case "modifier":
			return b.kind === "modifier" && sameType(a, b) && a.explicit === b.explicit;
		case "is":
			return b.kind === "is" && a.test === b.test && a.negated === b.negated;
		case "distinct-from":
			return (
				b.kind === "distinct-from" && a.negated === b.negated && a.comparison.fn === b.comparison.fn
			);
		case "extreme":
			return b.kind === "extreme" && a.greatest === b.greatest;
		case "quantified":
			return b.kind === "quantified" && a.all === b.all && a.comparison.fn === b.comparison.fn;
		case "in-list":
			return (
				b.kind === "in-list" && a.comparisons.every(({ fn }, i) => fn === b.comparisons[i]!.fn)
			);
		case "nullif":
			return b.kind === "nullif" && a.comparison.fn === b.comparison.fn;
		case "array":
			return b.kind === "array" && a.nested === b.nested;
		case "and":
		case "or":
		case "not":
		case "case":
		case "coalesce":
		case "subscript":
			return true;
		default:
			return false;
	}
}

/** Floats and bytes as text look as the session wants them: an index has them as nobody does in particular. */
const isShownBySettings = ({ kind, args }: Bound): boolean =>
	kind === "cast" && [17, 700, 701].includes(args[0]!.type.oid);

/** Whether all rows for which the conditions are true are in the index. */
export function isImplied(
	{ index, predicate }: IndexCodec,
	conditions: readonly Bound[],
	relation: Relation,
): boolean {
	const at: Match = { index, relation };
	if (predicate === undefined) return true;
	const given = conditions.flatMap(conjunctsOf);
	return decided(given, () =>
		conjunctsOf(predicate.bound).every((own) =>
			given.some((condition) => implies(condition, own, at)),
		),
	);
}

function implies(given: Bound, own: Bound, at: Match): boolean {
	if (own.kind === "and") return own.args.every((arg) => implies(given, arg, at));
	if (given.kind === "or") return given.args.every((arg) => implies(arg, own, at));
	if (given.kind === "and") return given.args.some((arg) => implies(arg, own, at));
	if (own.kind === "or" && own.args.some((arg) => implies(given, arg, at))) return true;
	if (isSame(given, own, at)) return true;
	if (impliesNotNull(given, own, at)) return true;
	const wanted = comparisonsOf(own, at);
	return wanted !== undefined && impliesComparison(given, wanted, at);
}

/** A condition that is true has no NULL in the operands of its strict operators. */
function impliesNotNull(given: Bound, own: Bound, at: Match): boolean {
	if (own.kind !== "is" || own.test !== "null" || !own.negated) return false;
	const operand = own.args[0]!;
	if (operand.type.oid === 2249) return false;
	return isStrictFor(given, operand, at, true);
}

/** Whether it is NULL, or `orFalse` false, wherever the operand is NULL. */
function isStrictFor(given: Bound, operand: Bound, at: Match, orFalse: boolean): boolean {
	if (isSame(given, operand, at)) return true;
	const some = (): boolean => given.args.some((arg) => isStrictFor(arg, operand, at, false));
	switch (given.kind) {
		case "call":
			return given.fn.strict && some();
		case "cast":
		case "relabel":
		case "modifier":
		case "not":
			return some();
		case "in-list":
			return isStrictFor(given.args[0]!, operand, at, false);
		case "quantified":
			// Nothing equals any element of an array that has none: that is false, also of NULL.
			return orFalse && !given.all && isStrictFor(given.args[0]!, operand, at, false);
		default:
			return false;
	}
}

/** x OP value, for any of the values, or for all of them. */
interface ConstantComparison {
	readonly operand: Bound;
	readonly symbol: string;
	readonly all?: boolean;
	readonly values: readonly { readonly value: Datum; readonly oid: number }[];
}

const flipped: Readonly<Record<string, string>> = {
	"=": "=",
	"<>": "<>",
	"<": ">",
	"<=": ">=",
	">": "<",
	">=": "<=",
};

/** A boolean by itself is one that equals true. */
function comparisonsOf(bound: Bound, at: Match): ConstantComparison | undefined {
	if (bound.kind === "call" && bound.operator && bound.args.length === 2) {
		const symbol = Object.hasOwn(flipped, bound.name) ? bound.name : undefined;
		if (symbol === undefined) return undefined;
		const [left, right] = bound.args as [Bound, Bound];
		const turned = !isValue(right);
		const [operand, other] = turned ? [right, left] : [left, right];
		if (isValue(operand) || !isValue(other)) return undefined;
		return constantComparison(operand, turned ? flipped[symbol]! : symbol, [other], at);
	}
	if (bound.kind === "in-list") {
		const [operand, ...values] = bound.args as [Bound, ...Bound[]];
		return values.every(isValue) ? constantComparison(operand, "=", values, at) : undefined;
	}
	if (bound.kind === "quantified" && bound.comparison.symbol === (bound.all ? "<>" : "=")) {
		const found = elementsOf(bound.args[0]!, bound.args[1]!, bound.comparison, at);
		return bound.all && found !== undefined ? negated(found) : found;
	}
	if (bound.kind === "not" && bound.args[0]!.kind === "in-list") {
		const found = comparisonsOf(bound.args[0]!, at);
		return found && negated(found);
	}
	if (bound.kind === "not") return booleanComparison(bound.args[0]!, false);
	if (bound.kind === "is" && !bound.negated && (bound.test === "true" || bound.test === "false")) {
		return booleanComparison(bound.args[0]!, bound.test === "true");
	}
	return booleanComparison(bound, true);
}

/** Of = with any of some values. */
const negated = (found: ConstantComparison): ConstantComparison => ({
	operand: found.operand,
	symbol: "<>",
	all: true,
	get values() {
		return found.values;
	},
});

const isValue = (bound: Bound): boolean =>
	bound.kind === "constant" ||
	bound.kind === "argument" ||
	((bound.kind === "cast" || isMade(bound)) && isValue(bound.args[0]!));

function booleanComparison(operand: Bound, value: boolean): ConstantComparison | undefined {
	if (operand.kind !== "column") return undefined;
	return { operand, symbol: "=", values: [{ value, oid: booleanType.oid }] };
}

function constantComparison(
	operand: Bound,
	symbol: string,
	given: readonly Bound[],
	at: Match,
): ConstantComparison | undefined {
	// Literals are looked at only when there is something to compare them with.
	return {
		operand,
		symbol,
		get values() {
			return given.map((one) => ({ value: constantOf(one, at)?.value ?? null, oid: one.type.oid }));
		},
	};
}

/** = ANY (ARRAY[...]), as IN is kept. */
function elementsOf(
	operand: Bound,
	array: Bound,
	{ argTypes }: Comparison,
	at: Match,
): ConstantComparison | undefined {
	const inner = array.kind === "relabel" || array.kind === "cast" ? array.args[0]! : array;
	if (inner.kind !== "array" || inner.nested || !inner.args.every(isValue)) return undefined;
	const oid = argTypes[1]!.oid;
	const isText = (one: number): boolean => one === 25 || one === 1043;
	if (!inner.args.every(({ type }) => type.oid === oid || (isText(type.oid) && isText(oid)))) {
		return undefined;
	}
	return {
		operand,
		symbol: "=",
		get values() {
			return inner.args.map((one) => ({ value: constantOf(one, at)?.value ?? null, oid }));
		},
	};
}

function impliesComparison(given: Bound, wanted: ConstantComparison, at: Match): boolean {
	const found = comparisonsOf(given, at);
	if (found === undefined || !isSame(found.operand, wanted.operand, at)) return false;
	const { symbol } = wanted;
	return partsOf(wanted).every((own) =>
		partsOf(found).some((values) =>
			values.every((one) =>
				own.some((other) => {
					const order = compareValues(one, other);
					return order !== undefined && follows(found.symbol, order, symbol);
				}),
			),
		),
	);
}

/** Conditions that hold together, each with the values of which it is about any. */
const partsOf = ({ all, values }: ConstantComparison): readonly ConstantComparison["values"][] =>
	all === true ? values.map((one) => [one]) : [values];

const integers = new Set([20, 21, 23]);

/** Undefined: they have no order in common, or one is not known. */
function compareValues(
	a: ConstantComparison["values"][number],
	b: ConstantComparison["values"][number],
): number | undefined {
	if (a.value === null || b.value === null) return undefined;
	if (integers.has(a.oid) && integers.has(b.oid)) {
		const [x, y] = [BigInt(a.value as number), BigInt(b.value as number)];
		return x < y ? -1 : x > y ? 1 : 0;
	}
	if (a.oid !== b.oid) return undefined;
	const type = typeByOid(a.oid);
	return type?.comparable === true ? type.compare(a.value, b.value) : undefined;
}

/** Whether x GIVEN a implies x WANTED b, where `order` is that of a to b (BT_implies_table). */
function follows(given: string, order: number, wanted: string): boolean {
	switch (given) {
		case "=":
			return holds(order, wanted);
		case "<":
			return order <= 0 && ["<", "<=", "<>"].includes(wanted);
		case "<=":
			return (order < 0 && ["<", "<=", "<>"].includes(wanted)) || (order === 0 && wanted === "<=");
		case ">":
			return order >= 0 && [">", ">=", "<>"].includes(wanted);
		case ">=":
			return (order > 0 && [">", ">=", "<>"].includes(wanted)) || (order === 0 && wanted === ">=");
		default:
			return order === 0 && wanted === "<>";
	}
}

function holds(order: number, symbol: string): boolean {
	switch (symbol) {
		case "=":
			return order === 0;
		case "<>":
			return order !== 0;
		case "<":
			return order < 0;
		case "<=":
			return order <= 0;
		case ">":
			return order > 0;
		default:
			return order >= 0;
	}
}
