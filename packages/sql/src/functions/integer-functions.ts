/** Operators and functions of smallint, integer and bigint. Results that do not fit are errors, never wrapped. */
import { bigintToNumber, toInt2, toInt4, toInt8 } from "../types/conversions.ts";
import { divisionByZero } from "../types/errors.ts";
import type { ScalarFunction } from "../types/registry.ts";
import { pure } from "./definition.ts";

function remainder(a: number, b: number): number {
	if (b === 0) {
		throw divisionByZero();
	}
	// + 0: no -0.
	return (a % b) + 0;
}

function bigRemainder(a: bigint, b: bigint): bigint {
	if (b === 0n) {
		throw divisionByZero();
	}
	return a % b;
}

/** Arithmetic of numbers; the caller checks the range, which every exact result of 32-bit arguments allows. */
const small: Readonly<Record<string, (a: number, b: number) => number>> = {
	"+": (a, b) => a + b,
	"-": (a, b) => a - b,
	"*": (a, b) => a * b,
	"/": (a, b) => {
		if (b === 0) {
			throw divisionByZero();
		}
		return Math.trunc(a / b) + 0;
	},
	"%": remainder,
};

const big: Readonly<Record<string, (a: bigint, b: bigint) => bigint>> = {
	"+": (a, b) => toInt8(a + b),
	"-": (a, b) => toInt8(a - b),
	"*": (a, b) => toInt8(a * b),
	"/": (a, b) => {
		if (b === 0n) {
			throw divisionByZero();
		}
		return toInt8(a / b);
	},
	"%": bigRemainder,
};

function arithmetic(): ScalarFunction[] {
	const out: ScalarFunction[] = [];
	for (const operator of ["+", "-", "*", "/", "%"]) {
		const narrow = small[operator] as (a: number, b: number) => number;
		const wide = big[operator] as (a: bigint, b: bigint) => bigint;
		const to4 = (a: number, b: number): number => toInt4(narrow(a, b));
		out.push(
			pure(`${operator}(int2, int2) -> int2`, (a: number, b: number) => toInt2(narrow(a, b))),
			pure(`${operator}(int4, int4) -> int4`, to4),
			pure(`${operator}(int8, int8) -> int8`, wide),
		);
		if (operator !== "%") {
			out.push(
				pure(`${operator}(int2, int4) -> int4`, to4),
				pure(`${operator}(int4, int2) -> int4`, to4),
			);
			for (const other of ["int2", "int4"]) {
				out.push(
					pure(`${operator}(${other}, int8) -> int8`, (a: number, b: bigint) => wide(BigInt(a), b)),
					pure(`${operator}(int8, ${other}) -> int8`, (a: bigint, b: number) => wide(a, BigInt(b))),
				);
			}
		}
	}
	return out;
}

const minus2 = (a: number): number => toInt2(0 - a);
const minus4 = (a: number): number => toInt4(0 - a);
const minus8 = (a: bigint): bigint => toInt8(-a);
const abs2 = (a: number): number => toInt2(Math.abs(a));
const abs4 = (a: number): number => toInt4(Math.abs(a));
const abs8 = (a: bigint): bigint => toInt8(a < 0n ? -a : a);

const signs: ScalarFunction[] = [
	pure("-(int2) -> int2", minus2),
	pure("-(int4) -> int4", minus4),
	pure("-(int8) -> int8", minus8),
	pure("+(int2) -> int2", (a: number) => a),
	pure("+(int4) -> int4", (a: number) => a),
	pure("+(int8) -> int8", (a: bigint) => a),
	pure("@(int2) -> int2", abs2),
	pure("@(int4) -> int4", abs4),
	pure("@(int8) -> int8", abs8),
	pure("abs(int2) -> int2", abs2),
	pure("abs(int4) -> int4", abs4),
	pure("abs(int8) -> int8", abs8),
];

/** Shift counts are taken modulo the machine word, as the hardware does. */
const bits: ScalarFunction[] = [
	pure("&(int2, int2) -> int2", (a: number, b: number) => a & b),
	pure("&(int4, int4) -> int4", (a: number, b: number) => a & b),
	pure("&(int8, int8) -> int8", (a: bigint, b: bigint) => a & b),
	pure("|(int2, int2) -> int2", (a: number, b: number) => a | b),
	pure("|(int4, int4) -> int4", (a: number, b: number) => a | b),
	pure("|(int8, int8) -> int8", (a: bigint, b: bigint) => a | b),
	pure("#(int2, int2) -> int2", (a: number, b: number) => a ^ b),
	pure("#(int4, int4) -> int4", (a: number, b: number) => a ^ b),
	pure("#(int8, int8) -> int8", (a: bigint, b: bigint) => a ^ b),
	pure("~(int2) -> int2", (a: number) => ~a),
	pure("~(int4) -> int4", (a: number) => ~a),
	pure("~(int8) -> int8", (a: bigint) => ~a),
	pure("<<(int2, int4) -> int2", (a: number, b: number) => ((a << b) << 16) >> 16),
	pure("<<(int4, int4) -> int4", (a: number, b: number) => a << b),
	pure("<<(int8, int4) -> int8", (a: bigint, b: number) => BigInt.asIntN(64, a << BigInt(b & 63))),
	pure(">>(int2, int4) -> int2", (a: number, b: number) => a >> b),
	pure(">>(int4, int4) -> int4", (a: number, b: number) => a >> b),
	pure(">>(int8, int4) -> int8", (a: bigint, b: number) => a >> BigInt(b & 63)),
];

function gcd(a: bigint, b: bigint): bigint {
	let x = a < 0n ? -a : a;
	let y = b < 0n ? -b : b;
	while (y !== 0n) {
		[x, y] = [y, x % y];
	}
	return x;
}

function lcm(a: bigint, b: bigint): bigint {
	const divisor = gcd(a, b);
	const product = divisor === 0n ? 0n : (a / divisor) * b;
	return product < 0n ? -product : product;
}

const asInt4 = (value: bigint): number =>
	bigintToNumber(value, -0x8000_0000, 0x7fff_ffff, "integer");

const functions: ScalarFunction[] = [
	pure("mod(int2, int2) -> int2", remainder),
	pure("mod(int4, int4) -> int4", remainder),
	pure("mod(int8, int8) -> int8", bigRemainder),
	pure("gcd(int4, int4) -> int4", (a: number, b: number) => asInt4(gcd(BigInt(a), BigInt(b)))),
	pure("gcd(int8, int8) -> int8", (a: bigint, b: bigint) => toInt8(gcd(a, b))),
	pure("lcm(int4, int4) -> int4", (a: number, b: number) => asInt4(lcm(BigInt(a), BigInt(b)))),
	pure("lcm(int8, int8) -> int8", (a: bigint, b: bigint) => toInt8(lcm(a, b))),
	pure("to_hex(int4) -> text", (a: number) => (a >>> 0).toString(16)),
	pure("to_hex(int8) -> text", (a: bigint) => BigInt.asUintN(64, a).toString(16)),
];

export const integerFunctions: readonly ScalarFunction[] = [
	...arithmetic(),
	...signs,
	...bits,
	...functions,
];
