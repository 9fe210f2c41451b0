/** Exact decimal numbers with a display scale: a bigint of units of 10^-scale. */
import { assert } from "@quorate/keys/assert";
import { DatabaseError } from "@quorate/keys/database-error";
import { invalidText } from "./errors.ts";
import { bitLength } from "./fixed-point.ts";

export interface Numeric {
	readonly kind: "numeric";
	/** The value times 10^scale; 0n for the special values. */
	readonly unscaled: bigint;
	/** Digits after the point, as shown: 0 to 16383. */
	readonly scale: number;
	/** In the order of comparison. */
	readonly special: typeof negativeInfinite | typeof finite | typeof infinite | typeof notANumber;
}

const negativeInfinite = -1;
const finite = 0;
const infinite = 1;
const notANumber = 2;

/** Limits of PostgreSQL's numeric: digits before the point, digits after it. */
export const digitsMax = 131072;
export const scaleMax = 16383;

export function numeric(unscaled: bigint, scale: number): Numeric {
	return { kind: "numeric", unscaled, scale, special: finite };
}

export const numericNaN: Numeric = { kind: "numeric", unscaled: 0n, scale: 0, special: notANumber };
export const numericInfinity: Numeric = {
	kind: "numeric",
	unscaled: 0n,
	scale: 0,
	special: infinite,
};
export const numericNegativeInfinity: Numeric = {
	kind: "numeric",
	unscaled: 0n,
	scale: 0,
	special: negativeInfinite,
};
export const numericZero = numeric(0n, 0);
export const numericOne = numeric(1n, 0);

export const isNaNumeric = (n: Numeric): boolean => n.special === notANumber;
/** Neither NaN nor infinite. */
export const isFiniteNumeric = (n: Numeric): boolean => n.special === finite;

const powers: bigint[] = [1n];
/** 10^exponent, cached where it is small. */
export function powerOfTen(exponent: number): bigint {
	assert(exponent >= 0, () => `10 to the power of ${exponent} is no integer`);
	if (exponent > 400) {
		return 10n ** BigInt(exponent);
	}
	for (let i = powers.length; i <= exponent; i++) {
		powers.push((powers[i - 1] as bigint) * 10n);
	}
	return powers[exponent] as bigint;
}

/** Digits of |n|; 0 has one. */
export function digitCount(n: bigint): number {
	const text = n.toString();
	return n < 0n ? text.length - 1 : text.length;
}

export function overflow(): DatabaseError {
	return new DatabaseError("22003", "value overflows numeric format");
}

/** Refuses what PostgreSQL's format cannot hold; rounds what has too many digits after the point. */
export function checked(unscaled: bigint, scale: number): Numeric {
	if (scale > scaleMax) {
		return checked(divideRounded(unscaled, powerOfTen(scale - scaleMax)), scaleMax);
	}
	// A cheap bound first: counting digits is a conversion.
	if (unscaled > quickLimit || unscaled < -quickLimit) {
		if (
			bitLength(unscaled) * log10Of2 - scale > digitsMax - 2 &&
			digitCount(unscaled) - scale > digitsMax
		) {
			throw overflow();
		}
	}
	return numeric(unscaled, scale);
}
const quickLimit = 10n ** 100n;
const log10Of2 = Math.log10(2);

/** Half away from zero. `divisor` is positive. */
export function divideRounded(dividend: bigint, divisor: bigint): bigint {
	const quotient = dividend / divisor;
	const rest = dividend - quotient * divisor;
	const twice = rest < 0n ? -rest * 2n : rest * 2n;
	if (twice < divisor) {
		return quotient;
	}
	return dividend < 0n ? quotient - 1n : quotient + 1n;
}

const pattern =
	/^[ \t\n\v\f\r]*([+-]?)(?:(\d+)(?:\.(\d*))?|\.(\d+))(?:[eE]([+-]?\d+))?[ \t\n\v\f\r]*$/;
/** Many numbers are small, and each made anew is two objects. */
const small = Array.from({ length: 1024 }, (_, n) => numeric(BigInt(n), 0));

/** Up to 15 characters, plain digits with at most one point inside; undefined for everything else. */
function quickDecimal(text: string): Numeric | undefined {
	const length = text.length;
	const start = text.charCodeAt(0) === 0x2d ? 1 : 0;
	let value = 0;
	let point = -1;
	if (length > 15 || length === start) {
		return undefined;
	}
	for (let i = start; i < length; i++) {
		const digit = text.charCodeAt(i) - 0x30;
		if (digit >= 0 && digit <= 9) {
			value = value * 10 + digit;
		} else if (digit === -2 && point < 0 && i > start && i < length - 1) {
			point = i;
		} else {
			return undefined;
		}
	}
	if (start === 0 && point < 0 && value < small.length) return small[value]!;
	const unscaled = BigInt(start === 1 ? 0 - value : value);
	return numeric(unscaled, point < 0 ? 0 : length - point - 1);
}

export function parseNumeric(text: string): Numeric {
	const quick = quickDecimal(text);
	if (quick !== undefined) {
		return quick;
	}
	const match = pattern.exec(text);
	if (match === null) {
		return parseSpecial(text);
	}
	const whole = match[2] ?? "";
	const fraction = match[3] ?? match[4] ?? "";
	const exponent = match[5] === undefined ? 0 : Number(match[5]);
	if (Math.abs(exponent) > 0x3fff_ffff) {
		throw overflow();
	}
	return fromDigits(match[1] === "-", whole + fraction, fraction.length, exponent);
}

function fromDigits(
	negative: boolean,
	digits: string,
	fraction: number,
	exponent: number,
): Numeric {
	const scale = fraction - exponent;
	if (scale > scaleMax) {
		throw overflow();
	}
	const significant = digits.replace(/^0+/, "");
	if (significant === "") {
		return numeric(0n, Math.max(scale, 0));
	}
	if (significant.length - scale > digitsMax) {
		throw overflow();
	}
	const magnitude = BigInt(significant);
	const unscaled = negative ? -magnitude : magnitude;
	return scale < 0 ? numeric(unscaled * powerOfTen(-scale), 0) : numeric(unscaled, scale);
}

function parseSpecial(text: string): Numeric {
	switch (text.trim().toLowerCase()) {
		case "nan":
			return numericNaN;
		case "infinity":
		case "inf":
		case "+infinity":
		case "+inf":
			return numericInfinity;
		case "-infinity":
		case "-inf":
			return numericNegativeInfinity;
		default:
			throw invalidText("numeric", text);
	}
}

export function formatNumeric(n: Numeric): string {
	if (n.special !== finite) {
		return n.special === notANumber ? "NaN" : n.special === infinite ? "Infinity" : "-Infinity";
	}
	if (n.scale === 0) {
		return n.unscaled.toString();
	}
	const negative = n.unscaled < 0n;
	const digits = (negative ? -n.unscaled : n.unscaled).toString().padStart(n.scale + 1, "0");
	const point = digits.length - n.scale;
	return `${negative ? "-" : ""}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** NaN is equal to itself and above everything. */
export function compareNumeric(a: Numeric, b: Numeric): number {
	if (a.special !== finite || b.special !== finite) {
		return a.special - b.special;
	}
	let left = a.unscaled;
	let right = b.unscaled;
	if (a.scale < b.scale) {
		left *= powerOfTen(b.scale - a.scale);
	} else if (a.scale > b.scale) {
		right *= powerOfTen(a.scale - b.scale);
	}
	return left < right ? -1 : left > right ? 1 : 0;
}

/** -1, 0, 1; NaN counts as 1. */
export function numericSign(n: Numeric): number {
	if (n.special !== finite) {
		return n.special < 0 ? -1 : 1;
	}
	return n.unscaled < 0n ? -1 : n.unscaled > 0n ? 1 : 0;
}

/** A safe integer. */
export function numericFromNumber(value: number): Numeric {
	return numeric(BigInt(value), 0);
}

export const numericFromBigint = (value: bigint): Numeric => numeric(value, 0);

/** As float8_numeric and float4_numeric: 15 or 6 significant digits. */
export function numericFromFloat(value: number, significantDigits: number): Numeric {
	if (Number.isFinite(value)) {
		return parseNumeric(trimmedPrecision(value, significantDigits));
	}
	return Number.isNaN(value) ? numericNaN : value > 0 ? numericInfinity : numericNegativeInfinity;
}

/** As C's %.*g: trailing zeros go. */
function trimmedPrecision(value: number, digits: number): string {
	const [mantissa, exponent] = value.toExponential(digits - 1).split("e") as [string, string];
	return `${mantissa.includes(".") ? mantissa.replace(/\.?0+$/, "") : mantissa}e${exponent}`;
}

export function numericToFloat(n: Numeric): number {
	return Number(formatNumeric(n));
}

/** Rounded half away from zero; undefined for NaN and infinities. */
export function numericToBigint(n: Numeric): bigint | undefined {
	if (n.special !== finite) {
		return undefined;
	}
	return n.scale === 0 ? n.unscaled : divideRounded(n.unscaled, powerOfTen(n.scale));
}
