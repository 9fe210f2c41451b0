import { type Key, key, type Span } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import test from "ava";
import fc from "fast-check";
import { RecentChanges } from "./recent-changes.ts";

interface Put {
	readonly k: Key;
	readonly ts: Timestamp;
}

const last = (puts: readonly Put[], { start, end }: Span, floor: Timestamp): Timestamp =>
	puts.reduce((most, { k, ts }) => (k >= start && k < end && ts > most ? ts : most), floor);

const keyOf = (n: number): Key => key(`k${String(n).padStart(4, "0")}`);
const spanOf = (from: number, size: number): Span => ({
	start: keyOf(from),
	end: keyOf(from + size),
});

test("no change is missed, however much is remembered", (t) => {
	const change = fc.record({
		first: fc.nat(900),
		keys: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 40 })),
		// Resolves are applied in another order than they were committed in.
		ts: fc.integer({ min: 1, max: 5_000 }),
	});
	const looks = fc.array(fc.tuple(fc.nat(999), fc.integer({ min: 1, max: 50 })), { minLength: 5 });
	fc.assert(
		fc.property(fc.array(change, { maxLength: 400 }), looks, fc.nat(400), (all, spans, at) => {
			const recent = new RecentChanges(7 as Timestamp);
			const puts: Put[] = [];
			all.forEach(({ first, keys, ts }, i) => {
				// Twice: nothing has come since the first time.
				if (i === at) for (let n = 0; n < 2; n++) recent.rest();
				for (let n = 0; n < keys; n++) {
					const put = { k: keyOf(first + 3 * n), ts: ts as Timestamp };
					puts.push(put);
					recent.put(put.k, put.ts);
				}
			});
			for (const [from, size] of spans) {
				const span = spanOf(from, size);
				if (recent.lastIn(span) < last(puts, span, 7 as Timestamp)) return false;
			}
			return true;
		}),
		{ numRuns: 200 },
	);
	t.pass();
});

test("what is forgotten counts for every key", (t) => {
	const recent = new RecentChanges(0 as Timestamp);
	// The oldest one has the highest timestamp of those that have to go.
	for (let n = 0; n < 1_000; n++) recent.put(keyOf(n), (2_000 - n) as Timestamp);
	for (const n of [0, 300, 480, 999]) {
		t.true(recent.lastIn(spanOf(n, 1)) >= 2_000 - n, String(n));
	}
	recent.put(keyOf(0), 3_000 as Timestamp);
	for (let n = 0; n < 600; n++) recent.put(keyOf(n), (4_000 + n) as Timestamp);
	t.is(recent.lastIn(spanOf(8_000, 1)), (4_000 + 600 - 512 - 1) as Timestamp);
});

test("a commit elsewhere is told apart", (t) => {
	const recent = new RecentChanges(0 as Timestamp);
	// A batch of a bulk write, and a small transaction.
	for (let n = 0; n < 5_000; n++) recent.put(keyOf(2_000 + n), 10 as Timestamp);
	recent.put(keyOf(5), 11 as Timestamp);
	recent.put(keyOf(9_500), 11 as Timestamp);
	t.is(recent.lastIn(spanOf(6, 1_994)), 0 as Timestamp);
	t.is(recent.lastIn(spanOf(6, 1_995)), 10 as Timestamp);
	t.is(recent.lastIn(spanOf(0, 9_999)), 11 as Timestamp);
	t.is(recent.lastIn(spanOf(5, 1)), 11 as Timestamp);
});
