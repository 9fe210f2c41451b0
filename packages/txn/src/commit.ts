/**
 * The commit protocol (design, section 6). The one idea: the commit timestamp is drawn from the oracle after every write of
 * the transaction is visible at its leaseholder as pending.
 *
 * - One-phase where everything written lies in one range: its leaseholder does all of it, and has what was read elsewhere validated there.
 * - Two-phase with a last agent where it lies in several: Prepare everywhere but in the range with the most writes, in parallel; then that
 *   range, the anchor, does in one phase what is left, and with that decides for all. Answer the client; resolve the intents in the background.
 * - Where even that is too much for one entry of the last agent, for large transactions, and for schema changes: Prepare everywhere; draw c;
 *   validate the other reads at c; Commit at the anchor, which decides; answer; resolve.
 *
 * T2. c is drawn after the commit began and after all prepares were answered; it is above every p.
 * T3. The anchor's log decides. T5. An id is used once; a lost answer is settled by finding the record or writing the tombstone, and
 *     what cannot be learned is 40003, never success or failure. What came to nothing because its leaseholder was lost is begun anew under
 *     another id: what was read still has its timestamps, and is judged by them.
 */
import { assert } from "@quorate/keys/assert";
import { isActive } from "@quorate/keys/cluster-version";
import { DatabaseError } from "@quorate/keys/database-error";
import type { LockOwner, TransactionId } from "@quorate/keys/ids";
import type { Key } from "@quorate/keys/key";
import type { RangeDescriptor } from "@quorate/keys/range";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { WrittenSpan } from "@quorate/replica/commands";
import type { RangeAnswer, RequestedWrite, ValidateItem } from "@quorate/replica/requests";
import type { IssuedTimestamp } from "@quorate/replica/timestamp-source";
import { conflictError } from "./conflict-error.ts";
import type { Gateway } from "./gateway.ts";
import type { ReadSet } from "./read-set.ts";
import { bounded, writtenSpans } from "./resolver.ts";
import { throwErrors } from "./router.ts";
import { SentChunks } from "./sent-chunks.ts";
import { slices } from "./slices.ts";
import { KeyExistsError, type Once } from "./types.ts";
import { validate } from "./validate.ts";
import type { BufferedWrite } from "./write-buffer.ts";

export interface CommitWork {
	readonly writes: readonly (readonly [Key, BufferedWrite])[];
	readonly reads: ReadSet;
	/** As serializable transactions do that write: all that was read must be as it was. */
	readonly strictly: boolean;
	/** By key, the transactions whose pending values were read: only where all of it fits one range and one phase. */
	readonly builtOn: ReadonlyMap<Key, TransactionId>;
	/** Called before anything else is done than that; empties `builtOn`, or rejects. */
	confirm(): Promise<void>;
	/** What must be unchanged also for one that only reads. */
	readonly relied: readonly ValidateItem[];
	/** It has locked something: then it is not read-only, even if it wrote nothing. */
	readonly locked: boolean;
	readonly schemaChange: boolean;
	/** Sent back by the oracle's answers if it is not current at c. */
	readonly schemaVersion: number;
}

export interface CommitOutcome {
	readonly timestamp: Timestamp | undefined;
	readonly schemaVersion: number | undefined;
	/** The range that took all of it in one phase, and has released its locks. */
	readonly range: RangeDescriptor | undefined;
}

/** Bytes of a write, and of a one-phase commit: an entry stays under 1 MB. */
const entryWritesBytesMax = 900 << 10;
const onePhaseWritesMax = 5_000;
/** What was read and is validated by the leaseholder of the one range that is written to, or by its asking: with more, the gateway asks. */
const itemsMax = 5_000;
/** Of one Prepare with several writes: what a leaseholder accepts, and a replica applies, in one go keeps others waiting. */
const pieceBytesMax = 64 << 10;
/** Looking at so many writes takes a millisecond, and several while the code is new to the engine: between two looks others get their turn. */
const manyWrites = 1_000;
/** Of a chunk: what is done with all of them before the first is sent takes some 5 us each. */
const chunkWritesMax = 20_000;
/** Of all pieces of a transaction under way: what leaseholders, and the connections to them, may have to hold for it. */
const piecesBytesMax = 1 << 20;
/** Prepares may wait behind a lease change; the whole is bounded so that a lost majority shows as an error. */
const prepareMs = 15_000;
const writeOptions = { idempotent: false, attemptMs: prepareMs };
/** A Prepare is sent until a leaseholder says what became of it. */
const resendMs = { total: 30_000, pause: 50 };
/** Of one range: it takes a log entry for each few hundred rows. */
const takeBackMs = 120_000;
/** After this an undecided outcome is reported as unknown. */
const settleMs = 30_000;
/** Commits that came to nothing since their leaseholder was lost: each is begun anew, as another transaction. */
const lostMax = 5;

/**
 * After a lost answer nothing is evaluated again: the record is found, or the tombstone written (T5). Undefined: it has not committed, and
 * never will.
 */
export async function settle(
	gateway: Gateway,
	transaction: TransactionId,
	anchor: Key,
): Promise<Timestamp | undefined> {
	const { clock } = gateway.runtime;
	const deadline = clock.monotonicMs() + settleMs;
	for (;;) {
		const answer = await gateway.router
			.request(anchor, { kind: "abort", transaction, anchor }, { idempotent: true })
			.catch(() => undefined);
		if (answer?.kind === "committed") {
			return answer.c;
		}
		if (answer?.kind === "aborted") {
			return undefined;
		}
		if (answer?.kind === "unknown" || clock.monotonicMs() >= deadline) {
			throw outcomeUnknown(transaction);
		}
	}
}

export const abortedMeanwhile = (): DatabaseError =>
	conflictError("the transaction was aborted while its leaseholder changed", null);

const notOnce = (): DatabaseError =>
	conflictError("the transaction does not fit one range here any more", null);

export class Committer {
	readonly #gateway: Gateway;
	readonly #owner: LockOwner;
	readonly #once: Once | undefined;
	/** Of the two-phase commit; undefined until its first Prepare. */
	#id: TransactionId | undefined;
	#anchor: Key | undefined;
	#highestP = 0 as Timestamp;
	/** Only with a mutation: c. */
	#tooEarly: IssuedTimestamp | undefined;
	#written: readonly WrittenSpan[] = [];
	#sent = new SentChunks();
	/** The chunk that is under way; never rejects. */
	#sending: Promise<void> | undefined;
	/** It is large: chunks were sent before its end. */
	#isOpen = false;
	/** Chunks sent so far. */
	chunks = 0;

	constructor(gateway: Gateway, owner: LockOwner, once?: Once) {
		this.#gateway = gateway;
		this.#owner = owner;
		this.#once = once;
	}

	get id(): TransactionId | undefined {
		return this.#id;
	}

	async commit(work: CommitWork): Promise<CommitOutcome> {
		if (work.writes.length >= manyWrites) await this.#giveWay();
		const written = new Map(work.writes);
		const items = read(work, (k) => written.has(k));
		if (work.builtOn.size > 0 && ![...work.builtOn.keys()].every((k) => written.has(k))) {
			await work.confirm();
		}
		if (work.writes.length === 0 && this.chunks === 0) {
			return this.#commitWithoutWrites(work);
		}
		for (let lost = 0; ; ) {
			const requested = work.writes.map(([k, w]) => toRequested(k, w, work));
			if (requested.length >= manyWrites) await this.#giveWay();
			const fits = this.chunks === 0 && !work.schemaChange;
			const range = fits ? await this.#onlyRangeOf(requested) : undefined;
			const parted = range && this.#part(items, range);
			if (work.builtOn.size > 0 && parted?.elsewhere.length !== 0) {
				await work.confirm();
				continue;
			}
			if (this.#once !== undefined && !(parted !== undefined && written.has(this.#once.anchor))) {
				throw notOnce();
			}
			const answer =
				parted === undefined
					? await this.#overRanges(requested, items, work, fits)
					: await this.#inOneRange(requested, parted, work);
			if (typeof answer === "object") {
				return answer;
			}
			if (this.#once !== undefined) {
				throw notOnce();
			}
			if (answer === "lost" && ++lost === lostMax) {
				throw abortedMeanwhile();
			}
			if (work.builtOn.size > 0) {
				await work.confirm();
			}
		}
	}

	async #commitWithoutWrites(work: CommitWork): Promise<CommitOutcome> {
		this.#gateway.statistics.readOnlyCommits++;
		const locked = work.locked && work.reads.size > 0;
		if (locked || work.relied.length > 0) {
			const issued = await this.#gateway.placement.issue();
			if (locked && issued.schemaVersion !== work.schemaVersion) {
				throw schemaChanged();
			}
			const items = locked ? read({ ...work, strictly: false }, () => false) : work.relied;
			await this.validate(items, issued.timestamp);
		}
		return { timestamp: undefined, schemaVersion: undefined, range: undefined };
	}

	// ---- one-phase

	/** Undefined: they lie in several, or are too many for one entry. */
	async #onlyRangeOf(writes: readonly RequestedWrite[]): Promise<RangeDescriptor | undefined> {
		const { router } = this.#gateway;
		const k = writes[0]!.key;
		const { descriptor } = router.cachedRangeOf(k) ?? (await router.rangeOf(k));
		return isOneEntry(writes, descriptor) ? descriptor : undefined;
	}

	/** Undefined: a leaseholder is not to be asked to have them validated. */
	#part(items: Iterable<ValidateItem>, { start, end }: RangeDescriptor): PartedItems | undefined {
		const here: ValidateItem[] = [];
		const elsewhere: ValidateItem[] = [];
		for (const item of items) {
			if (here.length + elsewhere.length === itemsMax) return undefined;
			const { span } = item;
			(start <= span.start && span.end <= end ? here : elsewhere).push(item);
		}
		const mayAsk =
			elsewhere.length === 0 || isActive(this.#gateway.placement.settings().values, "validation");
		return mayAsk ? { here, elsewhere } : undefined;
	}

	/** T5: each attempt is a new transaction. */
	async #inOneRange(
		writes: readonly RequestedWrite[],
		parted: PartedItems,
		work: CommitWork,
	): Promise<CommitOutcome | NotDone> {
		const made = this.#once?.id ?? this.#gateway.newTransactionId();
		const id = made instanceof Promise ? await made : made;
		const anchor = this.#once?.anchor ?? writes[0]!.key;
		const one = { id, anchor, writes, parted, written: [] };
		const answer = await this.#onePhase(one, work.schemaVersion);
		if (typeof answer === "object") {
			this.#gateway.statistics.onePhaseCommits++;
		}
		return answer;
	}

	async #onePhase(
		{ id: transaction, anchor, writes, parted: { here, elsewhere }, written }: OnePhase,
		schemaVersion: number,
	): Promise<CommitOutcome | NotDone> {
		const answer = await this.#gateway.router.request(
			anchor,
			{
				kind: "one-phase",
				transaction,
				anchor,
				writes,
				validate: here,
				schemaVersion,
				owner: this.#owner,
				...(elsewhere.length > 0 ? { elsewhere } : {}),
				...(written.length > 0 ? { written } : {}),
			},
			writeOptions,
		);
		switch (answer.kind) {
			case "committed":
				return onePhaseDone(answer.c, this.#gateway.router.cachedRangeOf(anchor)?.descriptor);
			case "stale":
				return "again";
			case "schema-changed":
				throw schemaChanged();
			case "exists":
				throw new KeyExistsError(answer.key);
			case "conflict":
				// Read again as what they are by now, they may be what they were.
				if (writes.some((w) => w.after !== undefined)) {
					return "again";
				}
				break;
			case "lost":
			case "unknown": {
				const c = await settle(this.#gateway, transaction, anchor);
				return c === undefined ? "lost" : onePhaseDone(c, undefined);
			}
		}
		throwErrors(answer);
		throw conflictError("the transaction was aborted", null);
	}

	// ---- two-phase

	async #overRanges(
		writes: readonly RequestedWrite[],
		items: Iterable<ValidateItem>,
		work: CommitWork,
		fits: boolean,
	): Promise<CommitOutcome | NotDone> {
		const last = fits ? await this.#lastPart(writes, items) : undefined;
		return last === undefined
			? this.#twoPhase(writes, items, work)
			: this.#throughLast(last, items, work);
	}

	/**
	 * The last agent: the range with the most writes is the anchor, and does in one phase all that is left to do when the others are
	 * prepared. Undefined: what is written in it is too much for that, or what was read.
	 */
	async #lastPart(
		writes: readonly RequestedWrite[],
		items: Iterable<ValidateItem>,
	): Promise<LastPart | undefined> {
		const { router, placement, nodeId, mutations } = this.#gateway;
		const isPossible =
			mutations?.timestampBeforePending !== true &&
			isActive(placement.settings().values, "lastAgent");
		if (!isPossible) return undefined;
		const parts = await router.byRange(writes, (w) => w.key);
		const isHere = (part: (typeof parts)[number]) => Number(part.info.leaseholder === nodeId);
		const [last, ...others] = parts.sort(
			(a, b) => b.items.length - a.items.length || isHere(b) - isHere(a),
		);
		const { descriptor } = last!.info;
		const parted = isOneEntry(last!.items, descriptor) ? this.#part(items, descriptor) : undefined;
		return parted && { writes: last!.items, parted, others: others.flatMap((part) => part.items) };
	}

	async #throughLast(
		{ writes, parted, others }: LastPart,
		items: Iterable<ValidateItem>,
		work: CommitWork,
	): Promise<CommitOutcome | NotDone> {
		const anchor = writes[0]!.key;
		try {
			const id = await this.#begin(anchor);
			await this.#prepare(others);
			const written = [...this.#written];
			const answer = await this.#onePhase(
				{ id, anchor, writes, parted, written },
				work.schemaVersion,
			);
			if (typeof answer === "object") {
				this.#committed(answer.timestamp!);
				return { ...answer, range: undefined };
			}
			if (answer === "lost") {
				await this.#startOver();
				return answer;
			}
		} catch (error) {
			this.#failed(error);
			throw error;
		}
		// Its range has changed: all of it goes the long way.
		return this.#twoPhase(writes, items, work);
	}

	async #twoPhase(
		writes: readonly RequestedWrite[],
		items: Iterable<ValidateItem>,
		work: CommitWork,
	): Promise<CommitOutcome> {
		try {
			if (writes.length > 0) {
				await this.#prepare(writes);
			}
			if (this.#isOpen) {
				await this.#seal();
			}
			const issued = work.schemaChange
				? await this.#raiseSchemaVersion()
				: (this.#tooEarly ?? (await this.#gateway.placement.issue()));
			const c = issued.timestamp;
			if (!work.schemaChange && issued.schemaVersion !== work.schemaVersion) {
				throw schemaChanged();
			}
			if (work.schemaChange && issued.schemaVersion !== work.schemaVersion + 1) {
				throw schemaChanged();
			}
			assert(c > this.#highestP, () => `T1: c ${c} is not above p ${this.#highestP}`);
			await this.validate(items, c);
			await this.#decide(c);
			const schemaVersion = work.schemaChange ? issued.schemaVersion : undefined;
			return { timestamp: c, schemaVersion, range: undefined };
		} catch (error) {
			this.#failed(error);
			throw error;
		}
	}

	#committed(c: Timestamp): void {
		this.#gateway.heartbeats.end(this.#id!);
		this.#gateway.resolver.resolve(this.#id!, c, this.#written);
		this.#gateway.statistics.twoPhaseCommits++;
	}

	#failed(error: unknown): void {
		if (!(error instanceof DatabaseError && error.code === "40003")) {
			this.abandon();
		} else if (this.#id !== undefined) {
			this.#gateway.heartbeats.end(this.#id);
		}
	}

	/**
	 * Whether the version rose may be unknown, which does no harm. That this transaction has not committed is known: it has asked for
	 * nothing of the kind yet.
	 */
	async #raiseSchemaVersion(): Promise<IssuedTimestamp> {
		try {
			return await this.#gateway.placement.raiseSchemaVersion();
		} catch (error) {
			if (!(error instanceof DatabaseError && error.code === "40003")) throw error;
			throw conflictError("the placement group has lost its leader during a schema change", null);
		}
	}

	/** A part of a large transaction, prepared while the statement runs. `undo`: there are savepoints. */
	sendChunk(
		writes: readonly (readonly [Key, BufferedWrite])[],
		reads: ReadSet,
		undo: boolean,
	): Promise<void> {
		this.#isOpen ||= this.#id === undefined;
		this.#sent.undo = undo;
		const sending = this.#prepareParts(writes, reads);
		// Whoever was cancelled does not wait for it, but whoever takes it back does.
		this.#sending = sending.catch(() => {});
		return sending;
	}

	/** A statement that had to keep its rows writes all of them at once. */
	async #prepareParts(
		writes: readonly (readonly [Key, BufferedWrite])[],
		reads: ReadSet,
	): Promise<void> {
		for (const part of slices(writes, chunkWritesMax)) {
			await this.#prepare(part.map(([k, w]) => toRequested(k, w, { reads, builtOn: nothing })));
		}
	}

	/**
	 * Goes back to what was sent when there were `chunks` chunks. Of keys that were written before and again after that, the
	 * values of then, to be written anew.
	 */
	async takeBack(chunks: number): Promise<ReadonlyMap<Key, Uint8Array | null>> {
		await this.#sending;
		await this.#sent.settled();
		if (chunks === 0) {
			await this.#startOver();
			return new Map();
		}
		if (!this.#sent.isSure) {
			throw conflictError("a leaseholder was lost while it prepared the transaction", null);
		}
		const { router } = this.#gateway;
		const marks = { transaction: this.#id!, anchor: this.#anchor!, chunk: ++this.chunks };
		let left: readonly WrittenSpan[] = this.#written;
		while (left.length > 0) {
			const again: WrittenSpan[] = [];
			for (const { key, spans } of await router.spansByRange(left)) {
				const body = { kind: "take-back" as const, ...marks, spans, above: chunks };
				const answer = await router.request(key, body, { idempotent: true, attemptMs: takeBackMs });
				if (answer.kind === "stale") {
					again.push(...spans);
				} else {
					this.#prepared(answer);
				}
			}
			left = again;
		}
		return this.#sent.valuesAt(chunks);
	}

	/** Everything that was sent comes to nothing, and what follows is another transaction to its leaseholders (T5). */
	async #startOver(): Promise<void> {
		const transaction = this.#id!;
		const anchor = this.#anchor!;
		this.#gateway.heartbeats.end(transaction);
		const abort = { kind: "abort" as const, transaction, anchor };
		throwErrors(await this.#gateway.router.request(anchor, abort, { idempotent: true }));
		await this.#gateway.resolver.resolveAll(transaction, 0 as Timestamp, this.#written);
		this.#id = undefined;
		this.#anchor = undefined;
		this.#written = [];
		this.#sent = new SentChunks();
		this.chunks = 0;
		this.#isOpen = false;
	}

	/** A large transaction: its anchor says "open" to readers until it is told that no more chunks come. Only then c may be drawn. */
	async #seal(): Promise<void> {
		this.#gateway.heartbeats.seal(this.#id!);
		const body = { kind: "seal" as const, transaction: this.#id!, anchor: this.#anchor! };
		for (;;) {
			const options = { idempotent: true, attemptMs: prepareMs };
			const answer = await this.#gateway.router.request(this.#anchor!, body, options);
			if (answer.kind === "done") {
				return;
			}
			if (answer.kind !== "stale") {
				throwErrors(answer);
				throw silentTooLong();
			}
		}
	}

	async #begin(anchor: Key): Promise<TransactionId> {
		const made = this.#gateway.newTransactionId(this.#tooEarly?.timestamp);
		const id = made instanceof Promise ? await made : made;
		this.#id = id;
		this.#anchor = anchor;
		this.#gateway.heartbeats.begin(id, anchor, this.#isOpen);
		return id;
	}

	async #prepare(writes: readonly RequestedWrite[]): Promise<void> {
		if (this.#id === undefined) {
			if (this.#gateway.mutations?.timestampBeforePending === true) {
				this.#tooEarly = await this.#gateway.placement.issue();
			}
			await this.#begin(writes[0]!.key);
		}
		this.chunks++;
		const { clock } = this.#gateway.runtime;
		const deadline = clock.monotonicMs() + resendMs.total;
		// What went out as one piece stays together, but for ranges that split: of a lost one either all is there or nothing.
		let left: readonly (readonly RequestedWrite[])[] = [writes];
		for (let isSentAgain = false; left.length > 0; ) {
			const pieces = await this.#pieces(left);
			if (writes.length >= manyWrites) await this.#giveWay();
			const asked = { chunk: this.chunks, isSentAgain };
			const answers = await Promise.all(await this.#prepareEach(pieces, asked));
			const again: (readonly RequestedWrite[])[] = [];
			let isLost = false;
			answers.forEach((answer, i) => {
				const mayResend = answer.kind === "lost" && clock.monotonicMs() < deadline;
				if (answer.kind === "stale" || mayResend) {
					again.push(pieces[i]!.writes);
					isLost ||= mayResend;
				} else {
					this.#prepared(answer);
				}
			});
			left = again;
			if (isLost) {
				isSentAgain = true;
				await this.#pause(resendMs.pause);
			}
		}
	}

	/** By range, and small enough for one Prepare each. */
	async #pieces(groups: readonly (readonly RequestedWrite[])[]): Promise<readonly Piece[]> {
		const pieces: Piece[] = [];
		for (const writes of groups) {
			const parts = await this.#gateway.router.byRange(writes, (w) => w.key);
			if (writes.length >= manyWrites) await this.#giveWay();
			const spans = writtenSpans(parts.map((p) => p.items.map((w) => w.key)));
			this.#written = bounded([...this.#written, ...spans]);
			if (writes.length >= manyWrites) await this.#giveWay();
			pieces.push(...parts.flatMap((part) => cutBySize(part.items)));
		}
		return pieces;
	}

	#giveWay(): Promise<void> {
		return this.#gateway.runtime.scheduler.yield();
	}

	#pause(ms: number): Promise<void> {
		const { scheduler } = this.#gateway.runtime;
		return new Promise((resolve) => scheduler.setTimer(ms, resolve));
	}

	/** As many under way as the window takes; between two of them, others get their turn. */
	async #prepareEach(
		pieces: readonly Piece[],
		asked: Asked,
	): Promise<readonly Promise<RangeAnswer>[]> {
		const { scheduler } = this.#gateway.runtime;
		const answers: Promise<RangeAnswer>[] = [];
		/** Those of `answers` from here on may be missing. */
		let first = 0;
		let bytes = 0;
		for (const piece of pieces) {
			if (answers.length > 0) {
				await scheduler.yield();
			}
			bytes += piece.bytes;
			for (; bytes > piecesBytesMax && first < answers.length; first++) {
				await answers[first];
				bytes -= pieces[first]!.bytes;
			}
			const answer = this.#prepareOne(piece.writes, asked);
			// Looked at once all are sent.
			answer.catch(() => {});
			answers.push(answer);
		}
		return answers;
	}

	#prepareOne(
		writes: readonly RequestedWrite[],
		{ chunk, isSentAgain }: Asked,
	): Promise<RangeAnswer> {
		const anchor = this.#anchor!;
		// Whoever finds a copy of it changes nothing. But the transaction may have been opened with one: nobody opens it again.
		const opens = this.#isOpen && !isSentAgain;
		const answer = this.#gateway.router.request(
			writes[0]!.key,
			{
				kind: "prepare",
				transaction: this.#id!,
				chunk,
				anchor,
				writes,
				owner: this.#owner,
				...(this.#sent.undo ? { undo: true } : {}),
				...(opens ? { opens: true } : {}),
			},
			writeOptions,
		);
		// Of a small transaction nothing is taken back.
		if (this.#isOpen) {
			const hasAnchor = writes.some((w) => w.key === anchor);
			this.#sent.asked(answer, chunk, hasAnchor);
		}
		return answer;
	}

	#prepared(answer: RangeAnswer): void {
		switch (answer.kind) {
			case "prepared":
				this.#highestP = Math.max(this.#highestP, answer.p) as Timestamp;
				return;
			case "exists":
				throw new KeyExistsError(answer.key);
			case "lost":
				// It may become an intent; the tombstone and the resolves take care of it.
				throw conflictError("a leaseholder was lost while it prepared the transaction", null);
			default:
				throwErrors(answer);
				throw conflictError("the transaction was aborted", null);
		}
	}

	/** Reads outside the written keys, at `c`. */
	async validate(items: Iterable<ValidateItem>, c: Timestamp): Promise<void> {
		const transaction = this.#id ?? null;
		const asked = { transaction, owner: this.#owner, items, c };
		throwErrors(await validate(this.#gateway.router, asked));
	}

	/** Commit at the anchor, until it is known to be decided. */
	async #decide(c: Timestamp): Promise<void> {
		const transaction = this.#id!;
		const anchor = this.#anchor!;
		const { clock } = this.#gateway.runtime;
		const deadline = clock.monotonicMs() + settleMs;
		const body = { kind: "commit" as const, transaction, anchor, c, written: this.#written };
		for (;;) {
			const answer = await this.#gateway.router
				.request(anchor, body, { idempotent: true })
				.catch(() => undefined);
			if (answer?.kind === "committed") {
				this.#committed(answer.c);
				return;
			}
			if (answer?.kind === "aborted") {
				throw silentTooLong();
			}
			if (answer?.kind === "unknown" || clock.monotonicMs() >= deadline) {
				throw outcomeUnknown(transaction);
			}
		}
	}

	/** No Commit was sent, and none will be: the tombstone is written and the intents dropped, in the background. */
	abandon(): void {
		const transaction = this.#id;
		const anchor = this.#anchor;
		if (transaction === undefined || anchor === undefined) {
			return;
		}
		this.#gateway.heartbeats.end(transaction);
		const written = [...this.#written];
		this.#gateway.router
			.request(anchor, { kind: "abort", transaction, anchor }, { idempotent: true })
			.then((answer) => {
				if (answer.kind === "aborted") {
					this.#gateway.resolver.resolve(transaction, 0 as Timestamp, written);
				}
			})
			// Whoever meets its intents asks the anchor, which aborts it for the silence.
			.catch(() => {});
	}
}

const nothing: CommitWork["builtOn"] = new Map();

/** What is judged beside the writes. Made for each who looks at it: it may be millions of rows. */
const read = (
	{ reads, relied, strictly }: CommitWork,
	isWritten: (k: Key) => boolean,
): Iterable<ValidateItem> => ({
	*[Symbol.iterator]() {
		yield* reads.items(isWritten, strictly);
		yield* relied;
	},
});

function toRequested(
	k: Key,
	w: BufferedWrite,
	{ reads, builtOn }: Pick<CommitWork, "reads" | "builtOn">,
): RequestedWrite {
	const after = builtOn.get(k);
	return {
		key: k,
		value: w.value,
		since: reads.sinceOf(k) ?? null,
		...(after === undefined ? {} : { after }),
		...(w.absent ? { absent: true } : {}),
		...(w.mark ? { mark: true } : {}),
	};
}

const writeBytes = (w: RequestedWrite): number => w.key.length * 2 + (w.value?.length ?? 0) + 24;

/** Of a Prepare. */
interface Asked {
	readonly chunk: number;
	/** One that was lost may have come: this one is a copy, unless what was lost never comes to be. */
	readonly isSentAgain: boolean;
}

/** What was read in the one range that is written to, and what was not. */
interface PartedItems {
	readonly here: readonly ValidateItem[];
	readonly elsewhere: readonly ValidateItem[];
}

/** `written`: what it decides for besides, prepared in other ranges. */
interface OnePhase extends Once {
	readonly writes: readonly RequestedWrite[];
	readonly parted: PartedItems;
	readonly written: readonly WrittenSpan[];
}

/** What is written in the range of the last agent, and what is prepared in others before it is asked. */
interface LastPart {
	readonly writes: readonly RequestedWrite[];
	readonly parted: PartedItems;
	readonly others: readonly RequestedWrite[];
}

/** Certainly nothing was done. `again`: the range has changed; `lost`: what was sent came to nothing with its leaseholder. */
type NotDone = "again" | "lost";

const onePhaseDone = (c: Timestamp, range: RangeDescriptor | undefined): CommitOutcome => ({
	timestamp: c,
	schemaVersion: undefined,
	range,
});

/** Whether they lie in one range, and fit one entry. */
function isOneEntry(writes: readonly RequestedWrite[], { start, end }: RangeDescriptor): boolean {
	if (writes.length > onePhaseWritesMax) {
		return false;
	}
	let bytes = 0;
	for (const w of writes) {
		bytes += writeBytes(w);
		if (w.key < start || w.key >= end || bytes > entryWritesBytesMax) {
			return false;
		}
	}
	return true;
}

/** What one Prepare carries. */
interface Piece {
	readonly writes: readonly RequestedWrite[];
	readonly bytes: number;
}

function cutBySize(writes: readonly RequestedWrite[]): Piece[] {
	const out: Piece[] = [];
	let current: RequestedWrite[] = [];
	let bytes = 0;
	for (const w of writes) {
		const size = writeBytes(w);
		if (size > entryWritesBytesMax) {
			throw new DatabaseError(
				"54000",
				`row is too big: size ${size}, maximum ${entryWritesBytesMax}`,
			);
		}
		if (bytes + size > pieceBytesMax && current.length > 0) {
			out.push({ writes: current, bytes });
			current = [];
			bytes = 0;
		}
		current.push(w);
		bytes += size;
	}
	out.push({ writes: current, bytes });
	return out;
}

function schemaChanged(): DatabaseError {
	return new DatabaseError("40001", "could not serialize access due to a schema change", {
		detail: "The schema changed after the transaction began.",
		hint: "Run the transaction again.",
	});
}

/** Nobody else aborts what its coordinator has not given up. */
const silentTooLong = (): DatabaseError =>
	conflictError("the transaction was aborted: its gateway was silent for too long", null);

function outcomeUnknown(transaction: TransactionId): DatabaseError {
	return new DatabaseError("40003", "the outcome of the transaction is unknown", {
		detail: `It could not be learned whether transaction ${transaction} was committed.`,
		hint: "Check whether its effects are there before running it again.",
	});
}
