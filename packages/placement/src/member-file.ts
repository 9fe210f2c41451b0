/**
 * Which replica of the placement group is on this node, in a file of its own: a node that joined later becomes a member when it is
 * asked to, and one that was a member may be none any more. Without the file a founder has the replica that it was born with.
 */
import { crc32 } from "node:zlib";
import { damaged, unknownFormat } from "@quorate/keys/damage";
import type { Disk } from "@quorate/runtime/runtime";

const format = 1;

export interface MemberRecord {
	/** 0: none. */
	readonly replica: number;
	/** No replica up to this id is made here any more: its votes are forgotten. */
	readonly retired: number;
}

export async function readMemberRecord(
	disk: Disk,
	path: string,
): Promise<MemberRecord | undefined> {
	const bytes = await disk.readWhole(path);
	if (bytes === undefined) {
		return undefined;
	}
	let file: Record<string, unknown>;
	try {
		file = JSON.parse(Buffer.from(bytes).toString("utf8"));
	} catch {
		throw damaged(`${path} is damaged`);
	}
	const { format: found, replica, retired, checksum } = file as Record<string, number>;
	if (typeof found === "number" && found > format) {
		throw unknownFormat(`${path} has format ${found}, this build reads up to ${format}`);
	}
	const isSound = found === format && checksum === sumOf({ replica: replica!, retired: retired! });
	if (!isSound) {
		throw damaged(`${path} is damaged`);
	}
	return { replica: replica!, retired: retired! };
}

export async function writeMemberRecord(
	disk: Disk,
	path: string,
	record: MemberRecord,
): Promise<void> {
	const file = { format, ...record, checksum: sumOf(record) };
	await disk.replace(path, Buffer.from(`${JSON.stringify(file)}\n`, "utf8"));
}

const sumOf = ({ replica, retired }: MemberRecord): number =>
	crc32(JSON.stringify([replica, retired]));
