/**
 * What one session holds of advisory locks: how often, in which mode, for itself or for its transaction. Only the first and the last of
 * each reach the lock's row. One call at a time, as a session runs its statements.
 */
import { assert } from "@quorate/keys/assert";
import type { Key } from "@quorate/keys/key";
import type { AdvisoryId, AdvisoryMode, Claim } from "./advisory-row.ts";
import { advisoryKey } from "./advisory-row.ts";
import type { WaitLimits } from "./advisory-waits.ts";
import type { Tenure } from "./tenures.ts";

/** Until when a lock is held: the end of the session or of the transaction. */
export type AdvisoryLevel = "session" | "transaction";

interface Counts {
	exclusive: number;
	shared: number;
}

/** One lock, as this session wants it. */
export interface Entry {
	readonly session: Counts;
	readonly transaction: Counts;
	/** Asked for, and not answered. */
	wanted: { readonly mode: AdvisoryMode; readonly ticket: number | undefined } | undefined;
	/** The row is being changed for this session: what comes next waits for it. */
	changing: Promise<unknown> | undefined;
}

/** How long a statement, and the end of a session, wait for locks to be released where a majority may be missing. */
const patienceMs = 5_000;
const closingMs = 1_000;

/** What the node does for its sessions; implemented by `AdvisoryLocks`. */
export interface AdvisoryHost {
	newTicket(): number;
	/** What the session has marked as wanted. False: not available, and it was not to wait. */
	acquire(locks: SessionLocks, key: Key, mode: AdvisoryMode, limits: WaitLimits): Promise<boolean>;
	/**
	 * Brings the rows down to what the session claims. Never rejects: what could not be done within `patienceMs` goes on being tried in
	 * the background, until it is done or the tenure has ended.
	 */
	settle(locks: SessionLocks, keys: readonly Key[], patienceMs: number): Promise<void>;
	closed(locks: SessionLocks): void;
}

export class SessionLocks {
	readonly session: number;
	readonly pid: number;
	/** Under which it holds what it holds, from its first lock on. */
	tenure: Tenure | undefined;
	readonly #host: AdvisoryHost;
	readonly #entries = new Map<Key, Entry>();
	/** Taken for the transaction, in order. */
	#taken: { readonly key: Key; readonly mode: AdvisoryMode }[] = [];

	constructor(host: AdvisoryHost, session: number, pid: number) {
		this.#host = host;
		this.session = session;
		this.pid = pid;
	}

	/** It holds something, or is asking for it: then each of its transactions relies on the tenure. */
	get isActive(): boolean {
		return this.#entries.size > 0;
	}

	/** How much is kept of what it holds: locks, and how often the transaction has taken any. */
	get size(): number {
		return Math.max(this.#entries.size, this.#taken.length);
	}

	/** False: not available, and it was not to wait. */
	async lock(
		id: AdvisoryId,
		mode: AdvisoryMode,
		level: AdvisoryLevel,
		limits: WaitLimits,
	): Promise<boolean> {
		const k = advisoryKey(id);
		const entry = this.#entry(k);
		if (count(entry, mode) === 0 && !(await this.#acquire(k, entry, mode, limits))) {
			return false;
		}
		entry[level][mode]++;
		entry.wanted = undefined;
		if (level === "transaction") {
			this.#taken.push({ key: k, mode });
		}
		return true;
	}

	async #acquire(k: Key, entry: Entry, mode: AdvisoryMode, limits: WaitLimits): Promise<boolean> {
		entry.wanted = {
			mode,
			ticket: limits.waits ? this.#host.newTicket() : undefined,
		};
		try {
			if (await this.#host.acquire(this, k, mode, limits)) {
				return true;
			}
			entry.wanted = undefined;
			this.forget(k);
			return false;
		} catch (error) {
			entry.wanted = undefined;
			// It may have been queued, or granted just now.
			const leaving = this.#host.settle(this, [k], patienceMs);
			if (limits.cancel.reason === undefined) {
				await leaving;
			}
			throw error;
		}
	}

	/** Of what the session holds for itself. False: it holds nothing such. */
	async unlock(id: AdvisoryId, mode: AdvisoryMode): Promise<boolean> {
		const k = advisoryKey(id);
		const entry = this.#entries.get(k);
		if (entry === undefined || entry.session[mode] === 0) {
			return false;
		}
		entry.session[mode]--;
		if (count(entry, mode) === 0) {
			await this.#settle([k]);
		}
		return true;
	}

	/** Everything that the session holds for itself. */
	async unlockAll(): Promise<void> {
		const gone: Key[] = [];
		for (const [k, entry] of this.#entries) {
			if (entry.session.exclusive + entry.session.shared > 0) {
				entry.session.exclusive = 0;
				entry.session.shared = 0;
				gone.push(k);
			}
		}
		await this.#settle(gone);
	}

	/** How much was taken for the transaction so far: what `endTransaction` is given by a savepoint. */
	get taken(): number {
		return this.#taken.length;
	}

	/** Releases what was taken for the transaction, or what was taken since `from`. */
	async endTransaction(from = 0): Promise<void> {
		if (this.#taken.length <= from) {
			return;
		}
		const gone = new Set<Key>();
		for (const { key, mode } of this.#taken.splice(from)) {
			const entry = this.#entries.get(key);
			assert(entry !== undefined && entry.transaction[mode] > 0, "what is released was taken");
			entry.transaction[mode]--;
			if (count(entry, mode) === 0) {
				gone.add(key);
			}
		}
		await this.#settle([...gone]);
	}

	/** Nothing is claimed any more. */
	async close(): Promise<void> {
		this.#taken = [];
		const keys = [...this.#entries.keys()];
		for (const entry of this.#entries.values()) {
			Object.assign(entry.session, { exclusive: 0, shared: 0 });
			Object.assign(entry.transaction, { exclusive: 0, shared: 0 });
		}
		try {
			await this.#settle(keys, closingMs);
		} finally {
			this.#host.closed(this);
		}
	}

	entry(k: Key): Entry | undefined {
		return this.#entries.get(k);
	}

	/** What the row should have of this session. */
	claim(k: Key): Claim {
		const entry = this.#entries.get(k);
		if (entry === undefined) {
			return { exclusive: false, shared: false, ticket: undefined };
		}
		const { wanted } = entry;
		return {
			exclusive: count(entry, "exclusive") > 0 || wanted?.mode === "exclusive",
			shared: count(entry, "shared") > 0 || wanted?.mode === "shared",
			ticket: wanted?.ticket,
		};
	}

	/** Drops what is neither held nor asked for. */
	forget(k: Key): void {
		const entry = this.#entries.get(k);
		if (
			entry !== undefined &&
			entry.wanted === undefined &&
			entry.changing === undefined &&
			count(entry, "exclusive") + count(entry, "shared") === 0
		) {
			this.#entries.delete(k);
			if (this.#entries.size === 0) {
				this.tenure = undefined;
			}
		}
	}

	#entry(k: Key): Entry {
		let entry = this.#entries.get(k);
		if (entry === undefined) {
			entry = {
				session: { exclusive: 0, shared: 0 },
				transaction: { exclusive: 0, shared: 0 },
				wanted: undefined,
				changing: undefined,
			};
			this.#entries.set(k, entry);
		}
		return entry;
	}

	async #settle(keys: readonly Key[], ms = patienceMs): Promise<void> {
		if (keys.length > 0) {
			await this.#host.settle(this, keys, ms);
		}
	}
}

const count = (entry: Entry, mode: AdvisoryMode): number =>
	entry.session[mode] + entry.transaction[mode];
