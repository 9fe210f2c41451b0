/** What the program that runs a cluster can put right; the message says how. */
export class ClusterError extends Error {
	override readonly name = "ClusterError";
}
