import test from "ava";
import { checkLongFork, type GroupRead } from "./long-fork.ts";
import { inEffect, plan } from "./testing/executor.ts";
import { Random } from "./testing/random.ts";

const read = (id: number, group: number, ...seen: string[]): GroupRead => ({ id, group, seen });

test("two reads that saw two writes in opposite orders are found", (t) => {
	t.true(checkLongFork([read(0, 1), read(1, 1, "a"), read(2, 1, "a", "b"), read(3, 2, "c")]).valid);
	t.deepEqual(checkLongFork([read(0, 1, "a"), read(1, 1, "b"), read(2, 1, "a", "b")]).forks, [
		{ group: 1, reads: [0, 1], explanation: "#0 saw a and not b, #1 saw b and not a" },
	]);
	t.is(checkLongFork([read(0, 1, "a"), read(1, 1, "b", "c"), read(2, 2, "a")]).forks.length, 1);
	t.false(checkLongFork([read(0, 1)]).valid);
});

test("nothing is reported in 500 valid random histories", (t) => {
	for (let seed = 1; seed <= 500; seed++) {
		const random = new Random(seed);
		const written: string[][] = [[], []];
		const reads: GroupRead[] = [];
		for (const p of inEffect(plan(random, { processes: 5, operations: 40 }))) {
			const group = random.below(2);
			if (random.chance(0.4)) {
				if (p.at !== undefined) written[group]!.push(`k${p.id}`);
			} else if (p.status === "ok") reads.push(read(p.id, group, ...written[group]!));
		}
		const { forks } = checkLongFork(reads);
		if (forks.length > 0) t.fail(`seed ${seed}: ${forks[0]!.explanation}`);
	}
	t.pass();
});
