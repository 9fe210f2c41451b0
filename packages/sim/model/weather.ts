/** How rough a walk is, drawn once for each: walks that are all alike find the same things over and over. */
import type { Random } from "./random.ts";

export interface Weather {
	/** Of 1,000 messages: so many are lost, so many come twice, so many come much later. */
	readonly lost: number;
	readonly doubled: number;
	readonly late: number;
	/** Of 1,000 looks for trouble: so many find some. Its kinds have these weights. */
	readonly faults: number;
	readonly lags: number;
	readonly elections: number;
	readonly crashes: number;
	/** Of 1,000 requests: so many go to somebody other than who is believed to be in charge. */
	readonly astray: number;
	readonly leaseMs: number;
	/** Time passes in steps of up to so many milliseconds. */
	readonly paceMs: number;
	/** Of 1,000 looks of a leaseholder at its own affairs: so many transfers. */
	readonly transfers: number;
	/** Of 1,000 looks at old records: so many removals. */
	readonly removals: number;
	/** Of 1,000 inquiries at an anchor: so many find the coordinator silent, though it lives. */
	readonly silences: number;
	/** Of 1,000 commits that could be one-phase: so many are. */
	readonly onePhase: number;
	/** Of 1,000 commits to both ranges: of so many the last one prepared is not prepared, but asked to do and decide all. */
	readonly lastAgent: number;
	/** Of 1,000 transactions: so many are hot rows, large, only read. */
	readonly hot: number;
	readonly large: number;
	readonly readOnly: number;
	/** Keys in use. */
	readonly keys: number;
	readonly operationsMax: number;
	/** Of 1,000 operations: so many newest-reads, so many writes. */
	readonly newest: number;
	readonly writes: number;
	/** Transactions start within so many steps. */
	readonly spread: number;
	/** A commit takes the other intents of the anchor's range along. */
	readonly takesRange: boolean;
	/** Lapsed leases are looked for in so many of 1,000 looks. */
	readonly acquisitions: number;
}

export function drawWeather(random: Random): Weather {
	const isCalm = random.oneIn(4);
	const oneOf = (a: number, b: number, c: number): number => {
		const x = random.below(3);
		return x === 0 ? a : x === 1 ? b : c;
	};
	return {
		lost: isCalm ? 0 : oneOf(0, 10, 30),
		doubled: isCalm ? 0 : oneOf(0, 60, 250),
		late: isCalm ? 0 : oneOf(0, 30, 120),
		faults: isCalm ? 0 : oneOf(20, 80, 250),
		lags: oneOf(1, 4, 20),
		elections: oneOf(1, 4, 20),
		crashes: oneOf(1, 4, 10),
		astray: oneOf(30, 120, 400),
		leaseMs: oneOf(4, 10, 40),
		paceMs: oneOf(1, 2, 5),
		transfers: oneOf(0, 40, 250),
		removals: oneOf(0, 250, 800),
		silences: oneOf(0, 50, 400),
		onePhase: oneOf(200, 600, 900),
		lastAgent: oneOf(0, 500, 900),
		hot: oneOf(0, 150, 700),
		large: oneOf(0, 150, 600),
		readOnly: oneOf(100, 200, 400),
		keys: random.oneIn(3) ? 2 : 4,
		operationsMax: 1 + random.below(3),
		newest: oneOf(0, 300, 600),
		writes: oneOf(200, 500, 850),
		spread: oneOf(20, 120, 400),
		takesRange: random.oneIn(2),
		acquisitions: oneOf(100, 400, 900),
	};
}
