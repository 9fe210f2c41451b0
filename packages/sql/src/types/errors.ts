/** The errors that types and functions raise, in PostgreSQL's words. */
import { DatabaseError, type DatabaseErrorFields } from "@quorate/keys/database-error";

export function invalidText(typeName: string, text: string, detail?: string): DatabaseError {
	return new DatabaseError(
		"22P02",
		`invalid input syntax for type ${typeName}: "${text}"`,
		detail === undefined ? {} : { detail },
	);
}

export function textOutOfRange(typeName: string, text: string): DatabaseError {
	return new DatabaseError("22003", `value "${text}" is out of range for type ${typeName}`);
}

export function outOfRange(typeName: string): DatabaseError {
	return new DatabaseError("22003", `${typeName} out of range`);
}

export function divisionByZero(): DatabaseError {
	return new DatabaseError("22012", "division by zero");
}

export function invalidParameter(message: string, fields: DatabaseErrorFields = {}): DatabaseError {
	return new DatabaseError("22023", message, fields);
}

export function unsupported(what: string, hint: string): DatabaseError {
	return new DatabaseError("0A000", what, { hint });
}

/** Binary input of a wrong length. */
export function binaryLength(bytes: Uint8Array, expected: number): DatabaseError {
	return bytes.length < expected
		? new DatabaseError("08P01", "insufficient data left in message")
		: new DatabaseError("22P03", "incorrect binary data format");
}
