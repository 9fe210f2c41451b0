/**
 * Tenures: what the advisory locks of a node's sessions hang on. A tenure is a row that this boot writes before its sessions take their
 * first lock, and that anybody may delete once the node is taken for dead. While the row is there the sessions of the tenure hold what
 * the rows of the locks say; from the timestamp on at which it is deleted they hold nothing.
 *
 * V1. A tenure's name is used once: a row that was deleted never comes back.
 * V2. Only suspicion decides when to try to end one (the node is silent, or runs another boot): it costs the sessions of a node that was
 *     only slow their connections (57P01), and can break nothing, because
 * V3. every transaction of a session that holds an advisory lock commits only if its tenure's row is unchanged at its commit timestamp
 *     (`Transaction.relyOn`).
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { type BootId, bootId } from "@quorate/keys/ids";
import { type Key, key, prefixEnd, type Span } from "@quorate/keys/key";
import { type Timestamp, timestampZero } from "@quorate/keys/timestamp";
import type { PlacementClient } from "@quorate/placement/types";
import type { Runtime, Timer } from "@quorate/runtime/runtime";
import type { OwnTransactions } from "./own-transactions.ts";

const prefix = "\x01t";
const tenureSpan: Span = { start: key(prefix), end: prefixEnd(key(prefix)) };
export const tenureKey = (id: string): Key => key(prefix + id);

export const bootOfTenure = (id: string): BootId => bootId(id.slice(0, id.lastIndexOf(".")));

/** Between two looks whether this boot's tenure still stands, while it is used. */
const refreshMs = 1_000;
/** Between two looks at those who are suspected. */
const suspectMs = 500;
/**
 * How long the placement leader's word that a node is silent (which it says after 2 s) must last before its tenure is ended. A lock of a
 * node that died is free after about 5 s.
 */
const silentMs = 2_500;

/** This boot's tenure, or one that it had. */
export interface Tenure {
	readonly id: string;
	readonly key: Key;
	/** It stood at this timestamp. */
	aliveAt: Timestamp;
	/** Its row is gone: what its sessions held is not theirs any more. */
	ended: boolean;
}

export interface TenureOptions {
	readonly runtime: Runtime;
	readonly bootId: BootId;
	readonly placement: PlacementClient;
	readonly transactions: OwnTransactions;
	/** Tests only: it does not matter whether the tenure stands. */
	readonly isIgnored: boolean;
	/** Some session holds something, or asks for it. */
	isUsed(): boolean;
	/** This boot's tenure has ended: its sessions must close before anything else. */
	onEnded(tenure: Tenure): void;
	/** Somebody's tenure was ended here: what it held is to be given on. */
	onOtherEnded(id: string): void;
}

export class Tenures {
	readonly #options: TenureOptions;
	#own: Tenure | undefined;
	#opening: Promise<Tenure> | undefined;
	#opened = 0;
	#refresh: Timer | undefined;
	/** Of others, and since when (monotonic milliseconds) their node is known to be silent. */
	readonly #suspected = new Map<string, number | undefined>();
	#watch: Timer | undefined;
	#closed = false;

	constructor(options: TenureOptions) {
		this.#options = options;
	}

	/** The one that stands, made if there is none. */
	current(): Tenure | Promise<Tenure> {
		if (this.#own !== undefined && !this.#own.ended && this.#refresh !== undefined) {
			return this.#own;
		}
		this.#opening ??= this.#resume().finally(() => {
			this.#opening = undefined;
		});
		return this.#opening;
	}

	async #resume(): Promise<Tenure> {
		const known = this.#own;
		if (known !== undefined && !known.ended) {
			await this.refresh(known);
		}
		const tenure = known?.ended === false ? known : await this.#open();
		this.#arm();
		return tenure;
	}

	async #open(): Promise<Tenure> {
		const { bootId, transactions } = this.#options;
		this.#opened++;
		const id = `${bootId}.${this.#opened}`;
		const k = tenureKey(id);
		const timestamp = await transactions.run(async (transaction) => {
			transaction.put(k, new Uint8Array([1]));
		});
		const tenure: Tenure = { id, key: k, aliveAt: timestamp ?? timestampZero, ended: false };
		this.#own = tenure;
		void this.#endFormer();
		return tenure;
	}

	/** Tenures of boots that run no more: nobody waits for what they held, so nobody else would look. */
	async #endFormer(): Promise<void> {
		try {
			const ids = await this.#options.transactions.read(async (transaction) => {
				const found: string[] = [];
				for await (const rows of transaction.scan(tenureSpan)) {
					found.push(...rows.map((row) => row.key.slice(prefix.length)));
				}
				return found;
			});
			for (const id of ids) {
				this.suspect(id);
			}
		} catch (error) {
			this.#log("looking for former tenures failed", error);
		}
	}

	/** While nobody uses it, nobody looks. */
	#arm(): void {
		this.#refresh?.cancel();
		this.#refresh = this.#options.runtime.scheduler.setTimer(refreshMs, () => {
			const tenure = this.#own;
			this.#refresh = undefined;
			if (tenure === undefined || tenure.ended || this.#closed || !this.#options.isUsed()) {
				return;
			}
			this.refresh(tenure)
				.catch((error) => this.#log("looking after the tenure failed", error))
				.finally(() => this.#arm());
		});
	}

	/** Learns whether it stands now. */
	async refresh(tenure: Tenure): Promise<void> {
		const { transactions } = this.#options;
		const found = await transactions.read(async (transaction) => {
			const { timestamp } = await transaction.readTimestamp();
			const [row] = await transaction.get([tenure.key]);
			return { timestamp, stands: row !== undefined };
		});
		this.saw(tenure, found.timestamp, found.stands);
	}

	/** What a read at `timestamp` has found. */
	saw(tenure: Tenure, timestamp: Timestamp, stands: boolean): void {
		if (stands) {
			tenure.aliveAt = Math.max(tenure.aliveAt, timestamp) as Timestamp;
		} else if (!tenure.ended && timestamp >= tenure.aliveAt && !this.#options.isIgnored) {
			tenure.ended = true;
			this.#options.onEnded(tenure);
		}
	}

	/** Somebody stands in the way with it: is its node still there? */
	suspect(id: string): void {
		if (!this.#suspected.has(id) && bootOfTenure(id) !== this.#options.bootId) {
			this.#suspected.set(id, undefined);
			this.#watchSoon();
		}
	}

	#watchSoon(): void {
		if (this.#watch !== undefined || this.#suspected.size === 0 || this.#closed) {
			return;
		}
		this.#watch = this.#options.runtime.scheduler.setTimer(suspectMs, () => {
			this.#judgeAll().finally(() => {
				this.#watch = undefined;
				this.#watchSoon();
			});
		});
	}

	async #judgeAll(): Promise<void> {
		for (const id of [...this.#suspected.keys()]) {
			try {
				await this.#judge(id);
			} catch (error) {
				this.#log("a tenure could not be ended", error);
			}
		}
	}

	async #judge(id: string): Promise<void> {
		const { placement, runtime } = this.#options;
		const now = runtime.clock.monotonicMs();
		const cached = stateOf(placement.nodesCached(), id);
		if (cached === "heard" || cached === "unknown") {
			this.#suspected.delete(id);
			return;
		}
		const since = this.#suspected.get(id);
		if (cached === "silent" && since === undefined) {
			this.#suspected.set(id, now);
		}
		if (cached === "silent" && now - (since ?? now) < silentMs) {
			return;
		}
		// What is cached here may be older than the boot itself.
		const fresh = stateOf(await placement.nodes(), id);
		if (fresh === "heard" || fresh === "unknown") {
			this.#suspected.delete(id);
		} else {
			await this.#end(id);
			this.#suspected.delete(id);
		}
	}

	async #end(id: string): Promise<void> {
		const k = tenureKey(id);
		await this.#options.transactions.run(async (transaction) => {
			const [row] = await transaction.get([k], { strength: "update", wait: "block" });
			if (row !== undefined) {
				transaction.delete(k);
			}
		});
		this.#options.runtime.logger.log("info", "advisory locks of a node were given on", {
			tenure: id,
		});
		this.#options.onOtherEnded(id);
	}

	/** At the end of an orderly stop, when its sessions have closed. */
	async close(): Promise<void> {
		this.#closed = true;
		this.#refresh?.cancel();
		this.#watch?.cancel();
		const tenure = this.#own;
		if (tenure !== undefined && !tenure.ended) {
			tenure.ended = true;
			await this.#options.transactions
				.run(async (transaction) => transaction.delete(tenure.key), 1)
				.catch((error: unknown) => this.#log("the tenure was not given up", error));
		}
	}

	#log(message: string, error: unknown): void {
		this.#options.runtime.logger.log("debug", message, { error: String(error) });
	}
}

type NodeState = "heard" | "silent" | "gone" | "unknown";

function stateOf(nodes: Awaited<ReturnType<PlacementClient["nodes"]>>, id: string): NodeState {
	if (nodes.length === 0) {
		return "unknown";
	}
	const node = nodes.find((n) => n.bootId === bootOfTenure(id));
	if (node === undefined || node.state === "removed" || node.state === "dead") {
		return "gone";
	}
	return node.state === "suspect" ? "silent" : "heard";
}

export const tenureEnded = (): DatabaseError =>
	new DatabaseError("57P01", "terminating connection because its advisory locks were given on", {
		severity: "FATAL",
		detail: "The node was silent for so long that it was taken for dead.",
		hint: "Connect again, and take the locks again.",
	});
