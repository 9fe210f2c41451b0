import type { Key } from "@quorate/keys/key";
import { RealDisk } from "@quorate/runtime/real-disk";
import type { DiskFile } from "@quorate/runtime/runtime";
import test from "ava";
import { engineSuite } from "./engine-suite.ts";
import { loadBinding } from "./rocks-binding.ts";
import { rocksDirectory, rocksMissing } from "./rocks-directory.ts";
import { openRocksEngine } from "./rocks-engine.ts";
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
