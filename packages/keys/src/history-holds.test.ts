/** Which history is held. */
import test from "ava";
import { holdName, holdValue, lapsedHolds, oldestHold } from "./history-holds.ts";
import { addMs, type Timestamp } from "./timestamp.ts";

const now = addMs(0 as Timestamp, 5_000_000);
const held = (name: string, from: number, at: Timestamp): [string, string] => [
	holdName(name),
	holdValue(from as Timestamp, at),
];

test("the oldest counts that has not lapsed", (t) => {
	const settings = new Map([
		["gc_ttl", "10min"],
		held("a", 700, now),
		held("b", 600, addMs(now, -590_000)),
		held("c", 500, addMs(now, -600_000)),
		[holdName("d"), "nonsense"] as [string, string],
	]);
	t.is(oldestHold(settings, now), 600 as Timestamp);
	t.deepEqual(lapsedHolds(settings, now), [holdName("c"), holdName("d")]);
	t.is(oldestHold(new Map([["gc_ttl", "1h"]]), now), undefined);
});
