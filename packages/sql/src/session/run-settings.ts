/** SET, RESET, SHOW, SET TRANSACTION, ALTER SYSTEM. */

import { DatabaseError } from "@quorate/keys/database-error";
import { durationMs } from "@quorate/keys/duration";
import type { Isolation, TransactionMode } from "@quorate/txn/types";
import type { Statement } from "../parser/ast.ts";
import { showJobs } from "./jobs.ts";
import type { Output } from "./output.ts";
import { textColumn } from "./result-columns.ts";
import type { SessionState } from "./session-state.ts";
import { type SettingDefinition, settingDefinition } from "./setting-definitions.ts";
import { listText, unknownSetting } from "./settings.ts";
import type { TransactionBlock } from "./transaction-block.ts";
import { applyModes, applyTransactionMode, setModes } from "./transaction-control.ts";

type SettingStatement = Extract<
	Statement,
	{ kind: "set" | "reset" | "show" | "set-transaction" | "alter-system" }
>;

export async function runSettingStatement(
	state: SessionState,
	block: TransactionBlock,
	statement: SettingStatement,
	output: Output,
): Promise<string> {
	switch (statement.kind) {
		case "set":
			if (isIdentity(statement.name)) await setIdentity(state, block, statement);
			else set(state, block, statement);
			return "SET";
		case "reset":
			if (statement.name !== undefined && isIdentity(statement.name)) {
				await setIdentity(state, block, { ...statement, name: statement.name });
			} else if (statement.name === undefined) state.settings.resetAll();
			else state.settings.set(statement.name, undefined, false);
			state.context.refresh();
			return "RESET";
		case "set-transaction":
			await setTransaction(state, block, statement);
			return "SET";
		case "alter-system":
			await alterSystem(state, block, statement);
			return "ALTER SYSTEM";
		default:
			await show(state, statement.name, output);
			return "SHOW";
	}
}

function set(
	state: SessionState,
	block: TransactionBlock,
	statement: Extract<SettingStatement, { kind: "set" }>,
): void {
	const name = statement.name.toLowerCase();
	const value = statement.value && listText(name, statement.value);
	const local = statement.scope === "local";
	if (local && !block.explicit) {
		state.notice("WARNING", "25P01", "SET LOCAL can only be used in transaction blocks");
		if (value !== undefined) {
			settingDefinition(name)?.normalize(value, state.settings.surroundings(name));
		}
		return;
	}
	if (setCharacteristic(state, block, name, value)) return;
	if (name === "transaction_mode") setMode(state, block, value);
	state.settings.set(name, value, local);
	state.context.refresh();
	if (name === "transaction_timeout") state.timeouts.limitTransaction();
	// What a transaction was begun with holds for it, unless it has not begun to read.
	if (name === "lock_timeout" && block.transaction === undefined) {
		block.characteristics.lockTimeoutMs = durationMs(state.settings.value(name));
	}
	if (name === "follower_reads" && block.transaction === undefined) {
		block.characteristics.followerReads = state.settings.value(name) === "on";
	}
}

const isIdentity = (name: string): boolean => /^(role|session_authorization)$/i.test(name);

/** SET ROLE, SET SESSION AUTHORIZATION and their RESET: as of what this node has heard of. */
async function setIdentity(
	state: SessionState,
	block: TransactionBlock,
	{ name, value, scope }: { name: string; value?: readonly string[] | undefined; scope?: string },
): Promise<void> {
	const local = scope === "local";
	if (local && !block.explicit) {
		state.notice("WARNING", "25P01", "SET LOCAL can only be used in transaction blocks");
		return;
	}
	const newest = await state.services.catalog.newest();
	const { roles } = block.overlay(newest);
	if (name.toLowerCase() === "role") state.identity.setRole(roles, value?.[0], local);
	else state.identity.setSession(roles, value?.[0], local);
}

/** For this transaction as well as for those that follow. */
function setMode(state: SessionState, block: TransactionBlock, value: string | undefined): void {
	const wanted = value ?? state.settings.default("transaction_mode");
	const mode = settingDefinition("transaction_mode")!.normalize(wanted) as TransactionMode;
	applyTransactionMode(block, mode);
}

/** Settings that belong to the running transaction. */
function setCharacteristic(
	state: SessionState,
	block: TransactionBlock,
	name: string,
	value: string | undefined,
): boolean {
	const normalized = settingDefinition(name)?.normalize(
		value ?? state.settings.value(name.replace("transaction_", "default_transaction_")),
	);
	if (name === "transaction_isolation") {
		const isolation = normalized as Isolation | "read uncommitted";
		applyModes(block, { isolation, readOnly: undefined, deferrable: undefined });
		return true;
	}
	if (name === "transaction_read_only") {
		applyModes(block, {
			isolation: undefined,
			readOnly: normalized === "on",
			deferrable: undefined,
		});
		return true;
	}
	if (name === "transaction_deferrable") {
		applyModes(block, {
			isolation: undefined,
			readOnly: undefined,
			deferrable: normalized === "on",
		});
		return true;
	}
	return false;
}

async function setTransaction(
	state: SessionState,
	block: TransactionBlock,
	statement: Extract<SettingStatement, { kind: "set-transaction" }>,
): Promise<void> {
	if (statement.modes.isLocal === true) {
		throw new DatabaseError("0A000", "SET LOCAL TRANSACTION SNAPSHOT is not implemented");
	}
	if (!statement.session) {
		if (!block.explicit) {
			state.notice("WARNING", "25P01", "SET TRANSACTION can only be used in transaction blocks");
			return;
		}
		await setModes(state, block, statement.modes);
		return;
	}
	const { isolation, readOnly, deferrable, asOf } = statement.modes;
	if (asOf !== undefined) {
		throw new DatabaseError("0A000", "AS OF SYSTEM TIME is not supported for a whole session", {
			hint: "Give it to each transaction.",
		});
	}
	if (isolation !== undefined) {
		state.settings.set("default_transaction_isolation", isolation, false);
	}
	if (readOnly !== undefined) {
		state.settings.set("default_transaction_read_only", readOnly ? "on" : "off", false);
	}
	if (deferrable !== undefined) {
		state.settings.set("default_transaction_deferrable", deferrable ? "on" : "off", false);
	}
}

/** Holds on all nodes, for sessions that have not set it themselves, from their next transaction on. */
async function alterSystem(
	state: SessionState,
	block: TransactionBlock,
	statement: Extract<SettingStatement, { kind: "alter-system" }>,
): Promise<void> {
	if (block.explicit) {
		throw new DatabaseError("25001", "ALTER SYSTEM cannot run inside a transaction block");
	}
	await state.requireSuperuser("change the settings of the cluster");
	const { placement } = state.services;
	const { name, value } = statement;
	if (name === undefined) {
		for (const known of placement.settings().values.keys()) {
			if (isOfCluster(settingDefinition(known))) await placement.set(known, null);
		}
		return;
	}
	const definition = settingDefinition(name);
	if (definition === undefined) throw unknownSetting(name);
	if (!isOfCluster(definition) || ofOneTransaction.has(definition.name)) {
		throw new DatabaseError("55P02", `parameter "${definition.name}" cannot be changed`);
	}
	const normalized = value && definition.normalize(value.join(", "));
	await placement.set(definition.name.toLowerCase(), normalized ?? null);
}

const isOfCluster = (definition: SettingDefinition | undefined): boolean =>
	definition !== undefined && (definition.settable || definition.cluster);

const ofOneTransaction: ReadonlySet<string> = new Set([
	"transaction_isolation",
	"transaction_read_only",
	"transaction_deferrable",
]);

async function show(state: SessionState, asked: string, output: Output): Promise<void> {
	if (asked === "all") {
		output.columns([textColumn("name"), textColumn("setting"), textColumn("description")]);
		const all = state.settings.all().map(([name]) => [name, state.context.setting(name) ?? "", ""]);
		await output.rows(all);
		return;
	}
	const name = asked.toLowerCase();
	if (name === "jobs") return showJobs(state, output);
	const shown = settingDefinition(name)?.name ?? asked;
	const value = state.context.setting(name);
	if (value === undefined) throw unknownSetting(asked);
	output.columns([textColumn(shown)]);
	await output.rows([[value]]);
}
