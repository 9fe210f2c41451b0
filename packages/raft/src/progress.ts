/** What a leader knows about one follower's log, and how eagerly it sends to it. */
import type { ReplicaId } from "@quorate/keys/ids";
import type { LogIndex } from "./types.ts";

/**
 * - `probe`: the follower's log is unknown; one append at a time, until one is accepted.
 * - `replicate`: it matches; appends are pipelined up to the window.
 * - `snapshot`: what it needs is compacted away; nothing is sent until the driver has carried a snapshot over.
 */
export type ProgressState = "probe" | "replicate" | "snapshot";

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
	/** Last index of each append on its way, ascending. */
	#inflight: LogIndex[] = [];
	readonly #inflightMax: number;

	constructor(replica: ReplicaId, next: LogIndex, inflightMax: number) {
		this.replica = replica;
		this.next = next;
		this.#inflightMax = inflightMax;
	}

	/** Whether nothing may be sent to it now. */
	get paused(): boolean {
		if (this.state === "probe") return this.#probeSent;
		return this.state === "snapshot" || this.#inflight.length >= this.#inflightMax;
	}

	becomeProbe(): void {
		this.state = "probe";
		this.next = this.match + 1;
		this.#probeSent = false;
		this.#inflight = [];
	}

	becomeSnapshot(): void {
		this.state = "snapshot";
		this.#inflight = [];
		this.probeDue = false;
	}

	/** An append up to `lastIndex` (next - 1 if it was empty) was sent. */
	sent(lastIndex: LogIndex): void {
		this.probeDue = false;
		if (this.state === "probe") {
			this.#probeSent = true;
		} else if (lastIndex >= this.next) {
			this.next = lastIndex + 1;
			this.#inflight.push(lastIndex);
		}
	}

	/** It has durably what we have, up to `index`. `firstIndex` is of the leader's log. Returns whether `match` rose. */
	accepted(index: LogIndex, firstIndex: LogIndex): boolean {
		const rose = index > this.match;
		if (rose) this.match = index;
		if (this.next <= this.match) this.next = this.match + 1;
		if (this.state === "replicate") {
			let freed = 0;
			while (freed < this.#inflight.length && this.#inflight[freed]! <= index) freed++;
			if (freed > 0) this.#inflight.splice(0, freed);
		} else if (
			(this.state === "probe" && index >= this.match) ||
			(this.state === "snapshot" && this.match + 1 >= firstIndex)
		) {
			this.state = "replicate";
			this.next = this.match + 1;
			this.#inflight = [];
		}
		return rose;
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

	/** It answered a heartbeat: lost appends are found out by sending again. */
	heard(lastIndex: LogIndex): void {
		this.recentlyActive = true;
		this.#probeSent = false;
		if (this.state === "replicate" && this.#inflight.length >= this.#inflightMax) {
			this.#inflight.shift();
		}
		if (this.match < lastIndex && this.state !== "snapshot") this.probeDue = true;
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
