/**
 * pg_export_snapshot and SET TRANSACTION SNAPSHOT: transactions of several sessions, at any nodes, that read the same moment, as those of
 * pg_dump -j. What is handed on is a read timestamp, in an id that also names the session. As in PostgreSQL an id holds while the transaction
 * that has exported it is open: who is given one asks all nodes whether a session has it. After that both go their own ways.
 *
 * Only a transaction whose read timestamp never moves exports it; one that has begun with it reads the past (as-of.ts), and only reads.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { timestamp } from "@quorate/keys/timestamp";
import { inDatabase } from "../catalog/database.ts";
import { unsupported } from "../parser/unsupported.ts";
import type { SessionStatus } from "../types/cluster-access.ts";
import { setPast, withSchema } from "./as-of.ts";
import type { SessionState } from "./session-state.ts";
import type { TransactionBlock } from "./transaction-block.ts";

/** The id. Throws 25001 within a savepoint. */
export async function exportSnapshot(
	state: SessionState,
	block: TransactionBlock,
): Promise<string> {
	const { isolation, readOnly } = block.characteristics;
	if (block.hasSavepoints) {
		throw new DatabaseError("25001", "cannot export a snapshot from a subtransaction");
	}
	if (isolation !== "repeatable read" && !(isolation === "serializable" && readOnly)) {
		throw unsupported(
			"pg_export_snapshot in a transaction whose snapshot may move is",
			"Begin it with ISOLATION LEVEL REPEATABLE READ, or with SERIALIZABLE, READ ONLY.",
		);
	}
	const read = await (await state.open(block)).readTimestamp();
	// Run a second time, it would have another.
	block.hasLasting = true;
	block.exported = `${hex(state.context.backendPid, 8)}-${hex(read.timestamp, 16)}-1`;
	return block.exported;
}

const hex = (value: number, width: number): string =>
	value.toString(16).toUpperCase().padStart(width, "0");

/** Throws 25001, 0A000 and 22023 in PostgreSQL's words, and 72000. */
export async function importSnapshot(
	state: SessionState,
	block: TransactionBlock,
	id: string,
): Promise<void> {
	const { isolation } = block.characteristics;
	if (block.transaction !== undefined || block.hasQueried || block.hasSavepoints) {
		throw new DatabaseError("25001", "SET TRANSACTION SNAPSHOT must be called before any query");
	}
	if (block.asOf !== undefined) {
		throw new DatabaseError("25001", "the transaction reads another moment already");
	}
	if (isolation === "read committed") {
		throw new DatabaseError(
			"0A000",
			"a snapshot-importing transaction must have isolation level SERIALIZABLE or REPEATABLE READ",
		);
	}
	const exporter = await exporterOf(state, id);
	requireLike(exporter, state, block);
	const at = timestamp(Number.parseInt(id.split("-")[1]!, 16));
	// This node may never have heard of a timestamp that new: its schema is asked for below a fresh one only.
	await state.services.placement.issue();
	setPast(block, await withSchema(state, at));
}

async function exporterOf(state: SessionState, id: string): Promise<SessionStatus> {
	const invalid = (fields = {}): DatabaseError =>
		new DatabaseError("22023", `invalid snapshot identifier: "${id}"`, fields);
	if (!/^[0-9A-F]{8}-[0-9A-F]{16}-1$/.test(id)) throw invalid();
	const { nodes, silent } = await state.services.cluster.activity();
	const sessions = nodes.flatMap((node) => node.sessions);
	const exporter = sessions.find(({ transaction }) => transaction?.exported === id);
	if (exporter !== undefined) return exporter;
	if (silent.length === 0) throw invalid();
	throw invalid({ detail: `Nodes that did not answer: ${silent.join(", ")}.` });
}

function requireLike(
	{ database, transaction }: SessionStatus,
	state: SessionState,
	{ characteristics }: TransactionBlock,
): void {
	if (characteristics.isolation === "serializable") {
		if (transaction?.isolation !== "serializable") {
			throw new DatabaseError(
				"0A000",
				"a serializable transaction cannot import a snapshot from a non-serializable transaction",
			);
		}
		if (transaction.readOnly && !characteristics.readOnly) {
			throw new DatabaseError(
				"0A000",
				"a non-read-only serializable transaction cannot import a snapshot from a read-only transaction",
			);
		}
	}
	if (database !== inDatabase(state.services.databaseOid).database) {
		throw new DatabaseError("0A000", "cannot import a snapshot from a different database");
	}
}
