import type { TransactionId } from "@quorate/keys/ids";
import { key } from "@quorate/keys/key";
import { timestamp } from "@quorate/keys/timestamp";
import test from "ava";
import { type PendingGroup, PendingWrites } from "./pending-writes.ts";

function group(name: string, sequence: number, keys: readonly string[]): PendingGroup {
	return {
		transaction: name as TransactionId,
		anchor: key(keys[0]!),
		p: timestamp(10),
		chunk: 1,
		sequence,
		number: 0,
		writes: keys.map((k) => ({ key: key(k), value: null, mark: false })),
		onePhase: false,
		validates: false,
		builtOn: new Map(),
		c: timestamp(0),
	};
}

test("L4: an applied entry ends its own and all lower numbers of its lease", (t) => {
	const pending = new PendingWrites();
	const groups = ["x", "y", "z"].map((name) => group(name, 1, ["k"]));
	groups.forEach((g, i) => {
		pending.accept(g);
		pending.proposed(g, i + 1);
	});
	t.is(pending.on(key("k")).length, 3);
	t.deepEqual(pending.applied(1, 2, true), [groups[0], groups[1]]);
	t.deepEqual(
		pending.on(key("k")).map((p) => p.group),
		[groups[2]],
	);
});

test("L4: a rejected entry ends only its own", (t) => {
	const pending = new PendingWrites();
	const [x, y] = [group("x", 1, ["k"]), group("y", 1, ["l"])];
	for (const [g, n] of [
		[x, 1],
		[y, 2],
	] as const) {
		pending.accept(g);
		pending.proposed(g, n);
	}
	t.deepEqual(pending.applied(1, 2, false), [y]);
	t.is(pending.on(key("k")).length, 1);
});

test("L4: a newer lease ends what older ones accepted, proposed or not", (t) => {
	const pending = new PendingWrites();
	const [old, unproposed, fresh] = [
		group("o", 1, ["k"]),
		group("u", 1, ["k"]),
		group("f", 2, ["k"]),
	];
	for (const g of [old, unproposed, fresh]) {
		pending.accept(g);
	}
	pending.proposed(old, 7);
	t.deepEqual(pending.leaseEnded(2), [old, unproposed]);
	t.deepEqual(
		pending.on(key("k")).map((p) => p.group),
		[fresh],
	);
});

test("only what was not proposed can be withdrawn", (t) => {
	const pending = new PendingWrites();
	const g = group("x", 1, ["k"]);
	pending.accept(g);
	pending.proposed(g, 1);
	t.throws(() => pending.withdraw(g), { message: /L4/ });
});
