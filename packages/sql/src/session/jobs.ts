/** SHOW JOBS and CANCEL JOB: of schema changes that go over the rows of a table, backups, and restores. */
import { DatabaseError } from "@quorate/keys/database-error";
import { type Timestamp, timestampToWallMs } from "@quorate/keys/timestamp";
import { isOwner } from "../auth/privileges.ts";
import { cancelStatementJob, isInterrupted } from "../backup/job.ts";
import { cancelBuild } from "../ddl/backfill.ts";
import { allPlaces, type BuildPlace } from "../ddl/tenure.ts";
import { type UnfinishedBuild, unfinishedBuilds } from "../ddl/unfinished.ts";
import { epochOffset } from "../types/calendar.ts";
import type { Datum } from "../types/datum.ts";
import type { Output } from "./output.ts";
import { jobColumns } from "./result-columns.ts";
import type { SessionState } from "./session-state.ts";
import type { TransactionBlock } from "./transaction-block.ts";

interface Shown {
	readonly id: number;
	readonly kind: string;
	readonly table: string | null;
	readonly object: string;
	readonly state: "pending" | "running" | "interrupted";
	readonly place: BuildPlace | undefined;
}

/** Of schema changes those that this node has heard of; of backups and restores none to whoever may run none. */
export async function showJobs(state: SessionState, output: Output): Promise<void> {
	const catalog = await state.services.catalog.newest();
	const { places, now } = await allPlaces(state);
	const shown = unfinishedBuilds(catalog).map((build) => shownBuild(build, places.get(build.id)));
	if (catalog.roles.isSuperuser(state.identity.currentOid)) {
		shown.push(...shownStatements(state, places, now));
	}
	output.columns(jobColumns);
	await output.rows(shown.map(columnsOf));
}

const shownBuild = (
	{ id, kind, table, object }: UnfinishedBuild,
	place: BuildPlace | undefined,
): Shown => ({
	...{ id, kind, table, object, place },
	state: place === undefined ? "pending" : "running",
});

const shownStatements = (
	{ services }: SessionState,
	places: ReadonlyMap<number, BuildPlace>,
	now: Timestamp,
): readonly Shown[] =>
	[...places].flatMap(([id, place]) => {
		const { statement } = place;
		if (statement?.databaseOid !== services.databaseOid) return [];
		const { kind, table = null, directory: object } = statement;
		const status = isInterrupted(place, now) ? "interrupted" : "running";
		return [{ id, kind, table, object, state: status, place }];
	});

function columnsOf({ id, kind, table, object, state, place }: Shown): readonly Datum[] {
	const { rows, rowsTotal, started, node } = place ?? { rows: 0 };
	return [
		BigInt(id),
		kind,
		table,
		object,
		state,
		BigInt(rows),
		rowsTotal === undefined ? null : BigInt(rowsTotal),
		started === undefined ? null : BigInt(timestampToWallMs(started)) * 1000n - epochOffset,
		node === undefined ? null : BigInt(node),
	];
}

const unknown = (id: number): DatabaseError =>
	new DatabaseError("42704", `job ${id} does not exist`, {
		hint: "It may have ended. SHOW JOBS has those that are running.",
	});

/** Ends when what was begun is taken back; whoever waits for the job hears of it. Throws 42704, 42501, 25001. */
export async function cancelJob(
	state: SessionState,
	block: TransactionBlock,
	id: number,
): Promise<string> {
	if (block.explicit) {
		throw new DatabaseError("25001", "CANCEL JOB cannot run inside a transaction block");
	}
	const catalog = await state.services.catalog.newest();
	const job = unfinishedBuilds(catalog).find((one) => one.id === id);
	if (job === undefined) return cancelStatement(state, id);
	const table = catalog.relation(job.tableOid);
	if (table === undefined) throw unknown(id);
	if (!isOwner(catalog, state.identity.currentOid, table)) {
		throw new DatabaseError("42501", `must be owner of table ${job.table}`);
	}
	if (!(await cancelBuild(state, job))) throw unknown(id);
	return "CANCEL JOB";
}

async function cancelStatement(state: SessionState, id: number): Promise<string> {
	const { places } = await allPlaces(state);
	const { statement } = places.get(id) ?? {};
	if (statement?.databaseOid !== state.services.databaseOid) throw unknown(id);
	await state.requireSuperuser("cancel backups and restores");
	if (!(await cancelStatementJob(state, id))) throw unknown(id);
	return "CANCEL JOB";
}
