import { lockOwner } from "@quorate/keys/ids";
import { key } from "@quorate/keys/key";
import test from "ava";
import { LockOwners } from "./lock-owners.ts";
import { type LockStrength, lockStrengths } from "./lock-strength.ts";
import { type LockOutcome, LockTable } from "./lock-table.ts";

type Owner = ReturnType<typeof lockOwner>;
const [a, b, c, d] = ["a", "b", "c", "d"].map(lockOwner) as [Owner, Owner, Owner, Owner];
const k = key("k");
let turns = 0;
const scheduler = { yield: () => Promise.resolve(void turns++) };

/** Queues, and notes what came of it. */
function enqueue(
	locks: LockTable,
	owner: Owner,
	strength: LockStrength,
	told: string[] = [],
	since = 0,
): () => void {
	return locks.enqueue(k, { owner, strength, transaction: null, since }, (outcome: LockOutcome) =>
		told.push(`${owner} ${typeof outcome === "string" ? outcome : outcome.deadlock}`),
	);
}

test("the four strengths bear each other as PostgreSQL's do", (t) => {
	const refused: string[] = [];
	for (const held of lockStrengths) {
		for (const asked of lockStrengths) {
			const locks = new LockTable(new LockOwners(scheduler));
			t.true(locks.tryAcquire(k, a, held));
			if (!locks.tryAcquire(k, b, asked)) {
				refused.push(`${asked} beside ${held}`);
			}
		}
	}
	t.deepEqual(refused, [
		"update beside key share",
		"no key update beside share",
		"update beside share",
		"share beside no key update",
		"no key update beside no key update",
		"update beside no key update",
		"key share beside update",
		"share beside update",
		"no key update beside update",
		"update beside update",
	]);
});

test("waiters are served first come, first served", (t) => {
	const locks = new LockTable(new LockOwners(scheduler));
	const told: string[] = [];
	t.true(locks.tryAcquire(k, a, "update"));
	t.false(locks.tryAcquire(k, b, "update"));
	enqueue(locks, b, "update", told);
	enqueue(locks, c, "update", told);
	locks.release(a);
	t.deepEqual(told, ["b granted"]);
	locks.release(b);
	t.deepEqual(told, ["b granted", "c granted"]);
	locks.release(c);
	t.is(locks.size, 0);
});

test("nobody overtakes who came before and asks for what conflicts", (t) => {
	const locks = new LockTable(new LockOwners(scheduler));
	const told: string[] = [];
	t.true(locks.tryAcquire(k, a, "share"));
	enqueue(locks, b, "no key update", told);
	t.false(locks.tryAcquire(k, c, "share"));
	enqueue(locks, c, "share", told);
	t.true(locks.tryAcquire(k, d, "key share"), "it conflicts with neither");
	locks.release(a);
	t.deepEqual(told, ["b granted"]);
	locks.release(b);
	t.deepEqual(told, ["b granted", "c granted"]);
});

test("shared locks go together, and one of them may ask for more when the others are gone", (t) => {
	const locks = new LockTable(new LockOwners(scheduler));
	const told: string[] = [];
	t.true(locks.tryAcquire(k, a, "share"));
	t.true(locks.tryAcquire(k, b, "share"));
	enqueue(locks, c, "update", told);
	t.false(locks.tryAcquire(k, a, "update"));
	enqueue(locks, a, "update", told);
	locks.release(b);
	t.deepEqual(told, ["a granted"], "who holds it already goes first");
	t.false(locks.tryAcquire(k, b, "key share"));
});

test("an owner that has ended gets nothing, and its places in queues are free", (t) => {
	const owners = new LockOwners(scheduler);
	const locks = new LockTable(owners);
	const told: string[] = [];
	t.true(locks.tryAcquire(k, a, "update"));
	enqueue(locks, b, "update", told);
	enqueue(locks, c, "update", told);
	owners.end(b);
	t.deepEqual(told, ["b ended"]);
	owners.end(a);
	t.deepEqual(told, ["b ended", "c granted"]);
	t.false(locks.tryAcquire(key("other"), b, "update"));
});

test("a statement that is over waits no more, and keeps what its transaction has", (t) => {
	const owners = new LockOwners(scheduler);
	const locks = new LockTable(owners);
	const told: string[] = [];
	t.true(locks.tryAcquire(k, a, "update"));
	t.true(locks.tryAcquire(key("l"), b, "update"));
	enqueue(locks, b, "update", told);
	enqueue(locks, c, "key share", told);
	owners.cancelWaits(b);
	t.deepEqual(told, ["b ended"]);
	t.deepEqual(
		locks.waits().map((e) => [e.waiter, e.holder]),
		[[c, a]],
	);
	t.false(locks.tryAcquire(key("l"), c, "key share"));
});

test("only the wait that is meant fails", (t) => {
	const locks = new LockTable(new LockOwners(scheduler));
	const told: string[] = [];
	t.true(locks.tryAcquire(k, a, "update"));
	enqueue(locks, b, "update", told, 5);
	locks.failWait({ owner: b, key: k, since: 4, detail: "an earlier wait" });
	t.deepEqual(told, []);
	locks.failWait({ owner: b, key: k, since: 5, detail: "a circle" });
	t.deepEqual(told, ["b a circle"]);
});

test("a writer is stopped by what conflicts with the lock that it holds", (t) => {
	const locks = new LockTable(new LockOwners(scheduler));
	t.true(locks.tryAcquire(k, a, "key share"));
	t.is(locks.foreignConflict(k, b), a, "one that holds nothing");
	t.true(locks.tryAcquire(k, b, "no key update"));
	t.is(locks.foreignConflict(k, b), undefined);
	t.is(locks.foreignConflict(k, a), b);
});

test("who waits is told whom for", (t) => {
	const locks = new LockTable(new LockOwners(scheduler));
	locks.tryAcquire(k, a, "share");
	enqueue(locks, b, "update", [], 5);
	enqueue(locks, c, "share", [], 7);
	enqueue(locks, d, "update", [], 8);
	const pairs = locks.waits().map((e) => [e.waiter, e.holder, e.since]);
	// d waits for b too, but b for no more than d does: only what would be missing is named.
	t.deepEqual(pairs, [
		[b, a, 5],
		[c, b, 7],
		[d, a, 8],
	]);
	t.deepEqual(
		locks.views().map((v) => [v.owner, v.blockers]),
		[
			[a, []],
			[b, [a]],
			[c, [b]],
			[d, [a, b, c]],
		],
	);
});

test("with a split the right side has its locks, and who waits there asks again", (t) => {
	const owners = new LockOwners(scheduler);
	const locks = new LockTable(owners);
	const told: string[] = [];
	const [left, right] = [key("a"), key("m")];
	for (const one of [left, k, right]) t.true(locks.tryAcquire(one, a, "share"));
	t.true(locks.tryAcquire(right, b, "share"));
	const leave = enqueue(locks, c, "update", told);
	const split = locks.splitOff(k);
	leave();
	t.deepEqual(told, ["c ended"]);
	t.deepEqual([locks.size, split.size], [1, 2]);
	t.false(split.tryAcquire(k, c, "update"));
	t.is(split.foreignConflict(right, a), b);
	owners.end(b);
	t.is(split.foreignConflict(right, a), undefined);
	t.true(locks.tryAcquire(right, c, "update"));
	owners.end(a);
	t.is(locks.size, 1);
	owners.end(a);
	t.is(split.size, 0);
});

test("with a merge the left side has the locks of both, and who waits on the right asks again", (t) => {
	const owners = new LockOwners(scheduler);
	const [locks, right] = [new LockTable(owners), new LockTable(owners)];
	const told: string[] = [];
	t.true(locks.tryAcquire(key("a"), a, "update"));
	t.true(right.tryAcquire(k, a, "update"));
	t.true(right.tryAcquire(key("m"), b, "share"));
	enqueue(right, c, "update", told);
	owners.end(d);
	locks.takeOver(right);
	t.deepEqual(told, ["c ended"]);
	t.is(locks.size, 3);
	t.false(locks.tryAcquire(k, c, "update"));
	// It had ended on the right side: what comes of it late gets nothing.
	t.false(locks.tryAcquire(key("z"), d, "update"));
	owners.end(a);
	t.is(locks.size, 1);
});

test("what goes over with a lease is held there, but for owners that have ended there", (t) => {
	const locks = new LockTable(new LockOwners(scheduler));
	t.true(locks.tryAcquire(k, a, "share"));
	t.true(locks.tryAcquire(k, b, "share"));
	t.true(locks.tryAcquire(key("m"), c, "update"));
	enqueue(locks, d, "update");
	const held = locks.held();
	t.deepEqual(held, [
		[k, a, "share"],
		[k, b, "share"],
		[key("m"), c, "update"],
	]);
	const owners = new LockOwners(scheduler);
	const taker = new LockTable(owners);
	owners.end(c);
	taker.takeIn(held);
	t.deepEqual(taker.held(), held.slice(0, 2));
	t.false(taker.tryAcquire(k, d, "update"));
	owners.end(a);
	owners.end(b);
	t.is(taker.size, 0);
});

test("no more goes over with a lease than an entry of the log should carry", (t) => {
	const locks = new LockTable(new LockOwners(scheduler));
	for (let n = 0; n < 1_200; n++) locks.tryAcquire(key(`${n}`), a, "update");
	t.is(locks.held().length, 1_000);
	const long = new LockTable(new LockOwners(scheduler));
	for (let n = 0; n < 100; n++) long.tryAcquire(key(`${n}`.padEnd(1_000, "x")), a, "update");
	t.is(long.held().length, 32);
});

test("a copy of the request that was granted does not wait for those who wait for it", (t) => {
	const locks = new LockTable(new LockOwners(scheduler));
	const told: string[] = [];
	t.true(locks.tryAcquire(k, a, "update"));
	enqueue(locks, b, "no key update", told, 1);
	enqueue(locks, c, "no key update", told, 2);
	enqueue(locks, b, "no key update", told, 3);
	locks.release(a);
	t.deepEqual(told, ["b granted", "b granted"]);
	locks.release(b);
	t.deepEqual(told, ["b granted", "b granted", "c granted"]);
});

test("to end costs what was locked, however many tables there are", (t) => {
	const owners = new LockOwners(scheduler);
	const tables = Array.from({ length: 1_000 }, () => new LockTable(owners));
	const [first, second] = [tables[3]!, tables[700]!];
	const told: string[] = [];
	t.true(first.tryAcquire(k, a, "update"));
	t.true(second.tryAcquire(k, a, "share"));
	t.true(second.tryAcquire(key("l"), b, "share"));
	enqueue(second, c, "update", told);
	t.is(owners.size, 2);
	t.deepEqual(owners.contended(), [second]);
	owners.end(a);
	t.deepEqual(told, ["c granted"]);
	t.deepEqual([first.size, second.size, owners.size], [0, 2, 2]);
	t.deepEqual(owners.contended(), []);
	t.false(tables[999]!.tryAcquire(k, a, "update"), "a table that it had nothing in");
	owners.endWhere(() => true);
	t.deepEqual([second.size, owners.size], [0, 0]);
});

test("an owner that has ended is remembered for long, and not for ever", (t) => {
	const owners = new LockOwners(scheduler);
	const nth = (n: number) => lockOwner(`n${n}`);
	for (let n = 0; n < 25_000; n++) owners.end(nth(n));
	t.true(owners.hasEnded(nth(24_999)) && owners.hasEnded(nth(15_000)));
	t.false(owners.hasEnded(nth(9_000)));
});

test("very many locks are released in parts, and what is locked meanwhile stays", async (t) => {
	const locks = new LockTable(new LockOwners(scheduler));
	const keys = Array.from({ length: 25_000 }, (_, n) => key(`k${n}`));
	for (const one of keys) locks.tryAcquire(one, a, "update");
	turns = 0;
	locks.release(a);
	t.is(locks.size, 15_000);
	t.true(locks.tryAcquire(keys[0]!, a, "update"));
	while (turns < 2) await Promise.resolve();
	await new Promise(setImmediate);
	t.is(locks.size, 1);
	locks.release(a);
	t.is(locks.size, 0);
	t.is(turns, 2);
});
