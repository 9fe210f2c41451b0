import { lockOwner, nodeId } from "@quorate/keys/ids";
import { key } from "@quorate/keys/key";
import test from "ava";
import { DeadlockDetector, type WaitEdge } from "./deadlocks.ts";

const [a, b, c] = ["x/1/a", "x/2/b", "x/3/c"].map(lockOwner) as [
	WaitEdge["waiter"],
	WaitEdge["waiter"],
	WaitEdge["waiter"],
];
const edge = (waiter: WaitEdge["waiter"], holder: WaitEdge["waiter"], k: string): WaitEdge => ({
	waiter,
	holder,
	key: key(k),
});
const [n1, n2] = [nodeId(1), nodeId(2)];

test("a cycle over two nodes has one victim, the youngest, once all edges are reported anew", (t) => {
	const detector = new DeadlockDetector();
	t.deepEqual(detector.report(n1, [edge(a, b, "k")], 0), []);
	t.deepEqual(detector.report(n2, [edge(b, a, "l")], 10), []);
	t.deepEqual(detector.report(n1, [edge(a, b, "k")], 100), [], "n2 has not confirmed its edge");
	const victims = detector.report(n2, [edge(b, a, "l")], 110);
	t.deepEqual(
		victims.map((v) => [v.owner, v.key]),
		[[b, key("l")]],
	);
});

test("an edge that is gone meanwhile makes no victim", (t) => {
	const detector = new DeadlockDetector();
	detector.report(n1, [edge(a, b, "k")], 0);
	detector.report(n2, [edge(b, a, "l")], 10);
	t.deepEqual(detector.report(n1, [], 100), []);
	t.deepEqual(detector.report(n2, [edge(b, a, "l")], 110), []);
});

test("a cycle of three is found, a chain is not one", (t) => {
	const detector = new DeadlockDetector();
	const chain = [edge(a, b, "k"), edge(b, c, "l")];
	t.deepEqual(detector.report(n1, chain, 0), []);
	t.deepEqual(detector.report(n1, chain, 100), []);
	const ring = [...chain, edge(c, a, "m")];
	detector.report(n1, ring, 200);
	t.deepEqual(
		detector.report(n1, ring, 300).map((v) => v.owner),
		[c],
	);
});
