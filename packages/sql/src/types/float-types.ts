/** real, double precision. */
import { DatabaseError } from "@quorate/keys/database-error";
import { type BuiltinType, defineType } from "./builtin-type.ts";
import type { Datum } from "./datum.ts";
import { invalidText } from "./errors.ts";
import { viewOf } from "./integer-types.ts";
import { floatKey } from "./key-codecs.ts";
import { OID } from "./oids.ts";

const floatPattern = /^[ \t\n\v\f\r]*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[ \t\n\v\f\r]*$/;
const nonZeroMantissa = /^[^eE]*[1-9]/;

function parseFloatText(text: string, typeName: string, narrow: (n: number) => number): number {
	if (!floatPattern.test(text)) {
		return parseSpecial(text, typeName);
	}
	const value = narrow(Number(text));
	// Overflow and underflow are errors, as strtod's ERANGE.
	if (!Number.isFinite(value) || (value === 0 && nonZeroMantissa.test(text))) {
		throw new DatabaseError("22003", `"${text.trim()}" is out of range for type ${typeName}`);
	}
	return value;
}

function parseSpecial(text: string, typeName: string): number {
	switch (text.trim().toLowerCase()) {
		case "nan":
		case "+nan":
		case "-nan":
			return Number.NaN;
		case "infinity":
		case "inf":
		case "+infinity":
		case "+inf":
			return Number.POSITIVE_INFINITY;
		case "-infinity":
		case "-inf":
			return Number.NEGATIVE_INFINITY;
		default:
			throw invalidText(typeName, text);
	}
}

/** NaN equals itself and is above everything; -0 equals 0. */
export function compareFloats(a: Datum, b: Datum): number {
	const left = a as number;
	const right = b as number;
	if (left < right) {
		return -1;
	}
	if (left > right) {
		return 1;
	}
	return left === right ? 0 : Number(Number.isNaN(left)) - Number(Number.isNaN(right));
}

/** C's form: digits as they are while the exponent is in [-4, limit), else 1.5e+20. */
function layout(mantissa: string, exponent: number, limit: number): string {
	const negative = mantissa.startsWith("-");
	const digits = mantissa.replace("-", "").replace(".", "");
	const sign = negative ? "-" : "";
	if (exponent < -4 || exponent >= limit) {
		const fraction = digits.length > 1 ? `.${digits.slice(1)}` : "";
		const size = String(Math.abs(exponent)).padStart(2, "0");
		return `${sign}${digits[0]}${fraction}e${exponent < 0 ? "-" : "+"}${size}`;
	}
	if (exponent < 0) {
		return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
	}
	if (digits.length <= exponent + 1) {
		return sign + digits.padEnd(exponent + 1, "0");
	}
	return `${sign}${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}

function split(scientific: string): { mantissa: string; exponent: number } {
	const [mantissa, exponent] = scientific.split("e") as [string, string];
	return {
		mantissa: mantissa.includes(".") ? mantissa.replace(/\.?0+$/, "") : mantissa,
		exponent: Number(exponent),
	};
}

function formatSpecial(value: number): string {
	return Number.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
}

/** `extraDigits` above 0: the shortest text that reads back as the same value; else %.*g with that many digits fewer than 15. */
export function formatFloat8(value: number, extraDigits: number): string {
	if (Number.isInteger(value) && Math.abs(value) < 1e15) {
		return Object.is(value, -0) ? "-0" : String(value);
	}
	if (!Number.isFinite(value)) {
		return formatSpecial(value);
	}
	const size = Math.abs(value);
	if (extraDigits > 0 && size >= 1e-4 && size < 1e15) {
		// Here JavaScript's shortest form is PostgreSQL's.
		return String(value);
	}
	if (extraDigits > 0) {
		const { mantissa, exponent } = split(value.toExponential());
		return layout(mantissa, exponent, 15);
	}
	return formatDigits(value, Math.max(15 + extraDigits, 1));
}

function formatDigits(value: number, digits: number): string {
	const { mantissa, exponent } = split(value.toExponential(digits - 1));
	return layout(mantissa, exponent, digits);
}

export function formatFloat4(value: number, extraDigits: number): string {
	if (!Number.isFinite(value)) {
		return formatSpecial(value);
	}
	if (value === 0) {
		return Object.is(value, -0) ? "-0" : "0";
	}
	if (extraDigits <= 0) {
		return formatDigits(value, Math.max(6 + extraDigits, 1));
	}
	for (let digits = 1; ; digits++) {
		const text = value.toExponential(digits - 1);
		if (digits >= 9 || Math.fround(Number(text)) === value) {
			const { mantissa, exponent } = split(halfToEven(value, digits) ?? text);
			return layout(mantissa, exponent, 6);
		}
	}
}

/** toExponential rounds halves up. If the value is exactly between two texts, the one with an even last digit. */
function halfToEven(value: number, digits: number): string | undefined {
	const exact = value.toExponential(60);
	const kept = digits + 1 + (value < 0 ? 1 : 0);
	const [mantissa, exponent] = exact.split("e") as [string, string];
	const lower = `${mantissa.slice(0, kept)}e${exponent}`;
	return digits > 1 &&
		/^50*$/.test(mantissa.slice(kept)) &&
		/[02468]$/.test(mantissa.slice(0, kept)) &&
		Math.fround(Number(lower)) === value
		? lower
		: undefined;
}

export const float4Type: BuiltinType = defineType({
	oid: OID.float4,
	name: "float4",
	sqlName: "real",
	length: 4,
	category: "N",
	arrayOid: 1021,
	parse: (text) => parseFloatText(text, "real", Math.fround),
	format: (value, context) => formatFloat4(value as number, context.extraFloatDigits),
	encodeBinary(value) {
		const out = Buffer.allocUnsafe(4);
		out.writeFloatBE(value as number, 0);
		return out;
	},
	decodeBinary: (bytes) => viewOf(bytes, 4).readFloatBE(0),
	compare: compareFloats,
	keyCodec: floatKey,
});

export const float8Type: BuiltinType = defineType({
	oid: OID.float8,
	name: "float8",
	sqlName: "double precision",
	length: 8,
	category: "N",
	preferred: true,
	arrayOid: 1022,
	parse: (text) => parseFloatText(text, "double precision", (n) => n),
	format: (value, context) => formatFloat8(value as number, context.extraFloatDigits),
	encodeBinary(value) {
		const out = Buffer.allocUnsafe(8);
		out.writeDoubleBE(value as number, 0);
		return out;
	},
	decodeBinary: (bytes) => viewOf(bytes, 8).readDoubleBE(0),
	compare: compareFloats,
	keyCodec: floatKey,
});
