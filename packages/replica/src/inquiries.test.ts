/** What the right side of a split knows of the transactions that are anchored in it. */
import type { TransactionId } from "@quorate/keys/ids";
import { key } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import { MemoryEngine } from "@quorate/storage/memory-engine";
import test from "ava";
import type { ReplicaContext } from "./context.ts";
import type { ReplicaCore } from "./core.ts";
import { Inquiries } from "./inquiries.ts";

const anchor = key("a");
const [heard, unheard, open] = ["1/1/1/a", "1/1/1/b", "1/1/1/c"] as TransactionId[];

/** Whose gateway is not connected. */
const contextAt = (ms: number): ReplicaContext =>
	({
		engine: new MemoryEngine(),
		listening: { ms },
		pulseOf: () => undefined,
	}) as unknown as ReplicaContext;

/** A leaseholder whose every transaction had prepared under an earlier lease. */
function leaseholder(nowMs: number, of: TransactionId): ReplicaCore {
	const core = {
		context: contextAt(nowMs),
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
	left.heard(contextAt(10_800), [heard!]);
	left.heard(contextAt(10_900), [open!]);
	left.opened(open!);
	const right = left.inherited();
	const ask = async (one: TransactionId, nowMs: number) =>
		(await right.inquire(leaseholder(nowMs, one), one, anchor, 100 as Timestamp)).kind;
	t.is(await ask(unheard!, 11_150), "undecided");
	t.is(await ask(heard!, 12_200), "undecided");
	t.is(await ask(open!, 12_300), "open");
	t.is(await ask(unheard!, 11_250), "aborted");
	t.is(await ask(heard!, 12_400), "aborted");
});

test("nor on either side of a merge", async (t) => {
	const [left, right] = [new Inquiries(), new Inquiries()];
	left.newLease(1_000);
	right.newLease(10_000);
	right.heard(contextAt(10_900), [open!]);
	right.opened(open!);
	left.heard(contextAt(10_800), [heard!]);
	left.takeOver(right);
	const ask = async (one: TransactionId, nowMs: number) =>
		(await left.inquire(leaseholder(nowMs, one), one, anchor, 100 as Timestamp)).kind;
	// Whoever had not been heard on the right side since its lease began there.
	t.is(await ask(unheard!, 11_150), "undecided");
	t.is(await ask(heard!, 12_200), "undecided");
	t.is(await ask(open!, 12_300), "open");
	t.is(await ask(unheard!, 11_250), "aborted");
	t.is(await ask(open!, 12_400), "aborted");
});

test("a gateway of which something comes in is silent after four pings, whenever they come", async (t) => {
	const inquiries = new Inquiries();
	inquiries.newLease(0);
	const at = (ms: number, pings: number, isHeard: boolean): ReplicaContext => ({
		...contextAt(ms),
		pulseOf: () => ({ pings, isHeard }),
	});
	const ask = async (ms: number, pings: number, isHeard = true) => {
		const core = { ...leaseholder(ms, heard!), context: at(ms, pings, isHeard) };
		return (await inquiries.inquire(core, heard!, anchor, 0 as Timestamp)).kind;
	};
	inquiries.heard(at(1_000, 7, true), [heard!]);
	t.is(await ask(2_450, 11), "undecided");
	t.is(await ask(9_000, 10), "undecided");
	t.is(await ask(9_000, 11), "aborted");
	t.is(await ask(9_000, 10, false), "aborted");
	// It has connected anew.
	t.is(await ask(9_000, 3), "undecided");
	t.is(await ask(9_000, 4), "aborted");
});
