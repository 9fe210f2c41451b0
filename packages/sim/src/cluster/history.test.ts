/** Reads of the past under faults; a failing seed is had again by `make sim SEED=x HISTORY=1 TRACE=1`. */
import { type Key, key, prefixEnd } from "@quorate/keys/key";
import type { Mutations } from "@quorate/keys/mutations";
import { timestampZero } from "@quorate/keys/timestamp";
import test from "ava";
import { runTransaction } from "./client.ts";
import { describeRun } from "./describe-run.ts";
import { hunt, mutants } from "./mutants.ts";
import { simulateHistory } from "./run-history.ts";
import { SimCluster } from "./sim-cluster.ts";

const seeds = [1, 2, 3, 4, 8, 9];

test.serial(
	"a read at a timestamp shows what was committed by then, whoever serves it",
	async (t) => {
		let [followers, large, tooOld] = [0, 0, 0];
		for (const seed of seeds) {
			const report = await simulateHistory(seed);
			t.log(describeRun(report));
			followers += report.work["followerReads"]!;
			large += report.work["large"]!;
			tooOld += report.work["tooOld"]!;
			if (report.problems.length > 0) {
				t.fail([`seed ${seed}`, ...report.events, ...report.problems.slice(0, 3)].join("\n"));
				return;
			}
		}
		t.true(followers > 100, `${followers} reads at followers`);
		t.true(large > 5, `${large} large transactions`);
		t.true(tooOld > 0, `${tooOld} reads below the GC threshold`);
	},
);

/** Where the first seeds show nothing. */
const firstSeeds: Partial<Record<keyof Mutations, number>> = { openAfterSeal: 18 };

for (const mutant of mutants.filter((m) => m.run === simulateHistory)) {
	test.serial(mutant.what, async (t) => {
		const first = firstSeeds[mutant.mutation];
		const { seeds: needed, found } = await hunt(mutant, 12, undefined, {}, first);
		t.log(`seed ${needed}: ${found}`);
		t.not(found, undefined);
	});
}

const rowKey = (n: number): Key => key(`q${String(n).padStart(3, "0")}`);
const span = { start: key("q"), end: prefixEnd(key("q")) };
const rowCount = 100;
const readOnly = { mode: "optimistic", readOnly: true } as const;

test.serial("readers do not wait for a large transaction that is open", async (t) => {
	const cluster = new SimCluster(7, { limits: { bufferBytes: 1_000 } });
	await cluster.start();
	await cluster.run(cluster.splitAt([rowKey(rowCount / 2)]), 60_000);
	const { world } = cluster;
	const [writer, ...others] = cluster.nodes;
	const writing = { mode: "pessimistic", readOnly: false } as const;
	/** Half of its rows are prepared, then it does nothing for a while. */
	const replace = (value: string) =>
		runTransaction(cluster, writer!, writing, async (transaction) => {
			for (let n = 0; n < rowCount; n++) {
				if (n === rowCount - 10) await world.sleep(5_000);
				transaction.put(rowKey(n), Buffer.from(value.padEnd(100)));
				await transaction.flush();
			}
		});
	const read = async () => {
		const seen: string[][] = [];
		for (const node of [writer!, ...others]) {
			const outcome = await runTransaction(cluster, node, readOnly, (r) => r.scan(span));
			const rows = outcome.status === "ok" ? outcome.value : [];
			seen.push(rows.map(({ value }) => Buffer.from(value).toString().trim()));
		}
		return seen;
	};
	const of = (value: string) => new Array<string>(rowCount).fill(value);
	t.is((await cluster.run(replace("before"), 60_000)).status, "ok");
	const large = replace("after");
	await cluster.run(world.sleep(1_000), 2_000);
	const intents = () =>
		cluster.serving().flatMap((n) => n.store.statuses().map(({ intents: count }) => count));
	t.true(Math.max(...intents()) > 10);
	const startMs = world.nowMs;
	for (let round = 0; round < 5; round++) {
		t.deepEqual(await cluster.run(read(), 60_000), [of("before"), of("before"), of("before")]);
	}
	// The first reader of a range lets the coordinator finish for 100 ms; later ones ask at once.
	t.true(world.nowMs - startMs < 1_500, `${world.nowMs - startMs} ms`);
	t.true(Math.max(...intents()) > 10);
	t.is((await cluster.run(large, 60_000)).status, "ok");
	t.deepEqual(await cluster.run(read(), 60_000), [of("after"), of("after"), of("after")]);
	t.deepEqual(cluster.problems, []);
});

test.serial("a node that is cut off answers from what is closed", async (t) => {
	const cluster = new SimCluster(9);
	await cluster.start();
	const { world } = cluster;
	const [writer] = cluster.nodes;
	const put = (value: string) =>
		runTransaction(cluster, writer!, { mode: "pessimistic", readOnly: false }, async (w) => {
			w.put(rowKey(0), Buffer.from(value));
		});
	t.is((await cluster.run(put("before"), 60_000)).status, "ok");
	const leaseholder = cluster.serving().find((n) => n.store.replicaFor(rowKey(0))!.holding())!;
	const follower = cluster.nodes.find((n) => n.nodeId !== leaseholder.nodeId)!;
	const read = async () => {
		const startMs = world.nowMs;
		const kind = { ...readOnly, closedFrom: timestampZero };
		const outcome = await cluster.run(
			runTransaction(cluster, follower, kind, async (r) => {
				const value = await r.get(rowKey(0));
				return { value: Buffer.from(value!).toString(), s: r.readAt!, at: r.followerReads };
			}),
			60_000,
		);
		if (outcome.status !== "ok") throw new Error(outcome.code);
		return { ...outcome.value, ms: world.nowMs - startMs };
	};
	await read();
	await cluster.run(world.sleep(1_000), 2_000);
	const known = await read();
	t.is(known.value, "before");
	t.is(known.at, 1);
	await cluster.run(world.sleep(500), 2_000);
	const machines = cluster.nodes.map((n) => n.machine);
	world.network.partition(
		[follower.machine],
		machines.filter((m) => m !== follower.machine),
	);
	const meanwhile = put("after");
	await cluster.run(world.sleep(10_000), 20_000);
	// The first one after a while waits for the leaseholder, as long as it has patience.
	for (const mostMs of [1_500, 10, 10]) {
		const cutOff = await read();
		t.is(cutOff.value, "before");
		t.true(cutOff.s >= known.s);
		t.true(cutOff.ms <= mostMs, `${cutOff.ms} ms`);
	}
	world.network.heal();
	t.is((await cluster.run(meanwhile, 60_000)).status, "ok");
	await cluster.run(world.sleep(5_000), 6_000);
	await read();
	await cluster.run(world.sleep(1_000), 2_000);
	t.is((await read()).value, "after");
	t.deepEqual(cluster.problems, []);
});
