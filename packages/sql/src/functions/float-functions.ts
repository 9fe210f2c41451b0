/** Operators and functions of real and double precision. Overflow and underflow are errors where no argument was infinite. */
import { DatabaseError } from "@quorate/keys/database-error";
import { rint, toInt4 } from "../types/conversions.ts";
import { divisionByZero } from "../types/errors.ts";
import type { ScalarFunction } from "../types/registry.ts";
import { contextual, pure, volatile } from "./definition.ts";

const overflow = (): DatabaseError => new DatabaseError("22003", "value out of range: overflow");
const underflow = (): DatabaseError => new DatabaseError("22003", "value out of range: underflow");

function checked(result: number, infinityAllowed: boolean, zeroAllowed: boolean): number {
	if (
		(result === Number.POSITIVE_INFINITY || result === Number.NEGATIVE_INFINITY) &&
		!infinityAllowed
	) {
		throw overflow();
	}
	if (result === 0 && !zeroAllowed) {
		throw underflow();
	}
	return result;
}

const finite = (a: number): boolean =>
	a !== Number.POSITIVE_INFINITY && a !== Number.NEGATIVE_INFINITY;

type Narrow = (n: number) => number;

const operators: Readonly<Record<string, (a: number, b: number, narrow: Narrow) => number>> = {
	"+": (a, b, narrow) => checked(narrow(a + b), !finite(a) || !finite(b), true),
	"-": (a, b, narrow) => checked(narrow(a - b), !finite(a) || !finite(b), true),
	"*": (a, b, narrow) => checked(narrow(a * b), !finite(a) || !finite(b), a === 0 || b === 0),
	"/": (a, b, narrow) => {
		if (b === 0 && !Number.isNaN(a)) {
			throw divisionByZero();
		}
		return checked(narrow(a / b), !finite(a), a === 0 || !finite(b));
	},
};

function arithmetic(): ScalarFunction[] {
	const same: Narrow = (n) => n;
	return Object.entries(operators).flatMap(([operator, apply]) => [
		pure(`${operator}(float4, float4) -> float4`, (a: number, b: number) =>
			apply(a, b, Math.fround),
		),
		...["float8, float8", "float4, float8", "float8, float4"].map((args) =>
			pure(`${operator}(${args}) -> float8`, (a: number, b: number) => apply(a, b, same)),
		),
	]);
}

const signs = ["float4", "float8"].flatMap((type) => [
	pure(`-(${type}) -> ${type}`, (a: number) => -a),
	pure(`+(${type}) -> ${type}`, (a: number) => a),
	pure(`@(${type}) -> ${type}`, Math.abs),
	pure(`abs(${type}) -> ${type}`, Math.abs),
]);

function power(a: number, b: number): number {
	if (Number.isNaN(a)) {
		return b === 0 ? 1 : a;
	}
	if (Number.isNaN(b)) {
		return a === 1 ? 1 : b;
	}
	if (a === 0 && b < 0) {
		throw new DatabaseError("2201F", "zero raised to a negative power is undefined");
	}
	if (a < 0 && finite(b) && !Number.isInteger(b)) {
		throw new DatabaseError(
			"2201F",
			"a negative number raised to a non-integer power yields a complex result",
		);
	}
	// JavaScript says NaN for 1 ^ infinity.
	const result = Math.abs(a) === 1 && !finite(b) ? 1 : a ** b;
	return checked(result, !finite(a) || !finite(b), a === 0 || !finite(a) || !finite(b));
}

function squareRoot(a: number): number {
	if (a < 0) {
		throw new DatabaseError("2201F", "cannot take square root of a negative number");
	}
	return Math.sqrt(a);
}

function logarithm(a: number, log: (n: number) => number): number {
	if (a === 0) {
		throw new DatabaseError("2201E", "cannot take logarithm of zero");
	}
	if (a < 0) {
		throw new DatabaseError("2201E", "cannot take logarithm of a negative number");
	}
	return log(a);
}

function exponential(a: number): number {
	return checked(Math.exp(a), !finite(a), !finite(a));
}

const inUnit = (a: number): number => {
	if (a < -1 || a > 1) {
		throw new DatabaseError("22003", "input is out of range");
	}
	return a;
};

const finiteAngle = (a: number): number => {
	if (!finite(a)) {
		throw new DatabaseError("22003", "input is out of range");
	}
	return a;
};

const sign = (a: number): number => (a > 0 ? 1 : a < 0 ? -1 : 0);

const functions: ScalarFunction[] = [
	pure("width_bucket(float8, float8, float8, int4) -> int4", widthBucket),
	pure("^(float8, float8) -> float8", power),
	pure("power(float8, float8) -> float8", power),
	pure("pow(float8, float8) -> float8", power),
	pure("|/(float8) -> float8", squareRoot),
	pure("||/(float8) -> float8", Math.cbrt),
	pure("sqrt(float8) -> float8", squareRoot),
	pure("cbrt(float8) -> float8", Math.cbrt),
	pure("exp(float8) -> float8", exponential),
	pure("ln(float8) -> float8", (a: number) => logarithm(a, Math.log)),
	pure("log(float8) -> float8", (a: number) => logarithm(a, Math.log10)),
	pure("log10(float8) -> float8", (a: number) => logarithm(a, Math.log10)),
	pure("ceil(float8) -> float8", Math.ceil),
	pure("ceiling(float8) -> float8", Math.ceil),
	pure("floor(float8) -> float8", Math.floor),
	pure("trunc(float8) -> float8", Math.trunc),
	pure("round(float8) -> float8", rintFloat),
	pure("sign(float8) -> float8", sign),
	pure("pi() -> float8", () => Math.PI),
	pure("degrees(float8) -> float8", (a: number) =>
		checked(a / (Math.PI / 180), !finite(a), a === 0),
	),
	pure("radians(float8) -> float8", (a: number) =>
		checked(a * (Math.PI / 180), !finite(a), a === 0),
	),
	pure("sin(float8) -> float8", (a: number) => Math.sin(finiteAngle(a))),
	pure("cos(float8) -> float8", (a: number) => Math.cos(finiteAngle(a))),
	pure("tan(float8) -> float8", (a: number) => Math.tan(finiteAngle(a))),
	pure("asin(float8) -> float8", (a: number) => Math.asin(inUnit(a))),
	pure("acos(float8) -> float8", (a: number) => Math.acos(inUnit(a))),
	pure("atan(float8) -> float8", Math.atan),
	pure("atan2(float8, float8) -> float8", Math.atan2),
	contextual("random() -> float8", volatile, (_args, context) => context.random()),
	contextual("setseed(float8) -> void", volatile, ([seed], context) => {
		const given = seed as number;
		if (Number.isNaN(given) || Math.abs(given) > 1) {
			throw new DatabaseError("22023", `setseed parameter ${given} is out of allowed range [-1,1]`);
		}
		context.seedRandom(given);
		return "";
	}),
];

/** Half to even, keeping -0 and the infinities. */
function rintFloat(a: number): number {
	return Number.isFinite(a) && a !== 0 ? rint(a) || (a < 0 ? -0 : 0) : a;
}

/** As PostgreSQL's width_bucket_float8: a value may be infinite, a bound may not. */
function widthBucket(value: number, low: number, high: number, count: number): number {
	const refuse = (message: string): never => {
		throw new DatabaseError("2201G", message);
	};
	if (count <= 0) refuse("count must be greater than zero");
	if (Number.isNaN(value) || Number.isNaN(low) || Number.isNaN(high))
		refuse("operand, lower bound, and upper bound cannot be NaN");
	if (!Number.isFinite(low) || !Number.isFinite(high))
		refuse("lower and upper bounds must be finite");
	if (low === high) refuse("lower bound cannot equal upper bound");
	const sign = low < high ? 1 : -1;
	if (value * sign < low * sign) return 0;
	if (value * sign >= high * sign) return toInt4(count + 1);
	const part = Number.isFinite(high - low)
		? (value - low) / (high - low)
		: (value / 2 - low / 2) / (high / 2 - low / 2);
	return Math.min(Math.trunc(count * part), count - 1) + 1;
}

export const floatFunctions: readonly ScalarFunction[] = [...arithmetic(), ...signs, ...functions];
