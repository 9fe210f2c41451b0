/** Strict UTF-8, with PostgreSQL's error for what is not: names and values that cannot be stored never get further. */
import { isUtf8 } from "node:buffer";
import { DatabaseError } from "@quorate/keys/database-error";

/** Throws 22021 for invalid UTF-8 and for a NUL byte, which no text of PostgreSQL may hold. */
export function decodeText(bytes: Buffer, start: number, end: number): string {
	const text = bytes.toString("utf8", start, end);
	// A decoder puts U+FFFD where the input was wrong; only then is the slow look worth it.
	if (text.includes("\ufffd") && !isUtf8(bytes.subarray(start, end))) {
		throw invalidSequence(bytes, start, end);
	}
	if (text.includes("\0")) {
		throw invalidEncoding([0]);
	}
	return text;
}

function invalidSequence(bytes: Buffer, start: number, end: number): DatabaseError {
	let at = start;
	while (at < end) {
		const length = sequenceLength(bytes[at]!);
		const stop = Math.min(at + length, end);
		if (stop - at < length || !isUtf8(bytes.subarray(at, stop))) {
			return invalidEncoding([...bytes.subarray(at, stop)]);
		}
		at = stop;
	}
	return invalidEncoding([]);
}

/** How many bytes a sequence has by its first one, as PostgreSQL counts it when it reports an error. */
function sequenceLength(first: number): number {
	if ((first & 0xe0) === 0xc0) {
		return 2;
	}
	if ((first & 0xf0) === 0xe0) {
		return 3;
	}
	return (first & 0xf8) === 0xf0 ? 4 : 1;
}

function invalidEncoding(sequence: readonly number[]): DatabaseError {
	const shown = sequence.map((byte) => `0x${byte.toString(16).padStart(2, "0")}`).join(" ");
	return new DatabaseError("22021", `invalid byte sequence for encoding "UTF8": ${shown}`);
}
