/**
 * Quorum arithmetic over a configuration that may be joint. Pure functions; everything that Raft decides by counting
 * (commits, votes, read rounds, activity) is decided here.
 */
import type { ReplicaId } from "@quorate/keys/ids";
import type { Configuration } from "./types.ts";

/** How many of `count` voters are a majority. */
export const majority = (count: number): number => Math.floor(count / 2) + 1;

/**
 * The highest value that a majority of `voters` has reached. Infinity for no voters: the missing half of a
 * configuration that is not joint constrains nothing.
 */
export function majorityValue(
	voters: readonly ReplicaId[],
	reached: (replica: ReplicaId) => number,
): number {
	if (voters.length === 0) return Number.POSITIVE_INFINITY;
	// Insertion sort, highest first: groups have three or five voters, and this runs for every acknowledgement.
	const sorted: number[] = [];
	for (const voter of voters) {
		const value = reached(voter);
		let at = sorted.length;
		while (at > 0 && sorted[at - 1]! < value) {
			sorted[at] = sorted[at - 1]!;
			at--;
		}
		sorted[at] = value;
	}
	return sorted[majority(voters.length) - 1]!;
}

/** The highest value that a quorum (both majorities while joint) has reached; 0 where there are no voters at all. */
export function quorumValue(
	configuration: Configuration,
	reached: (replica: ReplicaId) => number,
): number {
	if (configuration.voters.length === 0 && configuration.outgoing.length === 0) return 0;
	return Math.min(
		majorityValue(configuration.voters, reached),
		majorityValue(configuration.outgoing, reached),
	);
}

export type VoteResult = "won" | "lost" | "pending";

function majorityVote(
	voters: readonly ReplicaId[],
	voteOf: (replica: ReplicaId) => boolean | undefined,
): VoteResult {
	if (voters.length === 0) return "won";
	let granted = 0;
	let open = 0;
	for (const voter of voters) {
		const vote = voteOf(voter);
		if (vote === undefined) open++;
		else if (vote) granted++;
	}
	const needed = majority(voters.length);
	if (granted >= needed) return "won";
	return granted + open >= needed ? "pending" : "lost";
}

/** Outcome of an election in which `voteOf` says who granted, who refused, and (undefined) who has not answered. */
export function voteResult(
	configuration: Configuration,
	voteOf: (replica: ReplicaId) => boolean | undefined,
): VoteResult {
	if (configuration.voters.length === 0 && configuration.outgoing.length === 0) return "lost";
	const incoming = majorityVote(configuration.voters, voteOf);
	const outgoing = majorityVote(configuration.outgoing, voteOf);
	if (incoming === "lost" || outgoing === "lost") return "lost";
	return incoming === "won" && outgoing === "won" ? "won" : "pending";
}
