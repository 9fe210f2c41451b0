import type { RangeId, TransactionId } from "@quorate/keys/ids";
import { type Key, type Span, spanContains } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import test from "ava";
import fc from "fast-check";
import {
	allMetaSpan,
	dataKey,
	deletionKey,
	engineSpans,
	historyEnd,
	historyKey,
	historyPrefix,
	historyPrefixOf,
	historyUserKey,
	intentKey,
	metaKey,
	parseMetaKey,
	stagingPrefix,
	stagingSpan,
	transactionKey,
} from "./engine-keys.ts";

/** Short ones and, now and then, long ones: they are escaped in different ways. */
const userKey = fc
	.tuple(
		fc.array(fc.constantFrom("\0", "\x01", "\x02", "a", "\xfe", "\xff"), { maxLength: 5 }),
		fc.constantFrom(1, 1, 1, 1, 100),
	)
	.map(([parts, times]) => {
		const k = parts.join("").repeat(times);
		return (k.startsWith("\xff") ? `a${k}` : k) as Key;
	});
const ts = fc.nat({ max: Number.MAX_SAFE_INTEGER }).map((n) => n as Timestamp);
const compare = (a: string | number, b: string | number): number => (a < b ? -1 : a > b ? 1 : 0);

test("history is ordered by user key, then by end", (t) => {
	fc.assert(
		fc.property(userKey, ts, userKey, ts, (a, endA, b, endB) => {
			const expected = compare(a, b) || compare(endA, endB);
			const [x, y] = [historyKey(a, endA), historyKey(b, endB)];
			return (
				compare(x, y) === expected &&
				historyEnd(x) === endA &&
				historyPrefixOf(x) === historyPrefix(a) &&
				historyUserKey(historyPrefix(a)) === a
			);
		}),
		{ numRuns: 3_000 },
	);
	t.pass();
});

test("everything of a key lies on the side of a split on which the key lies", (t) => {
	const holds = (span: Span, k: Key): boolean => engineSpans(span).some((s) => spanContains(s, k));
	fc.assert(
		fc.property(userKey, userKey, ts, (at, k, end) => {
			const left = { start: "" as Key, end: at };
			const right = { start: at, end: "\xff" as Key };
			const own = [
				dataKey(k),
				deletionKey(k),
				intentKey(k),
				historyKey(k, end),
				transactionKey(k, "abc/1.ff/0" as TransactionId),
			];
			return own.every((x) => holds(left, x) === k < at && holds(right, x) === k >= at);
		}),
		{ numRuns: 3_000 },
	);
	t.pass();
});

test("meta and staging keys tell ranges apart", (t) => {
	for (const id of [0, 1, 255, 256, 2 ** 32 - 1, 2 ** 32, 2 ** 47]) {
		const rangeId = id as RangeId;
		const k = metaKey(rangeId, "state");
		t.deepEqual(parseMetaKey(k), { rangeId, name: "state" });
		t.true(spanContains(allMetaSpan, k));
		const staged = (stagingPrefix(rangeId) + dataKey("\xfe\xff" as Key)) as Key;
		t.true(spanContains(stagingSpan(rangeId), staged));
		t.false(spanContains(stagingSpan((id + 1) as RangeId), staged));
		t.false(
			engineSpans({ start: "" as Key, end: "\xff" as Key }).some(
				(s) => spanContains(s, k) || spanContains(s, staged),
			),
		);
	}
});
