/** The value of string constants and quoted identifiers, from the text that the scanner delimited. */
import { DatabaseError } from "@quorate/keys/database-error";
import { characterPosition } from "./position.ts";

/** PostgreSQL cuts identifiers to NAMEDATALEN - 1 bytes. */
const IDENTIFIER_BYTES_MAX = 63;

/** Folds ASCII letters only, as PostgreSQL does in a multi-byte encoding. */
export function foldIdentifier(word: string): string {
	for (let i = 0; i < word.length; i += 1) {
		if (word.charCodeAt(i) >= 128) {
			return truncateIdentifier(word.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()));
		}
	}
	return truncateIdentifier(word.toLowerCase());
}

export function unquoteIdentifier(text: string): string {
	return truncateIdentifier(text.slice(1, -1).replaceAll('""', '"'));
}

export function truncateIdentifier(name: string): string {
	// A UTF-16 unit takes at most three bytes.
	if (name.length * 3 <= IDENTIFIER_BYTES_MAX) {
		return name;
	}
	let bytes = 0;
	let kept = 0;
	for (const character of name) {
		bytes += Buffer.byteLength(character);
		if (bytes > IDENTIFIER_BYTES_MAX) {
			return name.slice(0, kept);
		}
		kept += character.length;
	}
	return name;
}

export function dollarStringValue(query: string, start: number, end: number): string {
	const tagLength = query.indexOf("$", start + 1) + 1 - start;
	return query.slice(start + tagLength, end - tagLength);
}

/** '...' with its continuations. */
export function plainStringValue(query: string, start: number, end: number): string {
	const inner = query.slice(start + 1, end - 1);
	return inner.includes("'") ? joinParts(query, start, end, false) : inner;
}

/** E'...' with its continuations. */
export function escapeStringValue(query: string, start: number, end: number): string {
	return joinParts(query, start + 1, end, true);
}

function joinParts(query: string, start: number, end: number, escapes: boolean): string {
	let value = "";
	let i = start;
	while (i < end) {
		// At an opening quote; between parts are white space and comments, which may hold quotes.
		i += 1;
		let from = i;
		for (;;) {
			const character = query[i];
			if (escapes && character === "\\") {
				i += 2;
			} else if (character !== "'") {
				i += 1;
			} else if (query[i + 1] === "'") {
				value += part(query, from, i + 1, escapes);
				i += 2;
				from = i;
			} else {
				break;
			}
		}
		value += part(query, from, i, escapes);
		i += 1;
		while (i < end && query[i] !== "'") {
			if (query[i] === "-") {
				while (query[i] !== "\n" && query[i] !== "\r") {
					i += 1;
				}
			} else {
				i += 1;
			}
		}
	}
	return value;
}

const part = (query: string, from: number, to: number, escapes: boolean): string => {
	const text = query.slice(from, to);
	return escapes && text.includes("\\") ? decodeEscapes(query, from, to) : text;
};

const SIMPLE: Readonly<Record<string, string>> = {
	b: "\b",
	f: "\f",
	n: "\n",
	r: "\r",
	t: "\t",
};

const ESCAPE =
	/\\(?:([0-7]{1,3})|x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([\s\S]))/y;

function decodeEscapes(query: string, from: number, to: number): string {
	// \ooo and \xhh are bytes, which only together make characters: everything is collected as bytes.
	const chunks: Uint8Array[] = [];
	let i = from;
	while (i < to) {
		const backslash = query.indexOf("\\", i);
		if (backslash === -1 || backslash >= to) {
			chunks.push(Buffer.from(query.slice(i, to)));
			break;
		}
		chunks.push(Buffer.from(query.slice(i, backslash)));
		ESCAPE.lastIndex = backslash;
		const match = ESCAPE.exec(query);
		const [whole = "\\", octal, hex, short, long, simple] = match ?? [];
		if (octal !== undefined || hex !== undefined) {
			const byte = octal === undefined ? Number.parseInt(hex ?? "", 16) : Number.parseInt(octal, 8);
			chunks.push(Uint8Array.of(byte & 0xff));
			i = backslash + whole.length;
		} else if (short !== undefined || long !== undefined || simple === "u" || simple === "U") {
			const decoded = unicodeEscape(query, backslash, short ?? long);
			chunks.push(Buffer.from(decoded.text));
			i = decoded.end;
		} else {
			chunks.push(Buffer.from(SIMPLE[simple ?? ""] ?? simple ?? ""));
			i = backslash + whole.length;
		}
	}
	return decodeUtf8(Buffer.concat(chunks));
}

/** \uXXXX and \UXXXXXXXX, with surrogate pairs. */
function unicodeEscape(
	query: string,
	at: number,
	digits: string | undefined,
): { readonly text: string; readonly end: number } {
	if (digits === undefined) {
		throw new DatabaseError("22025", "invalid Unicode escape", {
			hint: "Unicode escapes must be \\uXXXX or \\UXXXXXXXX.",
			position: characterPosition(query, at),
		});
	}
	const code = Number.parseInt(digits, 16);
	const end = at + 2 + digits.length;
	if (code === 0 || code > 0x10ffff) {
		throw invalid(query, at, "invalid Unicode escape value");
	}
	if (code >= 0xdc00 && code < 0xe000) {
		throw invalid(query, at, "invalid Unicode surrogate pair");
	}
	if (code < 0xd800 || code >= 0xe000) {
		return { text: String.fromCodePoint(code), end };
	}
	ESCAPE.lastIndex = end;
	const low = ESCAPE.exec(query);
	const lowDigits = low?.[3] ?? low?.[4];
	const lowCode = Number.parseInt(lowDigits ?? "0", 16);
	if (low === null || lowCode < 0xdc00 || lowCode >= 0xe000) {
		throw invalid(query, at, "invalid Unicode surrogate pair");
	}
	return { text: String.fromCharCode(code, lowCode), end: end + low[0].length };
}

const invalid = (query: string, at: number, message: string): DatabaseError =>
	new DatabaseError("42601", message, { position: characterPosition(query, at) });

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decodeUtf8(bytes: Uint8Array): string {
	const nul = bytes.indexOf(0);
	if (nul !== -1) {
		throw new DatabaseError("22021", 'invalid byte sequence for encoding "UTF8": 0x00');
	}
	try {
		return decoder.decode(bytes);
	} catch {
		const bad = bytes.find((byte) => byte >= 0x80) ?? 0;
		const shown = bad.toString(16).padStart(2, "0");
		throw new DatabaseError("22021", `invalid byte sequence for encoding "UTF8": 0x${shown}`);
	}
}
