/**
 * Protections, each taken out by itself: the checks must turn red, or they prove nothing. A mutant runs under a profile that
 * suits it, one of those that ordinary seeds draw.
 */
import type { Mutations } from "@quorate/keys/mutations";
import { firstProblem } from "./describe-run.ts";
import type { Profile, ProfileName } from "./profile.ts";
import { type RunReport, simulate } from "./run.ts";
import { simulateHistory } from "./run-history.ts";

export interface Mutant {
	readonly mutation: keyof Mutations;
	/** What is done wrong. */
	readonly what: string;
	readonly profile: ProfileName;
	/** Whose clients look for it; the ordinary ones if undefined. */
	readonly run?: typeof simulate;
}

export const mutants: readonly Mutant[] = [
	{ mutation: "withoutSync", what: "skip the fsync of the log", profile: "tight" },
	{ mutation: "withoutQuorum", what: "acknowledge before a quorum has it", profile: "plain" },
	{ mutation: "withoutLeaseSequence", what: "ignore the lease sequence", profile: "lostAnswers" },
	{
		mutation: "withoutLeaseExpiry",
		what: "answer a read above the lease's expiry",
		profile: "outdatedLeaders5",
	},
	{
		mutation: "timestampBeforePending",
		what: "draw the commit timestamp before the writes are pending",
		profile: "far",
	},
	{
		mutation: "leasesOverlap",
		what: "start a lease below the previous expiry",
		profile: "outdatedLeaders5",
	},
	{
		mutation: "pendingEndsAtStepDown",
		what: "let a pending write vanish at step-down",
		profile: "lostAnswers",
	},
	{ mutation: "withoutValidation", what: "commit without validating", profile: "far" },
	{
		mutation: "withoutDistantValidation",
		what: "commit in one phase without validating what was read in other ranges",
		profile: "far",
	},
	{
		mutation: "resolvedAtPreparePoint",
		what: "resolve an intent with the prepare timestamp",
		profile: "calm",
	},
	{
		mutation: "withoutTombstoneCheck",
		what: "accept a Prepare or one-phase whose tombstone exists",
		profile: "lostAnswers",
	},
	{ mutation: "tombstonesGoEarly", what: "drop a tombstone early", profile: "lostAnswers" },
	{ mutation: "oracleGoesBack", what: "let the oracle go back", profile: "tight" },
	{
		mutation: "mergedUnapplied",
		what: "merge before all replicas of the right side are frozen",
		profile: "merging",
	},
	{
		mutation: "mergeForgetsReads",
		what: "merge without the timestamps of the right side",
		profile: "merging",
	},
	{ mutation: "learnersCount", what: "count a learner in the quorum", profile: "membership" },
	{
		mutation: "snapshotsOverlay",
		what: "restore a snapshot without clearing",
		profile: "tight",
	},
	{
		mutation: "votesForgotten",
		what: "vote twice in a term after a restart",
		profile: "elections",
	},
	{ mutation: "entriesAppliedTwice", what: "apply an entry twice", profile: "calm" },
	{
		mutation: "closedTooEarly",
		what: "close a timestamp while a write below it is not proposed",
		profile: "far",
		run: simulateHistory,
	},
	{
		mutation: "followersUnclosed",
		what: "read from a follower what is not closed",
		profile: "calm",
		run: simulateHistory,
	},
	{
		mutation: "pastWithoutThreshold",
		what: "read below the GC threshold",
		profile: "tight",
		run: simulateHistory,
	},
	{
		mutation: "openAfterSeal",
		what: "call a large transaction open after it was sealed",
		profile: "far",
		run: simulateHistory,
	},
	{
		mutation: "withoutOracleRound",
		what: "answer for the oracle without a quorum round",
		profile: "outdatedLeaders3",
	},
];

export interface Finding {
	/** How many seeds it took, and what the last of them showed; undefined: not found. */
	readonly seeds: number;
	readonly found: string | undefined;
}

/** Runs seeds from the first on until a check turns red. */
export async function hunt(
	{ mutation, profile, run = simulate }: Mutant,
	seedsMax: number,
	progress: (seed: number, report: RunReport) => void = () => undefined,
	change: Partial<Profile> = {},
	firstSeed = 1,
): Promise<Finding> {
	for (let seed = firstSeed; seed < firstSeed + seedsMax; seed++) {
		const report = await run(seed, { profile, change, mutations: { [mutation]: true } });
		progress(seed, report);
		// A delay may be bad luck: it proves nothing about the mutant.
		if (report.problems.length > report.delays.length) {
			return { seeds: seed - firstSeed + 1, found: firstProblem(report) };
		}
	}
	return { seeds: seedsMax, found: undefined };
}
