/**
 * One transaction of a session: its KV transaction, opened with the first statement that needs one, its savepoints, what
 * its schema changes look like, and what is to be done once it has committed.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import type { IssuedTimestamp } from "@quorate/replica/timestamp-source";
import type { Isolation, Savepoint, Transaction, TransactionMode } from "@quorate/txn/types";
import type { AnyDescriptor, CatalogChanges, CatalogSnapshot } from "../catalog/snapshot.ts";
import { ConstraintTimes } from "./constraint-times.ts";
import type { CursorMark } from "./cursors.ts";
import { SchemaReliance } from "./schema-reliance.ts";
import type { SessionNotifications } from "./session-notifications.ts";
import type { SettingsState } from "./settings.ts";
import type { WriteFences } from "./write-fence.ts";

export interface Characteristics {
	isolation: Isolation;
	mode: TransactionMode;
	readOnly: boolean;
	deferrable: boolean;
	lockTimeoutMs: number;
	/** Its statements that only read take the past, from this node's replicas. */
	followerReads: boolean;
}

interface NamedSavepoint {
	readonly name: string;
	/** Undefined: the KV transaction had not begun. */
	readonly savepoint: Savepoint | undefined;
	readonly changes: CatalogChanges;
	readonly settings: SettingsState;
	readonly isReadOnly: boolean;
	readonly tasks: number;
	/** Advisory locks taken for the transaction before it. */
	readonly locks: number;
	readonly notifications: NotificationMark;
	readonly constraints: ReturnType<ConstraintTimes["save"]>;
	readonly cursors: CursorMark;
}

type NotificationMark = ReturnType<SessionNotifications["mark"]>;

/** What a session goes back to, beside rows and catalog. */
export interface BeforeSavepoint {
	readonly settings: SettingsState;
	readonly locks: number;
	readonly notifications: NotificationMark;
	readonly cursors: CursorMark;
}

const noChanges: CatalogChanges = new Map();

const failedTransaction = (): DatabaseError =>
	new DatabaseError(
		"25P02",
		"current transaction is aborted, commands ignored until end of transaction block",
	);

/** In one transaction at a time. */
const savepointsMax = 65_536;

export class TransactionBlock {
	/** BEGIN was given: ends with COMMIT or ROLLBACK only. */
	explicit: boolean;
	failed = false;
	/** Somebody else has ended it: what the session is told whatever it does in it, but for ROLLBACK. */
	ended: DatabaseError | undefined;
	readonly characteristics: Characteristics;
	readonly settingsBefore: SettingsState;
	transaction: Transaction | undefined;
	/** A query was run: what the transaction was begun with holds to its end. */
	hasQueried = false;
	/** AS OF SYSTEM TIME: where all of it reads. */
	asOf: IssuedTimestamp | undefined;
	/** What others may begin with while it is open: pg_export_snapshot(). */
	exported: string | undefined;
	/** txid_current(). */
	number: bigint | undefined;
	/** Schema changes of this transaction. */
	changes: CatalogChanges = noChanges;
	/** What its statements have taken from the catalog. */
	readonly reliance = new SchemaReliance();
	/** What is deferred to its end. */
	readonly constraints = new ConstraintTimes();
	/** The catalog with them, kept until either changes. */
	#overlay:
		| {
				readonly base: CatalogSnapshot;
				readonly changes: CatalogChanges;
				readonly snapshot: CatalogSnapshot;
		  }
		| undefined;
	/** It has done what no rollback takes back: none of its statements may be run a second time unseen. */
	hasLasting = false;
	/** It is of one statement, and no other comes. */
	isAlone = false;
	/** Tables that nobody else writes until it has ended, and why that is so; undefined: none. */
	fences: WriteFences | undefined;
	/** Run in order once it has committed, before the client is answered. */
	readonly afterCommit: (() => Promise<void>)[] = [];
	#savepoints: NamedSavepoint[] = [];

	constructor(explicit: boolean, characteristics: Characteristics, settings: SettingsState) {
		this.explicit = explicit;
		this.characteristics = characteristics;
		this.settingsBefore = settings;
	}

	/** Why it takes no more statements. */
	get refusal(): DatabaseError | undefined {
		if (this.ended !== undefined) return this.ended;
		return this.failed ? failedTransaction() : undefined;
	}

	get hasSavepoints(): boolean {
		return this.#savepoints.length > 0;
	}

	/** It was read-only when the innermost savepoint was made. */
	get isReadOnlyAround(): boolean {
		return this.#savepoints.at(-1)?.isReadOnly === true;
	}

	get changesSchema(): boolean {
		return this.changes.size > 0;
	}

	overlay(base: CatalogSnapshot): CatalogSnapshot {
		if (this.changes.size === 0) return base;
		if (this.#overlay?.base !== base || this.#overlay.changes !== this.changes) {
			const snapshot = base.withChanges(this.changes);
			this.#overlay = { base, changes: this.changes, snapshot };
		}
		return this.#overlay.snapshot;
	}

	noteChange(oid: number, descriptor: AnyDescriptor | undefined): void {
		this.changes = new Map(this.changes).set(oid, descriptor);
	}

	/** Object ids. */
	drop(oids: readonly number[]): void {
		for (const oid of oids) this.noteChange(oid, undefined);
	}

	/** Throws 54000. */
	addSavepoint(name: string, before: BeforeSavepoint): void {
		if (this.#savepoints.length >= savepointsMax) {
			throw new DatabaseError("54000", `more than ${savepointsMax} savepoints`, {
				hint: "Use RELEASE SAVEPOINT on those that are not needed any more.",
			});
		}
		this.#savepoints.push({
			name,
			savepoint: this.transaction?.savepoint(),
			changes: this.changes,
			constraints: this.constraints.save(),
			...before,
			isReadOnly: this.characteristics.readOnly,
			tasks: this.afterCommit.length,
		});
	}

	/** Throws 3B001. */
	async rollbackTo(name: string): Promise<BeforeSavepoint> {
		const index = this.#find(name);
		const found = this.#savepoints[index]!;
		this.#savepoints = this.#savepoints.slice(0, index + 1);
		if (found.savepoint !== undefined) await this.transaction!.rollbackTo(found.savepoint);
		else if (this.transaction !== undefined) this.#undoAll();
		this.changes = found.changes;
		this.constraints.restore(found.constraints);
		this.characteristics.readOnly = found.isReadOnly;
		this.afterCommit.length = found.tasks;
		this.failed = false;
		return found;
	}

	/** The savepoint was made before the KV transaction: all of that is undone, its locks with it. */
	#undoAll(): void {
		const { transaction } = this;
		this.transaction = undefined;
		void transaction?.rollback();
	}

	release(name: string): void {
		this.#savepoints = this.#savepoints.slice(0, this.#find(name));
	}

	#find(name: string): number {
		for (let i = this.#savepoints.length - 1; i >= 0; i--) {
			if (this.#savepoints[i]!.name === name) return i;
		}
		throw new DatabaseError("3B001", `savepoint "${name}" does not exist`);
	}
}
