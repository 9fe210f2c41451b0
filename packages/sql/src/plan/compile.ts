/**
 * Bound expressions to closures, once per plan. Almost all are synchronous; what needs the store or the clock (a
 * subquery, nextval, pg_sleep) makes the expressions around it asynchronous, in a slower form with the same meaning.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Env, ExecRow } from "../execute/env.ts";
import { elementAt, sliceOf } from "../types/array-access.ts";
import { makeArray } from "../types/array-values.ts";
import type { Datum, RowValue } from "../types/datum.ts";
import { isRow } from "../types/made-oids.ts";
import { OID } from "../types/oids.ts";
import { applyModifier, typeByOid } from "../types/registry.ts";
import type { Bound } from "./bound.ts";
import { compileCall, compileComparison } from "./compile-call.ts";
import { compileLazy } from "./compile-lazy.ts";
import type { CompileScope } from "./compile-scope.ts";
import { compileInList, compileQuantified } from "./compile-set.ts";
import { compileSubquery } from "./compile-subquery.ts";
import { compileDomain } from "./domains.ts";

export type Evaluate = (row: ExecRow, env: Env) => Datum;
export type EvaluateAsync = (row: ExecRow, env: Env) => Datum | Promise<Datum>;

export type Compiled =
	| { readonly async: false; readonly evaluate: Evaluate }
	| { readonly async: true; readonly evaluate: EvaluateAsync };

export const sync = (evaluate: Evaluate): Compiled => ({ async: false, evaluate });

export function compile(bound: Bound, scope: CompileScope): Compiled {
	switch (bound.kind) {
		case "constant": {
			const { value } = bound;
			return sync(() => value);
		}
		case "argument": {
			const slot = scope.context.arguments.slot(bound.argument);
			return sync((_row, env) => env.args[slot]!);
		}
		case "column":
			return compileColumn(bound, scope);
		case "call":
			return compileCall(bound, scope);
		case "domain":
			return compileDomain(bound, scope);
		case "relabel":
			return compile(bound.args[0]!, scope);
		case "cast": {
			const { cast, type } = bound;
			return strict(bound, scope, (value, env) => cast.apply(value, type, env.context));
		}
		case "modifier": {
			const { explicit, type } = bound;
			return strict(bound, scope, (value) => applyModifier(value, type, explicit));
		}
		case "not":
			return strict(bound, scope, (value) => value !== true);
		case "is":
			return compileIs(bound, scope);
		case "distinct-from":
			return compileDistinct(bound, scope);
		case "and":
		case "or":
		case "case":
		case "coalesce":
			return compileLazy(bound, scope);
		case "in-list":
			return compileInList(bound, scope);
		case "quantified":
			return compileQuantified(bound, scope);
		case "subquery":
			return compileSubquery(bound, scope);
		default:
			return compileEager(bound, scope);
	}
}

/** Constructs that evaluate all operands first. */
function compileEager(bound: Bound, scope: CompileScope): Compiled {
	switch (bound.kind) {
		case "nullif": {
			const equal = compileComparison(bound.comparison);
			return eager(bound, scope, ([a, b], env) =>
				a !== null && b !== null && equal(a!, b!, env) === true ? null : a!,
			);
		}
		case "extreme": {
			const { compare } = typeByOid(bound.type.oid)!;
			const sign = bound.greatest ? 1 : -1;
			return eager(bound, scope, (values) => {
				let best: Datum = null;
				for (const value of values) {
					if (value === null) continue;
					if (best === null || compare(value, best) * sign > 0) best = value;
				}
				return best;
			});
		}
		case "array": {
			const { nested } = bound;
			return eager(bound, scope, (values) => makeArray(values, nested));
		}
		case "row":
			return eager(
				bound,
				scope,
				rowMaker(
					bound.args.map((arg) => arg.type.oid),
					bound.names,
				),
			);
		case "field": {
			const { index } = bound;
			return strict(bound, scope, (value) => (value as RowValue).fields[index] ?? null);
		}
		case "subscript":
			return eager(bound, scope, ([array, ...indexes]) => elementAt(array!, indexes));
		case "slice": {
			const { dimensions } = bound;
			return eager(bound, scope, ([array, ...bounds]) => sliceOf(array!, dimensions, bounds));
		}
		default:
			throw new DatabaseError("0A000", `${bound.kind} is not allowed here`, {
				hint: "Move it into a subquery.",
				...(bound.at >= 0 ? { position: bound.at + 1 } : {}),
			});
	}
}

const rowMaker =
	(types: readonly number[], names: readonly string[] | undefined) =>
	(fields: readonly Datum[]): RowValue =>
		names === undefined ? { kind: "row", fields, types } : { kind: "row", fields, types, names };

function compileColumn(bound: Extract<Bound, { kind: "column" }>, scope: CompileScope): Compiled {
	const { depth, slot } = scope.locate(bound.relation, bound.column, bound.at);
	if (depth === 0) return sync((row) => row[slot]!);
	if (depth === 1) return sync((_row, env) => env.row[slot]!);
	if (depth === 2) return sync((_row, env) => env.outer!.row[slot]!);
	return sync((_row, env) => {
		let level = env;
		for (let i = 1; i < depth; i++) level = level.outer!;
		return level.row[slot]!;
	});
}

/** One operand, NULL in and NULL out. */
export function strict(
	bound: Bound,
	scope: CompileScope,
	apply: (value: Datum, env: Env) => Datum,
): Compiled {
	const operand = compile(bound.args[0]!, scope);
	if (!operand.async) {
		const { evaluate } = operand;
		return sync((row, env) => {
			const value = evaluate(row, env);
			return value === null ? null : apply(value, env);
		});
	}
	return {
		async: true,
		evaluate: async (row, env) => {
			const value = await operand.evaluate(row, env);
			return value === null ? null : apply(value, env);
		},
	};
}

/** All operands, then `combine`. */
export function eager(
	bound: Bound,
	scope: CompileScope,
	combine: (values: readonly Datum[], env: Env) => Datum,
): Compiled {
	const operands = bound.args.map((arg) => compile(arg, scope));
	const evaluators = syncOnly(operands);
	if (evaluators !== undefined) {
		return sync((row, env) =>
			combine(
				evaluators.map((evaluate) => evaluate(row, env)),
				env,
			),
		);
	}
	return {
		async: true,
		evaluate: async (row, env) => combine(await evaluateAll(operands, row, env), env),
	};
}

/** The closures, if none is asynchronous. */
export function syncOnly(compiled: readonly Compiled[]): readonly Evaluate[] | undefined {
	const out: Evaluate[] = [];
	for (const one of compiled) {
		if (one.async) return undefined;
		out.push(one.evaluate);
	}
	return out;
}

/** In order, one after the other. */
export async function evaluateAll(
	compiled: readonly Compiled[],
	row: ExecRow,
	env: Env,
): Promise<Datum[]> {
	const values: Datum[] = [];
	for (const one of compiled) {
		const value = one.evaluate(row, env);
		values.push(value instanceof Promise ? await value : value);
	}
	return values;
}

function compileIs(bound: Extract<Bound, { kind: "is" }>, scope: CompileScope): Compiled {
	const { test, negated } = bound;
	const wanted = test === "true" ? true : test === "false" ? false : null;
	const { oid } = bound.args[0]!.type;
	const isOfRow = (oid === OID.record || isRow(oid)) && test === "null";
	const check = (value: Datum): boolean => {
		if (isOfRow && value !== null) {
			const { fields } = value as RowValue;
			return fields.every((field) => (field === null) !== negated);
		}
		return (value === wanted) !== negated;
	};
	const operand = compile(bound.args[0]!, scope);
	if (!operand.async) {
		const { evaluate } = operand;
		return sync((row, env) => check(evaluate(row, env)));
	}
	return { async: true, evaluate: async (row, env) => check(await operand.evaluate(row, env)) };
}

function compileDistinct(
	bound: Extract<Bound, { kind: "distinct-from" }>,
	scope: CompileScope,
): Compiled {
	const equal = compileComparison(bound.comparison);
	const { negated } = bound;
	return eager(bound, scope, ([a, b], env) => {
		const same = a === null || b === null ? a === b : equal(a!, b!, env) === true;
		return same === negated;
	});
}
