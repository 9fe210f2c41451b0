/**
 * The timestamp oracle, as it runs on every member of the placement group; only the leader's
 * answers.
 *
 * A request waits for a quorum round that begins after it arrived (O1). One round is in flight at a
 * time and the next collects meanwhile, so a round's cost is shared by all who wait. A confirmed
 * request draws its timestamps at the moment it is answered, from a counter that stays below the
 * ceiling applied from the log (O2) and follows `OracleClock` (O4). That the answer may leave some
 * time after the round (the ceiling, raised beside it, takes longer) is harmless: another leader's ceiling
 * is above everything that this one can still hand out, and whatever was issued before the request
 * arrived is below it.
 *
 * Schema changes (S1): c is drawn when the entry is proposed and the oracle answers nothing until
 * that entry is applied. Should it be lost, the oracle stays silent until leadership ends: a
 * timeout here would hand out timestamps above c with the old version.
 */
import { assert } from "@quorate/keys/assert";
import type { Mutations } from "@quorate/keys/mutations";
import {
	type Timestamp,
	ticksPerMs,
	timestamp,
	timestampFromWallMs,
	timestampToWallMs,
	timestampZero,
} from "@quorate/keys/timestamp";
import type { LogIndex, Term } from "@quorate/raft/types";
import type { IssuedTimestamp } from "@quorate/replica/timestamp-source";
import type { Clock } from "@quorate/runtime/runtime";
import type { PlacementCommand } from "./commands.ts";
import { OracleClock } from "./oracle-clock.ts";

/** How far a new ceiling lies ahead of the counter: what a change of leader skips at most. */
export const ceilingAheadMs = 500;
/**
 * A new ceiling is proposed when less than this is left, so that nobody waits for it while
 * timestamps are in use.
 */
const ceilingLowMs = 250;
/** Timestamps in one request; half of what one ceiling allows. */
export const issueCountMax = 1 << 20;

/** What the oracle needs of the placement group. */
export interface OracleGroup {
	/** As applied from the log. */
	ceiling(): Timestamp;
	schemaVersion(): number;
	propose(command: PlacementCommand): LogIndex | undefined;
	/** A quorum round that begins after the call; rejects when leadership is lost. */
	confirmLeadership(): Promise<unknown>;
	/** Runs `task` a few turns of the event loop later. */
	pause(task: () => void): void;
}

/** `count` timestamps from `first`, all with that version. */
export interface IssuedBlock {
	readonly first: Timestamp;
	readonly schemaVersion: number;
}

/**
 * `not-leader`: certainly nothing was proposed. `unknown`: leadership ended before the entry's fate
 * was known.
 */
export type RaiseResult = IssuedTimestamp | "not-leader" | "unknown";

interface Request {
	readonly count: number;
	/** Undefined: not the leader (any more). */
	readonly resolve: (block: IssuedBlock | undefined) => void;
}

type Raise = (result: RaiseResult) => void;

export class Oracle {
	readonly #group: OracleGroup;
	readonly #clock: OracleClock;
	/** Tests only. */
	readonly #mutations: Mutations | undefined;
	#term: Term = 0;
	#isLeader = false;
	/**
	 * It leads and has applied an entry of its own term: nothing of older leaders can come after
	 * that.
	 */
	#ready = false;
	/** The next timestamp to hand out, if the clock is not ahead of it. */
	#next: Timestamp = timestampZero;
	/** Arrived after the round in flight began. */
	#collecting: Request[] = [];
	#inRound: Request[] | undefined;
	/** The next round waits for those who were just answered: most of them will ask again. */
	#isPausing = false;
	/** Served by a round; waiting for the ceiling or a schema change. In order of arrival. */
	#confirmed: Request[] = [];
	/** Proposed ceiling entry that is not applied yet. */
	#ceilingEntry: LogIndex | undefined;
	#raises: Raise[] = [];
	/** S1: while set, nothing is answered. */
	#raising: { readonly index: LogIndex; readonly c: Timestamp; readonly answer: Raise } | undefined;

	constructor(clock: Clock, group: OracleGroup, mutations?: Mutations) {
		this.#mutations = mutations;
		this.#group = group;
		this.#clock = new OracleClock(clock);
		this.#followCeiling();
	}

	/** Undefined: this member does not lead. */
	issue(count: number): Promise<IssuedBlock | undefined> {
		assert(count >= 1 && count <= issueCountMax, () => `a request for ${count} timestamps`);
		if (!this.#isLeader) {
			return Promise.resolve(undefined);
		}
		return new Promise((resolve) => {
			this.#collecting.push({ count, resolve });
			this.#startRound();
		});
	}

	raiseSchemaVersion(): Promise<RaiseResult> {
		if (!this.#isLeader) {
			return Promise.resolve("not-leader");
		}
		return new Promise((resolve) => {
			this.#raises.push(resolve);
			this.#proposeRaise();
		});
	}

	leadershipChanged(isLeader: boolean, term: Term): void {
		if (isLeader && this.#isLeader && term === this.#term) {
			return;
		}
		this.#isLeader = isLeader;
		this.#term = term;
		this.#ready = false;
		this.#ceilingEntry = undefined;
		this.#dropRequests();
	}

	/** After the state machine has applied it. */
	applied(index: LogIndex, term: Term, command: PlacementCommand | undefined): void {
		if (command?.kind === "ceiling" && !this.#ready) {
			this.#followCeiling();
		}
		if (this.#isLeader && !this.#ready && term === this.#term) {
			this.#becomeReady();
		}
		if (!this.#ready) {
			return;
		}
		if (this.#ceilingEntry !== undefined && index >= this.#ceilingEntry) {
			this.#ceilingEntry = undefined;
		}
		this.#finishRaise(index, term, command);
		this.#answerConfirmed();
		this.#proposeRaise();
	}

	/** The state was replaced by a snapshot. */
	restored(): void {
		this.#followCeiling();
	}

	/**
	 * A follower's clock: the leader is at most `ceilingAheadMs` behind the ceiling that it has
	 * just raised.
	 */
	#followCeiling(): void {
		const ceiling = this.#group.ceiling();
		if (ceiling > 0) {
			this.#clock.advanceTo(timestampToWallMs(ceiling) - ceilingAheadMs);
		}
	}

	/** O2: everything that an earlier leader handed out is below the ceiling applied by now. */
	#becomeReady(): void {
		const ceiling =
			this.#mutations?.oracleGoesBack === true ? timestampZero : this.#group.ceiling();
		if (ceiling === timestampZero) {
			this.#clock.startFromWall();
		} else {
			this.#clock.advanceTo(timestampToWallMs(ceiling));
		}
		this.#next = timestamp(Math.max(this.#next, ceiling + 1));
		this.#ready = true;
		this.#startRound();
	}

	#startRound(): void {
		const isBusy = this.#isPausing || this.#inRound !== undefined;
		if (!this.#ready || isBusy || this.#collecting.length === 0) {
			return;
		}
		const round = this.#collecting;
		this.#collecting = [];
		this.#inRound = round;
		this.#raiseCeilingIfLow();
		const confirmed = () => {
			if (this.#inRound === round) {
				this.#inRound = undefined;
				this.#confirm(round);
				this.#pauseIfShared();
			}
		};
		const failed = () => {
			if (this.#inRound === round) {
				this.#inRound = undefined;
				answerNotLeader(round);
				this.#startRound();
			}
		};
		this.#group.confirmLeadership().then(confirmed, failed);
	}

	/**
	 * Requests that came during the round have company: a round for them at once would be small, and cost
	 * as much as a large one. Who is alone never waits.
	 */
	#pauseIfShared(): void {
		if (this.#collecting.length === 0) {
			return;
		}
		this.#isPausing = true;
		this.#group.pause(() => {
			this.#isPausing = false;
			this.#startRound();
		});
	}

	#confirm(round: readonly Request[]): void {
		for (const request of round) {
			this.#confirmed.push(request);
		}
		this.#answerConfirmed();
	}

	#answerConfirmed(): void {
		if (!this.#ready || this.#raising !== undefined || this.#confirmed.length === 0) {
			return;
		}
		const schemaVersion = this.#group.schemaVersion();
		let answered = 0;
		for (const request of this.#confirmed) {
			const first = this.#take(request.count);
			if (first === undefined) {
				break;
			}
			answered++;
			request.resolve({ first, schemaVersion });
		}
		this.#confirmed = this.#confirmed.slice(answered);
	}

	/** Undefined while the ceiling is too low; it is being raised then. */
	#take(count: number): Timestamp | undefined {
		const first = this.#moveOn();
		if (first + count > this.#group.ceiling()) {
			this.#raiseCeiling();
			return undefined;
		}
		this.#next = timestamp(first + count);
		return first;
	}

	/** O4. What would be handed out now. */
	#moveOn(): Timestamp {
		const now = timestampFromWallMs(this.#clock.nowMs());
		this.#next = timestamp(Math.max(this.#next, now));
		return this.#next;
	}

	/**
	 * Only called when timestamps are asked for: an idle cluster writes nothing. Beside their round, so that whoever asks after a pause waits
	 * for no more than the slower of the two.
	 */
	#raiseCeilingIfLow(): void {
		if (this.#group.ceiling() - this.#moveOn() < ceilingLowMs * ticksPerMs) {
			this.#raiseCeiling();
		}
	}

	#raiseCeiling(): void {
		if (this.#ceilingEntry !== undefined) {
			return;
		}
		const value = timestamp(this.#next + ceilingAheadMs * ticksPerMs);
		this.#ceilingEntry = this.#group.propose({ kind: "ceiling", value });
	}

	#proposeRaise(): void {
		if (!this.#ready || this.#raising !== undefined || this.#raises.length === 0) {
			return;
		}
		const c = this.#take(1);
		if (c === undefined) {
			return;
		}
		const answer = this.#raises.shift()!;
		const index = this.#group.propose({ kind: "raise-schema", c });
		if (index === undefined) {
			answer("not-leader");
			return;
		}
		this.#raising = { index, c, answer };
	}

	#finishRaise(index: LogIndex, term: Term, command: PlacementCommand | undefined): void {
		const raising = this.#raising;
		if (raising === undefined || index < raising.index) {
			return;
		}
		// An entry of another term at that index would have ended this leadership first.
		assert(
			index === raising.index && term === this.#term && command?.kind === "raise-schema",
			() =>
				`S1: expected the schema change at ${raising.index}, applied ${command?.kind} at ${index}`,
		);
		this.#raising = undefined;
		raising.answer({ timestamp: raising.c, schemaVersion: this.#group.schemaVersion() });
	}

	#dropRequests(): void {
		const requests = [...this.#confirmed, ...(this.#inRound ?? []), ...this.#collecting];
		this.#confirmed = [];
		this.#inRound = undefined;
		this.#collecting = [];
		answerNotLeader(requests);
		const raises = this.#raises;
		this.#raises = [];
		for (const answer of raises) {
			answer("not-leader");
		}
		const raising = this.#raising;
		this.#raising = undefined;
		raising?.answer("unknown");
	}
}

function answerNotLeader(requests: readonly Request[]): void {
	for (const request of requests) {
		request.resolve(undefined);
	}
}
