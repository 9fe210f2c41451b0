/** Power failures in the middle of clearing a range: what a replica leaves behind that has gone, and what was dropped. */
import { type Key, key, spanContains } from "@quorate/keys/key";
import { rangeSpan } from "@quorate/keys/range";
import { dataSpan, deletionSpan, engineSpans, historySpan } from "@quorate/storage/engine-keys";
import test from "ava";
import { runTransaction } from "./client.ts";
import type { Batch } from "./engine-disk.ts";
import { checkReplicas } from "./replica-checks.ts";
import { SimCluster } from "./sim-cluster.ts";
import type { SimNode } from "./sim-node.ts";
import { SqlConnection } from "./sql-connection.ts";

const border = key("m");
const rows = [1, 2, 3, 4].map((n) => key(`n${n}`));
const never = new Promise<void>(() => {});

async function fill(cluster: SimCluster, node: SimNode, value: number): Promise<void> {
	const kind = { mode: "optimistic", readOnly: false } as const;
	const left = key("a");
	for (const k of rows) {
		// Of two ranges: the left one's record names what is written here, and the other way round.
		const task = runTransaction(cluster, node, kind, async (t) => {
			for (const one of [k, left]) t.put(one, Uint8Array.of(value));
		});
		const { status } = await cluster.run(task, 60_000);
		if (status !== "ok") throw new Error(status);
	}
}

/** Loses its power when it has cleared a range, of which `kept` batches are on its disk. Resolves with how many there were. */
function strike(cluster: SimCluster, node: SimNode, kept: number): Promise<number> {
	const { engineDisk } = node;
	return new Promise((resolve) => {
		let first: number | undefined;
		engineDisk.onWritten = (batch: Batch) => {
			const clears = batch.length === 1 && "start" in batch[0]!;
			if (clears) first ??= engineDisk.unsyncedCount - 1;
			if (clears || first === undefined) return;
			// The state, which goes last.
			engineDisk.onWritten = undefined;
			const count = engineDisk.unsyncedCount - first;
			engineDisk.keeps = first + Math.min(kept, count);
			cluster.world.schedule(0, () => {
				node.crash("power");
				resolve(count);
			});
		};
	});
}

/** What the node's engine has of these keys. */
function entriesOf(node: SimNode, span: { readonly start: Key; readonly end: Key }): number {
	const { engine } = node.keyValue!.store.replicaFor(key("a"))!.context;
	const limits = { rowsMax: 1_000, bytesMax: 1e9, reverse: false, keyOffset: 0 };
	return engineSpans(span).reduce((sum, one) => sum + engine.scan(one, limits).keys.length, 0);
}

test.serial(
	"a node without power in the middle of clearing a replica that was removed: nothing is left, and another may come",
	async (t) => {
		const cluster = new SimCluster(1, { nodes: 4 });
		await cluster.start();
		const nodes = [...cluster.nodes].sort((a, b) => a.nodeId - b.nodeId);
		const [first, second, third, fourth] = nodes as [SimNode, SimNode, SimNode, SimNode];
		const { coordinator } = first.keyValue!;
		const relocate = (...on: readonly SimNode[]) =>
			coordinator.relocate(
				border,
				on.map((n) => n.nodeId),
			);
		await cluster.run(cluster.splitAt([border]), 60_000);
		await cluster.run(
			coordinator.relocate(
				key("a"),
				nodes.slice(0, 3).map((n) => n.nodeId),
			),
			60_000,
		);
		await cluster.run(coordinator.moveLease(border, first.nodeId), 60_000);
		const counts: number[] = [];
		for (let kept = 0; counts.length === 0 || kept <= counts[0]!; kept++) {
			await cluster.run(relocate(first, second, third), 60_000);
			await fill(cluster, first, kept);
			const { descriptor } = first.keyValue!.store.replicaFor(border)!.state;
			const struck = strike(cluster, third, kept);
			const moved = relocate(first, second, fourth);
			counts.push(await cluster.run(struck, 60_000));
			await cluster.run(moved, 60_000);
			third.start();
			await cluster.run(cluster.heal(), 60_000);
			t.is(entriesOf(third, rangeSpan(descriptor)), 0, `${kept} batches kept`);
			t.is(third.keyValue!.store.statuses().length, 1);
			await cluster.run(checkReplicas(cluster), 130_000);
			t.deepEqual(cluster.problems, []);
		}
		t.true(counts[0]! > 4, "each kind of key, and the state");
		t.is(new Set(counts).size, 1);
	},
);

test.serial("nodes lose their power while what was dropped is removed", async (t) => {
	const limits = { collectMs: 500, historyLifeMs: 3_000, recordLifeMs: 3_000 };
	const cluster = new SimCluster(2, { limits });
	await cluster.start();
	const runtime = cluster.world.addMachine(100).boot();
	const open = () => SqlConnection.open(runtime, cluster.nodes[0]!.sqlAddress, never);
	const setUp = async () => {
		const connection = await open();
		const series = "SELECT g, g::text FROM generate_series(1, 40) g";
		for (const table of ["before_it", "gone", "kept"]) {
			await connection.query(`CREATE TABLE ${table} (id int PRIMARY KEY, n text UNIQUE)`);
			await connection.query(`INSERT INTO ${table} ${series}`);
			await connection.query(`UPDATE ${table} SET n = n || 'y'; DELETE FROM ${table} WHERE id = 7`);
		}
		await connection.query("ALTER TABLE gone SPLIT AT VALUES (10), (20), (30)");
		await connection.query("DROP TABLE gone");
	};
	await cluster.run(setUp(), 60_000);
	const tables = { start: "\x02" as Key, end: "\x03" as Key };
	const all = { rowsMax: 1e6, bytesMax: 1e9, reverse: false, keyOffset: 0 };
	const held = (node: SimNode): string => {
		const { store } = node.keyValue!;
		const { engine } = store.replica(store.statuses()[0]!.descriptor.rangeId)!.context;
		const spans = [dataSpan, historySpan, deletionSpan];
		return spans.map((span) => engine.scan(span(tables), all).keys.length).join();
	};
	// Two tables and their indexes are left: no history, and no mark of a deletion.
	const isGone = async (): Promise<boolean> => {
		// Nodes that run statements look for what was dropped.
		const asked = open().then((connection) => connection.query("SELECT count(*) FROM kept"));
		await Promise.race([asked.catch(() => undefined), cluster.world.sleep(500)]);
		return cluster.nodes.every((n) => n.keyValue !== undefined && held(n) === "156,0,0");
	};
	let strikes = 0;
	for (const [n, node] of cluster.nodes.entries()) {
		let isDue = false;
		node.engineDisk.onWritten = (batch: Batch) => {
			// An entry that removes rows of what was dropped.
			const isRow = ([k, value]: readonly [Key, Uint8Array | undefined]): boolean =>
				value === undefined && spanContains(dataSpan(tables), k);
			const removed = batch.filter((step) => !("start" in step) && isRow(step)).length;
			if (removed < 8 || isDue || strikes >= 9) return;
			isDue = true;
			strikes++;
			const victims = strikes % 3 === 0 ? cluster.nodes : [cluster.nodes[(n + strikes) % 3]!];
			cluster.world.schedule(0, () => {
				for (const victim of victims) if (victim.isUp) victim.crash("power");
			});
			cluster.world.schedule(3_000, () => {
				isDue = false;
				for (const victim of cluster.nodes) if (!victim.isUp) victim.start();
			});
		};
	}
	t.true(await cluster.run(cluster.until("it is gone", 120_000, isGone), 120_001));
	t.true(strikes >= 3, `${strikes} power failures`);
	for (const node of cluster.nodes) node.engineDisk.onWritten = undefined;
	const answers = await cluster.run(
		open().then((c) =>
			c.query("SELECT count(*), min(n), max(n) FROM kept; SELECT count(*) FROM before_it"),
		),
		60_000,
	);
	t.deepEqual(
		answers.map((a) => a.rows),
		[[["39", "10y", "9y"]], [["39"]]],
	);
	await cluster.run(checkReplicas(cluster), 130_000);
	t.log(`${strikes} power failures`);
	t.deepEqual(cluster.problems, []);
});
