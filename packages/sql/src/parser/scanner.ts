/**
 * Finds the tokens of SQL text by PostgreSQL's lexical rules (manual, chapter 4.1; scan.l). Written by hand because every
 * statement passes here, also those whose plan is cached; it allocates nothing. The grammar's own lexer (tokens.ts) is moo's and
 * reads the same language: a property test holds the two together.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { characterPosition, errorNear, syntaxError } from "./position.ts";

export const END = 0;
export const WORD = 1;
export const QUOTED = 2;
export const STRING = 3;
export const ESCAPE_STRING = 4;
export const DOLLAR_STRING = 5;
export const INTEGER = 6;
export const DECIMAL = 7;
export const PARAMETER = 8;
export const OPERATOR = 9;
/** One of `,()[].;:` or `::`, `:=`, `..`. */
export const PUNCTUATION = 10;
/** U&'...' and U&"...", with the UESCAPE behind it. */
export const UNICODE_STRING = 11;
export const UNICODE_QUOTED = 12;

const IS_SPACE = 1;
const IS_WORD_START = 2;
const IS_WORD = 4;
const IS_DIGIT = 8;
const IS_OPERATOR = 16;
/** An operator with one of these may end in + or -. */
const IS_FANCY = 32;

const CLASS = new Uint8Array(128);
const mark = (characters: string, kinds: number): void => {
	for (let i = 0; i < characters.length; i += 1) {
		const code = characters.charCodeAt(i);
		CLASS[code] = (CLASS[code] as number) | kinds;
	}
};
mark(" \t\n\r\f", IS_SPACE);
mark("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_", IS_WORD_START | IS_WORD);
mark("0123456789", IS_WORD | IS_DIGIT);
mark("$", IS_WORD);
mark("+-*/<>=", IS_OPERATOR);
mark("~!@#%^&|`?", IS_OPERATOR | IS_FANCY);

/** PostgreSQL's NAMEDATALEN - 1. */
const OPERATOR_LENGTH_MAX = 63;

const QUOTE = 39;
const DOUBLE_QUOTE = 34;
const DOLLAR = 36;
const MINUS = 45;
const PLUS = 43;
const SLASH = 47;
const STAR = 42;
const DOT = 46;
const COLON = 58;
const EQUALS = 61;
const BACKSLASH = 92;
const NEWLINE = 10;
const RETURN = 13;

export class Scanner {
	text = "";
	/** The token that `next` found: kind, first character, end. */
	kind: number = END;
	start = 0;
	end = 0;
	/** A comment lies between the previous token and this one. */
	afterComment = false;

	reset(text: string, from: number): void {
		this.text = text;
		this.end = from;
	}

	next(): number {
		this.afterComment = false;
		const text = this.text;
		let i = this.end;
		for (;;) {
			const code = text.charCodeAt(i);
			if (code < 128) {
				if (((CLASS[code] as number) & IS_SPACE) !== 0) {
					i += 1;
					continue;
				}
				if (code === MINUS && text.charCodeAt(i + 1) === MINUS) {
					i = this.#lineComment(i + 2);
					continue;
				}
				if (code === SLASH && text.charCodeAt(i + 1) === STAR) {
					i = this.#blockComment(i);
					continue;
				}
			}
			this.start = i;
			// charCodeAt gives NaN at the end.
			return Number.isNaN(code) ? this.#found(END, i) : this.#token(i, code);
		}
	}

	#found(kind: number, end: number): number {
		this.kind = kind;
		this.end = end;
		return kind;
	}

	#token(start: number, code: number): number {
		const kinds = code < 128 ? (CLASS[code] as number) : IS_WORD_START;
		if ((kinds & IS_WORD_START) !== 0) {
			return this.#word(start, code);
		}
		if ((kinds & IS_DIGIT) !== 0) {
			return this.#number(start);
		}
		if ((kinds & IS_OPERATOR) !== 0) {
			return this.#operator(start);
		}
		switch (code) {
			case QUOTE:
				return this.#string(start, start, false);
			case DOUBLE_QUOTE:
				return this.#quotedIdentifier(start, start);
			case DOLLAR:
				return this.#dollar(start);
			case DOT:
				return this.#dot(start);
			case COLON: {
				const after = this.text.charCodeAt(start + 1);
				const double = after === COLON || after === EQUALS;
				return this.#found(PUNCTUATION, start + (double ? 2 : 1));
			}
			case 44: // ,
			case 40: // (
			case 41: // )
			case 91: // [
			case 93: // ]
			case 59: // ;
				return this.#found(PUNCTUATION, start + 1);
			default:
				throw errorNear(this.text, start, start + 1, "syntax error");
		}
	}

	#lineComment(from: number): number {
		this.afterComment = true;
		let i = from;
		for (; i < this.text.length; i += 1) {
			const code = this.text.charCodeAt(i);
			if (code === NEWLINE || code === RETURN) {
				break;
			}
		}
		return i;
	}

	/** They nest. */
	#blockComment(from: number): number {
		this.afterComment = true;
		const text = this.text;
		let depth = 1;
		let i = from + 2;
		while (depth > 0) {
			const code = text.charCodeAt(i);
			if (code === STAR && text.charCodeAt(i + 1) === SLASH) {
				depth -= 1;
				i += 2;
			} else if (code === SLASH && text.charCodeAt(i + 1) === STAR) {
				depth += 1;
				i += 2;
			} else if (i >= text.length) {
				throw errorNear(text, from, text.length, "unterminated /* comment");
			} else {
				i += 1;
			}
		}
		return i;
	}

	#wordEnd(from: number): number {
		const text = this.text;
		let i = from;
		for (;;) {
			const code = text.charCodeAt(i);
			const inside = code < 128 ? ((CLASS[code] as number) & IS_WORD) !== 0 : code >= 128;
			if (!inside) {
				return i;
			}
			i += 1;
		}
	}

	#word(start: number, code: number): number {
		const text = this.text;
		const second = text.charCodeAt(start + 1);
		if (second === QUOTE) {
			const letter = code | 32;
			if (letter === 101) {
				return this.#string(start, start + 1, true);
			}
			// b'' x''
			if (letter === 98 || letter === 120) throw this.#unsupported(start);
		} else if (
			second === 38 &&
			(code | 32) === 117 &&
			(text.charCodeAt(start + 2) === QUOTE || text.charCodeAt(start + 2) === DOUBLE_QUOTE)
		) {
			return this.#unicode(start);
		}
		return this.#found(WORD, this.#wordEnd(start + 1));
	}

	#unicode(start: number): number {
		const isString = this.text.charCodeAt(start + 2) === QUOTE;
		if (isString) this.#string(start, start + 2, false);
		else this.#quotedIdentifier(start, start + 2);
		const { end } = this;
		const ahead = new Scanner();
		ahead.reset(this.text, end);
		const isEscape =
			ahead.next() === WORD && /^uescape$/i.test(this.text.slice(ahead.start, ahead.end));
		if (isEscape) {
			const kind = ahead.next();
			if (kind !== STRING && kind !== ESCAPE_STRING && kind !== DOLLAR_STRING) {
				const message = "UESCAPE must be followed by a simple string literal";
				throw kind === END
					? syntaxError(this.text, ahead.start, `${message} at end of input`)
					: errorNear(this.text, ahead.start, ahead.end, message);
			}
		}
		return this.#found(isString ? UNICODE_STRING : UNICODE_QUOTED, isEscape ? ahead.end : end);
	}

	#unsupported(start: number): DatabaseError {
		return new DatabaseError("0A000", "bit string constants are not supported", {
			position: characterPosition(this.text, start),
			hint: "Write an ordinary or an E'...' string constant.",
		});
	}

	#digits(from: number): number {
		const text = this.text;
		let i = from;
		for (;;) {
			const code = text.charCodeAt(i);
			if (!(code >= 48 && code <= 57)) {
				return i;
			}
			i += 1;
		}
	}

	#dot(start: number): number {
		const second = this.text.charCodeAt(start + 1);
		if (second >= 48 && second <= 57) {
			return this.#exponent(start, this.#digits(start + 1), DECIMAL);
		}
		return this.#found(PUNCTUATION, second === DOT ? start + 2 : start + 1);
	}

	#number(start: number): number {
		const whole = this.#digits(start);
		// 1..10 is 1, .., 10
		if (this.text.charCodeAt(whole) === DOT && this.text.charCodeAt(whole + 1) !== DOT) {
			return this.#exponent(start, this.#digits(whole + 1), DECIMAL);
		}
		return this.#exponent(start, whole, INTEGER);
	}

	#exponent(start: number, mantissaEnd: number, mantissaKind: number): number {
		const text = this.text;
		let end = mantissaEnd;
		let kind = mantissaKind;
		if ((text.charCodeAt(end) | 32) === 101) {
			const sign = text.charCodeAt(end + 1);
			const signed = sign === PLUS || sign === MINUS;
			const first = end + (signed ? 2 : 1);
			const last = this.#digits(first);
			if (last > first) {
				end = last;
				kind = DECIMAL;
			} else if (signed) {
				throw errorNear(text, start, first, "trailing junk after numeric literal");
			}
		}
		this.#noJunk(start, end, "numeric literal");
		return this.#found(kind, end);
	}

	#noJunk(start: number, end: number, what: string): void {
		const code = this.text.charCodeAt(end);
		if (code < 128 ? ((CLASS[code] as number) & IS_WORD_START) !== 0 : code >= 128) {
			throw errorNear(this.text, start, this.#wordEnd(end), `trailing junk after ${what}`);
		}
	}

	#operator(start: number): number {
		const text = this.text;
		let end = start;
		let fancy = false;
		for (;;) {
			const code = text.charCodeAt(end);
			const kinds = code < 128 ? (CLASS[code] as number) : 0;
			if ((kinds & IS_OPERATOR) === 0) {
				break;
			}
			const second = text.charCodeAt(end + 1);
			if ((code === MINUS && second === MINUS) || (code === SLASH && second === STAR)) {
				break;
			}
			fancy ||= (kinds & IS_FANCY) !== 0;
			end += 1;
		}
		if (!fancy) {
			// So that a=-1 is an equality and a minus.
			while (end > start + 1) {
				const last = text.charCodeAt(end - 1);
				if (last !== PLUS && last !== MINUS) {
					break;
				}
				end -= 1;
			}
		}
		if (end - start > OPERATOR_LENGTH_MAX) {
			throw errorNear(text, start, end, "operator too long");
		}
		return this.#found(OPERATOR, end);
	}

	#quotedIdentifier(start: number, quote: number): number {
		const text = this.text;
		let i = quote + 1;
		for (;;) {
			i = text.indexOf('"', i);
			if (i === -1) {
				throw errorNear(text, start, text.length, "unterminated quoted identifier");
			}
			if (text.charCodeAt(i + 1) !== DOUBLE_QUOTE) {
				break;
			}
			i += 2;
		}
		if (i === quote + 1) {
			throw errorNear(text, start, i + 1, "zero-length delimited identifier");
		}
		return this.#found(QUOTED, i + 1);
	}

	#string(start: number, quote: number, escapes: boolean): number {
		let end = this.#stringPart(start, quote, escapes);
		for (;;) {
			const next = this.#continuation(end);
			if (next === -1) {
				return this.#found(escapes ? ESCAPE_STRING : STRING, end);
			}
			end = this.#stringPart(start, next, escapes);
		}
	}

	/** From an opening quote to behind its closing one. */
	#stringPart(start: number, quote: number, escapes: boolean): number {
		const text = this.text;
		let i = quote + 1;
		for (;;) {
			if (escapes) {
				for (;;) {
					const code = text.charCodeAt(i);
					if (code === QUOTE || Number.isNaN(code)) {
						break;
					}
					i += code === BACKSLASH ? 2 : 1;
				}
				i = i >= text.length ? -1 : i;
			} else {
				i = text.indexOf("'", i);
			}
			if (i === -1) {
				throw errorNear(text, start, text.length, "unterminated quoted string");
			}
			if (text.charCodeAt(i + 1) !== QUOTE) {
				return i + 1;
			}
			i += 2;
		}
	}

	/** Where the next part of a string constant opens: behind white space with at least one line break. */
	#continuation(end: number): number {
		const text = this.text;
		let broken = false;
		let i = end;
		for (;;) {
			const code = text.charCodeAt(i);
			if (code === QUOTE) {
				return broken ? i : -1;
			}
			if (code === MINUS && text.charCodeAt(i + 1) === MINUS) {
				const comment = this.afterComment;
				i = this.#lineComment(i);
				this.afterComment = comment;
			} else if (code < 128 && ((CLASS[code] as number) & IS_SPACE) !== 0) {
				broken ||= code === NEWLINE || code === RETURN;
				i += 1;
			} else {
				return -1;
			}
		}
	}

	#dollar(start: number): number {
		const text = this.text;
		const second = text.charCodeAt(start + 1);
		if (second >= 48 && second <= 57) {
			const end = this.#digits(start + 1);
			this.#noJunk(start, end, "parameter");
			return this.#found(PARAMETER, end);
		}
		let i = start + 1;
		while (text.charCodeAt(i) !== DOLLAR) {
			const code = text.charCodeAt(i);
			const inTag = code < 128 ? ((CLASS[code] as number) & IS_WORD) !== 0 : code >= 128;
			if (!inTag) {
				throw errorNear(text, start, start + 1, "syntax error");
			}
			i += 1;
		}
		const tag = text.slice(start, i + 1);
		const close = text.indexOf(tag, i + 1);
		if (close === -1) {
			throw errorNear(text, start, text.length, "unterminated dollar-quoted string");
		}
		return this.#found(DOLLAR_STRING, close + tag.length);
	}
}
