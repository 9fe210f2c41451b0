/** Numerics against bigint arithmetic: a value is a fraction of bigints, a rounding is checked by its error. */
import test from "ava";
import * as fc from "fast-check";
import {
	compareNumeric,
	formatNumeric,
	type Numeric,
	numeric,
	numericSign,
	parseNumeric,
} from "./numeric.ts";
import * as arithmetic from "./numeric-arithmetic.ts";
import { typeByName } from "./registry.ts";

const finite = fc
	.tuple(
		fc.oneof(
			fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }),
			fc.integer().map(BigInt),
			fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }),
		),
		fc.integer({ min: 0, max: 30 }),
	)
	.map(([unscaled, scale]) => numeric(unscaled, scale));
const settings = { numRuns: 500, seed: 11 };

/** The value times 10^60. */
const wide = (n: Numeric): bigint => n.unscaled * 10n ** BigInt(60 - n.scale);
const size = (n: bigint): bigint => (n < 0n ? -n : n);

test("text round trip keeps value and scale", (t) => {
	fc.assert(
		fc.property(finite, (n) => {
			const back = parseNumeric(formatNumeric(n));
			return back.unscaled === n.unscaled && back.scale === n.scale;
		}),
		settings,
	);
	t.pass();
});

test("binary round trip keeps value and scale", (t) => {
	const type = typeByName("numeric");
	fc.assert(
		fc.property(finite, (n) => {
			const bytes = type?.encodeBinary(n, {} as never) as Uint8Array;
			const back = type?.decodeBinary(bytes, -1, {} as never) as Numeric;
			return back.unscaled === n.unscaled && back.scale === n.scale;
		}),
		settings,
	);
	t.pass();
});

test("sum, difference, product are exact", (t) => {
	fc.assert(
		fc.property(finite, finite, (a, b) => {
			const product = arithmetic.multiply(a, b);
			return (
				wide(arithmetic.add(a, b)) === wide(a) + wide(b) &&
				wide(arithmetic.subtract(a, b)) === wide(a) - wide(b) &&
				wide(product) * 10n ** 60n === wide(a) * wide(b) &&
				product.scale === a.scale + b.scale
			);
		}),
		settings,
	);
	t.pass();
});

test("a quotient is off by at most half a unit of its last digit", (t) => {
	fc.assert(
		fc.property(finite, finite, (a, b) => {
			fc.pre(b.unscaled !== 0n);
			const q = arithmetic.divide(a, b);
			// |a / b - q| <= 10^-scale / 2, cleared of fractions.
			const unit = 10n ** BigInt(q.scale);
			const error = size(wide(a) * unit - q.unscaled * wide(b));
			return error * 2n <= size(wide(b)) && q.scale >= Math.max(a.scale, b.scale);
		}),
		settings,
	);
	t.pass();
});

test("a = b * div(a, b) + mod(a, b), and the remainder is smaller and has a's sign", (t) => {
	fc.assert(
		fc.property(finite, finite, (a, b) => {
			fc.pre(b.unscaled !== 0n);
			const rest = arithmetic.modulo(a, b);
			const whole = arithmetic.integerQuotient(a, b);
			const sum = arithmetic.add(arithmetic.multiply(whole, b), rest);
			const sign = numericSign(rest);
			return (
				compareNumeric(sum, a) === 0 &&
				compareNumeric(arithmetic.absolute(rest), arithmetic.absolute(b)) < 0 &&
				(sign === 0 || sign === numericSign(a))
			);
		}),
		settings,
	);
	t.pass();
});

test("round goes to the nearest, halves away from zero; floor and ceiling enclose", (t) => {
	fc.assert(
		fc.property(finite, fc.integer({ min: -5, max: 35 }), (n, scale) => {
			const rounded = arithmetic.round(n, scale);
			const unit = 10n ** BigInt(60 - scale);
			const error = wide(rounded) - wide(n);
			const half = size(error) * 2n === unit;
			const away = half ? size(wide(rounded)) > size(wide(n)) : true;
			const floor = wide(arithmetic.floor(n));
			const ceiling = wide(arithmetic.ceiling(n));
			return (
				wide(rounded) % unit === 0n &&
				size(error) * 2n <= unit &&
				away &&
				floor <= wide(n) &&
				wide(n) <= ceiling &&
				ceiling - floor <= 10n ** 60n
			);
		}),
		settings,
	);
	t.pass();
});
