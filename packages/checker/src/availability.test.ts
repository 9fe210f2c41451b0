import test from "ava";
import { availability, type Timed } from "./availability.ts";

const op = (invoked: number, completed: number, status: Timed["status"] = "ok"): Timed => ({
	status,
	invoked,
	completed,
});

test("answers are counted and timed by bucket, and gaps are found, the edges included", (t) => {
	const operations = [
		op(0, 1),
		op(2, 6),
		op(3, 9, "fail"),
		op(4, Number.POSITIVE_INFINITY, "info"),
		op(20, 25),
		op(21, 40, "fail"),
	];
	const { buckets, unavailable, longestGap, latency } = availability(operations, {
		bucketSize: 10,
		gapMin: 15,
	});
	t.deepEqual(
		buckets.map(({ from, ok, fail, info, latency }) => [from, ok, fail, info, latency?.max]),
		[
			[0, 2, 1, 1, 4],
			[10, 0, 0, 0, undefined],
			[20, 1, 0, 0, 5],
			[30, 0, 0, 0, undefined],
			[40, 0, 1, 0, undefined],
		],
	);
	t.deepEqual(unavailable, [
		{ from: 6, to: 25 },
		{ from: 25, to: 40 },
	]);
	t.deepEqual(longestGap, { from: 6, to: 25 });
	t.deepEqual(latency, { p50: 4, p95: 5, p99: 5, max: 5 });
});

test("a run in which nothing succeeded is one gap, none at all has nothing", (t) => {
	const { unavailable } = availability([op(0, 9, "fail")], { bucketSize: 1, gapMin: 5 });
	t.deepEqual(unavailable, [{ from: 0, to: 9 }]);
	t.is(availability([], { bucketSize: 1, gapMin: 5 }).longestGap, undefined);
	const run = { from: 0, to: 100 };
	t.deepEqual(availability([], { bucketSize: 50, gapMin: 5, run }).unavailable, [run]);
});

test("quantiles are values that occurred", (t) => {
	const operations = Array.from({ length: 200 }, (_, i) => op(0, i + 1));
	const { latency } = availability(operations, { bucketSize: 1_000, gapMin: 1 });
	t.deepEqual(latency, { p50: 100, p95: 190, p99: 198, max: 200 });
});
