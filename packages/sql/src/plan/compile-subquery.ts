/** Subqueries in expressions. One that refers to nothing around it runs once a statement; others once a row. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Env, ExecRow } from "../execute/env.ts";
import { type HashKey, hashOf } from "../execute/hash-key.ts";
import type { PlanNode } from "../execute/plan-node.ts";
import { makeArray } from "../types/array-values.ts";
import type { Datum } from "../types/datum.ts";
import { type CastDefinition, findCast } from "../types/registry.ts";
import { type Bound, plainType } from "./bound.ts";
import { type Compiled, compile, evaluateAll } from "./compile.ts";
import { compileComparison } from "./compile-call.ts";
import type { CompileScope } from "./compile-scope.ts";

type SubqueryBound = Extract<Bound, { kind: "subquery" }>;

export function compileSubquery(bound: SubqueryBound, scope: CompileScope): Compiled {
	const plan = scope.context.planQuery(bound.query, scope);
	if (bound.mode === "any" || bound.mode === "all" || bound.mode === "row") {
		return compileMembership(bound, plan, scope);
	}
	const once = async (row: ExecRow, env: Env): Promise<Datum> =>
		single(bound, plan, env.inner(row));
	if (bound.query.correlated) return { async: true, evaluate: once };
	return {
		async: true,
		evaluate: (row, env) => {
			const { cache } = env.execution;
			const known = cache.get(bound) as { value: Datum } | Promise<Datum> | undefined;
			if (known instanceof Promise) return known;
			if (known !== undefined) return known.value;
			const running = once(row, env).then((value) => {
				cache.set(bound, { value });
				return value;
			});
			cache.set(bound, running);
			return running;
		},
	};
}

async function single(bound: SubqueryBound, plan: PlanNode, env: Env): Promise<Datum> {
	if (bound.mode === "array") {
		const elements: Datum[] = [];
		for await (const batch of plan.run(env)) for (const row of batch) elements.push(row[0]!);
		return makeArray(elements, bound.query.columns[0]!.type.oid === bound.type.oid);
	}
	let found: ExecRow | undefined;
	for await (const batch of plan.run(env)) {
		if (bound.mode === "exists") return true;
		if (found !== undefined || batch.length > 1) {
			throw severalRows();
		}
		found = batch[0];
	}
	return bound.mode === "exists" ? false : (found?.[0] ?? null);
}

/** The query's columns, cast to what the comparison takes. */
function columnCasts(bound: SubqueryBound): readonly (CastDefinition | undefined)[] {
	return bound.comparisons.map((comparison, i) => {
		const from = bound.query.columns[i]!.type.oid;
		const to = comparison.argTypes[1]!.oid;
		return from === to ? undefined : findCast(from, to);
	});
}

function compileMembership(bound: SubqueryBound, plan: PlanNode, scope: CompileScope): Compiled {
	const operands = bound.args.map((arg) => compile(arg, scope));
	const casts = columnCasts(bound);
	const all = bound.mode === "all";
	const test = rowTest(bound, casts);
	if (isHashable(bound, casts)) return hashedMembership(bound, plan, operands[0]!);
	const rowsOf = rowSource(bound, plan);
	if (bound.mode === "row") return comparedRow(operands, rowsOf, test);
	return {
		async: true,
		evaluate: async (row, env) => {
			const values = await evaluateAll(operands, row, env);
			let unknown = false;
			for await (const batch of rowsOf(row, env)) {
				for (const candidate of batch) {
					const result = test(values, candidate, env);
					if (result === !all) return !all;
					if (result === null) unknown = true;
				}
			}
			return unknown ? null : all;
		},
	};
}

type RowTest = (values: readonly Datum[], row: ExecRow, env: Env) => Datum;

/** Rows are equal if all pairs are, different if one is, and ordered by the first pair that differs. */
function rowTest(bound: SubqueryBound, casts: readonly (CastDefinition | undefined)[]): RowTest {
	const compare = bound.comparisons.map((comparison) => compileComparison(comparison));
	const equal = bound.equalities?.map((comparison) => compileComparison(comparison));
	/** What one pair that is so decides for the whole. */
	const decisive = bound.comparisons[0]!.symbol === "<>";
	return (values, row, env) => {
		let unknown = false;
		for (let i = 0; i < values.length; i++) {
			const [left, cell] = [values[i]!, row[i]!];
			if (left === null || cell === null) {
				if (equal !== undefined) return null;
				unknown = true;
				continue;
			}
			const cast = casts[i];
			const right =
				cast === undefined
					? cell
					: cast.apply(cell, bound.comparisons[i]!.argTypes[1]!, env.context);
			const isLast = i === values.length - 1;
			if (equal !== undefined && !isLast && equal[i]!(left, right, env) === true) continue;
			const result = compare[i]!(left, right, env);
			if (equal !== undefined || result === decisive) return result;
			if (result === null) unknown = true;
		}
		return unknown ? null : !decisive;
	};
}

/** With the only row of the query; NULL if there is none. */
function comparedRow(
	operands: readonly Compiled[],
	rowsOf: (row: ExecRow, env: Env) => AsyncIterable<readonly ExecRow[]>,
	test: RowTest,
): Compiled {
	return {
		async: true,
		evaluate: async (row, env) => {
			const values = await evaluateAll(operands, row, env);
			let only: ExecRow | undefined;
			for await (const batch of rowsOf(row, env)) {
				if (only !== undefined || batch.length > 1) throw severalRows();
				only = batch[0];
			}
			return only === undefined ? null : test(values, only, env);
		},
	};
}

const severalRows = (): DatabaseError =>
	new DatabaseError("21000", "more than one row returned by a subquery used as an expression");

/** Rows of an uncorrelated query are kept for the statement. */
function rowSource(
	bound: SubqueryBound,
	plan: PlanNode,
): (row: ExecRow, env: Env) => AsyncIterable<readonly ExecRow[]> {
	if (bound.query.correlated) return (row, env) => plan.run(env.inner(row));
	return async function* (row, env) {
		const { cache } = env.execution;
		let kept = cache.get(bound) as ExecRow[] | undefined;
		if (kept === undefined) {
			kept = [];
			for await (const batch of plan.run(env.inner(row))) kept.push(...batch);
			cache.set(bound, kept);
		}
		if (kept.length > 0) yield kept;
	};
}

const isHashable = (
	bound: SubqueryBound,
	casts: readonly (CastDefinition | undefined)[],
): boolean =>
	!bound.query.correlated &&
	bound.mode === "any" &&
	bound.comparisons.length === 1 &&
	bound.comparisons[0]!.symbol === "=" &&
	casts[0] === undefined &&
	bound.comparisons[0]!.argTypes[0]!.oid === bound.comparisons[0]!.argTypes[1]!.oid;

function hashedMembership(bound: SubqueryBound, plan: PlanNode, operand: Compiled): Compiled {
	const oid = plainType(bound.comparisons[0]!.argTypes[1]!.oid).oid;
	const build = async (row: ExecRow, env: Env): Promise<MembershipSet> => {
		const set: MembershipSet = { hashes: new Set(), hasNull: false };
		for await (const batch of plan.run(env.inner(row))) {
			for (const [value] of batch) {
				if (value === null) set.hasNull = true;
				else set.hashes.add(hashOf(oid, value!));
			}
		}
		return set;
	};
	const decide = (set: MembershipSet, value: Datum): boolean | null => {
		if (set.hashes.size === 0 && !set.hasNull) return false;
		if (value === null) return null;
		if (set.hashes.has(hashOf(oid, value))) return true;
		return set.hasNull ? null : false;
	};
	return {
		async: true,
		evaluate: async (row, env) => {
			const value = await operand.evaluate(row, env);
			const { cache } = env.execution;
			let set = cache.get(bound) as Promise<MembershipSet> | undefined;
			if (set === undefined) {
				set = build(row, env);
				cache.set(bound, set);
			}
			return decide(await set, value);
		},
	};
}

interface MembershipSet {
	readonly hashes: Set<HashKey>;
	hasNull: boolean;
}
