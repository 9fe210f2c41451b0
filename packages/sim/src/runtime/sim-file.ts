/**
 * The content of one file, as the kernel shows it, with enough of its past to say what a power failure leaves of it.
 *
 * The kernel's view is one growing array. Every write or truncation that is not durable yet keeps what it replaced, so a
 * crash takes them all back, latest first, and then lets each one through whole, in part, or not at all.
 */
import type { SeededRandom } from "./seeded-random.ts";

export interface Change {
	readonly kind: "write" | "truncate";
	readonly offset: number;
	/** What was written; for a truncation nothing. */
	readonly bytes: Uint8Array;
	/** What stood there before, as far as the file went; for a truncation what was cut off. */
	readonly replaced: Uint8Array;
	readonly sizeBefore: number;
	/** The call has returned: the program may rely on the kernel's view, and a sync covers it. */
	completed: boolean;
	durable: boolean;
	/** A sync failed with it: the kernel may have dropped it, and no later sync brings it back. */
	doomed: boolean;
}

/** Changes that a crash has left nothing or only a piece of. */
export interface Damage {
	readonly lost: number;
	readonly torn: number;
}

const NOTHING = new Uint8Array(0);

export class SimFile {
	#content = new Uint8Array(64);
	#size = 0;
	/** Where the last writes that appended began, the latest first; one of them may have been lost since. */
	#appendedAt: [number, number] = [0, 0];
	/** In order; from the first one that is not durable. */
	#changes: Change[] = [];

	get size(): number {
		return this.#size;
	}

	/** Up to where no crash of the process has lost or torn anything; all of a file that was written at once. */
	get settledSize(): number {
		const [last, before] = this.#appendedAt;
		return last === 0 ? this.#size : Math.min(before, this.#size);
	}

	get isDurable(): boolean {
		return this.#changes.length === 0;
	}

	/** A copy. */
	read(offset: number, length: number): Uint8Array {
		return this.#content.slice(Math.min(offset, this.#size), Math.min(offset + length, this.#size));
	}

	/** Answers the change: to be marked as completed when the call returns. */
	write(bytes: Uint8Array, offset: number): Change {
		if (offset >= this.#size && bytes.length > 0) {
			this.#appendedAt = [offset, this.#appendedAt[0]];
		}
		const change: Change = {
			kind: "write",
			offset,
			bytes: new Uint8Array(bytes),
			replaced: this.read(offset, bytes.length),
			sizeBefore: this.#size,
			completed: false,
			durable: false,
			doomed: false,
		};
		this.#changes.push(change);
		this.#put(change.bytes, offset);
		return change;
	}

	truncate(size: number): Change {
		const change: Change = {
			kind: "truncate",
			offset: size,
			bytes: NOTHING,
			replaced: this.read(size, this.#size),
			sizeBefore: this.#size,
			completed: false,
			durable: false,
			doomed: false,
		};
		this.#changes.push(change);
		this.#resize(size);
		return change;
	}

	/** What a sync that starts now makes durable. */
	syncable(): Change[] {
		return this.#changes.filter((c) => c.completed && !c.doomed);
	}

	synced(changes: readonly Change[]): void {
		for (const change of changes) if (!change.doomed) change.durable = true;
		const first = this.#changes.findIndex((c) => !c.durable);
		this.#changes = first < 0 ? [] : this.#changes.slice(first);
	}

	syncFailed(changes: readonly Change[]): void {
		for (const change of changes) if (!change.durable) change.doomed = true;
	}

	/** Everything so far is on the platter, as if it had always been. */
	makeDurable(): void {
		this.#changes = [];
	}

	/** The machine loses power. Answers how many changes were lost, and of how many a piece is there. */
	losePower(random: SeededRandom): Damage {
		return this.#replay((change) => change.durable, random);
	}

	/** The program died; the kernel has what it was given, but calls that had not returned may be half done. */
	loseProcess(random: SeededRandom): Damage {
		return this.#replay((change) => change.completed, random);
	}

	/** Turns one bit of what is stored. Answers how to turn it back, where it has not been written anew since. */
	flipBit(bit: number): () => void {
		const [at, mask] = [bit >> 3, 1 << (bit & 7)];
		const before = this.#content[at]! & mask;
		if (at < this.#size) this.#content[at]! ^= mask;
		return () => {
			if (at < this.#size) this.#content[at] = (this.#content[at]! & ~mask) | before;
		};
	}

	#replay(survives: (change: Change) => boolean, random: SeededRandom): Damage {
		const changes = this.#changes;
		const damage = { lost: 0, torn: 0 };
		for (let i = changes.length - 1; i >= 0; i--) this.#undo(changes[i]!);
		this.#changes = [];
		for (const change of changes) {
			const whole = survives(change) || random.chance(0.4);
			if (whole) this.#redo(change, 0, change.bytes.length);
			else if (change.kind === "write" && random.chance(0.5)) {
				damage.torn++;
				this.#tear(change, random);
			} else damage.lost++;
		}
		return damage;
	}

	/** Some piece of the write, cut at any byte: usually its beginning, sometimes another part. */
	#tear(change: Change, random: SeededRandom): void {
		const end = random.below(change.bytes.length + 1);
		const start = random.chance(0.25) ? random.below(end + 1) : 0;
		this.#redo(change, start, end);
	}

	#undo(change: Change): void {
		if (change.kind === "write") this.#content.set(change.replaced, change.offset);
		this.#resize(change.sizeBefore);
		if (change.kind === "truncate") this.#content.set(change.replaced, change.offset);
	}

	/** Changes that outlive the process, but not a power failure, stay on record as such. */
	#redo(change: Change, start: number, end: number): void {
		if (change.kind === "truncate") this.truncate(change.offset);
		else if (end > start) {
			this.write(change.bytes.subarray(start, end), change.offset + start);
		} else return;
		const last = this.#changes[this.#changes.length - 1]!;
		last.completed = true;
		last.durable = change.durable;
		last.doomed = change.doomed;
	}

	#put(bytes: Uint8Array, offset: number): void {
		// As in POSIX, writing nothing beyond the end does not make a file longer.
		if (bytes.length === 0) return;
		const end = offset + bytes.length;
		if (end > this.#size) this.#resize(end);
		this.#content.set(bytes, offset);
	}

	/** Growth shows zeros; what is cut off is gone. */
	#resize(size: number): void {
		if (size > this.#content.length) {
			const grown = new Uint8Array(Math.max(size, this.#content.length * 2));
			grown.set(this.#content.subarray(0, this.#size));
			this.#content = grown;
		} else if (size < this.#size) {
			this.#content.fill(0, size, this.#size);
		}
		this.#size = size;
	}
}
