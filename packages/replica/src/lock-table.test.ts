import { lockOwner } from "@quorate/keys/ids";
import { key } from "@quorate/keys/key";
import test from "ava";
import { LockTable } from "./lock-table.ts";

const [a, b, c] = ["a", "b", "c"].map(lockOwner) as [
	ReturnType<typeof lockOwner>,
	ReturnType<typeof lockOwner>,
	ReturnType<typeof lockOwner>,
];
const k = key("k");

test("waiters are served first come, first served", (t) => {
	const locks = new LockTable();
	const order: string[] = [];
	t.true(locks.tryAcquire(k, a, "exclusive"));
	t.false(locks.tryAcquire(k, b, "exclusive"));
	locks.enqueue(k, b, "exclusive", 0, (outcome) => order.push(`b ${outcome}`));
	locks.enqueue(k, c, "exclusive", 0, (outcome) => order.push(`c ${outcome}`));
	locks.release(a);
	t.deepEqual(order, ["b granted"]);
	locks.release(b);
	t.deepEqual(order, ["b granted", "c granted"]);
	locks.release(c);
	t.is(locks.size, 0);
});

test("a shared lock does not overtake a waiting exclusive one", (t) => {
	const locks = new LockTable();
	t.true(locks.tryAcquire(k, a, "shared"));
	t.false(locks.tryAcquire(k, b, "exclusive"));
	locks.enqueue(k, b, "exclusive", 0, () => {});
	t.false(locks.tryAcquire(k, c, "shared"));
});

test("shared locks go together, and one of them may be upgraded when the others are gone", (t) => {
	const locks = new LockTable();
	t.true(locks.tryAcquire(k, a, "shared"));
	t.true(locks.tryAcquire(k, b, "shared"));
	t.false(locks.tryAcquire(k, a, "exclusive"));
	let granted = false;
	locks.enqueue(k, a, "exclusive", 0, (yes) => {
		granted = yes === "granted";
	});
	locks.release(b);
	t.true(granted);
	t.false(locks.tryAcquire(k, b, "shared"));
});

test("an owner that has ended gets nothing, and its places in queues are free", (t) => {
	const locks = new LockTable();
	t.true(locks.tryAcquire(k, a, "exclusive"));
	const got: string[] = [];
	locks.enqueue(k, b, "exclusive", 0, (yes) => got.push(`b ${yes}`));
	locks.enqueue(k, c, "exclusive", 0, (yes) => got.push(`c ${yes}`));
	locks.end(b);
	t.deepEqual(got, ["b ended"]);
	locks.end(a);
	t.deepEqual(got, ["b ended", "c granted"]);
	t.false(locks.tryAcquire(key("other"), b, "exclusive"));
});

test("waits-for edges name everyone ahead in the queue", (t) => {
	const locks = new LockTable();
	locks.tryAcquire(k, a, "exclusive");
	locks.enqueue(k, b, "exclusive", 5, () => {});
	locks.enqueue(k, c, "exclusive", 7, () => {});
	t.deepEqual(
		locks.waits().map((e) => [e.waiter, e.holder, e.since]),
		[
			[b, a, 5],
			[c, a, 7],
			[c, b, 7],
		],
	);
});
