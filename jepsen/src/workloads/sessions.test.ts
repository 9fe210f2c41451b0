import type { Operation, OperationType, Value } from "@quorate/checker/operations";
import test from "ava";
import { lock } from "./sessions.ts";

type Line = readonly [process: number, type: OperationType, f: string, value: Value];

const historyOf = (lines: readonly Line[]): readonly Operation[] =>
	lines.map(([process, type, f, value], index) => ({
		index,
		time: index,
		process,
		type,
		f,
		value,
	}));

const section = (process: number, token: number): readonly Line[] => [
	[process, "invoke", "section", null],
	[process, "ok", "section", token],
];
const read = (log: readonly number[]): readonly Line[] => [
	[9, "invoke", "read", null],
	[9, "ok", "read", log],
];
const kinds = (...lines: readonly Line[]): readonly string[] =>
	lock()
		.check(historyOf(lines))
		.findings.map(({ kind }) => kind);

test("what a holder committed is in the log that is read after it", (t) => {
	t.deepEqual(kinds(...section(1, 1), ...read([1, 1, 1])), []);
	t.deepEqual(kinds(...section(1, 1), ...read([1, 1])), ["lost-write"]);
});

test("a section that ended after the last look says nothing", (t) => {
	t.deepEqual(kinds(...section(1, 1), ...read([1, 1, 1]), ...section(2, 2)), []);
	const [begun, ended] = section(2, 2);
	t.deepEqual(kinds(...section(1, 1), begun!, ...read([1, 1, 1, 2]), ended!), []);
});

test("an older token after a newer one was overtaken", (t) => {
	t.deepEqual(kinds(...section(2, 2), ...read([1, 2, 2, 1, 2])), ["overtaken"]);
});
