/**
 * Foreign pending writes and intents that somebody must wait for, and what is known of their transactions. A waiter is woken
 * when what it waits for is gone or decided; after 100 ms the transaction's anchor is asked (T3).
 */
import type { TransactionId } from "@quorate/keys/ids";
import { type Key, keySuccessor, type Span } from "@quorate/keys/key";
import { SparseMap } from "@quorate/keys/sparse-map";
import { type Timestamp, timestampZero } from "@quorate/keys/timestamp";
import type { Timer } from "@quorate/runtime/runtime";
import type { EngineReader } from "@quorate/storage/engine";
import { intentSpan, userKey } from "@quorate/storage/engine-keys";
import { IntentFilter } from "@quorate/storage/intent-filter";
import type { Intent, KeyIntent } from "@quorate/storage/versions";
import { readIntent, readIntents } from "@quorate/storage/versions";
import { inquireAfterMs, type ReplicaContext } from "./context.ts";
import type { PendingWrites } from "./pending-writes.ts";

export interface Blocker {
	readonly transaction: TransactionId;
	readonly anchor: Key;
	readonly key: Key;
	readonly p: Timestamp;
	/** Pending only: no intent yet. */
	readonly pending: boolean;
	/** As it was when it was looked at, where that was by `inSpan`. */
	readonly intent?: Intent;
}

/** c 0: aborted. `unknown`: T4, the intent must be dropped through the log first. */
export type Decision = { readonly c: Timestamp } | "unknown";

interface Lingering {
	readonly promise: Promise<void>;
	readonly end: () => void;
}

interface Wait {
	readonly wake: Set<() => void>;
	readonly anchor: Key;
	readonly keys: Set<Key>;
	/** The highest timestamp that somebody of them reads or validates at; 0: all wait for the outcome itself. */
	s: Timestamp;
	/** Undefined while the anchor is being asked. */
	timer: Timer | undefined;
}

/** A Resolve that nobody needs waits so long for another entry of its range to go with. */
const lingerMs = 20;
/** Decisions remembered at most; they only save a question. */
const decisionsMax = 20_000;
/** Large transactions of which something is remembered at most; forgetting one costs a question, too. */
const aboveMax = 1_000;
/** Of one look when intents are counted: there may be millions, and others get their turn between. */
const recountRows = 2_000;
const recountBytes = 256 << 10;

/** What a look at some intents has found. */
interface Look {
	/** From the transaction's first of them to its last. */
	readonly own: Span | undefined;
	/** Intents looked at, and their bytes. */
	readonly count: number;
	readonly bytes: number;
	/** What was not looked at. */
	readonly rest: Span | undefined;
}

const nothing: Look = { own: undefined, count: 0, bytes: 0, rest: undefined };

/** Whose blockers they are. */
export interface BlockersOwner {
	/** Resolves the intents through the log, where this replica may. */
	resolveDecided(transaction: TransactionId, decision: Decision, keys: readonly Key[]): void;
	/** L4: the fate of a proposal may be unknown; a later entry settles it. */
	settle(): void;
}

export class Blockers {
	readonly #context: ReplicaContext;
	readonly #pending: PendingWrites;
	readonly #decisions = new SparseMap<TransactionId, Decision>();
	readonly #waits = new SparseMap<TransactionId, Wait>();
	/** What anchors have said of large transactions: their c will be above it. A fact, whatever happens to leases. */
	readonly #above = new SparseMap<TransactionId, Timestamp>();
	readonly #owner: BlockersOwner;
	/** Resolves that wait for another entry of the range. */
	readonly #lingering = new SparseMap<TransactionId, Lingering>();
	/** Counts of all intents that were begun, and the end: a later one ends those before. */
	#recounts = 0;
	/** Of the intents in the range now: saves most looks for them. */
	readonly intents = new IntentFilter();

	constructor(context: ReplicaContext, pending: PendingWrites, owner: BlockersOwner) {
		this.#context = context;
		this.#pending = pending;
		this.#owner = owner;
	}

	intent(reader: EngineReader, key: Key): Intent | undefined {
		return this.intents.mayHold(key) ? readIntent(reader, key) : undefined;
	}

	/** Intents in the range now. */
	get intentCount(): number {
		return this.intents.count;
	}

	/** Counts the intents of the range anew: many of them in the background. */
	recount(span: Span): void {
		this.#recounts++;
		this.intents.clear();
		const rest = this.#countFrom(span);
		if (rest !== undefined) {
			this.intents.countedUpTo(rest.start);
			void this.#countRest(rest, this.#recounts);
		}
	}

	/** Whoever counts in the background stops: the range is gone from here, or the node stops. */
	close(): void {
		this.#recounts++;
	}

	async #countRest(rest: Span, recount: number): Promise<void> {
		for (let left: Span | undefined = rest; left !== undefined; ) {
			await this.#context.runtime.scheduler.yield();
			if (this.#recounts !== recount) {
				return;
			}
			// One turn: what comes and goes meanwhile lies on this side of the border or on the other.
			this.intents.countedUpTo(left.end);
			left = this.#countFrom(left);
			this.intents.countedUpTo(left?.start);
		}
	}

	/** Adds the first intents of the span; what is left of it, if there may be more. */
	#countFrom(span: Span): Span | undefined {
		const { start, end } = intentSpan(span);
		const limits = { rowsMax: recountRows, bytesMax: recountBytes, reverse: false, keyOffset: 0 };
		const { keys, more } = this.#context.engine.scan({ start, end }, limits);
		for (const k of keys) {
			this.intents.add(userKey(k));
		}
		return more
			? { start: userKey(keySuccessor(keys[keys.length - 1]!)), end: span.end }
			: undefined;
	}

	/** Adds what is foreign on the key and has p below `s` to `found`. */
	onKey(key: Key, own: TransactionId | null, s: Timestamp, found: Blocker[]): void {
		const intent = this.intent(this.#context.engine, key);
		if (intent !== undefined && intent.transaction !== own && intent.p < s) {
			this.#lingering.get(intent.transaction)?.end();
			found.push({
				transaction: intent.transaction,
				anchor: intent.anchor,
				key,
				p: intent.p,
				pending: false,
			});
		}
		for (const { group } of this.#pending.on(key)) {
			if (group.transaction !== own && group.p < s) {
				if (!found.some((b) => b.key === key && b.transaction === group.transaction)) {
					found.push({
						transaction: group.transaction,
						anchor: group.anchor,
						key,
						p: group.p,
						pending: true,
					});
				}
			}
		}
	}

	/**
	 * Likewise for a span, from its end on where it is looked at in `reverse`. `max` bounds the intents looked at; `covered` is the part
	 * in which nothing was left out, `count` how many they were.
	 */
	inSpan(
		span: Span,
		own: TransactionId | null,
		s: Timestamp,
		max: number,
		reverse = false,
	): { readonly found: Blocker[]; readonly covered: Span; readonly count: number } {
		const found: Blocker[] = [];
		let covered = span;
		let count = 0;
		if (this.intentCount > 0) {
			const intents = this.#intentsFrom(span, max, reverse);
			count = intents.length;
			if (intents.length === max) {
				const last = intents[max - 1]!.key;
				covered = reverse ? { ...span, start: last } : { ...span, end: keySuccessor(last) };
			}
			for (const { key, intent } of intents) {
				if (intent.transaction !== own && intent.p < s) {
					this.#lingering.get(intent.transaction)?.end();
					found.push({
						transaction: intent.transaction,
						anchor: intent.anchor,
						key,
						p: intent.p,
						pending: false,
						intent,
					});
				}
			}
		}
		if (this.#pending.groups > 0) {
			for (const key of this.#pending.in(covered)) {
				this.onKey(key, own, s, found);
			}
		}
		return { found, covered, count };
	}

	intentsIn(span: Span): readonly { readonly key: Key; readonly intent: Intent }[] {
		return this.firstIntents(span, Number.MAX_SAFE_INTEGER);
	}

	firstIntents(span: Span, max: number, bytesMax?: number): readonly KeyIntent[] {
		return this.#intentsFrom(span, max, false, bytesMax);
	}

	#intentsFrom(span: Span, max: number, reverse: boolean, bytesMax?: number): readonly KeyIntent[] {
		const part = this.intents.clip(span);
		if (part === undefined) {
			return [];
		}
		const intents = readIntents(this.#context.engine, part, max, bytesMax, reverse);
		if (!reverse || intents.length === 0) {
			this.intents.found(part, intents[0]?.key);
		}
		return intents;
	}

	/**
	 * Looks at the first intents of the span: at most `max`, or as many as first go over `bytesMax`. There may be millions of others'
	 * among them, so one look may find none of the transaction.
	 */
	look(span: Span, transaction: TransactionId, max: number, bytesMax: number): Look {
		if (this.intentCount === 0) {
			return nothing;
		}
		if (span.end === keySuccessor(span.start)) {
			const intent = this.intent(this.#context.engine, span.start);
			const isOwn = intent?.transaction === transaction;
			return isOwn
				? { own: span, count: 1, bytes: intent.value?.length ?? 0, rest: undefined }
				: nothing;
		}
		const page = this.firstIntents(span, max, bytesMax);
		if (page.length === 0) {
			return nothing;
		}
		const own = page.filter(({ intent }) => intent.transaction === transaction);
		const end = keySuccessor(page[page.length - 1]!.key);
		return {
			own:
				own.length === 0
					? undefined
					: { start: own[0]!.key, end: keySuccessor(own[own.length - 1]!.key) },
			count: page.length,
			bytes: page.reduce((sum, one) => sum + one.bytes, 0),
			rest: end < span.end ? { start: end, end: span.end } : undefined,
		};
	}

	get hasWaits(): boolean {
		return this.#waits.size > 0 || this.#lingering.size > 0;
	}

	decision(transaction: TransactionId): Decision | undefined {
		return this.#decisions.get(transaction);
	}

	isDecided(transaction: TransactionId): boolean {
		const decision = this.#decisions.get(transaction);
		return decision !== undefined && decision !== "unknown";
	}

	/** Wakes those who wait for it: they may serve by the rule of Resolve at once. */
	decided(transaction: TransactionId, decision: Decision): void {
		if (this.#decisions.size >= decisionsMax) {
			for (const old of this.#decisions.keys()) {
				this.#decisions.delete(old);
				if (this.#decisions.size < decisionsMax / 2) {
					break;
				}
			}
		}
		this.#decisions.set(transaction, decision);
		this.#above.delete(transaction);
		this.changed(transaction);
	}

	/** Something of the transaction was applied, or ended being pending. */
	changed(transaction: TransactionId): void {
		const wait = this.#waits.get(transaction);
		if (wait !== undefined) {
			this.#end(transaction, wait);
		}
	}

	/**
	 * Before the Resolve of a decided transaction: most of what an entry costs is shared by those that go to the other replicas and to
	 * the disks together. It resolves with the range's next entry, when somebody meets an intent of the transaction, or after a moment.
	 */
	linger(transaction: TransactionId): Promise<void> {
		const known = this.#lingering.get(transaction);
		if (known !== undefined) {
			return known.promise;
		}
		let wake = (): void => {};
		const promise = new Promise<void>((resolve) => {
			wake = resolve;
		});
		const timer = this.#context.runtime.scheduler.setTimer(lingerMs, () => this.hurry());
		const end = (): void => {
			timer.cancel();
			this.#lingering.delete(transaction);
			wake();
		};
		this.#lingering.set(transaction, { promise, end });
		return promise;
	}

	/** Lets all that lingers go: an entry is on its way. */
	hurry(): void {
		if (this.#lingering.size > 0) {
			for (const { end } of [...this.#lingering.values()]) {
				end();
			}
		}
	}

	/** Wakes everybody: the lease or the range changed. */
	wakeAll(): void {
		this.hurry();
		for (const [transaction, wait] of [...this.#waits]) {
			this.#end(transaction, wait);
		}
	}

	/** True while it is there and undecided. `s` above 0: and may commit at or below `s`. */
	stands(b: Blocker, s: Timestamp): boolean {
		return !this.isDecided(b.transaction) && !this.isAbove(b.transaction, s) && this.isThere(b);
	}

	/** It is known that the transaction's c will be above `s`: reads and validations at `s` pass by. */
	isAbove(transaction: TransactionId, s: Timestamp): boolean {
		return s > 0 && (this.#above.get(transaction) ?? 0) >= s;
	}

	isThere(b: Blocker): boolean {
		if (this.intent(this.#context.engine, b.key)?.transaction === b.transaction) {
			return true;
		}
		return this.#pending.on(b.key).some((x) => x.group.transaction === b.transaction);
	}

	/**
	 * Calls `wake` once, when something about the blocker's transaction changed. Returns what takes it back. `s`: of the read or
	 * validation that waits; 0: for newest-reads, which wait for the outcome.
	 */
	watch(b: Blocker, wake: () => void, s: Timestamp): () => void {
		let wait = this.#waits.get(b.transaction);
		if (wait === undefined) {
			const { anchor } = b;
			wait = { wake: new Set(), anchor, keys: new Set(), s: timestampZero, timer: undefined };
			this.#waits.set(b.transaction, wait);
			this.#askLater(b.transaction, wait);
		}
		wait.keys.add(b.key);
		wait.wake.add(wake);
		if (s > wait.s) {
			wait.s = s;
			this.#askAtOnce(b.transaction, wait);
		}
		return () => {
			wait.wake.delete(wake);
			if (wait.wake.size === 0 && this.#waits.get(b.transaction) === wait) {
				wait.timer?.cancel();
				this.#waits.delete(b.transaction);
			}
		};
	}

	#end(transaction: TransactionId, wait: Wait): void {
		wait.timer?.cancel();
		this.#waits.delete(transaction);
		for (const wake of wait.wake) {
			wake();
		}
	}

	#askLater(transaction: TransactionId, wait: Wait): void {
		wait.timer = this.#context.runtime.scheduler.setTimer(inquireAfterMs, () =>
			this.#askNow(transaction, wait),
		);
	}

	/** A transaction that was open a moment ago is large, and will hardly end in the next one. */
	#askAtOnce(transaction: TransactionId, wait: Wait): void {
		if (this.#above.has(transaction) && wait.timer !== undefined) {
			wait.timer.cancel();
			this.#askNow(transaction, wait);
		}
	}

	#askNow(transaction: TransactionId, wait: Wait): void {
		wait.timer = undefined;
		this.#ask(transaction, wait).catch((error) => {
			this.#context.runtime.logger.log("debug", "asking an anchor failed", {
				transaction,
				error: String(error),
			});
			if (this.#waits.get(transaction) === wait) {
				this.#askLater(transaction, wait);
			}
		});
	}

	async #ask(transaction: TransactionId, wait: Wait): Promise<void> {
		const pending = [...wait.keys].some((k) =>
			this.#pending.on(k).some((x) => x.group.transaction === transaction),
		);
		if (pending) {
			this.#owner.settle();
		}
		const answer = await this.#context.inquire(transaction, wait.anchor, wait.s);
		if (answer.kind === "open") {
			this.#noteAbove(transaction, answer.s);
		}
		if (this.#waits.get(transaction) !== wait) {
			return;
		}
		if (answer.kind === "committed") {
			this.#learn(transaction, { c: answer.c }, wait);
		} else if (answer.kind === "aborted") {
			this.#learn(transaction, { c: 0 as Timestamp }, wait);
		} else if (answer.kind === "unknown") {
			// T4: dropped through the log; readers wait until that is applied here. It may have committed.
			this.#owner.resolveDecided(transaction, "unknown", [...wait.keys]);
			this.#askLater(transaction, wait);
		} else if (answer.kind === "open") {
			// Who waits for more than that looks again, and asks anew.
			this.#end(transaction, wait);
		} else {
			this.#askLater(transaction, wait);
		}
	}

	#noteAbove(transaction: TransactionId, s: Timestamp): void {
		const known = this.#above.get(transaction);
		if (known === undefined && this.#above.size >= aboveMax) {
			this.#above.clear();
		}
		if (known === undefined || known < s) {
			this.#above.set(transaction, s);
		}
	}

	#learn(transaction: TransactionId, decision: Decision, wait: Wait): void {
		this.#owner.resolveDecided(transaction, decision, [...wait.keys]);
		this.decided(transaction, decision);
	}
}
