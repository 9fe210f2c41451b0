import type { Scheduler } from "@quorate/runtime/runtime";
import test from "ava";
import { ListeningTime } from "./listening-time.ts";

test("a tick counts once what waits on the sockets has been read", (t) => {
	const deferred: (() => void)[] = [];
	const scheduler = { defer: (task: () => void) => void deferred.push(task) } as Scheduler;
	const time = new ListeningTime(scheduler, 50);
	time.tick();
	t.is(time.ms, 0);
	deferred.shift()!();
	t.is(time.ms, 50);
	time.tick();
	time.tick();
	for (const task of deferred) task();
	t.is(time.ms, 150);
});
