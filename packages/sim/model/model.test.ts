import test from "ava";
import { isStrictlySerializable } from "./checker.ts";
import { type MutationName, mutationNames, mutations } from "./mutations.ts";
import { newCounts } from "./state.ts";
import { newTransaction, type Outcome, type Read, type Transaction } from "./transaction.ts";
import { type Failure, walk } from "./walk.ts";

const seed = 1;

test("20,000 walks show nothing, and go everywhere", (t) => {
	const counts = newCounts();
	for (let n = 0; n < 20_000; n++) {
		const failure = walk({ seed, walk: n, counts });
		if (failure !== undefined) {
			t.fail(`walk ${n}: ${failure.what}; make model SEED=${seed} WALK=${n} TRACE=1`);
			return;
		}
	}
	t.log(counts);
	for (const [name, count] of Object.entries(counts)) t.true(count >= 100, `${name}: ${count}`);
});

test("one walk is always the same, another is another", (t) => {
	const traceOf = (n: number): string => {
		const trace: string[] = [];
		walk({ seed, walk: n, counts: newCounts(), trace });
		return trace.join("\n");
	};
	for (let n = 0; n < 50; n++) t.is(traceOf(n), traceOf(n));
	t.not(traceOf(0), traceOf(1));
});

/** Walks until one goes wrong as the mutation should: about four times what was needed when this was written. */
const walksMax = 20_000;

function firstFailure(without: MutationName): { walk: number; failure: Failure } | undefined {
	const { shows } = mutations[without];
	for (let n = 0; n < walksMax; n++) {
		const failure = walk({ seed, walk: n, without, counts: newCounts() });
		if (failure?.kind === shows) return { walk: n, failure };
	}
	return undefined;
}

for (const name of mutationNames) {
	if (mutations[name].shows === "nothing") continue;
	test(`without ${name}: ${mutations[name].does}`, (t) => {
		const found = firstFailure(name);
		t.not(found, undefined);
		t.log(`walk ${found?.walk}: ${found?.failure.what}`);
	});
}

function did(
	id: number,
	[startedAt, endedAt]: readonly [number, number],
	reads: readonly (readonly [key: number, value: number])[],
	writes: readonly (readonly [key: number, value: number])[],
	outcome: Outcome = "committed",
): Transaction {
	const gateway = { waits: [], seen: 0, leaseholders: [] };
	const t = newTransaction(id, "ordinary", gateway, 0);
	t.outcome = outcome;
	t.startedAt = startedAt;
	t.endedAt = endedAt;
	t.reads = reads.map(([key, value]): Read => ({ key, value, since: 0, isNewest: false }));
	for (const [key, value] of writes) t.writes[key] = value;
	return t;
}

test("the checker: an order is found, where there is one", (t) => {
	const writer = did(1, [1, 5], [[0, 0]], [[0, 10]]);
	t.true(isStrictlySerializable([writer, did(2, [2, 4], [[0, 0]], [])], [10, 0, 0, 0]));
	t.true(isStrictlySerializable([writer, did(2, [2, 9], [[0, 10]], [])], [10, 0, 0, 0]));
	t.false(isStrictlySerializable([writer], [0, 0, 0, 0]), "the final value");
});

test("the checker: real time is respected, for whoever was told", (t) => {
	const late = did(2, [6, 9], [[0, 0]], []);
	t.false(isStrictlySerializable([did(1, [1, 5], [], [[0, 10]]), late], [10, 0, 0, 0]));
	const untold = did(1, [1, 5], [], [[0, 10]], "unknown");
	t.true(isStrictlySerializable([untold, late], [10, 0, 0, 0]));
});

test("the checker: write skew and a lost update are seen", (t) => {
	const a = did(1, [1, 9], [[0, 0]], [[1, 10]]);
	const b = did(2, [1, 9], [[1, 0]], [[0, 20]]);
	t.false(isStrictlySerializable([a, b], [20, 10, 0, 0]));
	const c = did(3, [1, 9], [[0, 0]], [[0, 30]]);
	const d = did(4, [1, 9], [[0, 0]], [[0, 40]]);
	t.false(isStrictlySerializable([c, d], [40, 0, 0, 0]));
});
