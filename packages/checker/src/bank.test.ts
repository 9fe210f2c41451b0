import test from "ava";
import { checkBank } from "./bank.ts";
import { inEffect, plan } from "./testing/executor.ts";
import { Random } from "./testing/random.ts";

const options = { accounts: ["a", "b"], total: 10 };
const kinds = (balances: Record<string, number | null>) =>
	checkBank([{ id: 0, balances: new Map(Object.entries(balances)) }], options).problems.map(
		(p) => p.kind,
	);

test("every class of planted anomalies is found", (t) => {
	t.deepEqual(kinds({ a: 4, b: 6 }), []);
	t.deepEqual(kinds({ a: 4, b: 7 }), ["wrong-total"]);
	t.deepEqual(kinds({ a: -1, b: 11 }), ["negative-balance"]);
	t.deepEqual(kinds({ a: 10 }), ["missing-account"]);
	t.deepEqual(kinds({ a: 4, b: 6, c: 0 }), ["unexpected-account"]);
	t.deepEqual(kinds({ a: 10, b: null }), ["no-balance"]);
	t.false(checkBank([], options).valid);
	const negative = [
		{
			id: 0,
			balances: new Map([
				["a", -1],
				["b", 11],
			] as const),
		},
	];
	t.true(checkBank(negative, { ...options, mayBeNegative: true }).valid);
});

test("nothing is reported in 500 valid random histories", (t) => {
	for (let seed = 1; seed <= 500; seed++) {
		const random = new Random(seed);
		const accounts = ["a", "b", "c", "d"];
		const balances = new Map(accounts.map((a) => [a, 10]));
		const reads: { id: number; balances: Map<string, number> }[] = [];
		for (const { id, at, status } of inEffect(plan(random, { processes: 5, operations: 40 }))) {
			const [from, to] = [random.pick(accounts), random.pick(accounts)];
			const amount = Math.min(random.below(8), balances.get(from)!);
			if (random.chance(0.5) && status === "ok") reads.push({ id, balances: new Map(balances) });
			else if (at !== undefined) {
				balances.set(from, balances.get(from)! - amount);
				balances.set(to, balances.get(to)! + amount);
			}
		}
		const { problems } = checkBank(reads, { accounts, total: 40 });
		if (problems.length > 0) t.fail(`seed ${seed}: ${problems[0]!.explanation}`);
	}
	t.pass();
});
