/**
 * What the short ways have in common of statements that are a transaction by themselves and concern one row by its primary key
 * (`lone-read.ts`, `run-elsewhere.ts`): the plan is at hand, and nothing about the session asks for more.
 */
import { InvariantError } from "@quorate/keys/assert";
import type { Transaction } from "@quorate/txn/types";
import { Env, Execution } from "../execute/env.ts";
import { StatementStore } from "../execute/statement-store.ts";
import type { Datum } from "../types/datum.ts";
import { type CachedPlan, samePath } from "./plan-cache.ts";
import { type Prepared, placed } from "./prepared.ts";
import type { SessionState } from "./session-state.ts";

/** The row is read by somebody else: nothing that is evaluated asks for more. */
const nothingElse = new StatementStore(
	new Proxy({} as Transaction, {
		get: () => {
			throw new InvariantError("a row by its key needs no other read");
		},
	}),
	0,
);

/** Undefined: the common way is to be taken (`run-planned.ts`). Throws where a value cannot be read. */
export function loneEnv(
	state: SessionState,
	prepared: Prepared,
	cached: CachedPlan,
	parameters: readonly Datum[],
): Env | undefined {
	// Whether the role may is found out in the common way, once.
	if (!cached.allowed.has(state.identity.currentOid)) return undefined;
	if (!state.isUnbound || cached.pinned.length > 0 || cached.temporary !== 0) return undefined;
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
	try {
		return new Env(execution, cached.plan.readArguments(lexed.literals, parameters, context));
	} catch (error) {
		throw placed(error, lexed.offset);
	}
}
