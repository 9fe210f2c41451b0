/** A cursor that DECLARE has made, as the protocol sees it: a portal that can be described. Its rows are taken out with FETCH. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Cursor } from "./cursor.ts";
import type { Portal, PreparedStatement, ResultColumn } from "./types.ts";

export class CursorPortal implements Portal {
	readonly statement: PreparedStatement;
	readonly columns: readonly ResultColumn[];

	constructor({ columns }: Cursor) {
		this.columns = columns;
		this.statement = { parameterTypes: [], columns, empty: false };
	}

	execute(): never {
		throw new DatabaseError("0A000", "Execute of a cursor is not supported", {
			hint: "Use FETCH.",
		});
	}

	close(): void {}
}
