/** What the right side of a split knows of the transactions that are anchored in it. */
import type { TransactionId } from "@quorate/keys/ids";
import { key } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import { MemoryEngine } from "@quorate/storage/memory-engine";
import test from "ava";
import type { ReplicaCore } from "./core.ts";
import { Inquiries } from "./inquiries.ts";

const anchor = key("a");
const [heard, unheard, open] = ["1/1/1/a", "1/1/1/b", "1/1/1/c"] as TransactionId[];

/** A leaseholder whose every transaction had prepared under an earlier lease. */
function leaseholder(nowMs: number, of: TransactionId): ReplicaCore {
	const core = {
		context: {
			engine: new MemoryEngine(),
			runtime: { clock: { monotonicMs: () => nowMs } },
		},
		blockers: {
			intent: () => ({ transaction: of, p: 5 as Timestamp }),
			decided: () => undefined,
		},
		pending: { on: () => [] },
		state: { horizon: 0, lease: { start: 10, expiry: 1_000 }, descriptor: { epoch: {} } },
		covers: () => true,
		owns: () => true,
		seen: () => 50,
		propose: () => Promise.resolve({ kind: "aborted" }),
	};
	return core as unknown as ReplicaCore;
}

test("who was heard under the lease is not taken for dead on the right side of a split", async (t) => {
	const left = new Inquiries();
	left.newLease(10_000);
	left.heartbeat(10_800, [heard!]);
	left.opened(10_900, open!);
	const right = left.inherited();
	const ask = async (one: TransactionId, nowMs: number) =>
		(await right.inquire(leaseholder(nowMs, one), one, anchor, 100 as Timestamp)).kind;
	t.is(await ask(unheard!, 11_400), "undecided");
	t.is(await ask(heard!, 12_200), "undecided");
	t.is(await ask(open!, 12_300), "open");
	t.is(await ask(unheard!, 11_600), "aborted");
	t.is(await ask(heard!, 12_400), "aborted");
});
