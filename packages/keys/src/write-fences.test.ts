/** Which tables are fenced. */
import test from "ava";
import { addMs, type Timestamp } from "./timestamp.ts";
import { fenceName, fencesIn, fenceValue } from "./write-fences.ts";

test("a fence is of a table, and lapses", (t) => {
	const now = addMs(0 as Timestamp, 5_000_000);
	const settings = new Map([
		["gc_ttl", "10min"],
		[fenceName(16_384, "a"), fenceValue(now)],
		[fenceName(16_385, "b"), "nonsense"],
	]);
	const [first, second, ...others] = fencesIn(settings);
	t.is(first!.tableOid, 16_384);
	t.true(first!.until > addMs(now, 10_000) && first!.until < addMs(now, 20_000));
	t.false(second!.until > 0);
	t.deepEqual(others, []);
	t.is(fencesIn(settings), fencesIn(settings));
});
