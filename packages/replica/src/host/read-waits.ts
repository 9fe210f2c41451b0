/** Who waits for a read index of one group: until a round confirms it, then until it is applied. */
import { SparseMap } from "@quorate/keys/sparse-map";
import type { LogIndex } from "@quorate/raft/types";

export interface ReadRequest {
	readonly id: number;
	/** Shared by all that ask between two passes: one round serves them. */
	readonly promise: Promise<LogIndex>;
	readonly resolve: (index: LogIndex) => void;
	readonly reject: (error: Error) => void;
}

export class ReadWaits {
	#nextId = 1;
	/** Whose round has not begun. */
	#open: ReadRequest | undefined;
	readonly #unconfirmed = new SparseMap<number, ReadRequest>();
	#unapplied: { readonly request: ReadRequest; readonly index: LogIndex }[] = [];

	join(): { readonly request: ReadRequest; readonly isNew: boolean } {
		if (this.#open !== undefined) return { request: this.#open, isNew: false };
		let resolve!: (index: LogIndex) => void;
		let reject!: (error: Error) => void;
		const promise = new Promise<LogIndex>((yes, no) => {
			resolve = yes;
			reject = no;
		});
		this.#open = { id: this.#nextId++, promise, resolve, reject };
		this.#unconfirmed.set(this.#open.id, this.#open);
		return { request: this.#open, isNew: true };
	}

	/** A round may begin: who asks from now on needs a later one. */
	close(): void {
		this.#open = undefined;
	}

	get isIdle(): boolean {
		return this.#unconfirmed.size === 0 && this.#unapplied.length === 0;
	}

	/** The first that no round has confirmed. */
	get oldest(): number | undefined {
		for (const id of this.#unconfirmed.keys()) return id;
		return undefined;
	}

	confirm(id: number, index: LogIndex): void {
		const request = this.#unconfirmed.get(id);
		if (request === undefined) return;
		this.#unconfirmed.delete(id);
		this.#unapplied.push({ request, index });
	}

	fail(id: number, error: Error): void {
		this.#unconfirmed.get(id)?.reject(error);
		this.#unconfirmed.delete(id);
	}

	applied(applied: LogIndex): void {
		if (this.#unapplied.length === 0) return;
		const due = this.#unapplied;
		this.#unapplied = [];
		for (const wait of due) {
			if (wait.index <= applied) wait.request.resolve(wait.index);
			else this.#unapplied.push(wait);
		}
	}

	failAll(error: Error): void {
		for (const request of this.#unconfirmed.values()) request.reject(error);
		for (const { request } of this.#unapplied) request.reject(error);
		this.#open = undefined;
		this.#unconfirmed.clear();
		this.#unapplied = [];
	}
}
