/** Base of all operators: measures them for EXPLAIN ANALYZE. */
import type { Layout } from "../plan/relation.ts";
import type { Batch, Env } from "./env.ts";
import type { PlanNode } from "./plan-node.ts";

export abstract class Operator implements PlanNode {
	abstract readonly label: string;
	abstract readonly details: readonly string[];
	abstract readonly children: readonly PlanNode[];
	abstract readonly layout: Layout;
	abstract readonly estimate: number;
	protected abstract rows(env: Env): AsyncIterable<Batch>;

	run(env: Env): AsyncIterable<Batch> {
		return env.execution.statistics === undefined ? this.rows(env) : this.#measured(env);
	}

	async *#measured(env: Env): AsyncIterable<Batch> {
		const { clock } = env.execution.runtime;
		const all = env.execution.statistics!;
		let mine = all.get(this);
		if (mine === undefined) {
			mine = { rows: 0, loops: 0, ms: 0 };
			all.set(this, mine);
		}
		mine.loops++;
		let since = clock.monotonicMs();
		for await (const batch of this.rows(env)) {
			mine.ms += clock.monotonicMs() - since;
			mine.rows += batch.length;
			yield batch;
			since = clock.monotonicMs();
		}
		mine.ms += clock.monotonicMs() - since;
	}
}
