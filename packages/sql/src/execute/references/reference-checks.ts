/**
 * What a statement owes to foreign keys, done once it has written all its rows, as PostgreSQL's triggers are: of rows that
 * were written, that what they refer to is there; of keys that went, what the constraint says for the rows that refer to them. What
 * that writes owes the same again.
 *
 * 1. Who writes a row that refers to a key has read that key, locked FOR KEY SHARE: it must be there when the transaction commits.
 * 2. Who takes a key away has read all rows that refer to it, and that there are no more: that must hold when the transaction commits.
 *    Of two transactions of which each does one of these, only one can commit (design, T: validation is safety), at every level.
 * 3. A key that was found once during a statement is not looked at again: if the transaction takes it away later, 2 looks at the rows
 *    that there are by then, and the key is unknown again.
 * 4. What is left of deferred constraints is handed over once all else is done, so that a statement that fails leaves nothing.
 */
import type { Key } from "@quorate/keys/key";
import type { LockRequest } from "@quorate/txn/types";
import type { Datum } from "../../types/datum.ts";
import { Env, type ExecRow, type Execution } from "../env.ts";
import { entryTarget } from "../index-codec.ts";
import { applyAction } from "./actions.ts";
import type { Reference, TableReferences } from "./reference.ts";
import { referrers } from "./referrers.ts";
import { missingKey, stillReferenced } from "./violations.ts";

/** Something to be looked at. `schemaVersion`: what it was made with. */
export type ReferenceEvent = { readonly reference: Reference; readonly schemaVersion: number } & (
	| { readonly kind: "refers"; readonly row: ExecRow; readonly key: Key }
	| { readonly kind: "gone"; readonly row: ExecRow; readonly newRow: ExecRow | undefined }
);

type Refers = Extract<ReferenceEvent, { kind: "refers" }>;
type Gone = Extract<ReferenceEvent, { kind: "gone" }>;

/** Only whether it is there counts, and that nobody takes it away before the commit. */
const present: LockRequest = { strength: "key share", wait: "block", presence: true };
const peek: LockRequest = { ...present, peek: true };
const keyShare: LockRequest = { strength: "key share", wait: "block" };
/** Rows of a statement that wait to be looked at, about, and keys looked up in one call. */
const settledAt = 1000;
const lookupSize = 256;
/** Keys that are remembered to be there. */
const knownMax = 100_000;

export class ReferenceChecks {
	readonly #execution: Execution;
	#events: ReferenceEvent[] = [];
	#later: ReferenceEvent[] = [];
	readonly #known = new Set<Key>();
	/** Events that are looked at from here on; those before were, and wait for the statement's end. */
	#settleNext = settledAt;

	constructor(execution: Execution) {
		this.#execution = execution;
	}

	#add(event: ReferenceEvent): void {
		this.#events.push(event);
	}

	written(references: TableReferences, row: ExecRow, key: Key): void {
		const { schemaVersion } = this.#execution.store;
		for (const reference of references.own) {
			if (reference.refers(row) || reference.isMixed(row)) {
				this.#add({ kind: "refers", reference, row, key, schemaVersion });
			}
		}
	}

	deleted(references: TableReferences, row: ExecRow): void {
		const { schemaVersion } = this.#execution.store;
		for (const reference of references.referrers) {
			if (reference.ownKeyOf(row) === undefined) continue;
			this.#add({ kind: "gone", reference, row, newRow: undefined, schemaVersion });
		}
	}

	updated(
		references: TableReferences,
		before: { readonly row: ExecRow; readonly key: Key },
		after: { readonly row: ExecRow; readonly key: Key },
	): void {
		const { schemaVersion } = this.#execution.store;
		for (const reference of references.referrers) {
			const old = reference.ownKeyOf(before.row);
			if (old === undefined || old === reference.ownKeyOf(after.row)) continue;
			this.#add({ kind: "gone", reference, row: before.row, newRow: after.row, schemaVersion });
		}
		for (const reference of references.own) {
			// A row that has moved: who is to look at it later would not find it.
			const isSame = before.key === after.key && reference.isSameReference(before.row, after.row);
			if (isSame || !(reference.refers(after.row) || reference.isMixed(after.row))) continue;
			const { row, key } = after;
			this.#add({ kind: "refers", reference, row, key, schemaVersion });
		}
	}

	/** Between batches of a large statement: forgets the rows of which all is well already. */
	async settle(): Promise<void> {
		if (this.#events.length < this.#settleNext) return;
		const events = this.#events;
		this.#events = [];
		const kept = new Set<ReferenceEvent>(await this.#failing(events.filter(isRefers)));
		this.#events = events.filter((event) => event.kind === "gone" || kept.has(event));
		this.#settleNext = this.#events.length + settledAt;
	}

	/** All that the statement owes. Throws 23503, and what the writing of rows throws. */
	async run(given: readonly ReferenceEvent[] = []): Promise<void> {
		this.#events.push(...given);
		while (this.#events.length > 0) {
			const events = this.#events;
			this.#events = [];
			for (let i = 0; i < events.length; ) {
				const event = events[i]!;
				if (event.kind === "gone") {
					await this.#gone(event);
					i++;
					continue;
				}
				let end = i + 1;
				while (end < events.length && events[end]!.kind === "refers" && end - i < lookupSize) end++;
				const [failing] = await this.#failing(events.slice(i, end).filter(isRefers), true);
				if (failing !== undefined) {
					throw missingKey(failing.reference, failing.row, this.#execution.context);
				}
				i = end;
			}
			const pause = this.#execution.pause();
			if (pause !== undefined) await pause;
		}
		if (this.#later.length === 0) return;
		this.#execution.deferred?.add(this.#later);
		this.#later = [];
	}

	#isDeferred(reference: Reference): boolean {
		return this.#execution.deferred?.isDeferred(reference.key) === true;
	}

	/** Rows that refer to nothing, in their order. `ends`: what is deferred is put off for good, and who has changed since is let go. */
	async #failing(events: readonly Refers[], ends = false): Promise<readonly Refers[]> {
		const due = events.filter(({ reference }) => !this.#isDeferred(reference));
		const absent = await this.#absent(due);
		const failing: Refers[] = [];
		for (const event of events) {
			const { reference, row } = event;
			// Not even read: nobody has to wait for what is deferred.
			if (this.#isDeferred(reference)) {
				(ends ? this.#later : failing).push(event);
				continue;
			}
			const key = reference.refers(row) ? reference.parentKeyOf(row) : undefined;
			if (key !== undefined && !absent.has(key)) continue;
			if (!ends || (await this.#stillRefers(event))) failing.push(event);
		}
		return failing;
	}

	async #absent(events: readonly Refers[]): Promise<ReadonlySet<Key>> {
		const wanted = new Map<Reference, Set<Key>>();
		for (const { reference, row } of events) {
			const key = reference.refers(row) ? reference.parentKeyOf(row) : undefined;
			if (key === undefined || this.#known.has(key)) continue;
			const keys = wanted.get(reference);
			if (keys === undefined) wanted.set(reference, new Set([key]));
			else keys.add(key);
		}
		const absent = new Set<Key>();
		for (const [reference, keys] of wanted) {
			const all = [...keys];
			for (let i = 0; i < all.length; i += lookupSize) {
				await this.#look(reference, all.slice(i, i + lookupSize), absent);
			}
		}
		return absent;
	}

	async #look(reference: Reference, keys: readonly Key[], absent: Set<Key>): Promise<void> {
		const { store } = this.#execution;
		// Who takes the key away has locked its row: that is waited for before the entry is, which he has not.
		if (!reference.parentIndex.isPrimary) await this.#lockRows(reference, keys);
		const values = await store.get(keys, present);
		if (this.#known.size > knownMax) this.#known.clear();
		for (const [i, key] of keys.entries()) {
			if (values[i] === undefined) absent.add(key);
			else this.#known.add(key);
		}
	}

	/** Of unique entries. */
	async #lockRows(reference: Reference, keys: readonly Key[]): Promise<void> {
		const { store } = this.#execution;
		const entries = await store.get(keys, peek);
		const rows = entries.flatMap((entry) =>
			entry === undefined ? [] : [entryTarget(reference.parent.primaryPrefix, entry)],
		);
		if (rows.length > 0) await store.get(rows, present);
	}

	/** It may have been changed or deleted since. */
	async #stillRefers({ reference, row, key }: Refers): Promise<boolean> {
		const { child } = reference;
		const [value] = await this.#execution.store.get([key], keyShare);
		if (value === undefined) return false;
		const now: Datum[] = new Array(child.row.width);
		child.row.decode(value, now, 0, undefined);
		return reference.isSameReference(now, row);
	}

	async #gone(event: Gone): Promise<void> {
		const { reference, row, newRow } = event;
		this.#known.delete(reference.ownKeyOf(row)!);
		const { onDelete, onUpdate } = reference.key;
		const action = newRow === undefined ? onDelete : onUpdate;
		switch (action) {
			case "no action":
				if (this.#isDeferred(reference)) this.#later.push(event);
				else await this.#refuse(reference, row, true);
				return;
			case "restrict":
				await this.#refuse(reference, row, false);
				return;
			default: {
				const env = new Env(this.#execution, []);
				await applyAction(reference, action, row, newRow, env);
				// Rows that had the default before were not changed, and may refer to the key that goes.
				if (action === "set default") await this.#refuse(reference, row, true);
			}
		}
	}

	/** Throws 23503. `mayReturn`: another row may have taken the key over. */
	async #refuse(reference: Reference, row: ExecRow, mayReturn: boolean): Promise<void> {
		if (mayReturn) {
			const [value] = await this.#execution.store.get([reference.ownKeyOf(row)!], present);
			if (value !== undefined) return;
		}
		const values = reference.childValues(row);
		if (values === undefined) return;
		for await (const _found of referrers(reference, values, this.#execution, keyShare)) {
			throw stillReferenced(reference, row, this.#execution.context);
		}
	}
}

const isRefers = (event: ReferenceEvent): event is Refers => event.kind === "refers";
