import type { Disk, DiskFile } from "@quorate/runtime/runtime";
import test from "ava";
import type { Machine } from "./machine.ts";
import { SeededRandom } from "./seeded-random.ts";
import { SimFile } from "./sim-file.ts";
import { World } from "./world.ts";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

interface Setup {
	readonly world: World;
	readonly machine: Machine;
	readonly disk: Disk;
	/** Runs the world until the promise settles. */
	readonly run: <T>(promise: Promise<T>) => Promise<T>;
}

function setup(seed = 1): Setup {
	const world = new World(seed);
	const machine = world.addMachine(1);
	const { disk } = machine.boot();
	return { world, machine, disk, run: (promise) => world.complete(promise, 60_000) };
}

async function durableFile(s: Setup, path: string, content: Uint8Array): Promise<DiskFile> {
	const file = await s.run(s.disk.open(path, "create"));
	await s.run(file.write(content, 0));
	await s.run(file.sync());
	await s.run(s.disk.syncDirectory(""));
	return file;
}

/** Disk of the same machine after it went down and came back. */
function restart(s: Setup, kind: "process" | "power"): Disk {
	s.machine.crash(kind);
	return s.machine.boot().disk;
}

test("it behaves as the real disk does", async (t) => {
	const s = setup();
	const { disk, run } = s;
	t.is(await run(disk.readWhole("nothing")), undefined);
	t.deepEqual(await run(disk.list("nothing")), []);
	await t.throwsAsync(run(disk.open("nothing", "existing")), { code: "ENOENT" });
	await t.throwsAsync(run(disk.open("no/where", "create")), { code: "ENOENT" });
	await run(disk.makeDirectory("log/deep"));
	const file = await run(disk.open("log/b", "create"));
	await run(file.write(bytes(1, 2, 3), 2));
	await run(file.sync());
	t.is(await run(file.size()), 5);
	t.deepEqual(await run(file.read(0, 100)), bytes(0, 0, 1, 2, 3));
	await run(file.truncate(3));
	t.deepEqual(await run(file.read(2, 5)), bytes(1));
	await run(file.write(bytes(9), 4));
	t.deepEqual(await run(file.read(0, 9)), bytes(0, 0, 1, 0, 9));
	await run(disk.replace("log/a", bytes(7)));
	t.deepEqual(await run(disk.list("log")), ["a", "b", "deep"]);
	t.deepEqual(await run(disk.list("")), ["log"]);
	t.deepEqual(await run(disk.readWhole("log/a")), bytes(7));
	await run(disk.remove("log/a"));
	await t.throwsAsync(run(disk.remove("log/a")), { code: "ENOENT" });
	await run(disk.remove("log"));
	t.deepEqual(await run(disk.list("")), []);
});

test("what was synced survives a power failure, in every seed", async (t) => {
	for (let seed = 0; seed < 50; seed++) {
		const s = setup(seed);
		const file = await durableFile(s, "f", bytes(1, 2, 3, 4));
		void file.write(bytes(8, 8), 4);
		await s.world.runFor(s.world.random("when").between(0, 0.2));
		const disk = restart(s, "power");
		const content = await s.run(disk.readWhole("f"));
		t.deepEqual(content?.subarray(0, 4), bytes(1, 2, 3, 4));
	}
});

test("unsynced writes are kept, lost and torn, each for itself", async (t) => {
	const outcomes = new Set<string>();
	for (let seed = 0; seed < 300; seed++) {
		const s = setup(seed);
		const file = await durableFile(s, "f", bytes(1, 1, 1, 1));
		await s.run(file.write(bytes(2, 2, 2, 2), 0));
		await s.run(file.write(bytes(3, 3), 4));
		const disk = restart(s, "power");
		outcomes.add((await s.run(disk.readWhole("f")))!.join(""));
	}
	for (const expected of ["1111", "2222", "222233", "111133", "2211", "11113"]) {
		t.true(outcomes.has(expected), expected);
	}
	t.true(outcomes.size > 10, `${outcomes.size}`);
	for (const outcome of outcomes) t.regex(outcome, /^[12]{4}(3|33|03)?$/);
});

test("what a dead process had written stays, but for calls that had not returned", async (t) => {
	const outcomes = new Set<string>();
	for (let seed = 0; seed < 60; seed++) {
		const s = setup(seed);
		const file = await durableFile(s, "f", bytes(1));
		await s.run(file.write(bytes(2), 1));
		void file.write(bytes(3, 3), 2);
		const disk = restart(s, "process");
		const content = (await s.run(disk.readWhole("f")))!.join("");
		t.true(content.startsWith("12"));
		outcomes.add(content);
		s.machine.crash("power");
		const later = (await s.run(s.machine.boot().disk.readWhole("f")))!;
		t.is(later[0], 1);
	}
	t.true(outcomes.has("12") && outcomes.has("1233") && outcomes.has("123"), [...outcomes].join());
});

test("a sync covers the writes that had returned when it began, and no others", async (t) => {
	let lost = 0;
	for (let seed = 0; seed < 60; seed++) {
		const s = setup(seed);
		const file = await durableFile(s, "f", bytes(0, 0));
		await s.run(file.write(bytes(1), 0));
		const late = file.write(bytes(2), 1);
		await s.run(file.sync());
		await s.run(late);
		const content = (await s.run(restart(s, "power").readWhole("f")))!;
		t.is(content[0], 1);
		if (content[1] === 0) lost++;
	}
	t.true(lost > 0);
});

test("a failed sync is not mended by the next one", async (t) => {
	let lost = 0;
	for (let seed = 0; seed < 60; seed++) {
		const s = setup(seed);
		const file = await durableFile(s, "f", bytes(0));
		await s.run(file.write(bytes(1), 0));
		s.machine.disk.failNext("sync", "EIO");
		await t.throwsAsync(s.run(file.sync()), { code: "EIO" });
		await s.run(file.sync());
		t.deepEqual(await s.run(file.read(0, 1)), bytes(1));
		if ((await s.run(restart(s, "power").readWhole("f")))![0] === 0) lost++;
	}
	t.true(lost > 0);
});

test("names are durable only after their directory was synced", async (t) => {
	let created = 0;
	let removed = 0;
	for (let seed = 0; seed < 60; seed++) {
		const s = setup(seed);
		await durableFile(s, "old", bytes(1));
		const file = await s.run(s.disk.open("new", "create"));
		await s.run(file.write(bytes(2), 0));
		await s.run(file.sync());
		await s.run(s.disk.remove("old"));
		const names = await s.run(restart(s, "power").list(""));
		if (names.includes("new")) created++;
		if (!names.includes("old")) removed++;
	}
	t.true(created > 0 && created < 60, `${created}`);
	t.true(removed > 0 && removed < 60, `${removed}`);
});

test("a directory that was made is durable, with what was synced in it", async (t) => {
	for (let seed = 0; seed < 30; seed++) {
		const s = setup(seed);
		await s.run(s.disk.makeDirectory("d/e"));
		await s.run(s.disk.replace("d/e/f", bytes(1)));
		const disk = restart(s, "power");
		t.deepEqual(await s.run(disk.readWhole("d/e/f")), bytes(1));
	}
});

test("a replacement that a crash interrupts leaves the old or the new content", async (t) => {
	const outcomes = new Set<string>();
	for (let seed = 0; seed < 100; seed++) {
		const s = setup(seed);
		await s.run(s.disk.replace("f", bytes(1, 1)));
		void s.disk.replace("f", bytes(2, 2));
		const disk = restart(s, seed % 2 === 0 ? "power" : "process");
		outcomes.add((await s.run(disk.readWhole("f")))!.join(""));
	}
	t.deepEqual([...outcomes].sort(), ["11", "22"]);
});

test("errors: queued ones, rates, a full disk", async (t) => {
	const s = setup();
	const faults = s.machine.disk.faults;
	const file = await durableFile(s, "f", bytes(1));
	s.machine.disk.failNext("write", "ENOSPC", "f");
	await t.throwsAsync(s.run(file.write(bytes(1), 1)), { code: "ENOSPC" });
	await s.run(file.write(bytes(1), 1));
	faults.syncErrorRate = 1;
	await t.throwsAsync(s.run(file.sync()), { code: "EIO" });
	await t.throwsAsync(s.run(s.disk.syncDirectory("")), { code: "EIO" });
	faults.syncErrorRate = 0;
	faults.writeErrorRate = 1;
	await t.throwsAsync(s.run(file.write(bytes(1), 2)), { code: "EIO" });
	await t.throwsAsync(s.run(s.disk.replace("g", bytes(1))), { code: "EIO" });
	faults.writeErrorRate = 0;
	faults.capacityBytes = 4;
	await t.throwsAsync(s.run(file.write(bytes(1, 2, 3, 4), 1)), { code: "ENOSPC" });
	await s.run(file.write(bytes(1), 0));
	faults.slowSyncRate = 1;
	faults.slowSyncMs = 500;
	const before = s.world.nowMs;
	await s.run(file.sync());
	t.true(s.world.nowMs - before >= 500);
	t.true((s.world.counts.get("EIO-write") ?? 0) >= 1);
});

test("a nemesis can crash a machine at any operation", async (t) => {
	const s = setup();
	const seen: string[] = [];
	const file = await durableFile(s, "f", bytes(1));
	s.machine.disk.onOperation = (operation, path) => {
		seen.push(`${operation} ${path}`);
		if (operation === "sync") s.machine.crash("power");
	};
	let synced = false;
	void file
		.write(bytes(2), 0)
		.then(() => file.sync())
		.then(() => {
			synced = true;
		});
	await s.world.runFor(100);
	t.deepEqual(seen, ["write f", "sync f"]);
	t.false(synced);
});

test("bits flip, and the disk may be replaced by an empty one", async (t) => {
	const s = setup();
	await durableFile(s, "f", new Uint8Array(100));
	t.regex(s.machine.disk.flipRandomBit((path) => path === "f")!.where, /^f byte \d+$/);
	t.is(
		s.machine.disk.flipRandomBit((path) => path === "g"),
		undefined,
	);
	const content = (await s.run(s.disk.readWhole("f")))!;
	t.is(content.filter((b) => b !== 0).length, 1);
	s.machine.crash("power");
	s.machine.disk.erase();
	t.deepEqual(await s.run(s.machine.boot().disk.list("")), []);
});

test("the lock goes with the process", async (t) => {
	const s = setup();
	t.truthy(await s.run(s.disk.lock("")));
	t.is(await s.run(s.disk.lock("")), undefined);
	t.truthy(await s.run(restart(s, "process").lock("")));
});

test("a file's past is kept right: taking everything back gives what was durable", (t) => {
	for (let seed = 0; seed < 300; seed++) {
		const random = new SeededRandom(seed, "file");
		const file = new SimFile();
		let durable = new Uint8Array(0);
		for (let i = 0; i < 20; i++) {
			const choice = random.below(6);
			if (choice === 0) {
				file.synced(file.syncable());
				durable = new Uint8Array(file.read(0, file.size));
			} else if (choice === 1) file.truncate(random.below(30)).completed = true;
			else file.write(random.bytes(random.below(10)), random.below(25)).completed = true;
		}
		const current = file.read(0, file.size);
		file.loseProcess(random);
		t.deepEqual(file.read(0, file.size), current);
		// A source of randomness that always says "lost".
		const never = { chance: () => false, below: () => 0 } as unknown as SeededRandom;
		file.losePower(never);
		t.deepEqual(file.read(0, file.size), durable);
	}
});
