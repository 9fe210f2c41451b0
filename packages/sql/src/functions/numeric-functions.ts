/** Operators and functions of numeric. */
import { DatabaseError } from "@quorate/keys/database-error";
import { toInt4 } from "../types/conversions.ts";
import { bitLength } from "../types/fixed-point.ts";
import {
	checked,
	compareNumeric,
	isFiniteNumeric,
	isNaNumeric,
	type Numeric,
	numeric,
	numericFromNumber,
	numericNaN,
	numericSign,
	powerOfTen,
} from "../types/numeric.ts";
import * as arithmetic from "../types/numeric-arithmetic.ts";
import type { ScalarFunction } from "../types/registry.ts";
import { pure } from "./definition.ts";
import * as transcendental from "./numeric-transcendental.ts";

/** Where width_bucket's argument falls: 0 below, count + 1 above. */
function widthBucket(value: Numeric, low: Numeric, high: Numeric, count: number): number {
	if (count <= 0) {
		throw new DatabaseError("2201G", "count must be greater than zero");
	}
	if (isNaNumeric(value) || isNaNumeric(low) || isNaNumeric(high)) {
		throw new DatabaseError("2201G", "operand, lower bound, and upper bound cannot be NaN");
	}
	if (!isFiniteNumeric(low) || !isFiniteNumeric(high)) {
		throw new DatabaseError("2201G", "lower and upper bounds must be finite");
	}
	const order = compareNumeric(low, high);
	if (order === 0) {
		throw new DatabaseError("2201G", "lower bound cannot equal upper bound");
	}
	const below = order < 0 ? compareNumeric(value, low) < 0 : compareNumeric(value, low) > 0;
	const above = order < 0 ? compareNumeric(value, high) >= 0 : compareNumeric(value, high) <= 0;
	if (below || above) {
		return below ? 0 : toInt4(count + 1);
	}
	const part = arithmetic.multiply(arithmetic.subtract(value, low), numericFromNumber(count));
	const bucket = arithmetic.integerQuotient(part, arithmetic.subtract(high, low));
	return Number(bucket.unscaled) + 1;
}

function scaleOf(n: Numeric): number | null {
	return n.special === 0 ? n.scale : null;
}

function factorial(n: bigint): Numeric {
	if (n < 0n) {
		throw new DatabaseError("22003", "factorial of a negative number is undefined");
	}
	if (n > 32_177n) {
		throw new DatabaseError("22003", "value overflows numeric format");
	}
	let product = 1n;
	for (let i = 2n; i <= n; i++) {
		product *= i;
	}
	return { kind: "numeric", unscaled: product, scale: 0, special: 0 };
}

/** Euclid's way takes the square of it. */
const divisorBitsMax = 40_000;

/** Of the greatest whole number of the last place that both are multiples of. */
function divisor(a: Numeric, b: Numeric): Numeric {
	if (!isFiniteNumeric(a) || !isFiniteNumeric(b)) return numericNaN;
	const scale = Math.max(a.scale, b.scale);
	let [x, y] = [scaledTo(a, scale), scaledTo(b, scale)];
	if (bitLength(x) > divisorBitsMax || bitLength(y) > divisorBitsMax) {
		throw new DatabaseError(
			"54000",
			"numbers of so many digits have no greatest common divisor here",
		);
	}
	while (y !== 0n) [x, y] = [y, x % y];
	return numeric(x < 0n ? -x : x, scale);
}

const scaledTo = (n: Numeric, scale: number): bigint => n.unscaled * powerOfTen(scale - n.scale);

function multiple(a: Numeric, b: Numeric): Numeric {
	if (!isFiniteNumeric(a) || !isFiniteNumeric(b)) return numericNaN;
	const scale = Math.max(a.scale, b.scale);
	const shared = divisor(a, b);
	if (shared.unscaled === 0n) return numeric(0n, scale);
	const product = scaledTo(a, scale) * (scaledTo(b, scale) / shared.unscaled);
	return checked(product < 0n ? -product : product, scale);
}

export const numericFunctions: readonly ScalarFunction[] = [
	pure("+(numeric, numeric) -> numeric", arithmetic.add),
	pure("-(numeric, numeric) -> numeric", arithmetic.subtract),
	pure("*(numeric, numeric) -> numeric", arithmetic.multiply),
	pure("/(numeric, numeric) -> numeric", arithmetic.divide),
	pure("%(numeric, numeric) -> numeric", arithmetic.modulo),
	pure("^(numeric, numeric) -> numeric", transcendental.power),
	pure("-(numeric) -> numeric", arithmetic.negate),
	pure("+(numeric) -> numeric", (n: Numeric) => n),
	pure("@(numeric) -> numeric", arithmetic.absolute),
	pure("abs(numeric) -> numeric", arithmetic.absolute),
	pure("mod(numeric, numeric) -> numeric", arithmetic.modulo),
	pure("div(numeric, numeric) -> numeric", arithmetic.integerQuotient),
	pure("ceil(numeric) -> numeric", arithmetic.ceiling),
	pure("ceiling(numeric) -> numeric", arithmetic.ceiling),
	pure("floor(numeric) -> numeric", arithmetic.floor),
	pure("round(numeric) -> numeric", (n: Numeric) => arithmetic.round(n, 0)),
	pure("round(numeric, int4) -> numeric", (n: Numeric, scale: number) =>
		arithmetic.round(n, scale),
	),
	pure("trunc(numeric) -> numeric", (n: Numeric) => arithmetic.truncate(n, 0)),
	pure("trunc(numeric, int4) -> numeric", (n: Numeric, scale: number) =>
		arithmetic.truncate(n, scale),
	),
	pure("sign(numeric) -> numeric", (n: Numeric) =>
		isNaNumeric(n) ? n : numericFromNumber(numericSign(n)),
	),
	pure("sqrt(numeric) -> numeric", transcendental.squareRoot),
	pure("exp(numeric) -> numeric", transcendental.exponential),
	pure("ln(numeric) -> numeric", transcendental.naturalLogarithm),
	pure("log(numeric) -> numeric", transcendental.decimalLogarithm),
	pure("log10(numeric) -> numeric", transcendental.decimalLogarithm),
	pure("log(numeric, numeric) -> numeric", transcendental.logarithm),
	pure("power(numeric, numeric) -> numeric", transcendental.power),
	pure("pow(numeric, numeric) -> numeric", transcendental.power),
	pure("scale(numeric) -> int4", scaleOf),
	pure("min_scale(numeric) -> int4", (n: Numeric) => scaleOf(arithmetic.trimScale(n))),
	pure("trim_scale(numeric) -> numeric", arithmetic.trimScale),
	pure("factorial(int8) -> numeric", factorial),
	pure("gcd(numeric, numeric) -> numeric", divisor),
	pure("lcm(numeric, numeric) -> numeric", multiple),
	pure("width_bucket(numeric, numeric, numeric, int4) -> int4", widthBucket),
];
