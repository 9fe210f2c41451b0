/** SHOW JOBS and CANCEL JOB: of schema changes that go over the rows of a table. */
import { DatabaseError } from "@quorate/keys/database-error";
import { timestampToWallMs } from "@quorate/keys/timestamp";
import { isOwner } from "../auth/privileges.ts";
import { cancelBuild } from "../ddl/backfill.ts";
import { placesOf } from "../ddl/tenure.ts";
import { unfinishedBuilds } from "../ddl/unfinished.ts";
import { epochOffset } from "../types/calendar.ts";
import type { Output } from "./output.ts";
import { jobColumns } from "./result-columns.ts";
import type { SessionState } from "./session-state.ts";
import type { TransactionBlock } from "./transaction-block.ts";

/** Of those that this node has heard of. */
export async function showJobs(state: SessionState, output: Output): Promise<void> {
	const builds = unfinishedBuilds(await state.services.catalog.newest());
	const ids = builds.map(({ id }) => id);
	const places = ids.length === 0 ? [] : await placesOf(state, ids);
	output.columns(jobColumns);
	await output.rows(
		builds.map(({ id, kind, table, object }, i) => {
			const { rows, rowsTotal, started, node } = places[i] ?? { rows: 0 };
			return [
				BigInt(id),
				kind,
				table,
				object,
				places[i] === undefined ? "pending" : "running",
				BigInt(rows),
				rowsTotal === undefined ? null : BigInt(rowsTotal),
				started === undefined ? null : BigInt(timestampToWallMs(started)) * 1000n - epochOffset,
				node === undefined ? null : BigInt(node),
			];
		}),
	);
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
	const table = job && catalog.relation(job.tableOid);
	if (job === undefined || table === undefined) throw unknown(id);
	if (!isOwner(catalog, state.identity.currentOid, table)) {
		throw new DatabaseError("42501", `must be owner of table ${job.table}`);
	}
	if (!(await cancelBuild(state, job))) throw unknown(id);
	return "CANCEL JOB";
}
