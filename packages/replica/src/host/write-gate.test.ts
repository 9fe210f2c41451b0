import type { Scheduler } from "@quorate/runtime/runtime";
import test from "ava";
import { backlogBytesMax, WriteGate } from "./write-gate.ts";

/** Timers that a test lets fire. */
function hand(): {
	readonly scheduler: Scheduler;
	readonly fire: () => void;
	timers: () => number;
} {
	const timers = new Set<() => void>();
	const scheduler: Scheduler = {
		setTimer: (_ms, task) => {
			timers.add(task);
			return { cancel: () => timers.delete(task) };
		},
		defer: (task) => void Promise.resolve().then(task),
		yield: () => Promise.resolve(),
	};
	const fire = () => {
		const [first] = timers;
		if (first !== undefined) timers.delete(first);
		first?.();
	};
	return { scheduler, fire, timers: () => timers.size };
}

test("who comes while the group is behind waits, and comes in by turns as it catches up", async (t) => {
	const { scheduler, timers } = hand();
	const gate = new WriteGate(scheduler);
	t.is(gate.enter(1 << 20, backlogBytesMax - 1), undefined);
	const inside: number[] = [];
	const enter = (n: number, bytes: number, backlog: number) =>
		void gate.enter(bytes, backlog)?.then(() => inside.push(n));
	enter(1, 1 << 20, backlogBytesMax);
	enter(2, 1 << 20, backlogBytesMax);
	// Nobody overtakes.
	enter(3, 1 << 20, 0);
	await Promise.resolve();
	t.deepEqual(inside, []);
	gate.letIn(backlogBytesMax);
	await Promise.resolve();
	t.deepEqual(inside, []);
	// The first one's bytes count, though they are not in the log yet.
	gate.letIn(backlogBytesMax - (1 << 20));
	await Promise.resolve();
	t.deepEqual(inside, [1]);
	gate.letIn(0);
	await Promise.resolve();
	t.deepEqual(inside, [1, 2, 3]);
	t.deepEqual([gate.isEmpty, timers()], [true, 0]);
});

test("nobody waits for ever", async (t) => {
	const { scheduler, fire, timers } = hand();
	const gate = new WriteGate(scheduler);
	let inside = 0;
	for (let n = 0; n < 3; n++) void gate.enter(1, backlogBytesMax)?.then(() => inside++);
	fire();
	await Promise.resolve();
	t.deepEqual([inside, gate.isEmpty, timers()], [1, false, 2]);
	gate.open();
	await Promise.resolve();
	t.deepEqual([inside, gate.isEmpty, timers()], [3, true, 0]);
});
