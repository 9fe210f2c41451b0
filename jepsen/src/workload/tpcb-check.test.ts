/** The check of the load can fail: each kind of broken state is found. */
import test from "ava";
import { type Attempt, longestGapMs, type Outcome, summary } from "./outcome.ts";
import { type TpcbState, violations } from "./tpcb-check.ts";

const attempt = (id: number, outcome: Outcome, endedMs = id): Attempt => ({
	id,
	node: 1,
	account: 10 + id,
	teller: 1,
	branch: 1,
	delta: 5,
	outcome,
	startedMs: 0,
	endedMs,
});

const row = (id: number) => ({ id, account: 10 + id, teller: 1, branch: 1, delta: 5 });

const attempts = [
	attempt(1, { kind: "ok" }),
	attempt(2, { kind: "failed", code: "40001" }),
	attempt(3, { kind: "unknown", code: "lost" }),
	attempt(4, { kind: "unknown", code: "40003" }),
];

const sums = (total: number) => ({
	accounts: total,
	tellers: total,
	branches: total,
	history: total,
});

const good: TpcbState = { ids: [1, 4], history: [row(1), row(4)], sums: sums(10) };

test("what was acknowledged is there, what failed is not, what is unknown may be", (t) => {
	t.deepEqual(violations(attempts, good), []);
	t.is(summary(attempts), "failed 40001 1, ok 1, unknown 40003 1, unknown lost 1");
});

test("each way to be wrong is found", (t) => {
	const broken: [Partial<TpcbState>, RegExp][] = [
		[{ ids: [4], history: [row(4)] }, /transaction 1 .* is lost/],
		[{ ids: [1, 2, 4], history: [row(1), row(2), row(4)] }, /2 .* has happened, .* told 40001/],
		[{ history: [row(1), row(1), row(4)] }, /1 .* has 2 rows in history/],
		[{ history: [row(1)] }, /4 .* has 0 rows in history and 1 in ids/],
		[{ ids: [1, 1, 4] }, /a number twice/],
		[{ ids: [1, 4, 9], history: [row(1), row(4), row(9)] }, /9 was never sent/],
		[{ history: [row(1), { ...row(4), delta: 6 }] }, /4 .* instead of what was sent/],
		[{ sums: { ...sums(10), tellers: 9 } }, /sums differ/],
	];
	for (const [change, expected] of broken) {
		const found = violations(attempts, { ...good, ...change });
		t.regex(found.join("\n"), expected);
	}
});

test("the longest gap is between acknowledgements", (t) => {
	const ok = { kind: "ok" } as const;
	const failed = { kind: "failed", code: "40001" } as const;
	const ends = [
		attempt(1, ok, 100),
		attempt(2, failed, 300),
		attempt(3, ok, 450),
		attempt(4, ok, 460),
	];
	t.is(longestGapMs(ends), 350);
	t.is(longestGapMs([]), 0);
});
