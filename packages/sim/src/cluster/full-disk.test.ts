/** Disks that fill up, and are emptied again: writes are refused, reads go on, nobody stops. */
import { type Key, key } from "@quorate/keys/key";
import test from "ava";
import { type Outcome, runTransaction } from "./client.ts";
import { checkReplicas } from "./replica-checks.ts";
import { SimCluster } from "./sim-cluster.ts";
import type { SimNode } from "./sim-node.ts";

const limitMs = 120_000;
const diskBytes = 4 << 20;
const attemptsMax = 60;
/** Of virtual time: several times what a lease lasts. */
const fullMs = 10_000;
const keys: readonly Key[] = Array.from({ length: 12 }, (_, i) => key(`k${10 + i}`));

const write = (cluster: SimCluster, gateway: SimNode, k: Key, text: string) =>
	runTransaction(cluster, gateway, { mode: "optimistic", readOnly: false }, async (x) =>
		x.put(k, Buffer.from(text)),
	);

const read = (cluster: SimCluster, gateway: SimNode, k: Key) =>
	runTransaction(cluster, gateway, { mode: "optimistic", readOnly: true }, (x) => x.get(k));

/** Again and again until it ends so; the outcomes before. */
async function until(
	cluster: SimCluster,
	code: string,
	act: () => Promise<Outcome<unknown>>,
): Promise<string[]> {
	const before: string[] = [];
	for (let attempt = 0; attempt < attemptsMax; attempt++) {
		const outcome = await cluster.run(act(), limitMs);
		const found = outcome.status === "ok" ? "ok" : outcome.code;
		if (found === code) return before;
		before.push(found);
		await cluster.world.runFor(250);
	}
	throw new Error(`never ${code}: ${before.join(" ")}`);
}

async function start(seed: number): Promise<SimCluster> {
	const cluster = new SimCluster(seed, { nodes: 3 });
	for (const node of cluster.nodes) node.machine.disk.faults.capacityBytes = diskBytes;
	await cluster.start();
	await cluster.run(cluster.splitAt([key("k14"), key("k18")]), limitMs);
	return cluster;
}

/** To the last byte. */
function fill({ machine: { disk } }: SimNode): void {
	const used = disk.files().reduce((sum, file) => sum + file.sizeBytes, 0);
	disk.faults.othersBytes = disk.faults.capacityBytes - used;
}

function empty({ machine: { disk } }: SimNode): void {
	disk.faults.othersBytes = 0;
}

for (const seed of [1, 2, 3]) {
	test.serial(`all disks are full, seed ${seed}`, async (t) => {
		const cluster = await start(seed);
		for (const node of cluster.nodes) {
			await until(cluster, "ok", () => write(cluster, node, keys[0]!, "before"));
		}
		for (const k of keys)
			await until(cluster, "ok", () => write(cluster, cluster.nodes[0]!, k, "a"));
		for (const node of cluster.nodes) fill(node);
		for (const node of cluster.nodes) {
			await until(cluster, "53100", () => write(cluster, node, keys[1]!, "b"));
		}
		for (let ms = 0; ms < fullMs; ms += 500) {
			for (const node of cluster.nodes) {
				for (const k of [keys[0]!, keys[5]!, keys[11]!]) {
					const { status } = await cluster.run(read(cluster, node, k), limitMs);
					t.is(status, "ok", `a read after ${ms} ms`);
				}
				const outcome = await cluster.run(write(cluster, node, keys[2]!, "c"), limitMs);
				t.deepEqual(outcome, { status: "fail", code: "53100" });
			}
			await cluster.world.runFor(500);
		}
		for (const node of cluster.nodes) empty(node);
		for (const node of cluster.nodes) {
			await until(cluster, "ok", () => write(cluster, node, keys[3]!, "d"));
		}
		await cluster.run(checkReplicas(cluster), limitMs + 10_000);
		t.deepEqual(cluster.problems, []);
	});

	test.serial(`one disk is full: the others take the writes, seed ${seed}`, async (t) => {
		const cluster = await start(seed);
		const [full, other] = cluster.nodes as [SimNode, SimNode];
		await until(cluster, "ok", () => write(cluster, full, keys[0]!, "before"));
		fill(full);
		for (const k of keys) {
			for (const gateway of [full, other]) {
				const before = await until(cluster, "ok", () => write(cluster, gateway, k, "after"));
				t.true(
					before.every((code) => code === "53100"),
					before.join(" "),
				);
			}
		}
		t.true(full.keyValue?.room.isFull);
		t.deepEqual(
			full.keyValue?.store.statuses().filter((s) => s.leaseholder),
			[],
		);
		empty(full);
		await cluster.world.runFor(2_000);
		t.false(full.keyValue?.room.isFull);
		await cluster.run(checkReplicas(cluster), limitMs + 10_000);
		t.deepEqual(cluster.problems, []);
	});
}
