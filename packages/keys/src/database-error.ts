/** What a client may see: one error class, with a SQLSTATE of PostgreSQL's table (Appendix A). */
export interface DatabaseErrorFields {
	readonly detail?: string;
	readonly hint?: string;
	/** CONTEXT: where in the input or the call it happened, for example a line of COPY. */
	readonly where?: string;
	/** 1-based position in the statement's characters. */
	readonly position?: number;
	readonly schema?: string;
	readonly table?: string;
	readonly column?: string;
	readonly dataType?: string;
	readonly constraint?: string;
	readonly severity?: "ERROR" | "FATAL" | "PANIC";
}

export class DatabaseError extends Error {
	override readonly name = "DatabaseError";
	/** Five characters, for example "40001". */
	readonly code: string;
	readonly fields: DatabaseErrorFields;

	constructor(code: string, message: string, fields: DatabaseErrorFields = {}) {
		super(message);
		this.code = code;
		this.fields = fields;
	}
}

/** Carried over the network and turned back into a `DatabaseError` there. */
export interface ErrorData {
	readonly code: string;
	readonly message: string;
	readonly fields: DatabaseErrorFields;
}

export const errorToData = (e: DatabaseError): ErrorData => ({
	code: e.code,
	message: e.message,
	fields: e.fields,
});
export const errorFromData = (d: ErrorData): DatabaseError =>
	new DatabaseError(d.code, d.message, d.fields);
