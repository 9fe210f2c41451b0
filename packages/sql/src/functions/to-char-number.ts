/**
 * to_char of numbers: 9 0 . , D G PR S MI PL SG L B FM TH V EEEE RN, after NUM_processor. The locale is C: D is a point, G and
 * L print as blanks or nothing, as PostgreSQL does there.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { formatFloat8 } from "../types/float-types.ts";
import {
	formatNumeric,
	isFiniteNumeric,
	type Numeric,
	numeric,
	numericFromBigint,
	numericFromNumber,
	numericSign,
	parseNumeric,
	powerOfTen,
} from "../types/numeric.ts";
import { absolute, multiply, round } from "../types/numeric-arithmetic.ts";
import type { ScalarFunction } from "../types/registry.ts";
import { likeStable, pure } from "./definition.ts";
import { ordinal, unquoted } from "./to-char-date.ts";

export interface Picture {
	/** One entry a character of output: a digit position (9 or 0), or something else. */
	readonly tokens: readonly string[];
	readonly before: number;
	readonly after: number;
	/** Nines behind V: the value is multiplied by 10 to their number. */
	readonly multiply: number;
	readonly fill: boolean;
	readonly flags: ReadonlySet<string>;
	readonly zeroFrom: number;
}

const tokenPattern =
	/FM|TH|th|PR|MI|PL|SG|SP|EEEE|RN|rn|[90.,DGSLBCV]|"(?:[^"\\]|\\[\s\S])*\\?"?|\\"|[\s\S]/giu;

export function pictureOf(pattern: string): Picture {
	const tokens: string[] = [];
	const flags = new Set<string>();
	let [before, after, multiplied] = [0, 0, 0];
	let place: "before" | "after" | "multiply" = "before";
	let zeroFrom = -1;
	for (const raw of pattern.match(tokenPattern) ?? []) {
		const token = /^(?:th|rn)$/.test(raw) ? raw : raw.toUpperCase();
		refuseTogether(token, flags);
		switch (token) {
			case "9":
			case "0":
				if (token === "0" && zeroFrom < 0 && place !== "after") zeroFrom = before;
				if (place === "after") after++;
				else if (place === "multiply" && token === "9") multiplied++;
				else before++;
				tokens.push(token);
				break;
			case ".":
			case "D":
				flags.add(".");
				place = "after";
				tokens.push(".");
				break;
			case "V":
				flags.add("V");
				place = "multiply";
				break;
			// Neither has an effect.
			case "SP":
			case "B":
				break;
			case "FM":
			case "C":
			case "EEEE":
			case "PR":
			case "RN":
			case "rn":
				flags.add(token);
				if (token === "RN" || token === "rn") {
					flags.add("RN");
				}
				break;
			case "S":
				flags.add("S");
				tokens.push(before + after + multiplied === 0 ? "S<" : "S>");
				break;
			case "MI":
			case "PL":
			case "SG":
				flags.add(token);
				tokens.push(token);
				break;
			case ",":
			case "G":
			case "L":
			case "TH":
			case "th":
				tokens.push(token);
				break;
			default:
				// A backslash is one, but for that before a double quote.
				tokens.push(`"${raw.startsWith('"') ? unquoted(raw) : raw === '\\"' ? '"' : raw}`);
		}
	}
	return {
		tokens,
		before: before + multiplied,
		after,
		multiply: multiplied,
		fill: !flags.has("FM"),
		flags,
		zeroFrom,
	};
}

const signs = ["PL", "MI", "SG"];
/** What may stand with EEEE. */
const plainParts = new Set([".", "EEEE"]);

/** As NUMDesc_prepare: `flags` are of what stands before it. Throws 42601. */
function refuseTogether(token: string, flags: ReadonlySet<string>): void {
	const has = (...names: readonly string[]): boolean => names.some((name) => flags.has(name));
	const refused = (message: string, detail?: string): DatabaseError =>
		new DatabaseError("42601", message, detail === undefined ? {} : { detail });
	if (has("EEEE") && token !== "EEEE") throw refused('"EEEE" must be the last pattern used');
	switch (token) {
		case "9":
		case "0":
			if (has("PR")) throw refused(`"${token}" must be ahead of "PR"`);
			return;
		case ".":
		case "D":
			if (has(".")) throw refused("multiple decimal points");
			if (has("V")) throw refused('cannot use "V" and decimal point together');
			return;
		case "V":
			if (has(".")) throw refused('cannot use "V" and decimal point together');
			return;
		case "S":
			if (has("S")) throw refused('cannot use "S" twice');
			if (has("PR", ...signs)) {
				throw refused('cannot use "S" and "PL"/"MI"/"SG"/"PR" together');
			}
			return;
		case "MI":
		case "PL":
		case "SG":
			if (has("S")) throw refused(`cannot use "S" and "${token}" together`);
			return;
		case "PR":
			if (has("S", ...signs)) throw refused('cannot use "PR" and "S"/"PL"/"MI"/"SG" together');
			return;
		case "EEEE":
			if (has("EEEE")) throw refused('cannot use "EEEE" twice');
			if ([...flags].some((flag) => !plainParts.has(flag))) {
				throw refused(
					'"EEEE" is incompatible with other formats',
					'"EEEE" may only be used together with digit and decimal point patterns.',
				);
			}
			return;
		default:
			return;
	}
}

function toRoman(value: number, fill: boolean): string {
	if (value < 1 || value > 3999) {
		return "#".repeat(15);
	}
	const table: readonly (readonly [number, string])[] = [
		[1000, "M"],
		[900, "CM"],
		[500, "D"],
		[400, "CD"],
		[100, "C"],
		[90, "XC"],
		[50, "L"],
		[40, "XL"],
		[10, "X"],
		[9, "IX"],
		[5, "V"],
		[4, "IV"],
		[1, "I"],
	];
	let rest = value;
	let out = "";
	for (const [size, digits] of table) {
		while (rest >= size) {
			out += digits;
			rest -= size;
		}
	}
	return fill ? out.padStart(15) : out;
}

function scientific(value: Numeric, picture: Picture): string {
	const text = formatNumeric(absolute(value)).replace(/^0+\.?0*|\./g, "");
	const digits = text === "" ? "0" : text;
	const plain = formatNumeric(absolute(value));
	const whole = plain.split(".")[0] as string;
	const exponent =
		digits === "0"
			? 0
			: whole !== "0"
				? whole.length - 1
				: -((/^0\.(0*)/.exec(plain)?.[1] ?? "").length + 1);
	const mantissa = parseNumeric(`${digits[0]}.${digits.slice(1) || "0"}`);
	let rounded = round(mantissa, picture.after);
	let power = exponent;
	if (formatNumeric(rounded).startsWith("10")) {
		rounded = round(parseNumeric("1"), picture.after);
		power++;
	}
	const sign = numericSign(value) < 0 ? "-" : picture.fill ? " " : "";
	const size = String(Math.abs(power)).padStart(2, "0");
	return `${sign}${formatNumeric(rounded)}e${power < 0 ? "-" : "+"}${size}`;
}

export function formatNumber(value: Numeric, pattern: string, isNegative?: boolean): string {
	if (pattern === "") return "";
	const picture = pictureOf(pattern);
	if (picture.flags.has("RN")) {
		const roman = toRoman(Number(round(value, 0).unscaled), picture.fill);
		return picture.flags.has("rn") ? roman.toLowerCase() : roman;
	}
	if (picture.flags.has("EEEE")) {
		return scientific(value, picture);
	}
	const scaled =
		picture.multiply > 0 ? multiply(value, numeric(powerOfTen(picture.multiply), 0)) : value;
	const shown = round(scaled, picture.after);
	return layOut(shown, picture, isNegative ?? numericSign(shown) < 0);
}

/** What a picture shows of a value. */
interface Digits {
	readonly negative: boolean;
	/** Digit positions before the first of `whole`. */
	readonly leading: number;
	readonly whole: string;
	readonly fraction: string;
	/** Too many digits before the point: # everywhere. */
	readonly overflow: boolean;
	/** NaN, Infinity: as they are, without a fraction. */
	readonly special: boolean;
}

function layOut(value: Numeric, picture: Picture, negative: boolean): string {
	const special = !isFiniteNumeric(value);
	const [whole = "", fraction = ""] = formatNumeric(absolute(value)).split(".");
	const shown = whole === "0" && picture.before > 0 ? "" : whole;
	// A picture without places before the point has none for the zero there either.
	const hasRoom =
		whole === "0" ? picture.before > 0 || picture.after === 0 : whole.length <= picture.before;
	const overflow = !hasRoom;
	const digits: Digits = {
		negative,
		leading: overflow ? 0 : picture.before - shown.length,
		whole: shown,
		fraction,
		overflow,
		special,
	};
	return new Writer(picture, digits).write();
}

/** Digits into the picture, from left to right; the sign stands before the first digit that shows. */
class Writer {
	readonly #picture: Picture;
	readonly #digits: Digits;
	#out = "";
	#position = 0;
	#afterPoint = false;
	#fractionAt = 0;
	#signPending: boolean;
	readonly #fractionEnd: number;

	constructor(picture: Picture, digits: Digits) {
		this.#picture = picture;
		this.#digits = digits;
		const { flags } = picture;
		this.#signPending = !(flags.has("S") || flags.has("MI") || flags.has("SG"));
		this.#fractionEnd = picture.fill ? picture.after : lastShown(picture, digits.fraction);
	}

	write(): string {
		for (const token of this.#picture.tokens) {
			this.#token(token);
		}
		if (this.#picture.before + this.#picture.after > 0) this.#sign();
		if (this.#picture.flags.has("PR")) {
			this.#out += this.#digits.negative ? ">" : this.#picture.fill ? " " : "";
		}
		return this.#out;
	}

	#token(token: string): void {
		switch (token) {
			case "9":
			case "0":
				this.#digit(token);
				return;
			case ".":
				this.#sign();
				this.#afterPoint = true;
				this.#out += this.#digits.special && !this.#digits.overflow ? "" : ".";
				return;
			case ",":
				this.#comma();
				return;
			case "G":
				this.#comma();
				return;
			case "S<":
			case "S>":
				if (token === "S>") {
					this.#out += this.#digits.negative ? "-" : "+";
				} else {
					this.#signPending = true;
				}
				return;
			case "MI":
				this.#out += this.#digits.negative ? "-" : this.#picture.fill ? " " : "";
				return;
			case "PL":
				this.#out += this.#digits.negative ? (this.#picture.fill ? " " : "") : "+";
				return;
			case "SG":
				this.#out += this.#digits.negative ? "-" : "+";
				return;
			case "L":
				this.#out += this.#picture.fill ? " " : "";
				return;
			case "TH":
			case "th": {
				if (!this.#digits.negative && !this.#digits.overflow && !this.#picture.flags.has(".")) {
					const ending = ordinal(Number(this.#digits.whole.slice(-2) || "0"));
					this.#out += token === "TH" ? ending.toUpperCase() : ending;
				}
				return;
			}
			default:
				this.#out += token.slice(1);
		}
	}

	#shows(position: number): boolean {
		const { zeroFrom } = this.#picture;
		return position >= this.#digits.leading || (zeroFrom >= 0 && position >= zeroFrom);
	}

	#digit(token: string): void {
		if (this.#digits.overflow) {
			this.#sign();
			this.#out += "#";
			this.#position++;
			return;
		}
		if (this.#afterPoint) {
			const index = this.#fractionAt++;
			if (index < this.#fractionEnd && !this.#digits.special) {
				this.#out += this.#digits.fraction[index] ?? "0";
			}
			return;
		}
		const position = this.#position++;
		if (!this.#shows(position)) {
			const last = position === this.#picture.before - 1;
			// A lone 9 shows the zero of 0 itself, but not of 0.5; with FM also where no decimals are left.
			const alone =
				!this.#picture.flags.has(".") || (!this.#picture.fill && this.#fractionEnd === 0);
			if (last && token === "9" && alone) {
				this.#sign();
				this.#out += "0";
				return;
			}
			this.#out += this.#picture.fill ? " " : "";
			return;
		}
		this.#sign();
		this.#out +=
			position < this.#digits.leading
				? "0"
				: (this.#digits.whole[position - this.#digits.leading] ?? "0");
	}

	#comma(): void {
		if (this.#position > 0 && (this.#digits.overflow || this.#shows(this.#position - 1))) {
			this.#out += ",";
		} else if (this.#picture.fill) {
			this.#out += " ";
		}
	}

	#sign(): void {
		if (!this.#signPending) {
			return;
		}
		this.#signPending = false;
		const { flags, fill } = this.#picture;
		if (flags.has("PR")) {
			this.#out += this.#digits.negative ? "<" : fill ? " " : "";
		} else if (flags.has("S")) {
			this.#out += this.#digits.negative ? "-" : "+";
		} else {
			this.#out += this.#digits.negative ? "-" : fill ? " " : "";
		}
	}
}

/** With FM: digits of the fraction up to the last that is not an optional zero. */
function lastShown(picture: Picture, fraction: string): number {
	const places = picture.tokens
		.slice(picture.tokens.indexOf(".") + 1)
		.filter((t) => t === "9" || t === "0");
	let end = picture.after;
	while (end > 0 && places[end - 1] === "9" && (fraction[end - 1] ?? "0") === "0") {
		end--;
	}
	return end;
}

/** Also a zero has a sign, and what is rounded to zero. */
const ofFloat = (value: number, pattern: string): string =>
	formatNumber(parseNumeric(formatFloat8(value, 0)), pattern, value < 0 || Object.is(value, -0));

const pictured: readonly ScalarFunction[] = [
	pure("to_char(int4, text) -> text", (v: number, p: string) =>
		formatNumber(numericFromNumber(v), p),
	),
	pure("to_char(int8, text) -> text", (v: bigint, p: string) =>
		formatNumber(numericFromBigint(v), p),
	),
	pure("to_char(numeric, text) -> text", (v: Numeric, p: string) => formatNumber(v, p)),
	pure("to_char(float4, text) -> text", ofFloat),
	pure("to_char(float8, text) -> text", ofFloat),
];

export const numberToChar: readonly ScalarFunction[] = pictured.map(likeStable);
