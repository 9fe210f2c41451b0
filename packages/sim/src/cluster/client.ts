/** Clients of a simulated cluster, on the level of keys and values. They live in their gateway's process and never learn what became of a transaction whose gateway dies. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Key, Span } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { IssuedTimestamp } from "@quorate/replica/timestamp-source";
import type { CancelSignal, LockRequest, Transaction, TransactionMode } from "@quorate/txn/types";
import type { SeededRandom } from "../runtime/seeded-random.ts";
import type { SimCluster } from "./sim-cluster.ts";
import type { SimNode } from "./sim-node.ts";

export type Outcome<T> =
	| { readonly status: "ok"; readonly value: T; readonly timestamp: Timestamp | undefined }
	/** Certainly without effect. `code`: the SQLSTATE. */
	| { readonly status: "fail"; readonly code: string }
	/** Not known. */
	| { readonly status: "info"; readonly code: string };

export interface TransactionKind {
	readonly mode: TransactionMode;
	readonly readOnly: boolean;
	/** Reads are at this timestamp. */
	readonly asOf?: IssuedTimestamp;
	/** It takes the past, from its gateway's own replicas where it can, but nothing below this. */
	readonly closedFrom?: Timestamp;
}

/** Virtual time after which an answer that has not come from a living node counts as a bug. */
const patienceMs = 120_000;
const lockTimeoutMs = 3_000;
const neverCancelled: CancelSignal = { reason: undefined, onCancel: () => () => undefined };
const exclusive: LockRequest = { strength: "update", wait: "block" };

/** What a transaction of a client may do. */
export class ClientTransaction {
	readonly #transaction: Transaction;

	constructor(transaction: Transaction) {
		this.#transaction = transaction;
	}

	/** With `forUpdate` the newest version, locked where the mode says so. */
	async get(key: Key, forUpdate = false): Promise<Uint8Array | undefined> {
		this.#transaction.beginStatement(neverCancelled);
		const [value] = await this.#transaction.get([key], forUpdate ? exclusive : undefined);
		return value;
	}

	async scan(span: Span): Promise<{ readonly key: Key; readonly value: Uint8Array }[]> {
		this.#transaction.beginStatement(neverCancelled);
		const rows: { key: Key; value: Uint8Array }[] = [];
		for await (const page of this.#transaction.scan(span)) rows.push(...page);
		return rows;
	}

	/** Requests that its gateway's own replicas answered without leading their ranges. */
	get followerReads(): number {
		return this.#transaction.readPlaces.followers;
	}

	put(key: Key, value: Uint8Array): void {
		this.#transaction.put(key, value);
	}

	/** Waits while a large transaction sends what it has buffered. */
	flush(): Promise<void> {
		return this.#transaction.flush();
	}

	/** The timestamp of its reads, once there was one. */
	get readAt(): Timestamp | undefined {
		return this.#transaction.readAt;
	}

	delete(key: Key): void {
		this.#transaction.delete(key);
	}
}

/** One after the other; `node` is the gateway. */
export const runTransaction = <T>(
	cluster: SimCluster,
	node: SimNode,
	kind: TransactionKind,
	body: (transaction: ClientTransaction) => Promise<T>,
): Promise<Outcome<T>> => awaited(cluster, node, attempt(cluster, node, kind, body));

/** One key, by a transaction that does nothing else: the way that a SELECT of one row goes. */
export const readAlone = (
	cluster: SimCluster,
	node: SimNode,
	k: Key,
): Promise<Outcome<Uint8Array | undefined>> =>
	awaited(cluster, node, attemptAlone(cluster, node, k));

async function awaited<T>(
	cluster: SimCluster,
	node: SimNode,
	work: Promise<Outcome<T>>,
): Promise<Outcome<T>> {
	let patience: { cancel(): void } | undefined;
	const late = new Promise<"late">((resolve) => {
		patience = cluster.world.schedule(patienceMs, () => resolve("late"));
	});
	const outcome = await Promise.race([work, node.ended, late]);
	patience?.cancel();
	if (outcome === "late") {
		cluster.problems.push(`a transaction got no answer within ${patienceMs} virtual ms`);
		return { status: "info", code: "late" };
	}
	return outcome ?? { status: "info", code: "its gateway ended" };
}

async function attemptAlone(
	cluster: SimCluster,
	node: SimNode,
	k: Key,
): Promise<Outcome<Uint8Array | undefined>> {
	try {
		const found = await node.keyValue?.coordinator.readAlone(k, neverCancelled);
		if (found !== undefined) {
			return { status: "ok", value: found.value ?? undefined, timestamp: undefined };
		}
	} catch (error) {
		if (!(error instanceof DatabaseError)) throw error;
		return { status: "fail", code: error.code };
	}
	const kind = { mode: "optimistic", readOnly: true } as const;
	return attempt(cluster, node, kind, (transaction) => transaction.get(k));
}

async function attempt<T>(
	cluster: SimCluster,
	node: SimNode,
	kind: TransactionKind,
	body: (transaction: ClientTransaction) => Promise<T>,
): Promise<Outcome<T>> {
	const { keyValue } = node;
	if (keyValue === undefined) return { status: "fail", code: "57P03" };
	const transaction = keyValue.coordinator.begin({
		...kind,
		isolation: "serializable",
		lockTimeoutMs,
		schemaVersion: keyValue.placement.schemaVersion(),
	});
	if (kind.closedFrom !== undefined) transaction.readClosed(kind.closedFrom);
	let committing = false;
	try {
		const value = await body(new ClientTransaction(transaction));
		committing = true;
		const { timestamp } = await transaction.commit();
		if (timestamp !== undefined) cluster.monitor.acknowledged(timestamp);
		return { status: "ok", value, timestamp };
	} catch (error) {
		if (!(error instanceof DatabaseError)) throw error;
		if (!committing) await transaction.rollback();
		return { status: error.code === "40003" ? "info" : "fail", code: error.code };
	}
}

/** Any node that serves, or undefined while none does. */
export function pickGateway(cluster: SimCluster, random: SeededRandom): SimNode | undefined {
	const up = cluster.nodes.filter((n) => n.keyValue !== undefined);
	return up.length === 0 ? undefined : random.pick(up);
}
