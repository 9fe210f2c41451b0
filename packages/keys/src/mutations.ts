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
}
