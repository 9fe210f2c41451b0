/**
 * Protections that a test may take out, each by itself, to see that its checks then turn red. The wiring of a test passes
 * them; a node in production is started without, and no flag or setting reaches them.
 */
export interface Mutations {
	/** Section 6, step 3: what a transaction read outside its written keys is not looked at again at its commit timestamp. */
	readonly withoutValidation?: boolean;
	/** O1: the oracle answers without a quorum round. */
	readonly withoutOracleRound?: boolean;
	/** L1: a leaseholder serves timestamps above its lease's expiry. */
	readonly withoutLeaseExpiry?: boolean;
	/** Raft paper, figure 8: a leader commits entries of earlier terms by counting them. */
	readonly withoutCommitTermCheck?: boolean;
	/** Raft paper, figure 3, election safety: a replica votes for whoever asks. */
	readonly withoutVoteMemory?: boolean;
	/** Raft paper, section 5.3: a follower takes entries without the one before them being its leader's. */
	readonly withoutAppendMatch?: boolean;
	/** Raft paper, section 5.4.1: a replica votes also for a log that is behind its own. */
	readonly withoutLogComparison?: boolean;
}
