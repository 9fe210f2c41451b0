/** time with time zone: a time of day and what its zone is ahead of UTC. Two are equal if both are. */
import { type BuiltinType, defineType } from "./builtin-type.ts";
import { joinTimestamp, microsPerDay, splitTimestamp } from "./calendar.ts";
import { formatTime, unixSeconds } from "./date-format.ts";
import { invalid, parseDateText } from "./date-parse.ts";
import { localIn, outOfRange, packPrecision, roundMicros } from "./date-types.ts";
import type { Datum, TimeTz } from "./datum.ts";
import { viewOf } from "./integer-types.ts";
import { bigintKey, type KeyCodec } from "./key-codecs.ts";
import { OID } from "./oids.ts";
import type { TypeContext } from "./registry.ts";
import { formatOffset, offsetOfLocal, type TimeZone, timeZone } from "./time-zones.ts";

/** Seconds; PostgreSQL's MAX_TZDISP_HOUR. */
const offsetMax = 16 * 3600;

/** `offset`: seconds east of UTC. */
export const timeTz = (micros: bigint, offset: number): TimeTz => ({
	kind: "timetz",
	micros,
	offset,
});

/** Microseconds at Greenwich; may be before or after the day. */
export const atUtc = ({ micros, offset }: TimeTz): bigint => micros - BigInt(offset) * 1_000_000n;

/** The further west comes last where the moments are the same. */
export function compareTimeTz(a: TimeTz, b: TimeTz): number {
	const [x, y] = [atUtc(a), atUtc(b)];
	if (x !== y) return x < y ? -1 : 1;
	return b.offset - a.offset;
}

/** What a clock shows in a zone at a moment. */
export function timeTzAt(zone: TimeZone, t: bigint): TimeTz {
	const offset = zone.offsetAt(unixSeconds(t));
	return timeTz(BigInt(splitTimestamp(localIn(zone, t)).micros), offset);
}

/** Of a time of day as the session's zone has it today. */
export function zoned(time: bigint, context: TypeContext): TimeTz {
	const zone = timeZone(context.timeZone);
	const { days } = splitTimestamp(localIn(zone, context.transactionStart));
	return timeTz(time, offsetOfLocal(zone, unixSeconds(joinTimestamp(days, Number(time)))));
}

/** The same moment of the day elsewhere. */
export function moved(time: TimeTz, offset: number): TimeTz {
	const local = (atUtc(time) + BigInt(offset) * 1_000_000n) % microsPerDay;
	return timeTz(local < 0n ? local + microsPerDay : local, offset);
}

/** Without a zone in the text, and with one whose offset depends on the date but without that, as it is today. */
function parse(text: string, context: TypeContext): TimeTz {
	const own = timeZone(context.timeZone);
	const { special, fields } = parseDateText(text, "time with time zone", context.dateStyle);
	if (special === "now") return timeTzAt(own, context.transactionStart);
	if (special !== undefined || fields?.micros === undefined) {
		throw invalid("time with time zone", text);
	}
	const { zone = own, micros, days } = fields;
	if (typeof zone === "number") return timeTz(BigInt(micros), zone);
	const today = splitTimestamp(localIn(own, context.transactionStart)).days;
	const local = joinTimestamp(days ?? today, micros);
	return timeTz(BigInt(micros), offsetOfLocal(zone, unixSeconds(local)));
}

const keyCodec: KeyCodec = {
	encode(value) {
		const time = value as TimeTz;
		return (
			(bigintKey.encode(atUtc(time)) as string) + String.fromCharCode(...westward(time.offset))
		);
	},
	decode(text, offset) {
		const { value, next } = bigintKey.decode(text, offset);
		const seconds =
			offsetMax -
			((text.charCodeAt(next) << 16) |
				(text.charCodeAt(next + 1) << 8) |
				text.charCodeAt(next + 2));
		const micros = (value as bigint) + BigInt(seconds) * 1_000_000n;
		return { value: timeTz(micros, seconds), next: next + 3 };
	},
	lossy: false,
};

const westward = (offset: number): number[] => {
	const west = offsetMax - offset;
	return [west >>> 16, (west >>> 8) & 0xff, west & 0xff];
};

export const timetzType: BuiltinType = defineType({
	oid: OID.timetz,
	name: "timetz",
	sqlName: "time with time zone",
	length: 12,
	category: "D",
	arrayOid: OID.timetzArray,
	parse,
	format(value) {
		const { micros, offset } = value as TimeTz;
		return `${formatTime(Number(micros))}${formatOffset(offset)}`;
	},
	encodeBinary(value) {
		const { micros, offset } = value as TimeTz;
		const out = Buffer.allocUnsafe(12);
		out.writeBigInt64BE(micros, 0);
		out.writeInt32BE(-offset, 8);
		return out;
	},
	decodeBinary(bytes) {
		const view = viewOf(bytes, 12);
		const micros = view.readBigInt64BE(0);
		const offset = -view.readInt32BE(8);
		if (micros < 0n || micros > microsPerDay) throw outOfRange("time");
		if (Math.abs(offset) >= offsetMax) throw outOfRange("time zone displacement");
		return timeTz(micros, offset + 0);
	},
	compare: (a, b) => compareTimeTz(a as TimeTz, b as TimeTz),
	keyCodec,
	modify: (value, modifier): Datum => {
		const { micros, offset } = value as TimeTz;
		return timeTz(roundMicros(micros, modifier), offset);
	},
	describe: (modifier) => `time(${modifier}) with time zone`,
	packModifier: packPrecision("TIME"),
});
