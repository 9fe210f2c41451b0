import { setImmediate } from "node:timers/promises";
import type { BootId, LockOwner } from "@quorate/keys/ids";
import { type Key, key, keyMax, pointSpan } from "@quorate/keys/key";
import { defaultHistoryLifeMs } from "@quorate/keys/limits";
import { type Timestamp, timestampMax } from "@quorate/keys/timestamp";
import { makeTransactionId } from "@quorate/keys/transaction-id";
import type { MemoryEngine } from "@quorate/storage/memory-engine";
import { newest } from "@quorate/storage/versions";
import test from "ava";
import { type Command, decodeCommand } from "./commands.ts";
import { changes } from "./feed.ts";
import type { CommittedEntry, RaftGroupHandle } from "./host-types.ts";
import { collectHistory } from "./housekeeping.ts";
import { WriteWaits } from "./lock-waits.ts";
import { lockRead } from "./locked-reads.ts";
import { lockScan } from "./locked-scans.ts";
import { scan } from "./reads.ts";
import type { Replica } from "./replica.ts";
import type { ValidateItem } from "./requests.ts";
import { LoneLog, lead, loneReplica, partsOf } from "./testing/lone-replica.ts";
import { validateItems } from "./validation.ts";
import { resolve, resolveNow, untilResolved } from "./writes.ts";

const transaction = makeTransactionId(2 as Timestamp, "b" as BootId, 1);
const another = makeTransactionId(3 as Timestamp, "b" as BootId, 2);
const behind = key("z");
const [rows, perEntry] = [5_000, 500];
const keyOf = (n: number): Key => key(`k${String(n).padStart(6, "0")}`);
const keys = Array.from({ length: rows }, (_, n) => keyOf(n));

/** A lease, intents on all keys, and what resolves them. `isFollowed`: somebody else has one behind them. */
function log(isFollowed = false): {
	readonly before: CommittedEntry[];
	readonly resolves: CommittedEntry[];
} {
	const entries = new LoneLog();
	const before = [entries.lease(timestampMax)];
	const anchor = keyOf(0);
	const parts: Key[][] = [];
	for (let n = 0; n < rows; n += perEntry) parts.push(keys.slice(n, n + perEntry));
	for (const part of parts) {
		const writes = part.map((k) => ({ key: k, value: Buffer.from(`value of ${k}`) }));
		const what = { kind: "prepare" as const, transaction, anchor, chunk: 1, writes };
		before.push(entries.entry({ ...what, p: 5 as Timestamp }));
	}
	if (isFollowed) {
		const writes = [{ key: behind, value: Buffer.from("another") }];
		const what = { kind: "prepare" as const, transaction: another, anchor: behind, writes };
		before.push(entries.entry({ ...what, chunk: 1, p: 5 as Timestamp }));
	}
	const c = 10 as Timestamp;
	const resolves = parts.map((part) => {
		const spans = [{ start: part[0]!, end: key(`${part.at(-1)}\0`) }];
		return entries.entry({ kind: "resolve", transaction, c, spans });
	});
	return { before, resolves };
}

/** Returns how many entries each turn took. */
function applyAll(replica: Replica, entries: readonly CommittedEntry[]): number[] {
	const turns: number[] = [];
	for (let at = 0; at < entries.length; at += turns.at(-1)!) {
		turns.push(replica.apply(entries.slice(at)));
	}
	return turns;
}

test("short entries that do much are applied a few in a turn, with the same result", (t) => {
	const { before, resolves } = log();
	const { replica, engine } = loneReplica();
	applyAll(replica, before);
	t.is(replica.blockers.intentCount, rows);
	const turns = applyAll(replica, resolves);
	t.true(Math.max(...turns) * perEntry <= 1_500, turns.join(" "));
	t.is(replica.blockers.intentCount, 0);
	for (const k of keys) {
		t.is(Buffer.from(newest(engine, k)?.value ?? []).toString(), `value of ${k}`);
	}
	const alone = loneReplica();
	for (const entry of [...before, ...resolves]) t.is(alone.replica.apply([entry]), 1);
	t.deepEqual(replica.state, alone.replica.state);
});

/** Applies the intents, as the leaseholder. `most`: how many of them somebody has looked at together since. */
function leading(isFollowed = false): {
	replica: Replica;
	engine: MemoryEngine;
	most: () => number;
} {
	const { replica, engine } = loneReplica();
	lead(replica);
	applyAll(replica, log(isFollowed).before);
	let most = 0;
	const scan = engine.scan.bind(engine);
	engine.scan = (span, limits) => {
		const found = scan(span, limits);
		if (span.start.startsWith("i")) most = Math.max(most, found.keys.length);
		return found;
	};
	return { replica, engine, most: () => most };
}

test("the collector of history learns the lowest p without looking at all intents at once", async (t) => {
	const { replica, most } = leading();
	t.true(replica.holding());
	t.is(replica.blockers.intents.lowestP, 5);
	const parts = partsOf(replica);
	await collectHistory(replica, defaultHistoryLifeMs);
	t.true(most() > 0 && most() <= 500);
	// The rest is the look at history itself, of which there is none.
	t.is(parts(), Math.floor(rows / 500) + 1 + 1);
});

/** How often others have had their turn since. */
function turnsOf({ context }: Replica): () => number {
	let turns = 0;
	Object.assign(context.runtime.scheduler, { yield: () => Promise.resolve(void turns++) });
	return () => turns;
}

const everything = { start: "" as Key, end: keyMax };
const validated = async (replica: Replica, items: readonly ValidateItem[]): Promise<string> =>
	(await validateItems(replica, null, items, 9 as Timestamp, null)).kind;

test("a validation of everything looks at the intents in parts, and finds the one that matters", async (t) => {
	const { replica, most } = leading();
	const turns = turnsOf(replica);
	replica.blockers.decided(transaction, { c: 7 as Timestamp });
	t.is(await validated(replica, [{ span: everything, since: 7 as Timestamp }]), "done");
	t.true(most() > 0 && most() <= 2_000);
	t.is(turns(), 2);
	t.is(await validated(replica, [{ span: everything, since: 6 as Timestamp }]), "conflict");
	const last = { span: { start: keyOf(rows - 1), end: keyMax }, since: 6 as Timestamp };
	t.is(await validated(replica, [{ span: everything, since: 7 as Timestamp }, last]), "conflict");
});

test("so it does with many keys, and with rows of which something else has changed", async (t) => {
	const { replica } = leading();
	const { resolves } = log();
	replica.blockers.decided(transaction, { c: 10 as Timestamp });
	const turns = turnsOf(replica);
	const points = keys.map((k) => ({ span: pointSpan(k), since: 7 as Timestamp }));
	t.is(await validated(replica, points), "done");
	t.is(turns(), 2);
	applyAll(replica, resolves);
	t.is(replica.blockers.intentCount, 0);
	t.is(await validated(replica, [{ span: everything, since: 7 as Timestamp }]), "done");
	t.true(turns() >= 2 + 2);
	const seen = points.slice(1).map(({ span }) => ({ span, since: 10 as Timestamp }));
	const late = await validateItems(replica, null, [...seen, points[0]!], 11 as Timestamp, null);
	t.is(late.kind, "conflict");
});

/** All rows as of `s`, page by page. */
async function readAll(replica: Replica, s: number, reverse: boolean): Promise<string[]> {
	const rows: string[] = [];
	const limits = { rowsMax: 1_000, bytesMax: 1 << 20, reverse };
	let span = { start: "" as Key, end: keyMax };
	for (;;) {
		const q = { kind: "scan" as const, span, s: s as Timestamp, limits };
		const page = await scan(replica, q);
		if (page.kind !== "rows") throw new Error(page.kind);
		rows.push(...page.rows.map(({ key: k, value }) => `${k}=${Buffer.from(value)}`));
		if (page.resume === null) return rows;
		span = reverse ? { ...span, end: page.resume } : { ...span, start: page.resume };
	}
}

test("a scan over rows that are decided and not resolved asks for none of them again", async (t) => {
	const { replica, engine, most } = leading();
	const { resolves } = log();
	const all = keys.map((k) => `${k}=value of ${k}`);
	replica.blockers.decided(transaction, { c: 10 as Timestamp });
	let gets = 0;
	const get = engine.get.bind(engine);
	engine.get = (k) => {
		gets++;
		return get(k);
	};
	t.deepEqual(await readAll(replica, 20, false), all);
	t.deepEqual(await readAll(replica, 20, true), [...all].reverse());
	t.is(gets, 0);
	t.true(most() <= 2_000);
	t.deepEqual(await readAll(replica, 9, false), []);
	for (const [n, entry] of resolves.entries()) {
		replica.apply([entry]);
		t.deepEqual(await readAll(replica, 20, n % 2 === 0), n % 2 === 0 ? [...all].reverse() : all);
	}
	t.deepEqual(await readAll(replica, 9, false), []);
});

test("a scan that locks rows looks at a part of the intents, from the end where it begins", async (t) => {
	const { replica, most } = leading();
	const span = { start: "" as Key, end: keyMax };
	const lock = {
		owner: "o" as LockOwner,
		strength: "update",
		wait: "skip locked",
		timeoutMs: 0,
	} as const;
	for (const reverse of [false, true]) {
		const limits = { rowsMax: 1_000, bytesMax: 1 << 20, reverse };
		const page = await lockScan(replica, { kind: "lock-scan", span, lock, limits });
		const resume = reverse ? keyOf(rows - 2_000) : key(`${keyOf(1_999)}\0`);
		t.like(page, { kind: "locked-rows", rows: [], resume });
	}
	t.is(most(), 2_000);
});

/** What is proposed is applied, and what is proposed is told. */
function applying(replica: Replica): Command[] {
	const proposed: Command[] = [];
	let { appliedIndex: index } = replica.state;
	const propose = (command: Uint8Array): number => {
		proposed.push(decodeCommand(command).command);
		const entry = { index: ++index, term: 6, command, change: undefined, configuration: undefined };
		void Promise.resolve().then(() => replica.apply([entry]));
		return index;
	};
	replica.attach({ propose } as unknown as RaftGroupHandle);
	return proposed;
}

test("who waits for what is decided, and sees others of its intents go, has its own resolved", async (t) => {
	const { replica } = loneReplica();
	lead(replica);
	const [lease, ...prepares] = log().before;
	replica.apply([lease!]);
	const proposed = applying(replica);
	for (const { command } of prepares) {
		await replica.proposeCommand(decodeCommand(command!).command);
	}
	proposed.length = 0;
	Object.assign(replica.context.runtime.scheduler, { setTimer: () => ({ cancel: () => {} }) });
	Object.assign(replica.context, { writeWaits: new WriteWaits() });
	replica.blockers.decided(transaction, { c: 10 as Timestamp });
	const wait = {
		owner: "o" as LockOwner,
		strength: "update",
		wait: "block",
		timeoutMs: 0,
	} as const;
	const span = { start: keyOf(rows - 2_000), end: keyOf(rows - 10) };
	const limits = { rowsMax: 5_000, bytesMax: 1 << 20, reverse: false };
	const asked = [
		lockScan(replica, { kind: "lock-scan", span, lock: wait, limits }),
		lockRead(replica, { kind: "lock-read", keys: [keyOf(rows - 1)], lock: wait }),
	];
	await setImmediate();
	t.deepEqual(proposed, []);
	replica.blockers.changed(transaction);
	const [scanned, read] = await Promise.all(asked);
	t.is(scanned?.kind === "locked-rows" && scanned.rows.length, 1_990);
	t.is(read?.kind, "locked");
	t.is(replica.blockers.intentCount, rows - 1_991);
	t.true(proposed.every(({ kind }) => kind === "resolve"));
});

test("a follower of changes waits for the intents part by part", async (t) => {
	const { replica, most } = leading();
	const turns = turnsOf(replica);
	const issue = () => Promise.resolve({ timestamp: 9 as Timestamp, schemaVersion: 1 });
	Object.assign(replica.context.timestamps, { issue });
	const { blockers } = replica;
	blockers.isAbove = () => true;
	const q = { kind: "changes" as const, span: everything, after: 0 as Timestamp, waitMs: 0 };
	t.like(await changes(replica, q), { kind: "changes", rows: [], upTo: 9 });
	t.is(most(), 1_000);
	t.true(turns() >= 5);
});

test("what is resolved together ends by count or by bytes, and what lies between is left out", (t) => {
	const { blockers } = leading(true).replica;
	const all = { start: "" as Key, end: keyMax };
	const first = blockers.look(all, transaction, 400, 1 << 20);
	const rest = { start: key(`${keyOf(399)}\0`), end: keyMax };
	t.like(first, { own: { start: keyOf(0), end: rest.start }, count: 400, rest });
	const short = blockers.look(all, transaction, 400, 1_000);
	t.true(short.bytes < 1_000 && short.count > 5 && short.count < 20);
	t.like(blockers.look(all, another, 400, 1 << 20), { own: undefined, count: 400, rest });
	const last = blockers.look({ start: keyOf(rows - 10), end: keyMax }, another, 400, 1 << 20);
	t.like(last, { own: { start: behind, end: key(`${behind}\0`) }, count: 11 });
	t.is(blockers.look({ start: behind, end: keyMax }, transaction, 400, 1).own, undefined);
	t.is(blockers.look({ start: key("zz"), end: keyMax }, transaction, 400, 1).rest, undefined);
});

test("who resolves one of many intents looks at the others in parts, and others get their turn between", async (t) => {
	const { replica, most } = leading(true);
	let turns = 0;
	const scheduler = { yield: () => Promise.resolve(void turns++) };
	Object.assign(replica.context.runtime.scheduler, scheduler);
	const proposed: Command[] = [];
	const propose = (bytes: Uint8Array): number => proposed.push(decodeCommand(bytes).command);
	replica.attach({ propose } as unknown as RaftGroupHandle);
	const all = { start: "" as Key, end: keyMax };
	void resolveNow(replica, another, 10 as Timestamp, [all]);
	await setImmediate();
	t.like(proposed, [{ kind: "resolve", spans: [{ start: behind, end: key(`${behind}\0`) }] }]);
	t.true(most() <= 400);
	t.true(turns >= rows / 400);
});

test("a Resolve goes with the range's next entry, when somebody meets an intent, or after a moment", async (t) => {
	const { replica } = leading();
	let moment = (): void => {};
	const setTimer = (_ms: number, run: () => void) => {
		moment = run;
		return { cancel: () => {} };
	};
	Object.assign(replica.context.runtime.scheduler, { setTimer });
	const proposed: string[] = [];
	const propose = (bytes: Uint8Array): number => proposed.push(decodeCommand(bytes).command.kind);
	replica.attach({ propose } as unknown as RaftGroupHandle);
	const [c, expiry] = [10 as Timestamp, timestampMax];
	const causes = [
		() => void replica.proposeCommand({ kind: "extend", expiry }),
		() => replica.blockers.onKey(keyOf(1), null, timestampMax, []),
		() => void replica.blockers.inSpan({ start: keyOf(2), end: keyOf(3) }, null, timestampMax, 1),
		() => moment(),
	];
	for (const [n, cause] of causes.entries()) {
		const spans = [{ start: keyOf(n), end: keyOf(n + 1) }];
		proposed.length = 0;
		void resolve(replica, { kind: "resolve", transaction, c, spans });
		await setImmediate();
		t.deepEqual(proposed, []);
		cause();
		await setImmediate();
		t.deepEqual(proposed, n === 0 ? ["extend", "resolve"] : ["resolve"]);
	}
});

test("a write that meets what is decided waits until it is resolved, and is no conflict", async (t) => {
	const { replica } = leading();
	const { resolves } = log();
	Object.assign(replica.context.runtime.scheduler, { setTimer: () => ({ cancel: () => {} }) });
	const write = (k: Key) => ({
		kind: "prepare" as const,
		transaction: another,
		chunk: 1,
		anchor: k,
		writes: [{ key: k, value: Buffer.from("new"), since: null }],
		owner: "o" as LockOwner,
	});
	const open = untilResolved(replica, write(keyOf(7)));
	t.is(open, undefined);
	replica.blockers.decided(transaction, { c: 10 as Timestamp });
	t.is(untilResolved(replica, write(behind)), undefined);
	// Nothing can be proposed.
	replica.attach({ propose: () => undefined } as unknown as RaftGroupHandle);
	const waits = untilResolved(replica, write(keyOf(7)));
	t.not(waits, undefined);
	replica.apply([resolves[0]!]);
	await waits;
	t.is(untilResolved(replica, write(keyOf(7))), undefined);
});

test("many small entries are one turn", (t) => {
	const { before } = log();
	const { replica } = loneReplica();
	applyAll(replica, before);
	const from = before.at(-1)!.index;
	const empty = Array.from({ length: 1_000 }, (_, n) => ({
		index: from + 1 + n,
		term: 6,
		command: undefined,
		change: undefined,
		configuration: undefined,
	}));
	t.is(replica.apply(empty), 1_000);
});
