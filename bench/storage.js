/**
 * Engines, versions and the log, one core: `node bench/storage.js [memory|rocksdb|wal]`. Operations a second and microseconds
 * each. Needs `make build`.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RealDisk } from "../packages/runtime/dist/real-disk.js";
import { MemoryEngine } from "../packages/storage/dist/memory-engine.js";
import { openRocksEngine } from "../packages/storage/dist/rocks-engine.js";
import { VersionBatch } from "../packages/storage/dist/version-batch.js";
import * as versions from "../packages/storage/dist/versions.js";
import { openWal } from "../packages/wal/dist/wal.js";

const rows = 200_000;
const value = Buffer.alloc(100);
for (let n = 0; n < value.length; n++) {
	value[n] = Math.random() * 256;
}
const key = (n) => `\x01\x02${String((n * 7919) % rows).padStart(12, "0")}`;

function measure(name, count, body) {
	const start = performance.now();
	body(count);
	const us = ((performance.now() - start) * 1000) / count;
	console.log(`${name.padEnd(40)} ${us.toFixed(2).padStart(8)} us ${Math.round(1e6 / us)}/s`);
}

function benchEngine(engine) {
	console.log(`-- ${engine.kind}`);
	let ts = 1;
	const put = (from, count) =>
		engine.write((into) => {
			const batch = new VersionBatch(engine, into);
			for (let n = from; n < from + count; n++) {
				batch.put(key(n), ++ts, value);
			}
		});
	measure("put new, 100 a batch", rows, () => {
		for (let n = 0; n < rows; n += 100) {
			put(n, 100);
		}
	});
	const loaded = ts;
	measure("update, 1 a batch", 20_000, (count) => {
		for (let n = 0; n < count; n++) {
			put(n, 1);
		}
	});
	measure("update, 100 a batch", 20_000, (count) => {
		for (let n = 20_000; n < 20_000 + count; n += 100) {
			put(n, 100);
		}
	});
	const each = (body) => (count) => {
		for (let n = 0; n < count; n++) {
			body(n);
		}
	};
	const limits = { rowsMax: 1_000, bytesMax: 1 << 20, reverse: false };
	const span = (n, width) => {
		const start = 1e12 + ((n * 7919) % (rows - width));
		return {
			start: `\x01\x02${String(start).slice(1)}`,
			end: `\x01\x02${String(start + width).slice(1)}`,
		};
	};
	const all = { start: "\x01", end: "\x02" };
	const { newest, newestChange, readAt, scanAt, changedBetween } = versions;
	measure(
		"newest, present",
		100_000,
		each((n) => newest(engine, key(n))),
	);
	measure(
		"newestChange, absent",
		100_000,
		each((n) => newestChange(engine, `${key(n)}x`)),
	);
	measure(
		"readAt in the past",
		20_000,
		each((n) => readAt(engine, key(n), loaded)),
	);
	measure(
		"snapshot, newest, close",
		100_000,
		each((n) => {
			const snapshot = engine.snapshot();
			newest(snapshot, key(n));
			snapshot.close();
		}),
	);
	measure(
		"scan 1 row",
		20_000,
		each((n) => scanAt(engine, span(n, 1), ts, ts, limits)),
	);
	measure(
		"scan 10 rows",
		20_000,
		each((n) => scanAt(engine, span(n, 10), ts, ts, limits)),
	);
	measure(
		"scan 10 rows in the past",
		10_000,
		each((n) => scanAt(engine, span(n, 10), loaded, ts, limits)),
	);
	measure(
		"changedBetween, 10 rows",
		10_000,
		each((n) => changedBetween(engine, span(n, 10), ts, ts + 1, ts + 1)),
	);
	const scanWhole = (s) => () => {
		for (let rest = all; rest !== undefined; ) {
			const { resume } = scanAt(engine, rest, s, ts, limits);
			rest = resume === undefined ? undefined : { start: resume, end: all.end };
		}
	};
	measure("scan all, a row", rows, scanWhole(ts));
	measure("scan all in the past, a row", rows, scanWhole(loaded));
	console.log(`resident: ${process.memoryUsage().rss >> 20} MiB`);
}

async function benchWal(disk) {
	console.log("-- wal");
	const nothing = () => undefined;
	const runtime = {
		disk,
		logger: { log: nothing },
		random: { bytes: (count) => new Uint8Array(count) },
		fatal: (reason) => {
			throw new Error(reason);
		},
	};
	for (const waiters of [1, 16, 64]) {
		const { wal } = await openWal(runtime, `wal-${waiters}`);
		const total = waiters === 1 ? 2_000 : 60_000;
		const start = performance.now();
		const writer = async (id) => {
			for (let index = 1; index <= total / waiters; index++) {
				const payload = { kind: "command", data: value };
				const hardState = { term: 1, vote: 1, commit: index };
				const entries = [{ index, term: 1, payload }];
				await wal.append([{ rangeId: id, replicaId: id, hardState, entries }]);
			}
		};
		await Promise.all(Array.from({ length: waiters }, (_, n) => writer(n + 1)));
		const seconds = (performance.now() - start) / 1000;
		const { syncs } = wal.statistics();
		console.log(
			`${waiters} waiters: ${Math.round(total / seconds)} appends/s, ${Math.round(syncs / seconds)} syncs/s`,
		);
		await wal.close();
	}
}

const root = mkdtempSync(join(tmpdir(), "quorate-bench-"));
const which = process.argv[2];
try {
	const disk = new RealDisk(root);
	if (which === undefined || which === "wal") {
		await benchWal(disk);
	}
	if (which === undefined || which === "memory") {
		benchEngine(new MemoryEngine());
	}
	if (which === undefined || which === "rocksdb") {
		const engine = await openRocksEngine(disk, "engine");
		benchEngine(engine);
		await engine.close();
	}
} finally {
	rmSync(root, { recursive: true });
}
