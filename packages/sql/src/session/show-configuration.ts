/** SHOW CONFIGURATION: what holds, and where it came from. */
import { effectiveSettings } from "../catalog/configuration.ts";
import { requirePlaced } from "../ddl/placed.ts";
import type { Statement } from "../parser/ast.ts";
import { binderFor } from "./evaluate.ts";
import type { Output } from "./output.ts";
import { configurationColumns } from "./result-columns.ts";
import type { SessionState } from "./session-state.ts";
import { checkDatabase } from "./this-database.ts";
import type { TransactionBlock } from "./transaction-block.ts";

export async function showConfiguration(
	state: SessionState,
	block: TransactionBlock,
	{ object, name }: Extract<Statement, { kind: "show-configuration" }>,
	output: Output,
): Promise<string> {
	const binder = await binderFor(state, block, undefined, []);
	if (object === "database") checkDatabase(state, name.parts.join("."));
	const table = object === "table" ? binder.resolveStoredTable(name) : undefined;
	if (table !== undefined) requirePlaced(table);
	output.columns(configurationColumns);
	const settings = effectiveSettings(binder.environment.catalog, table);
	await output.rows(settings.map(({ name: setting, value, source }) => [setting, value, source]));
	return "SHOW CONFIGURATION";
}
