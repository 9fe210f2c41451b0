/**
 * One record of a segment: `length u32, checksum u32`, then `length` bytes of payload: `group start u32, kind, flags, fields`.
 *
 * The checksum (CRC-32) starts from the segment's salt plus the record's offset, so bytes that were once a record somewhere
 * else never pass for one here. `group start` is the offset at which the group commit of the record began: recovery tells a
 * torn write from damage by it.
 */
import { crc32 } from "node:zlib";
import type { RangeId, ReplicaId } from "@quorate/keys/ids";
import { compactConfiguration } from "@quorate/raft/configuration";
import type {
	Configuration,
	ConfigurationChange,
	Entry,
	EntryPayload,
	HardState,
} from "@quorate/raft/types";
import type { ByteWriter } from "./codec.ts";
import { ByteReader } from "./codec.ts";
import type { WalWrite } from "./types.ts";

/** Bytes before the payload. */
export const recordHeaderBytes = 8;
/** Group start, kind, flags, range id and replica id at least. */
export const payloadBytesMin = 8;

/** `write` goes on top of what the group has; `checkpoint` is all of the group and forgets what came before. */
export type RecordKind = "write" | "checkpoint";
const kindCodes = { write: 1, checkpoint: 2 } as const;

const hasHardState = 1;
const hasEntries = 2;
const hasSnapshot = 4;
const resets = 8;
const removes = 16;

const payloadCodes = { empty: 0, command: 1, configuration: 2 } as const;
const changeCodes = { "add-voter": 0, "add-learner": 1, remove: 2 } as const;
const changeNames = ["add-voter", "add-learner", "remove"] as const;

/** `groupStart` and `fileOffset` are of this record's segment; `out` holds bytes from `groupStart` on. */
export function encodeRecord(
	out: ByteWriter,
	kind: RecordKind,
	write: WalWrite,
	groupStart: number,
	salt: number,
): void {
	const start = out.length;
	out.uint32(0);
	out.uint32(0);
	out.uint32(groupStart);
	out.byte(kindCodes[kind]);
	encodeWrite(out, write);
	const payload = out.view().subarray(start + recordHeaderBytes);
	out.patchUint32(start, payload.length);
	out.patchUint32(start + 4, checksum(payload, salt, groupStart + start));
}

/** Where the group commit of a record began, by its payload. */
export const groupStartOf = (bytes: Buffer, payloadStart: number): number =>
	bytes.readUInt32LE(payloadStart);

export function checksum(payload: Uint8Array, salt: number, offset: number): number {
	return crc32(payload, (salt + offset) >>> 0);
}

function encodeWrite(out: ByteWriter, write: WalWrite): void {
	const entries = write.entries ?? [];
	out.byte(
		(write.hardState === undefined ? 0 : hasHardState) |
			(entries.length === 0 ? 0 : hasEntries) |
			(write.snapshot === undefined ? 0 : hasSnapshot) |
			(write.snapshot?.reset === true ? resets : 0) |
			(write.removed === true ? removes : 0),
	);
	out.integer(write.rangeId);
	out.integer(write.replicaId);
	if (write.hardState !== undefined) {
		out.integer(write.hardState.term);
		out.integer(write.hardState.vote);
		out.integer(write.hardState.commit);
	}
	if (write.snapshot !== undefined) {
		out.integer(write.snapshot.index);
		out.integer(write.snapshot.term);
		encodeConfiguration(out, write.snapshot.configuration);
	}
	const first = entries[0];
	if (first !== undefined) {
		out.integer(first.index);
		out.integer(entries.length);
		for (const entry of entries) {
			out.integer(entry.term);
			encodePayload(out, entry.payload);
		}
	}
}

function encodePayload(out: ByteWriter, payload: EntryPayload): void {
	out.byte(payloadCodes[payload.kind]);
	if (payload.kind === "command") {
		out.bytes(payload.data);
	} else if (payload.kind === "configuration") {
		const change = payload.change;
		out.byte(change.leave === undefined ? 0 : change.leave ? 2 : 1);
		out.integer(change.changes.length);
		for (const step of change.changes) {
			out.byte(changeCodes[step.kind]);
			out.integer(step.replica);
		}
		out.bytes(change.context);
	}
}

function encodeConfiguration(out: ByteWriter, configuration: Configuration): void {
	out.integers(configuration.voters);
	out.integers(configuration.outgoing);
	out.integers(configuration.learners);
	out.integers(configuration.learnersNext);
}

/** Undefined: a kind that this version does not know. `bytes[start..end)` is a payload whose checksum is right. */
export function decodeRecord(
	bytes: Buffer,
	start: number,
	end: number,
): { readonly kind: RecordKind; readonly write: WalWrite } | undefined {
	const reader = new ByteReader(bytes, start + 4, end);
	const code = reader.byte();
	const kind = code === kindCodes.write ? "write" : "checkpoint";
	if (code !== kindCodes[kind]) {
		return undefined;
	}
	const flags = reader.byte();
	if (flags >= removes * 2) {
		return undefined;
	}
	const rangeId = reader.integer() as RangeId;
	const replicaId = reader.integer() as ReplicaId;
	const write: { -readonly [K in keyof WalWrite]: WalWrite[K] } = { rangeId, replicaId };
	if ((flags & hasHardState) !== 0) {
		write.hardState = decodeHardState(reader);
	}
	if ((flags & hasSnapshot) !== 0) {
		const index = reader.integer();
		const term = reader.integer();
		const configuration = decodeConfiguration(reader);
		write.snapshot = { index, term, configuration, reset: (flags & resets) !== 0 };
	}
	if ((flags & hasEntries) !== 0) {
		write.entries = decodeEntries(reader);
	}
	if ((flags & removes) !== 0) {
		write.removed = true;
	}
	return reader.done ? { kind, write } : undefined;
}

function decodeHardState(reader: ByteReader): HardState {
	const term = reader.integer();
	const vote = reader.integer() as ReplicaId;
	return { term, vote, commit: reader.integer() };
}

function decodeEntries(reader: ByteReader): Entry[] {
	const first = reader.integer();
	const count = reader.integer();
	const entries: Entry[] = [];
	for (let n = 0; n < count; n++) {
		const term = reader.integer();
		entries.push({ index: first + n, term, payload: decodePayload(reader) });
	}
	return entries;
}

function decodePayload(reader: ByteReader): EntryPayload {
	const code = reader.byte();
	if (code === payloadCodes.empty) {
		return { kind: "empty" };
	}
	if (code === payloadCodes.command) {
		return { kind: "command", data: reader.bytes() };
	}
	return { kind: "configuration", change: decodeChange(reader) };
}

function decodeChange(reader: ByteReader): ConfigurationChange {
	const leave = reader.byte();
	const changes: ConfigurationChange["changes"][number][] = [];
	for (let count = reader.integer(); count > 0; count--) {
		const kind = changeNames[reader.byte()] ?? "remove";
		changes.push({ kind, replica: reader.integer() as ReplicaId });
	}
	const context = reader.bytes();
	return leave === 0 ? { changes, context } : { changes, leave: leave === 2, context };
}

function decodeConfiguration(reader: ByteReader): Configuration {
	const replicas = (): ReplicaId[] => reader.integers() as ReplicaId[];
	const voters = replicas();
	const outgoing = replicas();
	const learners = replicas();
	return compactConfiguration({ voters, outgoing, learners, learnersNext: replicas() });
}
