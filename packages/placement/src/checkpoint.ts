/**
 * The placement state on a member's disk: one file, replaced as a whole, from which the log can be
 * compacted. First line: name, format, CRC-32 and length of the rest, so that a damaged file is
 * refused and not half believed.
 */
import { crc32 } from "node:zlib";
import { damaged, unknownFormat } from "@quorate/keys/damage";
import type { SnapshotMetadata } from "@quorate/raft/types";
import type { Disk } from "@quorate/runtime/runtime";

const magic = "quorate-placement";
const format = 1;

export interface Checkpoint {
	readonly metadata: SnapshotMetadata;
	/** `PlacementState.encode`. */
	readonly state: Uint8Array;
}

export async function writeCheckpoint(
	disk: Disk,
	path: string,
	checkpoint: Checkpoint,
): Promise<void> {
	const metadata = Buffer.from(`${JSON.stringify(checkpoint.metadata)}\n`, "utf8");
	const body = Buffer.concat([metadata, checkpoint.state]);
	const header = `${magic} ${format} ${crc32(body)} ${body.length}\n`;
	await disk.replace(path, Buffer.concat([Buffer.from(header, "utf8"), body]));
}

/** Undefined where there is none. */
export async function readCheckpoint(disk: Disk, path: string): Promise<Checkpoint | undefined> {
	const bytes = await disk.readWhole(path);
	if (bytes === undefined) {
		return undefined;
	}
	const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const headerEnd = buffer.indexOf("\n");
	const [name, version, sum, length] = buffer.subarray(0, headerEnd).toString("utf8").split(" ");
	if (name === magic && Number(version) > format) {
		throw unknownFormat(`${path} has format ${version}, this build reads up to ${format}`);
	}
	const body = buffer.subarray(headerEnd + 1);
	const intact =
		name === magic &&
		Number(version) === format &&
		Number(length) === body.length &&
		Number(sum) === crc32(body);
	if (!intact) {
		throw damaged(`${path} is damaged`);
	}
	const metadataEnd = body.indexOf("\n");
	const metadata = JSON.parse(body.subarray(0, metadataEnd).toString("utf8")) as SnapshotMetadata;
	return { metadata, state: body.subarray(metadataEnd + 1) };
}
