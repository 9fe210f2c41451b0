/** ALTER TABLE's errors do not say where in the statement they are. */
import { DatabaseError } from "@quorate/keys/database-error";

export function unplaced(error: unknown): unknown {
	if (!(error instanceof DatabaseError)) return error;
	const { position: _position, ...fields } = error.fields;
	return new DatabaseError(error.code, error.message, fields);
}
