/**
 * Backups: a directory of files that hold what the database was, and every version of every row since.
 *
 * A *full* backup holds the rows as of one timestamp T, with their schema and the values of sequences. An *incremental* one on top
 * holds every change in (T0, T], T0 being where the one before it ends; together they are a chain, in one directory (`directory.ts`).
 * From it the database can be restored as it was at any timestamp from the T of the full one to that of the last.
 *
 *   BACKUP   plan.ts  ──> coordinator.changes, source by source ──> data-file.ts ──> manifest
 *   RESTORE  layers.ts (the newest change of each key at or below t) ──> batches under new physical prefixes ──> one schema change
 *
 * Numbers of physical prefixes and object ids are those of the cluster that was backed up; a restore gives everything new ones. Of
 * a table only the rows are kept: entries of indexes are made of them again.
 *
 * # Invariants
 *
 * B1. What is read is the past. T is issued, or below an issued timestamp, before anything is read; all of a backup is read at it
 *     (`replica/exports.ts`), without locks. Writers never wait for a backup.
 * B2. A backup at T0..T holds of each of its sources all changes in (T0, T]. A source that no backup before it in the chain had (a table
 *     made since, or loaded since by a restore, whose rows may be older than the table is visible) comes with what it held at T0.
 *     So a table that is in the catalog at a t of the chain's window can be put together as of t from the backups up to t.
 * B3. History that was collected is not passed over: below the GC threshold a backup fails with 72000 and says what to do.
 *     While it runs it holds history back (`history-holds.ts`), and for ten minutes after it was interrupted; between two backups
 *     nothing does: `gc_ttl` has to be longer than that.
 * B4. A backup is there once its manifest is, which is written last and lists size and checksum of every file. Files
 *     are replaced as a whole and synced, the directory too. A plan without a manifest is an unfinished backup.
 * B5. The plan fixes T and the sources, and each file says where it begins and ends. So the same statement, run again after a crash,
 *     goes on behind the files that are whole, at the same T, and the result is what one run would have made.
 * B6. Every byte of every file is under a checksum, every file under the manifest's, every manifest names the one before it. A restore
 *     reads and checks all that it needs before it writes anything, and checks again what it loads.
 * B7. RESTORE makes everything visible in one schema change at its end, or nothing. Until then rows lie under physical prefixes that no
 *     catalog names. How far it is commits together with each batch (`restore-state.ts`), under the token of whoever runs it:
 *     the same statement, run again, goes on there; of two that run at once the older fails.
 * B8. Once CANCEL JOB (`job.ts`) has said so, a backup gets no manifest and a restore publishes nothing: either ends its job
 *     before, or together with it.
 *
 * Left out: compression, encryption, copying from several nodes at once, and files anywhere else than on the gateway's machine.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { ChangesPage } from "@quorate/txn/types";
import { databaseOf, firstDatabaseOid } from "../catalog/database.ts";
import { decodeDescriptor } from "../catalog/descriptor.ts";
import { descriptorSpan } from "../catalog/keys.ts";
import { DataFileWriter } from "./data-file.ts";
import { BackupDirectory, type Chain } from "./directory.ts";
import { HistoryHold } from "./hold.ts";
import { Job } from "./job.ts";
import {
	type BackupPlan,
	type DataFileEntry,
	endPlace,
	isFull,
	keyHex,
	type Manifest,
	type Place,
	type Source,
	samePlace,
	sameSource,
	spanFrom,
	startPlace,
} from "./plan.ts";
import { type BackupWork, checkCancelled, megabytes, Progress, type Work } from "./work.ts";

export interface BackupRequest {
	readonly directory: string;
	readonly incremental: boolean;
	/** Undefined: now. */
	readonly asOf: Timestamp | undefined;
}

/** Of a data file; the page that goes over it is still there. */
const fileBytesMax = 8 << 20;

/** The number of changes in it. */
export async function takeBackup(work: Work, request: BackupRequest): Promise<number> {
	const directory = await BackupDirectory.named(work.services, request.directory);
	const lock = await directory.open();
	let job: Job | undefined;
	try {
		job = await beginJob(work, request, directory);
		return await takeInto(directory, { ...work, cancel: job?.signal ?? work.cancel, job }, request);
	} catch (error) {
		await job?.leave();
		throw isTooOld(error) ? historyIsGone(request) : error;
	} finally {
		await lock.release();
	}
}

/** Where it cannot be shown it runs all the same. */
async function beginJob(
	work: Work,
	{ incremental }: BackupRequest,
	{ path }: BackupDirectory,
): Promise<Job | undefined> {
	const { databaseOid, nodeId, runtime } = work.services;
	try {
		return await Job.begin(work, {
			kind: incremental ? "BACKUP INCREMENTAL" : "BACKUP",
			directory: path,
			databaseOid,
			target: `backup ${databaseOid} ${nodeId} ${path}`,
		});
	} catch (error) {
		if (!(error instanceof DatabaseError) || work.cancel.reason !== undefined) throw error;
		runtime.logger.log("warn", "a backup is not among the jobs", { directory: path, error });
		return undefined;
	}
}

async function takeInto(
	directory: BackupDirectory,
	work: BackupWork,
	request: BackupRequest,
): Promise<number> {
	const chain = await directory.chain();
	checkRequest(request, chain, directory, work);
	const begun = await begunPlan(request, chain, directory, work);
	try {
		return await writeBackup(work, directory, begun ?? (await newPlan(work, request, chain)));
	} catch (error) {
		if (begun === undefined || request.asOf !== undefined || !isTooOld(error)) throw error;
		work.tell("the unfinished backup is too old to go on with: a new one begins");
		await directory.discard(begun.number);
		return await writeBackup(work, directory, await newPlan(work, request, chain));
	}
}

const isTooOld = (error: unknown): boolean =>
	error instanceof DatabaseError && error.code === "72000";

const historyIsGone = ({ incremental }: BackupRequest): DatabaseError =>
	new DatabaseError("72000", "what the backup has to read is not kept any more", {
		hint: incremental
			? "Take a full backup in another directory. ALTER SYSTEM SET gc_ttl to more than the time between two backups."
			: "Choose a later timestamp, or ALTER SYSTEM SET gc_ttl before it is needed.",
	});

/** Of a cluster whose disks were put back to an older state. */
const isNewer = (): DatabaseError =>
	new DatabaseError("55000", "the backup in the directory is newer than this cluster");

function checkRequest(
	{ incremental, asOf }: BackupRequest,
	{ backups }: Chain,
	{ path }: BackupDirectory,
	work: Work,
): void {
	const last = backups.at(-1);
	if (!incremental) {
		if (last === undefined) return;
		throw new DatabaseError("55000", `there is a backup in "${path}" already`, {
			hint: "Use BACKUP DATABASE ... INCREMENTAL to add to it, or another directory.",
		});
	}
	if (last === undefined) {
		throw new DatabaseError("55000", `there is no backup in "${path}" to build on`, {
			hint: "Begin with a full one: BACKUP DATABASE ... without INCREMENTAL.",
		});
	}
	if (!isOfHere(last, work)) {
		throw new DatabaseError("55000", `the backup in "${path}" is of another cluster or database`);
	}
	if (asOf !== undefined && asOf <= last.upTo) {
		throw new DatabaseError("22023", "the backup in the directory reaches beyond that timestamp", {
			detail: `It ends at ${last.upTo}.`,
		});
	}
}

/** By object id: a database may be called otherwise by now. */
const isOfHere = (
	{ clusterId, databaseOid = firstDatabaseOid }: BackupPlan,
	{ services }: Work,
): boolean => clusterId === services.clusterId && databaseOid === services.databaseOid;

/** What an interrupted statement has left, if this one is to go on with it. */
async function begunPlan(
	{ asOf }: BackupRequest,
	{ unfinished, backups }: Chain,
	directory: BackupDirectory,
	work: Work,
): Promise<BackupPlan | undefined> {
	if (unfinished === undefined) return undefined;
	if (unfinished !== "damaged") {
		const isSame = isOfHere(unfinished, work);
		if (isSame && (asOf === undefined || asOf === unfinished.upTo)) {
			const { timestamp: now } = await work.services.placement.issue();
			if (unfinished.upTo > now) throw isNewer();
			return unfinished;
		}
		if (!isSame) {
			throw new DatabaseError(
				"55000",
				"the directory holds an unfinished backup of another cluster or database",
			);
		}
	}
	await directory.discard(backups.length + 1);
	return undefined;
}

async function newPlan(
	work: Work,
	{ asOf }: BackupRequest,
	{ backups }: Chain,
): Promise<BackupPlan> {
	const { placement, runtime, clusterId, database, databaseOid } = work.services;
	const before = backups.at(-1);
	const upTo = asOf ?? (await placement.issue()).timestamp;
	const after = before?.upTo ?? upTo;
	if (upTo < after) throw isNewer();
	return {
		id: Buffer.from(runtime.random.bytes(16)).toString("hex"),
		number: backups.length + 1,
		parent: before?.id,
		clusterId,
		database,
		...(databaseOid === firstDatabaseOid ? {} : { databaseOid }),
		after,
		upTo,
		sources: await sourcesOf(work, backups, after, upTo),
	};
}

/** The rows of all tables that were in the catalog at any time from `after` to `upTo`. */
async function sourcesOf(
	work: Work,
	backups: readonly Manifest[],
	after: Timestamp,
	upTo: Timestamp,
): Promise<readonly Source[]> {
	const { coordinator, databaseOid } = work.services;
	const query = { span: descriptorSpan, above: null, base: true, after, upTo };
	const indexes = new Set<number>();
	for await (const { rows } of coordinator.changes(query)) {
		checkCancelled(work);
		for (const { value } of rows) {
			const relation = value === null ? undefined : decodeDescriptor(value);
			if (relation?.kind !== "table" || databaseOf(relation) !== databaseOid) continue;
			indexes.add(relation.primary.indexId);
		}
	}
	const sorted = [...indexes].sort((a, b) => a - b);
	const wanted: Source[] = [
		{ kind: "catalog", base: true },
		{ kind: "sequences", base: true },
		...sorted.map((indexId): Source => ({ kind: "rows", indexId, base: true })),
	];
	const known = backups.flatMap(({ sources }) => sources);
	return wanted.map((source) => ({
		...source,
		base: !known.some((one) => sameSource(one, source)),
	}));
}

async function writeBackup(
	work: BackupWork,
	directory: BackupDirectory,
	plan: BackupPlan,
): Promise<number> {
	const { logger } = work.services.runtime;
	const files: DataFileEntry[] = [];
	for (let at: Place = startPlace; ; at = files.at(-1)!.to) {
		const entry = await directory.finishedFile(plan, files.length + 1, at);
		checkCancelled(work);
		if (entry === undefined) break;
		files.push(entry);
	}
	const what = { directory: directory.path, upTo: plan.upTo, full: isFull(plan) };
	if (files.length > 0) {
		work.tell(
			`an unfinished backup up to ${plan.upTo} is gone on with: ${files.length} files are there`,
		);
	}
	logger.log("info", "a backup is written", { ...what, after: plan.after, found: files.length });
	await directory.writePlan(plan);
	const hold = new HistoryHold(work, plan.id, plan.after);
	await hold.renew();
	await new BackupWriter(work, directory, plan, files, hold).run();
	await work.job?.close();
	await directory.writeManifest({ ...plan, files });
	await hold.release();
	const changes = files.reduce((sum, file) => sum + file.changes, 0);
	logger.log("info", "a backup is finished", { ...what, files: files.length, changes });
	return changes;
}

class BackupWriter {
	readonly #work: BackupWork;
	readonly #directory: BackupDirectory;
	readonly #plan: BackupPlan;
	/** Finished ones. */
	readonly #files: DataFileEntry[];
	readonly #file = new DataFileWriter();
	readonly #progress: Progress;
	readonly #hold: HistoryHold;
	/** Up to which everything is in a file or in `#file`. */
	#at: Place;

	constructor(
		work: BackupWork,
		directory: BackupDirectory,
		plan: BackupPlan,
		files: DataFileEntry[],
		hold: HistoryHold,
	) {
		this.#work = work;
		this.#directory = directory;
		this.#plan = plan;
		this.#files = files;
		this.#hold = hold;
		this.#at = files.at(-1)?.to ?? startPlace;
		this.#progress = new Progress(work, "backup");
	}

	async run(): Promise<void> {
		const { sources } = this.#plan;
		while (this.#at.source < sources.length) await this.#source(sources[this.#at.source]!);
		if (!samePlace(this.#files.at(-1)?.to ?? startPlace, endPlace(this.#plan)))
			await this.#finish();
	}

	async #source(source: Source): Promise<void> {
		const { after, upTo } = this.#plan;
		const from = this.#at;
		const query = {
			span: spanFrom(source, from),
			above: from.above as Timestamp | null,
			base: source.base,
			after,
			upTo,
		};
		const { coordinator, limits } = this.#work.services;
		for await (const page of coordinator.changes(query)) {
			checkCancelled(this.#work);
			for (const row of page.rows) this.#file.add(row);
			this.#at = this.#placeAfter(from.source, page);
			if (this.#file.length >= (limits.backupFileBytes ?? fileBytesMax)) await this.#finish();
			await this.#hold.renew();
			this.#tell();
		}
	}

	#placeAfter(source: number, { resume }: ChangesPage): Place {
		return resume === null
			? { source: source + 1, key: "", above: null }
			: { source, key: keyHex(resume.key), above: resume.above };
	}

	async #finish(): Promise<void> {
		const number = this.#files.length + 1;
		const from = this.#files.at(-1)?.to ?? startPlace;
		const { head, bytes } = this.#file.finish({
			backup: this.#plan.id,
			file: number,
			from,
			to: this.#at,
		});
		this.#files.push(await this.#directory.writeData(this.#plan.number, head, bytes));
	}

	#tell(): void {
		const written = this.#files.reduce((sum, { bytes }) => sum + bytes, this.#file.length);
		const { job } = this.#work;
		if (job !== undefined) {
			job.rows = this.#files.reduce((sum, file) => sum + file.changes, this.#file.changes);
		}
		const { sources } = this.#plan;
		const table = Math.min(this.#at.source + 1, sources.length);
		this.#progress.at(
			this.#at.source / sources.length,
			`${megabytes(written)} written, at ${table} of ${sources.length} tables and other parts`,
		);
	}
}
