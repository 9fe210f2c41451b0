import { randomBytes } from "node:crypto";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Key } from "@quorate/keys/key";
import { RealDisk } from "@quorate/runtime/real-disk";
import { RealScheduler } from "@quorate/runtime/real-scheduler";
import type { DiskFile, Logger, Scheduler } from "@quorate/runtime/runtime";
import test from "ava";
import fc from "fast-check";
import { engineSuite } from "./engine-suite.ts";
import { loadBinding } from "./rocks-binding.ts";
import { rocksDirectory, rocksMissing } from "./rocks-directory.ts";
import { openRocksEngine } from "./rocks-engine.ts";
import { recordsOf } from "./rocks-log.ts";
import { estimateSizeBytes } from "./rocks-size.ts";
import { versionsSuite } from "./versions-suite.ts";

const small = { cacheSizeBytes: 4 << 20, memtableBytes: 4 << 20 };
const k = (text: string): Key => text as Key;

/** Tells of every sync before it happens; what `onSync` throws is what the sync rejects with. */
class WatchedDisk extends RealDisk {
	readonly #onSync: (path: string) => void;

	constructor(root: string | undefined, onSync: (path: string) => void) {
		super(root);
		this.#onSync = onSync;
	}

	override async open(path: string, mode: "create" | "existing"): Promise<DiskFile> {
		const file = await super.open(path, mode);
		return {
			write: (bytes, offset) => file.write(bytes, offset),
			read: (offset, length) => file.read(offset, length),
			sync: async () => {
				this.#onSync(path);
				await file.sync();
			},
			truncate: (size) => file.truncate(size),
			size: () => file.size(),
			close: () => file.close(),
		};
	}
}

if (rocksMissing !== undefined) {
	test.skip(`RocksDB: ${rocksMissing}`, () => undefined);
} else {
	const open = () => {
		const { disk, path } = rocksDirectory();
		return openRocksEngine(disk, path, small);
	};
	engineSuite(test, open, 60);
	versionsSuite(test, open, 50);

	test("what is remembered of a write does not keep what its value was a part of", async (t) => {
		const { disk, path } = rocksDirectory();
		const engine = await openRocksEngine(disk, path, small);
		const frame = new Uint8Array(64 << 10);
		engine.get(k("known"));
		engine.write((batch) => {
			engine.get(k("looked at"));
			batch.put(k("known"), frame.subarray(7, 9));
			batch.put(k("looked at"), frame.subarray(9, 12));
		});
		frame.fill(1);
		for (const [name, length] of [
			["known", 2],
			["looked at", 3],
		] as const) {
			const value = engine.get(k(name))!;
			t.deepEqual([...value], new Array(length).fill(0));
			t.not(value.buffer, frame.buffer);
		}
		await engine.close();
	});

	test("a get sees what was written last, whatever is got ahead meanwhile", async (t) => {
		const { disk, path } = rocksDirectory();
		const scheduler = new RealScheduler();
		const logger: Logger = { log: () => undefined, child: () => logger };
		const node = { scheduler, logger, fatal: (reason: string): never => t.fail(reason) as never };
		const engine = await openRocksEngine(disk, path, { ...small, node });
		const keys = Array.from({ length: 10 }, (_, n) => k(`key${n}`));
		const text = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString();
		const steps = fc.array(
			fc.record({
				kind: fc.constantFrom("get ahead", "put", "delete", "get", "clear", "wait"),
				at: fc.nat(keys.length - 1),
			}),
			{ minLength: 40, maxLength: 80 },
		);
		await fc.assert(
			fc.asyncProperty(steps, async (all) => {
				engine.clearSpan({ start: k("a"), end: k("z") });
				const held = new Map<Key, string>();
				for (const [n, { kind, at }] of all.entries()) {
					const here = keys[at]!;
					if (kind === "get ahead") engine.prefetch(keys);
					else if (kind === "put") {
						engine.write((batch) => batch.put(here, Buffer.from(`${n}`)));
						held.set(here, `${n}`);
					} else if (kind === "delete") {
						engine.write((batch) => batch.delete(here));
						held.delete(here);
					} else if (kind === "clear") {
						engine.clearSpan({ start: here, end: k("l") });
						for (const key of keys.slice(at)) held.delete(key);
					} else if (kind === "wait") {
						await scheduler.yield();
					} else t.is(text(engine.get(here)), held.get(here));
				}
				for (const key of keys) t.is(text(engine.get(key)), held.get(key));
			}),
			{ numRuns: 60 },
		);
		engine.prefetch(keys);
		await scheduler.yield();
		await engine.close();
	});

	test("what was written is there after a restart", async (t) => {
		const { disk, path } = rocksDirectory();
		const engine = await openRocksEngine(disk, path, small);
		engine.write((batch) => batch.put(k("a"), Buffer.from("1")));
		await engine.close();
		const again = await openRocksEngine(disk, path, small);
		t.is(Buffer.from(again.get(k("a")) ?? []).toString(), "1");
		await again.close();
	});

	test("sync makes every log file durable, also for calls made while one runs", async (t) => {
		const { disk, path } = rocksDirectory();
		const synced: string[] = [];
		const watched = new WatchedDisk(disk.root, (name) => synced.push(name));
		const engine = await openRocksEngine(watched, path, small);
		synced.length = 0;
		const value = Buffer.alloc(1_000);
		for (let n = 0; n < 3_000; n++) {
			engine.write((batch) => batch.put(k(`a${n}`), value));
		}
		const logs = (await disk.list(path)).filter((name) => name.endsWith(".log"));
		await engine.sync();
		t.true(
			synced.some((name) => name === `${path}/${logs.at(-1)}`),
			`${synced} of ${logs}`,
		);
		synced.length = 0;
		await Promise.all([engine.sync(), engine.sync(), engine.sync()]);
		t.true(synced.length >= 2, "a call made while a sync runs gets one of its own");
		await engine.close();
	});

	test("a failed sync is told to everyone who waits for it", async (t) => {
		const { disk, path } = rocksDirectory();
		let broken = false;
		const failing = new WatchedDisk(disk.root, () => {
			if (broken) {
				throw new Error("EIO");
			}
		});
		const engine = await openRocksEngine(failing, path, small);
		broken = true;
		const results = await Promise.allSettled([engine.sync(), engine.sync()]);
		t.deepEqual(
			results.map((result) => result.status),
			["rejected", "rejected"],
		);
		await engine.close();
	});

	test("what is left of damaged logs is a prefix of the writes, or refused by name", async (t) => {
		const { disk, path, logs } = await closedWithLogs();
		const root = `${disk.root}/${path}`;
		const verdicts = new Map<string, number>();
		for (const [position, log] of logs.entries()) {
			const bytes = readFileSync(`${root}/${log}`);
			const records = [...recordsOf(bytes)].length;
			for (const cut of [-1, 0, 1, records >> 1, records - 1]) {
				const copy = rocksDirectory();
				cpSync(root, `${copy.disk.root}/${copy.path}`, { recursive: true });
				cpSync(`${root}.manifest`, `${copy.disk.root}/${copy.path}.manifest`);
				const damaged = `${copy.disk.root}/${copy.path}/${log}`;
				if (cut < 0) rmSync(damaged);
				else writeFileSync(damaged, bytes.subarray(0, endOfRecord(bytes, cut)));
				const verdict = await prefixOf(copy.disk, copy.path);
				verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
				t.true(verdict !== "hole", `${log} (${position + 1} of ${logs.length}) cut after ${cut}`);
			}
		}
		t.true((verdicts.get("prefix") ?? 0) > 3 && (verdicts.get("refused") ?? 0) > 1);
	});

	test("what was written last goes into a table once next to nothing is written", async (t) => {
		const { disk, path } = rocksDirectory();
		const real = new RealScheduler();
		let due: (() => void)[] = [];
		const scheduler: Scheduler = {
			setTimer: (_, task) => {
				due.push(task);
				return { cancel: () => undefined };
			},
			defer: (task, part) => real.defer(task, part),
			yield: () => real.yield(),
		};
		const logger: Logger = { log: () => undefined, child: () => logger };
		const node = { scheduler, logger, fatal: (reason: string): never => t.fail(reason) as never };
		const engine = await openRocksEngine(disk, path, { ...small, node });
		const hasTable = async () => (await disk.list(path)).some((name) => name.endsWith(".sst"));
		const look = () => {
			const tasks = due;
			due = [];
			for (const task of tasks) task();
		};
		// Some two thirds of a memtable.
		for (let n = 0; n < 600; n++) {
			engine.write((batch) => batch.put(k(`key${n}`), Buffer.alloc(1_000, n)));
		}
		t.false(await hasTable());
		for (let n = 0; n < 3; n++) look();
		while (!(await hasTable())) await real.yield();
		t.is(engine.get(k("key599"))?.[0], 599 % 256);
		await engine.close();
		const again = await openRocksEngine(disk, path, small);
		const all = { start: k("a"), end: k("\xff") };
		const limits = { rowsMax: 1_000, bytesMax: 1 << 30, reverse: false, keyOffset: 0 };
		t.is(again.scan(all, limits).keys.length, 600);
		await again.close();
	});

	test("small rows of a long page share slabs, those of a short page and large ones are buffers of their own", async (t) => {
		const { disk, path } = rocksDirectory();
		const engine = await openRocksEngine(disk, path, small);
		t.teardown(() => engine.close());
		const large = 4 << 10;
		engine.write((batch) => {
			for (let n = 100; n < 400; n++) batch.put(k(`a${n}`), Buffer.alloc(50, n));
			for (let n = 100; n < 400; n++) batch.put(k(`b${n}`), Buffer.alloc(large, n));
		});
		const scan = (prefix: string, rowsMax: number) => {
			const limits = { rowsMax, bytesMax: 1 << 30, reverse: false, keyOffset: 0 };
			return engine.scan({ start: k(prefix), end: k(`${prefix}~`) }, limits).values;
		};
		const blocks = (values: readonly Uint8Array[]) => new Set(values.map((v) => v.buffer)).size;
		const long = scan("a", 200);
		t.is(long.length, 200);
		t.true(blocks(long) <= 3);
		t.true(long.every((value, n) => Buffer.alloc(50, 100 + n).equals(value)));
		t.is(blocks(scan("a", 100)), 100);
		t.is(blocks(scan("b", 200)), 200);
	});

	test("a short page stays in the cache, a long one does not", async (t) => {
		const { disk, path } = rocksDirectory();
		const rows = 8_192;
		const written = await openRocksEngine(disk, path, small);
		for (let n = 0; n < rows; n++) {
			// What would not be worth a block if it could be compressed.
			written.write((batch) => batch.put(k(String(n).padStart(6, "0")), randomBytes(200)));
		}
		await written.close();
		// Opening puts what the log holds into a file.
		const engine = await openRocksEngine(disk, path, small);
		t.teardown(() => engine.close());
		t.is(engine.cacheUse().sizeBytes, small.cacheSizeBytes);
		const readAll = (rowsMax: number): number => {
			for (let n = 0; n < rows; n += rowsMax) {
				const limits = { rowsMax, bytesMax: 1 << 30, reverse: false, keyOffset: 0 };
				const span = { start: k(String(n).padStart(6, "0")), end: k("~") };
				t.is(engine.scan(span, limits).keys.length, rowsMax);
			}
			return engine.cacheUse().usedBytes;
		};
		// What is kept of every table that is open is in there as well, and tables may be merged meanwhile.
		const ofRows = (bytes: number): number => bytes / (rows * 200);
		t.true(ofRows(readAll(256)) < 0.1);
		t.true(ofRows(readAll(128)) > 1);
	});

	/** An engine that was closed with more than one log: whether the last memtables are in tables by then is a race. */
	async function closedWithLogs() {
		for (let attempt = 0; attempt < 100; attempt++) {
			const { disk, path } = rocksDirectory();
			const engine = await openRocksEngine(disk, path, { ...small, memtableBytes: 256 << 10 });
			for (let n = 0; n < 900; n++) {
				engine.write((batch) => batch.put(k(String(n).padStart(6, "0")), Buffer.alloc(200, n)));
			}
			await engine.close();
			const logs = (await disk.list(path)).filter((name) => name.endsWith(".log"));
			if (logs.length > 1) return { disk, path, logs };
		}
		throw new Error("a hundred engines had one log each");
	}

	/** Where so many records end. */
	function endOfRecord(bytes: Buffer, count: number): number {
		let [low, high] = [0, bytes.length];
		while (low < high) {
			const middle = (low + high) >> 1;
			if ([...recordsOf(bytes.subarray(0, middle))].length >= count) high = middle;
			else low = middle + 1;
		}
		return low;
	}

	async function prefixOf(disk: RealDisk, path: string): Promise<string> {
		try {
			const engine = await openRocksEngine(disk, path, small);
			const limits = { rowsMax: 10_000, bytesMax: 1 << 30, reverse: false, keyOffset: 0 };
			const { keys } = engine.scan({ start: k("0"), end: k("9") }, limits);
			await engine.close();
			return keys.every((found, n) => Number(found) === n) ? "prefix" : "hole";
		} catch (error) {
			return /\.log is missing, or has lost its beginning/.test(String(error)) ? "refused" : "hole";
		}
	}

	test("a directory of another format, of another program or in use is refused by name", async (t) => {
		const { disk, path } = rocksDirectory();
		const engine = await openRocksEngine(disk, path, small);
		await t.throwsAsync(openRocksEngine(disk, path, small), {
			message: /cannot open the engine in engine-\d+: .*lock/i,
		});
		engine.write((batch) => batch.put(k("\xffquorate format"), Buffer.from("2")));
		await engine.close();
		await t.throwsAsync(openRocksEngine(disk, path, small), {
			message:
				/cannot open the engine in engine-\d+: it has format version 2, this program knows 1/,
		});
		const other = rocksDirectory();
		const binding = await loadBinding();
		await disk.makeDirectory(other.path);
		const db = binding.db_init(`${disk.root}/${other.path}`);
		const options = {
			createIfMissing: true,
			compaction: "level",
			memtableMemoryBudget: 4 << 20,
			cacheSize: 1 << 20,
			parallelism: 1,
			walCompression: false,
		} as const;
		await new Promise((resolve) => binding.db_open(db, options, resolve));
		const batch = binding.batch_init();
		binding.batch_put(batch, Buffer.from("x"), Buffer.from("y"), undefined);
		binding.batch_write(db, batch, undefined);
		await new Promise((resolve) => binding.db_close(db, resolve));
		await t.throwsAsync(openRocksEngine(disk, other.path, small), {
			message: /it has no format version/,
		});
	});
}

test("sizes are estimated from the list of files", (t) => {
	const sstables = [
		"--- level 0 --- version# 5 ---",
		" 14:4000[0 .. 0]['6130' seq:0, type:1 .. '6139' seq:0, type:1](121856)",
		"--- level 1 --- version# 5 ---",
		" 15:2000[1 .. 5]['6135' seq:0, type:1 .. '6335' seq:0, type:1](94208)",
		" 16:1000[1 .. 5]['6430' seq:0, type:1 .. '6435' seq:0, type:1](94208)",
		"",
	].join("\n");
	t.is(estimateSizeBytes(sstables, { start: k("a"), end: k("b") }, 0), 5_000);
	t.is(estimateSizeBytes(sstables, { start: k("d"), end: k("e") }, 700), 1_100);
	t.is(estimateSizeBytes("", { start: k("d"), end: k("e") }, 700), 700);
});
