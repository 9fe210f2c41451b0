/**
 * A change of one row by its primary key that is a transaction by itself, where another node leads the row's range: that node runs it
 * (`statement-runner.ts`). Lock, evaluation and commit then lie in one place: one round trip instead of two, and a row that everybody updates
 * passes from one statement to the next without waiting for the network (docs/decisions/hot-rows.md).
 *
 * The transaction's id is this node's, so that a lost answer is settled as that of any one-phase commit is (T5). Whatever is unusual, the
 * statement goes the common way (`run-planned.ts`), as if nothing had been tried.
 */
import { isActive } from "@quorate/keys/cluster-version";
import type { NodeId } from "@quorate/keys/ids";
import type { Key } from "@quorate/keys/key";
import { fencesIn } from "@quorate/keys/write-fences";
import type { Once } from "@quorate/txn/types";
import { firstDatabaseOid } from "../catalog/database.ts";
import { encodeValues } from "../execute/value-codec.ts";
import { OutcomeLostError, type RemoteStatement } from "../types/cluster-access.ts";
import type { Datum } from "../types/datum.ts";
import { loneEnv } from "./lone-statement.ts";
import { type Prepared, placed } from "./prepared.ts";
import { isConflict, isUnreachable } from "./retry.ts";
import type { SessionState } from "./session-state.ts";

/** Objects of users have higher ids. */
const systemOidMax = 16_383;

const isBuiltIn = (oid: number): boolean => oid <= systemOidMax;

/** What literals and expressions may depend on, and how long is waited. */
const carried = [
	"TimeZone",
	"DateStyle",
	"IntervalStyle",
	"extra_float_digits",
	"bytea_output",
	"search_path",
	"lock_timeout",
] as const;

/** The command tag. Undefined, at once or later: nothing has happened. Rejects with what the statement fails with. */
export function runElsewhere(
	state: SessionState,
	prepared: Prepared,
	parameters: readonly Datum[],
): Promise<string | undefined> | undefined {
	const cached = prepared.plan;
	const changedKey = cached?.plan.changedKey;
	if (cached === undefined || changedKey === undefined || !state.isPlain) return undefined;
	const { coordinator, placement, databaseOid } = state.services;
	if (databaseOid !== firstDatabaseOid) return undefined;
	const types = cached.parameterTypes;
	// The other node may not have heard of types that users have made.
	if (!types.every(isBuiltIn) || !isActive(placement.settings().values, "statements")) {
		return undefined;
	}
	// Older builds show dates in one style only, and draw no numbers for a session.
	const { dateStyle, isSeeded } = state.context;
	if (!dateStyle.startsWith("ISO") || isSeeded) return undefined;
	// Writers of some table wait: in the common way.
	if (fencesIn(placement.settings().values).length > 0) return undefined;
	const env = loneEnv(state, prepared, cached, parameters);
	const key = env && changedKey(env);
	if (key === undefined) return undefined;
	const node = coordinator.leadElsewhere(key);
	if (node === undefined) return undefined;
	const { settings, identity, context } = state;
	return runAt(state, node, prepared, {
		anchor: key,
		text: prepared.lexed!.text,
		types,
		values: encodeValues(types, parameters),
		settings: carried.map((name) => [name, settings.value(name)]),
		role: identity.currentOid,
		process: context.backendPid,
	});
}

async function runAt(
	state: SessionState,
	node: NodeId,
	prepared: Prepared,
	{ anchor, ...statement }: Omit<RemoteStatement, "once"> & { readonly anchor: Key },
): Promise<string | undefined> {
	const { cluster, coordinator } = state.services;
	const { cancel } = state;
	const once = await coordinator.once(anchor);
	if (cancel.reason !== undefined) throw cancel.reason;
	const stop = cancel.onCancel(() => cluster.cancelAt(node, once.id, cancel.reason!));
	try {
		const outcome = await cluster.runAt(node, { once, ...statement });
		if (outcome === undefined) {
			coordinator.doesNotLead(anchor, node);
			return undefined;
		}
		state.noteCommit(outcome.timestamp ?? undefined);
		return outcome.tag;
	} catch (error) {
		if (error instanceof OutcomeLostError) return settled(state, once);
		// Of both, nothing has been done; 55P03, 57014, 22012 and the like are the statement's own.
		if (isConflict(error) || isUnreachable(error)) return undefined;
		throw placed(error, prepared.lexed!.offset);
	} finally {
		stop();
	}
}

/** It has committed, so it has changed the row; or it never will, and the statement may be run again. */
async function settled(state: SessionState, once: Once): Promise<string | undefined> {
	try {
		state.noteCommit(await state.services.coordinator.settle(once));
		return "UPDATE 1";
	} catch (error) {
		if (isConflict(error)) return undefined;
		throw error;
	}
}
