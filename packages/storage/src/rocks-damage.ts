/** What RocksDB's errors mean for the node, and how a file that is damaged is named. */
import {
	damaged,
	damagedReason,
	diskFullHint,
	isDiskFull,
	rebuildHint,
} from "@quorate/keys/damage";
import { DatabaseError } from "@quorate/keys/database-error";
import type { Disk } from "@quorate/runtime/runtime";
import { currentManifest } from "./rocks-notes.ts";

const messageOf = (error: unknown): string =>
	error instanceof Error ? error.message : String(error);

/** The words of RocksDB for what a file holds or lacks. */
const isDamage = (message: string): boolean =>
	/^(Corruption|IO error: No such file|NotFound|Not implemented|Invalid argument)/.test(message);

/** Why the database in `path` could not be opened. */
export async function openError(disk: Disk, path: string, error: unknown): Promise<DatabaseError> {
	const message = messageOf(error);
	if (isDiskFull(error)) {
		return new DatabaseError("53100", `cannot open the storage engine in ${path}: ${message}`, {
			hint: diskFullHint,
		});
	}
	if (!isDamage(message)) {
		return new DatabaseError("58030", `cannot open the engine in ${path}: ${message}`);
	}
	// Of a record of the manifest that it could not read RocksDB does not always say in which file it was.
	const named = /MANIFEST|CURRENT|\.sst|\.log|\.ldb/.test(message);
	const where = named ? path : `${path}/${(await currentManifest(disk, path)) ?? "CURRENT"}`;
	return damaged(`the storage engine in ${where} is damaged: ${message}`);
}

/** Why the node must stop after a read or a write of the open database failed. */
export function failureReason(path: string, error: unknown): string {
	const message = messageOf(error);
	if (isDiskFull(error)) {
		return `the storage engine in ${path} found the disk full: ${message}. ${diskFullHint} Then start the node again.`;
	}
	return isDamage(message)
		? damagedReason(`the storage engine in ${path} is damaged: ${message}`)
		: `the storage engine in ${path} failed: ${message}. If it happens again: ${rebuildHint}`;
}
