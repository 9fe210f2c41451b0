/**
 * UNIQUE and PRIMARY KEY that are DEFERRABLE: rows may share a key until the statement ends, or the transaction. Their index is one
 * that is not unique, with the primary key's bytes in its entries; so what is looked at is whether several entries begin with the same
 * columns.
 *
 * 1. Who has written an entry has read all that begin with its columns, and that there are no more: that must hold when the transaction
 *    commits. Of two transactions that write the same key only one can commit, at every level.
 * 2. In a pessimistic transaction whoever looks at a key waits for others that have (there is no entry of that name, only a lock), and
 *    then reads what is newest: the second of two finds the row of the first.
 */
import type { Key } from "@quorate/keys/key";
import { prefixEnd } from "@quorate/keys/key";
import type { LockRequest } from "@quorate/txn/types";
import { constraintOf, type UniqueEvent } from "./deferred-events.ts";
import type { ExecRow, Execution } from "./env.ts";
import type { IndexCodec } from "./index-codec.ts";
import { uniqueViolation } from "./violation.ts";

const exclusive: LockRequest = { strength: "update", wait: "block" };
const entryLock: LockRequest = { strength: "key share", wait: "block" };

/** Keys of a statement that wait to be looked at, about, and keys locked in one call. */
const settledAt = 1000;
const lookupSize = 256;

export class UniqueChecks {
	readonly #execution: Execution;
	#events = new Map<Key, UniqueEvent>();
	#settleNext = settledAt;

	constructor(execution: Execution) {
		this.#execution = execution;
	}

	written(index: IndexCodec, start: Key, row: ExecRow): void {
		const { schemaVersion } = this.#execution.store;
		this.#events.set(start, { kind: "unique", index, start, row, schemaVersion });
	}

	get isEmpty(): boolean {
		return this.#events.size === 0;
	}

	/** Between batches of a large statement: forgets the keys that one row has so far. */
	async settle(): Promise<void> {
		if (this.#events.size < this.#settleNext) return;
		for (const { start } of await this.#single(this.#due())) this.#events.delete(start);
		this.#settleNext = this.#events.size + settledAt;
	}

	/** All that the statement owes. Throws 23505. */
	async run(given: readonly UniqueEvent[] = []): Promise<void> {
		for (const event of given) this.#events.set(event.start, event);
		const due = this.#due();
		const single = new Set(await this.#single(due));
		const shared = due.find((event) => !single.has(event));
		if (shared !== undefined) {
			const { index, row } = shared;
			throw uniqueViolation(index.table, index.index, row, this.#execution.context);
		}
		const isDue = new Set(due);
		const later = [...this.#events.values()].filter((event) => !isDue.has(event));
		this.#events.clear();
		if (later.length > 0) this.#execution.deferred?.add(later);
	}

	#due(): readonly UniqueEvent[] {
		const { deferred } = this.#execution;
		return [...this.#events.values()].filter(
			(event) => deferred?.isDeferred(constraintOf(event)) !== true,
		);
	}

	/** Those of which no second entry is there. */
	async #single(events: readonly UniqueEvent[]): Promise<readonly UniqueEvent[]> {
		const { store } = this.#execution;
		const single: UniqueEvent[] = [];
		for (let i = 0; i < events.length; i += lookupSize) {
			const some = events.slice(i, i + lookupSize);
			await store.get(
				some.map(({ start }) => start),
				exclusive,
			);
			for (const event of some) if (!(await this.#isShared(event.start))) single.push(event);
			const pause = this.#execution.pause();
			if (pause !== undefined) await pause;
		}
		return single;
	}

	async #isShared(start: Key): Promise<boolean> {
		const span = { start, end: prefixEnd(start) };
		let count = 0;
		const options = { holds: true, lock: entryLock };
		for await (const page of this.#execution.store.scan(span, options)) count += page.length;
		return count > 1;
	}
}
