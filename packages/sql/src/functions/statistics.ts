/** Variance and standard deviation: exact sums for integers and numerics, Youngs and Cramer's update for floats. */
import type { Datum } from "../types/datum.ts";
import {
	type Numeric,
	numericFromBigint,
	numericFromNumber,
	numericNaN,
	numericSign,
	numericZero,
} from "../types/numeric.ts";
import { add, divideAt, divisionScale, multiply, subtract } from "../types/numeric-arithmetic.ts";
import type { AggregateFunction } from "../types/registry.ts";
import { signature } from "./definition.ts";
import { squareRoot } from "./numeric-transcendental.ts";

type Accumulator = ReturnType<AggregateFunction["create"]>;

/** n * sum(x^2) - sum(x)^2 over n * (n - 1), or over n^2 for the whole population. */
function exactVariance(
	toNumeric: (value: Datum) => Numeric,
	sample: boolean,
	root: boolean,
): Accumulator {
	let count = 0;
	let sum = numericZero;
	let squares = numericZero;
	return {
		step(args) {
			const value = toNumeric(args[0] as Datum);
			count++;
			sum = add(sum, value);
			squares = add(squares, multiply(value, value));
		},
		result() {
			if (count === 0 || (sample && count === 1)) {
				return null;
			}
			if (sum.special !== 0) {
				return numericNaN;
			}
			const n = numericFromNumber(count);
			const numerator = subtract(multiply(n, squares), multiply(sum, sum));
			if (numericSign(numerator) <= 0) {
				return numericZero;
			}
			const divisor = multiply(n, sample ? numericFromNumber(count - 1) : n);
			const variance = divideAt(numerator, divisor, divisionScale(numerator, divisor), true);
			return root ? squareRoot(variance) : variance;
		},
	};
}

function floatVariance(sample: boolean, root: boolean): Accumulator {
	let count = 0;
	let sum = 0;
	let squares = 0;
	return {
		step(args) {
			const value = args[0] as number;
			count++;
			sum += value;
			if (count > 1) {
				const distance = value * count - sum;
				squares += (distance * distance) / (count * (count - 1));
			} else if (!Number.isFinite(value)) {
				squares = Number.NaN;
			}
		},
		result() {
			if (count === 0 || (sample && count === 1)) {
				return null;
			}
			const variance = squares / (sample ? count - 1 : count);
			return root ? Math.sqrt(variance) : variance;
		},
	};
}

const names: readonly (readonly [name: string, sample: boolean, root: boolean])[] = [
	["stddev", true, true],
	["stddev_samp", true, true],
	["stddev_pop", false, true],
	["variance", true, false],
	["var_samp", true, false],
	["var_pop", false, false],
];

const exact: readonly (readonly [type: string, toNumeric: (value: Datum) => Numeric])[] = [
	["int2", (v) => numericFromNumber(v as number)],
	["int4", (v) => numericFromNumber(v as number)],
	["int8", (v) => numericFromBigint(v as bigint)],
	["numeric", (v) => v as Numeric],
];

export const statisticsAggregates: readonly AggregateFunction[] = names.flatMap(
	([name, sample, root]) => [
		...exact.map(([type, toNumeric]) => ({
			...signature(`${name}(${type}) -> numeric`),
			create: () => exactVariance(toNumeric, sample, root),
			strict: true,
		})),
		...["float4", "float8"].map((type) => ({
			...signature(`${name}(${type}) -> float8`),
			create: () => floatVariance(sample, root),
			strict: true,
		})),
	],
);
