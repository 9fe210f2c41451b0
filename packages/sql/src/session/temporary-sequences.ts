/** nextval and its kin of temporary sequences: as `SequenceBlocks`, but nobody else asks. */
import { pointSpan } from "@quorate/keys/key";
import type { SequenceDescriptor } from "../catalog/descriptor.ts";
import { sequenceKey } from "../catalog/keys.ts";
import {
	advance,
	decodeSequenceValue,
	encodeSequenceValue,
	firstValue,
	requireBounds,
	type SequenceValue,
} from "./sequence-blocks.ts";
import type { TemporaryStore } from "./temporary-store.ts";

export class TemporarySequences {
	readonly #store: TemporaryStore;

	constructor(store: TemporaryStore) {
		this.#store = store;
	}

	next(sequence: SequenceDescriptor): bigint {
		const { stored, result } = advance({ ...sequence, cache: 1 }, this.#stored(sequence));
		this.#put(sequence, stored);
		return result.first;
	}

	set(sequence: SequenceDescriptor, value: bigint, called: boolean): void {
		requireBounds(sequence, value);
		this.#put(sequence, { last: value, called });
	}

	read(sequence: SequenceDescriptor): SequenceValue {
		return this.#stored(sequence) ?? firstValue(sequence);
	}

	forget(valueId: number): void {
		this.#store.clear(pointSpan(sequenceKey(valueId)));
	}

	#stored({ valueId }: SequenceDescriptor): SequenceValue | undefined {
		const bytes = this.#store.get(sequenceKey(valueId));
		return bytes && decodeSequenceValue(bytes);
	}

	#put({ valueId }: SequenceDescriptor, value: SequenceValue): void {
		this.#store.putForGood(sequenceKey(valueId), encodeSequenceValue(value));
	}
}
