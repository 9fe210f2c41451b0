/** What a large transaction has sent, as far as going back to a savepoint has to know it. */
import type { Key } from "@quorate/keys/key";
import type { RangeAnswer, ReplacedWrite } from "@quorate/replica/requests";

export class SentChunks {
	/** There are savepoints: leaseholders tell what a chunk has replaced of earlier ones. */
	undo = false;
	readonly #replaced: (ReplacedWrite & { readonly by: number })[] = [];
	readonly #underWay = new Set<Promise<void>>();
	/** The anchor's intent is there: without it nothing can be committed any more. */
	#hasAnchor = false;
	#isLost = false;

	/** A part of a chunk went out. */
	asked(answer: Promise<RangeAnswer>, chunk: number, hasAnchor: boolean): void {
		const settled: Promise<void> = answer.then(
			(a) => {
				this.#underWay.delete(settled);
				this.#answered(a, chunk, hasAnchor);
			},
			() => {
				this.#underWay.delete(settled);
				this.#isLost = true;
			},
		);
		this.#underWay.add(settled);
	}

	#answered(answer: RangeAnswer, chunk: number, hasAnchor: boolean): void {
		this.#isLost ||= answer.kind === "lost";
		if (answer.kind !== "prepared") {
			return;
		}
		this.#hasAnchor ||= hasAnchor;
		for (const one of answer.replaced ?? []) {
			this.#replaced.push({ ...one, by: chunk });
		}
	}

	/** It is known of each part what became of it, and the anchor is there. */
	get isSure(): boolean {
		return this.#hasAnchor && !this.#isLost;
	}

	/** Nothing is under way any more. */
	async settled(): Promise<void> {
		while (this.#underWay.size > 0) {
			await Promise.all(this.#underWay);
		}
	}

	/** Of the keys that were written by chunk number `chunks` or before, and again after it: the values of then. */
	valuesAt(chunks: number): ReadonlyMap<Key, Uint8Array | null> {
		const values = new Map<Key, Uint8Array | null>();
		for (const { key, value, chunk, by } of this.#replaced) {
			if (chunk <= chunks && by > chunks) {
				values.set(key, value);
			}
		}
		return values;
	}
}
