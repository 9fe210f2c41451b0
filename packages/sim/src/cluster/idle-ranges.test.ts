/** Ranges that nobody asks for cost nothing but the place where they are known. */
import { key } from "@quorate/keys/key";
import { electionsAsked, electionsInTurn } from "@quorate/replica/host/elections";
import type { RunningNode } from "@quorate/server/node";
import test from "ava";
import { runTransaction } from "./client.ts";
import { checkReplicas } from "./replica-checks.ts";
import { SimCluster } from "./sim-cluster.ts";
import type { SimNode } from "./sim-node.ts";

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
		for (const { store, host, placement } of cluster.serving()) {
			t.is(store.statuses().length, keys.length + 1);
			t.is(store.awakeCount, 0);
			for (const { descriptor } of store.statuses()) {
				const { firstIndex, lastIndex } = host.group(descriptor.rangeId)!.status();
				t.is(firstIndex, lastIndex + 1, "entries are kept");
				t.is(placement.kept(descriptor)?.descriptor, descriptor, "its descriptor is kept twice");
			}
			const epochs = new Set(store.statuses().map(({ descriptor }) => descriptor.epoch));
			t.true(epochs.size < keys.length / 4, "ranges of the same epoch have one each");
			const { groups, awake, folded } = host.statistics();
			t.is(groups, keys.length + 2, "the placement group, too");
			t.true(awake <= 1, `${awake} groups have a clock`);
			t.true(folded > keys.length, "all is kept of groups that rest");
			t.deepEqual(await store.changedLoads(), [], "they are looked at");
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

const tickMs = 100;

test.serial(
	"after all nodes have started again hundreds of ranges are led one after the other, and those asked for at once",
	async (t) => {
		const { cluster, keys } = await atRest(400);
		for (const node of cluster.nodes) node.crash("process");
		await cluster.world.runFor(1_000);
		for (const node of cluster.nodes) node.start();
		await cluster.run(
			cluster.until("all serve", 30_000, () => cluster.serving().length === 3),
			30_001,
		);
		const ledRanges = () => {
			const { host, store } = cluster.serving()[0]!;
			const ranges = store.statuses().map(({ descriptor }) => descriptor.rangeId);
			return ranges.filter((range) => host.group(range)!.leader !== 0).length;
		};
		const elections = () => cluster.serving().map(({ host }) => host.statistics().elections);
		let ledBefore = 0;
		let askedAt: number | undefined;
		const most = (keys.length / electionsInTurn) * tickMs + 10_000;
		const beganMs = cluster.world.nowMs;
		while (ledRanges() < keys.length + 1) {
			t.true(cluster.world.nowMs - beganMs < most, `${ledRanges()} are led`);
			const before = elections();
			await cluster.world.runFor(tickMs);
			for (const [n, count] of elections().entries()) {
				t.true(count - before[n]! <= electionsInTurn + electionsAsked, "elections in a tick");
			}
			if (askedAt !== undefined) continue;
			const { host, store } = cluster.serving()[1]!;
			const waiting = store.statuses().filter(({ descriptor }) => {
				const group = host.group(descriptor.rangeId)!;
				return group.waitsToStand && group.leader === 0;
			});
			const asked = waiting.at(-1)?.descriptor.start;
			if (asked === undefined) continue;
			const kind = { mode: "pessimistic", readOnly: false } as const;
			ledBefore = ledRanges();
			const done = await cluster.run(
				runTransaction(cluster, cluster.nodes[1]!, kind, async (transaction) => {
					transaction.put(asked, Uint8Array.of(1));
				}),
				60_000,
			);
			t.is(done.status, "ok", JSON.stringify(done));
			askedAt = ledRanges();
		}
		t.log(
			`${ledBefore} of ${keys.length + 1} were led before one of the last was written to, ${askedAt} after`,
		);
		// It was the last of those that waited.
		const waited = keys.length + 1 - ledBefore;
		t.true(askedAt !== undefined && askedAt - ledBefore < (waited * 3) / 4);
		// Nobody has to be asked for something before it is known what all of them hold.
		const told = cluster.serving().map(({ store }) => store.loads());
		const loads = (await cluster.run(Promise.all(told), 60_000)).flat();
		t.is(new Set(loads.map(({ rangeId }) => rangeId)).size, keys.length + 1);
		t.is(loads.length, keys.length + 1, "two tell of one");
		await cluster.world.runFor(quietMs);
		for (const { store, host } of cluster.serving()) {
			t.is(store.awakeCount, 0);
			t.true(host.statistics().awake <= 1);
		}
		t.deepEqual([...cluster.problems, ...cluster.delays], []);
	},
);

test.serial(
	"while a node is down the others' groups rest, also those that were asked; it gets what it missed when it is back",
	async (t) => {
		const { cluster, keys } = await atRest(60);
		const [first, second, third] = cluster.nodes as [SimNode, SimNode, SimNode];
		const write = async (value: number): Promise<void> => {
			const kind = { mode: "pessimistic", readOnly: false } as const;
			const task = runTransaction(cluster, second, kind, async (transaction) => {
				for (const k of keys) transaction.put(k, Uint8Array.of(value));
			});
			const done = await cluster.run(task, 60_000);
			t.is(done.status, "ok", JSON.stringify(done));
		};
		const atRestOn = (...nodes: readonly SimNode[]): void => {
			for (const node of nodes) {
				const { store, host } = node.keyValue!;
				t.is(store.awakeCount, 0);
				t.true(host.statistics().awake <= 1, `${host.statistics().awake} groups have a clock`);
			}
		};
		const entries = ({ host, store }: RunningNode): number =>
			store.statuses().reduce((sum, { descriptor }) => {
				const { firstIndex, lastIndex } = host.group(descriptor.rangeId)!.status();
				return sum + lastIndex + 1 - firstIndex;
			}, 0);
		first.crash("power");
		await write(1);
		await cluster.world.runFor(quietMs);
		atRestOn(second, third);
		t.true(entries(second.keyValue!) > 0, "it would need a snapshot of each");
		await write(2);
		await cluster.world.runFor(quietMs);
		atRestOn(second, third);
		// One that starts while another is down has no connection to lose.
		third.crash("process");
		await cluster.world.runFor(1_000);
		third.start();
		await cluster.run(
			cluster.until("it serves", 30_000, () => third.keyValue !== undefined),
			30_001,
		);
		await write(3);
		await cluster.world.runFor(quietMs);
		atRestOn(second, third);
		first.start();
		await cluster.run(
			cluster.until("all serve", 30_000, () => cluster.serving().length === 3),
			30_001,
		);
		await cluster.world.runFor(2_000);
		await cluster.run(checkReplicas(cluster), 60_000);
		t.is(first.keyValue!.host.statistics().snapshotsReceived, 0);
		await write(4);
		await cluster.world.runFor(quietMs);
		atRestOn(first, second, third);
		for (const node of cluster.serving()) t.is(entries(node), 0, "entries are kept");
		t.deepEqual([...cluster.problems, ...cluster.delays], []);
	},
);

test.serial("a node that starts again learns of all leaders, and nobody is elected", async (t) => {
	const { cluster, keys } = await atRest(100);
	const [first, ...others] = cluster.nodes;
	const leads = () => first!.keyValue!.host.statistics().leaders;
	const stood = () => others.map((node) => node.keyValue!.host.statistics().elections);
	first!.crash("process");
	await cluster.world.runFor(20_000);
	const before = stood();
	first!.start();
	await cluster.run(
		cluster.until("it serves", 30_000, () => cluster.serving().length === 3),
		30_001,
	);
	await cluster.world.runFor(500);
	const { host, store } = first!.keyValue!;
	t.is(store.statuses().length, keys.length + 1);
	for (const { descriptor } of store.statuses()) {
		t.not(host.group(descriptor.rangeId)!.leader, 0, "it knows no leader");
	}
	t.deepEqual([leads(), host.statistics().elections, ...stood()], [0, 0, ...before]);
	await cluster.world.runFor(quietMs);
	for (const node of cluster.serving()) {
		t.true(node.host.statistics().folded > keys.length, "all is kept of groups that rest again");
	}
	t.deepEqual([...cluster.problems, ...cluster.delays], []);
});
