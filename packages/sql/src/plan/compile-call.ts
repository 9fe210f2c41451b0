/** Calls of functions and operators. All operands are looked at, also beside a NULL: what is wrong with one is an error, as in PostgreSQL. */
import type { Env, ExecRow } from "../execute/env.ts";
import type { Datum } from "../types/datum.ts";
import type { Bound, Comparison } from "./bound.ts";
import { type Compiled, compile, type Evaluate, evaluateAll, sync, syncOnly } from "./compile.ts";
import type { CompileScope } from "./compile-scope.ts";

type CallBound = Extract<Bound, { kind: "call" }>;

export function compileCall(bound: CallBound, scope: CompileScope): Compiled {
	const operands = bound.args.map((arg) => compile(arg, scope));
	const { async, slow } = bound.fn;
	const evaluators = async || slow === true ? undefined : syncOnly(operands);
	if (evaluators === undefined) return asyncCall(bound, operands);
	const { fn, argTypes } = bound;
	if (evaluators.length === 2 && fn.strict) {
		return sync(binaryCall(bound, evaluators[0]!, evaluators[1]!));
	}
	if (evaluators.length === 1 && fn.strict) {
		const operand = evaluators[0]!;
		const { direct } = fn;
		if (direct !== undefined) {
			return sync((row, env) => {
				const value = operand(row, env);
				return value === null ? null : direct(value, null);
			});
		}
		return sync((row, env) => {
			const value = operand(row, env);
			return value === null ? null : (fn.call([value], env.context, argTypes) as Datum);
		});
	}
	const isStrict = fn.strict;
	return sync((row, env) => {
		const values = evaluators.map((evaluate) => evaluate(row, env));
		if (isStrict && values.includes(null)) return null;
		return fn.call(values, env.context, argTypes) as Datum;
	});
}

function binaryCall(bound: CallBound, left: Evaluate, right: Evaluate): Evaluate {
	const { fn, argTypes } = bound;
	const { direct } = fn;
	if (direct === undefined) {
		return (row, env) => {
			const a = left(row, env);
			const b = right(row, env);
			return a === null || b === null ? null : (fn.call([a, b], env.context, argTypes) as Datum);
		};
	}
	return (row, env) => {
		const a = left(row, env);
		const b = right(row, env);
		return a === null || b === null ? null : direct(a, b);
	};
}

function asyncCall(bound: CallBound, operands: readonly Compiled[]): Compiled {
	const { fn, argTypes } = bound;
	return {
		async: true,
		evaluate: async (row: ExecRow, env: Env) => {
			const values = await evaluateAll(operands, row, env);
			if (fn.strict && values.includes(null)) return null;
			const pause = fn.slow === true ? env.execution.pause() : undefined;
			if (pause !== undefined) await pause;
			return fn.call(values, env.context, argTypes);
		},
	};
}

/** Two values that are not NULL. */
export function compileComparison(
	comparison: Comparison,
): (left: Datum, right: Datum, env: Env) => Datum {
	const { fn, argTypes } = comparison;
	const { direct } = fn;
	if (direct !== undefined) return direct;
	return (left, right, env) => fn.call([left, right], env.context, argTypes) as Datum;
}
