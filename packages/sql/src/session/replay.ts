/**
 * A statement that is a transaction by itself is answered, in the extended protocol, before Sync commits it. If that commit
 * meets a conflict, the statement is run again in a fresh transaction: where it does exactly what the client was told
 * already (same tag, same rows), committing that is as good, and the client never learns of the conflict.
 */
import type { ExecRow } from "../execute/env.ts";
import type { Datum } from "../types/datum.ts";
import type { Prepared } from "./prepared.ts";
import { backOff, isConflict } from "./retry.ts";
import { isDefinition, runDefinition } from "./run-definition.ts";
import { startPlanned } from "./run-planned.ts";
import type { SessionState } from "./session-state.ts";
import type { TransactionBlock } from "./transaction-block.ts";

export interface Told {
	readonly prepared: Prepared;
	readonly parameters: readonly Datum[];
	readonly tag: string;
	readonly rows: readonly ExecRow[];
}

const attemptsMax = 10;

function same(a: Datum, b: Datum): boolean {
	if (a === b) return true;
	if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) {
		return Number.isNaN(a) && Number.isNaN(b);
	}
	return text(a) === text(b);
}

const text = (value: Datum): string =>
	JSON.stringify(value, (_key, inner: unknown) => {
		if (typeof inner === "bigint") return `${inner}n`;
		return inner instanceof Uint8Array ? Buffer.from(inner).toString("hex") : inner;
	});

const sameRows = (a: readonly ExecRow[], b: readonly ExecRow[]): boolean =>
	a.length === b.length && a.every((row, i) => row.every((value, j) => same(value, b[i]![j]!)));

/** Whether a statement may come to the same end again: one that is planned, or one that changes the schema. */
export const isRepeatable = ({ utility }: Prepared): boolean =>
	utility === undefined || isDefinition(utility);

async function runAgain(
	state: SessionState,
	block: TransactionBlock,
	{ prepared, parameters }: Told,
): Promise<{ readonly tag: string; readonly rows: readonly ExecRow[] }> {
	const { utility, lexed } = prepared;
	if (utility !== undefined && isDefinition(utility)) {
		// The notices have been given.
		const { sink } = state;
		state.sink = undefined;
		try {
			return { tag: await runDefinition(state, block, utility, lexed!), rows: [] };
		} finally {
			state.sink = sink;
		}
	}
	const running = await startPlanned(state, block, prepared, parameters);
	const rows: ExecRow[] = [];
	for (;;) {
		const batch = await running.next();
		if (batch === undefined) break;
		rows.push(...batch);
	}
	return { tag: running.tag(rows.length), rows };
}

/** Throws `conflict` if the statement cannot be brought to the same end. */
export async function replay(state: SessionState, told: Told, conflict: unknown): Promise<void> {
	for (let attempt = 0; attempt < attemptsMax; attempt++) {
		await backOff(state.services.runtime, attempt);
		const block = state.begin(false);
		try {
			const { tag, rows } = await runAgain(state, block, told);
			if (tag !== told.tag || !sameRows(rows, told.rows)) throw conflict;
			await state.commit();
			return;
		} catch (error) {
			await state.rollback();
			if (!isConflict(error) || error === conflict) throw conflict;
		}
	}
	throw conflict;
}
