/** Which errors a kill explains, and which not. */
import test from "ava";
import type { Attempt, Outcome } from "../workload/outcome.ts";
import { unexpectedErrors } from "./crash.ts";

const attempt = (node: number, startedMs: number, outcome: Outcome): Attempt => ({
	id: startedMs,
	node,
	account: 1,
	teller: 1,
	branch: 1,
	delta: 1,
	outcome,
	startedMs,
	endedMs: startedMs + 10,
});

const failed = (code: string): Outcome => ({ kind: "failed", code });
const unknown = (code: string): Outcome => ({ kind: "unknown", code });
const kills = [{ node: 1, atMs: 105 }];

test("a lost connection to the node that died, a moved lease, an unknown outcome", (t) => {
	const attempts = [
		attempt(2, 90, { kind: "ok" }),
		attempt(1, 100, failed("lost")),
		attempt(1, 100, unknown("lost")),
		attempt(2, 100, failed("40001")),
		attempt(3, 200, unknown("40003")),
	];
	t.deepEqual(unexpectedErrors(attempts, kills), []);
});

test("all else is unexpected", (t) => {
	const attempts = [
		attempt(2, 100, failed("lost")),
		attempt(1, 200, unknown("lost")),
		attempt(1, 20, failed("lost")),
		attempt(3, 100, failed("40P01")),
		attempt(3, 100, unknown("XX000")),
		attempt(1, 100, failed("XX000")),
	];
	t.is(unexpectedErrors(attempts, kills).length, attempts.length);
});
