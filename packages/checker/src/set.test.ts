import test from "ava";
import { checkSet, type SetAdd, type SetRead, type SetResult } from "./set.ts";
import { inEffect, plan } from "./testing/executor.ts";
import { Random } from "./testing/random.ts";

const add = (
	element: number,
	invoked: number,
	completed: number,
	status: SetAdd["status"] = "ok",
): SetAdd => ({ element, status, invoked, completed });
const read = (invoked: number, ...elements: number[]): SetRead => ({
	elements,
	invoked,
	completed: invoked + 1,
});
/** What is not empty. */
const found = (result: SetResult) =>
	Object.fromEntries(
		Object.entries(result).filter(([, value]) => Array.isArray(value) && value.length > 0),
	);

test("every class of planted anomalies is found", (t) => {
	t.deepEqual(found(checkSet([add(1, 0, 1)], [read(2)])), { lost: [1] });
	t.deepEqual(found(checkSet([add(1, 0, 1)], [read(2, 1), read(4)])), { lost: [1] });
	t.deepEqual(found(checkSet([add(1, 0, 1)], [read(2), read(4, 1)])), { stale: [1] });
	t.deepEqual(found(checkSet([], [read(2, 7)])), { unexpected: [7] });
	t.deepEqual(found(checkSet([add(1, 0, 1, "fail")], [read(2, 1)])), { unexpected: [1] });
	t.deepEqual(found(checkSet([add(1, 9, 10)], [read(2, 1)])), { unexpected: [1] });
	t.deepEqual(found(checkSet([add(1, 0, 1)], [read(2, 1, 1)])), { duplicated: [1] });
	t.deepEqual(found(checkSet([add(1, 5, 6)], [read(2)])), { neverRead: [1] });
});

test("what is not known may be there or not, but not come and go", (t) => {
	const lost = add(1, 0, Number.POSITIVE_INFINITY, "info");
	t.deepEqual(found(checkSet([lost], [read(2)])), {});
	t.deepEqual(found(checkSet([lost], [read(2), read(4, 1)])), { recovered: [1] });
	t.deepEqual(found(checkSet([lost], [read(2, 1), read(4)])), { lost: [1] });
});

test("what overlaps an add may show it or not; without a read nothing is proved", (t) => {
	t.true(checkSet([add(1, 0, 5)], [read(2), read(6, 1)]).valid);
	t.true(checkSet([add(1, 0, 5)], [read(2, 1), read(6, 1)]).valid);
	t.false(checkSet([add(1, 0, 5)], []).valid);
	t.false(checkSet([add(1, 0, 1, "fail")], [read(2)]).valid);
});

test("nothing is reported in 1,000 valid random histories", (t) => {
	for (let seed = 1; seed <= 1_000; seed++) {
		const random = new Random(seed);
		const planned = plan(random, { processes: 2 + random.below(6), operations: 40 });
		const adds: SetAdd[] = [];
		const reads: SetRead[] = [];
		const elements: number[] = [];
		for (const { id, status, at, invoked, completed } of inEffect(planned)) {
			if (random.chance(0.6)) {
				adds.push({ element: id, status, invoked, completed });
				if (at !== undefined) elements.push(id);
			} else if (status === "ok") reads.push({ elements: [...elements], invoked, completed });
		}
		reads.push({ elements, invoked: 1e6, completed: 1e6 });
		const { lost, stale, unexpected, duplicated, neverRead } = checkSet(adds, reads);
		const wrong = [lost, stale, unexpected, duplicated, neverRead];
		if (wrong.flat().length > 0) t.fail(`seed ${seed}: ${JSON.stringify(wrong)}`);
	}
	t.pass();
});
