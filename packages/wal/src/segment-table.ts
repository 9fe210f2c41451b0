/** The segments that exist, oldest first, with their sizes and how much in them is still needed. */
import { assert } from "@quorate/keys/assert";
import type { SegmentPins } from "./group-log.ts";

interface SegmentState {
	readonly number: number;
	sizeBytes: number;
	pins: number;
}

export class SegmentTable implements SegmentPins {
	/** In order of their numbers, which are contiguous. */
	readonly #segments: SegmentState[] = [];
	#sizeBytes = 0;

	get count(): number {
		return this.#segments.length;
	}

	get sizeBytes(): number {
		return this.#sizeBytes;
	}

	/** Size of the newest one. */
	get newestBytes(): number | undefined {
		return this.#segments.at(-1)?.sizeBytes;
	}

	/** The oldest, and whether anything in it is needed. */
	get oldest(): { readonly number: number; readonly pins: number } | undefined {
		return this.#segments[0];
	}

	/** Adds the next one, or sets the size of one that is there. */
	add(number: number, sizeBytes: number): void {
		const last = this.#segments.at(-1);
		if (last?.number === number) {
			this.#sizeBytes += sizeBytes - last.sizeBytes;
			last.sizeBytes = sizeBytes;
			return;
		}
		assert(last === undefined || number === last.number + 1, "segment numbers are contiguous");
		this.#segments.push({ number, sizeBytes, pins: 0 });
		this.#sizeBytes += sizeBytes;
	}

	dropOldest(): void {
		const oldest = this.#segments.shift();
		assert(oldest !== undefined && oldest.pins === 0, "a segment is dropped when nothing needs it");
		this.#sizeBytes -= oldest.sizeBytes;
	}

	pin(segment: number, delta: 1 | -1): void {
		const first = this.#segments[0]?.number ?? 0;
		const state = this.#segments[segment - first];
		assert(state !== undefined, () => `segment ${segment} of the log is gone`);
		state.pins += delta;
		assert(state.pins >= 0, () => `segment ${segment} is needed ${state.pins} times`);
	}
}
