/** ErrorResponse and NoticeResponse (PostgreSQL manual, "Error and Notice Message Fields"). */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Notice } from "@quorate/sql/session/types";
import type { MessageWriter } from "./message-writer.ts";
import { backend } from "./messages.ts";
import { ProtocolViolation } from "./protocol-violation.ts";

export type Severity = "ERROR" | "FATAL" | "PANIC";

/** `severity` overrides what the error says: an error before the session is there is always FATAL. */
export function writeError(writer: MessageWriter, error: DatabaseError, severity?: Severity): void {
	const fields = error.fields;
	writer.begin(backend.errorResponse);
	writeCommon(writer, severity ?? fields.severity ?? "ERROR", error.code, error.message);
	writeField(writer, "D", fields.detail);
	writeField(writer, "H", fields.hint);
	writeField(writer, "W", fields.where);
	writeField(writer, "P", fields.position === undefined ? undefined : String(fields.position));
	writeField(writer, "s", fields.schema);
	writeField(writer, "t", fields.table);
	writeField(writer, "c", fields.column);
	writeField(writer, "d", fields.dataType);
	writeField(writer, "n", fields.constraint);
	writer.uint8(0);
	writer.end();
}

export function writeNotice(writer: MessageWriter, notice: Notice): void {
	writer.begin(backend.noticeResponse);
	writeCommon(writer, notice.severity, notice.code, notice.message);
	writeField(writer, "D", notice.detail);
	writeField(writer, "H", notice.hint);
	writer.uint8(0);
	writer.end();
}

/** S may be translated by a server, V never is; both are English here. */
function writeCommon(writer: MessageWriter, severity: string, code: string, message: string): void {
	writeField(writer, "S", severity);
	writeField(writer, "V", severity);
	writeField(writer, "C", code);
	writeField(writer, "M", message);
}

function writeField(writer: MessageWriter, field: string, value: string | undefined): void {
	if (value !== undefined) {
		writer.uint8(field.charCodeAt(0));
		writer.string(value);
	}
}

/** What a client is told about anything that was thrown. What is no `DatabaseError` is a bug here, and stays vague. */
export function toDatabaseError(thrown: unknown): DatabaseError {
	if (thrown instanceof DatabaseError) {
		return thrown;
	}
	if (thrown instanceof ProtocolViolation) {
		return new DatabaseError(thrown.code, thrown.message, {
			severity: "FATAL",
			...(thrown.detail === undefined ? {} : { detail: thrown.detail }),
		});
	}
	if (thrown instanceof RangeError && thrown.message.includes("call stack")) {
		return new DatabaseError("54001", "stack depth limit exceeded", {
			hint: "Write the statement with less nesting.",
		});
	}
	// The engine's own limit: what is this long can only have come out of the statement.
	if (
		thrown instanceof RangeError &&
		/^(Invalid string length|Array buffer)/.test(thrown.message)
	) {
		return new DatabaseError("54000", "a value is longer than 512 MB");
	}
	return new DatabaseError("XX000", "internal error", {
		hint: "The node's log has the details. Please report it.",
	});
}

/** True for what should be in the log: nothing that a client can cause. */
export const isUnexpected = (thrown: unknown): boolean => toDatabaseError(thrown).code === "XX000";
