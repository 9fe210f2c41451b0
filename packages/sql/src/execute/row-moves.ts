/**
 * Where the rows of an open cursor are by now: the transaction itself may have given them other keys since they were read, deleted them,
 * and put others in their places.
 */
import type { Key } from "@quorate/keys/key";

export interface RowMove {
	readonly from: Key;
	/** Undefined: the row is gone. */
	readonly to: Key | undefined;
}

export class RowMoves {
	/** By the key under which a row was read. */
	readonly #now = new Map<Key, Key | undefined>();
	/** The other way round. */
	readonly #origins = new Map<Key, Key>();
	readonly #log: { readonly origin: Key; readonly before: Key | undefined }[] = [];

	/** For a savepoint. */
	get mark(): number {
		return this.#log.length;
	}

	/** Undefined: the row is gone. */
	keyOf(origin: Key): Key | undefined {
		return this.#now.has(origin) ? this.#now.get(origin) : origin;
	}

	/** All at once: rows may trade keys. */
	note(moves: readonly RowMove[]): void {
		const found = moves.flatMap(({ from, to }) => {
			const origin = this.#origins.get(from) ?? (this.#now.has(from) ? undefined : from);
			return origin === undefined ? [] : [{ origin, to }];
		});
		for (const { origin, to } of found) {
			this.#log.push({ origin, before: this.keyOf(origin) });
			this.#place(origin, to);
		}
	}

	backTo(mark: number): void {
		for (const { origin, before } of this.#log.splice(mark).reverse()) this.#place(origin, before);
	}

	#place(origin: Key, to: Key | undefined): void {
		const before = this.keyOf(origin);
		if (before !== undefined && this.#origins.get(before) === origin) this.#origins.delete(before);
		this.#now.set(origin, to);
		if (to !== undefined) this.#origins.set(to, origin);
	}
}
