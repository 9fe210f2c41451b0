/**
 * The log of one group, in memory from the first entry that was not compacted away, and how far each entry has come:
 *
 *     firstIndex - 1 <= applied <= given <= commit <= lastIndex
 *     durable <= handed <= lastIndex
 *
 * `handed` entries were given to the driver to write, `durable` ones it has reported synced; `given` ones were handed out
 * to be applied. `durable` is independent of `commit`: a leader may know an entry committed by its followers' disks before
 * its own disk has it.
 */
import { assert } from "@quorate/keys/assert";
import type { Entry, EntryPayload, LogIndex, SnapshotMetadata, Term } from "./types.ts";

/** Bytes that an entry is counted with beside its data: index, term, kind, framing. */
const entryOverheadBytes = 16;

export function entryBytes(entry: Entry): number {
	switch (entry.payload.kind) {
		case "empty":
			return entryOverheadBytes;
		case "command":
			return entryOverheadBytes + entry.payload.data.length;
		case "configuration":
			return (
				entryOverheadBytes +
				entry.payload.change.context.length +
				8 * entry.payload.change.changes.length
			);
	}
}

/** A write that the driver has not yet reported synced. */
interface PendingSync {
	readonly sequence: number;
	/** First entry it writes; what lies at or above is not durable before it. Infinity: it writes no entries. */
	firstIndex: LogIndex;
}

export class RaftLog {
	/** #entries[i] has index firstIndex + i. */
	#entries: Entry[];
	/** #ends[i]: bytes of all entries that this log has held up to #entries[i]. Only differences mean anything. */
	#ends: number[] = [];
	/** The same up to the entry before the first. */
	#endBefore = 0;
	#firstIndex: LogIndex;
	/** Term of the entry before the first: what an append that begins there is checked against. */
	#previousTerm: Term;
	#commit: LogIndex;
	#applied: LogIndex;
	#given: LogIndex;
	#handed: LogIndex;
	#pendingSyncs: PendingSync[] = [];

	constructor(
		start: SnapshotMetadata,
		entries: readonly Entry[],
		applied: LogIndex,
		commit: LogIndex,
	) {
		this.#entries = [];
		this.#firstIndex = start.index + 1;
		this.#previousTerm = start.term;
		for (const entry of entries) this.#push(entry);
		entries.forEach((entry, i) => {
			assert(entry.index === this.#firstIndex + i, "restored entries are contiguous");
		});
		assert(
			start.index <= applied && applied <= this.lastIndex,
			() => `applied ${applied} outside of the log ${start.index}..${this.lastIndex}`,
		);
		this.#applied = applied;
		this.#given = applied;
		this.#commit = Math.max(applied, Math.min(commit, this.lastIndex));
		this.#handed = this.lastIndex;
	}

	get firstIndex(): LogIndex {
		return this.#firstIndex;
	}

	get lastIndex(): LogIndex {
		return this.#firstIndex + this.#entries.length - 1;
	}

	get lastTerm(): Term {
		return this.#entries.at(-1)?.term ?? this.#previousTerm;
	}

	get commit(): LogIndex {
		return this.#commit;
	}

	get applied(): LogIndex {
		return this.#applied;
	}

	/** Everything up to here survives a power loss. */
	get durable(): LogIndex {
		let durable = this.#handed;
		for (const pending of this.#pendingSyncs) {
			if (pending.firstIndex <= durable) durable = pending.firstIndex - 1;
		}
		return durable;
	}

	/** There is nothing in it, and nothing to be done with what was. */
	get isSettled(): boolean {
		const { lastIndex } = this;
		const isEmpty = this.#entries.length === 0 && this.#pendingSyncs.length === 0;
		return isEmpty && this.#applied === lastIndex && this.#handed === lastIndex;
	}

	entry(index: LogIndex): Entry | undefined {
		return this.#entries[index - this.#firstIndex];
	}

	/** Undefined where the entry is not here: compacted away, or not yet appended. */
	term(index: LogIndex): Term | undefined {
		if (index === this.#firstIndex - 1) return this.#previousTerm;
		return this.#entries[index - this.#firstIndex]?.term;
	}

	/** Whether a log that ends so holds at least what this one does (thesis, section 3.6.1). */
	isUpToDate(lastIndex: LogIndex, lastTerm: Term): boolean {
		return lastTerm > this.lastTerm || (lastTerm === this.lastTerm && lastIndex >= this.lastIndex);
	}

	/** The leader's way to append. It never overwrites (leader append-only). */
	appendOwn(term: Term, payload: EntryPayload): Entry {
		assert(term >= this.lastTerm, () => `terms in the log rise: ${term} after ${this.lastTerm}`);
		const entry = { index: this.lastIndex + 1, term, payload };
		this.#push(entry);
		return entry;
	}

	#push(entry: Entry): void {
		this.#entries.push(entry);
		this.#ends.push((this.#ends.at(-1) ?? this.#endBefore) + entryBytes(entry));
	}

	/**
	 * The follower's way: `entries` follow an entry that matches. What is here already stays, so that an old, delayed
	 * message takes nothing away; the first entry of another term, and all after it, are replaced.
	 */
	appendFromLeader(entries: readonly Entry[]): void {
		for (let i = 0; i < entries.length; i++) {
			const entry = entries[i]!;
			const present = this.term(entry.index);
			if (present === entry.term || entry.index < this.#firstIndex) continue;
			if (present !== undefined) this.#truncate(entry.index);
			for (let j = i; j < entries.length; j++) {
				assert(entries[j]!.index === this.lastIndex + 1, "the log has no gaps");
				assert(entries[j]!.term >= this.lastTerm, "terms in the log rise");
				this.#push(entries[j]!);
			}
			return;
		}
	}

	#truncate(from: LogIndex): void {
		assert(
			from > this.#commit,
			() => `a committed entry is never replaced: ${from} at commit ${this.#commit}`,
		);
		this.#entries.length = from - this.#firstIndex;
		this.#ends.length = this.#entries.length;
		this.#handed = Math.min(this.#handed, from - 1);
	}

	/** Returns whether it moved. */
	commitTo(index: LogIndex): boolean {
		if (index <= this.#commit) return false;
		assert(
			index <= this.lastIndex,
			() =>
				`commit ${index} beyond the log's end ${this.lastIndex}: acknowledged entries were lost`,
		);
		this.#commit = index;
		return true;
	}

	/** `handsBack`: what was handed out above it was not applied, and is handed out again. */
	appliedTo(index: LogIndex, handsBack: boolean): void {
		assert(
			index >= this.#applied && index <= this.#given,
			() => `applied ${index}, but ${this.#applied}..${this.#given} was handed out`,
		);
		this.#applied = index;
		if (handsBack) this.#given = index;
	}

	/** Bytes of the entries above `from`, up to `to`. Those that were compacted away count nothing. */
	bytesBetween(from: LogIndex, to: LogIndex): number {
		return Math.max(0, this.#endOf(to) - this.#endOf(from));
	}

	/** Bytes that are committed and not applied. */
	get unappliedBytes(): number {
		return this.bytesBetween(this.#applied, this.#commit);
	}

	#endOf(index: LogIndex): number {
		return this.#ends[index - this.#firstIndex] ?? this.#endBefore;
	}

	/** Entries from `from`: at least one if there is one, and no more than `bytesMax` beyond that. */
	slice(from: LogIndex, bytesMax: number, to: LogIndex = this.lastIndex): Entry[] {
		const taken: Entry[] = [];
		let bytes = 0;
		for (let index = from; index <= to; index++) {
			const entry = this.#entries[index - this.#firstIndex]!;
			bytes += entryBytes(entry);
			if (bytes > bytesMax && taken.length > 0) break;
			taken.push(entry);
		}
		return taken;
	}

	get hasUnhanded(): boolean {
		return this.#handed < this.lastIndex;
	}

	/** Entries to be written, in the write called `sequence`. */
	takeUnhanded(sequence: number): readonly Entry[] {
		const from = this.#handed + 1;
		const entries = this.#entries.slice(from - this.#firstIndex);
		this.#handed = this.lastIndex;
		this.#pendingSyncs.push({ sequence, firstIndex: from });
		return entries;
	}

	/** Writes up to `sequence` are synced. */
	synced(sequence: number): void {
		let done = 0;
		for (const pending of this.#pendingSyncs) {
			if (pending.sequence > sequence) break;
			done++;
		}
		if (done === this.#pendingSyncs.length) this.#pendingSyncs = [];
		else this.#pendingSyncs.splice(0, done);
	}

	get hasCommitted(): boolean {
		return this.#given < this.#commit;
	}

	/** The next committed entries to apply, about `bytesMax` of them. */
	takeCommitted(bytesMax: number): readonly Entry[] {
		if (this.#given === this.#commit) return [];
		const entries = this.slice(this.#given + 1, bytesMax, this.#commit);
		this.#given += entries.length;
		return entries;
	}

	/** Whether an entry for which `test` holds is committed and not yet applied. */
	hasUnapplied(test: (entry: Entry) => boolean): boolean {
		for (let index = this.#applied + 1; index <= this.#commit; index++) {
			if (test(this.entry(index)!)) return true;
		}
		return false;
	}

	compact(index: LogIndex): void {
		if (index < this.#firstIndex) return;
		assert(index <= this.#applied, () => `compacting ${index}, applied is ${this.#applied}`);
		assert(index <= this.#handed, "entries are written before they are forgotten");
		this.#previousTerm = this.term(index)!;
		this.#endBefore = this.#endOf(index);
		if (index === this.lastIndex) {
			// What is cut from an array leaves its room behind.
			this.#entries = [];
			this.#ends = [];
		} else {
			this.#entries.splice(0, index + 1 - this.#firstIndex);
			this.#ends.splice(0, index + 1 - this.#firstIndex);
		}
		this.#firstIndex = index + 1;
	}

	/**
	 * The state machine was replaced by a snapshot. If the log holds the snapshot's last entry, what follows stays: it may
	 * have been acknowledged, and the leader may have counted it.
	 */
	restore(metadata: SnapshotMetadata): void {
		assert(metadata.index >= this.#applied, () => `snapshot ${metadata.index} goes back`);
		assert(this.#given === this.#applied, "no entry is being applied while a snapshot comes in");
		if (this.term(metadata.index) !== metadata.term) {
			assert(metadata.index > this.#commit, "a snapshot contradicts a committed entry");
			this.#entries = [];
			this.#ends = [];
			this.#firstIndex = metadata.index + 1;
			this.#previousTerm = metadata.term;
			this.#handed = metadata.index;
			for (const pending of this.#pendingSyncs) pending.firstIndex = Number.POSITIVE_INFINITY;
		}
		this.#handed = Math.max(this.#handed, metadata.index);
		this.#commit = Math.max(this.#commit, metadata.index);
		this.#given = Math.max(this.#given, metadata.index);
		this.#applied = metadata.index;
		this.compact(metadata.index);
	}

	/** See `RaftGroup.dump`. */
	dump(): unknown {
		assert(this.#pendingSyncs.length === 0, "every write is synced");
		return {
			entries: this.#entries,
			firstIndex: this.#firstIndex,
			previousTerm: this.#previousTerm,
			commit: this.#commit,
			applied: this.#applied,
			given: this.#given,
			handed: this.#handed,
		};
	}

	/**
	 * The highest index at or below `index` whose term is at most `term`: where two logs may last have agreed. Lets a
	 * leader skip a whole term a message instead of one entry (Raft paper, section 5.3).
	 */
	lastAtOrBelowTerm(index: LogIndex, term: Term): LogIndex {
		let at = Math.min(index, this.lastIndex);
		while (at >= this.#firstIndex && this.term(at)! > term) at--;
		return at;
	}
}
