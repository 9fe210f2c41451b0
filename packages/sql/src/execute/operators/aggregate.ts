/**
 * GROUP BY and aggregates, by hashing: a table for each grouping set, of which there is one unless it was asked for more. A set of
 * no keys is exactly one group.
 */
import { type Compiled, evaluateAll, syncOnly } from "../../plan/compile.ts";
import type { Layout } from "../../plan/relation.ts";
import type { Datum, SqlType } from "../../types/datum.ts";
import type { AggregateFunction } from "../../types/registry.ts";
import type { Batch, Env, ExecRow } from "../env.ts";
import { rowHasher } from "../hash-key.ts";
import { Operator } from "../operator.ts";
import { batchSize, type PlanNode } from "../plan-node.ts";
import { type Compare, sortMemory, sortRows } from "./sort.ts";

export interface CompiledAggregate {
	readonly fn: AggregateFunction;
	readonly args: readonly Compiled[];
	readonly argTypes: readonly SqlType[];
	readonly distinct: boolean;
	/** Over the arguments followed by the sort expressions. */
	readonly order: { readonly keys: readonly Compiled[]; readonly compare: Compare } | undefined;
	readonly filter: Compiled | undefined;
	/** WITHIN GROUP. */
	readonly within: Parameters<AggregateFunction["create"]>[1];
}

interface Accumulator {
	readonly state: ReturnType<AggregateFunction["create"]>;
	readonly seen: Set<unknown> | undefined;
	/** Rows kept until the end, where an order is asked for. */
	readonly kept: ExecRow[] | undefined;
}

export interface GroupKeys {
	readonly oids: readonly number[];
	/** Which keys group; the others are NULL. */
	readonly sets: readonly (readonly number[])[];
	/** What stands behind the results of the calls, by set. */
	readonly masks: readonly (readonly Datum[])[];
}

interface Group {
	readonly keys: readonly Datum[];
	readonly accumulators: readonly Accumulator[];
}

export class Aggregate extends Operator {
	readonly label: string;
	readonly details: readonly string[];
	readonly children: readonly PlanNode[];
	readonly layout: Layout;
	readonly estimate: number;
	readonly #input: PlanNode;
	readonly #groups: readonly Compiled[];
	readonly #keys: GroupKeys;
	readonly #hashes: readonly ReturnType<typeof rowHasher>[];
	readonly #calls: readonly CompiledAggregate[];
	readonly #distinctHashes: readonly ReturnType<typeof rowHasher>[];

	constructor(
		input: PlanNode,
		groups: readonly Compiled[],
		keys: GroupKeys,
		calls: readonly CompiledAggregate[],
		layout: Layout,
		shown: string,
	) {
		super();
		this.#input = input;
		this.#groups = groups;
		this.#keys = keys;
		this.#hashes = keys.sets.map((set) =>
			rowHasher(
				set.map((slot) => keys.oids[slot]!),
				set,
			),
		);
		this.#calls = calls;
		this.#distinctHashes = calls.map((call) =>
			rowHasher(
				call.argTypes.map((type) => type.oid),
				indexes(call.argTypes.length),
			),
		);
		this.children = [input];
		this.layout = layout;
		this.label = groups.length === 0 ? "Aggregate" : "HashAggregate";
		this.details = groups.length === 0 ? [] : [`Group Key: ${shown}`];
		this.estimate = groups.length === 0 ? 1 : Math.max(1, input.estimate / 10);
	}

	protected async *rows(env: Env): AsyncIterable<Batch> {
		const { sets } = this.#keys;
		const tables = sets.map((set) => {
			const table = new Map<unknown, Group>();
			if (set.length === 0) table.set("", this.#newGroup(this.#keysOf(set, [])));
			return table;
		});
		const keys = syncOnly(this.#groups);
		for await (const batch of this.#input.run(env)) {
			for (const row of batch) {
				const values =
					keys === undefined
						? await evaluateAll(this.#groups, row, env)
						: keys.map((key) => key(row, env));
				for (let s = 0; s < sets.length; s++) {
					const hash = this.#hashes[s]!(values);
					let group = tables[s]!.get(hash);
					if (group === undefined) {
						group = this.#newGroup(this.#keysOf(sets[s]!, values));
						tables[s]!.set(hash, group);
						env.execution.memory.add(values, sortMemory);
					}
					for (let i = 0; i < this.#calls.length; i++) {
						const waiting = this.#step(i, group.accumulators[i]!, row, env);
						if (waiting !== undefined) await waiting;
					}
				}
				const pause = env.execution.step();
				if (pause !== undefined) await pause;
			}
		}
		yield* this.#results(tables, env);
	}

	async *#results(tables: readonly Map<unknown, Group>[], env: Env): AsyncIterable<Batch> {
		let out: ExecRow[] = [];
		for (const [s, table] of tables.entries()) {
			const masks = this.#keys.masks[s]!;
			for (const group of table.values()) {
				for (const [i, { kept }] of group.accumulators.entries()) {
					if (kept !== undefined) await this.#takeInOrder(i, kept, group, env);
				}
				const results = group.accumulators.map(({ state }) => state.result());
				out.push([...group.keys, ...results, ...masks]);
				const pause = env.execution.step();
				if (pause !== undefined) await pause;
				if (out.length < batchSize) continue;
				yield out;
				out = [];
			}
		}
		if (out.length > 0) yield out;
	}

	/** A group's keys as its set shows them. */
	#keysOf(set: readonly number[], values: readonly Datum[]): readonly Datum[] {
		if (set.length === this.#groups.length) return values;
		return this.#groups.map((_, slot) => (set.includes(slot) ? values[slot]! : null));
	}

	#newGroup(keys: readonly Datum[]): Group {
		return {
			keys,
			accumulators: this.#calls.map((call) => ({
				state: call.fn.create(call.argTypes, call.within),
				seen: call.distinct ? new Set() : undefined,
				kept: call.order === undefined ? undefined : [],
			})),
		};
	}

	/** A promise only where an expression is asynchronous. */
	#step(
		index: number,
		accumulator: Accumulator,
		row: ExecRow,
		env: Env,
	): Promise<void> | undefined {
		const call = this.#calls[index]!;
		if (
			call.order !== undefined ||
			call.filter?.async === true ||
			syncOnly(call.args) === undefined
		) {
			return this.#stepSlowly(index, accumulator, row, env);
		}
		if (call.filter !== undefined && call.filter.evaluate(row, env) !== true) return undefined;
		const values: Datum[] = [];
		for (const arg of call.args) {
			const value = arg.evaluate(row, env) as Datum;
			if (value === null && call.fn.strict) return undefined;
			values.push(value);
		}
		this.#take(index, accumulator, values, env);
		return undefined;
	}

	async #stepSlowly(
		index: number,
		accumulator: Accumulator,
		row: ExecRow,
		env: Env,
	): Promise<void> {
		const call = this.#calls[index]!;
		if (call.filter !== undefined && (await call.filter.evaluate(row, env)) !== true) return;
		const values = await evaluateAll(call.args, row, env);
		if (call.fn.strict && values.includes(null)) return;
		if (call.order === undefined) {
			this.#take(index, accumulator, values, env);
			return;
		}
		const kept = [...values, ...(await evaluateAll(call.order.keys, row, env))];
		env.execution.memory.add(kept, sortMemory);
		accumulator.kept!.push(kept);
	}

	#take(index: number, accumulator: Accumulator, values: readonly Datum[], env: Env): void {
		const { memory } = env.execution;
		if (accumulator.seen !== undefined) {
			const hash = this.#distinctHashes[index]!(values);
			if (accumulator.seen.has(hash)) return;
			accumulator.seen.add(hash);
			memory.add(values, sortMemory);
		}
		if (this.#calls[index]!.fn.keeps === true) memory.add(values, sortMemory);
		accumulator.state.step(values, env.context);
	}

	async #takeInOrder(index: number, kept: ExecRow[], group: Group, env: Env): Promise<void> {
		const call = this.#calls[index]!;
		for (const values of await sortRows(kept, call.order!.compare, env)) {
			this.#take(index, group.accumulators[index]!, values.slice(0, call.args.length), env);
			const pause = env.execution.step();
			if (pause !== undefined) await pause;
		}
	}
}

const indexes = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);
