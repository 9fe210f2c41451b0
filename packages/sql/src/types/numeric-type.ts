/** numeric, with PostgreSQL's binary form: digits of base 10000. */
import { DatabaseError } from "@quorate/keys/database-error";
import { type BuiltinType, defineType } from "./builtin-type.ts";
import { binaryLength, invalidParameter } from "./errors.ts";
import { numericKey } from "./key-codecs.ts";
import {
	checked,
	compareNumeric,
	formatNumeric,
	type Numeric,
	numericInfinity,
	numericNaN,
	numericNegativeInfinity,
	parseNumeric,
	powerOfTen,
} from "./numeric.ts";
import { applyPrecision, packPrecision, unpackPrecision } from "./numeric-arithmetic.ts";
import { OID } from "./oids.ts";

const signs = { negative: 0x4000, nan: 0xc000, infinity: 0xd000, negativeInfinity: 0xf000 };

function encode(n: Numeric): Uint8Array {
	if (n.special !== 0) {
		const sign =
			n.special === 2 ? signs.nan : n.special === 1 ? signs.infinity : signs.negativeInfinity;
		const out = Buffer.alloc(8);
		out.writeUInt16BE(sign, 4);
		// The display scale that PostgreSQL sends with infinities.
		out.writeUInt16BE(n.special === 2 ? 0 : 0x20, 6);
		return out;
	}
	const negative = n.unscaled < 0n;
	const digits = (negative ? -n.unscaled : n.unscaled).toString().padStart(n.scale + 1, "0");
	const whole = digits.length - n.scale;
	// Zeros on both sides so that the point falls between groups of four.
	const left = (4 - (whole % 4)) % 4;
	const right = (4 - (n.scale % 4)) % 4;
	const padded = "0".repeat(left) + digits + "0".repeat(right);
	const groups: number[] = [];
	for (let i = 0; i < padded.length; i += 4) {
		groups.push(Number(padded.slice(i, i + 4)));
	}
	let weight = (whole + left) / 4 - 1;
	let first = 0;
	while (first < groups.length && groups[first] === 0) {
		first++;
		weight--;
	}
	let end = groups.length;
	while (end > first && groups[end - 1] === 0) {
		end--;
	}
	const count = end - first;
	const out = Buffer.allocUnsafe(8 + count * 2);
	out.writeUInt16BE(count, 0);
	out.writeInt16BE(count === 0 ? 0 : weight, 2);
	out.writeUInt16BE(negative ? signs.negative : 0, 4);
	out.writeUInt16BE(n.scale, 6);
	for (let i = 0; i < count; i++) {
		out.writeUInt16BE(groups[first + i] as number, 8 + i * 2);
	}
	return out;
}

function decode(bytes: Uint8Array): Numeric {
	if (bytes.length < 8) {
		throw binaryLength(bytes, 8);
	}
	const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const count = view.readUInt16BE(0);
	const weight = view.readInt16BE(2);
	const sign = view.readUInt16BE(4);
	const scale = view.readUInt16BE(6);
	if (bytes.length !== 8 + count * 2) {
		throw binaryLength(bytes, 8 + count * 2);
	}
	if (sign === signs.nan || sign === signs.infinity || sign === signs.negativeInfinity) {
		return sign === signs.nan
			? numericNaN
			: sign === signs.infinity
				? numericInfinity
				: numericNegativeInfinity;
	}
	if (sign !== 0 && sign !== signs.negative) {
		throw new DatabaseError("22P03", 'invalid sign in external "numeric" value');
	}
	if (scale > 16383) {
		throw new DatabaseError("22P03", 'invalid scale in external "numeric" value');
	}
	let digits = "0";
	for (let i = 0; i < count; i++) {
		const group = view.readUInt16BE(8 + i * 2);
		if (group > 9999) {
			throw new DatabaseError("22P03", 'invalid digit in external "numeric" value');
		}
		digits += String(group).padStart(4, "0");
	}
	const magnitude = BigInt(digits);
	// The groups end at 10000^(weight - count + 1); the display scale cuts what is behind it.
	const shift = (weight - count + 1) * 4 + scale;
	const unscaled = shift >= 0 ? magnitude * powerOfTen(shift) : magnitude / powerOfTen(-shift);
	return checked(sign === signs.negative ? -unscaled : unscaled, scale);
}

function pack(modifiers: readonly number[]): number {
	const [precision, scale] = modifiers;
	if (precision === undefined || modifiers.length > 2) {
		throw invalidParameter("invalid NUMERIC type modifier");
	}
	if (precision < 1 || precision > 1000) {
		throw invalidParameter(`NUMERIC precision ${precision} must be between 1 and 1000`);
	}
	if (scale !== undefined && (scale < -1000 || scale > 1000)) {
		throw invalidParameter(`NUMERIC scale ${scale} must be between -1000 and 1000`);
	}
	return packPrecision(precision, scale ?? 0);
}

export const numericType: BuiltinType = defineType({
	oid: OID.numeric,
	name: "numeric",
	length: -1,
	category: "N",
	arrayOid: 1231,
	parse: (text) => parseNumeric(text),
	format: (value) => formatNumeric(value as Numeric),
	encodeBinary: (value) => encode(value as Numeric),
	decodeBinary: (bytes) => decode(bytes),
	compare: (a, b) => compareNumeric(a as Numeric, b as Numeric),
	keyCodec: numericKey,
	modify: (value, modifier) => applyPrecision(value as Numeric, modifier),
	describe(modifier) {
		const { precision, scale } = unpackPrecision(modifier);
		return `numeric(${precision},${scale})`;
	},
	packModifier: pack,
});
