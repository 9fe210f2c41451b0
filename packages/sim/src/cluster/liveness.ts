/**
 * Once faults have ended, what waits must end: intents of a gateway that died, of an anchor's leaseholder that died, of both in
 * one, are out of everybody's way within a bound.
 */
import type { Key } from "@quorate/keys/key";
import type { SeededRandom } from "../runtime/seeded-random.ts";
import { type Outcome, runTransaction } from "./client.ts";
import type { SimCluster } from "./sim-cluster.ts";
import type { SimNode } from "./sim-node.ts";

/**
 * From the death on. A dead process is noticed by its connections, and elections follow at once (0.6 s). Its leases lapse within 2.5 s, as the
 * oracle runs at four fifths of time at least. Then its transactions must have been silent for 1.5 s. A machine without power is noticed by
 * its silence, after 2 to 2.5 s, beside the rest.
 */
const bereavedMsMax = 5_000;
const attemptMs = 500;

export async function checkLiveness(cluster: SimCluster, keys: readonly Key[]): Promise<void> {
	const random = cluster.world.random("liveness");
	const [anchor, ...others] = random.shuffled(keys).slice(0, 5);
	const holder = await leaseholder(cluster, anchor!);
	const up = random.shuffled(cluster.nodes.filter((n) => n.keyValue !== undefined));
	if (holder === undefined || up.length < 3) return;
	const form = random.pick(["gateway", "anchor", "both"] as const);
	const gateway = form === "both" ? holder : up.find((n) => n !== holder)!;
	const victim = form === "gateway" ? gateway : holder;
	const reader = up.find((n) => n !== holder && n !== gateway)!;
	const writing = write(cluster, gateway, [anchor!, ...others], random);
	await cluster.world.sleep(random.between(0, 15));
	cluster.event(`${victim}, ${form} of a transaction, dies`);
	const diedAtMs = cluster.world.nowMs;
	const kind = random.chance(0.5) ? "process" : "power";
	victim.crash(kind);
	const tookMs = await untilRead(cluster, reader, [anchor!, ...others], diedAtMs);
	cluster.bereavedMs[kind].push(tookMs);
	cluster.event(`the keys of a dead ${form} can be read after ${tookMs.toFixed(0)} ms`);
	if (tookMs > bereavedMsMax) {
		cluster.delays.push(
			`what a dead ${form} (${kind}) had written could not be read for ${tookMs.toFixed(0)} virtual ms`,
		);
	}
	await writing;
	victim.start();
	await cluster.until(
		"the node that died serves again",
		20_000,
		() => victim.keyValue !== undefined,
	);
}

async function leaseholder(cluster: SimCluster, k: Key): Promise<SimNode | undefined> {
	// Somebody takes the lease where nobody has it.
	const node = cluster.nodes.find((n) => n.keyValue !== undefined);
	if (node !== undefined) await read(cluster, node, [k]);
	return cluster.nodes.find((n) =>
		n.keyValue?.store
			.statuses()
			.some((s) => s.leaseholder && s.descriptor.start <= k && k < s.descriptor.end),
	);
}

/** What stands there is written again: no check is disturbed, whether it commits or not. */
function write(
	cluster: SimCluster,
	gateway: SimNode,
	keys: readonly Key[],
	random: SeededRandom,
): Promise<unknown> {
	const kind = { mode: "optimistic", readOnly: false } as const;
	return runTransaction(cluster, gateway, kind, async (t) => {
		for (const k of keys) {
			const value = await t.get(k);
			if (value !== undefined) t.put(k, value);
		}
		await cluster.world.sleep(random.between(0, 2));
	});
}

const read = (
	cluster: SimCluster,
	node: SimNode,
	keys: readonly Key[],
): Promise<Outcome<unknown>> =>
	runTransaction(cluster, node, { mode: "optimistic", readOnly: true }, async (t) => {
		for (const k of keys) await t.get(k);
	});

async function untilRead(
	cluster: SimCluster,
	reader: SimNode,
	keys: readonly Key[],
	sinceMs: number,
): Promise<number> {
	let done = false;
	while (!done && cluster.world.nowMs < sinceMs + 60_000) {
		// Beside those that hang on somebody who is gone: a client would not wait either.
		const attempt = read(cluster, reader, keys).then(({ status }) => {
			done ||= status === "ok";
		});
		await Promise.race([attempt, cluster.world.sleep(attemptMs)]);
		if (!done) await cluster.world.sleep(20);
	}
	return cluster.world.nowMs - sinceMs;
}
