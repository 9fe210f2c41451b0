/** Every file of a log at rest, cut at every length, removed, and with a bit turned in every byte. */
import type { RangeId, ReplicaId } from "@quorate/keys/ids";
import test, { type ExecutionContext } from "ava";
import { CrashDisk, diskRuntime } from "./crash-disk.ts";
import { positionName } from "./position.ts";
import { WalCorruptionError } from "./segment.ts";
import { openWal } from "./wal.ts";

const directory = "wal";
const groupCommits = 14;
const nothingKept = (): boolean => false;

/** One entry a group commit, over several segments, of which the first have gone. */
async function makeLog(): Promise<CrashDisk> {
	const disk = new CrashDisk();
	const { wal } = await openWal(diskRuntime(disk), directory, { segmentSizeBytes: 200 });
	for (let index = 1; index <= groupCommits; index++) {
		const data = Buffer.alloc(40, index);
		const entries = [{ index, term: 1, payload: { kind: "command" as const, data } }];
		const hardState = { term: 1, vote: 0 as ReplicaId, commit: index };
		await wal.append([{ rangeId: 1 as RangeId, replicaId: 7 as ReplicaId, hardState, entries }]);
		wal.compact(1 as RangeId, index - 9);
	}
	await wal.close();
	return disk.crash(nothingKept, false);
}

/** The newest entry that was recovered, or the segment that a refusal names. */
async function outcome(damaged: CrashDisk): Promise<number | string> {
	try {
		const { wal, recovered } = await openWal(diskRuntime(damaged), directory);
		await wal.close();
		return recovered[0]?.entries.at(-1)?.index ?? 0;
	} catch (error) {
		if (!(error instanceof WalCorruptionError)) {
			throw error;
		}
		return error.segment;
	}
}

async function eachFile(
	t: ExecutionContext,
	check: (name: string, bytes: Buffer, disk: CrashDisk) => Promise<void>,
): Promise<void> {
	const disk = await makeLog();
	t.is(await outcome(disk.crash(nothingKept, false)), groupCommits);
	const names = await disk.list(directory);
	t.true(names.length > 4 && !names.includes("wal-0000000001.log"), names.join(" "));
	for (const name of names) {
		await check(name, disk.content(`${directory}/${name}`), disk);
	}
}

test("what was cut off or removed is missed", async (t) => {
	let refused = 0;
	await eachFile(t, async (name, bytes, disk) => {
		for (let length = -1; length < bytes.length; length++) {
			const damaged = disk.crash(nothingKept, false);
			const path = `${directory}/${name}`;
			if (length < 0) {
				await damaged.remove(path);
			} else {
				damaged.set(path, bytes.subarray(0, length));
			}
			const found = await outcome(damaged);
			// Without a note the last segment alone may pass for shorter; the note alone is no loss.
			t.is(found, name === positionName ? groupCommits : name, `${name} cut at ${length}`);
			refused++;
		}
	});
	t.true(refused > 500, `${refused}`);
});

test("what was turned is refused", async (t) => {
	let refused = 0;
	await eachFile(t, async (name, bytes, disk) => {
		for (let at = 0; at < bytes.length; at++) {
			const damaged = disk.crash(nothingKept, false);
			const turned = Buffer.from(bytes);
			turned[at] = turned[at]! ^ (1 << (at % 8));
			damaged.set(`${directory}/${name}`, turned);
			const found = await outcome(damaged);
			if (found === groupCommits) {
				t.is(name, positionName, `byte ${at}`);
			} else {
				t.is(found, name, `byte ${at}`);
				refused++;
			}
		}
	});
	t.true(refused > 500, `${refused}`);
});
