/**
 * Writes that the leaseholder has accepted and that are not applied yet (L4). They are visible to its readers from the tick
 * in which they are accepted, and stop being pending only as L4 says: never by a timeout or by stepping down.
 */

import { assert } from "@quorate/keys/assert";
import type { TransactionId } from "@quorate/keys/ids";
import type { Key, Span } from "@quorate/keys/key";
import { spanContains } from "@quorate/keys/key";
import { SparseMap, SparseSet } from "@quorate/keys/sparse-map";
import type { Timestamp } from "@quorate/keys/timestamp";

/** The writes of one accepted command. */
export interface PendingGroup {
	readonly transaction: TransactionId;
	readonly anchor: Key;
	readonly p: Timestamp;
	readonly chunk: number;
	/** Lease sequence under which it was accepted. */
	readonly sequence: number;
	/** Command number; 0 until it is proposed. */
	number: number;
	readonly writes: readonly PendingWrite[];
	/** True for a one-phase commit, which leaves no intents. */
	readonly onePhase: boolean;
	/** It may still be withdrawn because something that it read has changed. */
	readonly validates: boolean;
	/** The pending writes whose values it read, by key. Forgotten when it ends: a chain may go on for ever. */
	builtOn: ReadonlyMap<Key, PendingGroup>;
	/** Of a one-phase commit that was proposed; 0 before. */
	c: Timestamp;
}

export interface PendingWrite {
	readonly key: Key;
	readonly value: Uint8Array | null;
	readonly mark: boolean;
}

export interface PendingOnKey {
	readonly group: PendingGroup;
	readonly write: PendingWrite;
}

export class PendingWrites {
	readonly #byKey = new SparseMap<Key, PendingOnKey[]>();
	/** Proposed groups by number, in order of the numbers. */
	readonly #proposed = new SparseMap<number, PendingGroup>();
	readonly #unproposed = new SparseSet<PendingGroup>();
	/** Called once, when one that was not proposed is, or is gone. */
	#onUnproposed: (() => void)[] = [];

	accept(group: PendingGroup): void {
		for (const write of group.writes) {
			const list = this.#byKey.get(write.key);
			if (list === undefined) {
				this.#byKey.set(write.key, [{ group, write }]);
			} else {
				list.push({ group, write });
			}
		}
		this.#unproposed.add(group);
	}

	proposed(group: PendingGroup, number: number): void {
		assert(this.#unproposed.delete(group), "L4: a pending write was proposed twice");
		group.number = number;
		this.#proposed.set(number, group);
		this.#unproposedChanged();
	}

	/** Some that was accepted is not in the log yet. */
	get hasUnproposed(): boolean {
		return this.#unproposed.size > 0;
	}

	/** Some that was accepted with p below `s` is not in the log yet. */
	hasUnproposedBelow(s: Timestamp): boolean {
		for (const { p } of this.#unproposed) {
			if (p < s) {
				return true;
			}
		}
		return false;
	}

	/** Resolves when one that was not proposed is, or is gone. */
	nextProposal(): Promise<void> {
		return new Promise((resolve) => this.#onUnproposed.push(resolve));
	}

	#unproposedChanged(): void {
		if (this.#onUnproposed.length > 0) {
			const waiting = this.#onUnproposed;
			this.#onUnproposed = [];
			for (const wake of waiting) {
				wake();
			}
		}
	}

	/** Allowed only before it was proposed. */
	withdraw(group: PendingGroup): void {
		assert(this.#unproposed.delete(group), "L4: a pending write was withdrawn after its proposal");
		this.#forget(group);
		this.#unproposedChanged();
	}

	/** The entry with this number was applied or rejected at apply. `accepted`: it ends all with lower numbers, too. Returns the ended. */
	applied(sequence: number, number: number, accepted: boolean): PendingGroup[] {
		const ended: PendingGroup[] = [];
		for (const [n, group] of this.#proposed) {
			if (group.sequence === sequence && (n === number || (accepted && n < number))) {
				ended.push(group);
			}
			if (n >= number) {
				break;
			}
		}
		for (const group of ended) {
			this.#proposed.delete(group.number);
			this.#forget(group);
		}
		return ended;
	}

	/** An entry of a newer lease was applied: everything of older leases ends. Returns the ended. */
	leaseEnded(current: number): PendingGroup[] {
		const ended = [...this.#proposed.values(), ...this.#unproposed].filter(
			(g) => g.sequence < current,
		);
		for (const group of ended) {
			if (group.number > 0) {
				this.#proposed.delete(group.number);
			}
			this.#unproposed.delete(group);
			this.#forget(group);
		}
		this.#unproposedChanged();
		return ended;
	}

	on(key: Key): readonly PendingOnKey[] {
		return this.#byKey.get(key) ?? none;
	}

	/** Keys of a span with pending writes. The table is small: a scan of it beats an order kept on the hot path. */
	in(span: Span): Key[] {
		const keys: Key[] = [];
		for (const key of this.#byKey.keys()) {
			if (spanContains(span, key)) {
				keys.push(key);
			}
		}
		return keys.sort();
	}

	/** All groups. */
	*all(): Generator<PendingGroup> {
		yield* this.#proposed.values();
		yield* this.#unproposed;
	}

	get groups(): number {
		return this.#proposed.size + this.#unproposed.size;
	}

	/** The lowest p of all: the GC threshold stays below it. */
	lowestP(): Timestamp | undefined {
		let low: Timestamp | undefined;
		for (const set of [this.#proposed.values(), this.#unproposed]) {
			for (const group of set) {
				if (low === undefined || group.p < low) {
					low = group.p;
				}
			}
		}
		return low;
	}

	#forget(group: PendingGroup): void {
		group.builtOn = noBases;
		for (const write of group.writes) {
			const list = this.#byKey.get(write.key);
			if (list === undefined) {
				continue;
			}
			const rest = list.filter((x) => x.group !== group);
			if (rest.length === 0) {
				this.#byKey.delete(write.key);
			} else {
				this.#byKey.set(write.key, rest);
			}
		}
	}
}

const none: readonly PendingOnKey[] = [];
export const noBases: ReadonlyMap<Key, PendingGroup> = new Map();
