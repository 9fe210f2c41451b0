/**
 * Roots, powers, exponentials and logarithms of numerics. The scales of the results follow numeric.c: at least 16 significant
 * digits, estimated beforehand.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { divisionByZero } from "../types/errors.ts";
import * as fixed from "../types/fixed-point.ts";
import {
	checked,
	compareNumeric,
	divideRounded,
	isFiniteNumeric,
	isNaNumeric,
	type Numeric,
	numeric,
	numericInfinity,
	numericNaN,
	numericOne,
	numericSign,
	numericToFloat,
	numericZero,
	overflow,
	parseNumeric,
	powerOfTen,
} from "../types/numeric.ts";
import {
	absolute,
	divideAt,
	leadingGroup,
	multiply,
	negate,
	round,
} from "../types/numeric-arithmetic.ts";

const significantDigits = 16;
const displayScaleMax = 1000;
const resultScaleMax = 2000;
const log10OfE = Math.LOG10E;

const clampScale = (scale: number): number => Math.min(Math.max(scale, 0), displayScaleMax);

/** Bits that hold so many decimal digits, and some to spare. */
const bitsFor = (digits: number): number => Math.ceil(Math.max(digits, 0) * 3.3219281) + 40;

/** n times 2^bits. */
const toFixed = (n: Numeric, bits: number): bigint =>
	(n.unscaled << BigInt(bits)) / powerOfTen(n.scale);

function fromFixed(value: bigint, bits: number, scale: number): Numeric {
	return checked(divideRounded(value * powerOfTen(scale), 1n << BigInt(bits)), scale);
}

/** ln n, times 2^bits. */
const logarithmOf = (n: Numeric, bits: number): bigint =>
	fixed.logarithm(n.unscaled, powerOfTen(n.scale), bits);

export function squareRoot(n: Numeric): Numeric {
	if (isNaNumeric(n)) {
		return n;
	}
	if (numericSign(n) < 0) {
		throw new DatabaseError("2201F", "cannot take square root of a negative number");
	}
	if (!isFiniteNumeric(n)) {
		return n;
	}
	const { weight } = leadingGroup(n);
	const half = Math.trunc(((weight + 1) * 4) / 2) - 1;
	const scale = clampScale(Math.max(significantDigits - half, n.scale));
	// One digit more than wanted, then rounded: an exact half cannot occur in a root.
	const guard = scale + 1;
	const shift = guard * 2 - n.scale;
	const radicand = shift >= 0 ? n.unscaled * powerOfTen(shift) : n.unscaled / powerOfTen(-shift);
	return numeric(divideRounded(integerRoot(radicand), 10n), scale);
}

/** Newton's iteration from above. */
function integerRoot(n: bigint): bigint {
	if (n < 2n) {
		return n;
	}
	let x = 1n << BigInt((fixed.bitLength(n) + 1) >> 1);
	for (;;) {
		const next = (x + n / x) >> 1n;
		if (next >= x) {
			return x;
		}
		x = next;
	}
}

export function exponential(n: Numeric): Numeric {
	if (!isFiniteNumeric(n)) {
		return n.special < 0 ? numericZero : n;
	}
	const weight = Math.max(-resultScaleMax, Math.min(resultScaleMax, numericToFloat(n) * log10OfE));
	const scale = clampScale(Math.max(significantDigits - Math.trunc(weight), n.scale));
	if (numericToFloat(n) >= resultScaleMax * 3) {
		throw overflow();
	}
	// Before the point stand as many digits as `weight` says; an error of x is one of e^x times e^x.
	const bits = bitsFor(scale + Math.max(weight, 0) * 2);
	return fromFixed(fixed.exponential(toFixed(n, bits), bits), bits, scale);
}

/** Decimal weight of ln(n): how many digits stand before its point, roughly (estimate_ln_dweight). */
function logarithmWeight(n: Numeric): number {
	if (numericSign(n) <= 0) {
		return 0;
	}
	if (compareNumeric(n, parseNumeric("0.9")) >= 0 && compareNumeric(n, parseNumeric("1.1")) <= 0) {
		const distance = numeric(n.unscaled - powerOfTen(n.scale), n.scale);
		if (distance.unscaled === 0n) {
			return 0;
		}
		const { weight, digit } = leadingGroup(distance);
		return weight * 4 + Math.trunc(Math.log10(digit));
	}
	const digits = n.unscaled.toString();
	const leading = Number(digits.slice(0, 8));
	const exponent = digits.length - Math.min(digits.length, 8) - n.scale;
	const logarithm = Math.log(leading) + exponent * Math.LN10;
	return Math.trunc(Math.log10(Math.abs(logarithm)));
}

function checkLogarithm(n: Numeric): void {
	const sign = numericSign(n);
	if (sign < 0 && !isNaNumeric(n)) {
		throw new DatabaseError("2201E", "cannot take logarithm of a negative number");
	}
	if (sign === 0) {
		throw new DatabaseError("2201E", "cannot take logarithm of zero");
	}
}

export function naturalLogarithm(n: Numeric): Numeric {
	checkLogarithm(n);
	if (!isFiniteNumeric(n)) {
		return n;
	}
	const scale = clampScale(Math.max(significantDigits - logarithmWeight(n), n.scale));
	const bits = bitsFor(scale);
	return fromFixed(logarithmOf(n, bits), bits, scale);
}

export const decimalLogarithm = (n: Numeric): Numeric => logarithm(numeric(10n, 0), n);

export function logarithm(base: Numeric, n: Numeric): Numeric {
	if (isNaNumeric(base) || isNaNumeric(n)) {
		return numericNaN;
	}
	checkLogarithm(base);
	checkLogarithm(n);
	if (!isFiniteNumeric(base) || !isFiniteNumeric(n)) {
		return isFiniteNumeric(base) ? numericInfinity : isFiniteNumeric(n) ? numericZero : numericNaN;
	}
	const weight = logarithmWeight(n) - logarithmWeight(base);
	const scale = clampScale(Math.max(significantDigits - weight, base.scale, n.scale));
	const bits = bitsFor(scale + 8) * 2;
	const divisor = logarithmOf(base, bits);
	if (divisor === 0n) {
		throw divisionByZero();
	}
	return fromFixed((logarithmOf(n, bits) << BigInt(bits)) / divisor, bits, scale);
}

const isInteger = (n: Numeric): boolean => n.unscaled % powerOfTen(n.scale) === 0n;

export function power(base: Numeric, exponent: Numeric): Numeric {
	if (base.special !== 0 || exponent.special !== 0) {
		return powerSpecial(base, exponent);
	}
	const sign = numericSign(base);
	if (sign === 0 && numericSign(exponent) < 0) {
		throw new DatabaseError("2201F", "zero raised to a negative power is undefined");
	}
	if (sign < 0 && !isInteger(exponent)) {
		throw new DatabaseError(
			"2201F",
			"a negative number raised to a non-integer power yields a complex result",
		);
	}
	if (isInteger(exponent)) {
		const whole = exponent.unscaled / powerOfTen(exponent.scale);
		if (whole >= -0x8000_0000n && whole <= 0x7fff_ffffn) {
			return integerPower(base, Number(whole));
		}
	}
	if (sign === 0) {
		return numeric(0n, significantDigits);
	}
	const odd = isInteger(exponent) && (exponent.unscaled / powerOfTen(exponent.scale)) % 2n !== 0n;
	const result = realPower(absolute(base), exponent);
	return sign < 0 && odd ? negate(result) : result;
}

function realPower(base: Numeric, exponent: Numeric): Numeric {
	const estimateBits = 120;
	const estimate = logarithmOf(base, estimateBits) * exponent.unscaled;
	const product = Number(estimate / powerOfTen(exponent.scale)) / 2 ** estimateBits;
	if (Math.abs(product) > resultScaleMax * 3.01) {
		if (product > 0) {
			throw overflow();
		}
		return numeric(0n, displayScaleMax);
	}
	const weight = product * log10OfE;
	const scale = clampScale(
		Math.max(significantDigits - Math.trunc(weight), base.scale, exponent.scale),
	);
	const whole = Math.max(exponent.unscaled.toString().length - exponent.scale, 0);
	const bits = bitsFor(scale + Math.max(weight, 0) * 2 + whole);
	const result = (logarithmOf(base, bits) * exponent.unscaled) / powerOfTen(exponent.scale);
	return fromFixed(fixed.exponential(result, bits), bits, scale);
}

function integerPower(base: Numeric, exponent: number): Numeric {
	const digits = absolute(base).unscaled.toString();
	const leading = digits.slice(0, 16);
	const weight =
		base.unscaled === 0n
			? 0
			: (Math.log10(Number(leading)) + digits.length - leading.length - base.scale) * exponent;
	if (weight > 131_072 + 4) {
		throw overflow();
	}
	if (weight + 1 < -displayScaleMax) {
		return numeric(0n, clampScale(Math.max(significantDigits, base.scale)));
	}
	// Unlike elsewhere the weight does not count here.
	const scale = clampScale(Math.max(significantDigits, base.scale));
	switch (exponent) {
		case 0:
			return round(numericOne, scale);
		case 1:
			return round(base, scale);
		case -1:
			return divideAt(numericOne, base, scale, true);
		case 2:
			return round(multiply(base, base), scale);
	}
	if (base.unscaled === 0n) {
		return numeric(0n, scale);
	}
	return repeatedProduct(base, exponent, scale, Math.ceil(Math.max(weight, 0)) + scale);
}

/** Square and multiply on bigints cut to the digits that can matter. */
function repeatedProduct(base: Numeric, exponent: number, scale: number, digits: number): Numeric {
	const kept = digits + 16 + String(exponent).length;
	let result = { unscaled: 1n, scale: 0 };
	let square = { unscaled: base.unscaled, scale: base.scale };
	for (let rest = Math.abs(exponent); rest > 0; rest = Math.floor(rest / 2)) {
		if (rest % 2 === 1) {
			result = cutProduct(result, square, kept);
		}
		if (rest > 1) {
			square = cutProduct(square, square, kept);
		}
	}
	const whole =
		result.scale >= 0
			? result
			: { unscaled: result.unscaled * powerOfTen(-result.scale), scale: 0 };
	const product = numeric(whole.unscaled, whole.scale);
	return exponent < 0 ? divideAt(numericOne, product, scale, true) : round(product, scale);
}

interface Scaled {
	readonly unscaled: bigint;
	readonly scale: number;
}

function cutProduct(a: Scaled, b: Scaled, kept: number): Scaled {
	const unscaled = a.unscaled * b.unscaled;
	const scale = a.scale + b.scale;
	// Hexadecimal digits are counted in linear time; each is 1.2 decimal ones.
	const excess = Math.floor(unscaled.toString(16).length * 1.2) - kept;
	return excess > 0
		? { unscaled: unscaled / powerOfTen(excess), scale: scale - excess }
		: { unscaled, scale };
}

/** As POSIX pow(). */
function powerSpecial(base: Numeric, exponent: Numeric): Numeric {
	if (exponent.special === 0 && exponent.unscaled === 0n) {
		return numericOne;
	}
	if (base.special === 0 && compareNumeric(base, numericOne) === 0) {
		return numericOne;
	}
	if (isNaNumeric(base) || isNaNumeric(exponent)) {
		return numericNaN;
	}
	if (exponent.special !== 0) {
		const size = compareNumeric(absolute(base), numericOne);
		if (base.special === 0 && size === 0) {
			return numericOne;
		}
		if (base.special === 0 && base.unscaled === 0n && exponent.special < 0) {
			throw new DatabaseError("2201F", "zero raised to a negative power is undefined");
		}
		return size > 0 === exponent.special > 0 ? numericInfinity : numericZero;
	}
	if (numericSign(exponent) < 0) {
		return numericZero;
	}
	if (base.special > 0) {
		return numericInfinity;
	}
	if (!isInteger(exponent)) {
		throw new DatabaseError(
			"2201F",
			"a negative number raised to a non-integer power yields a complex result",
		);
	}
	const odd = (exponent.unscaled / powerOfTen(exponent.scale)) % 2n !== 0n;
	return odd ? negate(numericInfinity) : numericInfinity;
}
