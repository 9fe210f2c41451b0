/**
 * The envelope of every file of a backup: four letters that say what it is, the format's version, CRC-32 of all but itself, the length of
 * what follows. A file that was cut, extended or changed anywhere is refused by name.
 */
import { crc32 } from "node:zlib";
import { DatabaseError } from "@quorate/keys/database-error";

export type FileKind = "plan" | "manifest" | "data";

const letters: Readonly<Record<FileKind, string>> = {
	plan: "QBKP",
	manifest: "QBKM",
	data: "QBKD",
};

/** Raised when any of the files changes; a newer one is refused. */
const format = 1;

/** Letters, format, checksum and length. */
export const sealBytes = 16;
const checksumAt = 8;

export const damaged = (name: string, detail: string): DatabaseError =>
	new DatabaseError("XX001", `file "${name}" of the backup is damaged`, { detail });

/** Of a sealed file, as it stands in it. */
export const checksumOf = (bytes: Uint8Array): number =>
	Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).readUInt32BE(checksumAt);

const computed = (bytes: Buffer): number =>
	crc32(bytes.subarray(checksumAt + 4), crc32(bytes.subarray(0, checksumAt)));

/** `bytes` has `sealBytes` free in front. */
export function seal(kind: FileKind, bytes: Buffer): Buffer {
	bytes.write(letters[kind], 0, "latin1");
	bytes.writeUInt32BE(format, 4);
	bytes.writeUInt32BE(bytes.length - sealBytes, 12);
	bytes.writeUInt32BE(computed(bytes), checksumAt);
	return bytes;
}

/** What is inside. Throws XX001, and 0A000 for the format of a later version. */
export function unseal(kind: FileKind, name: string, file: Uint8Array): Buffer {
	const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
	if (bytes.length < sealBytes) {
		throw damaged(name, `It has ${bytes.length} bytes, fewer than any such file.`);
	}
	if (bytes.toString("latin1", 0, 4) !== letters[kind]) {
		throw damaged(name, `It does not begin as a ${kind} file of a backup does.`);
	}
	const length = bytes.readUInt32BE(12);
	const isWhole = length === bytes.length - sealBytes;
	if (!isWhole || computed(bytes) !== bytes.readUInt32BE(checksumAt)) {
		const why = isWhole
			? "Its checksum does not match."
			: `It has ${bytes.length} bytes and should have ${length + sealBytes}.`;
		throw damaged(name, why);
	}
	const found = bytes.readUInt32BE(4);
	if (found > format) {
		throw new DatabaseError(
			"0A000",
			`file "${name}" has format ${found}, this node knows up to ${format}`,
			{
				hint: "Upgrade this node.",
			},
		);
	}
	return bytes.subarray(sealBytes);
}

export function sealJson(kind: FileKind, value: unknown): Buffer {
	const text = Buffer.from(JSON.stringify(value), "utf8");
	return seal(kind, Buffer.concat([Buffer.alloc(sealBytes), text]));
}

export function unsealJson<T>(kind: FileKind, name: string, file: Uint8Array): T {
	return JSON.parse(unseal(kind, name, file).toString("utf8")) as T;
}
