/** Statements that name the database: there is one. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { SessionState } from "./session-state.ts";

/** Throws 3D000. */
export function checkDatabase(state: SessionState, database: string | undefined): void {
	if (database === undefined || database === state.services.database) return;
	throw new DatabaseError("3D000", `database "${database}" does not exist`, {
		hint: `The database is named "${state.services.database}".`,
	});
}
