/** A large transaction whose leaseholder dies, or gives its lease away, while chunks of it are under way. Readers go on. */
import { type Key, keyMax, keyMin } from "@quorate/keys/key";
import type { RunningNode } from "@quorate/server/node";
import type { Transaction } from "@quorate/txn/types";
import test, { type ExecutionContext } from "ava";
import { SimCluster } from "./sim-cluster.ts";

const rows = 6_000;
const bufferBytes = 200_000;
const value = Buffer.alloc(200);
const rowKey = (n: number): Key => `r${String(n).padStart(6, "0")}` as Key;

function begin({ coordinator, placement }: RunningNode): Transaction {
	return coordinator.begin({
		isolation: "serializable",
		mode: "optimistic",
		readOnly: false,
		lockTimeoutMs: 0,
		schemaVersion: placement.schemaVersion(),
	});
}

async function count(node: RunningNode): Promise<number> {
	const transaction = begin(node);
	let found = 0;
	for await (const page of transaction.scan({ start: keyMin, end: keyMax })) {
		found += page.filter(({ key }) => key.startsWith("r")).length;
	}
	await transaction.rollback();
	return found;
}

async function withoutLeaseholder(t: ExecutionContext, seed: number): Promise<void> {
	const cluster = new SimCluster(seed, { limits: { bufferBytes } });
	await cluster.start();
	const [victim, gateway, reader] = cluster.nodes as [...typeof cluster.nodes];
	const { coordinator } = gateway!.keyValue!;
	await cluster.run(coordinator.moveLease(rowKey(0), victim!.nodeId), 60_000);
	const transaction = begin(gateway!.keyValue!);
	const write = async (): Promise<void> => {
		for (let n = 0; n < rows; n++) {
			transaction.insert(rowKey(n), value);
			await transaction.flush();
			if (n === 4_000) t.is(await count(reader!.keyValue!), 0);
			if (n !== 2_000) continue;
			t.is(await count(reader!.keyValue!), 0);
			// Soon, while a chunk is under way.
			cluster.world.schedule(3 * seed, () => victim!.crash("process"));
		}
		await transaction.commit();
	};
	await cluster.run(write(), 120_000);
	t.false(victim!.isUp);
	t.is(await cluster.run(count(reader!.keyValue!), 60_000), rows);
	t.deepEqual(cluster.problems, []);
}

test.serial("readers go on after the lease of its first key has moved", async (t) => {
	const cluster = new SimCluster(4, { limits: { bufferBytes } });
	await cluster.start();
	const [one, gateway, reader] = cluster.nodes as [...typeof cluster.nodes];
	const { coordinator } = gateway!.keyValue!;
	const transaction = begin(gateway!.keyValue!);
	const write = async (): Promise<void> => {
		for (let n = 0; n < rows; n++) {
			transaction.insert(rowKey(n), value);
			await transaction.flush();
			if (n % 2_000 !== 1_999) continue;
			const { nodeId } = n < 3_000 ? one! : reader!;
			// Its replica may not be up to date yet.
			for (let isMoved = false; !isMoved; ) {
				t.is(await count(reader!.keyValue!), 0);
				isMoved = await coordinator.moveLease(rowKey(0), nodeId).then(
					() => true,
					() => false,
				);
			}
			t.is(await count(reader!.keyValue!), 0);
			t.is(await count(one!.keyValue!), 0);
		}
		await transaction.commit();
	};
	await cluster.run(write(), 120_000);
	t.is(await cluster.run(count(reader!.keyValue!), 60_000), rows);
	t.deepEqual(cluster.problems, []);
});

for (let seed = 1; seed <= 3; seed++) {
	test.serial(`seed ${seed}: goes on under the next one`, (t) => withoutLeaseholder(t, seed));
}
