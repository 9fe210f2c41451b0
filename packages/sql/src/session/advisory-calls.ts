/** The advisory lock functions, as PostgreSQL's (src/backend/utils/adt/lockfuncs.c). */

import { assert } from "@quorate/keys/assert";
import { DatabaseError } from "@quorate/keys/database-error";
import { durationMs } from "@quorate/keys/duration";
import type { AdvisoryId, AdvisoryMode } from "@quorate/txn/advisory-row";
import { inDatabase } from "../catalog/database.ts";
import type { Datum } from "../types/datum.ts";
import type { SessionState } from "./session-state.ts";

const shape = /^pg_(try_)?advisory_(xact_)?(lock|unlock)(_shared)?$/;

/** Names of lock modes in messages and in pg_locks. */
export const modeName = (mode: AdvisoryMode): string =>
	mode === "exclusive" ? "ExclusiveLock" : "ShareLock";

function idOf(args: readonly Datum[], databaseOid: number): AdvisoryId {
	const database = inDatabase(databaseOid);
	if (args.length === 2) {
		const [classid, objid] = args as readonly [number, number];
		return { classid: classid >>> 0, objid: objid >>> 0, objsubid: 2, ...database };
	}
	const key = BigInt.asUintN(64, args[0] as bigint);
	return {
		classid: Number(key >> 32n),
		objid: Number(key & 0xffff_ffffn),
		objsubid: 1,
		...database,
	};
}

export async function callAdvisory(
	state: SessionState,
	name: string,
	args: readonly Datum[],
): Promise<Datum> {
	const { advisory, cancel, settings } = state;
	if (name === "pg_advisory_unlock_all") {
		state.block!.hasLasting = true;
		await advisory.unlockAll();
		return "";
	}
	const match = shape.exec(name);
	assert(match !== null, () => `an advisory function: ${name}`);
	const [, attempt, level, what, shared] = match;
	const mode: AdvisoryMode = shared === undefined ? "exclusive" : "shared";
	const id = idOf(args, state.services.databaseOid);
	if (level === undefined) {
		// It outlives the transaction: another run of the statement would do it twice.
		state.block!.hasLasting = true;
	}
	if (what === "unlock") {
		const isDone = await advisory.unlock(id, mode);
		if (!isDone) state.notice("WARNING", "01000", `you don't own a lock of type ${modeName(mode)}`);
		return isDone;
	}
	const locksMax = Number(settings.value("max_advisory_locks"));
	if (advisory.size >= locksMax) {
		throw new DatabaseError("53200", "out of shared memory", {
			detail: `A session may hold ${locksMax} advisory locks (max_advisory_locks).`,
			hint: "Release those that are not needed any more.",
		});
	}
	const timeoutMs = durationMs(settings.value("lock_timeout"));
	const limits = { waits: attempt === undefined, timeoutMs, cancel };
	const isGranted = await advisory.lock(
		id,
		mode,
		level === undefined ? "session" : "transaction",
		limits,
	);
	state.relyOnLocks();
	return attempt === undefined ? "" : isGranted;
}
