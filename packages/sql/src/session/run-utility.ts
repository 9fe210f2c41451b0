/** Statements that have no plan: which file runs which. */

import { DatabaseError } from "@quorate/keys/database-error";
import { dependsOnSchema } from "../catalog/catalog.ts";
import type { Statement } from "../parser/ast.ts";
import type { Datum } from "../types/datum.ts";
import { runCopy } from "./copy.ts";
import { explainColumns, runExplain } from "./explain.ts";
import { cancelJob } from "./jobs.ts";
import { lockTables } from "./lock-tables.ts";
import { runMaintenance, showRanges } from "./maintenance.ts";
import type { Output } from "./output.ts";
import type { Prepared } from "./prepared.ts";
import {
	backupColumns,
	configurationColumns,
	jobColumns,
	rangeColumns,
	textColumn,
} from "./result-columns.ts";
import { dropAbsent } from "./run-absent.ts";
import { runBackup, runRestore, showBackup } from "./run-backup.ts";
import { setConstraints } from "./run-constraints.ts";
import { isDefinition, isOfTables, runDefinition } from "./run-definition.ts";
import { runExtension } from "./run-extension.ts";
import { runSettingStatement } from "./run-settings.ts";
import type { SessionState } from "./session-state.ts";
import { showConfiguration } from "./show-configuration.ts";
import { runCursorStatement } from "./sql-cursor.ts";
import { runPreparedStatement } from "./sql-prepare.ts";
import type { TransactionBlock } from "./transaction-block.ts";
import type { ResultColumn } from "./types.ts";

/** The command tag. `prepared`: of a statement without a plan. */
export async function runUtility(
	state: SessionState,
	block: TransactionBlock,
	prepared: Prepared,
	parameters: readonly Datum[],
	output: Output,
): Promise<string> {
	const tag = await run(state, block, prepared, parameters, output);
	if (block.transaction !== undefined && !isNoted(prepared.utility!)) {
		(await state.relianceOf(block)).isUnknown = true;
	}
	return tag;
}

const run: typeof runUtility = async (state, block, prepared, parameters, output) => {
	const statement = prepared.utility!;
	const lexed = prepared.lexed!;
	const types = prepared.parameterTypes;
	if (state.cursors.size > 0 && mayWrite(statement)) await state.cursors.settle();
	if (isDefinition(statement)) return runDefinition(state, block, statement, lexed);
	switch (statement.kind) {
		case "set":
		case "reset":
		case "show":
		case "set-transaction":
		case "alter-system":
			return runSettingStatement(state, block, statement, output);
		case "set-constraints":
			return onceMoreNow(block, () => setConstraints(state, block, statement));
		case "prepare":
		case "execute":
		case "deallocate":
		case "discard":
			return runPreparedStatement(state, block, statement, lexed, output);
		case "declare":
		case "fetch":
		case "close":
			return runCursorStatement(state, block, statement, lexed, types, parameters, output);
		case "explain":
			return runExplain(state, block, statement, lexed, types, parameters, output);
		case "copy":
			return onceMoreNow(block, () => runCopy(state, block, statement, lexed, output));
		case "listen":
			state.notifications.ask({ kind: "listen", channel: statement.channel });
			return "LISTEN";
		case "unlisten":
			state.notifications.ask(
				statement.channel === undefined
					? { kind: "unlisten all" }
					: { kind: "unlisten", channel: statement.channel },
			);
			return "UNLISTEN";
		case "notify":
			state.notifications.notify(statement.channel, statement.payload);
			return "NOTIFY";
		case "maintenance":
			return onceMoreNow(block, () => runMaintenance(state, block, statement));
		case "cancel-job":
			return cancelJob(state, block, statement.id);
		case "lock":
			return onceMoreNow(block, () => lockTables(state, block, statement));
		case "show-ranges":
			return onceMoreNow(block, () => showRanges(state, block, statement, output));
		case "show-configuration":
			return onceMoreNow(block, () => showConfiguration(state, block, statement, output));
		case "create-extension":
		case "drop-extension":
			return runExtension(state, statement);
		case "drop-absent":
			return dropAbsent(state, block, statement);
		case "backup":
			return runBackup(state, block, statement);
		case "restore":
			return runRestore(state, block, statement);
		case "show-backup":
			return showBackup(state, statement, output);
		default:
			throw new DatabaseError("0A000", `${statement.kind} is not supported here`, {
				hint: "Send it as a statement of its own.",
			});
	}
};

/** What they take from the catalog is noted as it is looked up (`evaluate.ts`, `run-planned.ts`), or they take nothing from it. */
const isPlain: ReadonlySet<Statement["kind"]> = new Set<Statement["kind"]>([
	"set",
	"show",
	"reset",
	"set-transaction",
	"listen",
	"unlisten",
	"notify",
	"prepare",
	"execute",
	"deallocate",
	"declare",
	"fetch",
	"close",
]);

const isNoted = (statement: Statement): boolean =>
	isPlain.has(statement.kind) ||
	isOfTables(statement) ||
	(statement.kind === "copy" && statement.direction === "from");

const mayWrite = (statement: Statement): boolean =>
	isDefinition(statement) || statement.kind === "copy" || statement.kind === "explain";

/** What a statement without a plan returns, as far as it is known before it runs. */
export function utilityColumns(
	state: SessionState,
	statement: Statement,
): readonly ResultColumn[] | undefined {
	switch (statement.kind) {
		case "show":
			if (statement.name.toLowerCase() === "jobs") return jobColumns;
			return statement.name === "all"
				? [textColumn("name"), textColumn("setting"), textColumn("description")]
				: [textColumn(statement.name)];
		case "explain":
			return explainColumns(statement);
		case "execute":
			return state.statements.get(statement.name)?.columns;
		case "fetch":
			return statement.move ? undefined : state.cursors.find(statement.name)?.columns;
		case "show-ranges":
			return rangeColumns;
		case "show-configuration":
			return configurationColumns;
		case "show-backup":
			return backupColumns;
		default:
			return undefined;
	}
}

/** S2: what was not found may have come with a schema version that this node has not heard of. Nothing was done by then. */
async function onceMoreNow(block: TransactionBlock, run: () => Promise<string>): Promise<string> {
	try {
		return await run();
	} catch (error) {
		const { transaction } = block;
		if (!dependsOnSchema(error) || transaction === undefined) throw error;
		const { schemaVersion } = transaction;
		if ((await transaction.readTimestamp()).schemaVersion === schemaVersion) throw error;
		return run();
	}
}
