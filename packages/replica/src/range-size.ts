/**
 * How much a range holds: keys and values of newest versions, of history and of intents. Records and tombstones are not counted, nor
 * the marks of deletions: they go by themselves.
 *
 * Kept up with what each applied batch adds and takes away, so it costs nothing to know. Where it starts from is another matter: a
 * measurement (exact, `measure`), a share of one (a split), or what the engine says (rough).
 */
import { type Key, keySuccessor, type Span } from "@quorate/keys/key";
import type { Scheduler } from "@quorate/runtime/runtime";
import type { Engine } from "@quorate/storage/engine";
import {
	dataSpan,
	historyPrefixOf,
	historySpan,
	historyUserKey,
	intentSpan,
	userKey,
} from "@quorate/storage/engine-keys";
import type { SizeDelta } from "@quorate/storage/version-batch";

export class RangeSize {
	/** Undefined: nobody has asked yet. */
	#base: number | undefined;
	#added = 0;
	#isRough = true;
	/** What is going to be the right side's, as far as that was measured. */
	rightShare: number | undefined;

	applied(delta: SizeDelta): void {
		this.#added += delta.dataBytes + delta.historyBytes + delta.intentBytes;
	}

	/** Bytes, about. */
	bytes(engine: Engine, span: Span): number {
		if (this.#base === undefined) {
			const spans = [dataSpan(span), historySpan(span), intentSpan(span)];
			this.#base = spans.reduce((sum, one) => sum + engine.approximateSizeBytes(one), 0);
			this.#added = 0;
		}
		return Math.max(0, this.#base + this.#added);
	}

	/** A snapshot has replaced what there was. */
	forget(): void {
		this.#base = undefined;
		this.#added = 0;
		this.#isRough = true;
	}

	/** It may be far from the truth. */
	get isRough(): boolean {
		return this.#isRough;
	}

	/** What is applied from now on comes on top of what is going to be `measured`: some of it counts twice, until the next time. */
	beginMeasuring(): void {
		this.#base = (this.#base ?? 0) + this.#added;
		this.#added = 0;
	}

	measured(bytes: number): void {
		this.#base = bytes;
		this.#isRough = false;
	}

	/** Takes out what goes to the right side of a split. */
	splitOff(): RangeSize {
		const right = new RangeSize();
		const share = this.rightShare;
		this.rightShare = undefined;
		if (this.#base !== undefined) {
			const bytes = Math.max(0, this.#base + this.#added);
			const rightBytes = Math.round(bytes * (share ?? 0.5));
			right.#base = rightBytes;
			this.#base = bytes - rightBytes;
			this.#added = 0;
			this.#isRough ||= share === undefined;
			right.#isRough = this.#isRough;
		}
		return right;
	}
}

/** A key, and what lies between the mark before it and it, of one kind. */
interface Mark {
	readonly key: Key;
	readonly bytes: number;
}

export interface Measurement {
	readonly bytes: number;
	/** Divides what is there, as well as whole keys can be divided; undefined: one key has it all. */
	readonly middle: Key | undefined;
	/** Of the bytes, what lies at and above the middle: 0 to 1. */
	readonly rightShare: number;
}

const scanLimits = { rowsMax: 1_000, bytesMax: 128 << 10, reverse: false, keyOffset: 0 };
/** Between two marks of a kind, as a part of what is expected to be there. */
const markShare = 1 / 256;
const markBytesMin = 64;

/** Looks at all of it, in slices that others get their turn between. Undefined: `goesOn` has said no. */
export async function measure(
	engine: Engine,
	scheduler: Pick<Scheduler, "yield">,
	span: Span,
	expectedBytes: number,
	goesOn: () => boolean,
): Promise<Measurement | undefined> {
	const stepBytes = Math.max(markBytesMin, expectedBytes * markShare);
	const marks: Mark[] = [];
	const kinds: readonly (readonly [Span, (k: Key) => Key])[] = [
		[dataSpan(span), userKey],
		[intentSpan(span), userKey],
		[historySpan(span), (k) => historyUserKey(historyPrefixOf(k))],
	];
	for (const [{ start, end }, userKeyOf] of kinds) {
		let bytes = 0;
		let before: Key | undefined;
		for (let from: Key | undefined = start; from !== undefined; ) {
			const { keys, values, more } = engine.scan({ start: from, end }, scanLimits);
			for (const [i, k] of keys.entries()) {
				// What is there of one key stays together.
				if (bytes >= stepBytes && before !== undefined && userKeyOf(before) !== userKeyOf(k)) {
					marks.push({ key: userKeyOf(k), bytes });
					bytes = 0;
				}
				before = k;
				bytes += k.length + values[i]!.length;
			}
			from = more ? keySuccessor(keys.at(-1)!) : undefined;
			await scheduler.yield();
			if (!goesOn()) {
				return undefined;
			}
		}
		// What is left lies below the end.
		marks.push({ key: span.end, bytes });
	}
	return divide(marks, span);
}

/** The mark that comes nearest to the half. */
function divide(marks: Mark[], span: Span): Measurement {
	marks.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
	const bytes = marks.reduce((sum, mark) => sum + mark.bytes, 0);
	let below = 0;
	let best: { readonly middle: Key; readonly below: number } | undefined;
	for (const mark of marks) {
		below += mark.bytes;
		const isInside = mark.key > span.start && mark.key < span.end;
		if (isInside && Math.abs(2 * below - bytes) < Math.abs(2 * (best?.below ?? 0) - bytes)) {
			best = { middle: mark.key, below };
		}
	}
	const rightShare = best === undefined || bytes === 0 ? 0 : (bytes - best.below) / bytes;
	return { bytes, middle: best?.middle, rightShare };
}
