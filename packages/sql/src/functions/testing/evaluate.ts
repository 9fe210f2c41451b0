/**
 * Evaluates single expressions straight from the syntax tree, for the tests of types and functions: no catalog, no plan. Knows
 * `select expression [from set_function(...) as x]`; with a FROM, an aggregate at the top sees all its rows.
 */
import { assert } from "@quorate/keys/assert";
import { DatabaseError } from "@quorate/keys/database-error";
import type { Expression, QualifiedName, Select, TypeName } from "../../parser/ast.ts";
import { type LexedStatement, lex, parse } from "../../parser/parse.ts";
import { makeArray } from "../../types/array-values.ts";
import type { ArrayValue, Datum, SqlType } from "../../types/datum.ts";
import { OID } from "../../types/oids.ts";
import {
	aggregateCandidates,
	applyModifier,
	commonType,
	type FunctionContext,
	findCast,
	formatType,
	operatorCandidates,
	packModifier,
	resolve,
	type ScalarFunction,
	scalarCandidates,
	setCandidates,
	typeByName,
	typeByOid,
} from "../../types/registry.ts";
import { quantified } from "../array-functions.ts";

export interface Typed {
	readonly oid: number;
	readonly modifier: number;
	readonly value: Datum;
}

interface Scope {
	readonly literals: LexedStatement["literals"];
	readonly context: FunctionContext;
	/** Columns of the row at hand. */
	readonly row: ReadonlyMap<string, Typed>;
}

const typed = (oid: number, value: Datum, modifier = -1): Typed => ({ oid, modifier, value });

/** A value as another type; unknown literals are read by it. */
function coerce(from: Typed, to: number, context: FunctionContext, explicit = false): Datum {
	if (from.oid === to || from.value === null || to === OID.any) {
		return from.value;
	}
	if (from.oid === OID.unknown) {
		return typeByOid(to)?.parse(from.value as string, -1, context) ?? null;
	}
	const cast = findCast(from.oid, to);
	if (cast === undefined || (!explicit && cast.context !== "implicit")) {
		const [source, target] = [from.oid, to].map((oid) => formatType({ oid, modifier: -1 }));
		throw new DatabaseError("42846", `cannot cast type ${source} to ${target}`);
	}
	return cast.apply(from.value, { oid: to, modifier: -1 }, context);
}

function invoke(
	what: "function" | "operator",
	name: string,
	candidates: readonly ScalarFunction[],
	args: readonly Typed[],
	context: FunctionContext,
): Typed {
	const oids = args.map((arg) => arg.oid);
	const { chosen, argTypes, resultType } = resolve(what, name, candidates, oids, 0);
	const values = args.map((arg, i) => coerce(arg, argTypes[i] as number, context));
	if (chosen.strict && values.includes(null)) {
		return typed(resultType, null);
	}
	const types = argTypes.map((oid): SqlType => ({ oid, modifier: -1 }));
	if (chosen.direct !== undefined) {
		return typed(resultType, chosen.direct(values[0] as Datum, values[1] as Datum));
	}
	const result = chosen.call(values, context, types);
	assert(!(result instanceof Promise), "tests of expressions are synchronous");
	return typed(resultType, result);
}

function number(text: string): Typed {
	const value = BigInt(text);
	if (value >= -0x8000_0000n && value <= 0x7fff_ffffn) {
		return typed(OID.int4, Number(value));
	}
	return value >= -0x8000_0000_0000_0000n && value <= 0x7fff_ffff_ffff_ffffn
		? typed(OID.int8, value)
		: typed(OID.numeric, typeByOid(OID.numeric)?.parse(text, -1, {} as FunctionContext) ?? null);
}

function literal(type: "integer" | "decimal" | "string", text: string, scope: Scope): Typed {
	if (type === "string") {
		return typed(OID.unknown, text);
	}
	return type === "integer"
		? number(text)
		: typed(OID.numeric, typeByOid(OID.numeric)?.parse(text, -1, scope.context) ?? null);
}

function typeOf(name: TypeName): SqlType {
	const last = name.name.at(-1) as string;
	const scalar = typeByName(last);
	if (scalar === undefined) {
		throw new DatabaseError("42704", `type "${last}" does not exist`);
	}
	const modifier = packModifier(scalar.oid, name.modifiers, name.at);
	return { oid: name.dimensions > 0 ? scalar.arrayOid : scalar.oid, modifier };
}

function cast(operand: Typed, type: SqlType, context: FunctionContext): Typed {
	const value = coerce(operand, type.oid, context, true);
	return typed(type.oid, applyModifier(value, type, true), type.modifier);
}

function array(elements: readonly Typed[], context: FunctionContext): Typed {
	const common = commonType(
		elements.map((e) => e.oid),
		"ARRAY",
		0,
	);
	const nested = typeByOid(common)?.category === "A";
	const values = elements.map((e) => coerce(e, common, context));
	return typed(nested ? common : (typeByOid(common)?.arrayOid ?? 0), makeArray(values, nested));
}

function anyOrAll(e: Extract<Expression, { kind: "quantified" }>, scope: Scope): Typed {
	const left = evaluate(e.operand, scope);
	const right = evaluate(e.right as Expression, scope);
	const elementOid = typeByOid(right.oid)?.elementOid ?? OID.unknown;
	const candidates = operatorCandidates(e.operator, 2);
	const { chosen, argTypes } = resolve(
		"operator",
		e.operator,
		candidates,
		[left.oid, elementOid],
		0,
	);
	const value = coerce(left, argTypes[0] as number, scope.context);
	const list = coerce(right, typeByOid(argTypes[1] as number)?.arrayOid ?? 0, scope.context);
	const test = (a: Datum, b: Datum): Datum => chosen.call([a, b], scope.context, []) as Datum;
	return typed(
		OID.bool,
		quantified(value, list as ArrayValue | null, e.quantifier === "any", test),
	);
}

function like(e: Extract<Expression, { kind: "like" }>, scope: Scope): Typed {
	let pattern = evaluate(e.pattern, scope);
	if (e.escape !== undefined) {
		const args = [pattern, evaluate(e.escape, scope)];
		pattern = invoke(
			"function",
			"like_escape",
			scalarCandidates("like_escape"),
			args,
			scope.context,
		);
	}
	const symbol = `${e.negated ? "!" : ""}~~${e.caseInsensitive ? "*" : ""}`;
	const args = [evaluate(e.operand, scope), pattern];
	return invoke("operator", symbol, operatorCandidates(symbol, 2), args, scope.context);
}

/** A cast of ARRAY[...] is a cast of its elements. */
function operandOf(e: Expression, type: SqlType, scope: Scope): Typed {
	const elementOid = typeByOid(type.oid)?.elementOid ?? 0;
	if (e.kind !== "array" || elementOid === 0 || e.elements.some((one) => one.kind === "array")) {
		return evaluate(e, scope);
	}
	const elements = e.elements.map((one) =>
		cast(evaluate(one, scope), { oid: elementOid, modifier: -1 }, scope.context),
	);
	return array(elements, scope.context);
}

const last = (name: QualifiedName): string => name.parts.at(-1) as string;

function evaluate(e: Expression, scope: Scope): Typed {
	const { context } = scope;
	switch (e.kind) {
		case "literal":
			return literal(e.type, e.text, scope);
		case "lifted":
			return literal(e.type, scope.literals[e.index]?.text ?? "", scope);
		case "null":
			return typed(OID.unknown, null);
		case "boolean":
			return typed(OID.bool, e.value);
		case "operator": {
			const args = e.operands.map((operand) => evaluate(operand, scope));
			const candidates = operatorCandidates(e.operator, args.length as 1 | 2);
			return invoke("operator", e.operator, candidates, args, context);
		}
		case "call": {
			const args = e.args.map((arg) => evaluate(arg, scope));
			const name = last(e.name);
			return invoke("function", name, scalarCandidates(name), args, context);
		}
		case "at-time-zone": {
			const args = [evaluate(e.zone, scope), evaluate(e.operand, scope)];
			return invoke("function", "timezone", scalarCandidates("timezone"), args, context);
		}
		case "cast":
			return cast(operandOf(e.operand, typeOf(e.type), scope), typeOf(e.type), context);
		case "array":
			return array(
				e.elements.map((element) => evaluate(element, scope)),
				context,
			);
		case "like":
			return like(e, scope);
		case "quantified":
			return anyOrAll(e, scope);
		case "column": {
			const column = scope.row.get(last(e.name));
			assert(column !== undefined, () => `no column ${last(e.name)}`);
			return column;
		}
		default:
			throw new Error(`expressions of kind ${e.kind} are not for these tests`);
	}
}

type Call = Extract<Expression, { kind: "call" }>;

interface Rows {
	readonly type: SqlType;
	readonly values: readonly Datum[];
}

function setRows(call: Call, scope: Scope): Rows {
	const args = call.args.map((arg) => evaluate(arg, scope));
	const name = last(call.name);
	const oids = args.map((arg) => arg.oid);
	const found = resolve("function", name, setCandidates(name), oids, 0);
	const values = args.map((arg, i) => coerce(arg, found.argTypes[i] as number, scope.context));
	const types = found.argTypes.map((oid): SqlType => ({ oid, modifier: -1 }));
	const rows = values.includes(null) ? [] : found.chosen.call(values, scope.context, types);
	return {
		type: { oid: found.resultType, modifier: -1 },
		values: Array.from(rows, (row) => row[0] as Datum),
	};
}

/** `sample` stands for a row where there is none: the types of the arguments come from it. */
function aggregateRows(call: Call, rows: readonly Scope[], sample: Scope): Typed {
	const name = last(call.name);
	const oids = call.args.map((arg) => evaluate(arg, sample).oid);
	const found = resolve("function", name, aggregateCandidates(name), oids, 0);
	const { chosen, argTypes, resultType } = found;
	const accumulator = chosen.create(argTypes.map((oid) => ({ oid, modifier: -1 })));
	for (const row of rows) {
		const values = call.args.map((arg, i) =>
			coerce(evaluate(arg, row), argTypes[i] as number, row.context),
		);
		if (!chosen.strict || !values.includes(null)) {
			accumulator.step(values, row.context);
		}
	}
	return typed(resultType, accumulator.result());
}

/** `select <text>`. */
export async function evaluateSelect(text: string, context: FunctionContext): Promise<Rows> {
	const [statement] = lex(`select ${text}`);
	assert(statement !== undefined, "nothing to evaluate");
	const tree = await parse(statement, async () => {});
	assert(tree.kind === "query", "expressions only");
	const select = tree.body as Select;
	const scope: Scope = { literals: statement.literals, context, row: new Map() };
	const { expression } = select.items[0] as Select["items"][number];
	const [source] = select.from;
	if (source?.kind === "function" && expression.kind === "call") {
		const { type, values } = setRows(source.calls[0]!, scope);
		const withColumn = (value: Datum): Scope => ({
			...scope,
			row: new Map([[source.alias ?? "", typed(type.oid, value)]]),
		});
		return oneRow(aggregateRows(expression, values.map(withColumn), withColumn(null)));
	}
	return expression.kind === "call" && setCandidates(last(expression.name)).length > 0
		? setRows(expression, scope)
		: oneRow(evaluate(expression, scope));
}

const oneRow = ({ oid, modifier, value }: Typed): Rows => ({
	type: { oid, modifier },
	values: [value],
});
