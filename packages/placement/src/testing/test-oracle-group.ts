/**
 * A member of a placement group driven by hand: rounds end and entries are applied when the test
 * says so.
 */
import { type Timestamp, timestamp } from "@quorate/keys/timestamp";
import type { Clock } from "@quorate/runtime/runtime";
import type { PlacementCommand } from "../commands.ts";
import { Oracle } from "../oracle.ts";

interface Round {
	readonly confirm: () => void;
	readonly fail: (error: Error) => void;
}

export class TestOracleGroup {
	readonly oracle: Oracle;
	monotonicMs = 0;
	wallMs = Date.UTC(2024, 0, 1);
	ceilingValue = timestamp(0);
	version = 1;
	term = 0;
	index = 0;
	/** Proposed and not applied. */
	proposed: PlacementCommand[] = [];
	rounds: Round[] = [];
	proposals = 0;
	/** Otherwise a pause is over at once. */
	holdsPauses = false;
	paused: (() => void)[] = [];

	constructor(ceiling: Timestamp = timestamp(0)) {
		this.ceilingValue = ceiling;
		const clock: Clock = { monotonicMs: () => this.monotonicMs, wallMs: () => this.wallMs };
		this.oracle = new Oracle(clock, {
			ceiling: () => this.ceilingValue,
			schemaVersion: () => this.version,
			propose: (command) => {
				this.proposals++;
				this.proposed.push(command);
				return this.index + this.proposed.length;
			},
			pause: (task) => {
				this.paused.push(task);
				if (!this.holdsPauses) {
					this.endPauses();
				}
			},
			confirmLeadership: () =>
				new Promise((resolve, reject) => {
					this.rounds.push({ confirm: () => resolve(0), fail: reject });
				}),
		});
	}

	/** Elected; with `ready` its first entry is applied, too. */
	lead(ready = true): void {
		this.term++;
		this.proposed = [];
		this.oracle.leadershipChanged(true, this.term);
		if (ready) {
			this.applyEmpty();
		}
	}

	endPauses(): void {
		for (const task of this.paused.splice(0)) {
			task();
		}
	}

	stepDown(): void {
		this.term++;
		this.oracle.leadershipChanged(false, this.term);
	}

	applyEmpty(): void {
		this.oracle.applied(++this.index, this.term, undefined);
	}

	/** Applies what was proposed, in order. */
	applyNext(): PlacementCommand | undefined {
		const command = this.proposed.shift();
		if (command?.kind === "ceiling") {
			this.ceilingValue = command.value > this.ceilingValue ? command.value : this.ceilingValue;
		} else if (command?.kind === "raise-schema") {
			this.version++;
		}
		if (command !== undefined) {
			this.oracle.applied(++this.index, this.term, command);
		}
		return command;
	}

	async confirm(): Promise<void> {
		this.rounds.shift()!.confirm();
		await settled();
	}

	/** Ends rounds and applies entries until nothing is left to do. */
	async drain(): Promise<void> {
		while (this.rounds.length > 0 || this.proposed.length > 0) {
			this.rounds.shift()?.confirm();
			this.applyNext();
			await settled();
		}
	}
}

export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
