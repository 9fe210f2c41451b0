import { bootId, type LockOwner, nodeId, type TransactionId } from "@quorate/keys/ids";
import { key } from "@quorate/keys/key";
import { makeLockOwner } from "@quorate/keys/lock-owner";
import { timestamp } from "@quorate/keys/timestamp";
import test from "ava";
import fc from "fast-check";
import { DeadlockDetector } from "./deadlocks.ts";
import type { WaitEdge } from "./wait-edge.ts";

/** Of rising age: the last is the youngest. */
const owners = Array.from({ length: 8 }, (_, n) =>
	makeLockOwner(bootId("x"), n, 100 + n, timestamp(1_000 + n)),
);
const [a, b, c, d] = owners as [LockOwner, LockOwner, LockOwner, LockOwner];
const edge = (waiter: LockOwner, holder: LockOwner, k: string, since = 0): WaitEdge => ({
	waiter,
	transaction: null,
	holder,
	of: null,
	key: key(k),
	strength: "update",
	since,
});
const [n1, n2, n3] = [nodeId(1), nodeId(2), nodeId(3)];

test("a cycle over two nodes has one victim, the youngest, once all edges are reported anew", (t) => {
	const detector = new DeadlockDetector();
	t.deepEqual(detector.report(n1, [edge(a, b, "k")], 0), []);
	t.deepEqual(detector.report(n2, [edge(b, a, "l", 3)], 10), []);
	t.deepEqual(detector.report(n1, [edge(a, b, "k")], 50), [], "n2 has not confirmed its edge");
	t.deepEqual(detector.report(n2, [edge(b, a, "l", 3)], 60), [
		{
			owner: b,
			key: key("l"),
			since: 3,
			detail:
				"Process 101 waits for a lock for update on key l; blocked by process 100.\n" +
				"Process 100 waits for a lock for update on key k; blocked by process 101.",
		},
	]);
});

test("an edge that is gone meanwhile makes no victim", (t) => {
	const detector = new DeadlockDetector();
	detector.report(n1, [edge(a, b, "k")], 0);
	detector.report(n2, [edge(b, a, "l")], 10);
	t.deepEqual(detector.report(n1, [], 50), []);
	t.deepEqual(detector.report(n2, [edge(b, a, "l")], 60), []);
});

test("nor does one that has gone and come back: it is another wait", (t) => {
	const detector = new DeadlockDetector();
	detector.report(n1, [edge(a, b, "k", 1)], 0);
	detector.report(n2, [edge(b, a, "l")], 10);
	t.deepEqual(detector.report(n1, [edge(a, b, "k", 2)], 50), []);
	t.deepEqual(detector.report(n2, [edge(b, a, "l")], 60), []);
	t.is(detector.report(n1, [edge(a, b, "k", 2)], 100).length, 1);
});

test("a cycle of three over three nodes is found, a chain is not one", (t) => {
	const detector = new DeadlockDetector();
	const chain = [edge(a, b, "k"), edge(b, c, "l")];
	t.deepEqual(detector.report(n1, chain, 0), []);
	t.deepEqual(detector.report(n1, chain, 50), []);
	detector.report(n2, [edge(b, c, "l")], 100);
	detector.report(n3, [edge(c, a, "m")], 100);
	detector.report(n1, [edge(a, b, "k")], 150);
	const victims = [
		...detector.report(n2, [edge(b, c, "l")], 150),
		...detector.report(n3, [edge(c, a, "m")], 150),
	];
	t.deepEqual(
		victims.map((v) => v.owner),
		[c],
	);
});

test("a wait for a transaction's write is one for whoever waits under that transaction", (t) => {
	const detector = new DeadlockDetector();
	const [ta, tb] = ["ta", "tb"] as [TransactionId, TransactionId];
	const forWrite = (
		waiter: LockOwner,
		transaction: TransactionId,
		of: TransactionId,
		k: string,
	) => ({
		...edge(waiter, waiter, k),
		transaction,
		holder: null,
		of,
		strength: null,
	});
	const edges = [forWrite(a, ta, tb, "k"), forWrite(b, tb, ta, "l")];
	detector.report(n1, edges, 0);
	t.regex(
		detector.report(n1, edges, 50)[0]!.detail,
		/^Process 101 waits for the end of a write on key l; blocked by process 100\.\nProcess 100 /,
	);
});

test("two cycles that share nobody have a victim each; two that share their youngest have one", (t) => {
	const detector = new DeadlockDetector();
	const apart = [edge(a, b, "k"), edge(b, a, "l"), edge(c, d, "m"), edge(d, c, "n")];
	detector.report(n1, apart, 0);
	t.deepEqual(
		detector
			.report(n1, apart, 50)
			.map((v) => v.owner)
			.sort(),
		[b, d],
	);
	const shared = [edge(a, d, "k"), edge(d, a, "l"), edge(b, d, "m"), edge(d, b, "l")];
	detector.report(n2, shared, 100);
	detector.report(n1, [], 100);
	t.deepEqual(
		detector.report(n2, shared, 150).map((v) => v.owner),
		[d],
	);
});

test("whatever waits for whatever, the victims break all cycles and each of them is in one", (t) => {
	const wait = fc.tuple(fc.nat(7), fc.nat(7)).filter(([from, to]) => from !== to);
	fc.assert(
		fc.property(fc.array(wait, { maxLength: 16 }), (pairs) => {
			const detector = new DeadlockDetector();
			let edges = pairs.map(([from, to], i) => edge(owners[from]!, owners[to]!, `k${i}`));
			const victims: LockOwner[] = [];
			for (let round = 0; round < 20; round++) {
				for (const { owner } of detector.report(n1, edges, round * 50)) {
					t.true(reaches(edges, owner, owner), "a victim is in a cycle");
					victims.push(owner);
					edges = edges.filter((e) => e.waiter !== owner && e.holder !== owner);
				}
			}
			t.false(owners.some((owner) => reaches(edges, owner, owner)));
		}),
		{ numRuns: 200 },
	);
});

function reaches(edges: readonly WaitEdge[], from: LockOwner, to: LockOwner): boolean {
	const seen = new Set<LockOwner>();
	const look = [from];
	for (let at = look.pop(); at !== undefined; at = look.pop()) {
		for (const { waiter, holder } of edges) {
			if (waiter === at && holder === to) {
				return true;
			}
			if (waiter === at && holder !== null && !seen.has(holder)) {
				seen.add(holder);
				look.push(holder);
			}
		}
	}
	return false;
}
