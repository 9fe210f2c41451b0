/** UNION, INTERSECT, EXCEPT, with and without ALL. */
import { type Compiled, evaluateAll } from "../../plan/compile.ts";
import { Layout } from "../../plan/relation.ts";
import type { Batch, Env, ExecRow } from "../env.ts";
import { rowHasher } from "../hash-key.ts";
import { Operator } from "../operator.ts";
import type { PlanNode } from "../plan-node.ts";
import { sortMemory } from "./sort.ts";

export interface SetInput {
	readonly node: PlanNode;
	/** To the common types; undefined: as they are. */
	readonly casts: readonly Compiled[] | undefined;
}

export class SetOperation extends Operator {
	readonly label: string;
	readonly details = [];
	readonly children: readonly PlanNode[];
	readonly layout: Layout;
	readonly estimate: number;
	readonly #operator: "union" | "intersect" | "except";
	readonly #all: boolean;
	readonly #left: SetInput;
	readonly #right: SetInput;
	readonly #hash: ReturnType<typeof rowHasher>;

	constructor(
		operator: "union" | "intersect" | "except",
		all: boolean,
		left: SetInput,
		right: SetInput,
		oids: readonly number[],
	) {
		super();
		this.#operator = operator;
		this.#all = all;
		this.#left = left;
		this.#right = right;
		this.#hash = rowHasher(
			oids,
			oids.map((_, i) => i),
		);
		this.children = [left.node, right.node];
		this.layout = new Layout(oids.length, new Map());
		this.label = `${operator[0]!.toUpperCase()}${operator.slice(1)}${all ? " All" : ""}`;
		this.estimate = left.node.estimate + right.node.estimate;
	}

	protected async *rows(env: Env): AsyncIterable<Batch> {
		if (this.#operator !== "union") {
			yield* this.#compared(env);
			return;
		}
		const seen = new Set<unknown>();
		for (const input of [this.#left, this.#right]) {
			for await (const batch of cast(input, env)) {
				const rows = this.#all ? batch : batch.filter((row) => this.#isNew(row, seen, env));
				if (rows.length > 0) yield rows;
			}
		}
	}

	#isNew(row: ExecRow, seen: Set<unknown>, env: Env): boolean {
		const hash = this.#hash(row);
		if (seen.has(hash)) return false;
		seen.add(hash);
		env.execution.memory.add(row, sortMemory);
		return true;
	}

	/** INTERSECT keeps a left row while a right one is left to match it; EXCEPT drops it. */
	async *#compared(env: Env): AsyncIterable<Batch> {
		const counts = new Map<unknown, number>();
		for await (const batch of cast(this.#right, env)) {
			for (const row of batch) {
				const hash = this.#hash(row);
				env.execution.memory.add(row, sortMemory);
				counts.set(hash, (counts.get(hash) ?? 0) + 1);
			}
		}
		const seen = new Set<unknown>();
		const intersect = this.#operator === "intersect";
		for await (const batch of cast(this.#left, env)) {
			const rows = batch.filter((row) => {
				const hash = this.#hash(row);
				const count = counts.get(hash) ?? 0;
				if (!this.#all) {
					if (count > 0 !== intersect || seen.has(hash)) return false;
					seen.add(hash);
					return true;
				}
				if (count > 0) counts.set(hash, count - 1);
				return count > 0 === intersect;
			});
			if (rows.length > 0) yield rows;
			const pause = env.execution.pause();
			if (pause !== undefined) await pause;
		}
	}
}

async function* cast(input: SetInput, env: Env): AsyncIterable<Batch> {
	for await (const batch of input.node.run(env)) {
		if (input.casts === undefined) {
			yield batch;
			continue;
		}
		const rows: ExecRow[] = [];
		for (const row of batch) rows.push(await evaluateAll(input.casts, row, env));
		yield rows;
	}
}
