/** time with time zone (src/backend/utils/adt/date.c): orderTests, sums, conversions, AT TIME ZONE. */
import { joinTimestamp, microsPerDay } from "../types/calendar.ts";
import { unixSeconds } from "../types/date-format.ts";
import type { Interval, TimeTz } from "../types/datum.ts";
import type { ScalarFunction } from "../types/registry.ts";
import { zoneOfText } from "../types/time-zones.ts";
import { atUtc, compareTimeTz, moved, timeTz } from "../types/timetz-type.ts";
import { zoneSeconds } from "./date-functions.ts";
import { contextual, orderTests, pure, stable } from "./definition.ts";

function shifted({ micros, offset }: TimeTz, by: bigint): TimeTz {
	const rest = (micros + by) % microsPerDay;
	return timeTz(rest < 0n ? rest + microsPerDay : rest, offset);
}

const plus = (time: TimeTz, i: Interval): TimeTz => shifted(time, i.microseconds);

/** Offsets of the zone as they are today. */
function inZone(zone: string, time: TimeTz, now: bigint): TimeTz {
	return moved(time, zoneOfText(zone).offsetAt(unixSeconds(now)));
}

const byInterval = (zone: Interval, time: TimeTz): TimeTz => moved(time, zoneSeconds(zone));

const onDay = (days: number, time: TimeTz): bigint => joinTimestamp(days, 0) + atUtc(time);

export const timetzFunctions: readonly ScalarFunction[] = [
	...orderTests.map(([operator, test]) =>
		pure(`${operator}(timetz, timetz) -> bool`, (a: TimeTz, b: TimeTz) =>
			test(compareTimeTz(a, b)),
		),
	),
	pure("timetz_cmp(timetz, timetz) -> int4", (a: TimeTz, b: TimeTz) =>
		Math.sign(compareTimeTz(a, b)),
	),
	pure("+(timetz, interval) -> timetz", plus),
	pure("+(interval, timetz) -> timetz", (i: Interval, time: TimeTz) => plus(time, i)),
	pure("-(timetz, interval) -> timetz", (time: TimeTz, i: Interval) =>
		shifted(time, -i.microseconds),
	),
	pure("+(date, timetz) -> timestamptz", onDay),
	pure("+(timetz, date) -> timestamptz", (time: TimeTz, days: number) => onDay(days, time)),
	contextual("timezone(text, timetz) -> timetz", stable, ([zone, time], context) =>
		inZone(zone as string, time as TimeTz, context.transactionStart),
	),
	pure("timezone(interval, timetz) -> timetz", byInterval),
];
