/**
 * A program that does nothing but write to a log: for `scenarios/wal-kills.ts`, which kills it. Arguments: a directory. It says what it
 * recovered, one line a group, `have GROUP FIRST LAST` or `bad ...`, then `ready`, and then `ack GROUP INDEX` for every entry that
 * was acknowledged.
 */
import { createHash } from "node:crypto";
import { writeSync } from "node:fs";
import type { RangeId, ReplicaId } from "@quorate/keys/ids";
import type { Entry } from "@quorate/raft/types";
import { createRealRuntime } from "@quorate/runtime/real-runtime";
import type { RecoveredGroup, Wal } from "@quorate/wal/types";
import { openWal } from "@quorate/wal/wal";

const groups = 3;
/** Small, so that a kill comes while segments are begun and removed, too. */
const segmentSizeBytes = 64 << 10;
/** Entries that are kept behind the newest one. */
const keptEntries = 200;
const entryBytesMax = 900;

const say = (line: string): void => void writeSync(1, `${line}\n`);

/** What an entry must hold follows from its place. */
function dataOf(group: number, index: number): Buffer {
	const digest = createHash("sha256").update(`${group} ${index}`).digest();
	return Buffer.alloc(32 + (digest.readUInt16LE(0) % entryBytesMax), digest);
}

function describe({ rangeId, entries, hardState }: RecoveredGroup): string {
	const first = entries[0]?.index ?? 0;
	for (const [n, { index, payload }] of entries.entries()) {
		const isRight =
			index === first + n &&
			payload.kind === "command" &&
			dataOf(rangeId, index).equals(Buffer.from(payload.data));
		if (!isRight) {
			return `bad entry ${index} of group ${rangeId}`;
		}
	}
	const last = entries.at(-1)?.index ?? 0;
	return hardState.commit === last
		? `have ${rangeId} ${first} ${last}`
		: `bad commit index ${hardState.commit} of group ${rangeId}, which goes to ${last}`;
}

async function write(wal: Wal, group: number, from: number): Promise<never> {
	const rangeId = group as RangeId;
	for (let index = from; ; index++) {
		const data = dataOf(group, index);
		const entries: Entry[] = [{ index, term: 1, payload: { kind: "command", data } }];
		const hardState = { term: 1, vote: 0 as ReplicaId, commit: index };
		await wal.append([{ rangeId, replicaId: 1 as ReplicaId, hardState, entries }]);
		say(`ack ${group} ${index}`);
		wal.compact(rangeId, index - keptEntries);
	}
}

const runtime = createRealRuntime({ logLevel: "error", dataDirectory: process.argv[2] as string });
const { wal, recovered } = await openWal(runtime, "wal", { segmentSizeBytes });
const lasts = new Map<number, number>();
for (const group of recovered) {
	say(describe(group));
	lasts.set(group.rangeId, group.entries.at(-1)?.index ?? 0);
}
say("ready");
for (let group = 1; group <= groups; group++) {
	void write(wal, group, (lasts.get(group) ?? 0) + 1);
}
