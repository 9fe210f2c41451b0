/** interval. */
import { type BuiltinType, defineType } from "./builtin-type.ts";
import { microsPerDay } from "./calendar.ts";
import { roundMicros } from "./date-types.ts";
import type { Datum, Interval } from "./datum.ts";
import { invalidParameter } from "./errors.ts";
import { int4Max, int4Min, viewOf } from "./integer-types.ts";
import { formatInterval, parseInterval } from "./interval-text.ts";
import { compareIntervals, interval, intervalSpan } from "./interval-values.ts";
import type { KeyCodec } from "./key-codecs.ts";
import { OID } from "./oids.ts";

/** Nearly all spans fit 9 bytes, which an offset makes positive; their first byte is neither 00 nor ff. */
const near = { bytes: 9, bias: 1n << 71n, end: (1n << 71n) - (1n << 64n) };
/** Beyond 74 million years: ff, or 00 before the past, and 10 bytes. */
const far = { bytes: 10, bias: 1n << 73n };

const spanKey = (span: bigint, { bytes, bias }: typeof far): string =>
	Buffer.from((span + bias).toString(16).padStart(2 * bytes, "0"), "hex").toString("latin1");

const intervalKey: KeyCodec = {
	encode(value) {
		const span = intervalSpan(value as Interval);
		if (-near.end <= span && span < near.end) return spanKey(span, near);
		return (span < 0n ? "\x00" : "\xff") + spanKey(span, far);
	},
	decode(text, offset) {
		const first = text.charCodeAt(offset);
		const isFar = first === 0x00 || first === 0xff;
		const { bytes, bias } = isFar ? far : near;
		const from = isFar ? offset + 1 : offset;
		const hex = Buffer.from(text.slice(from, from + bytes), "latin1").toString("hex");
		const span = BigInt(`0x${hex}`) - bias;
		const days = Number(span / microsPerDay);
		const months = Math.max(int4Min, Math.min(Math.trunc(days / 30), int4Max));
		return {
			value: interval(months, days - months * 30, span % microsPerDay),
			next: from + bytes,
		};
	},
	lossy: true,
};

/** All fields, as INTERVAL_FULL_RANGE. */
const fullRange = 0x7fff;

function modify(value: Datum, modifier: number): Datum {
	const { months, days, microseconds } = value as Interval;
	const precision = modifier & 0xffff;
	return precision >= 6 ? value : interval(months, days, roundMicros(microseconds, precision));
}

export const intervalType: BuiltinType = defineType({
	oid: OID.interval,
	name: "interval",
	length: 16,
	category: "T",
	preferred: true,
	arrayOid: 1187,
	parse: (text) => parseInterval(text),
	format: (value) => formatInterval(value as Interval),
	encodeBinary(value) {
		const { months, days, microseconds } = value as Interval;
		const out = Buffer.allocUnsafe(16);
		out.writeBigInt64BE(microseconds, 0);
		out.writeInt32BE(days, 8);
		out.writeInt32BE(months, 12);
		return out;
	},
	decodeBinary(bytes) {
		const view = viewOf(bytes, 16);
		return interval(view.readInt32BE(12), view.readInt32BE(8), view.readBigInt64BE(0));
	},
	compare: (a, b) => compareIntervals(a as Interval, b as Interval),
	keyCodec: intervalKey,
	modify,
	describe: (modifier) => `interval(${modifier & 0xffff})`,
	packModifier(modifiers) {
		const [precision] = modifiers;
		if (precision === undefined || modifiers.length > 1) {
			throw invalidParameter("invalid INTERVAL type modifier");
		}
		if (precision < 0) {
			throw invalidParameter(`INTERVAL(${precision}) precision must not be negative`);
		}
		return fullRange * 0x1_0000 + Math.min(precision, 6);
	},
});
