/** What a statement of several writing parts is going to write once all of them have read. */
import type { Key } from "@quorate/keys/key";

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
