/** Operators that work row by row: filter, projection, limit, one row, renaming. */
import { DatabaseError } from "@quorate/keys/database-error";
import { type Compiled, evaluateAll, syncOnly } from "../../plan/compile.ts";
import { Layout, type Relation } from "../../plan/relation.ts";
import { rowsFacts } from "../../plan/show.ts";
import type { Datum } from "../../types/datum.ts";
import type { Batch, Env, ExecRow } from "../env.ts";
import { Operator } from "../operator.ts";
import type { DirectRow, PlanFacts, PlanNode } from "../plan-node.ts";

export class Filter extends Operator {
	readonly label = "Filter";
	readonly details: readonly string[];
	readonly children: readonly PlanNode[];
	readonly layout: Layout;
	readonly estimate: number;
	readonly #input: PlanNode;
	readonly #condition: Compiled;

	constructor(input: PlanNode, condition: Compiled, shown: string) {
		super();
		this.#input = input;
		this.#condition = condition;
		this.children = [input];
		this.layout = input.layout;
		this.details = [`Condition: ${shown}`];
		this.estimate = Math.max(1, input.estimate / 3);
	}

	direct(): DirectRow | undefined {
		const input = this.#input.direct?.();
		const condition = this.#condition;
		if (input === undefined || condition.async) return undefined;
		return {
			read: input.read,
			byKey: input.byKey,
			key: input.key,
			finish: (row, env) => {
				const found = input.finish(row, env);
				return found !== undefined && condition.evaluate(found, env) === true ? found : undefined;
			},
		};
	}

	protected async *rows(env: Env): AsyncIterable<Batch> {
		const condition = this.#condition;
		for await (const batch of this.#input.run(env)) {
			const kept: ExecRow[] = [];
			for (const row of batch) {
				const value = condition.evaluate(row, env);
				if ((value instanceof Promise ? await value : value) === true) kept.push(row);
				const pause = env.execution.step();
				if (pause !== undefined) await pause;
			}
			if (kept.length > 0) yield kept;
		}
	}
}

export class Project extends Operator {
	readonly label = "Project";
	readonly details: readonly string[];
	readonly children: readonly PlanNode[];
	readonly layout: Layout;
	readonly estimate: number;
	readonly #input: PlanNode;
	readonly #columns: readonly Compiled[];

	constructor(input: PlanNode, columns: readonly Compiled[], shown: string) {
		super();
		this.#input = input;
		this.#columns = columns;
		this.children = [input];
		this.details = [`Output: ${shown}`];
		this.layout = new Layout(columns.length, new Map());
		this.estimate = input.estimate;
	}

	direct(): DirectRow | undefined {
		const input = this.#input.direct?.();
		const columns = syncOnly(this.#columns);
		if (input === undefined || columns === undefined) return undefined;
		return {
			read: input.read,
			byKey: input.byKey,
			key: input.key,
			finish: (row, env) => {
				const found = input.finish(row, env);
				if (found === undefined) return undefined;
				const out: Datum[] = new Array(columns.length);
				for (let i = 0; i < columns.length; i++) out[i] = columns[i]!(found, env);
				return out;
			},
		};
	}

	protected async *rows(env: Env): AsyncIterable<Batch> {
		const columns = syncOnly(this.#columns);
		for await (const batch of this.#input.run(env)) {
			const projected: ExecRow[] = [];
			for (const row of batch) {
				if (columns !== undefined) {
					const out: Datum[] = new Array(columns.length);
					for (let i = 0; i < columns.length; i++) out[i] = columns[i]!(row, env);
					projected.push(out);
				} else {
					projected.push(await evaluateAll(this.#columns, row, env));
				}
				const pause = env.execution.step();
				if (pause !== undefined) await pause;
			}
			yield projected;
		}
	}
}

/** Keeps the first `width` columns: drops those that only ORDER BY needed. */
export class Truncate extends Operator {
	readonly label = "Result";
	readonly details = [];
	readonly children: readonly PlanNode[];
	readonly layout: Layout;
	readonly estimate: number;
	readonly #input: PlanNode;

	constructor(input: PlanNode, width: number) {
		super();
		this.#input = input;
		this.children = [input];
		this.layout = new Layout(width, new Map());
		this.estimate = input.estimate;
	}

	protected async *rows(env: Env): AsyncIterable<Batch> {
		const { width } = this.layout;
		for await (const batch of this.#input.run(env)) yield batch.map((row) => row.slice(0, width));
	}
}

/** The same rows under the name of a relation. */
export class Renamed extends Operator {
	readonly label: string;
	readonly facts: PlanFacts;
	readonly details = [];
	readonly children: readonly PlanNode[];
	readonly layout: Layout;
	readonly estimate: number;
	readonly #input: PlanNode;

	constructor(input: PlanNode, relation: Relation) {
		super();
		this.#input = input;
		this.label = `Subquery Scan on ${relation.name}`;
		this.facts = rowsFacts("Subquery Scan", relation.name);
		this.children = [input];
		this.layout = Layout.of(relation);
		this.estimate = input.estimate;
	}

	protected rows(env: Env): AsyncIterable<Batch> {
		return this.#input.run(env);
	}
}

export class OneRow extends Operator {
	readonly label = "Result";
	readonly details = [];
	readonly children = [];
	readonly layout = Layout.empty;
	readonly estimate = 1;

	protected async *rows(_env: Env): AsyncIterable<Batch> {
		yield [[]];
	}
}

export class Limit extends Operator {
	readonly label = "Limit";
	readonly details = [];
	readonly children: readonly PlanNode[];
	readonly layout: Layout;
	readonly estimate: number;
	readonly #input: PlanNode;
	readonly #limit: Compiled | undefined;
	readonly #offset: Compiled | undefined;
	readonly #ties: ((a: ExecRow, b: ExecRow) => number) | undefined;

	/** `ties`: rows that are equal to the last one are not cut off. */
	constructor(
		input: PlanNode,
		limit: Compiled | undefined,
		offset: Compiled | undefined,
		ties?: (a: ExecRow, b: ExecRow) => number,
	) {
		super();
		this.#ties = ties;
		this.#input = input;
		this.#limit = limit;
		this.#offset = offset;
		this.children = [input];
		this.layout = input.layout;
		this.estimate = Math.min(input.estimate, 100);
	}

	protected async *rows(env: Env): AsyncIterable<Batch> {
		let skip = (await countOf(this.#offset, env, "OFFSET")) ?? 0;
		let left = (await countOf(this.#limit, env, "LIMIT")) ?? Number.POSITIVE_INFINITY;
		let last: ExecRow | undefined;
		if (left === 0) return;
		for await (const batch of this.#input.run(env)) {
			if (last !== undefined) {
				const tied = this.#tied(batch, last);
				if (tied.length > 0) yield tied;
				if (tied.length < batch.length) return;
				continue;
			}
			let rows = batch;
			if (skip > 0) {
				const dropped = Math.min(skip, rows.length);
				skip -= dropped;
				rows = rows.slice(dropped);
			}
			const cut = rows.slice(left);
			if (cut.length > 0) rows = rows.slice(0, left);
			left -= rows.length;
			if (rows.length > 0) yield rows;
			if (left > 0) continue;
			if (this.#ties === undefined) return;
			last = rows.at(-1)!;
			const tied = this.#tied(cut, last);
			if (tied.length > 0) yield tied;
			if (tied.length < cut.length) return;
		}
	}

	/** Those at the beginning that are equal to the last row. */
	#tied(batch: Batch, last: ExecRow): Batch {
		const end = batch.findIndex((row) => this.#ties!(row, last) !== 0);
		return end < 0 ? batch : batch.slice(0, end);
	}
}

/** Undefined: no limit (NULL, ALL). Throws 2201W, 2201X. */
export async function countOf(
	compiled: Compiled | undefined,
	env: Env,
	clause: "LIMIT" | "OFFSET",
): Promise<number | undefined> {
	const value = compiled === undefined ? null : await compiled.evaluate([], env);
	if (value === null) return undefined;
	const count = Number(value);
	if (count < 0) {
		throw new DatabaseError(
			clause === "LIMIT" ? "2201W" : "2201X",
			`${clause} must not be negative`,
		);
	}
	return count;
}

export class ValuesScan extends Operator {
	readonly label = "Values Scan";
	readonly details = [];
	readonly children = [];
	readonly layout: Layout;
	readonly estimate: number;
	readonly #rows: readonly (readonly Compiled[])[];

	constructor(rows: readonly (readonly Compiled[])[]) {
		super();
		this.#rows = rows;
		this.layout = new Layout(rows[0]!.length, new Map());
		this.estimate = rows.length;
	}

	protected async *rows(env: Env): AsyncIterable<Batch> {
		const out: ExecRow[] = [];
		for (const row of this.#rows) out.push(await evaluateAll(row, [], env));
		yield out;
	}
}
