/** AND, OR, CASE and COALESCE: an operand is evaluated only if the ones before it leave the result open. */
import type { Env, ExecRow } from "../execute/env.ts";
import type { Datum } from "../types/datum.ts";
import type { Bound } from "./bound.ts";
import { type Compiled, compile, type Evaluate, sync, syncOnly } from "./compile.ts";
import type { CompileScope } from "./compile-scope.ts";

export function compileLazy(bound: Bound, scope: CompileScope): Compiled {
	const operands = bound.args.map((arg) => compile(arg, scope));
	const evaluators = syncOnly(operands);
	if (evaluators === undefined) return lazyAsync(bound, operands);
	switch (bound.kind) {
		case "and":
			return sync(allOf(evaluators));
		case "or":
			return sync(anyOf(evaluators));
		case "case":
			return sync(caseOf(evaluators));
		default:
			return sync((row, env) => {
				for (const evaluate of evaluators) {
					const value = evaluate(row, env);
					if (value !== null) return value;
				}
				return null;
			});
	}
}

function allOf(evaluators: readonly Evaluate[]): Evaluate {
	if (evaluators.length === 2) {
		const [first, second] = evaluators as [Evaluate, Evaluate];
		return (row, env) => {
			const a = first(row, env);
			if (a === false) return false;
			const b = second(row, env);
			return b === false ? false : a === null ? null : b;
		};
	}
	return (row, env) => {
		let unknown = false;
		for (const evaluate of evaluators) {
			const value = evaluate(row, env);
			if (value === false) return false;
			if (value === null) unknown = true;
		}
		return unknown ? null : true;
	};
}

function anyOf(evaluators: readonly Evaluate[]): Evaluate {
	return (row, env) => {
		let unknown = false;
		for (const evaluate of evaluators) {
			const value = evaluate(row, env);
			if (value === true) return true;
			if (value === null) unknown = true;
		}
		return unknown ? null : false;
	};
}

function caseOf(evaluators: readonly Evaluate[]): Evaluate {
	const last = evaluators.length - 1;
	return (row, env) => {
		for (let i = 0; i < last; i += 2) {
			if (evaluators[i]!(row, env) === true) return evaluators[i + 1]!(row, env);
		}
		return evaluators[last]!(row, env);
	};
}

function lazyAsync(bound: Bound, operands: readonly Compiled[]): Compiled {
	const last = operands.length - 1;
	const value = async (i: number, row: ExecRow, env: Env): Promise<Datum> =>
		operands[i]!.evaluate(row, env);
	const logical = (decisive: boolean) => async (row: ExecRow, env: Env) => {
		let unknown = false;
		for (let i = 0; i <= last; i++) {
			const v = await value(i, row, env);
			if (v === decisive) return decisive;
			if (v === null) unknown = true;
		}
		return unknown ? null : !decisive;
	};
	if (bound.kind === "and") return { async: true, evaluate: logical(false) };
	if (bound.kind === "or") return { async: true, evaluate: logical(true) };
	if (bound.kind === "case") {
		return {
			async: true,
			evaluate: async (row, env) => {
				for (let i = 0; i < last; i += 2) {
					if ((await value(i, row, env)) === true) return value(i + 1, row, env);
				}
				return value(last, row, env);
			},
		};
	}
	return {
		async: true,
		evaluate: async (row, env) => {
			for (let i = 0; i <= last; i++) {
				const v = await value(i, row, env);
				if (v !== null) return v;
			}
			return null;
		},
	};
}
