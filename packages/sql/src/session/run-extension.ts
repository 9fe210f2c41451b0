/** CREATE and DROP EXTENSION: what is there is there (`catalog/extensions.ts`). */
import { DatabaseError } from "@quorate/keys/database-error";
import { extensions } from "../catalog/extensions.ts";
import type { Statement } from "../parser/ast.ts";
import type { SessionState } from "./session-state.ts";

type ExtensionStatement = Extract<Statement, { kind: "create-extension" | "drop-extension" }>;

/** The command tag. Throws 0A000, 2BP01, 42704, 42710. */
export function runExtension(state: SessionState, statement: ExtensionStatement): string {
	if (statement.kind === "create-extension") {
		create(state, statement.name, statement.ifNotExists);
		return "CREATE EXTENSION";
	}
	for (const name of statement.names) drop(state, name, statement.ifExists);
	return "DROP EXTENSION";
}

function create(state: SessionState, name: string, ifNotExists: boolean): void {
	const found = extensions.find((one) => one.name === name);
	if (found === undefined) {
		throw new DatabaseError("0A000", `extension "${name}" is not available`, {
			hint: `There are ${extensions.map((one) => one.name).join(" and ")}.`,
		});
	}
	const message = `extension "${name}" already exists`;
	if (!ifNotExists) throw new DatabaseError("42710", message);
	state.notice("NOTICE", "42710", `${message}, skipping`);
	if (found.only !== undefined) {
		state.notice("WARNING", "01000", `of extension "${name}" there is only ${found.only}`);
	}
}

function drop(state: SessionState, name: string, ifExists: boolean): void {
	if (extensions.some((one) => one.name === name)) {
		throw new DatabaseError(
			"2BP01",
			`cannot drop extension ${name} because it is required by the database system`,
		);
	}
	const message = `extension "${name}" does not exist`;
	if (!ifExists) throw new DatabaseError("42704", message);
	state.notice("NOTICE", "00000", `${message}, skipping`);
}
