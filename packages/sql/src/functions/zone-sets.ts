/** pg_timezone_names and pg_timezone_abbrevs: the zones that there are by Intl's data, and the abbreviations that are understood. */
import { unixSeconds } from "../types/date-format.ts";
import type { Datum } from "../types/datum.ts";
import { interval } from "../types/interval-values.ts";
import { OID } from "../types/oids.ts";
import type { SetFunction, TypeContext } from "../types/registry.ts";
import { abbreviationOffset, timeZone, zoneAbbreviations } from "../types/time-zones.ts";

const halfYear = 15_778_800;

const offsetOf = (seconds: number): Datum => interval(0, 0, BigInt(seconds) * 1_000_000n);

/** What each of them is at the start of the transaction. */
function* zoneNames({ transactionStart }: TypeContext): Iterable<readonly Datum[]> {
	const now = unixSeconds(transactionStart);
	for (const name of [
		...Intl.supportedValuesOf("timeZone").filter((one) => one !== "UTC"),
		"UTC",
	]) {
		const zone = timeZone(name);
		const offset = zone.offsetAt(now);
		const least = Math.min(zone.offsetAt(now + halfYear), zone.offsetAt(now - halfYear));
		yield [name, zone.lettersAt(now), offsetOf(offset), offset > least];
	}
}

/** Those of summer. */
const ofSummer: ReadonlySet<string> = new Set(
	"west bst cest mest eest msd edt cdt mdt pdt akdt adt ndt brst idt acdt aedt nzdt".split(" "),
);

function* abbreviations(): Iterable<readonly Datum[]> {
	for (const name of zoneAbbreviations) {
		yield [name.toUpperCase(), offsetOf(abbreviationOffset(name)!), ofSummer.has(name)];
	}
}

const columnsFrom = (first: readonly string[]): SetFunction["columns"] => [
	...first.map((name) => ({ name, oid: OID.text })),
	{ name: "utc_offset", oid: OID.interval },
	{ name: "is_dst", oid: OID.bool },
];

export const zoneNameSet: SetFunction = {
	name: "pg_timezone_names",
	args: [],
	columns: columnsFrom(["name", "abbrev"]),
	call: (_args, context) => zoneNames(context),
};

export const zoneAbbreviationSet: SetFunction = {
	name: "pg_timezone_abbrevs",
	args: [],
	columns: columnsFrom(["abbrev"]),
	call: abbreviations,
};
