import type { Runtime } from "@quorate/runtime/runtime";
import test from "ava";
import type { Machine } from "./machine.ts";
import { ProcessCrashedError } from "./sim-process.ts";
import { SimulationError, World } from "./world.ts";

test("time moves from event to event, and ties run in order", async (t) => {
	const world = new World(1);
	const seen: string[] = [];
	world.schedule(5, () => seen.push("b"));
	world.schedule(1, () => seen.push("a"));
	world.schedule(5, () => seen.push("c"));
	await world.run(4);
	t.deepEqual(seen, ["a"]);
	t.is(world.nowMs, 4);
	await world.runFor(10);
	t.deepEqual(seen, ["a", "b", "c"]);
	t.is(world.nowMs, 14);
});

test("every promise job runs before the next event, however long the chain", async (t) => {
	const world = new World(1);
	let depth = 0;
	let atNextEvent = -1;
	world.schedule(1, () => {
		void (async () => {
			for (; depth < 5000; depth++) await null;
		})();
	});
	world.schedule(1, () => {
		atNextEvent = depth;
	});
	await world.run(2);
	t.is(atNextEvent, 5000);
});

test("runUntil stops at the condition, complete gives a result or an error", async (t) => {
	const world = new World(1);
	let done = false;
	world.schedule(10, () => {
		done = true;
	});
	t.false(await world.runUntil(() => done, 5));
	t.true(await world.runUntil(() => done, 50));
	t.is(world.nowMs, 10);
	t.is(
		await world.complete(
			world.sleep(5).then(() => "slept"),
			100,
		),
		"slept",
	);
	await t.throwsAsync(world.complete(Promise.reject(new RangeError("no")), 100), {
		instanceOf: RangeError,
	});
	await t.throwsAsync(world.complete(new Promise(() => undefined), 100), {
		message: /nothing came/,
	});
});

test("what escapes from the code under simulation ends the run, with the seed", async (t) => {
	const world = new World(42);
	const runtime = world.addMachine(3).boot();
	runtime.scheduler.setTimer(1, () => {
		throw new TypeError("oops");
	});
	await t.throwsAsync(world.run(10), {
		instanceOf: SimulationError,
		message: /seed 42.*exception on machine 3.*oops/s,
	});
});

/** Two processes that tick, draw, write, defer and log, for a while. */
async function busyWorld(seed: number): Promise<World> {
	const world = new World(seed);
	const start = async (machine: Machine): Promise<void> => {
		const runtime = machine.boot();
		const file = await runtime.disk.open("log", "create");
		for (let i = 0; i < 30; i++) {
			await file.write(runtime.random.bytes(5), i * 5);
			if (i % 5 === 0) await file.sync();
			await new Promise<void>((resolve) => runtime.scheduler.setTimer(1, resolve));
			await runtime.scheduler.yield();
		}
	};
	for (const id of [1, 2]) void start(world.addMachine(id));
	await world.run(200);
	return world;
}

test("one seed gives one history, another seed another", async (t) => {
	const [first, again, other] = [await busyWorld(7), await busyWorld(7), await busyWorld(8)];
	t.is(first.traceHash(), again.traceHash());
	t.is(first.eventCount, again.eventCount);
	t.not(first.traceHash(), other.traceHash());
});

test("worlds that run side by side do not disturb each other", async (t) => {
	const alone = await busyWorld(7);
	const [a, b] = await Promise.all([busyWorld(7), busyWorld(9)]);
	t.is(a.traceHash(), alone.traceHash());
	t.not(b.traceHash(), alone.traceHash());
});

test("a crash discards all that the process waited for", async (t) => {
	const world = new World(1);
	const machine = world.addMachine(1);
	const old = machine.boot();
	const seen: string[] = [];
	const note = (what: string) => () => void seen.push(what);
	old.scheduler.setTimer(5, note("timer"));
	old.scheduler.defer(note("deferred"));
	void old.disk.makeDirectory("d").then(note("disk"));
	void old.network.connect("127.0.0.1:5", 100).then(note("connected"), note("refused"));
	machine.crash("process");
	old.scheduler.setTimer(1, note("dead timer"));
	old.scheduler.defer(note("dead deferred"));
	void old.disk.list("").then(note("dead disk"));
	await world.run(1000);
	t.deepEqual(seen, []);
	machine.boot().scheduler.setTimer(1, note("alive"));
	await world.runFor(10);
	t.deepEqual(seen, ["alive"]);
});

test("fatal crashes the process, and its last promises are nobody's business", async (t) => {
	const world = new World(1);
	const machine = world.addMachine(1);
	const runtime = machine.boot();
	let after = false;
	void (async () => {
		await runtime.scheduler.yield();
		void runtime.scheduler.yield().then(() => {
			after = true;
		});
		runtime.fatal("fsync failed");
	})();
	await world.run(10);
	t.is(machine.process, undefined);
	t.deepEqual(machine.fatalReasons, ["fsync failed"]);
	t.false(after);
	t.regex(machine.log.lines().join(), /fsync failed/);
	t.throws(() => runtime.fatal("again"), { instanceOf: ProcessCrashedError });
	t.is(machine.fatalReasons.length, 1);
});

test("a paused process does nothing, then everything in order", async (t) => {
	const world = new World(1);
	const machine = world.addMachine(1);
	const runtime = machine.boot();
	const seen: number[] = [];
	for (const delayMs of [5, 10, 15]) {
		runtime.scheduler.setTimer(delayMs, () => seen.push(delayMs));
	}
	machine.pause(100);
	await world.run(99);
	t.deepEqual(seen, []);
	await world.run(101);
	t.deepEqual(seen, [5, 10, 15]);
	t.true(runtime.clock.monotonicMs() > 100);
});

const span = async (world: World, runtime: Runtime, durationMs: number): Promise<number> => {
	const before = runtime.clock.monotonicMs();
	await world.runFor(durationMs);
	return runtime.clock.monotonicMs() - before;
};

test("clocks run at their own rate, and timers follow a change of it", async (t) => {
	const world = new World(1);
	const machine = world.addMachine(1);
	const runtime = machine.boot();
	t.is(Math.round(await span(world, runtime, 100)), 100);
	let firedAtMs = 0;
	const startMs = runtime.clock.monotonicMs();
	runtime.scheduler.setTimer(1000, () => {
		firedAtMs = runtime.clock.monotonicMs();
	});
	machine.setClockRate(0.5);
	t.is(Math.round(await span(world, runtime, 1500)), 750);
	t.is(firedAtMs, 0);
	machine.setClockRate(10);
	await world.runFor(30);
	t.true(firedAtMs >= startMs + 1000 && firedAtMs < startMs + 1002, `${firedAtMs - startMs}`);
	const wallMs = runtime.clock.wallMs();
	const monotonicMs = runtime.clock.monotonicMs();
	machine.jumpWall(-3_600_000);
	t.is(runtime.clock.wallMs(), wallMs - 3_600_000);
	t.is(runtime.clock.monotonicMs(), monotonicMs);
});

test("deferred tasks run together, in order, after the turn; those of a tick's tasks in the next", async (t) => {
	const world = new World(1);
	const { scheduler } = world.addMachine(1).boot();
	const seen: string[] = [];
	scheduler.defer(() => {
		seen.push("a");
		scheduler.defer(() => seen.push("c"));
	});
	scheduler.defer(() => seen.push("b"));
	t.deepEqual(seen, []);
	await world.run(1);
	t.deepEqual(seen, ["a", "b", "c"]);
	t.is(world.eventCount, 2);
});

test("what a tick's task causes in a later part of it comes at the same time, also by way of a promise", async (t) => {
	const world = new World(1);
	const { scheduler } = world.addMachine(1).boot();
	const seen: string[] = [];
	const note = (what: string) => () => seen.push(`${world.nowUs} ${what}`);
	scheduler.defer(note("sent"), "send");
	scheduler.defer(() => {
		note("gathered")();
		scheduler.defer(note("next"));
		void Promise.resolve().then(() => scheduler.defer(note("sent, too"), "send"));
	}, "gather");
	scheduler.defer(() => void Promise.resolve().then(() => scheduler.defer(note("late"), "gather")));
	await world.run(1);
	t.deepEqual(seen, ["1 gathered", "1 late", "1 sent", "1 sent, too", "2 next"]);
});
