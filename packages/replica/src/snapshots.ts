/**
 * Snapshots of a range: everything of its keys (data, history, intents, records and tombstones) and its state, as of one
 * applied index. A received one is staged beside the live keys first; a synced marker then makes the switch a redo that a crash
 * may interrupt anywhere.
 *
 * A copy for a learner takes its time (`pace.ts`), where it is read and where it is staged: a chunk is answered when it is staged. One for a
 * voter does not: its range may need it for a quorum.
 */
import { assert } from "@quorate/keys/assert";
import type { ReplicaId } from "@quorate/keys/ids";
import { key as asKey, type Key, type Span } from "@quorate/keys/key";
import type { Limits } from "@quorate/keys/limits";
import type { Mutations } from "@quorate/keys/mutations";
import { rangeSpan } from "@quorate/keys/range";
import type { SnapshotMetadata } from "@quorate/raft/types";
import { decodeBody, encodeBody } from "@quorate/rpc/body";
import type { Engine, EngineIterator, EngineReader } from "@quorate/storage/engine";
import { engineSpans, metaKey, stagingPrefix, stagingSpan } from "@quorate/storage/engine-keys";
import type { ReplicaContext } from "./context.ts";
import { decodeRangeState, encodeRangeState, type RangeState, replicaOn } from "./range-state.ts";

/** Reading it takes some milliseconds, in which nobody else has a turn. */
const chunkBytesMax = 32 * 1024;
const snapshotFormat = 1;
/** Keys and values of one engine batch while a snapshot is put in place: between two of them others get their turn. */
const installBytesMax = 64 * 1024;

type Pair = readonly [Key, Uint8Array];

/** For `to`. */
export function openSnapshot(
	context: ReplicaContext,
	state: RangeState,
	to: ReplicaId,
): {
	readonly metadata: SnapshotMetadata;
	readonly chunks: AsyncIterable<Uint8Array>;
	close(): void;
} {
	const reader = context.engine.snapshot();
	const metadata: SnapshotMetadata = {
		index: state.appliedIndex,
		term: state.appliedTerm,
		configuration: state.configuration,
	};
	const head = encodeBody([snapshotFormat, encodeRangeState(state)]);
	const spans = engineSpans(rangeSpan(state.descriptor));
	const isVoter = state.descriptor.replicas.some((r) => r.replicaId === to && r.role === "voter");
	const read: Reading = isVoter ? async (work) => work() : (work) => context.pace.part(work);
	return { metadata, chunks: chunksOf(reader, head, spans, read), close: () => reader.close() };
}

/** Does what reads a chunk, when it is time for it. */
type Reading = (work: () => Uint8Array | undefined) => Promise<Uint8Array | undefined>;

async function* chunksOf(
	reader: EngineReader,
	head: Uint8Array,
	spans: readonly Span[],
	read: Reading,
): AsyncGenerator<Uint8Array> {
	yield head;
	for (const span of spans) {
		const it = reader.iterate(span);
		try {
			for (;;) {
				const chunk = await read(() => takeChunk(it));
				if (chunk === undefined) {
					break;
				}
				yield chunk;
			}
		} finally {
			it.close();
		}
	}
}

/** Undefined: it has come to its end. */
function takeChunk(it: EngineIterator): Uint8Array | undefined {
	const pairs: Pair[] = [];
	let bytes = 0;
	while (it.key !== undefined && bytes < chunkBytesMax) {
		pairs.push([it.key, Uint8Array.from(it.value)]);
		bytes += it.key.length + it.value.length + 16;
		it.next();
	}
	return pairs.length === 0 ? undefined : encodeBody(pairs);
}

export interface InstallSteps {
	/** Why a state is not taken. */
	refusal(state: RangeState): string | undefined;
	/** Called right before the engine's contents change. */
	replacing(state: RangeState): void;
	/** False where the replica has ended meanwhile: what is left is done when the node starts again. */
	goesOn(): boolean;
}

/** Stages the stream, makes it durable, puts it in place. Rejects, with nothing changed, for a reason that `refusal` has. */
export async function installSnapshot(
	context: ReplicaContext,
	before: RangeState,
	metadata: SnapshotMetadata,
	chunks: AsyncIterable<Uint8Array>,
	steps: InstallSteps,
): Promise<RangeState> {
	const { engine, limits, mutations } = context;
	const { rangeId } = before.descriptor;
	if (context.isDiskFull([])) {
		throw new Error("the disk of this node is full");
	}
	const prefix = stagingPrefix(rangeId);
	engine.clearSpan(stagingSpan(rangeId));
	let state: RangeState | undefined;
	for await (const chunk of chunks) {
		if (state === undefined) {
			state = stateOf(chunk);
			const reason = steps.refusal(state);
			if (reason !== undefined) {
				throw new Error(reason);
			}
			continue;
		}
		await inTurn(context, state, () => {
			const pairs = decodeBody(chunk) as Pair[];
			engine.write((batch) => {
				for (const [k, value] of pairs) {
					batch.put(asKey(prefix + k), value);
				}
			});
		});
	}
	assert(state?.appliedIndex === metadata.index, "a snapshot's state is of another index");
	const marker = encodeBody([
		snapshotFormat,
		encodeRangeState(state),
		before.descriptor.start,
		before.descriptor.end,
	]);
	await syncEngine(context);
	engine.write((batch) => batch.put(metaKey(rangeId, "installing"), marker));
	await syncEngine(context);
	steps.replacing(state);
	const received = state;
	const inParts = async (work: () => void): Promise<void> => {
		await inTurn(context, received, work);
		if (!steps.goesOn()) {
			throw new Error("the replica has ended");
		}
	};
	await finishInstall({ engine, limits, mutations, inParts }, rangeId, marker);
	await syncEngine(context);
	return state;
}

/** Of the first chunk. */
function stateOf(chunk: Uint8Array): RangeState {
	const [format, state] = decodeBody(chunk) as [number, Uint8Array];
	assert(
		format === snapshotFormat,
		() => `snapshot of format ${format}: this version knows ${snapshotFormat}; upgrade this node`,
	);
	return decodeRangeState(state);
}

/** Does a part, and then lets others have their turn: longer where nobody waits for the whole. */
async function inTurn(
	{ nodeId, pace, runtime }: ReplicaContext,
	{ descriptor }: RangeState,
	work: () => void,
): Promise<void> {
	if (replicaOn(descriptor, nodeId)?.role === "voter") {
		work();
		await runtime.scheduler.yield();
	} else {
		await pace.part(work);
	}
}

/** After a sync that failed nobody knows what the engine's log holds: the node must not go on. */
function syncEngine({ engine, runtime }: ReplicaContext): Promise<void> {
	return engine
		.sync()
		.catch((error: unknown) => runtime.fatal(`engine sync failed: ${String(error)}`));
}

/** What putting a snapshot in place needs. */
interface Installing {
	readonly engine: Engine;
	readonly limits?: Limits | undefined;
	readonly mutations?: Mutations | undefined;
	/** A full range takes seconds: does a part of it, and lets others have their turn. Ends the copying where it throws. */
	inParts(work: () => void): Promise<void>;
}

/** The redo: clears what was, copies what was staged, and ends with the new state. Safe to run again from its start. */
export async function finishInstall(
	{ engine, limits, mutations, inParts }: Installing,
	rangeId: RangeState["descriptor"]["rangeId"],
	marker: Uint8Array,
): Promise<void> {
	const [format, stateBytes, oldStart, oldEnd] = decodeBody(marker) as [
		number,
		Uint8Array,
		Key,
		Key,
	];
	assert(format === snapshotFormat, () => `snapshot marker of unknown format ${format}`);
	const state = decodeRangeState(stateBytes);
	for (const span of [rangeSpan(state.descriptor), { start: oldStart, end: oldEnd }]) {
		if (span.start < span.end && mutations?.snapshotsOverlay !== true) {
			for (const part of engineSpans(span)) {
				engine.clearSpan(part);
			}
		}
	}
	const prefix = stagingPrefix(rangeId);
	const batchBytesMax = limits?.installBytes ?? installBytesMax;
	const it = engine.snapshot();
	const staged = it.iterate(stagingSpan(rangeId));
	try {
		while (staged.key !== undefined) {
			await inParts(() =>
				engine.write((batch) => {
					for (let bytes = 0; staged.key !== undefined && bytes < batchBytesMax; staged.next()) {
						batch.put(asKey(staged.key.slice(prefix.length)), staged.value);
						bytes += staged.key.length + staged.value.length;
					}
				}),
			);
		}
	} finally {
		staged.close();
		it.close();
	}
	engine.write((batch) => {
		batch.put(metaKey(rangeId, "state"), encodeRangeState(state));
		batch.delete(metaKey(rangeId, "installing"));
	});
	engine.clearSpan(stagingSpan(rangeId));
}
