/** PREPARE, EXECUTE, DEALLOCATE and DISCARD. Names are shared with the statements of the extended protocol. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Statement } from "../parser/ast.ts";
import type { LexedStatement } from "../parser/parse.ts";
import { isPlanned } from "../plan/plan-statement.ts";
import { resolveTypeName, typesIn } from "../plan/type-name.ts";
import { binderFor } from "./evaluate.ts";
import { executedOf, noStatement } from "./executed.ts";
import type { Output } from "./output.ts";
import { bindAndPlan, preparedOf, statementBytes } from "./prepared.ts";
import { runStatement } from "./run-statement.ts";
import type { SessionState } from "./session-state.ts";
import type { TransactionBlock } from "./transaction-block.ts";

type PreparedKind = Extract<Statement, { kind: "prepare" | "execute" | "deallocate" | "discard" }>;

export async function runPreparedStatement(
	state: SessionState,
	block: TransactionBlock,
	statement: PreparedKind,
	lexed: LexedStatement,
	output: Output,
): Promise<string> {
	switch (statement.kind) {
		case "prepare":
			await prepare(state, block, statement, lexed);
			return "PREPARE";
		case "execute":
			return execute(state, block, statement, lexed, output);
		case "deallocate":
			return deallocate(state, statement.name);
		default:
			return discard(state, block, statement.what);
	}
}

async function prepare(
	state: SessionState,
	block: TransactionBlock,
	statement: Extract<PreparedKind, { kind: "prepare" }>,
	lexed: LexedStatement,
): Promise<void> {
	const { name, statement: inner } = statement;
	if (state.statements.has(name)) {
		throw new DatabaseError("42P05", `prepared statement "${name}" already exists`);
	}
	state.statements.requireRoom(name);
	const bytes = statementBytes(lexed.text);
	const { environment } = await binderFor(state, block, undefined, []);
	const look = typesIn(environment);
	const types = statement.types.map((type) => resolveTypeName(type, look).oid);
	const made = { since: state.context.statementStart, fromSql: true } as const;
	if (!isPlanned(inner)) {
		const prepared = preparedOf(lexed, types, inner, undefined, undefined);
		state.statements.set(name, { ...prepared, ...made }, bytes);
		return;
	}
	const binder = await binderFor(state, block, lexed, types);
	const plan = bindAndPlan(state, inner, lexed, types, binder.environment.catalog);
	const bare = preparedOf(lexed, types, undefined, plan, plan.plan.columns);
	state.statements.set(name, { ...bare, ...made, inner }, bytes);
}

async function execute(
	state: SessionState,
	block: TransactionBlock,
	statement: Extract<PreparedKind, { kind: "execute" }>,
	lexed: LexedStatement,
	output: Output,
): Promise<string> {
	const { prepared, parameters } = await executedOf(state, block, statement, lexed);
	return runStatement(state, block, prepared, parameters, output);
}

function deallocate(state: SessionState, name: string | undefined): string {
	if (name === undefined) {
		state.statements.clear();
		return "DEALLOCATE ALL";
	}
	if (!state.statements.delete(name)) throw noStatement(name);
	return "DEALLOCATE";
}

async function discard(
	state: SessionState,
	block: TransactionBlock,
	what: Extract<PreparedKind, { kind: "discard" }>["what"],
): Promise<string> {
	if (what === "all") {
		if (block.explicit) {
			throw new DatabaseError("25001", "DISCARD ALL cannot run inside a transaction block");
		}
		state.statements.clear();
		await state.cursors.closeAll();
		state.identity.setSession((await state.services.catalog.newest()).roles, undefined, false);
		state.settings.resetAll();
		state.context.refresh();
		state.forgetSequences();
		await state.advisory.unlockAll();
		state.notifications.ask({ kind: "unlisten all" });
	}
	if (what === "sequences") state.forgetSequences();
	if (what === "all" || what === "temp") block.drop(state.temporary.all(block.changes));
	return `DISCARD ${what.toUpperCase()}`;
}
