/** The state that all parts of a session work on, and the life of its transactions. */

import { DatabaseError } from "@quorate/keys/database-error";
import { durationMs } from "@quorate/keys/duration";
import { type Timestamp, timestampZero } from "@quorate/keys/timestamp";
import { ConflictError } from "@quorate/txn/conflict-error";
import type { SessionLocks } from "@quorate/txn/session-locks";
import {
	type Isolation,
	KeyExistsError,
	type Transaction,
	type TransactionMode,
} from "@quorate/txn/types";
import { mayReadRows, requireSuperuser, withoutUnseenRow } from "../auth/authorize.ts";
import { mayUseSequence } from "../auth/privileges.ts";
import type {
	RelationDescriptor,
	SequenceDescriptor,
	TableDescriptor,
} from "../catalog/descriptor.ts";
import { type RoleDescriptor, signalBackendOid } from "../catalog/role.ts";
import { rowFieldsIn } from "../catalog/row-fields.ts";
import type { CatalogSnapshot } from "../catalog/snapshot.ts";
import { gapsOf } from "../catalog/system-activity.ts";
import { isTemporary } from "../catalog/temporary.ts";
import { namedError, withTypeNames } from "../catalog/type-names.ts";
import { describeLockError, isLockError } from "../execute/lock-errors.ts";
import { describeKey, keyViolation } from "../execute/violation.ts";
import type { CatalogUse } from "../plan/catalog-use.ts";
import type { StatementPlan } from "../plan/statement-plan.ts";
import type { ClusterActivity, NodeChange } from "../types/cluster-access.ts";
import type { Datum, RowField } from "../types/datum.ts";
import { isRowType, objectIdOf } from "../types/made-oids.ts";
import { callAdvisory } from "./advisory-calls.ts";
import { StatementCancel } from "./cancel.ts";
import { Cursors } from "./cursors.ts";
import { KeptMemory, KeptNames } from "./kept-names.ts";
import type { NodeServices } from "./node-services.ts";
import type { PlanCache } from "./plan-cache.ts";
import type { QuoratePortal } from "./portal.ts";
import type { Prepared } from "./prepared.ts";
import { runDeferred } from "./run-constraints.ts";
import { lockSchema } from "./schema-lock.ts";
import { schemaChanges } from "./schema-reliance.ts";
import type { SequenceBlocks } from "./sequence-blocks.ts";
import { SessionActivity } from "./session-activity.ts";
import { SessionContext } from "./session-context.ts";
import { SessionIdentity } from "./session-identity.ts";
import { SessionNotifications } from "./session-notifications.ts";
import { SessionTimeouts } from "./session-timeouts.ts";
import { cursorRows, preparedRows, settingRows } from "./session-views.ts";
import { sizeBytes } from "./setting-definitions.ts";
import { Settings } from "./settings.ts";
import { exportSnapshot } from "./snapshots.ts";
import { withoutLiterals } from "./statement-text.ts";
import { TemporaryObjects } from "./temporary-objects.ts";
import type { TemporarySequences } from "./temporary-sequences.ts";
import { TemporaryTransaction } from "./temporary-transaction.ts";
import { type Characteristics, TransactionBlock } from "./transaction-block.ts";
import type { Notice, ResultSink, TransactionStatus } from "./types.ts";

type Ended = Awaited<ReturnType<Transaction["commit"]>>;

/** How long an answer to DDL waits for nodes that have not seen the new version. */
export const schemaWaitMs = 5000;

export class SessionState {
	readonly services: NodeServices;
	readonly settings: Settings;
	readonly identity: SessionIdentity;
	readonly context: SessionContext;
	readonly cancel: StatementCancel;
	readonly activity: SessionActivity;
	readonly statements: KeptNames<Prepared>;
	/** Of the extended protocol. */
	readonly portals: KeptNames<QuoratePortal>;
	readonly cursors = new Cursors();
	readonly advisory: SessionLocks;
	readonly notifications: SessionNotifications;
	block: TransactionBlock | undefined;
	/** Why it has to end: whatever it does next, that is what it is told. */
	terminated: DatabaseError | undefined;
	/** Told when there is something to do for it while no statement runs. */
	onAttention: (() => void) | undefined;
	readonly timeouts: SessionTimeouts;
	readonly temporary: TemporaryObjects;
	/** Where notices and changed settings go while a statement runs. */
	sink: ResultSink | undefined;
	/** The catalog of the statement that runs, or ran last. */
	snapshot: CatalogSnapshot | undefined;
	/** currval, by OID of the sequence. */
	readonly #current = new Map<number, bigint>();
	#last: bigint | undefined;
	/** What the session has seen or written: what it reads of the past is not older. */
	#floor: Timestamp = timestampZero;
	/** Of the last transaction that wrote. */
	#committedAt: Timestamp | undefined;

	constructor(services: NodeServices, role: RoleDescriptor, backendPid: number, address: string) {
		this.services = services;
		this.settings = new Settings(
			() => services.placement.settings(),
			(name) => this.#settingChanged(name),
		);
		const memory = new KeptMemory(services.keptPool, () =>
			sizeBytes(this.settings.value("session_memory")),
		);
		const countMax = (setting: string) => () => Number(this.settings.value(setting));
		this.statements = new KeptNames(
			{
				what: "prepared statements",
				setting: "max_prepared_statements",
				countMax: countMax("max_prepared_statements"),
				others: () => 0,
				hint: "Use DEALLOCATE, or Close of the protocol, on those that are not needed any more.",
			},
			memory,
		);
		this.portals = new KeptNames(
			{
				what: "portals and cursors",
				setting: "max_portals",
				countMax: countMax("max_portals"),
				others: () => this.cursors.size,
				hint: "Close those that are not needed any more, or end the transaction.",
			},
			memory,
		);
		this.temporary = new TemporaryObjects(services.temporaryMemory);
		this.activity = new SessionActivity(services.runtime, address);
		this.cancel = new StatementCancel(services.runtime);
		this.timeouts = new SessionTimeouts(services.runtime, this.settings, (reason) =>
			this.terminate(reason),
		);
		this.identity = new SessionIdentity(this.settings, role);
		this.context = new SessionContext({
			runtime: services.runtime,
			settings: this.settings,
			cancel: this.cancel,
			identity: this.identity,
			database: services.database,
			backendPid,
			calls: {
				catalog: () => this.snapshot,
				catalogCall: (name, args) => this.#catalogCall(name, args),
				rowFields: (oid) => this.#rowFields(oid),
				sequenceCall: (name, args) => this.#sequenceCall(name, args),
				sequenceState: async (oid) => {
					const sequence = this.#sequence(oid);
					return this.#valuesOf(sequence).read(sequence);
				},
				characteristic: (name) => this.characteristic(name),
				setIdentity: (name, value, local) => this.#setIdentity(name, value, local),
				advisoryCall: (name, args) => callAdvisory(this, name, args),
				notify: (channel, payload) => this.notifications.notify(channel, payload),
				listeningChannels: () => this.notifications.channels(),
				sessionRows: (view) => {
					if (view === "pg_settings") return settingRows(this.settings);
					return view === "pg_cursors" ? cursorRows(this.cursors) : preparedRows(this.statements);
				},
				notificationUsage: () => this.notifications.usage,
				clusterActivity: (withAdvisory) => this.#clusterActivity(withAdvisory),
				signalBackend: (process, what) => this.#signalBackend(process, what),
				clusterOverview: async () => ({
					nodes: [],
					silent: [],
					overview: await this.services.cluster.overview(),
				}),
				clusterStatements: () => this.#clusterStatements(),
				changeNode: (node, change) => this.#changeNode(node, change),
				timestampCall: (which) => this.#timestampCall(which),
				transactionNumber: (drawn) => this.#transactionNumber(drawn),
			},
		});
		this.advisory = services.advisory.open(backendPid, {
			running: () => (this.cancel.isRunning ? this.block?.transaction?.lockOwner : undefined),
			lost: (error) => this.terminate(error),
		});
		this.notifications = new SessionNotifications(services.notifications, {
			pid: backendPid,
			database: services.databaseOid,
			channelsMax: countMax("max_channels"),
			attention: () => this.onAttention?.(),
			terminate: (reason) => this.terminate(reason),
		});
	}

	/** The session ends: a statement that runs stops where it would wait. */
	terminate(reason: DatabaseError): void {
		this.terminated ??= reason;
		this.cancel.cancel(this.terminated);
		this.onAttention?.();
	}

	get status(): TransactionStatus {
		const { block } = this;
		if (block === undefined || !block.explicit) return block?.failed === true ? "E" : "I";
		return block.failed ? "E" : "T";
	}

	#timeout = { version: -1, ms: 0 };
	#slow = { version: -1, ms: 0 };
	#begun: { readonly version: number; readonly characteristics: Characteristics } = {
		version: -1,
		characteristics: {
			isolation: "serializable",
			mode: "pessimistic",
			readOnly: false,
			deferrable: false,
			lockTimeoutMs: 0,
			followerReads: false,
		},
	};

	get statementTimeoutMs(): number {
		const { settings } = this;
		if (this.#timeout.version !== settings.version) {
			const ms = durationMs(settings.value("statement_timeout"));
			this.#timeout = { version: settings.version, ms };
		}
		return this.#timeout.ms;
	}

	/** Told to whoever looks after the cluster: without what literals say, which others may not see. */
	ended(prepared: Prepared | undefined, ms: number, failed: boolean): void {
		const { statistics, runtime } = this.services;
		statistics.note(prepared, ms, failed);
		if (ms < this.#slowMs() || prepared?.lexed === undefined) return;
		runtime.logger.log("info", "slow statement", {
			durationMs: Math.round(ms),
			process: this.context.backendPid,
			user: this.context.sessionUser,
			statement: withoutLiterals(prepared.lexed),
		});
	}

	#slowMs(): number {
		const { settings } = this;
		if (this.#slow.version !== settings.version) {
			const value = settings.value("log_min_duration_statement");
			const ms = value === "-1" ? Number.POSITIVE_INFINITY : durationMs(value);
			this.#slow = { version: settings.version, ms };
		}
		return this.#slow.ms;
	}

	notice(severity: Notice["severity"], code: string, message: string, detail?: string): void {
		const shown = this.snapshot === undefined ? message : this.#named(this.snapshot, message);
		const told = detail && this.snapshot ? this.#named(this.snapshot, detail) : detail;
		this.sink?.notice({
			severity,
			code,
			message: shown,
			...(told === undefined ? {} : { detail: told }),
		});
	}

	#settingChanged(name: string): void {
		const entry = this.settings.reported().find(([shown]) => shown.toLowerCase() === name);
		if (entry !== undefined) this.sink?.parameter(entry[0], entry[1]);
	}

	// Transactions

	begin(explicit: boolean): TransactionBlock {
		this.block = new TransactionBlock(explicit, { ...this.#defaults() }, this.settings.save());
		this.context.startTransaction();
		this.timeouts.began();
		return this.block;
	}

	/** What a transaction begins with, as the settings have it. */
	#defaults(): Characteristics {
		const { settings } = this;
		if (this.#begun.version !== settings.version) {
			const isolation = settings.value("default_transaction_isolation");
			this.#begun = {
				version: settings.version,
				characteristics: {
					isolation: (isolation === "read uncommitted" ? "read committed" : isolation) as Isolation,
					mode: settings.value("transaction_mode") as TransactionMode,
					readOnly: settings.value("default_transaction_read_only") === "on",
					deferrable: settings.value("default_transaction_deferrable") === "on",
					lockTimeoutMs: durationMs(settings.value("lock_timeout")),
					followerReads: settings.value("follower_reads") === "on",
				},
			};
		}
		return this.#begun.characteristics;
	}

	/** Settings that belong to the running transaction; folded names. Undefined: it is none of them. */
	characteristic(name: string): string | undefined {
		const { isolation, readOnly, deferrable, mode } =
			this.block?.characteristics ?? this.#defaults();
		switch (name) {
			case "transaction_isolation":
				return isolation;
			case "transaction_read_only":
				return readOnly ? "on" : "off";
			case "transaction_deferrable":
				return deferrable ? "on" : "off";
			case "transaction_mode":
				return mode;
			default:
				return undefined;
		}
	}

	/** The KV transaction of the block, begun now if it has not been. */
	open(block: TransactionBlock): Transaction | Promise<Transaction> {
		if (block.transaction !== undefined) return block.transaction;
		const newest = this.services.catalog.newest();
		if (newest instanceof Promise) return newest.then((snapshot) => this.#start(block, snapshot));
		return this.#start(block, newest);
	}

	/** The same, for a statement that may make temporary objects. */
	async openWithTemporary(block: TransactionBlock): Promise<Transaction> {
		const transaction = await this.open(block);
		if (transaction instanceof TemporaryTransaction) return transaction;
		block.transaction = new TemporaryTransaction(transaction, this.temporary.store);
		return block.transaction;
	}

	#start(block: TransactionBlock, snapshot: CatalogSnapshot): Transaction {
		const { isolation, mode, readOnly, lockTimeoutMs } = block.characteristics;
		block.hasQueried = true;
		const transaction = this.services.coordinator.begin({
			isolation,
			mode,
			readOnly,
			lockTimeoutMs,
			schemaVersion: snapshot.version,
			process: this.context.backendPid,
			oneStatement: !block.explicit,
			...(block.asOf === undefined ? {} : { asOf: block.asOf }),
		});
		block.transaction = this.temporary.isUsed
			? new TemporaryTransaction(transaction, this.temporary.store)
			: transaction;
		this.relyOnLocks();
		return block.transaction;
	}

	/** The open transaction commits only if the session's advisory locks are its own. */
	relyOnLocks(): void {
		const { transaction } = this.block ?? {};
		if (transaction !== undefined) this.services.advisory.fence(this.advisory, transaction);
	}

	/** A conflict because the session has lost its locks is no conflict to a client. */
	async #unlessLost(error: unknown): Promise<unknown> {
		if (
			error instanceof DatabaseError &&
			(error.code === "40001" || error.code === "72000") &&
			(await this.services.advisory.hasLost(this.advisory))
		) {
			return this.terminated ?? error;
		}
		return error;
	}

	/**
	 * Where the block's transaction may read the past, it does: a statement that only reads, in a transaction that is read-only or in
	 * none that was begun with BEGIN. What the session has seen or written itself is never gone.
	 */
	readClosed(block: TransactionBlock, plan: StatementPlan): void {
		const { followerReads, readOnly } = block.characteristics;
		if (followerReads && !plan.writes && (readOnly || !block.explicit)) {
			block.transaction!.readClosed(this.#floor);
		}
	}

	/** A query by itself may do without a block: nothing of the session hangs on the end of its transaction. */
	get isUnbound(): boolean {
		return (
			this.block === undefined &&
			!this.#defaults().followerReads &&
			!this.timeouts.limitsTransactions &&
			!this.advisory.isActive &&
			this.notifications.isAtRest &&
			this.cursors.size === 0 &&
			!this.temporary.isUsed
		);
	}

	/** Its transactions are as they are by default. */
	get isPlain(): boolean {
		const { isolation, mode, readOnly } = this.#defaults();
		return isolation === "serializable" && mode === "pessimistic" && !readOnly;
	}

	/** What was committed without a block. */
	noteCommit(timestamp: Timestamp | undefined): void {
		this.#committedAt = timestamp ?? this.#committedAt;
		this.note(timestamp);
	}

	/** What was seen: nothing older is read from here on. */
	note(timestamp: Timestamp | undefined): void {
		if (timestamp !== undefined && timestamp > this.#floor) this.#floor = timestamp;
	}

	/** Plans for the catalog as this session sees it. */
	get plans(): PlanCache {
		return this.temporary.plans ?? this.services.plans;
	}

	/** The newest catalog, as this session sees it outside of transactions. */
	newestCatalog(): CatalogSnapshot | Promise<CatalogSnapshot> {
		const newest = this.services.catalog.newest();
		return newest instanceof Promise
			? newest.then((catalog) => this.temporary.over(catalog))
			: this.temporary.over(newest);
	}

	/** The catalog that the transaction's next statement is planned with. */
	catalogOf(
		block: TransactionBlock,
		transaction: Transaction,
	): CatalogSnapshot | Promise<CatalogSnapshot> {
		const base = this.baseOf(block, transaction);
		if (base instanceof Promise) {
			return base.then((snapshot) => {
				this.snapshot = block.overlay(snapshot);
				return this.snapshot;
			});
		}
		this.snapshot = block.overlay(base);
		return this.snapshot;
	}

	/** The same without what the transaction has changed. The past has nothing temporary. */
	baseOf(
		block: TransactionBlock,
		transaction: Transaction,
	): CatalogSnapshot | Promise<CatalogSnapshot> {
		const base = this.services.catalog.of(transaction);
		if (block.asOf !== undefined || !this.temporary.isUsed) return base;
		return base instanceof Promise
			? base.then((catalog) => this.temporary.over(catalog))
			: this.temporary.over(base);
	}

	/** A relation as it is outside of the running transaction. */
	committedRelation(oid: number): RelationDescriptor | undefined {
		const { transaction } = this.block ?? {};
		if (transaction === undefined) return this.snapshot?.relation(oid);
		const base = this.services.catalog.of(transaction);
		return base instanceof Promise ? undefined : base.relation(oid);
	}

	/** Ends a block that has only read, without a promise. False: `commit` has to. */
	commitAtOnce(): boolean {
		const { transaction, ended, afterCommit, changesSchema, fences } = this.block!;
		if (changesSchema || fences !== undefined) return false;
		if (ended !== undefined || afterCommit.length > 0 || this.advisory.taken > 0) return false;
		if (!this.notifications.isAtRest || this.cursors.size > 0) return false;
		if (transaction?.endReadOnly() === false) return false;
		this.note(transaction?.readAt);
		this.block = undefined;
		this.timeouts.ended();
		this.settings.dropLocals();
		return true;
	}

	/** Ends the block. Rejects, with nothing left to roll back, if it did not commit. */
	async commit(): Promise<void> {
		const block = this.block!;
		this.timeouts.ended();
		let schemaVersion: number | undefined;
		try {
			if (block.ended !== undefined) throw block.ended;
			if (!block.constraints.isEmpty) await runDeferred(this, block);
			if (this.cursors.size > 0) await this.cursors.beforeCommit();
			schemaVersion = (await this.#commit(block))?.schemaVersion;
		} catch (error) {
			this.block = undefined;
			this.settings.restore(block.settingsBefore);
			this.notifications.rolledBack();
			await this.cursors.rolledBack();
			await block.transaction?.rollback();
			await block.fences?.release();
			await this.advisory.endTransaction();
			throw this.translate(await this.#unlessLost(error));
		}
		this.settings.dropLocals();
		if (this.cursors.size > 0) await this.cursors.committed();
		if (this.advisory.taken > 0) await this.advisory.endTransaction();
		if (schemaVersion !== undefined) {
			await this.services.placement.awaitSchemaVersion(schemaVersion, schemaWaitMs);
		}
		if (block.fences !== undefined) await block.fences.release();
		if (block.afterCommit.length > 0) await this.#afterCommit(block);
	}

	/** What can take long is cancelled as a statement is, also where Sync has ended that. */
	async #afterCommit({ afterCommit }: TransactionBlock): Promise<void> {
		const { cancel } = this;
		const isStatement = cancel.isRunning;
		if (!isStatement) cancel.begin(this.statementTimeoutMs);
		try {
			for (const task of afterCommit) await task();
		} finally {
			if (!isStatement) cancel.end();
		}
	}

	async #commitTransaction(
		block: TransactionBlock,
		transaction: Transaction | undefined,
	): Promise<Ended | undefined> {
		const { changes } = block;
		const settled = transaction && this.settleSchema(block, transaction);
		if (settled !== undefined) await settled;
		const ended = await transaction?.commit();
		if (this.temporary.isUsed || changes.size > 0) this.temporary.commit(changes);
		this.noteCommit(ended?.timestamp);
		this.note(transaction?.readAt);
		return ended;
	}

	#commit(block: TransactionBlock): Promise<Ended | undefined> {
		if (!this.notifications.isAtRest) return this.#commitNotifying(block);
		this.block = undefined;
		return this.#commitTransaction(block, block.transaction);
	}

	async #commitNotifying(block: TransactionBlock): Promise<Ended | undefined> {
		const { notifications } = this;
		const { given } = notifications;
		const hub = this.services.notifications;
		const alone = block.characteristics.readOnly;
		const writes = given.length > 0 && !alone;
		const transaction = writes ? await this.open(block) : block.transaction;
		await notifications.beforeCommit();
		// One that writes nothing commits when it is asked to: what commits later is above this.
		const drawn =
			notifications.willListen && !writes && transaction?.hasWrites !== true
				? (await this.services.placement.issue()).timestamp
				: timestampZero;
		if (writes) hub.write(transaction!, this.context.backendPid, given);
		this.block = undefined;
		const ended = await this.#commitTransaction(block, transaction);
		const told =
			alone && given.length > 0
				? await hub.writeAlone(this.context.backendPid, given)
				: ended?.timestamp;
		const since = ended?.timestamp === undefined ? drawn : ended.timestamp - 1;
		notifications.committed(since as Timestamp);
		if (told !== undefined && notifications.hears(given)) await hub.reached(told);
		return ended;
	}

	/** Those of the extended protocol end with their transaction. */
	dropPortals(): void | Promise<void> {
		if (this.portals.size === 0) return undefined;
		const closing: Promise<void>[] = [];
		for (const portal of this.portals.values()) {
			const closed = portal.close();
			if (closed !== undefined) closing.push(closed);
		}
		this.portals.clear();
		return closing.length === 0 ? undefined : Promise.all(closing).then(() => {});
	}

	async rollback(): Promise<void> {
		const { block } = this;
		this.block = undefined;
		if (block === undefined) return;
		this.timeouts.ended();
		this.settings.restore(block.settingsBefore);
		this.settings.dropLocals();
		this.notifications.rolledBack();
		await this.cursors.rolledBack();
		this.note(block.transaction?.readAt);
		await block.transaction?.rollback();
		await block.fences?.release();
		await this.advisory.endTransaction();
	}

	/** A statement of the block failed. */
	async fail(): Promise<void> {
		const { block } = this;
		if (block === undefined) return;
		if (!block.explicit) {
			await this.rollback();
			return;
		}
		block.failed = true;
		// Nothing can bring it back: its locks need not wait for the client.
		if (!block.hasSavepoints) {
			const { transaction } = block;
			block.transaction = undefined;
			await transaction?.rollback();
			await block.fences?.release();
			await this.advisory.endTransaction();
		}
	}

	/**
	 * Ends the open transaction from outside; the client is told with its next statement or COMMIT. A statement that runs stops
	 * where it would wait.
	 */
	end(block: TransactionBlock, reason: DatabaseError): void {
		block.ended = reason;
		if (this.cancel.isRunning) {
			this.cancel.cancel(reason);
			return;
		}
		const { transaction } = block;
		block.transaction = undefined;
		void transaction?.rollback();
		void block.fences?.release();
	}

	/** With the names of types (`catalog/type-names.ts`). */
	#named(catalog: CatalogSnapshot, text: string): string {
		return withTypeNames(catalog, this.context.searchPath, text);
	}

	/** Errors of the layers below as clients know them. */
	translate(thrown: unknown): unknown {
		const found = this.#described(thrown);
		const { snapshot } = this;
		const error =
			found instanceof DatabaseError && snapshot !== undefined
				? namedError(snapshot, this.context.searchPath, found)
				: found;
		const isOfRow =
			error instanceof DatabaseError && (error.code.startsWith("23") || error.code === "44000");
		if (!isOfRow || this.snapshot === undefined || error.fields.detail === undefined) return error;
		return withoutUnseenRow(this.snapshot, this.identity.currentOid, error);
	}

	/** Whether the role may read the rows of a table: only then does it learn of their keys. */
	readonly #isSeen = (table: TableDescriptor): boolean =>
		mayReadRows(this.snapshot!, this.identity.currentOid, table);

	#described(error: unknown): unknown {
		if (error instanceof KeyExistsError && this.snapshot !== undefined) {
			return keyViolation(this.snapshot, error.key, this.context);
		}
		if (isLockError(error) && this.snapshot !== undefined) {
			return describeLockError(this.snapshot, error, this.context, this.#isSeen);
		}
		if (error instanceof ConflictError && this.snapshot !== undefined) {
			const { key } = error.conflict;
			const where =
				key === null ? undefined : describeKey(this.snapshot, key, this.context, this.#isSeen);
			return where === undefined ? error : new ConflictError(error.conflict, where);
		}
		return error;
	}

	// What functions ask for

	async #clusterActivity(withAdvisory = false): Promise<ClusterActivity> {
		const { cluster, advisory: locks } = this.services;
		const listed = withAdvisory ? locks.list() : [];
		const [activity, advisory] = await Promise.all([cluster.activity(), listed]);
		for (const gap of gapsOf(activity)) this.notice("WARNING", "01000", gap);
		return { ...activity, advisory };
	}

	async #clusterStatements(): Promise<ClusterActivity> {
		const answer = await this.services.cluster.statements();
		for (const node of answer.silent) {
			this.notice("WARNING", "01000", `node ${node} did not answer: what it has run is missing`);
		}
		return answer;
	}

	/** For what is about the cluster as a whole. Rejects with 42501. */
	async requireSuperuser(what: string): Promise<void> {
		requireSuperuser(await this.services.catalog.newest(), this.identity.currentOid, what);
	}

	async #changeNode(node: number, change: NodeChange): Promise<void> {
		await this.requireSuperuser("change nodes");
		await this.services.cluster.changeNode(node, change);
	}

	/** As in PostgreSQL: one's own sessions; those of others with pg_signal_backend, but not a superuser's. Throws 42501. */
	async #requireSignal(process: number, what: "cancel" | "terminate"): Promise<void> {
		const { roles } = await this.services.catalog.newest();
		const { currentOid } = this.identity;
		if (roles.isSuperuser(currentOid)) return;
		const { nodes } = await this.services.cluster.activity();
		const found = nodes.flatMap((node) => node.sessions).find((one) => one.process === process);
		if (found === undefined) return;
		const role = roles.byName(found.user);
		if (role === undefined || role.superuser) {
			const subject = what === "cancel" ? "cancel superuser query" : "terminate superuser process";
			throw new DatabaseError("42501", `must be a superuser to ${subject}`);
		}
		if (roles.hasRightsOf(currentOid, role.oid)) return;
		if (roles.hasRightsOf(currentOid, signalBackendOid)) return;
		const whose = what === "cancel" ? "query is being canceled" : "process is being terminated";
		throw new DatabaseError(
			"42501",
			`must be a member of the role whose ${whose} or member of pg_signal_backend`,
		);
	}

	async #signalBackend(process: number, what: "cancel" | "terminate"): Promise<boolean> {
		await this.#requireSignal(process, what);
		const found = await this.services.cluster.signal(process, what);
		if (!found) {
			this.notice("WARNING", "01000", `PID ${process} is not a PostgreSQL server process`);
		}
		return found;
	}

	#setIdentity(name: string, value: string, local: boolean): boolean {
		if (name !== "role" && name !== "session_authorization") return false;
		if (this.snapshot === undefined) {
			throw new DatabaseError("55000", "the catalog is not available outside of a statement");
		}
		const { roles } = this.snapshot;
		if (name === "role") this.identity.setRole(roles, value, local);
		else this.identity.setSession(roles, value, local);
		return true;
	}

	/** Told of what is asked of the catalog. */
	#use: CatalogUse | undefined;

	/** What `run` asks of the catalog is noted there, and not as what the running statement asks. */
	noting<T>(use: CatalogUse, run: () => T): T {
		const before = this.#use;
		this.#use = use;
		try {
			return run();
		} finally {
			this.#use = before;
		}
	}

	/** Where it is noted what a statement of the block takes from the catalog, now and while it runs. */
	relianceOf(block: TransactionBlock): CatalogUse | Promise<CatalogUse> {
		const base = this.services.catalog.of(block.transaction!);
		const note = (catalog: CatalogSnapshot): CatalogUse => {
			this.#use = block.reliance.of(catalog);
			return this.#use;
		};
		return base instanceof Promise ? base.then(note) : note(base);
	}

	/**
	 * Before a commit: whatever has changed of the schema since the statements were planned may be of no account to them. Rejects with 40001
	 * where it is, and the commit would not notice: when they were planned with several versions. A promise only where something has changed.
	 */
	settleSchema(block: TransactionBlock, transaction: Transaction): Promise<void> | undefined {
		if (!transaction.hasWrites) return undefined;
		const { schemaVersion } = transaction;
		const isOld = schemaVersion < this.services.placement.schemaVersion();
		if (!block.changesSchema && !isOld && block.reliance.isOf(schemaVersion)) return undefined;
		return this.#settleSchema(block, transaction);
	}

	async #settleSchema(block: TransactionBlock, transaction: Transaction): Promise<void> {
		const { catalog, placement } = this.services;
		const { reliance, changesSchema } = block;
		if (changesSchema) {
			await lockSchema(transaction);
			// This node may not have heard of the change before this one.
			await placement.issue();
		}
		const { schemaVersion } = transaction;
		const isOld = schemaVersion < placement.schemaVersion();
		const isWhole = reliance.isOf(schemaVersion);
		if (isWhole && !isOld) return;
		const then = await (isOld ? catalog.newest() : catalog.of(transaction));
		if (reliance.holdsIn(then)) {
			if (isOld) transaction.acceptSchema(then.version);
		} else if (!isWhole || changesSchema) throw schemaChanges();
	}

	#catalogCall(name: string, args: readonly Datum[]): Datum {
		this.#use?.asked(name, args);
		if (this.snapshot === undefined) {
			throw new DatabaseError("55000", "the catalog is not available outside of a statement");
		}
		return this.services.catalogCall(this.snapshot, this.context, name, args);
	}

	#rowFields(oid: number): readonly RowField[] {
		// A type that somebody has made counts in any case.
		if (isRowType(oid)) this.#use?.oids.add(objectIdOf(oid));
		if (this.snapshot === undefined) {
			throw new DatabaseError("55000", "the catalog is not available outside of a statement");
		}
		return rowFieldsIn(this.snapshot, oid);
	}

	async #timestampCall(which: "read" | "commit" | "export"): Promise<Datum> {
		if (which === "export") return exportSnapshot(this, this.block!);
		if (which === "commit") {
			return this.#committedAt === undefined ? null : BigInt(this.#committedAt);
		}
		const { transaction } = this.block ?? {};
		return transaction === undefined ? null : BigInt((await transaction.readTimestamp()).timestamp);
	}

	/** The oracle's numbers rise, and each is given once. */
	async #transactionNumber(drawn: boolean): Promise<Datum> {
		const block = this.block!;
		if (drawn) block.number ??= BigInt((await this.services.placement.issue()).timestamp);
		return block.number ?? null;
	}

	#sequence(oid: number): SequenceDescriptor {
		const found = this.snapshot?.relation(oid);
		if (found?.kind === "sequence") return found;
		if (found !== undefined) {
			throw new DatabaseError("42809", `"${found.name}" is not a sequence`);
		}
		throw new DatabaseError("42P01", `relation with OID ${oid} does not exist`);
	}

	#sequenceCall(name: string, args: readonly Datum[]): Datum | Promise<Datum> {
		if (name === "lastval") {
			if (this.#last !== undefined) return this.#last;
			throw new DatabaseError("55000", "lastval is not yet defined in this session");
		}
		const sequence = this.#sequence(args[0] as number);
		// Of a row that is being written in a form that the table does not have yet: nobody has asked for it.
		if (name === "draw") return this.#valuesOf(sequence).next(sequence);
		if (name === "pg_sequence_last_value") return this.#lastValue(sequence);
		if (name === "currval") {
			this.#requireSequence(sequence, ["USAGE", "SELECT"]);
			const value = this.#current.get(sequence.oid);
			if (value !== undefined) return value;
			throw new DatabaseError(
				"55000",
				`currval of sequence "${sequence.name}" is not yet defined in this session`,
			);
		}
		if (this.block?.characteristics.readOnly === true && !isTemporary(sequence)) {
			throw new DatabaseError("25006", `cannot execute ${name}() in a read-only transaction`);
		}
		this.#requireSequence(sequence, name === "nextval" ? ["USAGE", "UPDATE"] : ["UPDATE"]);
		if (name === "nextval") return this.#nextval(sequence);
		return this.#setval(sequence, args[1] as bigint, args[2] !== false);
	}

	/** Throws 42501. */
	#requireSequence(sequence: SequenceDescriptor, rights: readonly string[]): void {
		if (mayUseSequence(this.snapshot!, this.identity.currentOid, sequence, rights)) return;
		throw new DatabaseError("42501", `permission denied for sequence ${sequence.name}`);
	}

	#valuesOf(sequence: SequenceDescriptor): SequenceBlocks | TemporarySequences {
		return isTemporary(sequence) ? this.temporary.sequences : this.services.sequences;
	}

	async #nextval(sequence: SequenceDescriptor): Promise<bigint> {
		const value = await this.#valuesOf(sequence).next(sequence);
		this.#current.set(sequence.oid, value);
		this.#last = value;
		return value;
	}

	async #setval(sequence: SequenceDescriptor, value: bigint, called: boolean): Promise<bigint> {
		await this.#valuesOf(sequence).set(sequence, value, called);
		if (called) this.#current.set(sequence.oid, value);
		return value;
	}

	/** pg_sequence_last_value. */
	async #lastValue(sequence: SequenceDescriptor): Promise<Datum> {
		this.#requireSequence(sequence, ["USAGE", "SELECT"]);
		const { last, called } = await this.#valuesOf(sequence).read(sequence);
		return called ? last : null;
	}

	forgetSequences(): void {
		this.#current.clear();
		this.#last = undefined;
	}
}
