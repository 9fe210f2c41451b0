import type { RangeId, ReplicaId } from "@quorate/keys/ids";
import type { Entry } from "@quorate/raft/types";
import type { Runtime } from "@quorate/runtime/runtime";
import test from "ava";
import { CrashDisk, diskRuntime } from "./crash-disk.ts";
import { positionName } from "./position.ts";
import { segmentHeaderBytes, segmentName, WalCorruptionError } from "./segment.ts";
import type { WalWrite } from "./types.ts";
import { openWal } from "./wal.ts";

const directory = "wal";
const range = (n: number): RangeId => n as RangeId;
const replica = (n: number): ReplicaId => n as ReplicaId;

function command(index: number, term: number, text: string): Entry {
	return { index, term, payload: { kind: "command", data: Buffer.from(text) } };
}

function entries(first: number, count: number, term: number, sizeBytes = 10): WalWrite {
	const list: Entry[] = [];
	for (let n = 0; n < count; n++) {
		list.push(command(first + n, term, `${term}.${first + n}`.padEnd(sizeBytes, "x")));
	}
	return { rangeId: range(1), replicaId: replica(11), entries: list };
}

const open = (disk: CrashDisk, segmentSizeBytes = 1 << 20) =>
	openWal(diskRuntime(disk), directory, { segmentSizeBytes });

const nothingKept = (): boolean => false;

test("every field of a write comes back", async (t) => {
	const disk = new CrashDisk();
	const { wal, recovered } = await open(disk);
	t.deepEqual(recovered, []);
	const configuration = {
		voters: [replica(1), replica(2)],
		outgoing: [replica(1)],
		learners: [replica(9)],
		learnersNext: [],
	};
	const changes = [{ kind: "add-learner", replica: replica(2 ** 40) } as const];
	await wal.append([
		{
			rangeId: range(2 ** 45),
			replicaId: replica(7),
			hardState: { term: 300, vote: replica(7), commit: 4 },
			snapshot: { index: 3, term: 2, configuration, reset: true },
			entries: [
				{ index: 4, term: 128, payload: { kind: "empty" } },
				{ index: 5, term: 300, payload: { kind: "command", data: new Uint8Array([0, 255, 1]) } },
				{
					index: 6,
					term: 300,
					payload: {
						kind: "configuration",
						change: { changes, leave: true, context: Buffer.from("ctx") },
					},
				},
				{
					index: 7,
					term: 300,
					payload: { kind: "configuration", change: { changes: [], context: Buffer.from("") } },
				},
			],
		},
	]);
	await wal.close();
	const again = await open(disk.crash(nothingKept, false));
	t.deepEqual(
		again.recovered.map((group) => ({ ...group, entries: group.entries.length })),
		[
			{
				rangeId: range(2 ** 45),
				replicaId: replica(7),
				hardState: { term: 300, vote: replica(7), commit: 4 },
				snapshot: { index: 3, term: 2, configuration },
				entries: 4,
			},
		],
	);
	const [empty, data, change, plain] = again.recovered[0]?.entries ?? [];
	t.deepEqual(empty, { index: 4, term: 128, payload: { kind: "empty" } });
	t.deepEqual(data?.payload, { kind: "command", data: Buffer.from([0, 255, 1]) });
	t.deepEqual(change?.payload, {
		kind: "configuration",
		change: { changes, leave: true, context: Buffer.from("ctx") },
	});
	t.deepEqual(plain?.payload, {
		kind: "configuration",
		change: { changes: [], context: Buffer.from("") },
	});
});

test("calls made while a sync runs share the next one", async (t) => {
	const disk = new CrashDisk();
	const { wal } = await open(disk);
	const before = disk.syncs;
	const first = wal.append([entries(1, 1, 1)]);
	const more: Promise<void>[] = [];
	void first.then(() => more.push(wal.append([entries(20, 1, 1)])));
	for (let n = 2; n < 20; n++) {
		more.push(wal.append([entries(n, 1, 1)]));
	}
	await first;
	await Promise.all(more);
	await wal.append([]);
	await wal.close();
	t.is(wal.statistics().writes, 20);
	t.true(disk.syncs - before <= 3, `${disk.syncs - before} syncs`);
});

test("a torn write is cut at every byte of the last record", async (t) => {
	const disk = new CrashDisk();
	const { wal } = await open(disk);
	await wal.append([entries(1, 2, 1)]);
	const path = `${directory}/${segmentName(1)}`;
	const complete = disk.content(path).length;
	await wal.append([entries(3, 2, 1)]);
	await wal.close();
	const bytes = disk.content(path);
	for (let length = complete; length < bytes.length; length++) {
		for (const tail of [Buffer.alloc(0), Buffer.alloc(bytes.length - length)]) {
			const torn = new CrashDisk();
			torn.set(path, Buffer.concat([bytes.subarray(0, length), tail]));
			const { wal: reopened, recovered } = await open(torn);
			t.is(recovered[0]?.entries.length, 2, `cut at ${length}`);
			t.is(torn.content(path).length, complete);
			await reopened.append([entries(3, 1, 2)]);
			await reopened.close();
			const second = await open(torn.crash(nothingKept, false));
			t.deepEqual(
				second.recovered[0]?.entries.map((e) => e.term),
				[1, 1, 2],
			);
		}
	}
});

test("one flipped bit is never read: the tail is cut, anything before it is refused", async (t) => {
	const disk = new CrashDisk();
	const { wal } = await open(disk);
	const path = `${directory}/${segmentName(1)}`;
	const ends: number[] = [];
	for (let n = 1; n <= 3; n++) {
		ends.push(disk.content(path).length);
		await wal.append([entries(n, 1, 1)]);
	}
	await wal.close();
	const bytes = disk.content(path);
	for (let at = 0; at < bytes.length; at++) {
		const flipped = Buffer.from(bytes);
		flipped[at] = (flipped[at] as number) ^ (1 << (at % 8));
		const damaged = new CrashDisk();
		damaged.set(path, flipped);
		if (at >= (ends[2] as number)) {
			t.is((await open(damaged)).recovered[0]?.entries.length, 2, `byte ${at}`);
		} else {
			const error = await t.throwsAsync(open(damaged), { instanceOf: WalCorruptionError });
			const bad = ends.findLast((end) => end <= at) ?? 0;
			t.is(error.segment, segmentName(1));
			t.true(error.offset === bad || at < segmentHeaderBytes, `byte ${at}: ${error.message}`);
			t.regex(error.message, /wal-0000000001\.log at offset/);
		}
	}
});

test("records of one torn group commit prove nothing about each other", async (t) => {
	const disk = new CrashDisk();
	const { wal } = await open(disk);
	const path = `${directory}/${segmentName(1)}`;
	await wal.append([entries(1, 1, 1)]);
	const start = disk.content(path).length;
	await wal.append([entries(2, 1, 1), { ...entries(1, 1, 1), rangeId: range(2) }]);
	await wal.close();
	const bytes = disk.content(path);
	bytes[start + 12] = (bytes[start + 12] as number) ^ 1;
	const torn = new CrashDisk();
	torn.set(path, bytes);
	const { recovered } = await open(torn);
	t.deepEqual(
		recovered.map((group) => [group.rangeId, group.entries.length]),
		[[range(1), 1]],
	);
});

test("damage in a segment that is not the last, a missing one and a newer version are refused", async (t) => {
	const disk = new CrashDisk();
	const { wal } = await open(disk, 200);
	for (let n = 1; n <= 12; n++) {
		await wal.append([entries(n, 1, 1, 50)]);
	}
	await wal.close();
	const names = (await disk.list(directory)).filter((name) => name !== positionName);
	t.true(names.length > 3);
	const copy = (change: (disk: CrashDisk, name: (n: number) => string) => void): CrashDisk => {
		const other = disk.crash(nothingKept, false);
		change(other, (n) => `${directory}/${names[n]}`);
		return other;
	};
	const cut = copy((d, name) => d.set(name(1), d.content(name(1)).subarray(0, -1)));
	await t.throwsAsync(open(cut), { message: /bad record.*wal-0000000002/ });
	const empty = copy((d, name) => d.set(name(1), Buffer.alloc(0)));
	await t.throwsAsync(open(empty), { message: /bad header.*wal-0000000002/ });
	const missing = copy((d, name) => void d.remove(name(1)));
	await t.throwsAsync(open(missing), { message: /no file.*wal-0000000002/ });
	const newer = copy((d, name) => {
		const bytes = d.content(name(1));
		bytes.writeUInt32LE(7, 4);
		d.set(name(1), bytes);
	});
	await t.throwsAsync(open(newer), { message: /format version 7, newer than.*wal-0000000002/ });
	const swapped = copy((d, name) => d.set(name(2), d.content(name(1))));
	await t.throwsAsync(open(swapped), { message: /another segment.*wal-0000000003/ });
});

test("a segment whose header was torn is begun anew", async (t) => {
	const disk = new CrashDisk();
	const { wal } = await open(disk);
	await wal.append([entries(1, 3, 1)]);
	await wal.close();
	for (let length = 0; length < segmentHeaderBytes; length++) {
		const torn = disk.crash(nothingKept, false);
		torn.set(
			`${directory}/${segmentName(2)}`,
			disk.content(`${directory}/${segmentName(1)}`).subarray(0, length),
		);
		const { wal: reopened, recovered } = await open(torn);
		t.is(recovered[0]?.entries.length, 3);
		await reopened.append([entries(4, 1, 1)]);
		await reopened.close();
		t.is((await open(torn.crash(nothingKept, false))).recovered[0]?.entries.length, 4);
	}
});

test("compaction removes segments, and an idle group does not pin them", async (t) => {
	const disk = new CrashDisk();
	const { wal } = await open(disk, 4000);
	const idle: WalWrite = {
		rangeId: range(2),
		replicaId: replica(22),
		hardState: { term: 3, vote: replica(22), commit: 2 },
		entries: [command(5, 3, "idle"), command(6, 3, "too")],
	};
	await wal.append([idle]);
	for (let n = 1; n <= 1000; n++) {
		await wal.append([
			{ ...entries(n, 1, 1, 100), hardState: { term: 1, vote: replica(11), commit: n } },
		]);
		if (n % 10 === 0) {
			wal.compact(range(1), n - 5);
		}
	}
	await wal.close();
	t.true(wal.statistics().segments <= 4, `${wal.statistics().segments} segments`);
	t.is((await disk.list(directory)).length, wal.statistics().segments + 1);
	const { recovered } = await open(disk.crash(nothingKept, false));
	const [busy, other] = recovered;
	t.is(busy?.entries.at(-1)?.index, 1000);
	t.true((busy?.entries[0]?.index ?? 0) <= 996);
	t.deepEqual(other?.hardState, idle.hardState);
	t.deepEqual(
		other?.entries.map((e) => e.index),
		[5, 6],
	);
});

test("a removed group stays removed, also when its segments go", async (t) => {
	const disk = new CrashDisk();
	const { wal } = await open(disk, 500);
	await wal.append([{ ...entries(1, 3, 1), rangeId: range(9), replicaId: replica(91) }]);
	await wal.append([{ rangeId: range(9), replicaId: replica(91), removed: true }]);
	for (let n = 1; n <= 30; n++) {
		await wal.append([entries(n, 1, 1, 100)]);
		wal.compact(range(1), n - 1);
		const { recovered } = await open(disk.crash(nothingKept, false), 500);
		t.deepEqual(
			recovered.map((group) => group.rangeId),
			[range(1)],
		);
	}
	await wal.append([{ ...entries(1, 1, 1), rangeId: range(9), replicaId: replica(92) }]);
	await wal.close();
	const { recovered } = await open(disk.crash(nothingKept, false), 500);
	t.is(recovered[1]?.replicaId, replica(92));
});

for (const [operation, code] of [
	["write", "EIO"],
	["sync", "EIO"],
] as const) {
	test(`${code} of a ${operation} ends the node and answers nobody`, async (t) => {
		const disk = new CrashDisk();
		const reasons: string[] = [];
		const runtime = diskRuntime(disk, (reason) => reasons.push(reason));
		const { wal } = await openWal(runtime, directory);
		await wal.append([entries(1, 1, 1)]);
		disk.failure = { operation, code };
		let settled = false;
		const done = (): void => {
			settled = true;
		};
		wal.append([entries(2, 1, 1)]).then(done, done);
		await wal.close();
		t.false(settled);
		t.deepEqual(reasons, [`write-ahead log wal: ${code}`]);
	});
}

/** A runtime whose timers wait to be fired. */
function timedRuntime(disk: CrashDisk) {
	const reasons: string[] = [];
	const timers: (() => void)[] = [];
	const runtime = diskRuntime(disk, (reason) => reasons.push(reason));
	const scheduler: Runtime["scheduler"] = {
		...runtime.scheduler,
		setTimer: (_delayMs, task) => {
			timers.push(task);
			return { cancel: () => void timers.splice(timers.indexOf(task), 1) };
		},
	};
	return { runtime: { ...runtime, scheduler }, timers, reasons };
}

const turns = async (count: number): Promise<void> => {
	for (let n = 0; n < count; n++) {
		await Promise.resolve();
	}
};

test("a full disk is waited out: nothing is lost, answered or written twice", async (t) => {
	for (const segmentSizeBytes of [150, 1 << 20]) {
		const disk = new CrashDisk();
		const { runtime, timers, reasons } = timedRuntime(disk);
		let told = 0;
		const onDiskFull = (isFull: boolean) => {
			told += isFull ? 1 : -100;
		};
		const { wal } = await openWal(runtime, directory, { segmentSizeBytes, onDiskFull });
		await wal.append([entries(1, 3, 1)]);
		disk.failure = { operation: "write", code: "ENOSPC" };
		const acknowledged: number[] = [];
		for (const n of [4, 5]) {
			void wal.append([entries(n, 1, 1)]).then(() => acknowledged.push(n));
			await turns(20);
		}
		for (let n = 1; n <= 3; n++) {
			t.is(told, n);
			timers.splice(0).forEach((task) => {
				task();
			});
			await turns(20);
		}
		t.deepEqual(acknowledged, []);
		const before = await open(disk.crash(nothingKept, false), segmentSizeBytes);
		t.is(before.recovered[0]?.entries.length, 3);
		disk.failure = undefined;
		timers.splice(0).forEach((task) => {
			task();
		});
		await turns(60);
		t.deepEqual(acknowledged, [4, 5]);
		t.is(told, 4 - 100);
		await wal.close();
		const { recovered } = await open(disk.crash(nothingKept, false), segmentSizeBytes);
		t.deepEqual(
			recovered[0]?.entries.map((e) => e.index),
			[1, 2, 3, 4, 5],
		);
		t.deepEqual(reasons, []);
	}
});

test("a log that waits for space can be closed", async (t) => {
	const disk = new CrashDisk();
	const { runtime, reasons } = timedRuntime(disk);
	const { wal } = await openWal(runtime, directory);
	disk.failure = { operation: "write", code: "ENOSPC" };
	void wal.append([entries(1, 1, 1)]);
	await turns(20);
	await wal.close();
	t.deepEqual(reasons, []);
});

test("a gap in a group's entries ends the node before it is written", async (t) => {
	const reasons: string[] = [];
	const { wal } = await openWal(
		diskRuntime(new CrashDisk(), (reason) => reasons.push(reason)),
		directory,
	);
	await wal.append([entries(1, 1, 1)]);
	void wal.append([entries(3, 1, 1)]);
	await wal.close();
	t.regex(reasons[0] ?? "", /entries of range 1 go from 1 to 3/);
});
