/** Trigonometry in degrees, exact where the answer is (sind(30) is 0.5), and hyperbolic functions: float.c. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { ScalarFunction } from "../types/registry.ts";
import { pure } from "./definition.ts";

const radian = Math.PI / 180;
const [sin30, oneLessCos60] = [Math.sin(30 * radian), 1 - Math.cos(60 * radian)];
const [tan45, cot45] = [sinOver(45), cosOver(45)];
const [asinOfHalf, acosOfHalf, atanOf1] = [Math.asin(0.5), Math.acos(0.5), Math.atan(1)];

const outOfRange = (): DatabaseError => new DatabaseError("22003", "input is out of range");

/** Both of an angle between 0 and 90. */
function sineInFirst(x: number): number {
	return x <= 30
		? Math.sin(x * radian) / sin30 / 2
		: 1 - ((1 - Math.cos((90 - x) * radian)) / oneLessCos60) * 0.5;
}

function cosineInFirst(x: number): number {
	return x <= 60
		? 1 - ((1 - Math.cos(x * radian)) / oneLessCos60) * 0.5
		: Math.sin((90 - x) * radian) / sin30 / 2;
}

function sinOver(x: number): number {
	return sineInFirst(x) / cosineInFirst(x);
}

function cosOver(x: number): number {
	return cosineInFirst(x) / sineInFirst(x);
}

/** The angle in the first quadrant, and by which the signs of x and y go. */
function folded(degrees: number): {
	readonly angle: number;
	readonly x: number;
	readonly y: number;
} {
	if (!Number.isFinite(degrees)) throw outOfRange();
	let [angle, x, y] = [degrees % 360, 1, 1];
	if (angle < 0) [angle, y] = [-angle, -y];
	if (angle > 180) [angle, y] = [360 - angle, -y];
	if (angle > 90) [angle, x] = [180 - angle, -x];
	return { angle, x, y };
}

/** Of a function that may not be asked of NaN's kin: NaN stays what it is. */
const orNaN =
	(body: (a: number) => number) =>
	(a: number): number =>
		Number.isNaN(a) ? a : body(a);

function sind(degrees: number): number {
	const { angle, y } = folded(degrees);
	return y * sineInFirst(angle);
}

function cosd(degrees: number): number {
	const { angle, x } = folded(degrees);
	return x * cosineInFirst(angle);
}

/** No negative zero. */
const positive = (a: number): number => (a === 0 ? 0 : a);

function tand(degrees: number): number {
	const { angle, x, y } = folded(degrees);
	return positive(x * y * (sinOver(angle) / tan45));
}

function cotd(degrees: number): number {
	const { angle, x, y } = folded(degrees);
	return positive(x * y * (cosOver(angle) / cot45));
}

/** Of an argument between 0 and 1. */
const asinInFirst = (x: number): number =>
	x <= 0.5 ? (Math.asin(x) / asinOfHalf) * 30 : 90 - (Math.acos(x) / acosOfHalf) * 60;
const acosInFirst = (x: number): number =>
	x <= 0.5 ? 90 - (Math.asin(x) / asinOfHalf) * 30 : (Math.acos(x) / acosOfHalf) * 60;

function inUnit(x: number): number {
	if (x < -1 || x > 1) throw outOfRange();
	return x;
}

const asind = (x: number): number => (inUnit(x) >= 0 ? asinInFirst(x) : -asinInFirst(-x));
const acosd = (x: number): number => (inUnit(x) >= 0 ? acosInFirst(x) : 90 + asinInFirst(-x));

const cotangent = (a: number): number => {
	if (!Number.isFinite(a)) throw outOfRange();
	return 1 / Math.tan(a);
};

function acosh(a: number): number {
	if (a < 1) throw outOfRange();
	return Math.acosh(a);
}

function atanh(a: number): number {
	if (a < -1 || a > 1) throw outOfRange();
	return Math.atanh(a);
}

const ofOne: Readonly<Record<string, (a: number) => number>> = {
	sind,
	cosd,
	tand,
	cotd,
	asind,
	acosd,
	atand: (a) => (Math.atan(a) / atanOf1) * 45,
	cot: cotangent,
	sinh: Math.sinh,
	cosh: Math.cosh,
	tanh: Math.tanh,
	asinh: Math.asinh,
	acosh,
	atanh,
};

export const angleFunctions: readonly ScalarFunction[] = [
	...Object.entries(ofOne).map(([name, body]) => pure(`${name}(float8) -> float8`, orNaN(body))),
	pure(
		"atan2d(float8, float8) -> float8",
		(y: number, x: number) => (Math.atan2(y, x) / atanOf1) * 45,
	),
];
