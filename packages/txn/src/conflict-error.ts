/** 40001, with what it is about: SQL names table and key in the detail, for keys mean nothing to a client. */
import { DatabaseError } from "@quorate/keys/database-error";
import { formatKey, type Key } from "@quorate/keys/key";

export interface Conflict {
	/** What happened, as a clause: "another transaction has locked the row". */
	readonly reason: string;
	/** Where; null: in no single place. */
	readonly key: Key | null;
	/** Whose doing it is: the name of a transaction, or when it committed; undefined: not known. */
	readonly other?: string | undefined;
}

const hint = "Run the transaction again.";

export class ConflictError extends DatabaseError {
	readonly conflict: Conflict;

	/** `where`: the key in the words of whoever knows them. */
	constructor(conflict: Conflict, where = conflict.key === null ? "" : formatKey(conflict.key)) {
		const parts = [conflict.reason, where === "" ? "" : `: key ${where}`, by(conflict)];
		super("40001", "could not serialize access due to concurrent update", {
			detail: `${parts.join("")}.`,
			hint,
		});
		this.conflict = conflict;
	}
}

const by = ({ other }: Conflict): string => (other === undefined ? "" : `, by ${other}`);

export const conflictError = (reason: string, key: Key | null, other?: string): ConflictError =>
	new ConflictError({ reason: capital(reason), key, other });

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
