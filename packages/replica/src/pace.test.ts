import type { Timer } from "@quorate/runtime/runtime";
import test from "ava";
import { Pace } from "./pace.ts";

/** A clock that work and waiting move on. */
function paced({ lateMs = 0 } = {}) {
	let nowMs = 1_000;
	const waits: number[] = [];
	const scheduler = {
		setTimer: (ms: number, task: () => void): Timer => {
			waits.push(ms);
			nowMs += ms + lateMs;
			queueMicrotask(task);
			return { cancel: () => undefined };
		},
		yield: async () => undefined,
	};
	const clock = { monotonicMs: () => nowMs };
	const pace = new Pace({ clock, scheduler } as unknown as ConstructorParameters<typeof Pace>[0]);
	const work = (ms: number) => () => {
		nowMs += ms;
		return ms;
	};
	return { pace, work, waits, now: () => nowMs };
}

test("after each part comes a pause of nine times its length, and none is long", async (t) => {
	const { pace, work, waits } = paced();
	t.is(await pace.part(work(2)), 2);
	await pace.part(work(400));
	t.deepEqual(waits, [18, 50]);
});

test("parts that are too short for a pause of their own have one together", async (t) => {
	const { pace, work, waits } = paced();
	for (let n = 0; n < 10; n++) await pace.part(work(0.0625));
	t.true(waits.length >= 3 && waits.length <= 5, String(waits));
});

test("a pause is longer where the one before ended late", async (t) => {
	const busy = paced({ lateMs: 4 });
	for (let n = 0; n < 3; n++) await busy.pace.part(busy.work(2));
	t.deepEqual(busy.waits, [18, 45, 45]);
	const idle = paced({ lateMs: 1 });
	for (let n = 0; n < 3; n++) await idle.pace.part(idle.work(2));
	t.deepEqual(idle.waits, [18, 18, 18]);
});

test("what goes on side by side shares the pace", async (t) => {
	const { pace, work, now } = paced();
	const beganMs = now();
	const all = [1, 2, 3].map(async () => {
		for (let n = 0; n < 4; n++) await pace.part(work(2));
	});
	await Promise.all(all);
	t.true(now() - beganMs >= 3 * 4 * 18, `${now() - beganMs} ms`);
});

test("work that throws is told of, and nothing waits for it", async (t) => {
	const { pace } = paced();
	await t.throwsAsync(
		pace.part(() => {
			throw new Error("no");
		}),
		{ message: "no" },
	);
	t.is(await pace.part(() => 1), 1);
});
