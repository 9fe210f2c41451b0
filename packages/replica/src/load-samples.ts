/**
 * How often a range is asked, and for what: the rate by an exponentially decaying mean, the keys by samples. Counting costs one
 * addition a request; keys are kept only where somebody might want to divide them, a bounded number, the newest instead of the oldest.
 */
import type { Key, Span } from "@quorate/keys/key";
import type { RangeRequestBody } from "./requests.ts";

/** The mean forgets half in so long. */
const halfLifeMs = 10_000;
const samplesMax = 256;
/** Samples a second: all of them together are some seconds of load. */
const samplesPerSecond = 25;
/** Fewer say too little. */
const samplesMin = 200;
/** The busier side of a division has no more of the load than this: else it helps too little. */
const busierMost = 0.75;
/** Of the commits within one range, no more than this may come to lie in two: they would be dearer. */
const dividedCommitsMost = 0.15;

interface Sample {
	/** The lowest and the highest key that was asked for. */
	readonly low: Key;
	readonly high: Key;
	/** It commits, or prepares to, what it writes here. */
	readonly isCommit: boolean;
}

export class LoadSamples {
	#count = 0;
	#countedFromMs: number | undefined;
	#rate = 0;
	#samples: Sample[] = [];
	#next = 0;
	/** Requests until the next sample; 0: none is taken. */
	#wait = 0;
	#interval = 0;
	#noise = 1;

	note(body: RangeRequestBody): void {
		this.#count++;
		if (this.#interval > 0 && --this.#wait <= 0) {
			this.#wait = 1 + (this.#random() % (2 * this.#interval));
			this.#take(body);
		}
	}

	/** Requests a second. */
	get rate(): number {
		return this.#rate;
	}

	/** Called now and then. Samples are taken only while the rate is at least `sampleFrom`. */
	tick(nowMs: number, sampleFrom: number): void {
		const elapsedMs = nowMs - (this.#countedFromMs ?? nowMs);
		this.#countedFromMs = nowMs;
		if (elapsedMs <= 0) {
			return;
		}
		const kept = 0.5 ** (elapsedMs / halfLifeMs);
		this.#rate = this.#rate * kept + ((this.#count * 1000) / elapsedMs) * (1 - kept);
		this.#count = 0;
		const isWanted = this.#rate >= sampleFrom;
		this.#interval = isWanted ? Math.max(1, Math.round(this.#rate / samplesPerSecond)) : 0;
		if (!isWanted) {
			this.forget();
		}
	}

	/** The keys: those of a range that has been divided say nothing any more. */
	forget(): void {
		this.#samples = [];
		this.#next = 0;
	}

	get isReady(): boolean {
		return this.#samples.length >= samplesMin;
	}

	/**
	 * The key inside `span` at which the busier side has least of the load; undefined where dividing would not help: a key, or rows that
	 * are asked for together, have most of it, or commits that now lie in one range would lie in two.
	 */
	divider(span: Span): Key | undefined {
		const samples = this.#samples;
		const isInside = (k: Key): boolean => k > span.start && k < span.end;
		const candidates = new Set(samples.map(({ low }) => low).filter(isInside));
		let best: Key | undefined;
		let least = busierMost * samples.length;
		for (const at of [...candidates].sort()) {
			const busier = busierSide(samples, at);
			if (busier < least) {
				best = at;
				least = busier;
			}
		}
		return best;
	}

	#random(): number {
		this.#noise = (Math.imul(this.#noise, 1664525) + 1013904223) >>> 0;
		return this.#noise >>> 8;
	}

	#take(body: RangeRequestBody): void {
		const sample = sampleOf(body);
		if (sample !== undefined) {
			this.#samples[this.#next] = sample;
			this.#next = (this.#next + 1) % samplesMax;
		}
	}
}

/** Requests that it would get; infinitely many if too many commits would be divided. */
function busierSide(samples: readonly Sample[], at: Key): number {
	let left = 0;
	let right = 0;
	let commits = 0;
	let divided = 0;
	for (const { low, high, isCommit } of samples) {
		const isBoth = low < at && high >= at;
		left += low < at ? 1 : 0;
		right += high >= at ? 1 : 0;
		commits += isCommit ? 1 : 0;
		divided += isCommit && isBoth ? 1 : 0;
	}
	return divided > dividedCommitsMost * commits ? Number.POSITIVE_INFINITY : Math.max(left, right);
}

function sampleOf(b: RangeRequestBody): Sample | undefined {
	switch (b.kind) {
		case "read":
		case "lock-read":
			return around(b.keys, false);
		case "scan":
		case "lock-scan":
			return { low: b.span.start, high: b.span.end, isCommit: false };
		case "prepare":
			return around(
				b.writes.map((w) => w.key),
				true,
			);
		case "one-phase":
			return around([...b.writes.map((w) => w.key), ...b.validate.map((v) => v.span.start)], true);
		default:
			return undefined;
	}
}

function around(keys: readonly Key[], isCommit: boolean): Sample | undefined {
	let [low, high] = [keys[0], keys[0]];
	for (const k of keys) {
		low = low === undefined || k < low ? k : low;
		high = high === undefined || k > high ? k : high;
	}
	return low === undefined || high === undefined ? undefined : { low, high, isCommit };
}
