/**
 * Calls with OVER. All rows are kept, up to the statement's memory, sorted by partition and order, and taken partition by
 * partition. An aggregate goes on with what it has while its frame only grows, and begins anew where rows leave it.
 */
import { type Compiled, evaluateAll, syncOnly } from "../../plan/compile.ts";
import type { SortKey } from "../../plan/logical.ts";
import { Layout, type Relation } from "../../plan/relation.ts";
import type { BoundFrame } from "../../plan/window.ts";
import type { Datum, SqlType } from "../../types/datum.ts";
import type { AggregateFunction, WindowFunction, WindowPartition } from "../../types/registry.ts";
import type { Batch, Env, ExecRow } from "../env.ts";
import { Operator } from "../operator.ts";
import { batchSize, type PlanNode } from "../plan-node.ts";
import {
	checkOffset,
	type FrameOffsets,
	Frames,
	PeerGroups,
	type RangeKey,
} from "../window-frame.ts";
import { type Compare, rowComparer, sortMemory, sortRows } from "./sort.ts";

export interface CompiledFrame extends BoundFrame {
	readonly startOffset: Compiled | undefined;
	readonly endOffset: Compiled | undefined;
}

export interface CompiledWindowCall {
	readonly fn: WindowFunction | AggregateFunction;
	readonly args: readonly Compiled[];
	readonly argTypes: readonly SqlType[];
	readonly filter: Compiled | undefined;
	readonly frame: CompiledFrame;
}

interface Keys {
	/** Slots are behind those of the input. */
	readonly partition: readonly SortKey[];
	readonly order: readonly SortKey[];
}

export class Window extends Operator {
	readonly label = "WindowAgg";
	readonly details: readonly string[];
	readonly children: readonly PlanNode[];
	readonly layout: Layout;
	readonly estimate: number;
	readonly #input: PlanNode;
	readonly #keys: readonly Compiled[];
	readonly #order: readonly SortKey[];
	readonly #calls: readonly CompiledWindowCall[];
	readonly #compareAll: Compare | undefined;
	readonly #comparePartition: Compare;
	readonly #compareOrder: Compare;

	constructor(
		input: PlanNode,
		keys: readonly Compiled[],
		{ partition, order }: Keys,
		calls: readonly CompiledWindowCall[],
		relation: Relation,
		shown: readonly string[],
	) {
		super();
		this.#input = input;
		this.#keys = keys;
		this.#order = order;
		this.#calls = calls;
		this.#compareAll = keys.length === 0 ? undefined : rowComparer([...partition, ...order]);
		this.#comparePartition = rowComparer(partition);
		this.#compareOrder = rowComparer(order);
		this.children = [input];
		this.layout = input.layout.join(Layout.of(relation));
		this.details = shown;
		this.estimate = input.estimate;
	}

	protected async *rows(env: Env): AsyncIterable<Batch> {
		const offsets: FrameOffsets[] = [];
		for (const { frame } of this.#calls) offsets.push(await offsetsOf(frame, env));
		const rows = await this.#sorted(env);
		for (let from = 0; from < rows.length; ) {
			let to = from + 1;
			while (to < rows.length && this.#comparePartition(rows[from]!, rows[to]!) === 0) to++;
			const partition = from === 0 && to === rows.length ? rows : rows.slice(from, to);
			yield* this.#partition(partition, offsets, env);
			from = to;
		}
	}

	/** Rows with the keys behind them. */
	async #sorted(env: Env): Promise<readonly ExecRow[]> {
		const rows: ExecRow[] = [];
		const keys = syncOnly(this.#keys);
		for await (const batch of this.#input.run(env)) {
			for (const row of batch) {
				const values =
					keys === undefined
						? await evaluateAll(this.#keys, row, env)
						: keys.map((key) => key(row, env));
				const kept = [...row, ...values];
				env.execution.memory.add(kept, sortMemory);
				rows.push(kept);
			}
			const pause = env.execution.pause();
			if (pause !== undefined) await pause;
		}
		return this.#compareAll === undefined ? rows : sortRows(rows, this.#compareAll, env);
	}

	async *#partition(
		rows: readonly ExecRow[],
		offsets: readonly FrameOffsets[],
		env: Env,
	): AsyncIterable<Batch> {
		const peers = new PeerGroups(
			rows.length,
			(row) => this.#compareOrder(rows[row - 1]!, rows[row]!) === 0,
		);
		const columns: (readonly Datum[])[] = [];
		for (const [i, call] of this.#calls.entries()) {
			const run = new CallRun(call, rows, peers, this.#rangeKey(rows), offsets[i]!, env);
			const column = await run.column();
			env.execution.memory.add(column, sortMemory);
			columns.push(column);
		}
		const { width } = this.#input.layout;
		for (let from = 0; from < rows.length; from += batchSize) {
			const batch = rows.slice(from, from + batchSize);
			yield batch.map((row, i) => [
				...row.slice(0, width),
				...columns.map((column) => column[from + i]!),
			]);
		}
	}

	#rangeKey(rows: readonly ExecRow[]): RangeKey | undefined {
		const [key] = this.#order;
		if (this.#order.length !== 1 || key === undefined) return undefined;
		return { ...key, values: rows.map((row) => row[key.slot]!) };
	}
}

async function offsetsOf(frame: CompiledFrame, env: Env): Promise<FrameOffsets> {
	const value = async (
		offset: Compiled | undefined,
		which: "starting" | "ending",
	): Promise<Datum> =>
		offset === undefined ? null : checkOffset(await offset.evaluate([], env), which, frame.unit);
	return {
		start: await value(frame.startOffset, "starting"),
		end: await value(frame.endOffset, "ending"),
	};
}

/** Rows between two chances for other tasks. */
const slice = 256;

/** One call in one partition. */
class CallRun {
	readonly #call: CompiledWindowCall;
	readonly #rows: readonly ExecRow[];
	readonly #peers: PeerGroups;
	readonly #frames: Frames;
	readonly #env: Env;

	constructor(
		call: CompiledWindowCall,
		rows: readonly ExecRow[],
		peers: PeerGroups,
		key: RangeKey | undefined,
		offsets: FrameOffsets,
		env: Env,
	) {
		this.#call = call;
		this.#rows = rows;
		this.#peers = peers;
		this.#frames = new Frames(call.frame, offsets, rows.length, peers, key, env.context);
		this.#env = env;
	}

	/** The call's value for each row. */
	async column(): Promise<readonly Datum[]> {
		const { fn } = this.#call;
		const args = await this.#arguments();
		if ("value" in fn) return this.#windowFunction(fn, args as (readonly Datum[])[]);
		return this.#aggregate(fn, args);
	}

	/** By row; undefined where FILTER leaves it out. */
	async #arguments(): Promise<(readonly Datum[] | undefined)[]> {
		const { args, filter } = this.#call;
		const env = this.#env;
		const evaluators = syncOnly(args);
		const out: (readonly Datum[] | undefined)[] = [];
		for (const [i, row] of this.#rows.entries()) {
			if (i % slice === slice - 1) await env.execution.pause();
			if (filter !== undefined && (await filter.evaluate(row, env)) !== true) {
				out.push(undefined);
				continue;
			}
			const values =
				evaluators === undefined
					? await evaluateAll(args, row, env)
					: evaluators.map((evaluate) => evaluate(row, env));
			env.execution.memory.add(values, sortMemory);
			out.push(values);
		}
		return out;
	}

	async #windowFunction(
		fn: WindowFunction,
		args: readonly (readonly Datum[])[],
	): Promise<readonly Datum[]> {
		const peers = this.#peers;
		const frames = this.#frames;
		const partition: WindowPartition = {
			size: this.#rows.length,
			args,
			peersOf: (row) => peers.of(row),
			peersBefore: (row) => peers.groups[row]!,
			frameOf: (row) => frames.of(row),
		};
		const out: Datum[] = [];
		for (let row = 0; row < partition.size; row++) {
			if (row % slice === slice - 1) await this.#env.execution.pause();
			out.push(fn.value(partition, row));
		}
		return out;
	}

	async #aggregate(
		fn: AggregateFunction,
		args: readonly (readonly Datum[] | undefined)[],
	): Promise<readonly Datum[]> {
		const out: Datum[] = [];
		const { execution } = this.#env;
		let state = fn.create(this.#call.argTypes);
		/** What `state` has taken: [from, to), and how it answered. */
		let from = 0;
		let to = 0;
		let value: Datum | undefined;
		let steps = 0;
		const take = (row: number): Promise<void> | undefined => {
			const values = args[row];
			if (values !== undefined && !(fn.strict && values.includes(null)))
				state.step(values, this.#env.context);
			return ++steps % slice === 0 ? execution.pause() : undefined;
		};
		for (let row = 0; row < args.length; row++) {
			const frame = this.#frames.of(row);
			const [only] = frame;
			const grows = frame.length === 1 && only![0] === from && only![1] >= to && to > from;
			const begins = grows ? to : -1;
			if (!grows) {
				state = fn.create(this.#call.argTypes);
				value = undefined;
			}
			for (const [low, high] of frame) {
				for (let i = grows ? begins : low; i < high; i++) {
					value = undefined;
					const pause = take(i);
					if (pause !== undefined) await pause;
				}
			}
			[from, to] = frame.length === 1 ? [only![0], only![1]] : [0, 0];
			if (value === undefined) {
				value = state.result();
				execution.memory.add([value], sortMemory);
			}
			out.push(value);
		}
		return out;
	}
}
