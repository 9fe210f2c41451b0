import { decodeMessage, encodeMessage, LENGTH_BYTES } from "@quorate/rpc/codec";
import test from "ava";
import { answerFromWire, answerToWire, requestFromWire, requestToWire } from "./range-wire.ts";
import type { RangeAnswer, RangeRequestBody } from "./requests.ts";

const through = (wire: readonly unknown[]): unknown =>
	decodeMessage(encodeMessage([wire]).subarray(LENGTH_BYTES));
const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);

const lock = { owner: "o/1", strength: "no key update", wait: "skip locked", timeoutMs: 7 };
const span = { start: "a\u0000\u00ff", end: "b" };
const limits = { rowsMax: 10, bytesMax: 2 ** 40, reverse: true };
const writes = [
	{ key: "k1", value: bytes(1, 2), since: 5 },
	{ key: "k2", value: null, since: null, absent: true },
	{ key: "k3", value: null, since: 2 ** 51, mark: true },
	{ key: "k4", value: bytes(3), since: null, after: "t0" },
];
const items = [
	{ span, since: 4 },
	{ span, since: 5, present: true },
];
const bodies = [
	{ kind: "read", keys: ["k", "l"], s: 2 ** 51 + 1, transaction: null },
	{ kind: "read", keys: ["k"], s: null, transaction: "t" },
	{ kind: "scan", span, s: 3, limits, transaction: "t" },
	{ kind: "read", keys: ["k"], s: 8, transaction: null, owner: "o/1" },
	{ kind: "scan", span, s: 3, limits, transaction: null, owner: "o/1" },
	{ kind: "lock-read", keys: ["k"], lock, transaction: null },
	{ kind: "lock-read", keys: ["k"], lock: { ...lock, mayBuild: true }, transaction: "t" },
	{ kind: "lock-scan", span, lock, limits, transaction: null },
	{ kind: "prepare", transaction: "t", chunk: 2, anchor: "k1", writes, owner: "o/1" },
	{
		kind: "one-phase",
		transaction: "t",
		anchor: "k1",
		writes,
		validate: items,
		schemaVersion: 3,
		owner: "o/1",
	},
	{
		kind: "one-phase",
		transaction: "t",
		anchor: "k1",
		writes,
		validate: [],
		schemaVersion: 3,
		owner: "o/1",
		written: [span],
	},
	{ kind: "validate", transaction: null, items, c: 9 },
	{ kind: "validate", transaction: "t", items, c: 9, owner: "o/1" },
	{
		kind: "commit",
		transaction: "t",
		anchor: "k",
		c: 8,
		written: [span, { start: "k", end: "k\u0000" }],
	},
	{ kind: "resolve", transaction: "t", c: 0, spans: [span] },
	{ kind: "abort", transaction: "t", anchor: "k" },
	{ kind: "status", confirmed: true },
] as unknown as RangeRequestBody[];

const rows = [
	{ key: "r1", value: bytes(1) },
	{ key: "r2", value: bytes() },
];
const answers = [
	{ kind: "values", values: [null, bytes(3)] },
	{ kind: "values", values: [bytes(3)], drawn: { timestamp: 2 ** 51, schemaVersion: 4 } },
	{ kind: "rows", rows, resume: "x" },
	{ kind: "rows", rows: [], resume: null },
	{
		kind: "locked",
		values: [
			{ key: "k", value: bytes(1), ts: 4, since: 5 },
			{ key: "l", value: null, ts: 0, since: 0, skipped: true },
			{ key: "m", value: bytes(2), ts: 0, since: 0, after: "t" },
		],
	},
	{ kind: "locked-rows", rows, resume: null, ts: 6, since: 7 },
	{ kind: "prepared", p: 5 },
	{ kind: "committed", c: 6 },
	{ kind: "done" },
	{ kind: "conflict", reason: "why", key: "k" },
	{ kind: "not-leaseholder", leaseholder: 0, descriptor: null },
] as unknown as RangeAnswer[];

test("every request is the same on the other side", (t) => {
	for (const body of bodies) {
		const q = { rangeId: 3, version: 2, seen: 2 ** 50, body } as unknown as Parameters<
			typeof requestToWire
		>[0];
		t.deepEqual(requestFromWire((through(requestToWire(q)) as unknown[])[0]), q, body.kind);
	}
});

test("every answer is the same on the other side", (t) => {
	for (const answer of answers) {
		t.deepEqual(
			answerFromWire((through(answerToWire(answer)) as unknown[])[0]),
			answer,
			answer.kind,
		);
	}
});
