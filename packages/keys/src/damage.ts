/** What is said of files that are not what was written: which one, and what to do. One wording for all packages. */
import { DatabaseError } from "./database-error.ts";

export const rebuildHint =
	"Replace the disk if it may be failing, then run `quorate node rebuild` on the data directory: it discards what this node " +
	"holds and has it copied again from the other nodes (`quorate node rebuild --help`).";

/** Nothing of the kind may be read any more. `what` names the file. */
export const damaged = (what: string): DatabaseError =>
	new DatabaseError("XX001", what, { hint: rebuildHint });

/** A version that this program does not know: of a newer one, or damage to the very byte that says so. */
export const unknownFormat = (what: string): DatabaseError =>
	new DatabaseError("0A000", what, {
		hint: `A newer version of Quorate may have written it. If none has, it is damaged: ${rebuildHint}`,
	});

/** The same for the reason of a node that stops itself. */
export const damagedReason = (what: string): string => `${what}. ${rebuildHint}`;

export const diskFullHint = "Free space on the disk of the node's data directory.";

export const isDiskFull = (error: unknown): boolean => {
	const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
	return code === "ENOSPC" || code === "EDQUOT" || /No space left on device/.test(String(message));
};
