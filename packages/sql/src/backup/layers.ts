/** A chain of backups read as one: what a source held at a timestamp of the chain's window. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Key } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { ExportedChange } from "@quorate/replica/requests";
import type { Row } from "@quorate/txn/types";
import { databaseOf, firstDatabaseOid } from "../catalog/database.ts";
import { decodeDescriptor, type RelationDescriptor } from "../catalog/descriptor.ts";
import type { BackupDirectory } from "./directory.ts";
import { keyOfHex, type Manifest, type Source, sameSource, sourceSpan } from "./plan.ts";
import { checkCancelled, type Work } from "./work.ts";

const batchRows = 1_000;
const batchBytes = 512 << 10;

/** One that a chain is asked for; what came with it is the chain's business. */
export type SourceName =
	| { readonly kind: "catalog" | "sequences" }
	| { readonly kind: "rows"; readonly indexId: number };

const named = (name: SourceName): Source => ({ ...name, base: true });

/** The backups that a restore as of `t` needs. Throws 22023 where `t` is outside of the window. */
export function layersFor(backups: readonly Manifest[], t: Timestamp): readonly Manifest[] {
	const last = backups.findIndex(({ upTo }) => upTo >= t);
	const [first] = backups;
	if (first !== undefined && t >= first.upTo && last >= 0) return backups.slice(0, last + 1);
	throw new DatabaseError("22023", "the backup does not hold that timestamp", {
		detail: `It can be restored as of ${first?.upTo} to ${backups.at(-1)?.upTo}.`,
	});
}

/** The changes of a source in one backup, in order, from a key on: file by file. */
class Layer {
	readonly #directory: BackupDirectory;
	readonly #backup: Manifest;
	readonly #source: number;
	readonly #from: Key;
	readonly #end: Key;
	/** Number of the next file. */
	#file: number;
	#changes: readonly ExportedChange[] = [];
	#at = 0;

	constructor(directory: BackupDirectory, backup: Manifest, source: Source, from: Key | undefined) {
		const span = sourceSpan(source);
		this.#directory = directory;
		this.#backup = backup;
		this.#source = backup.sources.findIndex((one) => sameSource(one, source));
		this.#from = from ?? span.start;
		this.#end = span.end;
		const { files } = backup;
		const isBefore = ({ to }: (typeof files)[number]): boolean =>
			to.source < this.#source ||
			(to.source === this.#source && (to.key === "" || keyOfHex(to.key) < this.#from));
		const first = this.#source < 0 ? -1 : files.findIndex((file) => !isBefore(file));
		this.#file = first < 0 ? files.length + 1 : first + 1;
	}

	get change(): ExportedChange | undefined {
		return this.#changes[this.#at];
	}

	/** To the next change. A promise where a file has to be read. */
	next(): void | Promise<void> {
		this.#at++;
		return this.#at < this.#changes.length ? undefined : this.#load();
	}

	async #load(): Promise<void> {
		const { files } = this.#backup;
		while (this.#file <= files.length && files[this.#file - 1]!.from.source <= this.#source) {
			const { changes } = await this.#directory.data(this.#backup, this.#file++);
			this.#changes = changes.filter(({ key }) => key >= this.#from && key < this.#end);
			this.#at = 0;
			if (this.#changes.length > 0) return;
		}
		this.#changes = [];
		this.#at = 0;
	}
}

/** The rows of a source as of `t`, in order of their keys, in batches. */
export async function* stateAt(
	directory: BackupDirectory,
	backups: readonly Manifest[],
	name: SourceName,
	t: Timestamp,
	from?: Key,
	rowsMax = batchRows,
): AsyncIterable<readonly Row[]> {
	const layers = backups.map((backup) => new Layer(directory, backup, named(name), from));
	for (const layer of layers) await layer.next();
	let rows: Row[] = [];
	let bytes = 0;
	for (;;) {
		let key: Key | undefined;
		for (const { change } of layers) {
			if (change !== undefined && (key === undefined || change.key < key)) key = change.key;
		}
		if (key === undefined) break;
		let newest: ExportedChange | undefined;
		// Later layers hold later changes.
		for (const layer of layers) {
			for (let { change } = layer; change?.key === key; change = layer.change) {
				if (change.ts <= t) newest = change;
				const loading = layer.next();
				if (loading !== undefined) await loading;
			}
		}
		if (newest?.value == null) continue;
		rows.push({ key, value: newest.value });
		bytes += key.length + newest.value.length;
		if (rows.length < rowsMax && bytes < batchBytes) continue;
		yield rows;
		rows = [];
		bytes = 0;
	}
	if (rows.length > 0) yield rows;
}

/** In order of object ids. */
export async function relationsAt(
	directory: BackupDirectory,
	backups: readonly Manifest[],
	t: Timestamp,
): Promise<readonly RelationDescriptor[]> {
	const { databaseOid = firstDatabaseOid } = backups.at(-1)!;
	const relations: RelationDescriptor[] = [];
	for await (const rows of stateAt(directory, backups, { kind: "catalog" }, t)) {
		for (const { value } of rows) {
			const relation = decodeDescriptor(value);
			if (databaseOf(relation) === databaseOid) relations.push(relation);
		}
	}
	return relations;
}

/** Reads all files of the backups. Throws XX001 for the first that is damaged or missing. */
export async function verify(
	work: Work,
	directory: BackupDirectory,
	backups: readonly Manifest[],
	each: (backup: Manifest, change: ExportedChange) => void,
): Promise<void> {
	for (const backup of backups) {
		for (let file = 1; file <= backup.files.length; file++) {
			checkCancelled(work);
			for (const change of (await directory.data(backup, file)).changes) each(backup, change);
			await work.services.runtime.scheduler.yield();
		}
	}
}
