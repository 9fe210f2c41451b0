/** What a transaction may have under way, and what waiting for it may leave behind. */
import { lockOwner } from "@quorate/keys/ids";
import { type Key, key } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { RangeAnswer, RangeRequestBody } from "@quorate/replica/requests";
import test from "ava";
import { Committer } from "./commit.ts";
import type { Gateway } from "./gateway.ts";
import { ReadSet } from "./read-set.ts";
import { Resolver } from "./resolver.ts";
import { GatewayTransaction } from "./transaction.ts";

const bytesOf = (body: RangeRequestBody): number =>
	body.kind !== "prepare"
		? 0
		: body.writes.reduce((sum, w) => sum + w.key.length + (w.value?.length ?? 0), 0);

test("of a large transaction about a megabyte is under way, whatever is still to be sent", async (t) => {
	let [underWay, most, total] = [0, 0, 0];
	const waiting: (() => void)[] = [];
	const gateway = {
		runtime: {
			scheduler: { yield: () => Promise.resolve() },
			clock: { monotonicMs: () => 0 },
		},
		newTransactionId: () => Promise.resolve("t"),
		heartbeats: { begin: () => {} },
		router: {
			byRange: (items: readonly unknown[]) => Promise.resolve([{ items }]),
			request: (_: Key, body: RangeRequestBody) => {
				const bytes = bytesOf(body);
				underWay += bytes;
				total += bytes;
				most = Math.max(most, underWay);
				return new Promise<RangeAnswer>((resolve) => {
					waiting.push(() => {
						underWay -= bytes;
						resolve({ kind: "prepared", p: 1 as Timestamp });
					});
				});
			},
		},
	} as unknown as Gateway;
	const committer = new Committer(gateway, lockOwner("o"));
	const value = new Uint8Array(1_000);
	const writes = Array.from({ length: 10_000 }, (_, n) => {
		const write = { value, absent: true, mark: false };
		return [key(String(n).padStart(8, "0")), write] as const;
	});
	let isDone = false;
	const sent = committer.sendChunk(writes, new ReadSet(), false).then(() => {
		isDone = true;
	});
	while (!isDone) {
		for (let n = 0; n < 200; n++) await Promise.resolve();
		waiting.shift()?.();
	}
	await sent;
	t.true(total >= 10_000_000);
	t.true(most > 500_000 && most <= 1 << 20);
	t.is(underWay, 0);
});

test("many writes of one statement are looked at some thousand at a time", async (t) => {
	const together: number[] = [];
	const chunks = new Set<number>();
	const gateway = {
		runtime: { scheduler: { yield: () => Promise.resolve() }, clock: { monotonicMs: () => 0 } },
		newTransactionId: () => Promise.resolve("t"),
		heartbeats: { begin: () => {} },
		router: {
			byRange: (items: readonly unknown[]) => {
				together.push(items.length);
				return Promise.resolve([{ items }]);
			},
			request: (_: Key, body: RangeRequestBody) => {
				if (body.kind === "prepare") chunks.add(body.chunk);
				return Promise.resolve({ kind: "prepared", p: 1 as Timestamp });
			},
		},
	} as unknown as Gateway;
	const committer = new Committer(gateway, lockOwner("o"));
	const write = { value: new Uint8Array(9), absent: false, mark: false };
	const writes = Array.from({ length: 50_000 }, (_, n) => [key(String(n)), write] as const);
	await committer.sendChunk(writes, new ReadSet(), false);
	t.deepEqual(together, [20_000, 20_000, 10_000]);
	t.deepEqual([...chunks], [1, 2, 3]);
});

test("a statement of many pages listens for nothing but its present wait, and lets others have their turn between", async (t) => {
	let turns = 0;
	const listeners = new Set<() => void>();
	let most = 0;
	const cancel = {
		reason: undefined,
		onCancel: (listener: () => void) => {
			listeners.add(listener);
			most = Math.max(most, listeners.size);
			return () => listeners.delete(listener);
		},
	};
	const descriptor = { rangeId: 1, start: "", end: "z" };
	const gateway = {
		runtime: { scheduler: { yield: () => Promise.resolve(void turns++) } },
		newOwner: () => lockOwner("o"),
		placement: {
			issue: () => Promise.resolve({ timestamp: 1 as Timestamp, schemaVersion: 1 }),
			observe: () => {},
		},
		router: {
			rangeOf: () => Promise.resolve({ descriptor, leaseholder: 1 }),
			request: (_: Key, body: RangeRequestBody & { kind: "scan" }) =>
				Promise.resolve({ kind: "rows", rows: [], resume: key(`${body.span.start}a`) }),
		},
	} as unknown as Gateway;
	const transaction = new GatewayTransaction(gateway, {
		isolation: "serializable",
		mode: "optimistic",
		readOnly: true,
		lockTimeoutMs: 0,
		schemaVersion: 1,
	});
	transaction.beginStatement(cancel);
	const pages = transaction.scan({ start: key("a"), end: key("a".repeat(1_000)) });
	for await (const _ of pages) t.fail("there are no rows");
	t.is(listeners.size, 0);
	t.is(turns, 998);
	// The wait for a page, and inside of it that for the timestamp.
	t.true(most <= 2);
});

test("of decided transactions that a range does not let resolve, a bounded number is remembered", (t) => {
	const never = new Promise<never>(() => {});
	const router = { spansByRange: () => never };
	const resolver = new Resolver({} as never, router as never);
	for (let n = 0; n < 30_000; n++) {
		resolver.resolve(`t${n}` as never, 1 as Timestamp, [{ start: key("a"), end: key("b") }]);
	}
	t.true(resolver.waiting <= 10_032);
	t.is(resolver.waiting + resolver.leftOver, 30_000);
});
