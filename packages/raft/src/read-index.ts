/**
 * Read-index (thesis, section 6.4): a leader may serve a read at its commit index once a quorum has answered a heartbeat
 * round that began after the read came in, so that no newer leader existed then. Rounds carry a rising context; one round
 * serves every read that waits when it begins, and an answer to a later round serves the earlier ones too. A round first asks
 * only as many as make a quorum; the driver asks for the others where that takes long (`retryReads`).
 */
import type { LogIndex } from "./types.ts";

interface Round {
	readonly context: number;
	readonly index: LogIndex;
	readonly requestIds: readonly number[];
}

const none: readonly never[] = [];

export class ReadRounds {
	#context: number;
	/** Replaced, not changed: most groups have none. */
	#waiting: readonly number[] = none;
	#rounds: readonly Round[] = none;

	/** `context` is of the last round before: an answer to it must confirm none of these. Never 0: that asks for no answer. */
	constructor(context = 1) {
		this.#context = context;
	}

	/** Context of the latest round; periodic heartbeats repeat it, which makes up for lost ones. */
	get context(): number {
		return this.#context;
	}

	get hasWaiting(): boolean {
		return this.#waiting.length > 0;
	}

	/** Some are not confirmed yet. */
	get hasRounds(): boolean {
		return this.#rounds.length > 0;
	}

	get isIdle(): boolean {
		return this.#waiting.length === 0 && this.#rounds.length === 0;
	}

	add(requestId: number): void {
		this.#waiting = [...this.#waiting, requestId];
	}

	/** Begins a round for all that wait. `commit` covers everything committed before they came. */
	begin(commit: LogIndex): void {
		this.#context++;
		const round = { context: this.#context, index: commit, requestIds: this.#waiting };
		this.#rounds = [...this.#rounds, round];
		this.#waiting = none;
	}

	/** A quorum has answered `context`. */
	confirm(context: number, into: { requestId: number; index: LogIndex }[]): void {
		let done = 0;
		for (const round of this.#rounds) {
			if (round.context > context) break;
			for (const requestId of round.requestIds) into.push({ requestId, index: round.index });
			done++;
		}
		if (done > 0) this.#rounds = done === this.#rounds.length ? none : this.#rounds.slice(done);
	}

	/** Leadership is lost: nobody will answer these here. */
	fail(into: number[]): void {
		for (const round of this.#rounds) into.push(...round.requestIds);
		into.push(...this.#waiting);
		this.#rounds = none;
		this.#waiting = none;
	}

	/** See `RaftGroup.dump`. */
	dump(): unknown {
		return { context: this.#context, waiting: [...this.#waiting], rounds: [...this.#rounds] };
	}
}
