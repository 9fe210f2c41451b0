/**
 * A data file: which backup it is of and what part of it, then changes. Of a change: how many bytes of its key are those of the one before
 * and how many follow (u16 each), those, its timestamp (u64), the length of its value (u32, all ones: a deletion), the value.
 */
import type { Key } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { ExportedChange } from "@quorate/replica/requests";
import type { Place } from "./plan.ts";
import { damaged, seal, sealBytes, unseal } from "./sealed-file.ts";

export interface DataFileHead {
	/** Its id. */
	readonly backup: string;
	/** From 1. */
	readonly file: number;
	readonly changes: number;
	readonly from: Place;
	readonly to: Place;
}

export interface DataFile {
	readonly head: DataFileHead;
	readonly changes: readonly ExportedChange[];
}

const fixedBytes = 2 + 2 + 8 + 4;
const deletion = 0xffff_ffff;
const high = 0x1_0000_0000;
const sharedMax = 0xffff;

function sharedLength(a: string, b: string): number {
	const most = Math.min(a.length, b.length, sharedMax);
	let n = 0;
	while (n < most && a.charCodeAt(n) === b.charCodeAt(n)) n++;
	return n;
}

/** Collects changes until they are a file. */
export class DataFileWriter {
	#bytes = Buffer.allocUnsafe(64 << 10);
	#length = 0;
	#lastKey = "";
	changes = 0;

	get length(): number {
		return this.#length;
	}

	add({ key, ts, value }: ExportedChange): void {
		const shared = sharedLength(this.#lastKey, key);
		const rest = key.length - shared;
		const size = fixedBytes + rest + (value?.length ?? 0);
		this.#reserve(size);
		const bytes = this.#bytes;
		let at = bytes.writeUInt16BE(shared, this.#length);
		at = bytes.writeUInt16BE(rest, at);
		at += bytes.write(shared === 0 ? key : key.slice(shared), at, "latin1");
		at = bytes.writeUInt32BE(Math.floor(ts / high), at);
		at = bytes.writeUInt32BE(ts % high, at);
		at = bytes.writeUInt32BE(value === null ? deletion : value.length, at);
		if (value !== null) bytes.set(value, at);
		this.#length += size;
		this.#lastKey = key;
		this.changes++;
	}

	#reserve(size: number): void {
		const needed = this.#length + size;
		if (needed <= this.#bytes.length) return;
		const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#bytes.length));
		this.#bytes.copy(larger, 0, 0, this.#length);
		this.#bytes = larger;
	}

	/** The sealed file; the writer is empty afterwards. */
	finish(rest: Omit<DataFileHead, "changes">): {
		readonly head: DataFileHead;
		readonly bytes: Buffer;
	} {
		const head = { ...rest, changes: this.changes };
		const text = Buffer.from(JSON.stringify(head), "utf8");
		const length = Buffer.allocUnsafe(4);
		length.writeUInt32BE(text.length);
		const changes = this.#bytes.subarray(0, this.#length);
		const bytes = seal("data", Buffer.concat([Buffer.alloc(sealBytes), length, text, changes]));
		this.#length = 0;
		this.#lastKey = "";
		this.changes = 0;
		return { head, bytes };
	}
}

/** Throws XX001. */
export function decodeDataFile(name: string, file: Uint8Array): DataFile {
	const bytes = unseal("data", name, file);
	const headEnd = 4 + bytes.readUInt32BE(0);
	const head = JSON.parse(bytes.toString("utf8", 4, headEnd)) as DataFileHead;
	const changes: ExportedChange[] = [];
	let last: ExportedChange | undefined;
	for (let at = headEnd; at < bytes.length; ) {
		const shared = bytes.readUInt16BE(at);
		const rest = bytes.readUInt16BE(at + 2);
		at += 4;
		const suffix = bytes.toString("latin1", at, at + rest);
		const key = (shared === 0 ? suffix : (last?.key ?? "").slice(0, shared) + suffix) as Key;
		at += rest;
		const ts = (bytes.readUInt32BE(at) * high + bytes.readUInt32BE(at + 4)) as Timestamp;
		const length = bytes.readUInt32BE(at + 8);
		at += 12;
		const value = length === deletion ? null : bytes.subarray(at, at + length);
		if (value !== null) at += length;
		if (last !== undefined && !(last.key < key || (last.key === key && last.ts < ts))) {
			throw damaged(name, "Its changes are not in order.");
		}
		last = { key, ts, value };
		changes.push(last);
	}
	if (changes.length !== head.changes) {
		throw damaged(name, `It holds ${changes.length} changes and should hold ${head.changes}.`);
	}
	return { head, changes };
}
