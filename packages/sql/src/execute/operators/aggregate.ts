/** GROUP BY and aggregates, by hashing. Without GROUP BY there is exactly one group. */
import { type Compiled, evaluateAll, syncOnly } from "../../plan/compile.ts";
import type { Layout } from "../../plan/relation.ts";
import type { Datum, SqlType } from "../../types/datum.ts";
import type { AggregateFunction } from "../../types/registry.ts";
import type { Batch, Env, ExecRow } from "../env.ts";
import { rowHasher } from "../hash-key.ts";
import { Operator } from "../operator.ts";
import { batchSize, type PlanNode } from "../plan-node.ts";
import { type Compare, sortMemory } from "./sort.ts";

export interface CompiledAggregate {
	readonly fn: AggregateFunction;
	readonly args: readonly Compiled[];
	readonly argTypes: readonly SqlType[];
	readonly distinct: boolean;
	/** Over the arguments followed by the sort expressions. */
	readonly order: { readonly keys: readonly Compiled[]; readonly compare: Compare } | undefined;
	readonly filter: Compiled | undefined;
}

interface Accumulator {
	readonly state: ReturnType<AggregateFunction["create"]>;
	readonly seen: Set<unknown> | undefined;
	/** Rows kept until the end, where an order is asked for. */
	readonly kept: ExecRow[] | undefined;
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
	readonly #hash: ReturnType<typeof rowHasher>;
	readonly #calls: readonly CompiledAggregate[];
	readonly #distinctHashes: readonly ReturnType<typeof rowHasher>[];

	constructor(
		input: PlanNode,
		groups: readonly Compiled[],
		groupOids: readonly number[],
		calls: readonly CompiledAggregate[],
		layout: Layout,
		shown: string,
	) {
		super();
		this.#input = input;
		this.#groups = groups;
		this.#hash = rowHasher(groupOids, indexes(groups.length));
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
		const groups = new Map<unknown, Group>();
		if (this.#groups.length === 0) groups.set(undefined, this.#newGroup([]));
		const keys = syncOnly(this.#groups);
		for await (const batch of this.#input.run(env)) {
			for (const row of batch) {
				const values =
					keys === undefined
						? await evaluateAll(this.#groups, row, env)
						: keys.map((key) => key(row, env));
				const hash = values.length === 0 ? undefined : this.#hash(values);
				let group = groups.get(hash);
				if (group === undefined) {
					group = this.#newGroup(values);
					groups.set(hash, group);
					env.execution.memory.add(values, sortMemory);
				}
				for (let i = 0; i < this.#calls.length; i++) {
					const waiting = this.#step(i, group.accumulators[i]!, row, env);
					if (waiting !== undefined) await waiting;
				}
			}
			const pause = env.execution.pause();
			if (pause !== undefined) await pause;
		}
		let out: ExecRow[] = [];
		for (const group of groups.values()) {
			out.push([...group.keys, ...group.accumulators.map((_, i) => this.#result(i, group))]);
			if (out.length < batchSize) continue;
			yield out;
			out = [];
		}
		if (out.length > 0) yield out;
	}

	#newGroup(keys: readonly Datum[]): Group {
		return {
			keys,
			accumulators: this.#calls.map((call) => ({
				state: call.fn.create(call.argTypes),
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
		this.#take(index, accumulator, values);
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
			this.#take(index, accumulator, values);
			return;
		}
		const kept = [...values, ...(await evaluateAll(call.order.keys, row, env))];
		env.execution.memory.add(kept, sortMemory);
		accumulator.kept!.push(kept);
	}

	#take(index: number, accumulator: Accumulator, values: readonly Datum[]): void {
		if (accumulator.seen !== undefined) {
			const hash = this.#distinctHashes[index]!(values);
			if (accumulator.seen.has(hash)) return;
			accumulator.seen.add(hash);
		}
		accumulator.state.step(values);
	}

	#result(index: number, group: Group): Datum {
		const accumulator = group.accumulators[index]!;
		const call = this.#calls[index]!;
		if (call.order !== undefined) {
			for (const kept of accumulator.kept!.sort(call.order.compare)) {
				this.#take(index, accumulator, kept.slice(0, call.args.length));
			}
		}
		return accumulator.state.result();
	}
}

const indexes = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);
