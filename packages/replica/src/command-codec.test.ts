import type { BootId, NodeId, TransactionId } from "@quorate/keys/ids";
import { type Key, keySuccessor } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import test from "ava";
import fc from "fast-check";
import { type Command, decodeCommand, encodeCommand, type Write } from "./commands.ts";

const key = fc
	.uint8Array({ minLength: 1, maxLength: 8 })
	.map((bytes) => Buffer.from(bytes).toString("latin1") as Key);
const time = fc.integer({ min: 0, max: 2 ** 50 }).map((n) => n as Timestamp);
const transaction = fc
	.string({ unit: "grapheme-ascii", maxLength: 12 })
	.map((s) => s as TransactionId);
const write: fc.Arbitrary<Write> = fc.oneof(
	fc.record({ key, value: fc.option(fc.uint8Array({ maxLength: 40 })) }),
	fc.record({ key, value: fc.constant(null), mark: fc.constant(true) }),
);
const span = fc.oneof(
	key.map((start) => ({ start, end: keySuccessor(start) })),
	fc.record({ start: key, end: key }),
);
const writes = fc.array(write, { maxLength: 5 });
const spans = fc.array(span, { maxLength: 5 });
const anchor = key;
const command: fc.Arbitrary<Command> = fc.oneof(
	fc.record({
		kind: fc.constant("prepare"),
		transaction,
		p: time,
		anchor,
		chunk: fc.nat(),
		writes,
	}),
	fc.record({ kind: fc.constant("commit"), transaction, c: time, anchor, written: spans }),
	fc.record({ kind: fc.constant("abort"), transaction, anchor, at: time }),
	fc.record({ kind: fc.constant("resolve"), transaction, c: time, spans }),
	fc.record({
		kind: fc.constant("one-phase"),
		transaction,
		p: time,
		c: time,
		anchor,
		writes,
		reads: fc.array(fc.record({ key, c: time }), { maxLength: 2 }),
		written: spans,
	}),
	fc.record({ kind: fc.constant("extend"), expiry: time }),
	fc.record({
		kind: fc.constant("lease"),
		replaces: fc.nat(),
		nodeId: fc.constant(3 as NodeId),
		bootId: fc.constant("boot" as BootId),
		start: time,
		expiry: time,
	}),
	fc.record({
		kind: fc.constant("collect"),
		threshold: time,
		span: fc.record({ start: key, end: key }),
	}),
	fc.record({
		kind: fc.constant("clear"),
		threshold: time,
		dropped: time,
		span: fc.record({ start: key, end: key }),
	}),
);

test("every command is the same after encoding and decoding", (t) => {
	const plain = (value: unknown): unknown =>
		JSON.parse(
			JSON.stringify(value, (_, v) => (v instanceof Uint8Array ? [...v, "bytes"] : v)),
		) as unknown;
	fc.assert(
		fc.property(command, fc.nat(), fc.nat(), (c, sequence, number) => {
			const envelope = { sequence, number, version: 7, command: c };
			t.deepEqual(plain(decodeCommand(encodeCommand(envelope))), plain(envelope));
		}),
		{ numRuns: 500 },
	);
	t.pass();
});
