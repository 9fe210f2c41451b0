/** interval. */
import { type BuiltinType, defineType } from "./builtin-type.ts";
import { microsPerDay } from "./calendar.ts";
import { roundMicros } from "./date-types.ts";
import type { Datum, Interval } from "./datum.ts";
import { invalidParameter } from "./errors.ts";
import { int4Max, int4Min, viewOf } from "./integer-types.ts";
import { anyDigits, cutFields, describeFields, fullRange } from "./interval-fields.ts";
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

function modify(value: Datum, modifier: number): Datum {
	const cut = cutFields(value as Interval, modifier >>> 16);
	const digits = modifier & 0xffff;
	if (digits >= 6) return cut;
	return interval(cut.months, cut.days, roundMicros(cut.microseconds, digits));
}

function describe(modifier: number): string {
	const digits = modifier & 0xffff;
	return `interval${describeFields(modifier >>> 16)}${digits === anyDigits ? "" : `(${digits})`}`;
}

export const intervalType: BuiltinType = defineType({
	oid: OID.interval,
	name: "interval",
	length: 16,
	category: "T",
	preferred: true,
	arrayOid: 1187,
	parse: (text, { intervalStyle }) => parseInterval(text, intervalStyle),
	format: (value, { intervalStyle }) => formatInterval(value as Interval, intervalStyle),
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
	describe,
	/** Digits, and the mask of fields where some are named. */
	packModifier(modifiers) {
		const [digits, mask = fullRange] = modifiers;
		if (digits === undefined || modifiers.length > 2) {
			throw invalidParameter("invalid INTERVAL type modifier");
		}
		if (digits < 0) {
			throw invalidParameter(`INTERVAL(${digits}) precision must not be negative`);
		}
		return mask * 0x1_0000 + (digits === anyDigits ? digits : Math.min(digits, 6));
	},
});
