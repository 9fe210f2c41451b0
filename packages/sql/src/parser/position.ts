import { DatabaseError } from "@quorate/keys/database-error";

/** PostgreSQL counts characters from 1; JavaScript's strings count UTF-16 units from 0. */
export function characterPosition(query: string, offset: number): number {
	let position = offset + 1;
	for (let i = 0; i < offset; i += 1) {
		// The second half of a pair is not a character of its own.
		if ((query.charCodeAt(i) & 0xfc00) === 0xdc00) {
			position -= 1;
		}
	}
	return position;
}

export const syntaxError = (query: string, offset: number, message: string): DatabaseError =>
	new DatabaseError("42601", message, { position: characterPosition(query, offset) });

export const errorNear = (
	query: string,
	start: number,
	end: number,
	message: string,
): DatabaseError => syntaxError(query, start, `${message} at or near "${query.slice(start, end)}"`);

/** The position, for an error, of an offset in a statement's text. */
export const statementPosition = (
	statement: { readonly query: string; readonly offset: number },
	at: number,
): number => characterPosition(statement.query, statement.offset + at);
