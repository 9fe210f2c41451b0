/**
 * A query of one row by its primary key that is a transaction by itself: by far the most frequent statement, so it has a way of its
 * own, without a transaction that would keep what nobody asks for again. Whatever is unusual about the session, the plan or
 * the answer, the statement goes the common way instead (`run-planned.ts`), as if nothing had been tried.
 */
import type { LoneValue } from "@quorate/txn/types";
import type { Batch } from "../execute/env.ts";
import type { Datum } from "../types/datum.ts";
import { loneEnv } from "./lone-statement.ts";
import type { Prepared } from "./prepared.ts";
import type { SessionState } from "./session-state.ts";

/** Undefined, at once or later: nothing has happened, and the common way is to be taken. Rejects with what the statement fails with. */
export function readAlone(
	state: SessionState,
	prepared: Prepared,
	parameters: readonly Datum[],
): Promise<Batch | undefined> | undefined {
	const cached = prepared.plan;
	const byKey = cached?.plan.byKey;
	if (cached === undefined || byKey === undefined || cached.plan.asOf !== undefined) {
		return undefined;
	}
	const env = loneEnv(state, prepared, cached, parameters);
	const key = env && byKey.key(env);
	if (env === undefined || key === undefined) return undefined;
	const rowOf = (found: LoneValue | undefined): Batch | undefined => {
		// S2: a plan of another version must not decode it.
		if (found === undefined || found.schemaVersion !== cached.schemaVersion) return undefined;
		state.note(found.timestamp);
		if (found.value === null) return [];
		try {
			const row = byKey.row(key, found.value, env);
			return row === undefined ? [] : [row];
		} finally {
			env.execution.release();
		}
	};
	return state.services.coordinator.readAlone(key, state.cancel)?.then(rowOf);
}
