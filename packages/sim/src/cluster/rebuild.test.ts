/** Nodes whose data were discarded: they come back as themselves, with other replicas, and a quorum can rest on them. */
import { type Key, key } from "@quorate/keys/key";
import type { RunningNode } from "@quorate/server/node";
import test, { type ExecutionContext } from "ava";
import { type Outcome, runTransaction } from "./client.ts";
import { checkReplicas } from "./replica-checks.ts";
import { SimCluster } from "./sim-cluster.ts";
import type { SimNode } from "./sim-node.ts";

const limitMs = 120_000;
const attemptsMax = 60;
const keyCount = 40;
const borders = [key("k10"), key("k20"), key("k30")];
const keys: readonly Key[] = Array.from({ length: keyCount }, (_, i) => key(`k${10 + i}`));
const writing = { mode: "optimistic", readOnly: false } as const;

const kvOf = (node: SimNode): RunningNode => node.keyValue!;

/** Again, where a lease or an election stands in the way. */
async function done<T>(cluster: SimCluster, act: () => Promise<Outcome<T>>): Promise<T> {
	for (let attempt = 0; attempt < attemptsMax; attempt++) {
		const outcome = await cluster.run(act(), limitMs);
		if (outcome.status === "ok") {
			return outcome.value;
		}
		await cluster.world.runFor(500);
	}
	throw new Error("it does not serve");
}

async function writeAll(cluster: SimCluster, gateway: SimNode, text: string): Promise<void> {
	for (const k of keys) {
		await done(cluster, () =>
			runTransaction(cluster, gateway, writing, async (x) => x.put(k, Buffer.from(text))),
		);
	}
}

async function readAll(t: ExecutionContext, cluster: SimCluster, gateway: SimNode, text: string) {
	for (const k of keys) {
		const reading = { ...writing, readOnly: true };
		const value = await done(cluster, () =>
			runTransaction(cluster, gateway, reading, (x) => x.get(k)),
		);
		t.is(Buffer.from(value ?? []).toString(), text);
	}
}

const replicasOf = (node: SimNode) =>
	kvOf(node)
		.store.statuses()
		.flatMap((s) => s.descriptor.replicas.filter((r) => r.nodeId === node.nodeId));

for (const seed of [1, 2, 3]) {
	test.serial(
		`one after the other is rebuilt, and each carries a quorum, seed ${seed}`,
		async (t) => {
			const cluster = new SimCluster(seed, { nodes: 3 });
			await cluster.start();
			const nodes = [...cluster.nodes];
			await cluster.run(cluster.splitAt(borders), limitMs);
			for (const [turn, victim] of nodes.entries()) {
				const others = nodes.filter((node) => node !== victim) as [SimNode, SimNode];
				await writeAll(cluster, others[0], `before ${turn}`);
				const before = replicasOf(victim).map((r) => r.replicaId);
				victim.crash(turn === 1 ? "process" : "power");
				await cluster.run(victim.rebuild(), limitMs);
				await writeAll(cluster, others[1], `without ${turn}`);
				victim.start();
				const whole = cluster.until("it is whole", limitMs, () => {
					const { renewal } = victim.keyValue ?? {};
					return renewal?.left === 0 && renewal.isMember;
				});
				t.true(await cluster.run(whole, limitMs + 1_000));
				const after = replicasOf(victim);
				t.is(after.length, borders.length + 1);
				t.true(after.every((r) => r.role === "voter" && r.replicaId > Math.max(...before)));
				others[0].crash("power");
				await cluster.world.runFor(6_000);
				await readAll(t, cluster, victim, `without ${turn}`);
				await writeAll(cluster, victim, `after ${turn}`);
				await readAll(t, cluster, others[1], `after ${turn}`);
				others[0].start();
				await cluster.run(cluster.heal(), limitMs);
			}
			await cluster.run(checkReplicas(cluster), limitMs + 10_000);
			t.deepEqual(cluster.problems, []);
		},
	);
}
