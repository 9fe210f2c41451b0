/** What a statement is going to write once all of it has read: its parts, and its subqueries in RETURNING, see the rows of before. */
import type { Key } from "@quorate/keys/key";
import type { Batch, Execution } from "./env.ts";

export class LaterWrites {
	/** Rows that a part has updated or deleted: another part passes them by. */
	readonly touched = new Set<Key>();
	readonly #writes: (() => void | Promise<void>)[] = [];

	add(write: () => void | Promise<void>): void {
		this.#writes.push(write);
	}

	/** In the order in which the parts came to them. Throws 23505. */
	async apply(): Promise<void> {
		for (const write of this.#writes) await write();
	}
}

/** The rows of something that writes, which it does when all of them were made. Within another such thing: when that has ended. */
export async function* readFirst(
	execution: Execution,
	rows: AsyncIterable<Batch>,
): AsyncIterable<Batch> {
	if (execution.later !== undefined) return yield* rows;
	const later = new LaterWrites();
	execution.later = later;
	yield* rows;
	await later.apply();
	execution.later = undefined;
	await execution.store.flush();
}
