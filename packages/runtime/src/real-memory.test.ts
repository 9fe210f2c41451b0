import { getHeapSpaceStatistics } from "node:v8";
import test from "ava";
import {
	collectAll,
	findCollector,
	GrowthCollector,
	QuietCollector,
	usedBytes,
} from "./real-memory.ts";

test("it collects once the process is quiet, and not again before the heap has grown", (t) => {
	let collections = 0;
	const collector = new QuietCollector(() => collections++);
	const look = (cpuShare: number, megabytes: number): number => {
		collector.look({ cpuShare, bytes: megabytes << 20 });
		return collections;
	};
	t.is(look(0.5, 60), 0);
	t.is(look(0.01, 60), 1);
	t.is(look(0.01, 20), 1);
	t.is(look(0.01, 22), 1);
	t.is(look(0.5, 80), 1);
	// An idle node on a machine that others keep busy.
	t.is(look(0.08, 80), 2);
	// A load that has paused for a moment, and then ends.
	t.is(look(0.9, 150), 2);
	t.is(look(0.01, 150), 3);
});

test("what is forgotten while it is quiet is collected, too, ever later, and not for ever", (t) => {
	const at: number[] = [];
	let interval = 0;
	const collector = new QuietCollector(() => at.push(interval));
	const look = (cpuShare: number, megabytes: number, times = 1): void => {
		for (let n = 0; n < times; n++, interval++)
			collector.look({ cpuShare, bytes: megabytes << 20 });
	};
	look(0.01, 60);
	look(0.01, 20, 5);
	// What it does meanwhile puts it off.
	look(0.5, 20);
	look(0.01, 20, 500);
	t.deepEqual(at, [0, 12, 18, 30, 54]);
	look(0.01, 40);
	t.is(at.length, 6);
});

test("it collects when the process has grown, and takes what is left then as its size", (t) => {
	let collections = 0;
	const collector = new GrowthCollector(() => collections++);
	const look = (...megabytes: readonly number[]): number => {
		for (const size of megabytes) {
			collector.look(size << 20);
		}
		return collections;
	};
	t.is(look(120, 100, 110, 131), 0);
	t.is(look(132), 1);
	// Freed some time later; then 115 is what it has.
	t.is(look(170, 115, 146), 1);
	t.is(look(147), 2);
	t.is(look(160, 160, 160, 191), 2);
	t.is(look(192), 3);
});

test("what nothing refers to any more is gone some time after a collection", async (t) => {
	const collect = findCollector();
	let buffers: Uint8Array[] | undefined = Array.from({ length: 40 }, () =>
		new Uint8Array(1 << 20).fill(1),
	);
	t.is(buffers.length, 40);
	collect();
	const before = usedBytes();
	buffers = undefined;
	collect();
	// Buffers are freed by another thread.
	while (before - usedBytes() < 30 << 20) {
		await new Promise((resolve) => setImmediate(resolve));
	}
	t.pass();
});

test("the young generation gives back what it grew to", async (t) => {
	const young = (): number =>
		getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space")!.space_size;
	// What survives makes it grow.
	for (let kept: object[] = []; young() < 8 << 20; ) {
		kept = kept.length > 100_000 ? [] : kept;
		for (let n = 0; n < 1_000; n++) kept.push({ n });
	}
	// The answer keeps nothing alive.
	const alive = setInterval(() => {}, 1_000);
	await collectAll();
	clearInterval(alive);
	t.true(young() <= 4 << 20, `${young()} bytes`);
});
