/**
 * Bytes that do not follow the protocol. What comes after them cannot be trusted to be aligned, so the
 * connection ends with a FATAL 08P01; nothing else notices.
 */
export class ProtocolViolation extends Error {
	override readonly name = "ProtocolViolation";
	/** SQLSTATE: 08P01, or 0A000 for a protocol version that is not spoken here. */
	readonly code: string;
	readonly detail: string | undefined;

	constructor(message: string, code = "08P01", detail?: string) {
		super(message);
		this.code = code;
		this.detail = detail;
	}
}

/** A start-up so malformed that PostgreSQL closes without a word: it may not even be a PostgreSQL client. */
export class SilentClose extends Error {
	override readonly name = "SilentClose";
}
