/**
 * Keeps other sessions, on all nodes, from writing a table while a transaction goes over all of its rows: what it has read has to hold
 * when it commits. Whoever comes to write the table waits until the transaction has ended, or its node, and is planned again then. Reading goes on.
 *
 * W1. It is scheduling only. Nobody is refused, and nothing is believed because of it: the transaction's reads are validated as ever. So it
 *     may be late on some node, or lapse early, and who has begun to write before may end (which makes the transaction fail: 40001).
 * W2. Who has a fence waits for no other one: two such transactions do not wait for each other.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { fenceName, fencesIn, fenceValue } from "@quorate/keys/write-fences";
import type { Timer } from "@quorate/runtime/runtime";
import type { NodeServices } from "./node-services.ts";
import { pause } from "./retry.ts";
import type { SessionState } from "./session-state.ts";
import type { TransactionBlock } from "./transaction-block.ts";

const renewMs = 5_000;
/** For statements that were on their way. */
const settleMs = 100;
const lookEveryMs = 20;
/** Looks between two timestamps that are drawn, where nothing else tells that time goes by. */
const looksPerDraw = 50;

/** Not for clients: the statement is to be begun again, since writers are kept out from now on. */
export class FenceRaisedError extends Error {
	override readonly name = "FenceRaisedError";
}

/** Of one transaction. */
export class WriteFences {
	readonly #services: NodeServices;
	readonly #owner: string;
	readonly #tables = new Set<number>();
	#timer: Timer | undefined;

	constructor(services: NodeServices) {
		this.#services = services;
		this.#owner = Buffer.from(services.runtime.random.bytes(8)).toString("hex");
	}

	has(tableOid: number): boolean {
		return this.#tables.has(tableOid);
	}

	/** Resolves when all nodes that answer know of it. Rejects with 57P03. */
	async raise(tableOid: number): Promise<void> {
		this.#tables.add(tableOid);
		this.#timer ??= this.#renewLater();
		await this.#set(tableOid, true);
		await pause(this.#services.runtime, settleMs);
	}

	/** And of nodes that have ended. Never rejects: what cannot be taken down lapses. */
	async release(): Promise<void> {
		this.#timer?.cancel();
		this.#timer = undefined;
		const { placement } = this.#services;
		const names = [...this.#tables].map((oid) => fenceName(oid, this.#owner));
		this.#tables.clear();
		for (const { name, until } of fencesIn(placement.settings().values)) {
			if (!(until > placement.seen())) names.push(name);
		}
		await Promise.all(names.map((name) => this.#say(placement.set(name, null))));
	}

	#renewLater(): Timer {
		return this.#services.runtime.scheduler.setTimer(renewMs, () => {
			this.#timer = this.#renewLater();
			for (const oid of this.#tables) void this.#say(this.#set(oid, false));
		});
	}

	async #set(tableOid: number, isNew: boolean): Promise<void> {
		const { placement } = this.#services;
		const name = fenceName(tableOid, this.#owner);
		await placement.set(name, fenceValue(placement.seen()));
		// Its transaction has ended meanwhile.
		if (!isNew && !this.#tables.has(tableOid)) await placement.set(name, null);
	}

	async #say(work: Promise<void>): Promise<void> {
		try {
			await work;
		} catch (error) {
			if (!(error instanceof DatabaseError)) throw error;
			const { logger } = this.#services.runtime;
			logger.log("warn", "a write fence stands until it lapses", { error: error.message });
		}
	}
}

/** `written`: object ids of tables. */
export function isFenced(
	{ services }: SessionState,
	block: TransactionBlock,
	written: () => readonly number[],
): boolean {
	const { placement } = services;
	const fences = fencesIn(placement.settings().values);
	if (fences.length === 0 || block.fences !== undefined) return false;
	const tables = written();
	const now = placement.seen();
	return fences.some(({ tableOid, until }) => tables.includes(tableOid) && until > now);
}

/** Throws 55P03, and why the statement was cancelled. */
export async function passFences(
	state: SessionState,
	block: TransactionBlock,
	written: () => readonly number[],
): Promise<void> {
	const { runtime, placement } = state.services;
	const { lockTimeoutMs } = block.characteristics;
	const since = runtime.clock.monotonicMs();
	for (let looks = 1; isFenced(state, block, written); looks++) {
		if (state.cancel.reason !== undefined) throw state.cancel.reason;
		if (lockTimeoutMs > 0 && runtime.clock.monotonicMs() - since >= lockTimeoutMs) {
			throw new DatabaseError("55P03", "canceling statement due to lock timeout");
		}
		await pause(runtime, lookEveryMs);
		if (looks % looksPerDraw === 0) await placement.issue();
	}
}
