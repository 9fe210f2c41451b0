import type { BootId, NodeId, RangeId } from "@quorate/keys/ids";
import type { Key } from "@quorate/keys/key";
import { keyMax } from "@quorate/keys/key";
import type { RangeDescriptor } from "@quorate/keys/range";
import type { Timestamp } from "@quorate/keys/timestamp";
import { encodeBody } from "@quorate/rpc/body";
import test from "ava";
import {
	decodeRangeState,
	encodeRangeState,
	newRangeState,
	type RangeState,
} from "./range-state.ts";

const descriptor = {
	rangeId: 7,
	start: "\x00\xff" as Key,
	end: keyMax,
	epoch: { version: 3, conf: 300 },
	replicas: [1, 2, 3].map((n) => ({ nodeId: n, replicaId: 10 + n, role: "voter" })),
} as unknown as RangeDescriptor;

function same(t: { deepEqual(a: unknown, b: unknown): unknown }, state: RangeState): void {
	t.deepEqual(decodeRangeState(encodeRangeState(state)), state);
}

test("a state is the same after encoding and decoding, whatever part of it has changed since the last time", (t) => {
	const state = newRangeState(descriptor);
	same(t, state);
	state.appliedIndex = 70_000;
	state.lastNumber = 3;
	state.lastCommit = (2 ** 51 + 1) as Timestamp;
	same(t, state);
	state.lease = {
		sequence: 2,
		nodeId: 3 as NodeId,
		bootId: "boot" as BootId,
		start: 5 as Timestamp,
		expiry: (2 ** 50) as Timestamp,
	};
	same(t, state);
	state.descriptor = { ...descriptor, end: "m" as Key };
	state.configuration = { ...state.configuration, learners: state.configuration.voters };
	same(t, state);
	same(t, { ...state, horizon: 9 as Timestamp });
	state.frozen = { into: 4 as RangeId, intoVersion: 8, t: 12 as Timestamp };
	same(t, state);
	state.frozen = undefined;
	const at = "m" as Key;
	state.merging = { right: 5 as RangeId, at, version: 2, isRefused: false };
	same(t, state);
	state.merging = { ...state.merging, isRefused: true };
	same(t, state);
	same(t, { ...state, byHand: true });
});

test("states that engines of versions before hold are read still", (t) => {
	const state = { ...newRangeState(descriptor), lastNumber: 3, horizon: 9 as Timestamp };
	const { configuration, lease, lastNumber, appliedIndex, appliedTerm } = state;
	const numbers = [lastNumber, appliedIndex, appliedTerm, 0, 0, 9];
	const first = encodeBody([1, descriptor, configuration, lease, ...numbers]);
	t.deepEqual(decodeRangeState(first), state);
	const second = encodeBody([2, descriptor, configuration, lease, ...numbers, 7, 2]);
	t.deepEqual(decodeRangeState(second), { ...state, closed: 7 as Timestamp, closedVersion: 2 });
});
