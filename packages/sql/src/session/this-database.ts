/** Statements that name the database of the session. */
import { DatabaseError } from "@quorate/keys/database-error";
import { undefinedDatabase } from "../catalog/database.ts";
import type { SessionState } from "./session-state.ts";

/** Throws 3D000, and 55000 where it is another one. */
export function checkDatabase(state: SessionState, database: string | undefined): void {
	if (database === undefined || database === state.services.database) return;
	if (state.services.catalog.known()?.databaseNamed(database) === undefined) {
		throw undefinedDatabase(database, {
			hint: `The database of this session is named "${state.services.database}".`,
		});
	}
	throw new DatabaseError("55000", `database "${database}" is not that of this session`, {
		hint: "Connect to that database first.",
	});
}
