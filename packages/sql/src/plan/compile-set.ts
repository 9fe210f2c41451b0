/** x IN (list) and x OP ANY|ALL (array). */
import type { Env, ExecRow } from "../execute/env.ts";
import { hashOf } from "../execute/hash-key.ts";
import { flatten } from "../types/array-values.ts";
import type { ArrayValue, Datum } from "../types/datum.ts";
import { type Bound, someNode } from "./bound.ts";
import { type Compiled, compile, type Evaluate, eager, sync, syncOnly } from "./compile.ts";
import { compileComparison } from "./compile-call.ts";
import type { CompileScope } from "./compile-scope.ts";

/** From this length on, a list of values that do not change from row to row is looked up in a set. */
const setFrom = 9;

export function compileInList(
	bound: Extract<Bound, { kind: "in-list" }>,
	scope: CompileScope,
): Compiled {
	const equals = bound.comparisons.map((comparison) => compileComparison(comparison));
	const operands = bound.args.map((arg) => compile(arg, scope));
	const evaluators = syncOnly(operands);
	const isFixed = bound.args
		.slice(1)
		.every((arg) => !someNode(arg, (n) => n.kind === "column" || n.kind === "call"));
	const sameType = bound.args[0]!.type.oid === bound.args.at(-1)!.type.oid;
	if (evaluators !== undefined && isFixed && sameType && evaluators.length >= setFrom) {
		return sync(lookup(bound, evaluators));
	}
	if (evaluators !== undefined) {
		return sync((row, env) => {
			const value = evaluators[0]!(row, env);
			if (value === null) return null;
			let unknown = false;
			for (let i = 1; i < evaluators.length; i++) {
				const element = evaluators[i]!(row, env);
				if (element === null) unknown = true;
				else if (equals[i - 1]!(value, element, env) === true) return true;
			}
			return unknown ? null : false;
		});
	}
	return eager(bound, scope, (values, env) =>
		anyMatch(values[0]!, values.slice(1), (a, b, i) => equals[i]!(a, b, env)),
	);
}

function anyMatch(
	value: Datum,
	elements: readonly Datum[],
	compare: (value: Datum, element: Datum, index: number) => Datum,
): boolean | null {
	if (value === null) return elements.length === 0 ? false : null;
	let unknown = false;
	for (const [i, element] of elements.entries()) {
		if (element === null) unknown = true;
		else if (compare(value, element, i) === true) return true;
	}
	return unknown ? null : false;
}

function lookup(bound: Bound, evaluators: readonly Evaluate[]): Evaluate {
	const oid = bound.args[0]!.type.oid;
	return (row: ExecRow, env: Env) => {
		const value = evaluators[0]!(row, env);
		if (value === null) return null;
		let set = env.execution.cache.get(bound) as
			| { hashes: Set<unknown>; hasNull: boolean }
			| undefined;
		if (set === undefined) {
			set = { hashes: new Set(), hasNull: false };
			for (let i = 1; i < evaluators.length; i++) {
				const element = evaluators[i]!(row, env);
				if (element === null) set.hasNull = true;
				else set.hashes.add(hashOf(oid, element));
			}
			env.execution.cache.set(bound, set);
		}
		if (set.hashes.has(hashOf(oid, value))) return true;
		return set.hasNull ? null : false;
	};
}

export function compileQuantified(
	bound: Extract<Bound, { kind: "quantified" }>,
	scope: CompileScope,
): Compiled {
	const compare = compileComparison(bound.comparison);
	const { all } = bound;
	return eager(bound, scope, ([value, array], env) => {
		if (array === null) return null;
		let unknown = false;
		for (const element of flatten(array as ArrayValue)) {
			if (element === null || value === null) {
				unknown = true;
				continue;
			}
			const result = compare(value!, element, env);
			if (result === null) unknown = true;
			else if (result !== all) return !all;
		}
		return unknown ? null : all;
	});
}
