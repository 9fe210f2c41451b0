import type { Logger } from "@quorate/runtime/runtime";
import test from "ava";
import { QuietFlush } from "./quiet-flush.ts";

const memtableBytes = 6 << 20;
const logger: Logger = { log: () => undefined, child: () => logger };

/** Memtables that count, and looks that come when the test says so. */
function flushing(freeBytes = 2 ** 40) {
	const held = { active: 0, full: 0, tables: 0, filled: 0 };
	const due: (() => void)[] = [];
	const add = (bytes: number): void => {
		if (held.active + bytes > memtableBytes) {
			held.full++;
			held.active = 0;
			if (held.full >= 2) {
				held.full = 0;
				held.tables++;
			}
		}
		held.active += bytes;
	};
	const flush = new QuietFlush({
		memtables: {
			allBytes: () => held.active + held.full * memtableBytes,
			activeBytes: () => held.active,
			fullCount: () => held.full,
			fill: (value) => {
				held.filled++;
				add(value?.length ?? 1);
			},
		},
		memtableBytes,
		disk: { space: () => Promise.resolve({ freeBytes, sizeBytes: 2 ** 40 }) },
		scheduler: {
			setTimer: (_, task) => {
				due.push(task);
				return { cancel: () => undefined };
			},
			defer: (task) => task(),
			yield: () => Promise.resolve(),
		},
		logger,
	});
	const look = async (): Promise<void> => {
		for (const task of due.splice(0)) task();
		// A flush takes a turn for each piece.
		for (let turn = 0; turn < 500; turn++) await Promise.resolve();
	};
	const write = (bytes: number): void => {
		add(bytes);
		flush.wrote(bytes);
	};
	return { held, look, write, looks: () => due.length, close: () => flush.close() };
}

test("memtables are emptied after two looks between which next to nothing was written", async (t) => {
	const { held, look, write, looks } = flushing();
	write(3 << 20);
	await look();
	await look();
	t.is(held.filled, 0);
	// Quiet once, and not any more.
	write(1 << 20);
	await look();
	await look();
	t.is(held.filled, 0);
	write(1_000);
	await look();
	t.is(held.tables, 1);
	t.true(held.active < 1 << 20, `${held.active} bytes are left`);
	t.is(looks(), 0, "nothing is looked at while nothing is written");
});

test("one that is full already needs but one more", async (t) => {
	const { held, look, write } = flushing();
	write(5 << 20);
	write(3 << 20);
	t.is(held.full, 1);
	for (let n = 0; n < 3; n++) await look();
	t.is(held.tables, 1);
	t.is(held.full, 0);
});

test("little is left where it is, and so is all where the disk is nearly full, or the engine is closed", async (t) => {
	const little = flushing();
	little.write(1 << 20);
	await little.look();
	t.is(little.looks(), 0);

	const crowded = flushing(100 << 20);
	crowded.write(5 << 20);
	for (let n = 0; n < 4; n++) await crowded.look();
	t.is(crowded.held.filled, 0);

	const closed = flushing();
	closed.write(5 << 20);
	await closed.close();
	for (let n = 0; n < 4; n++) await closed.look();
	t.is(closed.held.filled, 0);
});
