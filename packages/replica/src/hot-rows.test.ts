import { bootId, nodeId, rangeId, replicaId, type TransactionId } from "@quorate/keys/ids";
import { key, keyMax, keyMin } from "@quorate/keys/key";
import { type Timestamp, timestamp } from "@quorate/keys/timestamp";
import { makeTransactionId } from "@quorate/keys/transaction-id";
import { IntentFilter } from "@quorate/storage/intent-filter";
import { MemoryEngine } from "@quorate/storage/memory-engine";
import { VersionBatch } from "@quorate/storage/version-batch";
import { newest } from "@quorate/storage/versions";
import test from "ava";
import { type ApplyResult, applyCommand } from "./apply.ts";
import type { PendingRead } from "./commands.ts";
import { newRangeState, type RangeState } from "./range-state.ts";

const k = key("hot");
const transaction = (n: number): TransactionId =>
	makeTransactionId(timestamp(1_000 + n), bootId("b"), n);

function newRange(): RangeState {
	const state = newRangeState({
		rangeId: rangeId(1),
		start: keyMin,
		end: keyMax,
		epoch: { version: 1, conf: 1 },
		replicas: [{ nodeId: nodeId(1), replicaId: replicaId(1), role: "voter" }],
	});
	state.lease = { ...state.lease, sequence: 1 };
	return state;
}

/** One entry of a log: transaction `n` writes `value` at 10 n, built on `reads`. */
const entry = (number: number, n: number, value: number, reads: readonly PendingRead[]) => ({
	sequence: 1,
	number,
	version: 1,
	command: {
		kind: "one-phase" as const,
		transaction: transaction(n),
		p: timestamp(10 * n - 5),
		c: timestamp(10 * n),
		anchor: k,
		writes: [{ key: k, value: new Uint8Array([value]) }],
		reads,
		written: [],
	},
});

function apply(engine: MemoryEngine, state: RangeState, entries: ReturnType<typeof entry>[]) {
	const results: ApplyResult[] = [];
	engine.write((batch) => {
		const versions = new VersionBatch(engine, batch, new IntentFilter());
		for (const one of entries) {
			results.push(applyCommand(state, versions, one));
		}
	});
	return results.map((r) => r.kind);
}

const at = (c: number): PendingRead => ({ key: k, c: c as Timestamp });

test("what is built on pending values applies behind them, in one batch or several", (t) => {
	const engine = new MemoryEngine();
	const state = newRange();
	t.deepEqual(apply(engine, state, [entry(1, 1, 1, []), entry(2, 2, 2, [at(10)])]), [
		"committed",
		"committed",
	]);
	t.deepEqual(apply(engine, state, [entry(3, 3, 3, [at(20)])]), ["committed"]);
	t.deepEqual([...newest(engine, k)!.value], [3]);
});

test("what is built on a value that never came to be never comes to be, nor what is built on that", (t) => {
	const engine = new MemoryEngine();
	const state = newRange();
	apply(engine, state, [entry(1, 1, 1, [])]);
	// Transaction 2 was lost; 3 was built on it, and 4 on 3.
	t.deepEqual(apply(engine, state, [entry(3, 3, 3, [at(20)]), entry(4, 4, 4, [at(30)])]), [
		"refused",
		"refused",
	]);
	t.deepEqual([...newest(engine, k)!.value], [1]);
});

test("nor what is built on a value that is not the newest any more", (t) => {
	const engine = new MemoryEngine();
	const state = newRange();
	apply(engine, state, [entry(1, 1, 1, []), entry(2, 2, 2, [])]);
	t.deepEqual(apply(engine, state, [entry(3, 3, 3, [at(10)])]), ["refused"]);
});
