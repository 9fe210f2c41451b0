/** A node that stands still for a while: transactions of others go on, and its own pause is nobody's silence. */
import { DatabaseError } from "@quorate/keys/database-error";
import { type Key, key } from "@quorate/keys/key";
import type { CancelSignal, Transaction } from "@quorate/txn/types";
import test from "ava";
import { runTransaction } from "./client.ts";
import { SimCluster } from "./sim-cluster.ts";
import type { SimNode } from "./sim-node.ts";

const rowCount = 100;
const rowKey = (n: number): Key => key(`q${String(n).padStart(3, "0")}`);
const bulkKey = (n: number): Key => key(`r${String(n).padStart(3, "0")}`);
const neverCancelled: CancelSignal = { reason: undefined, onCancel: () => () => undefined };

interface Setting {
	readonly cluster: SimCluster;
	readonly gateway: SimNode;
	/** Leaseholder of the first half of the rows, with the anchor. */
	readonly anchor: SimNode;
	/** Leaseholder of the second half. */
	readonly other: SimNode;
}

async function setUp(seed: number): Promise<Setting> {
	const cluster = new SimCluster(seed, { limits: { bufferBytes: 1_000 } });
	await cluster.start();
	const borders = [rowKey(0), rowKey(rowCount / 2), bulkKey(0)];
	await cluster.run(cluster.splitAt(borders), 60_000);
	const nodes = cluster.world.random("roles").shuffled(cluster.nodes);
	for (const [i, k] of borders.entries()) {
		const { nodeId } = nodes[i]!;
		await cluster.run(
			cluster.administer("lease move", (n) => n.coordinator.moveLease(k, nodeId)),
			60_000,
		);
	}
	return { cluster, anchor: nodes[0]!, other: nodes[1]!, gateway: nodes[2]! };
}

interface Rows {
	readonly keyOf: (n: number) => Key;
	readonly count: number;
	readonly bytes: number;
	/** 0: at once, in one chunk. */
	readonly everyMs: number;
}

const copied: Rows = { keyOf: rowKey, count: rowCount, bytes: 100, everyMs: 100 };

/** As COPY does: chunks go out while rows come in. */
async function copy({ cluster, gateway }: Setting, rows: Rows): Promise<string> {
	const { coordinator, placement } = gateway.keyValue!;
	const transaction: Transaction = coordinator.begin({
		isolation: "serializable",
		mode: "pessimistic",
		readOnly: false,
		lockTimeoutMs: 0,
		schemaVersion: placement.schemaVersion(),
	});
	transaction.beginStatement(neverCancelled);
	try {
		for (let n = 0; n < rows.count; n++) {
			transaction.insert(rows.keyOf(n), Buffer.from(String(n).padEnd(rows.bytes)));
			if (rows.everyMs === 0) continue;
			await transaction.flush();
			await cluster.world.sleep(rows.everyMs);
		}
		await transaction.commit();
		return "committed";
	} catch (error) {
		if (!(error instanceof DatabaseError)) throw error;
		await transaction.rollback();
		return `${error.code} ${error.message} ${error.fields.detail}`;
	}
}

/** Somebody at the anchor's leaseholder waits for the first row all the time. */
async function insistAt(cluster: SimCluster, node: SimNode, goesOn: () => boolean): Promise<void> {
	const kind = { mode: "pessimistic", readOnly: false } as const;
	while (goesOn()) {
		await runTransaction(cluster, node, kind, (t) => t.get(rowKey(0), true));
		await cluster.world.sleep(20);
	}
}

/** Beside `work`, somebody at the anchor's leaseholder wants the first row all the time. Gives what came of it, and problems. */
async function outcomeOf(setting: Setting, work: Promise<string>): Promise<readonly string[]> {
	const { cluster, anchor } = setting;
	let isDone = false;
	const working = work.finally(() => {
		isDone = true;
	});
	const outcome = await cluster.run(
		Promise.all([working, insistAt(cluster, anchor, () => !isDone)]),
		120_000,
	);
	return [outcome[0], ...cluster.problems];
}

const pausesMs = [1_600, 3_000, 5_000];

for (const [role, atMs] of [
	["anchor", 3_000],
	["anchor", 7_000],
	["other", 3_000],
	["other", 7_000],
] as const) {
	test.serial(
		`a COPY goes on when its ${role} leaseholder stands still at ${atMs} ms`,
		async (t) => {
			for (const [seed, pauseMs] of pausesMs.entries()) {
				const setting = await setUp(seed);
				const work = copy(setting, copied);
				await setting.cluster.world.runFor(atMs);
				setting[role].machine.pause(pauseMs);
				t.deepEqual(await outcomeOf(setting, work), ["committed"], `${pauseMs} ms`);
			}
		},
	);
}

test.serial("its own gateway may stand still for less than the silence that ends it", async (t) => {
	const silent =
		"40001 could not serialize access due to concurrent update The transaction was aborted: its gateway was silent for too long.";
	for (const [pauseMs, expected] of [
		[1_100, "committed"],
		[2_000, silent],
	] as const) {
		for (const atMs of [3_000, 7_000]) {
			const setting = await setUp(1);
			const work = copy(setting, copied);
			await setting.cluster.world.runFor(atMs);
			setting.gateway.machine.pause(pauseMs);
			t.deepEqual(await outcomeOf(setting, work), [expected], `${pauseMs} ms at ${atMs} ms`);
		}
	}
});

test.serial(
	"nor is the pause of one that holds the anchor's lease itself its own silence",
	async (t) => {
		for (let seed = 1; seed <= 4; seed++) {
			const setting = await setUp(seed);
			const work = copy({ ...setting, gateway: setting.anchor }, copied);
			await setting.cluster.world.runFor(7_000);
			setting.anchor.machine.pause(1_700);
			t.deepEqual(await outcomeOf(setting, work), ["committed"]);
		}
	},
);

test.serial("heartbeats wait behind what other transactions of their gateway write", async (t) => {
	const setting = await setUp(1);
	const { cluster, gateway, anchor, other } = setting;
	const work = copy(setting, { ...copied, everyMs: 150 });
	await cluster.world.runFor(8_000);
	for (const to of [anchor, other]) {
		cluster.world.network.link(gateway.machine, to.machine).bytesPerMs = 250;
	}
	const bulk = { keyOf: bulkKey, count: 15, bytes: 60_000, everyMs: 0 };
	const writing = copy(setting, bulk);
	t.deepEqual(await outcomeOf(setting, work), ["committed"]);
	// Its range may have got another leaseholder.
	await cluster.run(writing, 120_000);
});
