/** The cursors of a session: which transaction they belong to, and when they end. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Key } from "@quorate/keys/key";
import type { TableDescriptor } from "../catalog/descriptor.ts";
import type { CursorRows } from "../execute/cursor-rows.ts";
import type { RowMove } from "../execute/row-moves.ts";
import type { Cursor } from "./cursor.ts";

interface Entry {
	readonly cursor: Cursor;
	/** In the order of DECLARE. */
	readonly number: number;
	/** WITH HOLD, and its transaction has committed. */
	held: boolean;
}

/** How far a session's cursors were, for a savepoint. */
export interface CursorMark {
	/** How many had been declared. */
	readonly declared: number;
	readonly moves: ReadonlyMap<Cursor, number>;
}

export class Cursors implements CursorRows {
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

	/** Cursors that are declared after it go with `backTo`. */
	mark(): CursorMark {
		return {
			declared: this.#declared,
			moves: new Map(this.#watching().map((cursor) => [cursor, cursor.moves.mark])),
		};
	}

	async backTo({ declared, moves }: CursorMark): Promise<void> {
		await this.#drop(({ number, held }) => !held && number > declared);
		for (const cursor of this.#watching()) cursor.moves.backTo(moves.get(cursor) ?? 0);
	}

	#watching(): readonly Cursor[] {
		return [...this.#entries.values()].flatMap(({ cursor, held }) =>
			!held && cursor.hasKeys ? [cursor] : [],
		);
	}

	get isWatching(): boolean {
		return this.#entries.size > 0 && this.#watching().length > 0;
	}

	moved(moves: readonly RowMove[]): void {
		for (const cursor of this.#watching()) cursor.moves.note(moves);
	}

	currentKey(name: string, table: TableDescriptor, prefix: Key): Key | undefined {
		const cursor = this.get(name);
		if (this.#entries.get(name)!.held) {
			throw new DatabaseError("24000", `cursor "${name}" is held from a previous transaction`);
		}
		const key = cursor.currentKey(table.oid, table.name);
		// Whoever has truncated the table since has taken the row with the others.
		return key?.startsWith(prefix) === true ? key : undefined;
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
