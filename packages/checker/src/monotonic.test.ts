import test from "ava";
import { checkMonotonic, checkRows, type Observation } from "./monotonic.ts";
import { inEffect, plan } from "./testing/executor.ts";
import { Random } from "./testing/random.ts";

let nextId = 0;
const see = (invoked: number, completed: number, value: number, key = "x"): Observation => ({
	id: nextId++,
	...{ key, value, invoked, completed },
});

test("who looks later sees no less", (t) => {
	t.true(checkMonotonic([see(0, 1, 1), see(2, 3, 1), see(4, 5, 2)]).valid);
	t.true(checkMonotonic([see(0, 5, 2), see(1, 6, 1)]).valid);
	nextId = 0;
	t.deepEqual(checkMonotonic([see(0, 1, 2), see(2, 3, 1)]).decreases, [
		{
			...{ key: "x", before: 0, after: 1 },
			explanation: "#0 saw 2 in x; #1 began after that and saw 1",
		},
	]);
	t.true(checkMonotonic([see(0, 1, 2), see(2, 3, 1, "y")]).valid);
	// Also where something smaller was seen in between.
	t.is(checkMonotonic([see(0, 1, 5), see(0, 3, 1), see(4, 5, 4)]).decreases.length, 1);
	t.false(checkMonotonic([]).valid);
});

test("rows with greater timestamps hold greater values", (t) => {
	t.true(
		checkRows([
			{ value: 2, timestamp: 20 },
			{ value: 1, timestamp: 10 },
		]).valid,
	);
	t.false(
		checkRows([
			{ value: 1, timestamp: 20 },
			{ value: 2, timestamp: 10 },
		]).valid,
	);
	t.false(
		checkRows([
			{ value: 1, timestamp: 20 },
			{ value: 2, timestamp: 20 },
			{ value: 2, timestamp: 30 },
		]).valid,
	);
	t.false(checkRows([]).valid);
});

test("nothing is reported in 1,000 valid random histories", (t) => {
	for (let seed = 1; seed <= 1_000; seed++) {
		const random = new Random(seed);
		let value = 0;
		const observations: Observation[] = [];
		for (const p of inEffect(plan(random, { processes: 5, operations: 40 }))) {
			if (random.chance(0.5) && p.at !== undefined) value++;
			if (p.status === "ok") observations.push(see(p.invoked, p.completed, value));
		}
		const { decreases } = checkMonotonic(observations);
		if (decreases.length > 0) t.fail(`seed ${seed}: ${decreases[0]!.explanation}`);
	}
	t.pass();
});
