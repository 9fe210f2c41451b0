/**
 * Schema changes commit one after the other. Each raises the version of the schema, and is refused where that is not the one that it was
 * made with, or has compared itself with (`schema-reliance.ts`): so whoever compares must know that nothing comes in between.
 *
 * It is a lock as any other, on a key that has no row: waited for as for a row, seen by those who look for deadlocks, gone with its owner.
 * It is scheduling only. It is taken last, when all rows of the catalog are locked that the change needs: whoever has it waits for nobody.
 * A statement that is a transaction by itself finds out then that the schema has changed; it keeps its locks, this one among them, and is
 * run again.
 */
import type { Transaction } from "@quorate/txn/types";
import { schemaLockKey } from "../catalog/keys.ts";

/** Until the transaction ends. Rejects with 55P03, 40P01. */
export async function lockSchema(transaction: Transaction): Promise<void> {
	await transaction.get([schemaLockKey], { strength: "update", wait: "block" });
}
