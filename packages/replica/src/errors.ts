/** Errors that leaseholders tell clients. */
import { diskFullHint } from "@quorate/keys/damage";
import { DatabaseError, errorToData } from "@quorate/keys/database-error";
import { formatKey, type Key } from "@quorate/keys/key";
import { type Timestamp, timestampToWallMs } from "@quorate/keys/timestamp";
import type { RangeAnswer } from "./requests.ts";
import type { WaitEnd } from "./wait-edge.ts";

export function gcError(s: Timestamp, threshold: Timestamp): RangeAnswer {
	const age = Math.round((timestampToWallMs(threshold) - timestampToWallMs(s)) / 1000);
	return {
		kind: "error",
		error: errorToData(
			new DatabaseError("72000", "snapshot too old", {
				detail: `The read timestamp is ${age} s older than the oldest version that is still kept.`,
				hint: "Run the transaction again.",
			}),
		),
	};
}

/** Why a wait, or what did not want to wait, came to nothing. `taken`: somebody else has the row, and it is not to be waited for. */
export type Unavailable = "taken" | Exclude<WaitEnd, "changed">;

/** Whoever reads that its wait has `ended` was taken for dead: who has ended it does not listen any more. */
export function waitFailed(k: Key, why: Unavailable): RangeAnswer {
	if (typeof why !== "string") {
		return deadlockDetected(why.deadlock);
	}
	return why === "ended"
		? { kind: "conflict", reason: "the node of the transaction was silent for too long", key: k }
		: lockNotAvailable(k, why === "timeout");
}

function lockNotAvailable(k: Key, timedOut: boolean): RangeAnswer {
	return {
		kind: "error",
		error: errorToData(
			timedOut
				? new DatabaseError("55P03", "canceling statement due to lock timeout")
				: new DatabaseError("55P03", "could not obtain lock on row", {
						detail: `Another transaction holds the lock on key ${formatKey(k)}.`,
					}),
		),
	};
}

function deadlockDetected(detail: string): RangeAnswer {
	return {
		kind: "error",
		error: errorToData(
			new DatabaseError("40P01", "deadlock detected", {
				detail,
				hint: "Run the transaction again.",
			}),
		),
	};
}

/** Nothing was done. Reads go on, and what is being committed is finished. */
export function diskFullError(): DatabaseError {
	return new DatabaseError(
		"53100",
		"the disk of a node that holds the data is full: nothing can be written",
		{
			detail:
				"Reads are served as before. Writes will be again, without a restart, once there is space.",
			hint: diskFullHint,
		},
	);
}
