/**
 * to_number: NUM_processor of PostgreSQL's formatting.c, reading. The picture of to_char leads through the text: a digit position takes a
 * digit, a sign or the point if one is there, whatever else it finds is passed by. The locale is C.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import {
	formatNumeric,
	type Numeric,
	numeric,
	numericFromNumber,
	parseNumeric,
} from "../types/numeric.ts";
import { absolute, multiply, round } from "../types/numeric-arithmetic.ts";
import type { ScalarFunction } from "../types/registry.ts";
import { pure } from "./definition.ts";
import { power } from "./numeric-transcendental.ts";
import { type Picture, pictureOf } from "./to-char-number.ts";

/** What is passed by to where a sign or a currency symbol may stand ends before one of these. */
const data = new Set("0123456789.,+-");

const isDigit = (character: string | undefined): boolean =>
	character !== undefined && character >= "0" && character <= "9";

class NumberReader {
	readonly #picture: Picture;
	readonly #text: readonly string[];
	readonly #hasSign: boolean;
	#at = 0;
	#sign = " ";
	#digits = "";
	#pre = 0;
	#post = 0;
	#hasPoint = false;

	constructor(picture: Picture, text: string) {
		this.#picture = picture;
		this.#text = [...text];
		this.#hasSign = picture.flags.has("S");
	}

	/** As numeric_in takes it, and how many digits stand behind the point. */
	read(): { readonly text: string; readonly scale: number } {
		for (const token of this.#picture.tokens) {
			if (this.#isAtEnd) break;
			if (this.#token(token)) this.#at++;
		}
		return { text: this.#sign + this.#digits.replace(/\.$/, ""), scale: this.#post };
	}

	get #isAtEnd(): boolean {
		return this.#at >= this.#text.length;
	}

	get #next(): string | undefined {
		return this.#text[this.#at];
	}

	/** Whether a character was taken, and is still to be stepped over. */
	#token(token: string): boolean {
		const isOpen = this.#digits === "" && !this.#picture.fill;
		switch (token) {
			case "9":
			case "0":
				this.#place(true);
				return true;
			case ".":
				this.#place(false);
				return true;
			case ",":
			case "G":
				return !isOpen && this.#next === ",";
			case "L":
				this.#pass(1);
				return false;
			case "TH":
			case "th":
				if (this.#sign !== "-" && !this.#picture.flags.has(".")) this.#pass(2);
				return false;
			case "MI":
				return this.#signOf("-");
			case "PL":
				return this.#signOf("+");
			case "SG":
				return this.#signOf("+-");
			case "S<":
			case "S>":
				return false;
			default:
				// One character of the text for each of the picture, whatever it is.
				this.#at += [...token].length - 1;
				return false;
		}
	}

	#signOf(signs: string): boolean {
		const next = this.#next!;
		if (signs.includes(next)) {
			this.#sign = next;
			return true;
		}
		this.#pass(1);
		return false;
	}

	#pass(count: number): void {
		for (let n = 0; n < count && !this.#isAtEnd && !data.has(this.#next!); n++) this.#at++;
	}

	#place(isDigitPlace: boolean): void {
		if (this.#next === " ") this.#at++;
		if (this.#isAtEnd) return;
		const isFirst = this.#pre + this.#post === 0;
		if (this.#sign === " " && isDigitPlace && isFirst) this.#leadingSign();
		if (this.#isAtEnd) return;
		const isRead = this.#digitOrPoint();
		if (isRead === "full" || this.#isAtEnd) return;
		if (this.#sign === " " && this.#pre + this.#post > 0) this.#trailingSign(isRead === "read");
	}

	#leadingSign(): void {
		const next = this.#next!;
		const isBracket = this.#picture.flags.has("PR") && next === "<";
		if (next === "-" || isBracket) this.#sign = "-";
		else if (next === "+") this.#sign = "+";
		else return;
		this.#at++;
	}

	/** "full": all digits behind the point have been read. */
	#digitOrPoint(): "read" | "nothing" | "full" {
		const { flags, after } = this.#picture;
		const next = this.#next!;
		if (isDigit(next)) {
			if (this.#hasPoint && this.#post === after) return "full";
			this.#digits += next;
			if (this.#hasPoint) this.#post++;
			else this.#pre++;
			return "read";
		}
		if (!flags.has(".") || this.#hasPoint || next !== ".") return "nothing";
		this.#digits += ".";
		this.#hasPoint = true;
		return "read";
	}

	/** It stands right behind the last digit, or where the picture does not say. */
	#trailingSign(isRead: boolean): void {
		const { flags } = this.#picture;
		if (this.#hasSign) {
			const next = this.#text[this.#at + 1];
			if (!isRead || (next !== "-" && next !== "+")) return;
			this.#sign = next;
			this.#at++;
		} else if (!isRead && ["PL", "MI", "SG"].some((sign) => flags.has(sign))) {
			const next = this.#next!;
			if (next === "-" || next === "+") this.#sign = next;
		}
	}
}

/** How many there are before the point. */
function numericDigits(value: Numeric): number {
	const [whole = ""] = formatNumeric(absolute(value)).split(".");
	return whole === "0" ? 0 : whole.length;
}

function toNumber(text: string, pattern: string): Numeric | null {
	if (pattern === "") return null;
	const picture = pictureOf(pattern);
	for (const flag of ["EEEE", "RN"]) {
		if (!picture.flags.has(flag)) continue;
		throw new DatabaseError("0A000", `"${flag}" not supported for input`);
	}
	const read = new NumberReader(picture, text).read();
	const value = round(parseNumeric(read.text), read.scale);
	const { before } = picture;
	if (numericDigits(value) > before) {
		throw new DatabaseError("22003", "numeric field overflow", {
			detail: `A field with precision ${before + read.scale}, scale ${read.scale} must round to an absolute value less than ${before === 0 ? "1" : `10^${before}`}.`,
		});
	}
	if (!picture.flags.has("V")) return value;
	return multiply(value, power(numeric(10n, 0), numericFromNumber(-picture.multiply)));
}

export const toNumberFunctions: readonly ScalarFunction[] = [
	pure("to_number(text, text) -> numeric", toNumber, "stable"),
];
