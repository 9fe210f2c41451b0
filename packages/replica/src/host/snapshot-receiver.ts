/**
 * Takes snapshots in: the machine reads them as a stream while the chunks arrive, and makes them its state; then the log
 * begins after them. A stream whose sender has gone silent, or does not come back, ends in an error, and the machine keeps
 * what it had. A chunk is answered when the machine has taken it, so a slow machine slows the sender down.
 */
import type { NodeId } from "@quorate/keys/ids";
import type { Message } from "@quorate/raft/types";
import type { Body, Peer } from "@quorate/rpc/types";
import type { Timer } from "@quorate/runtime/runtime";
import type { HostContext } from "./context.ts";
import type { GroupDriver } from "./group-driver.ts";
import { array, count, decodeMetadata, replica, wireFormat } from "./wire.ts";

const silenceMs = 20_000;
/** After the connection to the sender was lost: until then it may go on where it was. */
const absenceMs = 5_000;
/** Snapshots that come in at a time; more are refused, and asked for again by their senders. */
const receivesMax = 4;

/** Chunks on their way from the RPC to the machine. */
class ChunkStream implements AsyncIterable<Uint8Array> {
	#chunks: { readonly bytes: Uint8Array; readonly taken: () => void }[] = [];
	#isEnded = false;
	#error: Error | undefined;
	#wake: (() => void) | undefined;

	/** Resolves when the machine has asked for what comes next. */
	push(bytes: Uint8Array): Promise<void> {
		return new Promise((taken) => {
			this.#chunks.push({ bytes, taken });
			this.#notify();
		});
	}

	end(): void {
		this.#isEnded = true;
		this.#notify();
	}

	fail(error: Error): void {
		this.#error ??= error;
		for (const { taken } of this.#chunks.splice(0)) taken();
		this.#notify();
	}

	#notify(): void {
		this.#wake?.();
		this.#wake = undefined;
	}

	async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
		for (;;) {
			if (this.#error !== undefined) throw this.#error;
			const chunk = this.#chunks.shift();
			if (chunk !== undefined) {
				yield chunk.bytes;
				chunk.taken();
			} else if (this.#isEnded) return;
			else {
				await new Promise<void>((resolve) => {
					this.#wake = resolve;
				});
			}
		}
	}
}

interface Transfer {
	readonly key: string;
	readonly fromNode: NodeId;
	readonly stream: ChunkStream;
	/** Null when the snapshot is in place, or why it is not. */
	readonly outcome: Promise<string | null>;
	/** Number of the chunk that comes next. */
	next: number;
	/** The machine has taken all before it. */
	taken: Promise<void>;
	timer: Timer;
}

export class SnapshotReceiver {
	readonly #context: HostContext;
	readonly #find: (message: Message, range: number, from: NodeId) => GroupDriver | undefined;
	readonly #transfers = new Map<string, Transfer>();
	#received = 0;

	constructor(
		context: HostContext,
		/** The group that a message is for; asks the owner for one that is not here. */
		find: (message: Message, range: number, from: NodeId) => GroupDriver | undefined,
	) {
		this.#context = context;
		this.#find = find;
	}

	get received(): number {
		return this.#received;
	}

	/** The answers are the sender's: see `SentChunk`. */
	async handle(body: Body, from: Peer): Promise<string | number | null> {
		const call = array(body);
		const id = count(call[1]);
		const key = `${from.nodeId} ${from.bootId} ${id}`;
		if (call[0] === "begin") return this.#begin(key, from.nodeId, call);
		const transfer = this.#transfers.get(key);
		if (transfer === undefined) return "there is no such transfer";
		this.#restartTimer(transfer, silenceMs);
		switch (call[0]) {
			case "chunk":
				return this.#chunk(transfer, count(call[2]), call[3]);
			case "end":
				transfer.stream.end();
				return transfer.outcome;
			case "abort":
				transfer.stream.fail(new Error("the sender gave up"));
				return null;
			default:
				return "unknown request";
		}
	}

	/** One that came before is answered again, its answer was lost; one too early is not taken. */
	#chunk(
		transfer: Transfer,
		number: number,
		bytes: unknown,
	): string | number | Promise<string | null> {
		if (!(bytes instanceof Uint8Array)) return "a chunk is bytes";
		if (number > transfer.next) return transfer.next;
		if (number === transfer.next) {
			transfer.next++;
			transfer.taken = transfer.stream.push(bytes);
		}
		// If the machine has given up, its reason is the answer.
		return Promise.race([transfer.taken.then(() => null), transfer.outcome]);
	}

	/** The sender may find another connection. */
	disconnected(node: NodeId): void {
		for (const transfer of this.#transfers.values()) {
			if (transfer.fromNode === node) this.#restartTimer(transfer, absenceMs);
		}
	}

	close(): void {
		for (const { stream, timer } of this.#transfers.values()) {
			timer.cancel();
			stream.fail(new Error("this node stops"));
		}
		this.#transfers.clear();
	}

	#begin(key: string, fromNode: NodeId, call: readonly unknown[]): string | null {
		if (call[2] !== wireFormat) {
			return `snapshot transfers of format ${String(call[2])}: this node knows ${wireFormat}`;
		}
		const what = array(call[3]);
		const message = {
			kind: "snapshot" as const,
			from: replica(what[1]),
			to: replica(what[2]),
			term: count(what[3]),
			metadata: decodeMetadata(what[4]),
		};
		const driver = this.#find(message, count(what[0]), fromNode);
		if (driver === undefined) return "there is no such replica here";
		if (driver.isInstalling) return "the replica receives another snapshot";
		if (driver.raft.role === "leader") return "the replica leads its range";
		if (driver.raft.applied >= message.metadata.index) {
			// The leader does not know: what told it so may have been lost.
			driver.step(message, fromNode);
			return "the replica has that already";
		}
		if (this.#transfers.size >= receivesMax) return "this node receives other snapshots";
		const stream = new ChunkStream();
		driver.isInstalling = true;
		const outcome = this.#install(driver, message, fromNode, stream).finally(() => {
			this.#transfers.get(key)?.timer.cancel();
			this.#transfers.delete(key);
		});
		const timer = this.#timer(key, silenceMs);
		const taken = Promise.resolve();
		this.#transfers.set(key, { key, fromNode, stream, outcome, next: 0, taken, timer });
		return null;
	}

	async #install(
		driver: GroupDriver,
		message: Message & { readonly kind: "snapshot" },
		fromNode: NodeId,
		stream: ChunkStream,
	): Promise<string | null> {
		try {
			await driver.work.beginning;
			await driver.machine.installSnapshot(message.metadata, stream);
			if (driver.isRemoved) return "the replica was removed";
		} catch (error) {
			return error instanceof Error ? error.message : String(error);
		} finally {
			driver.isInstalling = false;
			this.#context.touch(driver);
		}
		this.#received++;
		await driver.installed(message, fromNode);
		return null;
	}

	#timer(key: string, delayMs: number): Timer {
		return this.#context.runtime.scheduler.setTimer(delayMs, () => {
			this.#transfers.get(key)?.stream.fail(new Error("the sender is silent"));
		});
	}

	#restartTimer(transfer: Transfer, delayMs: number): void {
		transfer.timer.cancel();
		transfer.timer = this.#timer(transfer.key, delayMs);
	}
}
