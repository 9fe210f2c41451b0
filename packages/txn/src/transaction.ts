/**
 * One transaction at its gateway: reads, locks, the write buffer. Committing is `commit.ts`.
 *
 * A read timestamp is drawn lazily. Plain reads are at it; a newest-read that finds something newer moves it up, after what was
 * read before is validated there, so that one statement never sees two states (design, section 6).
 *
 * The first read of a statement that tells its client nothing of what it reads may be of a value that is not durable (`hot-rows.ts` of the
 * replica). Whatever is read after that statement waits until it is, and then it is a newest-read like others.
 */
import { assert } from "@quorate/keys/assert";
import { DatabaseError } from "@quorate/keys/database-error";
import type { LockOwner, TransactionId } from "@quorate/keys/ids";
import { coveredPart, type Key, keyMin, pointSpan, type Span } from "@quorate/keys/key";
import type { RangeDescriptor, RangeInfo } from "@quorate/keys/range";
import type { Timestamp } from "@quorate/keys/timestamp";
import type {
	LockDemand,
	LockedValue,
	RangeAnswer,
	RangeRequestBody,
} from "@quorate/replica/requests";
import type { IssuedTimestamp } from "@quorate/replica/timestamp-source";
import { type CommitOutcome, Committer } from "./commit.ts";
import { conflictError } from "./conflict-error.ts";
import type { Gateway } from "./gateway.ts";
import { type LockAttempt, LockPlaces } from "./lock-places.ts";
import { ReadSet } from "./read-set.ts";
import { throwErrors } from "./router.ts";
import { slices } from "./slices.ts";
import type {
	CancelSignal,
	LockRequest,
	ReadPlaces,
	Row,
	Savepoint,
	ScanOptions,
	Transaction,
	TransactionOptions,
} from "./types.ts";
import { KeyExistsError } from "./types.ts";
import { type BufferState, WriteBuffer } from "./write-buffer.ts";

/** Rows of a page when the caller names no limit. */
const pageRows = 1_000;
const pageBytes = 1 << 20;
/** Keys of one read request. */
const keysPerRequest = 1_000;
/** A dead peer is noticed by its connection; the lock timeout is the leaseholder's. */
const lockOptions = { idempotent: true, attemptMs: 3_600_000 };

const plainOptions = { idempotent: true };

type PlainRead = Extract<RangeRequestBody, { kind: "read" | "scan" }>;

interface PendingValue {
	readonly after: TransactionId;
	readonly value: Uint8Array | null;
	readonly lock: LockRequest;
}

interface Saved {
	readonly buffer: BufferState;
	readonly chunks: number;
}

export class GatewayTransaction implements Transaction {
	readonly #gateway: Gateway;
	readonly #options: TransactionOptions;
	#owner: LockOwner;
	readonly #buffer = new WriteBuffer();
	readonly #reads = new ReadSet();
	#committer: Committer;
	readonly #locks = new LockPlaces();
	/** Values that were read while they were pending, and not committed for certain. */
	readonly #built = new Map<Key, PendingValue>();
	/** Keys that must be unchanged at the end whatever the transaction does. */
	readonly #relied = new Map<Key, Timestamp>();
	#readTimestamp: IssuedTimestamp | undefined;
	/** While the read timestamp is under way. */
	#drawing: Promise<void> | undefined;
	#cancel: CancelSignal | undefined;
	#schemaChange = false;
	#acceptedSchema: number | undefined;
	#statements = 0;
	/** A statement has read rows in order to write or keep them: it is not read-only, whatever it writes. */
	#hasLocked = false;
	/** All that the running statement reads must hold at commit, whatever the level. */
	#holdsReads = false;
	/** There is a savepoint behind a chunk that was sent. */
	#undo = false;
	#tellsNothing = false;
	/** The running statement has read something. */
	#hasRead = false;
	#ended = false;
	/** Set by `readClosed`: what its read timestamp must not be below. */
	#closedFrom: Timestamp | undefined;
	readonly #places = { followers: 0, leaseholders: 0 };

	constructor(gateway: Gateway, options: TransactionOptions) {
		assert(options.asOf === undefined || options.readOnly, "the past cannot be written");
		this.#gateway = gateway;
		this.#options = options;
		this.#readTimestamp = options.asOf;
		this.#owner = gateway.newOwner(options.process ?? 0);
		this.#committer = new Committer(gateway, this.#owner, options.once);
	}

	/** `near`: a key that is going to be read. */
	async readTimestamp(near: Key = keyMin): Promise<IssuedTimestamp> {
		if (this.#built.size > 0) {
			await this.confirm();
		}
		while (this.#readTimestamp === undefined) {
			this.#drawing ??= this.#draw(this.#issue(near));
			await this.#guard(this.#drawing);
		}
		return this.#readTimestamp;
	}

	#issue(near: Key): Promise<IssuedTimestamp> {
		const { placement } = this.#gateway;
		return this.#closedFrom === undefined
			? placement.issue()
			: this.#issueClosed(near, this.#closedFrom);
	}

	async #issueClosed(near: Key, least: Timestamp): Promise<IssuedTimestamp> {
		const { followerReads, placement } = this.#gateway;
		return (await followerReads.timestampNear(near, least)) ?? placement.issue();
	}

	get readAt(): Timestamp | undefined {
		return this.#readTimestamp?.timestamp;
	}

	get readPlaces(): ReadPlaces {
		return this.#places;
	}

	readClosed(least: Timestamp): void {
		if (this.#options.asOf !== undefined) {
			this.#closedFrom = least;
		} else if (
			this.#readTimestamp === undefined &&
			this.#drawing === undefined &&
			!this.hasWrites
		) {
			this.#closedFrom = least;
		}
	}

	/** A plain read at `s`: by this node's replica if the transaction takes the past and that can, else by the leaseholder. */
	#askAt(k: Key, body: PlainRead): Promise<RangeAnswer> {
		return this.#closedFrom !== undefined && body.transaction == null
			? this.#askHere(k, body)
			: this.#askLeaseholder(k, body);
	}

	async #askHere(k: Key, body: PlainRead): Promise<RangeAnswer> {
		const { router, statistics } = this.#gateway;
		const answer = await router.replicaHere(k, { ...body, follower: true });
		if (answer === undefined) {
			return this.#askLeaseholder(k, body);
		}
		this.#places.followers++;
		statistics.followerReads++;
		return answer;
	}

	#askLeaseholder(k: Key, body: PlainRead): Promise<RangeAnswer> {
		this.#places.leaseholders++;
		return this.#gateway.router.request(k, body, plainOptions);
	}

	/** All reads of a statement are at one timestamp: until `work` has brought it, or failed to, nobody draws another. */
	#draw(work: Promise<IssuedTimestamp | undefined>): Promise<void> {
		const drawing: Promise<void> = work.then(
			(issued) => {
				// Otherwise it was for a statement that is over.
				if (this.#drawing === drawing) {
					this.#drawing = undefined;
					this.#readTimestamp = issued;
				}
				if (issued !== undefined) {
					this.#gateway.placement.observe(issued.timestamp, issued.schemaVersion);
				}
			},
			(error) => {
				if (this.#drawing === drawing) {
					this.#drawing = undefined;
				}
				throw error;
			},
		);
		drawing.catch(() => {});
		return drawing;
	}

	get lockOwner(): LockOwner {
		return this.#owner;
	}

	get schemaVersion(): number {
		return this.#readTimestamp?.schemaVersion ?? this.#options.schemaVersion;
	}

	beginStatement(cancel: CancelSignal): void {
		this.#cancel = cancel;
		this.#holdsReads = false;
		this.#statements++;
		this.#tellsNothing = false;
		this.#hasRead = false;
		if (this.#options.isolation === "read committed" && this.#options.asOf === undefined) {
			this.#readTimestamp = undefined;
			this.#drawing = undefined;
			this.#closedFrom = undefined;
		}
	}

	holdReads(): void {
		this.#holdsReads = true;
	}

	get canRestartStatement(): boolean {
		return this.#statements <= 1 && this.#committer.chunks === 0;
	}

	restart(error: DatabaseError): void {
		assert(this.canRestartStatement, "a transaction starts over only while it has sent nothing");
		this.#statements = 0;
		this.#readTimestamp = this.#options.asOf;
		this.#drawing = undefined;
		this.#reads.clear();
		this.#built.clear();
		this.#buffer.take();
		if (error.code !== "40001") {
			// The locks were in somebody's way; without a conflict over them they are a good beginning.
			this.#unlock();
			this.#owner = this.#gateway.newOwner(this.#options.process ?? 0);
			this.#committer = new Committer(this.#gateway, this.#owner, this.#options.once);
		}
	}

	/** Rejects as soon as the statement is cancelled; what was asked for may still arrive and is ignored. */
	#guard<T>(work: Promise<T>): Promise<T> {
		const cancel = this.#cancel;
		if (cancel === undefined) {
			return work;
		}
		if (cancel.reason !== undefined) {
			work.catch(() => {});
			return Promise.reject(cancel.reason);
		}
		return new Promise<T>((resolve, reject) => {
			const stop = cancel.onCancel(() => {
				if (cancel.reason !== undefined) {
					this.#stopWaiting();
					reject(cancel.reason);
				}
			});
			// What is listened to remembers what was waited for, and with it pages of rows.
			work.then(
				(value) => {
					stop();
					resolve(value);
				},
				(error) => {
					stop();
					reject(error);
				},
			);
		});
	}

	/** What was asked for and is not wanted any more must not stand in others' way. */
	#stopWaiting(): void {
		for (const node of this.#locks.waitingNodes()) {
			this.#gateway.cancelWaits(node, this.#owner);
		}
	}

	// ---- reads

	async get(keys: readonly Key[], lock?: LockRequest): Promise<(Uint8Array | undefined)[]> {
		if (keys.length === 1) {
			return [await this.getOne(keys[0]!, lock)];
		}
		this.#hasLocked ||= lock !== undefined;
		if (this.#built.size > 0 && !this.#showsNobody(keys)) {
			await this.confirm();
		}
		return this.#getAll(keys, lock, false);
	}

	getOne(k: Key, lock?: LockRequest): Uint8Array | undefined | Promise<Uint8Array | undefined> {
		this.#hasLocked ||= lock !== undefined;
		const mayBuild = this.#mayBuild(k, lock);
		if (this.#built.size > 0 && !mayBuild && !this.#showsNobody([k])) {
			return this.#confirm().then(() => this.#getOne(k, lock, false));
		}
		return this.#getOne(k, lock, mayBuild);
	}

	#getOne(
		k: Key,
		lock: LockRequest | undefined,
		mayBuild: boolean,
	): Uint8Array | undefined | Promise<Uint8Array | undefined> {
		const own = this.#buffer.get(k);
		if (own !== undefined) {
			return own.value ?? undefined;
		}
		const info = this.#gateway.router.cachedRangeOf(k);
		// A cancelled statement is told so on the long way.
		if (info === undefined || this.#cancel?.reason !== undefined) {
			return this.#getSlowly(k, lock, mayBuild);
		}
		return this.#locksNow(lock)
			? this.#lockOne(k, info, lock, mayBuild)
			: this.#readOne(k, info, lock);
	}

	async #getSlowly(
		k: Key,
		lock: LockRequest | undefined,
		mayBuild: boolean,
	): Promise<Uint8Array | undefined> {
		return (await this.#getAll([k], lock, mayBuild))[0];
	}

	async #getAll(
		keys: readonly Key[],
		lock: LockRequest | undefined,
		mayBuild: boolean,
	): Promise<(Uint8Array | undefined)[]> {
		const missing = keys.filter((k) => this.#buffer.get(k) === undefined);
		const found = new Map<Key, Uint8Array | null>();
		if (missing.length > 0) {
			if (this.#locksNow(lock)) {
				await this.#guard(this.#lockKeys(missing, lock, found, mayBuild));
			} else {
				await this.#guard(this.#readKeys(missing, found, lock));
			}
		}
		return keys.map((k) => {
			const own = this.#buffer.get(k);
			return (own === undefined ? found.get(k) : own.value) ?? undefined;
		});
	}

	#lockOne(
		k: Key,
		info: RangeInfo,
		lock: LockRequest,
		mayBuild: boolean,
	): Uint8Array | undefined | Promise<Uint8Array | undefined> {
		const { router } = this.#gateway;
		const body = {
			kind: "lock-read" as const,
			keys: [k],
			lock: this.#demand(lock, mayBuild),
			transaction: this.#committer.id ?? null,
		};
		const attempt = this.#beginLocking(info.descriptor);
		const asked = router.here(info, body) ?? router.request(k, body, lockOptions);
		const locked = (answer: RangeAnswer) => {
			this.#settle(attempt, k, info, answer);
			throwErrors(answer);
			return answer.kind === "locked"
				? this.#taken(answer.values[0]!, lock)
				: this.#getSlowly(k, lock, mayBuild);
		};
		if (!(asked instanceof Promise)) {
			return locked(asked);
		}
		return this.#guard(asked).then(locked, (error) => {
			this.#stopWaiting();
			throw error;
		});
	}

	#taken(
		v: LockedValue,
		lock: LockRequest,
	): Uint8Array | undefined | Promise<Uint8Array | undefined> {
		const moving = this.#moveTo(v.ts, v.key);
		if (moving !== undefined) {
			return moving.then(() => {
				this.#noteLocked(v, lock);
				return v.value ?? undefined;
			});
		}
		this.#noteLocked(v, lock);
		return v.value ?? undefined;
	}

	#readOne(
		k: Key,
		info: RangeInfo,
		lock: LockRequest | undefined,
	): Uint8Array | undefined | Promise<Uint8Array | undefined> {
		if (this.#readTimestamp === undefined && this.#drawing !== undefined) {
			return this.readTimestamp().then(() => this.#getOne(k, lock, false));
		}
		const s = this.#readTimestamp?.timestamp ?? null;
		const keys = [k];
		const transaction = this.#committer.id ?? null;
		const body = { kind: "read" as const, keys, s, transaction, owner: this.#waitedFor };
		const here = this.#gateway.router.here(info, body);
		if (here === undefined && this.#closedFrom !== undefined) {
			return this.#getSlowly(k, lock, false);
		}
		const asked = this.#answered(here ?? this.#askAt(k, body), s);
		const read = (answer: RangeAnswer) => {
			throwErrors(answer);
			if (answer.kind !== "values") {
				return this.#getSlowly(k, lock, false);
			}
			this.#readAt(keys, answer.values, lock);
			return answer.values[0] ?? undefined;
		};
		return asked instanceof Promise ? asked.then(read) : read(asked);
	}

	/** The answer to a read at `s`; where that is null, the leaseholder's timestamp becomes the statement's. */
	#answered(
		asked: RangeAnswer | Promise<RangeAnswer>,
		s: Timestamp | null,
	): RangeAnswer | Promise<RangeAnswer> {
		if (!(asked instanceof Promise)) {
			return asked;
		}
		if (s !== null) {
			return this.#guard(asked);
		}
		const drawing = this.#draw(asked.then(drawnFor));
		this.#drawing = drawing;
		return this.#guard(drawing.then(() => asked));
	}

	/** Remembers what was read, where it must still hold at commit. */
	#readAt(
		keys: readonly Key[],
		values: readonly (Uint8Array | null)[],
		lock: LockRequest | undefined,
	): void {
		this.#hasRead = true;
		if (this.#validates(lock) && !this.#options.readOnly) {
			const s = this.#readTimestamp!.timestamp;
			for (const [i, k] of keys.entries()) {
				if (lock?.presence === true && values[i] !== null) {
					this.#reads.addPresent(k, s);
				} else {
					this.#reads.addPoint(k, s);
				}
			}
		}
	}

	#noteLocked(v: LockedValue, lock: LockRequest): void {
		this.#hasRead = true;
		if (v.after !== undefined) {
			this.#built.set(v.key, { after: v.after, value: v.value, lock });
		} else if (v.skipped === true) {
			return;
		} else if (lock.presence === true && v.value !== null) {
			this.#reads.addPresent(v.key, v.since);
		} else if (lock.strength === "key share" && v.value !== null) {
			this.#reads.addKept(v.key, v.since);
		} else {
			this.#reads.addPoint(v.key, v.since);
		}
	}

	/**
	 * Whether the running statement's first read may be of a value that is pending. What was read before is under a lock, and so as it will be at
	 * commit, or is validated then; but not of this very key, whose value of before would be the statement's, too.
	 */
	#mayBuild(k: Key, lock: LockRequest | undefined): boolean {
		const { isolation, oneStatement } = this.#options;
		const writes = lock?.strength === "update" || lock?.strength === "no key update";
		if (!writes || lock.wait !== "block" || !this.#locksNow(lock)) {
			return false;
		}
		if (isolation === "repeatable read" || this.#hasRead || this.#committer.chunks > 0) {
			return false;
		}
		if (this.#tellsNothing) {
			return this.#reads.sinceOf(k) === undefined && !this.#built.has(k);
		}
		const isFirst = this.#statements <= 1 && this.#drawing === undefined;
		return oneStatement === true && isFirst && this.#readTimestamp === undefined;
	}

	/** The transaction has written all of the keys itself, and no client is told of their values before it has committed. */
	#showsNobody(keys: readonly Key[]): boolean {
		const isHeld = this.#tellsNothing || this.#options.oneStatement === true;
		return isHeld && keys.every((k) => this.#buffer.get(k) !== undefined);
	}

	/** Its name for those whom it waits for, if others may wait for it. */
	get #waitedFor(): LockOwner | null {
		return this.#locks.isEmpty && this.#committer.chunks === 0 ? null : this.#owner;
	}

	tellsNothing(): void {
		this.#tellsNothing = true;
	}

	confirm(): Promise<void> | void {
		return this.#built.size === 0 ? undefined : this.#confirm();
	}

	/**
	 * Reads pending values again, once they are durable: the locks are held, so they are what they were, or have come to nothing. Whoever goes on
	 * after that failed, behind a savepoint, has still to confirm it.
	 */
	async #confirm(): Promise<void> {
		for (const [k, built] of [...this.#built]) {
			const found = new Map<Key, Uint8Array | null>();
			await this.#guard(this.#lockKeys([k], built.lock, found, false));
			if (!isSame(built.value, found.get(k) ?? null)) {
				throw conflictError("a pending value that the transaction read did not come to be", k);
			}
			this.#built.delete(k);
		}
	}

	get #holdsAll(): boolean {
		return this.#holdsReads || this.#options.isolation === "serializable";
	}

	/** True if what a plain read sees must hold at commit. */
	#validates(lock: LockRequest | undefined): boolean {
		if (lock !== undefined && this.#isPeek(lock)) {
			return false;
		}
		return lock !== undefined || this.#holdsAll;
	}

	#isPeek(lock: LockRequest): boolean {
		return lock.peek === true && this.#options.mode === "pessimistic";
	}

	#locksNow(lock: LockRequest | undefined): lock is LockRequest {
		return lock !== undefined && this.#options.mode === "pessimistic" && lock.peek !== true;
	}

	async #readKeys(
		keys: readonly Key[],
		found: Map<Key, Uint8Array | null>,
		lock: LockRequest | undefined,
	): Promise<void> {
		const transaction = this.#committer.id ?? null;
		await this.#overRanges(keys, async (part) => {
			// From here to the request there is no turn in which another read could begin to draw.
			const isPart = part.length < keys.length;
			if (isPart || this.#drawing !== undefined || this.#closedFrom !== undefined) {
				await this.readTimestamp(part[0]);
			}
			const s = this.#readTimestamp?.timestamp ?? null;
			const owner = this.#waitedFor;
			const body = { kind: "read" as const, keys: part, s, transaction, owner };
			const asked = this.#askAt(part[0]!, body);
			const answer = await this.#answered(asked, s);
			if (answer.kind === "values") {
				for (const [i, k] of part.entries()) {
					found.set(k, answer.values[i]!);
				}
				this.#readAt(part, answer.values, lock);
			}
			return answer;
		});
	}

	async #lockKeys(
		keys: readonly Key[],
		lock: LockRequest,
		found: Map<Key, Uint8Array | null>,
		mayBuild: boolean,
	): Promise<void> {
		const values: LockedValue[] = [];
		await this.#overRanges(keys, async (part) => {
			const answer = await this.#requestLocked(part[0]!, {
				kind: "lock-read",
				keys: part,
				lock: this.#demand(lock, mayBuild),
				transaction: this.#committer.id ?? null,
			});
			if (answer.kind === "locked") {
				values.push(...answer.values);
			}
			return answer;
		});
		let newest: LockedValue | undefined;
		for (const v of values) {
			if (newest === undefined || v.ts > newest.ts) {
				newest = v;
			}
		}
		if (newest !== undefined) {
			await this.#moveTo(newest.ts, newest.key);
		}
		for (const v of values) {
			found.set(v.key, v.value);
			this.#noteLocked(v, lock);
		}
	}

	#demand(lock: LockRequest, mayBuild: boolean): LockDemand {
		return {
			owner: this.#owner,
			strength: lock.strength,
			wait: lock.wait,
			timeoutMs: this.#options.lockTimeoutMs,
			...(mayBuild ? { mayBuild } : {}),
		};
	}

	async #requestLocked(
		k: Key,
		body: Parameters<Gateway["router"]["request"]>[1],
	): Promise<RangeAnswer> {
		const { router } = this.#gateway;
		const info = await router.rangeOf(k);
		const attempt = this.#beginLocking(info.descriptor);
		const answer = await router.request(k, body, lockOptions);
		this.#settle(attempt, k, info, answer);
		return answer;
	}

	/** Who was not asked first, or did not do it, may be one of several that were asked. */
	#settle(attempt: LockAttempt, k: Key, { leaseholder }: RangeInfo, answer: RangeAnswer): void {
		const isClean = answer.kind === "locked" || answer.kind === "locked-rows";
		const stays = this.#gateway.router.cachedRangeOf(k)?.leaseholder === leaseholder;
		this.#locks.settle(attempt, isClean && stays ? leaseholder : undefined);
	}

	/** Runs `ask` for the keys of each range; keys whose range moved are grouped anew. */
	async #overRanges(
		keys: readonly Key[],
		ask: (part: readonly Key[]) => Promise<RangeAnswer>,
	): Promise<void> {
		let left: readonly Key[] = keys;
		while (left.length > 0) {
			const again: Key[] = [];
			const parts = await this.#gateway.router.byRange(left, (k) => k);
			const pieces = parts.flatMap(({ items }) => [...slices(items, keysPerRequest)]);
			const asked = pieces.map(async (piece) => {
				const answer = await ask(piece);
				if (answer.kind === "stale") {
					again.push(...piece);
				} else {
					throwErrors(answer);
				}
			});
			try {
				await Promise.all(asked);
			} catch (error) {
				this.#stopWaiting();
				throw error;
			}
			left = again;
		}
	}

	/** A newest-read saw a change at `ts`, of `k`: the read timestamp moves above it, after validating what was read before. */
	#moveTo(ts: Timestamp, k: Key | null): Promise<void> | undefined {
		const read = this.#readTimestamp;
		return read === undefined || ts <= read.timestamp ? undefined : this.#moveAbove(read, ts, k);
	}

	async #moveAbove(read: IssuedTimestamp, ts: Timestamp, k: Key | null): Promise<void> {
		if (this.#options.isolation === "repeatable read") {
			throw conflictError("the row was changed after the transaction began", k, committedAt(ts));
		}
		const issued = await this.#gateway.placement.issue();
		if (issued.schemaVersion !== read.schemaVersion) {
			throw conflictError("the schema has changed", null);
		}
		if (this.#options.isolation === "read committed") {
			// The statement goes on in its snapshot and looks again at the rows that it has locked.
			return;
		}
		if (this.#options.isolation === "serializable" && this.#reads.size > 0) {
			await this.#committer.validate(
				this.#reads.items(() => false, true),
				issued.timestamp,
			);
			this.#reads.raise(issued.timestamp);
		}
		this.#readTimestamp = issued;
	}

	async *scan(span: Span, options: ScanOptions = {}): AsyncGenerator<readonly Row[]> {
		this.#hasLocked ||= options.lock !== undefined;
		const reverse = options.reverse === true;
		if (this.#built.size > 0) {
			await this.confirm();
		}
		let rest = span;
		let rowsMax = Math.min(pageRows, options.limit ?? pageRows);
		while (rest.start < rest.end) {
			const page = await this.#guard(this.#page(rest, reverse, rowsMax, options));
			const rows = this.#overlay(page.covered, page.rows, reverse);
			rest = reverse
				? { start: rest.start, end: page.covered.start }
				: { start: page.covered.end, end: rest.end };
			if (rows.length > 0) {
				yield rows;
			}
			rowsMax = pageRows;
			if (rest.start < rest.end) {
				// The range may be on this node, and have nothing to wait for: others get their turn between two pages.
				await this.#gateway.runtime.scheduler.yield();
			}
		}
	}

	/** One page from the near end of the span: its rows, and the part of the span that they cover. */
	async #page(
		span: Span,
		reverse: boolean,
		rowsMax: number,
		{ lock, holds = false }: ScanOptions,
	): Promise<{ readonly rows: readonly Row[]; readonly covered: Span }> {
		const { router } = this.#gateway;
		const limits = { rowsMax, bytesMax: pageBytes, reverse };
		for (;;) {
			const { descriptor } = await (reverse
				? router.rangeBefore(span.end)
				: router.rangeOf(span.start));
			const part: Span = {
				start: descriptor.start > span.start ? descriptor.start : span.start,
				end: descriptor.end < span.end ? descriptor.end : span.end,
			};
			const transaction = this.#committer.id ?? null;
			let answer: RangeAnswer;
			if (this.#locksNow(lock)) {
				const demand = this.#demand(lock, false);
				const body = { kind: "lock-scan" as const, span: part, lock: demand, limits, transaction };
				answer = await this.#requestLocked(part.start, body);
			} else {
				const { timestamp: s } = await this.readTimestamp(part.start);
				const owner = this.#waitedFor;
				const body = { kind: "scan" as const, span: part, s, limits, transaction, owner };
				answer = await this.#askAt(part.start, body);
			}
			if (answer.kind === "stale") {
				continue;
			}
			throwErrors(answer);
			assert(
				answer.kind === "rows" || answer.kind === "locked-rows",
				() => `a scan was answered with ${answer.kind}`,
			);
			const covered = coveredPart(part, answer.resume, reverse);
			await this.#recordScan(answer, covered, lock, holds);
			return { rows: answer.rows, covered };
		}
	}

	async #recordScan(
		answer: Extract<RangeAnswer, { kind: "rows" | "locked-rows" }>,
		covered: Span,
		lock: LockRequest | undefined,
		holds: boolean,
	): Promise<void> {
		this.#hasRead = true;
		const isLocked = answer.kind === "locked-rows";
		if (isLocked) {
			await this.#moveTo(answer.ts, null);
		} else if (!(holds || this.#validates(lock)) || this.#options.readOnly) {
			return;
		}
		const since = isLocked ? answer.since : this.#readTimestamp!.timestamp;
		// Otherwise nobody promises that no row has come in between.
		if (holds || (this.#holdsAll && lock?.wait !== "skip locked")) {
			this.#reads.addSpan(covered, since);
			return;
		}
		for (const row of answer.rows) {
			this.#reads.addPoint(row.key, since);
		}
	}

	/** Merges the transaction's own buffered writes into a page. */
	#overlay(covered: Span, rows: readonly Row[], reverse: boolean): readonly Row[] {
		const own = this.#buffer.in(covered);
		if (own.length === 0) {
			return rows;
		}
		const merged = new Map<Key, Row>(rows.map((row) => [row.key, row]));
		for (const [k, write] of own) {
			if (write.value === null) {
				merged.delete(k);
			} else {
				merged.set(k, { key: k, value: write.value });
			}
		}
		const sorted = [...merged.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
		return reverse ? sorted.reverse() : sorted;
	}

	// ---- writes

	put(k: Key, value: Uint8Array): void {
		this.#write(k, value, false);
	}

	delete(k: Key): void {
		this.#write(k, null, false);
	}

	insert(k: Key, value: Uint8Array): void {
		const own = this.#buffer.get(k);
		if (own !== undefined && own.value !== null) {
			throw new KeyExistsError(k);
		}
		// A key that this transaction has deleted before is not asked to be absent: its deletion is replaced.
		this.#write(k, value, own === undefined);
	}

	#write(k: Key, value: Uint8Array | null, absent: boolean): void {
		assert(!this.#ended, "a write after the transaction's end");
		if (this.#options.readOnly) {
			throw new DatabaseError("25006", "cannot execute statement in a read-only transaction");
		}
		const old = this.#buffer.get(k);
		this.#buffer.set(k, { value, absent: absent || old?.absent === true, mark: false });
	}

	relyOn(k: Key, since: Timestamp): void {
		if (!this.#relied.has(k)) {
			this.#relied.set(k, since);
		}
	}

	async flush(): Promise<void> {
		if (this.#buffer.bytes > this.#gateway.bufferBytesMax) {
			await this.confirm();
			await this.#guard(this.#committer.sendChunk(this.#buffer.take(), this.#reads, this.#undo));
		}
	}

	get bufferedBytes(): number {
		return this.#buffer.bytes;
	}

	get owner(): LockOwner {
		return this.#owner;
	}

	get id(): TransactionId | undefined {
		return this.#committer.id;
	}

	get hasWrites(): boolean {
		return this.#buffer.size > 0 || this.#committer.chunks > 0;
	}

	savepoint(): Savepoint {
		const { chunks } = this.#committer;
		this.#undo ||= chunks > 0;
		const saved: Saved = { buffer: this.#buffer.save(), chunks };
		return saved as unknown as Savepoint;
	}

	rollbackTo(savepoint: Savepoint): void | Promise<void> {
		const saved = savepoint as unknown as Saved;
		if (saved.chunks !== this.#committer.chunks) {
			return this.#takeBack(saved);
		}
		this.#buffer.restore(saved.buffer);
		return undefined;
	}

	/** Chunks have been sent since. */
	async #takeBack(saved: Saved): Promise<void> {
		const values = await this.#committer.takeBack(saved.chunks);
		this.#buffer.restore(saved.buffer);
		for (const [k, value] of values) {
			if (this.#buffer.get(k) === undefined) {
				this.#buffer.set(k, { value, absent: false, mark: false });
			}
		}
	}

	acceptSchema(version: number): void {
		assert(version >= this.schemaVersion, "a newer schema is accepted");
		this.#acceptedSchema = version;
	}

	markSchemaChange(): void {
		this.#schemaChange = true;
	}

	// ---- end

	endReadOnly(): boolean {
		assert(!this.#ended, "a transaction ends once");
		if (this.hasWrites || this.#hasLocked || this.#schemaChange) {
			return false;
		}
		if (this.#relied.size > 0) {
			return false;
		}
		this.#ended = true;
		this.#gateway.statistics.readOnlyCommits++;
		return true;
	}

	async commit(): Promise<{
		readonly timestamp: Timestamp | undefined;
		readonly schemaVersion: number | undefined;
	}> {
		assert(!this.#ended, "a transaction ends once");
		this.#ended = true;
		let outcome: CommitOutcome | undefined;
		const builtOn = new Map<Key, TransactionId>();
		for (const [k, { after }] of this.#built) {
			builtOn.set(k, after);
		}
		try {
			outcome = await this.#committer.commit({
				writes: this.#buffer.take(),
				reads: this.#reads,
				strictly: this.#holdsAll,
				builtOn,
				confirm: async () => {
					await this.confirm();
					builtOn.clear();
				},
				locked: this.#hasLocked,
				relied: [...this.#relied].map(([k, since]) => ({ span: pointSpan(k), since })),
				schemaChange: this.#schemaChange,
				schemaVersion: this.#acceptedSchema ?? this.schemaVersion,
			});
			return outcome;
		} catch (error) {
			if (error instanceof DatabaseError && error.code === "40001") {
				this.#gateway.statistics.conflicts++;
			}
			this.#gateway.statistics.aborts++;
			throw error;
		} finally {
			if (outcome?.range === undefined || !this.#locks.areOnlyIn(outcome.range)) {
				this.#unlock();
			} else {
				this.#gateway.locksNoMore(this.#owner);
			}
		}
	}

	rollback(): Promise<void> {
		if (!this.#ended) {
			this.#ended = true;
			this.#gateway.statistics.aborts++;
			this.#committer.abandon();
			this.#unlock();
		}
		return Promise.resolve();
	}

	#beginLocking(descriptor: RangeDescriptor): LockAttempt {
		this.#gateway.locks(this.#owner, this.#locks);
		return this.#locks.begin(descriptor);
	}

	#unlock(): void {
		this.#gateway.locksNoMore(this.#owner);
		for (const node of this.#locks.take()) {
			this.#gateway.unlock(node, this.#owner);
		}
	}
}

const committedAt = (ts: Timestamp): string => `the transaction committed at ${ts}`;

/** Of an answer to a read without a timestamp; undefined: nothing was read. */
function drawnFor(answer: RangeAnswer): IssuedTimestamp | undefined {
	return answer.kind === "values" ? answer.drawn : undefined;
}

const isSame = (a: Uint8Array | null, b: Uint8Array | null): boolean =>
	a === null || b === null ? a === b : Buffer.compare(a, b) === 0;
