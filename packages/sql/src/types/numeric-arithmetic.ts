/**
 * Arithmetic of numerics. Scales of results follow PostgreSQL's numeric.c: sums keep the larger scale, products the sum of
 * both, quotients at least 16 significant digits (`select_div_scale`, which counts in digits of base 10000).
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { divisionByZero } from "./errors.ts";
import {
	checked,
	compareNumeric,
	digitsMax,
	divideRounded,
	isNaNumeric,
	type Numeric,
	numeric,
	numericInfinity,
	numericNaN,
	numericNegativeInfinity,
	numericSign,
	numericZero,
	powerOfTen,
	scaleMax,
} from "./numeric.ts";

/** Digits that PostgreSQL packs into one: its scale rules count in these. */
const groupDigits = 4;
const significantDigitsMin = 16;
const displayScaleMax = 1000;

const infinity = (sign: number): Numeric => (sign < 0 ? numericNegativeInfinity : numericInfinity);

export function add(a: Numeric, b: Numeric): Numeric {
	if (a.special !== 0 || b.special !== 0) {
		return addSpecial(a, b);
	}
	if (a.scale === b.scale) {
		return checked(a.unscaled + b.unscaled, a.scale);
	}
	return a.scale > b.scale
		? checked(a.unscaled + b.unscaled * powerOfTen(a.scale - b.scale), a.scale)
		: checked(a.unscaled * powerOfTen(b.scale - a.scale) + b.unscaled, b.scale);
}

function addSpecial(a: Numeric, b: Numeric): Numeric {
	if (isNaNumeric(a) || isNaNumeric(b) || a.special === -b.special) {
		return numericNaN;
	}
	return a.special !== 0 ? a : b;
}

export function negate(n: Numeric): Numeric {
	if (n.special !== 0) {
		return isNaNumeric(n) ? n : infinity(-n.special);
	}
	return numeric(-n.unscaled, n.scale);
}

export const subtract = (a: Numeric, b: Numeric): Numeric => add(a, negate(b));

export const absolute = (n: Numeric): Numeric => (numericSign(n) < 0 ? negate(n) : n);

export function multiply(a: Numeric, b: Numeric): Numeric {
	if (a.special !== 0 || b.special !== 0) {
		const sign = numericSign(a) * numericSign(b);
		return isNaNumeric(a) || isNaNumeric(b) || sign === 0 ? numericNaN : infinity(sign);
	}
	return checked(a.unscaled * b.unscaled, a.scale + b.scale);
}

/** Weight and first digit in base 10000. Zero has weight 0 and digit 0. */
export function leadingGroup(n: Numeric): { weight: number; digit: number } {
	if (n.unscaled === 0n) {
		return { weight: 0, digit: 0 };
	}
	const digits = (n.unscaled < 0n ? -n.unscaled : n.unscaled).toString();
	const exponent = digits.length - n.scale - 1;
	const weight = Math.floor(exponent / groupDigits);
	const length = exponent - weight * groupDigits + 1;
	return { weight, digit: Number(digits.slice(0, length).padEnd(length, "0")) };
}

export function divisionScale(a: Numeric, b: Numeric): number {
	const left = leadingGroup(a);
	const right = leadingGroup(b);
	const weight = left.weight - right.weight - (left.digit <= right.digit ? 1 : 0);
	const scale = Math.max(significantDigitsMin - weight * groupDigits, a.scale, b.scale, 0);
	return Math.min(scale, displayScaleMax);
}

/** a / b at `scale`, rounded half away from zero or truncated. Both finite, b not zero. */
export function divideAt(a: Numeric, b: Numeric, scale: number, rounded: boolean): Numeric {
	const shift = scale + b.scale - a.scale;
	let dividend = shift >= 0 ? a.unscaled * powerOfTen(shift) : a.unscaled;
	let divisor = shift >= 0 ? b.unscaled : b.unscaled * powerOfTen(-shift);
	if (divisor < 0n) {
		dividend = -dividend;
		divisor = -divisor;
	}
	return checked(rounded ? divideRounded(dividend, divisor) : dividend / divisor, scale);
}

export function divide(a: Numeric, b: Numeric): Numeric {
	if (isNaNumeric(a) || isNaNumeric(b)) {
		return numericNaN;
	}
	if (a.special !== 0) {
		if (b.special !== 0) {
			return numericNaN;
		}
		if (b.unscaled === 0n) {
			throw divisionByZero();
		}
		return infinity(a.special * numericSign(b));
	}
	if (b.special !== 0) {
		return numericZero;
	}
	if (b.unscaled === 0n) {
		throw divisionByZero();
	}
	return divideAt(a, b, divisionScale(a, b), true);
}

/** The remainder has the sign of the dividend. */
export function modulo(a: Numeric, b: Numeric): Numeric {
	if (isNaNumeric(a) || isNaNumeric(b)) {
		return numericNaN;
	}
	if (b.special === 0 && b.unscaled === 0n) {
		throw divisionByZero();
	}
	if (a.special !== 0) {
		return numericNaN;
	}
	if (b.special !== 0) {
		return a;
	}
	const scale = Math.max(a.scale, b.scale);
	return numeric(
		(a.unscaled * powerOfTen(scale - a.scale)) % (b.unscaled * powerOfTen(scale - b.scale)),
		scale,
	);
}

/** The integer part of the quotient. */
export function integerQuotient(a: Numeric, b: Numeric): Numeric {
	if (a.special !== 0 || b.special !== 0) {
		return divide(a, b);
	}
	if (b.unscaled === 0n) {
		throw divisionByZero();
	}
	return divideAt(a, b, 0, false);
}

function rescale(n: Numeric, scale: number, shrink: (a: bigint, b: bigint) => bigint): Numeric {
	if (n.special !== 0) {
		return n;
	}
	if (scale >= n.scale) {
		const target = Math.min(scale, scaleMax);
		return checked(n.unscaled * powerOfTen(target - n.scale), target);
	}
	if (n.scale - scale > digitsMax + scaleMax) {
		return numericZero;
	}
	const quotient = shrink(n.unscaled, powerOfTen(n.scale - scale));
	return scale >= 0 ? numeric(quotient, scale) : checked(quotient * powerOfTen(-scale), 0);
}

/** Half away from zero. A negative scale rounds before the point. */
export function round(n: Numeric, scale: number): Numeric {
	return scale === n.scale ? n : rescale(n, scale, divideRounded);
}

export function truncate(n: Numeric, scale: number): Numeric {
	return rescale(n, scale, (a, b) => a / b);
}

export function floor(n: Numeric): Numeric {
	const whole = truncate(n, 0);
	return compareNumeric(whole, n) > 0 ? numeric(whole.unscaled - 1n, 0) : whole;
}

export function ceiling(n: Numeric): Numeric {
	const whole = truncate(n, 0);
	return compareNumeric(whole, n) < 0 ? numeric(whole.unscaled + 1n, 0) : whole;
}

/** The fewest digits after the point that keep the value. */
export function trimScale(n: Numeric): Numeric {
	if (n.special !== 0 || n.scale === 0) {
		return n;
	}
	let { unscaled, scale } = n;
	while (scale > 0 && unscaled % 10n === 0n) {
		unscaled /= 10n;
		scale--;
	}
	return numeric(unscaled, scale);
}

/** numeric(p, s) as a type modifier: s is signed, 11 bits. */
export function packPrecision(precision: number, scale: number): number {
	return ((precision << 16) | (scale & 0x7ff)) + 4;
}

export function unpackPrecision(modifier: number): { precision: number; scale: number } {
	const packed = modifier - 4;
	return { precision: (packed >> 16) & 0xffff, scale: ((packed & 0x7ff) ^ 1024) - 1024 };
}

/** Rounds to numeric(p, s); 22003 where too many digits stand before the point. */
export function applyPrecision(n: Numeric, modifier: number): Numeric {
	if (isNaNumeric(n)) {
		return n;
	}
	const { precision, scale } = unpackPrecision(modifier);
	if (n.special !== 0) {
		throw new DatabaseError("22003", "numeric field overflow", {
			detail: `A field with precision ${precision}, scale ${scale} cannot hold an infinite value.`,
		});
	}
	const rounded = round(n, scale);
	const limit = precision - scale;
	const magnitude = rounded.unscaled < 0n ? -rounded.unscaled : rounded.unscaled;
	if (magnitude !== 0n && magnitude >= powerOfTen(Math.max(limit + rounded.scale, 0))) {
		throw new DatabaseError("22003", "numeric field overflow", {
			detail: `A field with precision ${precision}, scale ${scale} must round to an absolute value less than ${limit === 0 ? "1" : `10^${limit}`}.`,
		});
	}
	return rounded;
}
