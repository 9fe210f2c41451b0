/** ORDER BY: everything in memory up to the statement's limit, or a heap of the first n under LIMIT. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Compiled } from "../../plan/compile.ts";
import type { SortKey } from "../../plan/logical.ts";
import type { Layout } from "../../plan/relation.ts";
import type { Datum } from "../../types/datum.ts";
import { typeByOid } from "../../types/registry.ts";
import type { Batch, Env, ExecRow } from "../env.ts";
import { Operator } from "../operator.ts";
import { batchSize, type PlanNode } from "../plan-node.ts";
import { countOf } from "./simple.ts";

export type Compare = (a: ExecRow, b: ExecRow) => number;

export function rowComparer(keys: readonly SortKey[]): Compare {
	const parts = keys.map(({ slot, type, descending, nullsFirst }) => ({
		slot,
		compare: typeByOid(type.oid)!.compare,
		sign: descending ? -1 : 1,
		nulls: nullsFirst ? -1 : 1,
	}));
	return (a, b) => {
		for (const { slot, compare, sign, nulls } of parts) {
			const [x, y] = [a[slot] as Datum, b[slot] as Datum];
			if (x === null || y === null) {
				if (x !== y) return x === null ? nulls : -nulls;
				continue;
			}
			const order = compare(x, y);
			if (order !== 0) return order * sign;
		}
		return 0;
	};
}

export const sortMemory = (limit: number): DatabaseError =>
	new DatabaseError("53200", "out of memory", {
		detail: `Sorting, grouping or joining needed more than ${Math.round(limit / 1048576)} MB for one statement.`,
		hint: "Add a LIMIT or an index, or ask for less at a time.",
	});

/** Above this many rows a LIMIT no longer uses a heap. */
const heapMax = 10_000;

export class Sort extends Operator {
	readonly label = "Sort";
	readonly details: readonly string[];
	readonly children: readonly PlanNode[];
	readonly layout: Layout;
	readonly estimate: number;
	readonly #input: PlanNode;
	readonly #compare: Compare;
	readonly #limit: Compiled | undefined;
	readonly #offset: Compiled | undefined;

	constructor(
		input: PlanNode,
		keys: readonly SortKey[],
		shown: string,
		limit: Compiled | undefined,
		offset: Compiled | undefined,
	) {
		super();
		this.#input = input;
		this.#compare = rowComparer(keys);
		this.#limit = limit;
		this.#offset = offset;
		this.children = [input];
		this.layout = input.layout;
		this.details = [`Sort Key: ${shown}`];
		this.estimate = input.estimate;
	}

	protected async *rows(env: Env): AsyncIterable<Batch> {
		const limit = await countOf(this.#limit, env, "LIMIT");
		const offset = (await countOf(this.#offset, env, "OFFSET")) ?? 0;
		const wanted = limit === undefined ? Number.POSITIVE_INFINITY : limit + offset;
		const rows = wanted <= heapMax ? await this.#first(wanted, env) : await this.#all(env);
		for (let i = 0; i < rows.length; i += batchSize) yield rows.slice(i, i + batchSize);
	}

	async #all(env: Env): Promise<ExecRow[]> {
		const rows: ExecRow[] = [];
		for await (const batch of this.#input.run(env)) {
			for (const row of batch) {
				env.execution.memory.add(row, sortMemory);
				rows.push(row);
			}
		}
		return sortRows(rows, this.#compare, env);
	}

	/** Keeps about twice as many rows as wanted, and cuts when there are more: stable, and O(n log k). */
	async #first(wanted: number, env: Env): Promise<ExecRow[]> {
		let rows: ExecRow[] = [];
		if (wanted === 0) return rows;
		let worst: ExecRow | undefined;
		const cut = Math.max(64, wanted * 2);
		for await (const batch of this.#input.run(env)) {
			for (const row of batch) {
				if (worst !== undefined && this.#compare(row, worst) >= 0) continue;
				rows.push(row);
				if (rows.length < cut) continue;
				rows = rows.sort(this.#compare).slice(0, wanted);
				worst = rows.at(-1);
			}
		}
		return rows.sort(this.#compare).slice(0, wanted);
	}
}

const runSize = 4096;

/** Stable; gives way to the event loop between runs and merges. */
export async function sortRows(rows: ExecRow[], compare: Compare, env: Env): Promise<ExecRow[]> {
	if (rows.length <= runSize) return rows.sort(compare);
	let runs: ExecRow[][] = [];
	for (let i = 0; i < rows.length; i += runSize) {
		runs.push(rows.slice(i, i + runSize).sort(compare));
		const pause = env.execution.pause();
		if (pause !== undefined) await pause;
	}
	while (runs.length > 1) {
		const merged: ExecRow[][] = [];
		for (let i = 0; i < runs.length; i += 2) {
			const right = runs[i + 1];
			merged.push(right === undefined ? runs[i]! : await merge(runs[i]!, right, compare, env));
		}
		runs = merged;
	}
	return runs[0]!;
}

async function merge(
	left: ExecRow[],
	right: ExecRow[],
	compare: Compare,
	env: Env,
): Promise<ExecRow[]> {
	const out: ExecRow[] = new Array(left.length + right.length);
	let [l, r] = [0, 0];
	for (let i = 0; i < out.length; i++) {
		const takeLeft = r >= right.length || (l < left.length && compare(left[l]!, right[r]!) <= 0);
		out[i] = takeLeft ? left[l++]! : right[r++]!;
		if ((i & 4095) === 4095) {
			const pause = env.execution.pause();
			if (pause !== undefined) await pause;
		}
	}
	return out;
}
