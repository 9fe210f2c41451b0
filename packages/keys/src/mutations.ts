/**
 * Protections that a test may take out, each by itself, to see that its checks then turn red. The wiring of a test passes
 * them; a node in production is started without, and no flag or setting reaches them.
 */
export interface Mutations {
	/** The log answers before what it wrote is synced. */
	readonly withoutSync?: boolean;
	/** A Raft leader commits what only its own disk has. */
	readonly withoutQuorum?: boolean;
	/** A learner's disk counts as a voter's. */
	readonly learnersCount?: boolean;
	/** A restarted replica does not know for whom it voted. */
	readonly votesForgotten?: boolean;
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
	/** L2: a lease may begin below the expiry of the one before. */
	readonly leasesOverlap?: boolean;
	/** L2, L3: neither who gave its lease away nor apply looks at the sequence. */
	readonly withoutLeaseSequence?: boolean;
	/** L3: an entry is applied again after the one that follows it; neither its number nor its record stops it. */
	readonly entriesAppliedTwice?: boolean;
	/** L4: proposed writes are forgotten when their proposer steps down. */
	readonly pendingEndsAtStepDown?: boolean;
	/** Section 6, step 2: c is drawn before the writes are prepared, and the ps are kept below it. */
	readonly timestampBeforePending?: boolean;
	/** Section 6, step 3: what a transaction read outside its written keys is not looked at again at its commit timestamp. */
	readonly withoutValidation?: boolean;
	/** Likewise, only by a leaseholder that commits in one phase what was read in other ranges, too. */
	readonly withoutDistantValidation?: boolean;
	/** Section 6, step 5: an intent becomes a version at its p instead of at c. */
	readonly resolvedAtPreparePoint?: boolean;
	/** T3: a Prepare or one-phase entry does not look for its tombstone. */
	readonly withoutTombstoneCheck?: boolean;
	/** T4: tombstones go at once, and leave no horizon behind. */
	readonly tombstonesGoEarly?: boolean;
	/** O1: the oracle answers without a quorum round. */
	readonly withoutOracleRound?: boolean;
	/** O2: a new oracle starts at its wall clock, wherever the ceiling is. */
	readonly oracleGoesBack?: boolean;
	/** F1: a timestamp is closed while a write that was accepted before it is not proposed yet. */
	readonly closedTooEarly?: boolean;
	/** F2: a follower reads above what is closed. */
	readonly followersUnclosed?: boolean;
	/** Section 5: reads do not look at the GC threshold. */
	readonly pastWithoutThreshold?: boolean;
	/** Section 6, large transactions: the anchor says "open" also after it has said that the transaction closes. */
	readonly openAfterSeal?: boolean;
	/** Section 5: a snapshot is put over what was there. */
	readonly snapshotsOverlay?: boolean;
	/** A2 of the advisory locks: transactions do not rely on the tenure of their session, and its end is not noticed. */
	readonly withoutFencing?: boolean;
	/** F1: a change feed does not wait for what may still commit below its timestamp. */
	readonly feedWithoutWaiting?: boolean;
	/** F1: a leaseholder that has not been asked before takes what it remembers for all that there was. */
	readonly feedBeginsComplete?: boolean;
	/** M2: the left side takes the right one over before all its replicas have applied the freeze. */
	readonly mergedUnapplied?: boolean;
	/** M3: what was read and committed on the right side is not carried over: expiry, closed timestamp, last commit. */
	readonly mergeForgetsReads?: boolean;
	/** Ranges are merged at once, and although what comes of it is larger than what is split. */
	readonly mergesWithoutHysteresis?: boolean;
}
