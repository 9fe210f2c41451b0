/** Transactions that wait for each other in a circle, over several nodes: one of them fails, soon, and nobody without need. */
import { DatabaseError } from "@quorate/keys/database-error";
import { type Key, key } from "@quorate/keys/key";
import type { Limits } from "@quorate/keys/limits";
import type { LockRequest, Transaction, TransactionOptions } from "@quorate/txn/types";
import test, { type ExecutionContext } from "ava";
import { SimCluster } from "./sim-cluster.ts";

const forUpdate: LockRequest = { strength: "update", wait: "block" };
const withinMs = 300;
const value = Buffer.from("1");

/** Keys that lie in ranges of their own, whose leases are on different nodes. */
async function startSpread(
	seed: number,
	keys: readonly Key[],
	limits?: Limits,
): Promise<SimCluster> {
	const cluster = new SimCluster(seed, limits === undefined ? {} : { limits });
	await cluster.start();
	await cluster.run(cluster.splitAt(keys), 60_000);
	for (const [i, k] of keys.entries()) {
		const node = cluster.nodes[i % cluster.nodes.length]!;
		await cluster.run(
			cluster.administer("lease", (n) => n.coordinator.moveLease(k, node.nodeId)),
			60_000,
		);
	}
	return cluster;
}

function begin(
	cluster: SimCluster,
	node: number,
	process: number,
	more?: Partial<TransactionOptions>,
) {
	const { coordinator, placement } = cluster.nodes[node % cluster.nodes.length]!.keyValue!;
	const transaction = coordinator.begin({
		isolation: "serializable",
		mode: "pessimistic",
		readOnly: false,
		lockTimeoutMs: 0,
		schemaVersion: placement.schemaVersion(),
		process,
		...more,
	});
	transaction.beginStatement({ reason: undefined, onCancel: () => () => {} });
	return transaction;
}

interface Ended {
	readonly who: number;
	readonly error: DatabaseError | undefined;
	readonly atMs: number;
}

/** Each does something that closes the circle; who fails is rolled back, so that the others go on. */
function race(
	cluster: SimCluster,
	work: readonly (readonly [Transaction, () => Promise<unknown>])[],
) {
	return Promise.all(
		work.map(async ([transaction, act], who): Promise<Ended> => {
			let error: DatabaseError | undefined;
			try {
				await act();
				await transaction.commit();
			} catch (thrown) {
				if (!(thrown instanceof DatabaseError)) throw thrown;
				error = thrown;
				await transaction.rollback();
			}
			return { who, error, atMs: cluster.world.nowMs };
		}),
	);
}

function checkOneVictim(
	t: ExecutionContext,
	cluster: SimCluster,
	ended: readonly Ended[],
	closedMs: number,
	detail: RegExp,
): void {
	const victims = ended.filter(({ error }) => error !== undefined);
	t.is(victims.length, 1, victims.map((v) => `${v.who}: ${v.error?.message}`).join(", "));
	const { error, atMs } = victims[0]!;
	t.is(error?.code, "40P01");
	t.regex(error?.fields.detail ?? "", detail);
	t.true(atMs - closedMs <= withinMs, `${(atMs - closedMs).toFixed(0)} ms`);
	t.deepEqual(cluster.problems, []);
}

for (const size of [2, 3, 5]) {
	test.serial(`a circle of ${size} over three nodes`, async (t) => {
		for (let seed = 1; seed <= 3; seed++) {
			const keys = Array.from({ length: size }, (_, i) => key(`d${i}`));
			const cluster = await startSpread(seed, keys);
			const transactions: Transaction[] = [];
			for (const [i, k] of keys.entries()) {
				const transaction = begin(cluster, i + 1, 100 + i);
				transactions.push(transaction);
				await cluster.run(transaction.get([k], forUpdate), 10_000);
				// So that one of them is the youngest.
				await cluster.world.runFor(50);
			}
			const closedMs = cluster.world.nowMs;
			const ended = await cluster.run(
				race(
					cluster,
					transactions.map((one, i) => [one, () => one.get([keys[(i + 1) % size]!], forUpdate)]),
				),
				60_000,
			);
			const line =
				"Process \\d+ waits for a lock for update on key d\\d; blocked by process \\d+\\.";
			const detail = new RegExp(`^${Array.from({ length: size }, () => line).join("\\n")}$`);
			checkOneVictim(t, cluster, ended, closedMs, detail);
		}
	});
}

test.serial("two large transactions that update each other's rows", async (t) => {
	const keys = [key("d0"), key("d1")];
	const cluster = await startSpread(1, keys, { bufferBytes: 100 });
	const transactions: Transaction[] = [];
	for (const [i, k] of keys.entries()) {
		const transaction = begin(cluster, i, 100 + i);
		transactions.push(transaction);
		const write = async () => {
			await transaction.get([k], forUpdate);
			transaction.put(k, Buffer.alloc(200));
			await transaction.flush();
		};
		await cluster.run(write(), 10_000);
		await cluster.world.runFor(50);
	}
	const closedMs = cluster.world.nowMs;
	const ended = await cluster.run(
		race(
			cluster,
			transactions.map((one, i) => [one, () => one.get([keys[1 - i]!], forUpdate)]),
		),
		60_000,
	);
	const line = "Process \\d+ waits for the end of a write on key d\\d; blocked by process \\d+\\.";
	checkOneVictim(t, cluster, ended, closedMs, new RegExp(`^${line}\n${line}$`));
});

test.serial(
	"one waits for a lock, its holder reads what a large one is writing: readers do not wait for that, so nobody fails",
	async (t) => {
		const keys = [key("d0"), key("d1")];
		const cluster = await startSpread(2, keys, { bufferBytes: 100 });
		const large = begin(cluster, 0, 100);
		const reader = begin(cluster, 1, 101);
		const prepare = async () => {
			await reader.get([keys[1]!], forUpdate);
			await large.get([keys[0]!], forUpdate);
			large.put(keys[0]!, Buffer.alloc(200));
			await large.flush();
		};
		await cluster.run(prepare(), 10_000);
		await cluster.world.runFor(50);
		const ended = await cluster.run(
			race(cluster, [
				[large, () => large.get([keys[1]!], forUpdate)],
				[reader, () => reader.get([keys[0]!])],
			]),
			60_000,
		);
		t.deepEqual(
			ended.map(({ error }) => error?.message),
			[undefined, undefined],
		);
		t.deepEqual(cluster.problems, []);
	},
);

test.serial("many that lock two rows each in the same order: nobody fails", async (t) => {
	const keys = [key("d0"), key("d1")];
	const cluster = await startSpread(3, keys);
	const transactions = Array.from({ length: 12 }, (_, i) => begin(cluster, i, 100 + i));
	const ended = await cluster.run(
		race(
			cluster,
			transactions.map((one) => [
				one,
				async () => {
					await one.get([keys[0]!], forUpdate);
					await cluster.world.sleep(60);
					await one.get([keys[1]!], forUpdate);
					await cluster.world.sleep(60);
					one.put(keys[0]!, value);
					one.put(keys[1]!, value);
				},
			]),
		),
		120_000,
	);
	t.deepEqual(
		ended.flatMap(({ error }) => error?.code ?? []),
		[],
	);
	t.deepEqual(cluster.problems, []);
});

test.serial("a statement that was cancelled stands in nobody's way", async (t) => {
	const keys = [key("d0"), key("d1")];
	const cluster = await startSpread(4, keys);
	const first = begin(cluster, 0, 100);
	await cluster.run(first.readTimestamp(), 10_000);
	await cluster.world.runFor(1_000);
	// The younger: the one that would fail.
	const second = begin(cluster, 0, 101);
	const reason = new DatabaseError("57014", "canceling statement due to user request");
	const listeners = new Set<() => void>();
	const signal: { reason: DatabaseError | undefined; onCancel(listener: () => void): () => void } =
		{
			reason: undefined,
			onCancel: (listener) => {
				listeners.add(listener);
				return () => listeners.delete(listener);
			},
		};
	const work = async () => {
		await first.get([keys[0]!], forUpdate);
		await second.get([keys[1]!], forUpdate);
		first.beginStatement(signal);
		const cancelled = first.get([keys[1]!], forUpdate).catch((error: DatabaseError) => error.code);
		await cluster.world.sleep(200);
		signal.reason = reason;
		for (const listener of [...listeners]) listener();
		const code = await cancelled;
		// What it had waited for would close a circle now.
		const waiting = second.get([keys[0]!], forUpdate);
		await cluster.world.sleep(1_000);
		await first.rollback();
		await waiting;
		await second.commit();
		return code;
	};
	t.is(await cluster.run(work(), 60_000), "57014");
	t.deepEqual(cluster.problems, []);
});
