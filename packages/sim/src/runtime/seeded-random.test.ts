import test from "ava";
import { naturalLog, SeededRandom } from "./seeded-random.ts";

test("the logarithm is one, and of sums and products only", (t) => {
	const random = new SeededRandom(1, "logarithm");
	const most = 2 ** 32;
	for (let i = 0; i < 10_000; i++) {
		const n = i < 100 ? i + 1 : i < 200 ? most - i + 100 : random.uint32() + 1;
		t.true(Math.abs(naturalLog(n) - Math.log(n / most)) < 1e-8, `${n}`);
	}
	t.is(naturalLog(most), 0);
});

test("exponential numbers have their mean, and are never negative", (t) => {
	const random = new SeededRandom(1, "exponential");
	let sum = 0;
	for (let i = 0; i < 100_000; i++) {
		const n = random.exponential(3);
		t.true(n >= 0);
		sum += n;
	}
	t.true(Math.abs(sum / 100_000 - 3) < 0.05, `${sum / 100_000}`);
});

test("a seed and a label always give the same numbers", (t) => {
	const random = new SeededRandom(42, "a");
	t.deepEqual(
		Array.from({ length: 4 }, () => random.uint32()),
		[4013366166, 4276056665, 2461810452, 3131599925],
	);
});
