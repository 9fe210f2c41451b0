/** A read index that was refused, or will not be answered, because this replica leads no more. Nothing was done. */
export class NotLeaderError extends Error {
	override readonly name = "NotLeaderError";
}
