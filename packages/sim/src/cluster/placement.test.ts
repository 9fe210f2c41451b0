/** Nodes that come and go: the cluster places replicas, leases and the members of its control plane by itself. */
import { key } from "@quorate/keys/key";
import type { NodeRecord } from "@quorate/placement/types";
import test from "ava";
import { runTransaction } from "./client.ts";
import { whyNotPlaced } from "./placement-check.ts";
import { checkReplicas } from "./replica-checks.ts";
import { SimCluster } from "./sim-cluster.ts";
import type { SimNode } from "./sim-node.ts";
import { SqlConnection } from "./sql-connection.ts";

const limits = { schedulerMs: 200, deadAfterMs: 4_000 };
const borders = ["b", "d", "f", "h", "k", "m", "p", "r", "t"].map(key);
const limitMs = 120_000;

async function start(seed: number, nodes: number, spares: number): Promise<SimCluster> {
	const cluster = new SimCluster(seed, { nodes, spares, limits });
	await cluster.start();
	await cluster.run(cluster.splitAt(borders), limitMs);
	return cluster;
}

const placed = (cluster: SimCluster) =>
	cluster.run(
		cluster.until(
			"everything is placed",
			limitMs,
			async () => (await whyNotPlaced(cluster)) === undefined,
		),
		limitMs + 1_000,
	);

/** By node id, from any node that serves. */
async function members(cluster: SimCluster): Promise<number[]> {
	const { nodes } = await cluster.run(cluster.serving()[0]!.placement.overview(), limitMs);
	return nodes.filter((n) => n.isMember).map((n) => n.nodeId);
}

async function mark(cluster: SimCluster, id: SimNode, state: NodeRecord["state"]): Promise<void> {
	const from = cluster.serving().find((n) => n.nodeId !== id.knownId)!;
	await cluster.run(from.placement.markNode(id.nodeId, state), limitMs);
}

async function readAndWrite(cluster: SimCluster, gateway: SimNode): Promise<string> {
	const kind = { mode: "optimistic", readOnly: false } as const;
	const outcome = await cluster.run(
		runTransaction(cluster, gateway, kind, async (t) => {
			for (const k of borders) t.put(k, Buffer.from("1"));
		}),
		limitMs,
	);
	return outcome.status === "ok"
		? "ok"
		: `${outcome.status} ${"code" in outcome ? outcome.code : ""}`;
}

test.serial("a single node is joined by four: ranges and control plane spread", async (t) => {
	const cluster = await start(1, 1, 4);
	t.true(await placed(cluster));
	t.is((await members(cluster)).length, 5);
	t.is(await readAndWrite(cluster, cluster.nodes[3]!), "ok");
	const { events } = await cluster.run(cluster.serving()[0]!.placement.overview(), limitMs);
	t.true(events.some((e) => e.kind === "replicas" && e.outcome === "done" && e.reason !== ""));
	t.true(events.some((e) => e.kind === "member"));
	// The node that all began with is no better than the others now.
	cluster.nodes[0]!.crash("power");
	await cluster.world.runFor(15_000);
	t.is(await readAndWrite(cluster, cluster.nodes[2]!), "ok");
	t.true(await placed(cluster));
	const left = await members(cluster);
	t.is(left.length, 3);
	t.false(left.includes(cluster.nodes[0]!.nodeId));
	// The others find each other without it, too.
	for (const node of cluster.nodes.slice(1)) node.crash("process");
	for (const node of cluster.nodes.slice(1)) node.start();
	await cluster.world.runFor(15_000);
	t.is(await readAndWrite(cluster, cluster.nodes[4]!), "ok");
	await cluster.run(checkReplicas(cluster), 130_000);
	t.deepEqual(cluster.problems, []);
});

test.serial("a drained node is empty, can be removed, and does not come back", async (t) => {
	const cluster = await start(2, 3, 2);
	t.true(await placed(cluster));
	const leaving = cluster.nodes[0]!;
	await t.throwsAsync(mark(cluster, leaving, "removed"), { code: "55000" });
	await mark(cluster, leaving, "draining");
	const empty = cluster.until("it is empty", limitMs, async () => {
		const overview = await cluster.serving()[1]!.placement.overview();
		const own = overview.nodes.find((n) => n.nodeId === leaving.nodeId);
		const isHeld = overview.ranges.some(([d]) =>
			d.replicas.some((r) => r.nodeId === leaving.nodeId),
		);
		return own?.isMember === false && !isHeld;
	});
	t.true(await cluster.run(empty, limitMs + 1_000));
	t.is(await readAndWrite(cluster, leaving), "ok");
	leaving.mayStop = true;
	await mark(cluster, leaving, "removed");
	await cluster.world.runFor(3_000);
	t.regex(leaving.refusal, /was removed from the cluster/);
	leaving.crash("process");
	leaving.start();
	await cluster.world.runFor(10_000);
	t.is(leaving.keyValue, undefined);
	t.regex(leaving.refusal, /was removed from this cluster/);
	t.is(await readAndWrite(cluster, cluster.nodes[1]!), "ok");
	t.deepEqual(cluster.problems, []);
});

test.serial("a node that was taken for dead and comes back is used again", async (t) => {
	const cluster = await start(3, 5, 0);
	t.true(await placed(cluster));
	const [, , , , last] = cluster.nodes as SimNode[];
	last!.crash("process");
	await cluster.world.runFor(15_000);
	const without = await cluster.run(cluster.serving()[0]!.placement.overview(), limitMs);
	t.is(without.nodes.find((n) => n.nodeId === last!.nodeId)!.state, "dead");
	t.false(without.ranges.some(([d]) => d.replicas.some((r) => r.nodeId === last!.nodeId)));
	last!.start();
	await cluster.run(cluster.heal(), limitMs);
	t.true(await placed(cluster));
	t.is((await members(cluster)).length, 5);
	await cluster.run(checkReplicas(cluster), 130_000);
	t.deepEqual(cluster.problems, []);
});

test.serial(
	"a member that was none at the birth comes back after its data were discarded",
	async (t) => {
		const cluster = await start(6, 1, 2);
		t.true(await placed(cluster));
		const victim = cluster.nodes[1]!;
		t.true((await members(cluster)).includes(victim.nodeId));
		victim.crash("power");
		await cluster.run(victim.rebuild(), limitMs);
		victim.start();
		const whole = cluster.until("it is whole", limitMs, () => {
			const { renewal } = victim.keyValue ?? {};
			return renewal?.left === 0 && renewal.isMember;
		});
		t.true(await cluster.run(whole, limitMs + 1_000));
		t.true((await members(cluster)).includes(victim.nodeId));
		// It counts: without another one there is still a majority of three.
		cluster.nodes[2]!.crash("power");
		await cluster.world.runFor(6_000);
		t.is(await readAndWrite(cluster, victim), "ok");
		t.deepEqual(cluster.problems, []);
	},
);

test.serial("any node tells of nodes, ranges and decisions, and drains one", async (t) => {
	const cluster = await start(7, 3, 1);
	t.true(await placed(cluster));
	const runtime = cluster.world.addMachine(100).boot();
	const never = new Promise<void>(() => {});
	const { sqlAddress } = cluster.nodes[3]!;
	const sql = await cluster.run(SqlConnection.open(runtime, sqlAddress, never), limitMs);
	const rows = async (text: string) => (await cluster.run(sql.query(text), limitMs)).at(-1)!.rows;
	const nodes = await rows(
		"SELECT state, replicas > 0, leases > 0, silent_ms < 1000 FROM quorate_nodes",
	);
	t.deepEqual(nodes, Array(4).fill(["live", "t", "t", "t"]));
	const [[count, whole] = []] = await rows(
		"SELECT count(*), count(*) FILTER (WHERE cardinality(replicas) = 3 AND learners = '{}' AND obstacle IS NULL) FROM quorate_ranges",
	);
	t.is(count, String(borders.length + 1));
	t.is(whole, count);
	const [[moved, costly] = []] = await rows(
		"SELECT count(*), count(*) FILTER (WHERE outcome = 'done' AND reason <> '' AND took_ms >= 0) FROM quorate_events WHERE kind IN ('replicas', 'lease')",
	);
	t.true(Number(moved) > 0);
	t.true(Number(costly) > 0);
	await rows(`SELECT quorate_drain_node(${cluster.nodes[0]!.nodeId})`);
	const state = `SELECT state FROM quorate_nodes WHERE node_id = ${cluster.nodes[0]!.nodeId}`;
	t.deepEqual(await rows(state), [["draining"]]);
	const error = await t.throwsAsync(
		rows(`SELECT quorate_remove_node(${cluster.nodes[1]!.nodeId})`),
	);
	t.regex(error?.message ?? "", /drain it first/);
	const drained = cluster.until(
		"it is empty",
		limitMs,
		async () => (await sql.query(`${state} AND replicas = 0`)).at(-1)!.rows.length === 1,
	);
	t.true(await cluster.run(drained, limitMs + 1_000));
	t.deepEqual(cluster.problems, []);
});

test.serial("a node that is stopped leaves nobody waiting for its leases", async (t) => {
	const cluster = new SimCluster(5, { nodes: 3 });
	await cluster.start();
	await cluster.run(cluster.splitAt(borders), limitMs);
	const [first, second] = cluster.nodes as SimNode[];
	for (const k of borders) {
		await cluster.run(second!.keyValue!.coordinator.moveLease(k, first!.nodeId), limitMs);
	}
	const held = () => first!.keyValue?.store.statuses().filter((s) => s.leaseholder).length;
	t.true(held()! >= borders.length);
	await cluster.run(first!.stop(), limitMs);
	const stoppedMs = cluster.world.nowMs;
	t.is(await readAndWrite(cluster, second!), "ok");
	const tookMs = cluster.world.nowMs - stoppedMs;
	// A lease that nobody gave away runs for two seconds.
	t.true(tookMs < 1_000, `${tookMs} ms`);
	t.deepEqual(cluster.problems, []);
});

test.serial("the scheduler's leader dies again and again while ranges move", async (t) => {
	const cluster = await start(4, 3, 3);
	for (let i = 0; i < 6; i++) {
		await cluster.world.runFor(700);
		const leader = cluster.serving()[0]?.placement.calls.leader;
		const node = cluster.nodes.find((n) => n.keyValue !== undefined && n.nodeId === leader);
		node?.crash(i % 2 === 0 ? "process" : "power");
		await cluster.world.runFor(300);
		if (node?.isUp === false) node.start();
	}
	await cluster.run(cluster.heal(), limitMs);
	t.true(await placed(cluster));
	t.is(await readAndWrite(cluster, cluster.nodes[3]!), "ok");
	await cluster.run(checkReplicas(cluster), 130_000);
	t.deepEqual(cluster.problems, []);
});
