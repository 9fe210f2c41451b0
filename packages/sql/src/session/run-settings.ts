/** SET, RESET, SHOW, SET TRANSACTION. */
import type { Isolation, TransactionMode } from "@quorate/txn/types";
import type { Statement } from "../parser/ast.ts";
import type { Output } from "./output.ts";
import { textColumn } from "./result-columns.ts";
import type { SessionState } from "./session-state.ts";
import { durationMs, settingDefinition } from "./setting-definitions.ts";
import { unknownSetting } from "./settings.ts";
import type { TransactionBlock } from "./transaction-block.ts";
import { applyModes } from "./transaction-control.ts";

type SettingStatement = Extract<Statement, { kind: "set" | "reset" | "show" | "set-transaction" }>;

export async function runSettingStatement(
	state: SessionState,
	block: TransactionBlock,
	statement: SettingStatement,
	output: Output,
): Promise<string> {
	switch (statement.kind) {
		case "set":
			set(state, block, statement);
			return "SET";
		case "reset":
			if (statement.name === undefined) state.settings.resetAll();
			else state.settings.set(statement.name, undefined, false);
			state.context.refresh();
			return "RESET";
		case "set-transaction":
			setTransaction(state, block, statement);
			return "SET";
		default:
			await show(state, block, statement.name, output);
			return "SHOW";
	}
}

function set(
	state: SessionState,
	block: TransactionBlock,
	statement: Extract<SettingStatement, { kind: "set" }>,
): void {
	const name = statement.name.toLowerCase();
	const value = statement.value?.join(", ");
	const local = statement.scope === "local";
	if (local && !block.explicit) {
		state.notice("WARNING", "25P01", "SET LOCAL can only be used in transaction blocks");
		if (value !== undefined) settingDefinition(name)?.normalize(value);
		return;
	}
	if (setCharacteristic(state, block, name, value)) return;
	state.settings.set(name, value, local);
	state.context.refresh();
	// What a transaction was begun with holds for it, unless it has not begun to read.
	if (name === "lock_timeout" && block.transaction === undefined) {
		block.characteristics.lockTimeoutMs = durationMs(state.settings.value(name));
	}
	if (name === "transaction_mode" && block.transaction === undefined) {
		block.characteristics.mode = state.settings.value(name) as TransactionMode;
	}
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
	return name === "transaction_deferrable";
}

function setTransaction(
	state: SessionState,
	block: TransactionBlock,
	statement: Extract<SettingStatement, { kind: "set-transaction" }>,
): void {
	if (!statement.session) {
		if (!block.explicit) {
			state.notice("WARNING", "25P01", "SET TRANSACTION can only be used in transaction blocks");
			return;
		}
		applyModes(block, statement.modes);
		return;
	}
	const { isolation, readOnly } = statement.modes;
	if (isolation !== undefined) {
		state.settings.set("default_transaction_isolation", isolation, false);
	}
	if (readOnly !== undefined) {
		state.settings.set("default_transaction_read_only", readOnly ? "on" : "off", false);
	}
}

async function show(
	state: SessionState,
	block: TransactionBlock,
	asked: string,
	output: Output,
): Promise<void> {
	if (asked === "all") {
		output.columns([textColumn("name"), textColumn("setting"), textColumn("description")]);
		await output.rows(state.settings.all().map(([name, value]) => [name, value, ""]));
		return;
	}
	const name = asked.toLowerCase();
	const shown = settingDefinition(name)?.name ?? asked;
	const value = characteristic(block, name) ?? state.settings.get(name);
	if (value === undefined) throw unknownSetting(asked);
	output.columns([textColumn(shown)]);
	await output.rows([[value]]);
}

function characteristic(block: TransactionBlock, name: string): string | undefined {
	if (name === "transaction_isolation") return block.characteristics.isolation;
	if (name === "transaction_read_only") return block.characteristics.readOnly ? "on" : "off";
	return undefined;
}
