/** Which errors a kill or a pause explains, and which not. */
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
const faults = [
	{ kind: "kill", node: 1, fromMs: 104, toMs: 106 },
	{ kind: "pause", node: 3, fromMs: 150, toMs: 160 },
] as const;

test("a connection lost to a node that died, a node that stood still, a moved lease, an unknown outcome", (t) => {
	const attempts = [
		attempt(2, 90, { kind: "ok" }),
		attempt(1, 100, failed("lost")),
		attempt(1, 100, unknown("lost")),
		attempt(2, 100, failed("40001")),
		attempt(3, 200, unknown("40003")),
		attempt(3, 155, failed("57P03")),
	];
	t.deepEqual(unexpectedErrors(attempts, faults), []);
});

test("a node that stops in order costs its own clients their connection, and nobody anything else", (t) => {
	const stop = [{ kind: "stop", node: 1, fromMs: 104, toMs: 106 }] as const;
	const explained = [
		attempt(1, 100, failed("57P01")),
		attempt(1, 100, failed("lost")),
		attempt(1, 100, unknown("57P01")),
	];
	t.deepEqual(unexpectedErrors(explained, stop), []);
	const unexplained = [
		attempt(2, 100, failed("40001")),
		attempt(2, 100, unknown("40003")),
		attempt(2, 100, failed("57P01")),
		attempt(2, 100, failed("57P03")),
	];
	t.is(unexpectedErrors(unexplained, stop).length, unexplained.length);
});

test("all else is unexpected", (t) => {
	const attempts = [
		attempt(2, 100, failed("lost")),
		attempt(1, 200, unknown("lost")),
		attempt(1, 20, failed("lost")),
		attempt(3, 100, failed("40P01")),
		attempt(3, 100, unknown("XX000")),
		attempt(1, 100, failed("XX000")),
		attempt(1, 100, failed("57P03")),
		attempt(3, 155, failed("lost")),
	];
	t.is(unexpectedErrors(attempts, faults).length, attempts.length);
});
