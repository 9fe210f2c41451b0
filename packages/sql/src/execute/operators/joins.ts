/** Joins: by hash, by looking keys up in batches, by running the right side for each left row. */
import type { Compiled } from "../../plan/compile.ts";
import type { Layout } from "../../plan/relation.ts";
import { joinFacts } from "../../plan/show.ts";
import type { Datum } from "../../types/datum.ts";
import type { Batch, Env, ExecRow } from "../env.ts";
import { rowHasher } from "../hash-key.ts";
import { Operator } from "../operator.ts";
import { batchSize, type PlanFacts, type PlanNode } from "../plan-node.ts";
import type { TableReader } from "../table-reader.ts";
import { sortMemory } from "./sort.ts";

export type JoinType = "inner" | "left" | "full";

const titles = { inner: "", left: " Left", full: " Full" } as const;

/** Gathers joined rows; `full()` says when to pass them on. */
class Output {
	rows: ExecRow[] = [];

	add(left: ExecRow, right: ExecRow): void {
		this.rows.push([...left, ...right]);
	}

	get isFull(): boolean {
		return this.rows.length >= batchSize;
	}

	take(): ExecRow[] {
		const { rows } = this;
		this.rows = [];
		return rows;
	}
}

const nulls = (width: number): ExecRow => new Array<Datum>(width).fill(null);

async function holds(condition: Compiled | undefined, row: ExecRow, env: Env): Promise<boolean> {
	if (condition === undefined) return true;
	const pause = env.execution.step();
	if (pause !== undefined) await pause;
	const value = condition.evaluate(row, env);
	return (value instanceof Promise ? await value : value) === true;
}

export interface HashKeys {
	readonly left: readonly Compiled[];
	readonly right: readonly Compiled[];
	readonly oids: readonly number[];
}

/** No keys: every pair is looked at. */
export class HashJoin extends Operator {
	readonly label: string;
	readonly facts: PlanFacts;
	readonly details: readonly string[];
	readonly children: readonly PlanNode[];
	readonly layout: Layout;
	readonly estimate: number;
	readonly #left: PlanNode;
	readonly #right: PlanNode;
	readonly #keys: HashKeys;
	readonly #hash: ReturnType<typeof rowHasher>;
	readonly #condition: Compiled | undefined;
	readonly #type: JoinType;

	constructor(
		type: JoinType,
		left: PlanNode,
		right: PlanNode,
		keys: HashKeys,
		condition: Compiled | undefined,
		shown: string,
	) {
		super();
		this.#type = type;
		this.#left = left;
		this.#right = right;
		this.#keys = keys;
		this.#hash = rowHasher(
			keys.oids,
			keys.oids.map((_, i) => i),
		);
		this.#condition = condition;
		this.children = [left, right];
		this.layout = left.layout.join(right.layout);
		const method = keys.oids.length === 0 ? "Nested Loop" : "Hash";
		this.label = `${method}${titles[type]}${keys.oids.length === 0 && type === "inner" ? "" : " Join"}`;
		this.facts = joinFacts(keys.oids.length === 0 ? "Nested Loop" : "Hash Join", type);
		this.details =
			shown === "" ? [] : [`${keys.oids.length === 0 ? "Join Filter" : "Hash Cond"}: ${shown}`];
		this.estimate =
			keys.oids.length === 0
				? left.estimate * right.estimate
				: Math.max(left.estimate, right.estimate);
	}

	protected async *rows(env: Env): AsyncIterable<Batch> {
		const table = await this.#build(env);
		const matched = this.#type === "full" ? new Set<ExecRow>() : undefined;
		const output = new Output();
		const noRight = nulls(this.#right.layout.width);
		for await (const batch of this.#left.run(env)) {
			for (const left of batch) {
				let found = false;
				for (const right of await this.#candidates(table, left, env)) {
					const row = [...left, ...right];
					if (!(await holds(this.#condition, row, env))) continue;
					found = true;
					matched?.add(right);
					output.rows.push(row);
					if (output.isFull) {
						yield output.take();
						const pause = env.execution.pause();
						if (pause !== undefined) await pause;
					}
				}
				if (!found && this.#type !== "inner") output.add(left, noRight);
			}
			if (output.rows.length > 0) yield output.take();
			const pause = env.execution.pause();
			if (pause !== undefined) await pause;
		}
		if (matched !== undefined) yield* this.#unmatched(table, matched);
	}

	async #build(env: Env): Promise<HashTable> {
		const table: HashTable = { buckets: new Map(), keyless: [] };
		for await (const batch of this.#right.run(env)) {
			for (const row of batch) {
				env.execution.memory.add(row, sortMemory);
				const key = await this.#keyOf(this.#keys.right, row, env);
				if (key === undefined) {
					table.keyless.push(row);
					continue;
				}
				const bucket = table.buckets.get(key);
				if (bucket === undefined) table.buckets.set(key, [row]);
				else bucket.push(row);
			}
		}
		return table;
	}

	/** Undefined: a NULL, which matches nothing. */
	async #keyOf(keys: readonly Compiled[], row: ExecRow, env: Env): Promise<unknown> {
		if (keys.length === 0) return true;
		const values: Datum[] = [];
		for (const key of keys) {
			const value = key.evaluate(row, env);
			values.push(value instanceof Promise ? await value : value);
		}
		return values.includes(null) ? undefined : this.#hash(values);
	}

	async #candidates(table: HashTable, left: ExecRow, env: Env): Promise<readonly ExecRow[]> {
		const key = await this.#keyOf(this.#keys.left, left, env);
		return key === undefined ? [] : (table.buckets.get(key) ?? []);
	}

	*#unmatched(table: HashTable, matched: ReadonlySet<ExecRow>): Iterable<Batch> {
		const output = new Output();
		const noLeft = nulls(this.#left.layout.width);
		for (const rows of [...table.buckets.values(), table.keyless]) {
			for (const right of rows) if (!matched.has(right)) output.add(noLeft, right);
		}
		if (output.rows.length > 0) yield output.take();
	}
}

interface HashTable {
	readonly buckets: Map<unknown, ExecRow[]>;
	readonly keyless: ExecRow[];
}

/** The right side is run for each left row, which is around it. */
export class NestedLoop extends Operator {
	readonly label: string;
	readonly facts: PlanFacts;
	readonly details: readonly string[];
	readonly children: readonly PlanNode[];
	readonly layout: Layout;
	readonly estimate: number;
	readonly #type: "inner" | "left";
	readonly #left: PlanNode;
	readonly #right: PlanNode;
	readonly #condition: Compiled | undefined;

	constructor(
		type: "inner" | "left",
		left: PlanNode,
		right: PlanNode,
		condition: Compiled | undefined,
		shown: string,
	) {
		super();
		this.#type = type;
		this.#left = left;
		this.#right = right;
		this.#condition = condition;
		this.children = [left, right];
		this.layout = left.layout.join(right.layout);
		this.label = `Nested Loop${type === "left" ? " Left Join" : ""}`;
		this.facts = joinFacts("Nested Loop", type);
		this.details = shown === "" ? [] : [`Join Filter: ${shown}`];
		this.estimate = left.estimate * Math.max(1, right.estimate);
	}

	protected async *rows(env: Env): AsyncIterable<Batch> {
		const output = new Output();
		const noRight = nulls(this.#right.layout.width);
		for await (const batch of this.#left.run(env)) {
			for (const left of batch) {
				let found = false;
				for await (const rights of this.#right.run(env.inner(left))) {
					for (const right of rights) {
						const row = [...left, ...right];
						if (!(await holds(this.#condition, row, env))) continue;
						found = true;
						output.rows.push(row);
					}
					if (output.isFull) yield output.take();
				}
				if (!found && this.#type === "left") output.add(left, noRight);
				const pause = env.execution.pause();
				if (pause !== undefined) await pause;
			}
			if (output.rows.length > 0) yield output.take();
		}
	}
}

/** The right side is a table of which each left row fixes a whole unique key: a batch of keys is read at once. */
export class LookupJoin extends Operator {
	readonly label: string;
	readonly facts: PlanFacts;
	readonly details: readonly string[];
	readonly children: readonly PlanNode[];
	readonly layout: Layout;
	readonly estimate: number;
	readonly #type: "inner" | "left";
	readonly #left: PlanNode;
	readonly #reader: TableReader;
	readonly #condition: Compiled | undefined;

	constructor(
		type: "inner" | "left",
		left: PlanNode,
		right: {
			readonly reader: TableReader;
			readonly layout: Layout;
			readonly label: string;
			readonly facts: PlanFacts;
			readonly details: readonly string[];
		},
		condition: Compiled | undefined,
	) {
		super();
		this.#type = type;
		this.#left = left;
		this.#reader = right.reader;
		this.#condition = condition;
		this.children = [left];
		this.layout = left.layout.join(right.layout);
		this.label = `Lookup Join${titles[type]}: ${right.label}`;
		const { "Node Type": _of, ...facts } = right.facts;
		this.facts = { ...facts, ...joinFacts("Lookup Join", type) };
		this.details = right.details;
		this.estimate = left.estimate;
	}

	protected async *rows(env: Env): AsyncIterable<Batch> {
		const noRight = nulls(this.#reader.width + 1);
		for await (const batch of this.#left.run(env)) {
			const output = new Output();
			const keys = batch.map((left) => this.#reader.ranges.singleKey([], env.inner(left)));
			const present = keys.filter((key) => key !== undefined);
			const found = present.length === 0 ? [] : await this.#reader.rowsOf(present, env);
			let next = 0;
			for (let i = 0; i < batch.length; i++) {
				const right = keys[i] === undefined ? undefined : found[next++];
				const row = right === undefined ? undefined : [...batch[i]!, ...right];
				if (row !== undefined && (await holds(this.#condition, row, env))) output.rows.push(row);
				else if (this.#type === "left") output.add(batch[i]!, noRight);
			}
			if (output.rows.length > 0) yield output.take();
			const pause = env.execution.pause();
			if (pause !== undefined) await pause;
		}
	}
}

/** For plans that need all rows of an input before they go on. */
export async function allRows(node: PlanNode, env: Env): Promise<ExecRow[]> {
	const rows: ExecRow[] = [];
	for await (const batch of node.run(env)) {
		for (const row of batch) {
			env.execution.memory.add(row, sortMemory);
			rows.push(row);
		}
	}
	return rows;
}
