/** Text as JavaScript strings whose characters are code points, in the order of collation C. */
import { DatabaseError } from "@quorate/keys/database-error";

const surrogate = /[\ud800-\udfff]/;
const replacement = "\ufffd";

/** Moves surrogates above the code units that follow them, for code units from 0xd800 on. */
const rank = (unit: number): number => (unit >= 0xe000 ? unit - 0x800 : unit + 0x2000);

/** Order of UTF-8 bytes, that is of code points: surrogates sort above every other code unit. */
export function compareText(a: string, b: string): number {
	if (a === b) {
		return 0;
	}
	const length = Math.min(a.length, b.length);
	for (let i = 0; i < length; i++) {
		const left = a.charCodeAt(i);
		const right = b.charCodeAt(i);
		if (left !== right) {
			return left >= 0xd800 && right >= 0xd800 ? rank(left) - rank(right) : left - right;
		}
	}
	return a.length - b.length;
}

/** Code points. */
export function textLength(text: string): number {
	if (!surrogate.test(text)) {
		return text.length;
	}
	let count = 0;
	for (let i = 0; i < text.length; i++) {
		if ((text.charCodeAt(i) & 0xfc00) !== 0xdc00) {
			count++;
		}
	}
	return count;
}

/** Offset in code units of the code point number `index`, or the length where there are fewer. */
export function offsetOf(text: string, index: number): number {
	if (index >= text.length) {
		return text.length;
	}
	if (!surrogate.test(text)) {
		return Math.max(index, 0);
	}
	let offset = 0;
	for (let i = 0; i < index && offset < text.length; i++) {
		offset += (text.charCodeAt(offset) & 0xfc00) === 0xd800 ? 2 : 1;
	}
	return offset;
}

/** Code points from `start` to `end`, from 0, the end exclusive. */
export function sliceText(text: string, start: number, end: number): string {
	return text.slice(offsetOf(text, start), offsetOf(text, end));
}

export function trimBlanks(text: string): string {
	let end = text.length;
	while (end > 0 && text.charCodeAt(end - 1) === 0x20) {
		end--;
	}
	return end === text.length ? text : text.slice(0, end);
}

/** With blanks up to `length` code points. */
export function padBlanks(text: string, length: number): string {
	const missing = length - textLength(text);
	return missing > 0 ? text + " ".repeat(missing) : text;
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** UTF-8 from a client; 22021 for what is none, and for 0x00, which PostgreSQL's text cannot hold. */
export function decodeUtf8(bytes: Uint8Array): string {
	const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
	if (text.includes(replacement)) {
		try {
			strict.decode(bytes);
		} catch {
			throw invalidSequence(bytes);
		}
	}
	if (text.includes("\0")) {
		throw new DatabaseError("22021", 'invalid byte sequence for encoding "UTF8": 0x00');
	}
	return text;
}

/** Length that the first byte announces, as pg_utf_mblen. */
function announcedLength(byte: number): number {
	return byte < 0x80
		? 1
		: (byte & 0xe0) === 0xc0
			? 2
			: (byte & 0xf0) === 0xe0
				? 3
				: (byte & 0xf8) === 0xf0
					? 4
					: 1;
}

function invalidSequence(bytes: Uint8Array): DatabaseError {
	let at = 0;
	while (at < bytes.length) {
		const length = announcedLength(bytes[at] as number);
		const character = bytes.subarray(at, at + length);
		try {
			if (character.length < length) {
				break;
			}
			strict.decode(character);
		} catch {
			break;
		}
		at += length;
	}
	const shown = [...bytes.subarray(at, at + announcedLength(bytes[at] ?? 0))]
		.map((b) => `0x${b.toString(16).padStart(2, "0")}`)
		.join(" ");
	return new DatabaseError("22021", `invalid byte sequence for encoding "UTF8": ${shown}`);
}

/** Cuts to `bytesMax` UTF-8 bytes without splitting a character. */
export function truncateBytes(text: string, bytesMax: number): string {
	if (text.length * 3 <= bytesMax || Buffer.byteLength(text) <= bytesMax) {
		return text;
	}
	let bytes = 0;
	let end = 0;
	for (const character of text) {
		bytes += Buffer.byteLength(character);
		if (bytes > bytesMax) {
			break;
		}
		end += character.length;
	}
	return text.slice(0, end);
}
