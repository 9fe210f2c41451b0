/** The cursors of a session: which transaction they belong to, and when they end. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Cursor } from "./cursor.ts";

interface Entry {
	readonly cursor: Cursor;
	/** In the order of DECLARE. */
	readonly number: number;
	/** WITH HOLD, and its transaction has committed. */
	held: boolean;
}

export class Cursors {
	readonly #entries = new Map<string, Entry>();
	#declared = 0;

	get size(): number {
		return this.#entries.size;
	}

	all(): readonly Cursor[] {
		return [...this.#entries.values()].map(({ cursor }) => cursor);
	}

	/** Throws 42P03. */
	refuseDuplicate(name: string): void {
		if (this.#entries.has(name)) {
			throw new DatabaseError("42P03", `cursor "${name}" already exists`);
		}
	}

	add(cursor: Cursor): void {
		this.#entries.set(cursor.name, { cursor, number: ++this.#declared, held: false });
	}

	find(name: string): Cursor | undefined {
		return this.#entries.get(name)?.cursor;
	}

	/** Throws 34000. */
	get(name: string): Cursor {
		const found = this.find(name);
		if (found !== undefined) return found;
		throw new DatabaseError("34000", `cursor "${name}" does not exist`);
	}

	async close(name: string): Promise<void> {
		const cursor = this.get(name);
		this.#entries.delete(name);
		await cursor.close();
	}

	closeAll(): Promise<void> {
		return this.#drop(() => true);
	}

	/** What is about to run would change what they still have to read. */
	async settle(): Promise<void> {
		for (const { cursor } of this.#entries.values()) if (cursor.isOpen) await cursor.settle();
	}

	/** For a savepoint: cursors declared after it go with `backTo`. */
	mark(): number {
		return this.#declared;
	}

	backTo(mark: number): Promise<void> {
		return this.#drop(({ number, held }) => !held && number > mark);
	}

	/** The transaction is about to commit: what is held is read to its end. Throws 53200. */
	async beforeCommit(): Promise<void> {
		for (const { cursor, held } of this.#entries.values()) {
			if (cursor.hold && !held) await cursor.settle();
		}
	}

	async committed(): Promise<void> {
		await this.#drop(({ cursor }) => !cursor.hold);
		for (const entry of this.#entries.values()) entry.held = true;
	}

	rolledBack(): Promise<void> {
		return this.#drop(({ held }) => !held);
	}

	async #drop(test: (entry: Entry) => boolean): Promise<void> {
		for (const [name, entry] of [...this.#entries]) {
			if (!test(entry)) continue;
			this.#entries.delete(name);
			await entry.cursor.close();
		}
	}
}
