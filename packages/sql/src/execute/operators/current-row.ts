/** WHERE CURRENT OF: the row of a table that a cursor of the session stands on, as it is now. */
import { assert } from "@quorate/keys/assert";
import type { LockRequest } from "@quorate/txn/types";
import type { TableDescriptor } from "../../catalog/descriptor.ts";
import { Layout, type Relation } from "../../plan/relation.ts";
import { scanFacts } from "../../plan/show.ts";
import type { Datum } from "../../types/datum.ts";
import type { Batch, Env } from "../env.ts";
import { Operator } from "../operator.ts";
import type { PlanFacts } from "../plan-node.ts";
import { type TableCodec, tableCodec } from "../table-codec.ts";

export class CurrentRow extends Operator {
	readonly label: string;
	readonly facts: PlanFacts;
	readonly details: readonly string[];
	readonly children = [];
	readonly layout: Layout;
	readonly estimate = 1;
	readonly #table: TableDescriptor;
	readonly #codec: TableCodec;
	readonly #cursor: string;
	readonly #lock: LockRequest;

	constructor(table: TableDescriptor, relation: Relation, cursor: string, lock: LockRequest) {
		super();
		this.#table = table;
		this.#codec = tableCodec(table);
		this.#cursor = cursor;
		this.#lock = lock;
		this.layout = Layout.of(relation, this.#codec.row.width + 1);
		this.label = `Tid Scan on ${table.name}`;
		this.facts = scanFacts("Tid Scan", table, relation.name);
		this.details = [`TID Cond: CURRENT OF ${cursor}`];
	}

	protected async *rows(env: Env): AsyncIterable<Batch> {
		const { cursors, store } = env.execution;
		assert(cursors !== undefined, "a statement of a session knows its cursors");
		const key = cursors.currentKey(this.#cursor, this.#table, this.#codec.primaryPrefix);
		if (key === undefined) return;
		const [value] = await store.get([key], this.#lock);
		if (value === undefined) return;
		const { row } = this.#codec;
		const found: Datum[] = new Array(row.width + 1);
		row.decode(value, found, 0, undefined);
		found[row.width] = key;
		yield [found];
	}
}
