import { DatabaseError } from "@quorate/keys/database-error";
import { rangeId, replicaId } from "@quorate/keys/ids";
import type { Message } from "@quorate/raft/types";
import test from "ava";
import { decodeFrame, encodeMessage, wireFormat } from "./wire.ts";

const range = rangeId(7);
const head = { from: replicaId(1), to: replicaId(2), term: 5 };
const configuration = {
	voters: [1, 2, 3].map(replicaId),
	outgoing: [replicaId(1)],
	learners: [replicaId(4)],
	learnersNext: [],
};
const data = Uint8Array.of(1, 2, 3);
const change = {
	changes: [{ kind: "add-learner" as const, replica: replicaId(4) }],
	context: Uint8Array.of(9),
};

/** Each number is another: none is taken for its neighbour. */
const messages: readonly Message[] = [
	{
		...head,
		kind: "pre-vote",
		lastIndex: 11,
		lastTerm: 12,
		force: true,
		commit: 13,
		commitTerm: 14,
	},
	{ ...head, kind: "pre-vote-response", granted: true, commit: 11, commitTerm: 12 },
	{ ...head, kind: "vote", lastIndex: 11, lastTerm: 12, force: true },
	{ ...head, kind: "vote-response", granted: true },
	{
		...head,
		kind: "append",
		previousIndex: 11,
		previousTerm: 4,
		commit: 10,
		entries: [
			{ index: 12, term: 4, payload: { kind: "empty" } },
			{ index: 13, term: 5, payload: { kind: "command", data } },
			{ index: 14, term: 5, payload: { kind: "configuration", change } },
		],
	},
	{ ...head, kind: "append-response", index: 11, rejected: true, hintIndex: 12, hintTerm: 13 },
	{ ...head, kind: "heartbeat", commit: 11, context: 12, quiesce: true },
	{ ...head, kind: "heartbeat-response", context: 11 },
	{ ...head, kind: "snapshot", metadata: { index: 11, term: 4, configuration } },
	{ ...head, kind: "timeout-now" },
];

test("every message arrives as it was sent", (t) => {
	const frame = [wireFormat, ...messages.map((message) => encodeMessage(range, message))];
	t.deepEqual(
		decodeFrame(frame),
		messages.map((message) => ({ range, message })),
	);
});

test("a message that lacks something, or has something else there, is refused", (t) => {
	for (const message of messages) {
		const wire = encodeMessage(range, message);
		for (const at of wire.keys()) {
			// What comes after the head of an append are entries: none of them is fine.
			if (message.kind === "append" && at >= 8) break;
			for (const value of [undefined, "x", -1]) {
				const frame = [wireFormat, wire.map((field, i) => (i === at ? value : field))];
				t.throws(() => decodeFrame(frame), { instanceOf: DatabaseError }, `${message.kind} ${at}`);
			}
		}
	}
	t.throws(() => decodeFrame([wireFormat + 1]), { instanceOf: DatabaseError });
});
