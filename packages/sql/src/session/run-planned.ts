/**
 * Runs one planned statement within its session's transaction. A statement that writes runs to its end before anything of
 * it is shown; others are pulled batch by batch. What may be done again without anyone noticing is done again: when the
 * schema version moved under it, and where the transaction allows a restart after a conflict.
 */

import { andThen } from "@quorate/keys/and-then";
import { DatabaseError } from "@quorate/keys/database-error";
import type { Transaction } from "@quorate/txn/types";
import { type Authorized, authorize, authorizeAccess } from "../auth/authorize.ts";
import { dependsOnSchema } from "../catalog/catalog.ts";
import type { CatalogSnapshot } from "../catalog/snapshot.ts";
import { isTemporary } from "../catalog/temporary.ts";
import { type Batch, Env, Execution } from "../execute/env.ts";
import { SchemaMovedError, StatementStore } from "../execute/statement-store.ts";
import type { Expression } from "../parser/ast.ts";
import type { StatementAccess } from "../plan/access.ts";
import type { StatementPlan } from "../plan/statement-plan.ts";
import type { Datum } from "../types/datum.ts";
import { asOfClause, enterPast, refusePast } from "./as-of.ts";
import { type CachedPlan, samePath } from "./plan-cache.ts";
import { type Prepared, placed, planFor } from "./prepared.ts";
import { backOff, isConflict } from "./retry.ts";
import { schemaChanges } from "./schema-reliance.ts";
import type { SessionState } from "./session-state.ts";
import type { TransactionBlock } from "./transaction-block.ts";
import { isFenced, passFences } from "./write-fence.ts";

/** A statement that has begun: its rows come from `next`. */
export interface Running {
	readonly plan: StatementPlan;
	/** Undefined: no more rows. */
	next(): Batch | undefined | Promise<Batch | undefined>;
	/** Command tag, once the rows are out; `rows`: how many went to the client. */
	tag(rows: number): string;
	/** A promise only where something is left to end. */
	close(): void | Promise<void>;
}

const restartsMax = 8;

function tagOf(plan: StatementPlan, execution: Execution, rows: number): string {
	switch (plan.command) {
		case "SELECT":
			return `SELECT ${rows}`;
		case "INSERT":
			return `INSERT 0 ${execution.affected}`;
		default:
			return `${plan.command} ${execution.affected}`;
	}
}

/** Throws 42501. A promise only where the past is read: what a role may see of it is what it may see now. */
export function authorizeRun(
	state: SessionState,
	block: TransactionBlock,
	plan: Authorized,
): void | Promise<void> {
	const { currentOid } = state.identity;
	authorize(state.snapshot!, currentOid, plan);
	const { followerReads } = block.characteristics;
	if (block.asOf === undefined && !followerReads) return undefined;
	return authorizeNow(state, currentOid, plan);
}

async function authorizeNow(state: SessionState, oid: number, plan: Authorized): Promise<void> {
	const now = await state.services.catalog.newest();
	const tables = plan.access.tables.filter(({ tableOid }) => now.relation(tableOid) !== undefined);
	authorizeAccess(now, oid, { ...plan.access, tables });
}

/** Tables and views, also those that are written through views. */
const writtenBy = ({ tables, views }: StatementAccess): readonly number[] => [
	...tables.flatMap(({ action, tableOid }) => (action === "SELECT" ? [] : [tableOid])),
	...views.flatMap(({ access }) => writtenBy(access)),
];

/** What is temporary may be written. Throws 25006. */
function refuseReadOnly(
	{ snapshot }: SessionState,
	{ plan, access }: CachedPlan,
	block: TransactionBlock,
): void {
	if (!plan.writes || !block.characteristics.readOnly) return;
	const written = writtenBy(access);
	const isOwn = written.every((oid) => {
		const relation = snapshot?.relation(oid);
		return relation !== undefined && isTemporary(relation);
	});
	if (isOwn && written.length > 0) return;
	const locks = plan.command === "SELECT" && plan.hasChanges !== true;
	const what = locks ? "SELECT FOR UPDATE" : plan.command;
	throw new DatabaseError("25006", `cannot execute ${what} in a read-only transaction`);
}

/** A simple query has no values for parameters. */
function noParameter(prepared: Prepared): DatabaseError {
	const { text, offset } = prepared.lexed!;
	const found = /(?<![\w$])\$(\d+)/.exec(text);
	return placed(
		new DatabaseError("42P02", `there is no parameter $${found?.[1] ?? 1}`, {
			position: (found?.index ?? 0) + 1,
		}),
		offset,
	) as DatabaseError;
}

/** A statement on its way to its first rows. */
interface Start {
	readonly state: SessionState;
	readonly block: TransactionBlock;
	readonly prepared: Prepared;
	readonly parameters: readonly Datum[];
	readonly transaction: Transaction;
}

/** Not for clients: writers of a table were waited for, and the statement is to be planned again. */
class FencesPassedError extends Error {
	override readonly name = "FencesPassedError";
}

/** A promise only where something must be waited for: of one row that is at hand, all of it is done. */
export function startPlanned(
	state: SessionState,
	block: TransactionBlock,
	prepared: Prepared,
	parameters: readonly Datum[],
): Running | Promise<Running> {
	return andThen(prepareStart(state, block, prepared), () =>
		andThen(state.open(block), (transaction) =>
			startIn({ state, block, prepared, parameters, transaction }),
		),
	);
}

function prepareStart(
	state: SessionState,
	block: TransactionBlock,
	prepared: Prepared,
): void | Promise<void> {
	const asOf = asOfOf(prepared);
	if (asOf === undefined) refusePast(block);
	const entered = asOf && enterPast(state, block, asOf, prepared.lexed);
	// Below REPEATABLE READ the statement reads at a time of its own.
	const settles = state.cursors.size > 0 && block.characteristics.isolation === "read committed";
	return settles ? andThen(entered, () => state.cursors.settle()) : entered;
}

function startIn(start: Start): Running | Promise<Running> {
	const { state, transaction } = start;
	const notified = state.notifications.mark();
	transaction.beginStatement(state.cancel);
	try {
		const running = runOnce(start, true);
		if (!(running instanceof Promise)) return running;
		return running.catch((thrown) => runAgain(start, notified, thrown));
	} catch (thrown) {
		return runAgain(start, notified, thrown);
	}
}

/** After `thrown`: begins it again, as often as nobody notices, or throws what it ends with. */
async function runAgain(
	start: Start,
	notified: ReturnType<SessionState["notifications"]["mark"]>,
	thrown: unknown,
): Promise<Running> {
	const { state, transaction } = start;
	let hasMoved = false;
	for (let [restarts, failure] = [0, thrown]; ; restarts++) {
		hasMoved = (await mayRestart(start, failure, restarts)) || hasMoved;
		state.notifications.backTo(notified);
		transaction.beginStatement(state.cancel);
		try {
			// Where each statement reads at a time of its own, the schema of that time is known only then.
			if (hasMoved) await transaction.readTimestamp();
			return await runOnce(start, false);
		} catch (again) {
			failure = again;
		}
	}
}

/** Throws where it may not be run again. True: it is because the schema has moved. */
async function mayRestart(
	{ state, block, transaction }: Start,
	thrown: unknown,
	restarts: number,
): Promise<boolean> {
	if (thrown instanceof FencesPassedError) {
		if (transaction.canRestartStatement) transaction.restart(schemaChanges());
		return true;
	}
	const error = await confirmed(transaction, thrown);
	const isOver = restarts >= restartsMax || block.hasLasting;
	if (error instanceof SchemaMovedError) {
		if (isOver) throw schemaChanges();
		return true;
	}
	if (isOver || !isConflict(error) || !transaction.canRestartStatement) throw error;
	transaction.restart(error);
	await backOff(state.services.runtime, restarts);
	return false;
}

/** `isFirst`: nothing of the statement has run before. */
function runOnce(start: Start, isFirst: boolean): Running | Promise<Running> {
	const { state, block, prepared } = start;
	return andThen(planned(state, block, prepared), (plan) =>
		andThen(authorizeRun(state, block, plan.cached), () => runAuthorized(start, plan, isFirst)),
	);
}

function runAuthorized(
	start: Start,
	{ cached, version }: Planned,
	isFirst: boolean,
): Running | Promise<Running> {
	const { state, block, prepared, parameters, transaction } = start;
	refuseReadOnly(state, cached, block);
	const written = (): readonly number[] => writtenBy(cached.access);
	if (cached.plan.writes && isFenced(state, block, written)) {
		return passFences(state, block, written).then(() => {
			throw new FencesPassedError();
		});
	}
	if (cached.parameterTypes.length > parameters.length) throw noParameter(prepared);
	return andThen(state.relianceOf(block), (reliance) => {
		// Where the schema was older a moment ago, the present does as well.
		if (isFirst) state.readClosed(block, cached.plan);
		const store = new StatementStore(transaction, version);
		return andThen(run(start, cached.plan, store), (running) => {
			reliance.add(cached.use);
			return running;
		});
	});
}

/** The error that the statement ends with: a conflict, if what it read came to nothing. */
async function confirmed(transaction: Transaction, thrown: unknown): Promise<unknown> {
	try {
		await transaction.confirm();
		return thrown;
	} catch (error) {
		return isConflict(error) ? error : thrown;
	}
}

/** Known from the plan or, before there is one, from the syntax tree. */
function asOfOf(prepared: Prepared): Expression | undefined {
	if (prepared.plan !== undefined) return prepared.plan.plan.asOf;
	const statement = prepared.inner ?? prepared.parsed;
	return statement === undefined ? undefined : asOfClause(statement);
}

interface Planned {
	readonly cached: CachedPlan;
	readonly version: number;
}

/** Synchronous if the plan is at hand. */
function planned(
	state: SessionState,
	block: TransactionBlock,
	prepared: Prepared,
): Planned | Promise<Planned> {
	const found = state.catalogOf(block, block.transaction!);
	const known = prepared.plan;
	if (
		!(found instanceof Promise) &&
		!block.changesSchema &&
		known !== undefined &&
		known.schemaVersion === found.version &&
		known.temporary === state.temporary.generation &&
		samePath(known.searchPath, state.context.searchPath) &&
		known.pinned.length === 0
	) {
		return { cached: known, version: found.version };
	}
	return plannedSlowly(state, block, prepared, found);
}

async function plannedSlowly(
	state: SessionState,
	block: TransactionBlock,
	prepared: Prepared,
	found: CatalogSnapshot | Promise<CatalogSnapshot>,
): Promise<Planned> {
	const snapshot = await found;
	const { version } = snapshot;
	const isShared = !block.changesSchema;
	const lexed = prepared.lexed!;
	const planning = planFor(state, prepared, snapshot, isShared);
	let cached: CachedPlan;
	try {
		cached = planning instanceof Promise ? await planning : planning;
	} catch (error) {
		// S2 for errors as well: what is not there may have come with a version that this node has not heard of.
		if (dependsOnSchema(error)) {
			const now = await block.transaction!.readTimestamp();
			if (now.schemaVersion !== version) throw new SchemaMovedError();
		}
		throw placed(error, lexed.offset);
	}
	if (isShared) prepared.plan = cached;
	checkColumns(prepared, cached);
	return { cached, version };
}

/** The client was told the columns of a prepared statement: they must not change under it. */
function checkColumns(prepared: Prepared, cached: CachedPlan): void {
	const { columns } = prepared;
	if (columns === undefined) return;
	const now = cached.plan.columns ?? [];
	const same =
		now.length === columns.length &&
		now.every((column, i) => column.type.oid === columns[i]!.type.oid);
	if (!same) throw new DatabaseError("0A000", "cached plan must not change result type");
}

function run(
	{ state, block, prepared, parameters }: Start,
	plan: StatementPlan,
	store: StatementStore,
): Running | Promise<Running> {
	const { services, context, cursors } = state;
	const lexed = prepared.lexed!;
	const execution = new Execution({
		runtime: services.runtime,
		store,
		context,
		isolation: block.characteristics.isolation,
		rowIds: services.rowIds,
		cancel: state.cancel,
		moreRows: lexed.moreRows,
		memoryLimit: services.statementMemory,
		memoryPool: services.memoryPool,
		deferred: block.constraints,
		cursors,
	});
	let args: readonly Datum[];
	try {
		args = plan.readArguments(lexed.literals, parameters, context);
	} catch (error) {
		throw placed(error, lexed.offset);
	}
	const env = new Env(execution, args);
	const settled = plan.writes && cursors.size > 0 ? cursors.settle() : undefined;
	return andThen(settled, () => {
		if (plan.direct !== undefined && lexed.moreRows === undefined) {
			if (plan.columns === undefined) store.transaction.tellsNothing();
			return andThen(plan.direct(env), (rows) => ended(plan, execution, rows));
		}
		return plan.writes ? written(plan, execution, env) : streamed(plan, execution, env);
	});
}

/** A statement on one row has run. */
function ended(plan: StatementPlan, execution: Execution, rows: Batch): Running | Promise<Running> {
	return andThen(execution.finish(), () => {
		execution.release();
		const { transaction } = execution.store;
		const owed = execution.affected === 0 ? transaction.confirm() : undefined;
		return andThen(owed, () => new Finished(plan, execution, [rows]));
	});
}

async function written(plan: StatementPlan, execution: Execution, env: Env): Promise<Running> {
	const batches: Batch[] = [];
	try {
		for await (const batch of plan.run(env)) batches.push(batch);
		await execution.finish();
	} finally {
		execution.release();
	}
	return new Finished(plan, execution, batches);
}

class Finished implements Running {
	readonly plan: StatementPlan;
	readonly #execution: Execution;
	readonly #batches: readonly Batch[];
	#next = 0;

	constructor(plan: StatementPlan, execution: Execution, batches: readonly Batch[]) {
		this.plan = plan;
		this.#execution = execution;
		this.#batches = batches;
	}

	next(): Batch | undefined {
		return this.#batches[this.#next++];
	}

	tag(rows: number): string {
		return tagOf(this.plan, this.#execution, rows);
	}

	close(): void {}
}

/** The first batch is pulled before anything is shown: until then the statement can start over. */
async function streamed(plan: StatementPlan, execution: Execution, env: Env): Promise<Running> {
	const iterator = releasing(plan.run(env), execution)[Symbol.asyncIterator]();
	let ready: IteratorResult<Batch> | undefined = await iterator.next();
	const next = async (): Promise<Batch | undefined> => {
		const step = ready ?? (await pull(iterator));
		ready = undefined;
		return step.done === true ? undefined : step.value;
	};
	return {
		plan,
		next,
		tag: (rows) => tagOf(plan, execution, rows),
		close: async () => {
			await iterator.return?.();
		},
	};
}

async function* releasing(
	batches: AsyncIterable<Batch>,
	execution: Execution,
): AsyncIterable<Batch> {
	try {
		yield* batches;
	} finally {
		execution.release();
	}
}

async function pull(iterator: AsyncIterator<Batch>): Promise<IteratorResult<Batch>> {
	try {
		return await iterator.next();
	} catch (error) {
		throw error instanceof SchemaMovedError ? schemaChanges() : error;
	}
}
