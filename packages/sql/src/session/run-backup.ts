/** BACKUP, RESTORE and SHOW BACKUP. They run beside the session's transaction, in many of their own. */
import { DatabaseError } from "@quorate/keys/database-error";
import { takeBackup } from "../backup/backup.ts";
import { describeBackup } from "../backup/describe.ts";
import { restore } from "../backup/restore.ts";
import type { Work } from "../backup/work.ts";
import type { Expression, Statement } from "../parser/ast.ts";
import { splitName } from "../plan/binder.ts";
import { namedTimestamp, pastTimestamp } from "./as-of.ts";
import type { Output } from "./output.ts";
import { backupColumns } from "./result-columns.ts";
import type { SessionState } from "./session-state.ts";
import { checkDatabase } from "./this-database.ts";
import type { TransactionBlock } from "./transaction-block.ts";

type Backup = Extract<Statement, { kind: "backup" }>;
type Restore = Extract<Statement, { kind: "restore" }>;
type ShowBackup = Extract<Statement, { kind: "show-backup" }>;

/** 2000-01-01 in milliseconds since 1970. */
const postgresEpochMs = 946_684_800_000;

const workOf = (state: SessionState): Work => ({
	services: state.services,
	cancel: state.cancel,
	tell: (message) => state.notice("NOTICE", "00000", message),
});

/** What a failed statement has done stays, so none of it is run again unseen. */
function begin(block: TransactionBlock, name: string): void {
	if (block.explicit || block.transaction !== undefined) {
		throw new DatabaseError("25001", `${name} cannot run inside a transaction block`);
	}
	block.hasLasting = true;
}

export async function runBackup(
	state: SessionState,
	block: TransactionBlock,
	{ database, directory, incremental, asOf }: Backup,
): Promise<string> {
	begin(block, "BACKUP");
	await state.requireSuperuser("back up");
	checkDatabase(state, database);
	const past = asOf && (await pastTimestamp(state, asOf, undefined));
	const changes = await takeBackup(workOf(state), {
		directory,
		incremental,
		asOf: past?.timestamp,
	});
	return `BACKUP ${changes}`;
}

export async function runRestore(
	state: SessionState,
	block: TransactionBlock,
	statement: Restore,
): Promise<string> {
	begin(block, "RESTORE");
	await state.requireSuperuser("restore");
	if (block.characteristics.readOnly) {
		throw new DatabaseError("25006", "cannot execute RESTORE in a read-only transaction");
	}
	checkDatabase(state, statement.database);
	const rows = await restore(workOf(state), {
		directory: statement.directory,
		asOf: statement.asOf && (await restoredMoment(state, statement.asOf)),
		table: statement.table && tableName(statement.table),
	});
	return `RESTORE ${rows}`;
}

/** Of the cluster that was backed up, which may be another: no oracle here has to have passed it. */
async function restoredMoment(state: SessionState, expression: Expression) {
	return (await namedTimestamp(state, expression, undefined)).at;
}

function tableName(name: NonNullable<Restore["table"]>) {
	const [schema, base] = splitName(name);
	return { schema: schema ?? "public", name: base };
}

export async function showBackup(
	state: SessionState,
	{ directory }: ShowBackup,
	output: Output,
): Promise<string> {
	await state.requireSuperuser("read backups");
	const parts = await describeBackup(workOf(state), directory);
	output.columns(backupColumns);
	await output.rows(
		parts.map((part) => [
			BigInt(part.backup),
			part.kind,
			part.after === undefined ? null : BigInt(part.after),
			BigInt(part.upTo),
			BigInt(Math.round((part.upToWallMs - postgresEpochMs) * 1000)),
			part.object,
			part.name,
			BigInt(part.changes),
		]),
	);
	return "SHOW BACKUP";
}
