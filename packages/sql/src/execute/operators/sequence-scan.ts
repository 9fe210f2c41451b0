/** A sequence in FROM: one row, with where it stands now. As in PostgreSQL that is no part of the transaction's snapshot. */
import type { SequenceDescriptor } from "../../catalog/descriptor.ts";
import { Layout, type Relation } from "../../plan/relation.ts";
import { scanFacts } from "../../plan/show.ts";
import { markOf } from "../../plan/table-oid.ts";
import type { Batch, Env } from "../env.ts";
import { Operator } from "../operator.ts";
import type { PlanFacts } from "../plan-node.ts";

export class SequenceScan extends Operator {
	readonly label: string;
	readonly facts: PlanFacts;
	readonly details = [];
	readonly children = [];
	readonly layout: Layout;
	readonly estimate = 1;
	readonly #sequence: SequenceDescriptor;

	constructor(relation: Relation, sequence: SequenceDescriptor) {
		super();
		this.label = `Seq Scan on ${sequence.name} ${relation.name}`;
		this.facts = scanFacts("Seq Scan", sequence, relation.name);
		this.layout = Layout.of(relation, markOf(relation) + 1);
		this.#sequence = sequence;
	}

	protected async *rows(env: Env): AsyncIterable<Batch> {
		const { last, called } = await env.context.sequenceState(this.#sequence.oid);
		// Nothing is logged ahead of use.
		yield [[last, 0n, called, true]];
	}
}
