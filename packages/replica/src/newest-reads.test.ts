/** From where on newest-reads are validated, when history is collected before their transaction commits. */
import type { BootId } from "@quorate/keys/ids";
import { type Key, key, keyMax } from "@quorate/keys/key";
import { makeLockOwner } from "@quorate/keys/lock-owner";
import { type Timestamp, timestamp, timestampMax } from "@quorate/keys/timestamp";
import { makeTransactionId } from "@quorate/keys/transaction-id";
import test from "ava";
import { lockRead } from "./locked-reads.ts";
import { lockScan } from "./locked-scans.ts";
import type { Replica } from "./replica.ts";
import { LoneLog, lead, loneReplica } from "./testing/lone-replica.ts";
import { validateItems } from "./validation.ts";

const [old, absent] = [key("old"), key("p")];
const all = { start: "" as Key, end: keyMax };
const owner = makeLockOwner("b" as BootId, 1, 0, timestamp(2));
const lock = { owner, strength: "update", wait: "block", timeoutMs: 0 } as const;

/** A row that was written at 10, in a range that has been quiet since. */
function quiet(seen: () => number, expiry: number) {
	const { replica } = loneReplica(seen);
	lead(replica);
	const log = new LoneLog();
	const transaction = makeTransactionId(timestamp(2), "b" as BootId, 1);
	const write = { key: old, value: Buffer.from("x") };
	replica.apply([
		log.lease(timestamp(expiry)),
		log.entry({
			...{ kind: "prepare", transaction, anchor: old, chunk: 1, writes: [write], p: timestamp(5) },
		}),
		log.entry({ kind: "resolve", transaction, c: timestamp(10), spans: [all] }),
	]);
	return { replica, log };
}

/** What each kind of newest-read has to hold from, at commit. */
async function sinces(
	replica: Replica,
): Promise<readonly { span: typeof all; since: Timestamp }[]> {
	const read = await lockRead(replica, { kind: "lock-read", keys: [old, absent], lock });
	const limits = { rowsMax: 10, bytesMax: 1e6, reverse: false };
	const page = await lockScan(replica, { kind: "lock-scan", span: all, lock, limits });
	if (read.kind !== "locked" || page.kind !== "locked-rows") throw new Error("not read");
	const points = read.values.map((one) => ({
		span: { start: one.key, end: key(`${one.key}\0`) },
		since: one.since,
	}));
	return [...points, { span: all, since: page.since }];
}

test("what was read of late is valid, though all up to shortly before was collected", async (t) => {
	let seen = 1_000;
	const { replica, log } = quiet(() => seen, timestampMax);
	const items = await sinces(replica);
	t.deepEqual(
		items.map(({ since }) => since as number),
		[1_000, 1_000, 1_000],
	);
	seen = 1_200;
	replica.apply([log.entry({ kind: "collect", threshold: timestamp(900), span: all })]);
	t.deepEqual(validateItems(replica, null, items, timestamp(1_300), null), { kind: "done" });
	// Of a transaction that is as old as what is collected nothing is known.
	replica.apply([log.entry({ kind: "collect", threshold: timestamp(1_100), span: all })]);
	const verdict = validateItems(replica, null, items, timestamp(1_300), null);
	t.true(verdict instanceof Promise || verdict.kind === "error");
});

test("a newest-read counts as one at no timestamp that the lease does not reach", async (t) => {
	const { replica } = quiet(() => 1_000, 400);
	for (const { since } of await sinces(replica)) t.is(since as number, 400);
});
