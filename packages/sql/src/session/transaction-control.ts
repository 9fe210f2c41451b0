/** BEGIN, COMMIT, ROLLBACK, savepoints, SET TRANSACTION. They work on the session's block, not in it. */
import { andThen } from "@quorate/keys/and-then";
import { DatabaseError } from "@quorate/keys/database-error";
import type { Isolation, TransactionMode } from "@quorate/txn/types";
import type { Statement, TransactionModes } from "../parser/ast.ts";
import { beginPast } from "./as-of.ts";
import type { SessionState } from "./session-state.ts";
import { importSnapshot } from "./snapshots.ts";
import type { TransactionBlock } from "./transaction-block.ts";

type ControlStatement = Extract<
	Statement,
	{ kind: "begin" | "commit" | "rollback" | "savepoint" | "release" | "rollback-to" }
>;

export function isControl(statement: Statement | undefined): statement is ControlStatement {
	switch (statement?.kind) {
		case "begin":
		case "commit":
		case "rollback":
		case "savepoint":
		case "release":
		case "rollback-to":
			return true;
		default:
			return false;
	}
}

const isolationOf = (modes: TransactionModes): Isolation | undefined =>
	modes.isolation === "read uncommitted" ? "read committed" : modes.isolation;

const tooLate = (message: string): DatabaseError => new DatabaseError("25001", message);

/** Throws 25001 if the transaction has run a query, or is within a savepoint, in PostgreSQL's words. */
export function applyModes(block: TransactionBlock, modes: TransactionModes): void {
	const isolation = isolationOf(modes);
	const { characteristics } = block;
	if (isolation !== undefined && isolation !== characteristics.isolation) {
		if (block.hasQueried) {
			throw tooLate("SET TRANSACTION ISOLATION LEVEL must be called before any query");
		}
		if (block.hasSavepoints) {
			throw tooLate("SET TRANSACTION ISOLATION LEVEL must not be called in a subtransaction");
		}
		characteristics.isolation = isolation;
	}
	if (modes.readOnly === false && block.asOf !== undefined) {
		throw new DatabaseError("25001", "a transaction AS OF SYSTEM TIME is read-only");
	}
	if (modes.readOnly !== undefined) setReadOnly(block, modes.readOnly);
	if (modes.deferrable !== undefined) setDeferrable(block, modes.deferrable);
}

function setReadOnly(block: TransactionBlock, readOnly: boolean): void {
	const { characteristics } = block;
	if (!readOnly && characteristics.readOnly) {
		if (block.isReadOnlyAround) {
			throw tooLate("cannot set transaction read-write mode inside a read-only transaction");
		}
		if (block.hasQueried) {
			throw tooLate("transaction read-write mode must be set before any query");
		}
	}
	characteristics.readOnly = readOnly;
}

/** Accepted, and nothing else: a read-only transaction never waits for its snapshot to be safe, and never fails. */
function setDeferrable(block: TransactionBlock, deferrable: boolean): void {
	if (block.hasSavepoints) {
		throw tooLate("SET TRANSACTION [NOT] DEFERRABLE cannot be called within a subtransaction");
	}
	if (block.hasQueried) {
		throw tooLate("SET TRANSACTION [NOT] DEFERRABLE must be called before any query");
	}
	block.characteristics.deferrable = deferrable;
}

/** As `SET transaction_mode`; of a transaction that has begun to read nothing can be changed. */
export function applyTransactionMode(block: TransactionBlock, mode: TransactionMode): void {
	if (mode === block.characteristics.mode) return;
	if (block.hasQueried && block.explicit) {
		throw tooLate("transaction_mode must be set before any query of the transaction");
	}
	if (!block.hasQueried) block.characteristics.mode = mode;
}

/** A promise only with AS OF SYSTEM TIME, which takes a word of the oracle, or a snapshot. */
export function setModes(
	state: SessionState,
	block: TransactionBlock,
	modes: TransactionModes,
): void | Promise<void> {
	const { asOf, snapshot } = modes;
	if (asOf !== undefined && modes.readOnly === false) {
		throw new DatabaseError("42601", "AS OF SYSTEM TIME cannot be READ WRITE");
	}
	applyModes(block, modes);
	const begun = asOf && beginPast(state, block, asOf);
	return snapshot === undefined
		? begun
		: andThen(begun, () => importSnapshot(state, block, snapshot));
}

/** The command tag. */
export function runControl(
	state: SessionState,
	statement: ControlStatement,
): string | Promise<string> {
	switch (statement.kind) {
		case "begin":
			return begin(state, statement);
		case "commit":
		case "rollback":
			return statement.chain === true ? chained(state, statement.kind) : end(state, statement.kind);
		default:
			return savepoint(state, statement);
	}
}

function begin(
	state: SessionState,
	statement: Extract<ControlStatement, { kind: "begin" }>,
): string | Promise<string> {
	if (state.block?.explicit === true) {
		state.notice("WARNING", "25001", "there is already a transaction in progress");
		applyModes(state.block, statement.modes);
		return statement.tag;
	}
	// Statements before it in one query string are part of the transaction.
	const block = state.block ?? state.begin(true);
	block.explicit = true;
	return andThen(setModes(state, block, statement.modes), () => statement.tag);
}

/** AND CHAIN: what the transaction was like, the next one is like. Throws 25P01. */
async function chained(state: SessionState, kind: "commit" | "rollback"): Promise<string> {
	const { block } = state;
	if (block?.explicit !== true) {
		throw new DatabaseError(
			"25P01",
			`${kind.toUpperCase()} AND CHAIN can only be used in transaction blocks`,
		);
	}
	const tag = await end(state, kind);
	await state.dropPortals();
	const next = state.begin(true);
	Object.assign(next.characteristics, block.characteristics);
	next.asOf = block.asOf;
	return tag;
}

async function end(state: SessionState, kind: "commit" | "rollback"): Promise<string> {
	const { block } = state;
	if (block?.explicit !== true) {
		state.notice("WARNING", "25P01", "there is no transaction in progress");
	}
	if (kind === "rollback") {
		await state.rollback();
		return "ROLLBACK";
	}
	if (block === undefined) return "COMMIT";
	if (block.refusal !== undefined) {
		const { ended } = block;
		await state.rollback();
		if (ended !== undefined) throw ended;
		return "ROLLBACK";
	}
	await state.commit();
	return "COMMIT";
}

async function savepoint(
	state: SessionState,
	statement: Extract<ControlStatement, { kind: "savepoint" | "release" | "rollback-to" }>,
): Promise<string> {
	const { block } = state;
	const words = {
		savepoint: "SAVEPOINT",
		release: "RELEASE SAVEPOINT",
		"rollback-to": "ROLLBACK TO SAVEPOINT",
	};
	if (block?.explicit !== true) {
		throw new DatabaseError(
			"25P01",
			`${words[statement.kind]} can only be used in transaction blocks`,
		);
	}
	switch (statement.kind) {
		case "savepoint":
			block.addSavepoint(statement.name, {
				settings: state.settings.save(),
				locks: state.advisory.taken,
				notifications: state.notifications.mark(),
				cursors: state.cursors.mark(),
			});
			return "SAVEPOINT";
		case "release":
			block.release(statement.name);
			return "RELEASE";
		default: {
			if (block.ended !== undefined) throw block.ended;
			const before = await block.rollbackTo(statement.name);
			state.settings.restore(before.settings);
			state.notifications.backTo(before.notifications);
			await state.cursors.backTo(before.cursors);
			await state.advisory.endTransaction(before.locks);
			return "ROLLBACK";
		}
	}
}
