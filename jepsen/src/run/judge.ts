/** Whether a run is a pass. Nothing that proves nothing is one. */
import { type Availability, availability } from "@quorate/checker/availability";
import { type Operation, validate } from "@quorate/checker/operations";
import { pairs } from "@quorate/checker/transactions";
import type { Finding, Verdict } from "../workloads/workload.ts";

/** Conflicts and deadlocks, an unknown outcome, a node that stops or stood still, an answer that did not come. */
const ordinaryCodes = ["40001", "40P01", "40003", "57P01", "57P03", "lost", "timeout"];
/** Words of workloads for what they refused themselves. */
const words = ["poor", "taken", "other"];
/** Seconds: longer than all nodes take to come back at once, and a fault before that. */
const gapMax = 45;
const nanoseconds = 1e9;

export interface RunFacts {
	readonly history: readonly Operation[];
	readonly verdict: Verdict;
	readonly codes: ReadonlyMap<string, number>;
	/** Of the nemesis. */
	readonly moreCodes: readonly string[];
	readonly faults: Readonly<Record<string, number>>;
	readonly isQuiet: boolean;
	/** A run that goes by operations says nothing of time: it is a test, and machines differ. */
	readonly isTimed: boolean;
	/** In which this process did not run, either. */
	readonly stalledSeconds: number;
	/** What went wrong with the run itself: a node that ended, a read at the end without an answer. */
	readonly problems: readonly string[];
}

export interface Judgement {
	readonly valid: boolean;
	readonly findings: readonly Finding[];
	readonly counts: { readonly ok: number; readonly fail: number; readonly info: number };
	readonly availability: Availability;
	readonly longestGapSeconds: number;
}

export function judge(facts: RunFacts): Judgement {
	const { history, verdict, codes, moreCodes, faults, isQuiet, isTimed, stalledSeconds, problems } =
		facts;
	const all = pairs(history);
	const of = (status: string) => all.filter((o) => o.status === status).length;
	const counts = { ok: of("ok"), fail: of("fail"), info: of("info") };
	const timed = all.map(({ status, invokedAt, completedAt }) => ({
		status,
		invoked: invokedAt / nanoseconds,
		completed: completedAt / nanoseconds,
	}));
	// What was never answered was waited for, too.
	const run = {
		from: (history[0]?.time ?? 0) / nanoseconds,
		to: (history.at(-1)?.time ?? 0) / nanoseconds,
	};
	const over = availability(timed, { bucketSize: 1, gapMin: 3, run });
	const gap = over.longestGap;
	const longestGapSeconds = gap === undefined ? 0 : gap.to - gap.from;
	const known = new Set([...ordinaryCodes, ...words, ...moreCodes]);
	const strange = [...codes].filter(([code]) => !known.has(code));
	const one = (kind: string, ...explanation: readonly string[]): Finding => ({ kind, explanation });
	const findings: readonly Finding[] = [
		...verdict.findings,
		...validate(history)
			.slice(0, 10)
			.map((p) => one("malformed-history", `${p.index}: ${p.explanation}`)),
		...problems.map((problem) => one("problem", ...problem.split("\n"))),
		...strange.map(([code, count]) => one("unexpected-error", `${count} times ${code}`)),
		...(counts.ok === 0 ? [one("no-success", "no operation succeeded")] : []),
		...(!isQuiet && Object.keys(faults).length === 0
			? [one("no-fault", "no fault was injected")]
			: []),
		...(isTimed && longestGapSeconds - stalledSeconds > gapMax
			? [one("unavailable", `nothing succeeded for ${longestGapSeconds.toFixed(1)} s`)]
			: []),
	];
	return {
		valid: verdict.valid && findings.length === 0,
		findings,
		counts,
		availability: over,
		longestGapSeconds,
	};
}
