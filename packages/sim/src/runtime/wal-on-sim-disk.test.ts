/** The write-ahead log on a disk that lies after it has failed. */
import { type ReplicaId, rangeId } from "@quorate/keys/ids";
import { openWal } from "@quorate/wal/wal";
import test from "ava";
import { createWorld } from "../sim.ts";

const id = rangeId(2);
const entry = (index: number) => ({ index, term: 1, payload: { kind: "empty" as const } });
const write = (index: number) => ({
	rangeId: id,
	replicaId: 3 as ReplicaId,
	entries: [entry(index)],
});

test("a group commit whose sync has failed is written again before anyone relies on it", async (t) => {
	for (let seed = 1; seed <= 20; seed++) {
		const { world, machines } = createWorld(seed, 1);
		const machine = machines[0]!;
		const run = <T>(work: Promise<T>): Promise<T> => world.complete(work, 10_000);
		const first = await run(openWal(machine.boot(), "wal"));
		await run(first.wal.append([write(1)]));
		machine.disk.failNext("sync", "EIO");
		void first.wal.append([write(2)]);
		t.true(await world.runUntil(() => machine.process === undefined, 1_000));
		const second = await run(openWal(machine.boot(), "wal"));
		t.is(second.recovered[0]?.entries.length, 2);
		await run(second.wal.append([write(3)]));
		machine.crash("power");
		const third = await run(openWal(machine.boot(), "wal"));
		t.deepEqual(
			third.recovered[0]?.entries.map((e) => e.index),
			[1, 2, 3],
		);
	}
});
