/** Insertions that rely on the absence of a key: of two in one transaction the second is refused, wherever the first is by then. */
import { type Key, key } from "@quorate/keys/key";
import type { RunningNode } from "@quorate/server/node";
import { KeyExistsError, type Transaction } from "@quorate/txn/types";
import test, { type ExecutionContext } from "ava";
import { SimCluster } from "./sim-cluster.ts";

const k = key("a");
const value = Buffer.from("1");

/** More than a transaction keeps in its buffer: chunks are sent to their ranges. */
async function overflow(transaction: Transaction): Promise<void> {
	for (let i = 0; i < 22; i++) {
		transaction.put(`b${i}` as Key, Buffer.alloc(800_000));
		await transaction.flush();
	}
}

async function inTransaction(
	t: ExecutionContext,
	body: (transaction: Transaction) => Promise<void>,
): Promise<"committed" | "exists"> {
	const cluster = new SimCluster(1, { nodes: 1 });
	await cluster.start();
	const { coordinator, placement }: RunningNode = cluster.nodes[0]!.keyValue!;
	const begin = (): Transaction =>
		coordinator.begin({
			isolation: "serializable",
			mode: "optimistic",
			readOnly: false,
			lockTimeoutMs: 0,
			schemaVersion: placement.schemaVersion(),
		});
	const run = async (): Promise<"committed" | "exists"> => {
		const before = begin();
		before.put("there" as Key, value);
		await before.commit();
		const transaction = begin();
		try {
			await body(transaction);
			await transaction.commit();
			return "committed";
		} catch (error) {
			if (!(error instanceof KeyExistsError)) throw error;
			await transaction.rollback();
			return "exists";
		}
	};
	const outcome = await cluster.run(run(), 120_000);
	t.deepEqual(cluster.problems, []);
	return outcome;
}

test.serial("a key inserted twice", async (t) => {
	const outcome = await inTransaction(t, async (transaction) => {
		transaction.insert(k, value);
		transaction.insert(k, value);
	});
	t.is(outcome, "exists");
});

test.serial("a key inserted twice, the first time in a chunk that was sent", async (t) => {
	const outcome = await inTransaction(t, async (transaction) => {
		transaction.insert(k, value);
		await overflow(transaction);
		transaction.insert(k, value);
	});
	t.is(outcome, "exists");
});

test.serial("a key deleted and inserted again", async (t) => {
	const there = "there" as Key;
	const outcome = await inTransaction(t, async (transaction) => {
		transaction.delete(there);
		transaction.insert(there, value);
	});
	t.is(outcome, "committed");
});

test.serial("a key deleted in a chunk that was sent, and inserted again", async (t) => {
	const there = "there" as Key;
	const outcome = await inTransaction(t, async (transaction) => {
		transaction.delete(there);
		await overflow(transaction);
		transaction.insert(there, value);
	});
	t.is(outcome, "committed");
});

test.serial("a key that was there", async (t) => {
	const outcome = await inTransaction(t, async (transaction) => {
		transaction.insert("there" as Key, value);
	});
	t.is(outcome, "exists");
});
