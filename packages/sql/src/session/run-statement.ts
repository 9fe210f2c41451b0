/** Runs any statement in the session's transaction: planned ones here, the others in their own files. */
import type { Statement } from "../parser/ast.ts";
import type { LexedStatement } from "../parser/parse.ts";
import { isPlanned } from "../plan/plan-statement.ts";
import type { Datum } from "../types/datum.ts";
import type { Output } from "./output.ts";
import { type Prepared, parseStatement, preparedOf } from "./prepared.ts";
import { startPlanned } from "./run-planned.ts";
import { runUtility } from "./run-utility.ts";
import type { SessionState } from "./session-state.ts";
import type { TransactionBlock } from "./transaction-block.ts";

/** Statements that a failed transaction still takes. */
export const endsFailure = (statement: Statement | undefined): boolean =>
	statement !== undefined &&
	(statement.kind === "commit" ||
		statement.kind === "rollback" ||
		statement.kind === "rollback-to");

/** A statement of the simple protocol. Nothing is parsed if its shape is known to have a plan. */
export async function prepareSimple(state: SessionState, lexed: LexedStatement): Promise<Prepared> {
	const known = state.services.utilities.find(lexed);
	if (known !== undefined) return preparedOf(lexed, [], known, undefined, undefined);
	const newest = state.services.catalog.known();
	// What search_path comes to hangs on it, also for the first statement.
	state.snapshot ??= newest;
	if (newest !== undefined && state.block?.changesSchema !== true) {
		const { plans } = state;
		const plan = plans.find(lexed, [], newest.version, state.context.searchPath);
		if (plan !== undefined) return preparedOf(lexed, [], undefined, plan, undefined);
	}
	const statement = await parseStatement(state, lexed);
	if (!isPlanned(statement)) return preparedOf(lexed, [], statement, undefined, undefined);
	return { ...preparedOf(lexed, [], undefined, undefined, undefined), parsed: statement };
}

/** Runs to the end; the command tag. */
export async function runStatement(
	state: SessionState,
	block: TransactionBlock,
	prepared: Prepared,
	parameters: readonly Datum[],
	output: Output,
): Promise<string> {
	if (prepared.utility !== undefined) {
		return runUtility(state, block, prepared, parameters, output);
	}
	const running = await startPlanned(state, block, prepared, parameters);
	const { columns } = running.plan;
	if (columns !== undefined) output.columns(columns, running.plan.writes);
	let rows = 0;
	for (;;) {
		const step = running.next();
		const batch = step instanceof Promise ? await step : step;
		if (batch === undefined) break;
		rows += batch.length;
		if (batch.length === 0 || columns === undefined) continue;
		const waiting = output.rows(batch);
		if (waiting !== undefined) await waiting;
	}
	return running.tag(rows);
}
