/** Ranges that nobody asks for cost nothing but the place where they are known. */
import { key } from "@quorate/keys/key";
import test from "ava";
import { runTransaction } from "./client.ts";
import { SimCluster } from "./sim-cluster.ts";

const quietMs = 20_000;
const look = 10_000;

/** A cluster in which so many ranges have come to rest; what happened in it in the ten seconds after. */
async function atRest(borders: number) {
	const cluster = new SimCluster(1, { limits: { restMs: 1_000, collectMs: 3_000 } });
	await cluster.start();
	const keys = Array.from({ length: borders }, (_, i) => key(`k${String(i).padStart(4, "0")}`));
	if (!(await cluster.run(cluster.splitAt(keys), 60_000))) throw new Error("not split");
	await cluster.world.runFor(quietMs);
	const { eventCount } = cluster.world;
	await cluster.world.runFor(look);
	return { cluster, keys, events: cluster.world.eventCount - eventCount };
}

test.serial(
	"ranges at rest have no timer, no log and no memory, and answer when they are asked",
	async (t) => {
		const none = await atRest(1);
		const { cluster, keys, events } = await atRest(80);
		t.log(`${none.events} events with two ranges, ${events} with ${keys.length + 1}`);
		t.true(events < none.events * 1.1, "work that grows with the number of ranges");
		for (const { store, host } of cluster.serving()) {
			t.is(store.statuses().length, keys.length + 1);
			t.is(store.awakeCount, 0);
			const { groups, awake } = host.statistics();
			t.is(groups, keys.length + 2, "the placement group, too");
			t.true(awake <= 1, `${awake} groups have a clock`);
			for (const { descriptor } of store.statuses()) {
				const { firstIndex, lastIndex } = host.group(descriptor.rangeId)!.status();
				t.is(firstIndex, lastIndex + 1, "entries are kept");
			}
		}
		// A transaction over some of them, from each node in turn; the last comes when one node has lost its memory.
		const some = keys.filter((_, i) => i % 8 === 0);
		for (const [i, node] of cluster.nodes.entries()) {
			if (i === 2) {
				cluster.nodes[0]!.crash("process");
				await cluster.world.runFor(3_000);
			}
			const kind = { mode: "pessimistic", readOnly: false } as const;
			const done = await cluster.run(
				runTransaction(cluster, node, kind, async (transaction) => {
					for (const k of some) {
						t.is((await transaction.get(k, true))?.[0], i === 0 ? undefined : i);
						transaction.put(k, Uint8Array.of(i + 1));
					}
				}),
				60_000,
			);
			t.is(done.status, "ok", JSON.stringify(done));
		}
		t.deepEqual([...cluster.problems, ...cluster.delays], []);
	},
);
