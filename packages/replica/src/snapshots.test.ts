/** Copies of a range: who reads them gives way to others. */
import type { ReplicaId } from "@quorate/keys/ids";
import type { Key } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import { IntentFilter } from "@quorate/storage/intent-filter";
import { VersionBatch } from "@quorate/storage/version-batch";
import test from "ava";
import { loneReplica, partsOf } from "./testing/lone-replica.ts";

test("a copy for a learner is read part by part at the node's pace, one for a voter at once", async (t) => {
	const { replica, engine } = loneReplica();
	engine.write((batch) => {
		const versions = new VersionBatch(engine, batch, new IntentFilter());
		for (let n = 0; n < 100; n++)
			versions.put(`k${n}` as Key, 1 as Timestamp, new Uint8Array(4_096));
	});
	const parts = partsOf(replica);
	const copied = async (to: number): Promise<number> => {
		const snapshot = replica.openSnapshot(to as ReplicaId);
		let count = 0;
		for await (const chunk of snapshot.chunks) {
			t.true(chunk.length < 72 << 10, "one part keeps nobody waiting for long");
			count++;
		}
		snapshot.close();
		return count;
	};
	const chunks = await copied(2);
	t.true(chunks > 5);
	const read = parts();
	t.true(read >= chunks - 1);
	t.is(await copied(1), chunks);
	t.is(parts(), read);
});
