/**
 * Raft's messages as RPC bodies: flat arrays, since a frame carries what every group of a node has for a peer, and most of
 * them are small. `[format, message, message ...]`, a message being `[range, kind, from, to, term, ...]`.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { type RangeId, type ReplicaId, rangeId, replicaId } from "@quorate/keys/ids";
import { entryBytes } from "@quorate/raft/log";
import type {
	Configuration,
	ConfigurationChange,
	Entry,
	EntryPayload,
	LogIndex,
	Message,
	SnapshotMetadata,
} from "@quorate/raft/types";
import { entryFrom } from "../entry-slabs.ts";

export const wireFormat = 1;

/** The position of a kind is its number on the wire. */
const kinds = [
	"pre-vote",
	"pre-vote-response",
	"vote",
	"vote-response",
	"append",
	"append-response",
	"heartbeat",
	"heartbeat-response",
	"snapshot",
	"timeout-now",
] as const satisfies readonly Message["kind"][];
const changeKinds = ["add-voter", "add-learner", "remove"] as const;

type Wire = readonly unknown[];

/** About what a message takes in a frame. */
export function messageBytes(message: Message): number {
	let bytes = 32;
	if (message.kind === "append") {
		for (const entry of message.entries) bytes += entryBytes(entry);
	}
	return bytes;
}

export function encodeMessage(range: RangeId, message: Message): Wire {
	const head = [range, kinds.indexOf(message.kind), message.from, message.to, message.term];
	switch (message.kind) {
		case "pre-vote": {
			const { lastIndex, lastTerm, force, commit, commitTerm } = message;
			return [...head, lastIndex, lastTerm, force, commit, commitTerm];
		}
		case "vote":
			return [...head, message.lastIndex, message.lastTerm, message.force];
		case "pre-vote-response":
			return [...head, message.granted, message.commit, message.commitTerm];
		case "vote-response":
			return [...head, message.granted];
		case "append": {
			const out: unknown[] = head;
			out.push(message.previousIndex, message.previousTerm, message.commit);
			for (const entry of message.entries) out.push(entry.term, encodePayload(entry.payload));
			return out;
		}
		case "append-response":
			return [...head, message.index, message.rejected, message.hintIndex, message.hintTerm];
		case "heartbeat":
			return [...head, message.commit, message.context, message.quiesce];
		case "heartbeat-response":
			return [...head, message.context];
		case "snapshot":
			return [...head, encodeMetadata(message.metadata)];
		case "timeout-now":
			return head;
	}
}

/** Throws for anything that `encodeMessage` does not make: the frame is then dropped as a whole. */
export function decodeFrame(
	body: unknown,
): { readonly range: RangeId; readonly message: Message }[] {
	const frame = array(body);
	if (frame[0] !== wireFormat) {
		throw new DatabaseError(
			"08P01",
			`Raft messages of format ${String(frame[0])}: this node knows ${wireFormat}`,
		);
	}
	const decoded = [];
	for (let i = 1; i < frame.length; i++) decoded.push(decodeMessage(array(frame[i])));
	return decoded;
}

function decodeMessage(w: Wire): { readonly range: RangeId; readonly message: Message } {
	return { range: rangeId(count(w[0])), message: decodeBody(kinds[count(w[1])], w) };
}

/** Each object is made in one go: one that is spread into another costs a multiple, and messages are many. */
function decodeBody(kind: Message["kind"] | undefined, w: Wire): Message {
	const from = replica(w[2]);
	const to = replica(w[3]);
	const term = count(w[4]);
	switch (kind) {
		case "pre-vote": {
			const lastIndex = count(w[5]);
			const lastTerm = count(w[6]);
			const force = flag(w[7]);
			const commit = count(w[8]);
			return { from, to, term, kind, lastIndex, lastTerm, force, commit, commitTerm: count(w[9]) };
		}
		case "vote": {
			const lastIndex = count(w[5]);
			const lastTerm = count(w[6]);
			return { from, to, term, kind, lastIndex, lastTerm, force: flag(w[7]) };
		}
		case "pre-vote-response": {
			const granted = flag(w[5]);
			const commit = count(w[6]);
			return { from, to, term, kind, granted, commit, commitTerm: count(w[7]) };
		}
		case "vote-response":
			return { from, to, term, kind, granted: flag(w[5]) };
		case "append": {
			const previousIndex = count(w[5]);
			const previousTerm = count(w[6]);
			const commit = count(w[7]);
			const entries = decodeEntries(w, 8, previousIndex + 1);
			return { from, to, term, kind, previousIndex, previousTerm, commit, entries };
		}
		case "append-response": {
			const index = count(w[5]);
			const rejected = flag(w[6]);
			const hintIndex = count(w[7]);
			return { from, to, term, kind, index, rejected, hintIndex, hintTerm: count(w[8]) };
		}
		case "heartbeat": {
			const commit = count(w[5]);
			const context = count(w[6]);
			return { from, to, term, kind, commit, context, quiesce: flag(w[7]) };
		}
		case "heartbeat-response":
			return { from, to, term, kind, context: count(w[5]) };
		case "snapshot":
			return { from, to, term, kind, metadata: decodeMetadata(w[5]) };
		case "timeout-now":
			return { from, to, term, kind };
		case undefined:
			throw malformed();
	}
}

function decodeEntries(w: Wire, from: number, firstIndex: LogIndex): Entry[] {
	const entries: Entry[] = [];
	for (let at = from; at < w.length; at += 2) {
		const index = firstIndex + entries.length;
		entries.push({ index, term: count(w[at]), payload: decodePayload(w[at + 1]) });
	}
	return entries;
}

function encodePayload(payload: EntryPayload): unknown {
	switch (payload.kind) {
		case "empty":
			return 0;
		case "command":
			return payload.data;
		case "configuration": {
			const { changes, leave, context } = payload.change;
			const encoded = changes.map(({ kind, replica: r }) => [changeKinds.indexOf(kind), r]);
			return [leave === true, context, encoded];
		}
	}
}

function decodePayload(value: unknown): EntryPayload {
	if (value === 0) return { kind: "empty" };
	if (value instanceof Uint8Array) return { kind: "command", data: entryFrom(value) };
	const [leave, context, encoded] = array(value);
	if (!(context instanceof Uint8Array)) throw malformed();
	const changes = array(encoded).map((c) => {
		const [kind, r] = array(c);
		return { kind: changeKinds[count(kind)] ?? fail(), replica: replica(r) };
	});
	const change: ConfigurationChange = flag(leave)
		? { changes, leave: true, context }
		: { changes, context };
	return { kind: "configuration", change };
}

export function encodeMetadata({ index, term, configuration }: SnapshotMetadata): Wire {
	const { voters, outgoing, learners, learnersNext } = configuration;
	return [index, term, voters, outgoing, learners, learnersNext];
}

export function decodeMetadata(value: unknown): SnapshotMetadata {
	const w = array(value);
	const [voters, outgoing, learners, learnersNext] = [2, 3, 4, 5].map((i) =>
		array(w[i]).map(replica),
	);
	const configuration = { voters, outgoing, learners, learnersNext } as Configuration;
	return { index: count(w[0]), term: count(w[1]), configuration };
}

const malformed = (): DatabaseError => new DatabaseError("08P01", "malformed Raft message");

function fail(): never {
	throw malformed();
}

export function array(value: unknown): readonly unknown[] {
	return Array.isArray(value) ? value : fail();
}

export function count(value: unknown): number {
	return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : fail();
}

export const replica = (value: unknown): ReplicaId => replicaId(count(value));

function flag(value: unknown): boolean {
	return typeof value === "boolean" ? value : fail();
}
