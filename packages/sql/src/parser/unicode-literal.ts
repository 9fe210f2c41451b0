/** U&'...' and U&"...": constants and identifiers with escapes of four or six digits (PostgreSQL's str_udeescape). */
import { DatabaseError } from "@quorate/keys/database-error";
import { characterPosition, errorNear } from "./position.ts";
import { ESCAPE_STRING, Scanner, STRING } from "./scanner.ts";
import {
	dollarStringValue,
	escapeStringValue,
	plainStringValue,
	truncateIdentifier,
} from "./string-literal.ts";

/** Of the token that the scanner has found there. Throws 42601. */
export function unicodeValue(text: string, start: number, end: number): string {
	const scanner = new Scanner();
	scanner.reset(text, start + 2);
	const isString = scanner.next() === STRING;
	const written = isString
		? plainStringValue(text, scanner.start, scanner.end)
		: text.slice(scanner.start + 1, scanner.end - 1).replaceAll('""', '"');
	const mark = scanner.end === end ? "\\" : escapeCharacter(scanner);
	const value = decoded(text, start + 3, written, mark);
	return isString ? value : truncateIdentifier(value);
}

/** The scanner stands before UESCAPE. */
function escapeCharacter(scanner: Scanner): string {
	scanner.next();
	const kind = scanner.next();
	const { text, start, end } = scanner;
	const read =
		kind === STRING
			? plainStringValue
			: kind === ESCAPE_STRING
				? escapeStringValue
				: dollarStringValue;
	const character = read(text, start, end);
	if (/^[^0-9a-fA-F+'"\s\u0080-\uffff]$/.test(character)) return character;
	throw errorNear(text, start, end, "invalid Unicode escape character");
}

/** `at`: where the first character stands, for errors. `mark`: what begins an escape. */
function decoded(query: string, at: number, written: string, mark: string): string {
	const wrong = (message: string, i: number, hint?: string): DatabaseError =>
		new DatabaseError("42601", message, {
			...(hint === undefined ? {} : { hint }),
			position: characterPosition(query, at + i),
		});
	let value = "";
	/** The first half of a pair. */
	let high = 0;
	let i = 0;
	while (i < written.length) {
		const isEscape = written[i] === mark && written[i + 1] !== mark;
		const digits = isEscape ? escapedDigits(written, i + 1) : undefined;
		if (isEscape && digits === undefined) {
			const hint = "Unicode escapes must be \\XXXX or \\+XXXXXX.";
			throw wrong("invalid Unicode escape", i, hint);
		}
		const code = digits === undefined ? -1 : Number.parseInt(digits, 16);
		if (code === 0 || code > 0x10ffff) throw wrong("invalid Unicode escape value", i);
		const isLow = code >= 0xdc00 && code < 0xe000;
		if ((high !== 0) !== isLow) throw wrong("invalid Unicode surrogate pair", i);
		if (digits === undefined) {
			value += written[i];
			i += written[i] === mark ? 2 : 1;
			continue;
		}
		const isHigh = code >= 0xd800 && code < 0xdc00;
		if (isLow) value += String.fromCharCode(high, code);
		else if (!isHigh) value += String.fromCodePoint(code);
		high = isHigh ? code : 0;
		i += digits.length === 4 ? 5 : 8;
	}
	if (high !== 0) throw wrong("invalid Unicode surrogate pair", i);
	return value;
}

/** Behind the escape character. */
const escapedDigits = (written: string, from: number): string | undefined =>
	/^(?:\+([0-9a-fA-F]{6})|([0-9a-fA-F]{4}))/
		.exec(written.slice(from, from + 7))
		?.slice(1)
		.find((digits) => digits !== undefined);
