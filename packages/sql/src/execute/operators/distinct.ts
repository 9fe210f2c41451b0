/** DISTINCT and DISTINCT ON: the first row of each combination of values, in the order in which they come. */
import type { Layout } from "../../plan/relation.ts";
import type { Batch, Env } from "../env.ts";
import { rowHasher } from "../hash-key.ts";
import { Operator } from "../operator.ts";
import type { PlanNode } from "../plan-node.ts";
import { sortMemory } from "./sort.ts";

export class Distinct extends Operator {
	readonly label = "Unique";
	readonly details = [];
	readonly children: readonly PlanNode[];
	readonly layout: Layout;
	readonly estimate: number;
	readonly #input: PlanNode;
	readonly #hash: ReturnType<typeof rowHasher>;

	constructor(input: PlanNode, slots: readonly number[], oids: readonly number[]) {
		super();
		this.#input = input;
		this.#hash = rowHasher(oids, slots);
		this.children = [input];
		this.layout = input.layout;
		this.estimate = Math.max(1, input.estimate / 2);
	}

	protected async *rows(env: Env): AsyncIterable<Batch> {
		const seen = new Set<unknown>();
		for await (const batch of this.#input.run(env)) {
			const fresh = batch.filter((row) => {
				const hash = this.#hash(row);
				if (seen.has(hash)) return false;
				seen.add(hash);
				env.execution.memory.add(row, sortMemory);
				return true;
			});
			if (fresh.length > 0) yield fresh;
			const pause = env.execution.pause();
			if (pause !== undefined) await pause;
		}
	}
}
