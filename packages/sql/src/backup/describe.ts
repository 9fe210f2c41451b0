/** SHOW BACKUP: what a directory holds, after all of it was read and checked. */
import { type Timestamp, timestampToWallMs } from "@quorate/keys/timestamp";
import { decodeDescriptor } from "../catalog/descriptor.ts";
import { decodeId, descriptorSpan, isIndexKey } from "../catalog/keys.ts";
import { BackupDirectory } from "./directory.ts";
import { verify } from "./layers.ts";
import { isFull, type Source } from "./plan.ts";
import type { Work } from "./work.ts";

export interface BackupPart {
	readonly backup: number;
	readonly kind: "full" | "incremental";
	/** Undefined: of a full one. */
	readonly after: Timestamp | undefined;
	readonly upTo: Timestamp;
	/** Milliseconds since 1970. */
	readonly upToWallMs: number;
	readonly object: "catalog" | "sequences" | "table";
	/** Of a table: as it was called last in the window. */
	readonly name: string | null;
	readonly changes: number;
}

export async function describeBackup(work: Work, path: string): Promise<readonly BackupPart[]> {
	const directory = await BackupDirectory.named(work.services, path);
	const { backups, unfinished } = await directory.finished();
	const names = new Map<number, string>();
	/** By backup, then source. */
	const counts = new Map<string, number>();
	await verify(work, directory, backups, ({ number }, { key, value }) => {
		if (key.startsWith(descriptorSpan.start) && value !== null) {
			const relation = decodeDescriptor(value);
			if (relation.kind === "table") names.set(relation.primary.indexId, relation.name);
		}
		const part = isIndexKey(key) ? decodeId(key, 1) : key.slice(0, 2);
		counts.set(`${number} ${part}`, (counts.get(`${number} ${part}`) ?? 0) + 1);
	});
	if (unfinished !== undefined) {
		work.tell(
			"there is an unfinished backup too: the statement that made it, run again, goes on with it",
		);
	}
	return backups.flatMap((backup) =>
		backup.sources.map(
			(source): BackupPart => ({
				backup: backup.number,
				kind: isFull(backup) ? "full" : "incremental",
				after: isFull(backup) ? undefined : backup.after,
				upTo: backup.upTo,
				upToWallMs: timestampToWallMs(backup.upTo),
				object: source.kind === "rows" ? "table" : source.kind,
				name: source.kind === "rows" ? (names.get(source.indexId) ?? null) : null,
				changes: counts.get(`${backup.number} ${partOf(source)}`) ?? 0,
			}),
		),
	);
}

function partOf(source: Source): string {
	if (source.kind === "rows") return String(source.indexId);
	return source.kind === "catalog" ? descriptorSpan.start : "\x01s";
}
