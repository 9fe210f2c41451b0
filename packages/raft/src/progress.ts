/** What a leader knows about one follower's log, and how eagerly it sends to it. */
import type { ReplicaId } from "@quorate/keys/ids";
import type { LogIndex } from "./types.ts";

/**
 * - `probe`: the follower's log is unknown; one append at a time, until one is accepted.
 * - `replicate`: it matches; appends are pipelined up to the window.
 * - `snapshot`: what it needs is compacted away; nothing is sent until the driver has carried a snapshot over.
 */
export type ProgressState = "probe" | "replicate" | "snapshot";

/** How much may be on its way to one follower. */
export interface Window {
	/** Appends. */
	readonly inflightMax: number;
	/** Bytes of their entries; the last one may go over it. */
	readonly inflightBytesMax: number;
}

interface Inflight {
	readonly lastIndex: LogIndex;
	readonly bytes: number;
}

export class Progress {
	readonly replica: ReplicaId;
	/** Durable there, and the same as here. */
	match: LogIndex = 0;
	/** First entry of the next append. */
	next: LogIndex;
	state: ProgressState = "probe";
	/** Heard from since the last check of the quorum. */
	recentlyActive = true;
	/** Highest read context that it has answered. */
	readContext = 0;
	/** Highest commit index that was sent to it. */
	commitTold: LogIndex = 0;
	/** An append is to be sent even if it is empty: finds out whether the last ones arrived. */
	probeDue = false;
	/** In `probe`: the one append is on its way. */
	#probeSent = false;
	/** Ticks since `match` last rose, or there was nothing that it lacks. */
	quietTicks = 0;
	/** Appends on their way, ascending. */
	#inflight: Inflight[] = [];
	#inflightBytes = 0;
	readonly #window: Window;

	constructor(replica: ReplicaId, next: LogIndex, window: Window) {
		this.replica = replica;
		this.next = next;
		this.#window = window;
	}

	/** Of a follower that is known to have all up to `index`, durably and committed. */
	static level(replica: ReplicaId, index: LogIndex, window: Window): Progress {
		const progress = new Progress(replica, index + 1, window);
		progress.match = index;
		progress.commitTold = index;
		progress.state = "replicate";
		return progress;
	}

	/** Whether no entries may be sent to it now. */
	get paused(): boolean {
		if (this.state === "probe") return this.#probeSent;
		return this.state === "snapshot" || this.isFull;
	}

	/** As much is on its way as may be. */
	get isFull(): boolean {
		const { inflightMax, inflightBytesMax } = this.#window;
		const full = this.#inflight.length >= inflightMax || this.#inflightBytes >= inflightBytesMax;
		return this.state === "replicate" && full;
	}

	becomeProbe(): void {
		this.state = "probe";
		this.next = this.match + 1;
		this.#probeSent = false;
		this.#clearInflight();
	}

	becomeSnapshot(): void {
		this.state = "snapshot";
		this.#clearInflight();
		this.probeDue = false;
	}

	#clearInflight(): void {
		this.#inflight = [];
		this.#inflightBytes = 0;
	}

	/** An append up to `lastIndex` (next - 1 if it was empty), of so many bytes, was sent. */
	sent(lastIndex: LogIndex, bytes: number): void {
		this.probeDue = false;
		if (this.state === "probe") {
			this.#probeSent = true;
		} else if (lastIndex >= this.next) {
			this.next = lastIndex + 1;
			this.#inflight.push({ lastIndex, bytes });
			this.#inflightBytes += bytes;
		}
	}

	/** It has durably what we have, up to `index`. `firstIndex` is of the leader's log. Returns whether `match` rose. */
	accepted(index: LogIndex, firstIndex: LogIndex): boolean {
		const rose = index > this.match;
		if (rose) {
			this.match = index;
			this.quietTicks = 0;
		}
		if (this.next <= this.match) this.next = this.match + 1;
		if (this.state === "replicate") {
			this.#arrived(index);
		} else if (
			(this.state === "probe" && index >= this.match) ||
			(this.state === "snapshot" && this.match + 1 >= firstIndex)
		) {
			this.state = "replicate";
			this.next = this.match + 1;
			this.#clearInflight();
		}
		return rose;
	}

	#arrived(index: LogIndex): void {
		let freed = 0;
		for (const { lastIndex, bytes } of this.#inflight) {
			if (lastIndex > index) break;
			freed++;
			this.#inflightBytes -= bytes;
		}
		if (freed === this.#inflight.length) this.#inflight = [];
		else this.#inflight.splice(0, freed);
	}

	/**
	 * It refused an append after `refusedIndex`; logs may agree up to `hintIndex`. Returns whether that was news: a refusal
	 * of an old append must not undo what was learned since.
	 */
	rejected(refusedIndex: LogIndex, hintIndex: LogIndex): boolean {
		if (this.state === "snapshot") return false;
		if (this.state === "replicate") {
			if (refusedIndex <= this.match) return false;
			this.becomeProbe();
			return true;
		}
		if (this.next - 1 !== refusedIndex) return false;
		this.next = Math.max(this.match + 1, Math.min(refusedIndex, hintIndex + 1));
		this.#probeSent = false;
		return true;
	}

	/**
	 * It answered a heartbeat: lost appends are found out by sending another. Where the window is full that one is empty: a
	 * follower that takes its time to acknowledge is not to be sent more because it is alive.
	 */
	heard(lastIndex: LogIndex): void {
		this.recentlyActive = true;
		this.#probeSent = false;
		if (this.match < lastIndex && this.state !== "snapshot") this.probeDue = true;
	}

	/** A tick of a leader whose log ends at `lastIndex`. */
	tick(lastIndex: LogIndex): void {
		this.quietTicks = this.match < lastIndex ? this.quietTicks + 1 : 0;
	}

	/** Nothing gets through: the next attempt waits for a sign of life. */
	pauseProbing(): void {
		this.becomeProbe();
		this.#probeSent = true;
	}

	/** See `RaftGroup.dump`. */
	dump(): unknown {
		return { ...this, probeSent: this.#probeSent, inflight: [...this.#inflight] };
	}
}
