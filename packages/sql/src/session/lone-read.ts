/**
 * A query of one row by its primary key that is a transaction by itself: by far the most frequent statement, so it has a way of its
 * own, without a transaction that would keep what nobody asks for again. Whatever is unusual about the session, the plan or
 * the answer, the statement goes the common way instead (`run-planned.ts`), as if nothing had been tried.
 */
import { InvariantError } from "@quorate/keys/assert";
import type { LoneValue, Transaction } from "@quorate/txn/types";
import { type Batch, Env, Execution } from "../execute/env.ts";
import { StatementStore } from "../execute/statement-store.ts";
import type { Datum } from "../types/datum.ts";
import { samePath } from "./plan-cache.ts";
import { type Prepared, placed } from "./prepared.ts";
import type { SessionState } from "./session-state.ts";

/** The row has been read: nothing of the plan asks for more. */
const nothingElse = new StatementStore(
	new Proxy({} as Transaction, {
		get: () => {
			throw new InvariantError("a row by its key needs no other read");
		},
	}),
	0,
);

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
	// Whether the role may is found out in the common way, once.
	if (!cached.allowed.has(state.identity.currentOid)) return undefined;
	if (!state.mayReadAlone || cached.pinned.length > 0) return undefined;
	const { services, context } = state;
	const lexed = prepared.lexed!;
	const snapshot = services.catalog.known();
	if (snapshot === undefined || snapshot.version !== cached.schemaVersion) return undefined;
	if (lexed.moreRows !== undefined) return undefined;
	if (cached.parameterTypes.length > parameters.length) return undefined;
	state.snapshot = snapshot;
	if (!samePath(cached.searchPath, context.searchPath)) return undefined;
	context.startTransaction();
	const execution = new Execution({
		runtime: services.runtime,
		store: nothingElse,
		context,
		isolation: "serializable",
		rowIds: services.rowIds,
		cancel: state.cancel,
		moreRows: undefined,
		memoryLimit: services.statementMemory,
		memoryPool: services.memoryPool,
	});
	let env: Env;
	try {
		env = new Env(execution, cached.plan.readArguments(lexed.literals, parameters, context));
	} catch (error) {
		throw placed(error, lexed.offset);
	}
	const key = byKey.key(env);
	if (key === undefined) return undefined;
	const rowOf = (found: LoneValue | undefined): Batch | undefined => {
		// S2: a plan of another version must not decode it.
		if (found === undefined || found.schemaVersion !== cached.schemaVersion) return undefined;
		state.noteRead(found.timestamp);
		if (found.value === null) return [];
		try {
			const row = byKey.row(key, found.value, env);
			return row === undefined ? [] : [row];
		} finally {
			execution.release();
		}
	};
	return services.coordinator.readAlone(key, state.cancel)?.then(rowOf);
}
