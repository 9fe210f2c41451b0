/**
 * Carries snapshots to followers that the log cannot bring up to date: `begin`, chunks with two on their way at a time, `end`,
 * each an RPC call that the receiver answers when it has taken it in. The answer is null, or why it will not.
 *
 * Chunks are numbered. Where a call is lost, what has no answer is sent again, and the receiver goes on from what it has: a
 * connection that breaks costs two chunks, not the snapshot. The sender's process has to live on, since the snapshot ends with it;
 * the receiver's too, since what it has staged is not durable before it is whole.
 */
import type { NodeId, ReplicaId } from "@quorate/keys/ids";
import type { LogIndex } from "@quorate/raft/types";
import type { Rpc } from "@quorate/rpc/types";
import type { Runtime } from "@quorate/runtime/runtime";
import type { HostContext } from "./context.ts";
import type { GroupDriver } from "./group-driver.ts";
import { encodeMetadata, wireFormat } from "./wire.ts";

export const snapshotMethod = "raft-snapshot";

const sendsMax = 2;
const chunksUnderWayMax = 2;
const chunkTimeoutMs = 15_000;
/** The receiver puts the state in place before it answers. */
const endTimeoutMs = 120_000;
/** Before chunks without an answer are sent again, and how often in a row. */
const resumeMs = 500;
const resumesMax = 8;
/** Before a follower that refused, or could not be reached, is tried again. */
const retryMs = 1_000;

interface Job {
	readonly driver: GroupDriver;
	readonly to: ReplicaId;
}

interface SentChunk {
	readonly number: number;
	readonly bytes: Uint8Array;
	/** Null: taken in. A number: that chunk is missing before it. Undefined: the call was lost. Else why it is refused. */
	answer: Promise<unknown>;
}

class SnapshotRefused extends Error {
	override readonly name = "SnapshotRefused";
}

export class SnapshotSender {
	readonly #context: HostContext;
	readonly #rpc: Rpc;
	readonly #runtime: Runtime;
	#waiting: Job[] = [];
	#active = 0;
	#nextId = 1;
	#sent = 0;
	#isClosed = false;

	constructor(context: HostContext, rpc: Rpc) {
		this.#context = context;
		this.#rpc = rpc;
		this.#runtime = context.runtime;
	}

	get sent(): number {
		return this.#sent;
	}

	/** Ends in `snapshotSent`, whatever happens. At most one job of a follower exists at a time: its progress waits for it. */
	want(driver: GroupDriver, to: ReplicaId): void {
		if (driver.work.snapshotsUnderWay.has(to)) return;
		// Holds back compaction from now on: what follows the snapshot will be needed.
		driver.work.snapshotsUnderWay.set(to, driver.raft.applied);
		this.#waiting.push({ driver, to });
		this.#next();
	}

	close(): void {
		this.#isClosed = true;
		this.#waiting = [];
	}

	#next(): void {
		while (this.#active < sendsMax) {
			const job = this.#waiting.shift();
			if (job === undefined) return;
			this.#active++;
			void this.#run(job);
		}
	}

	async #run({ driver, to }: Job): Promise<void> {
		let index: LogIndex | undefined;
		try {
			index = await this.#send(driver, to);
			this.#sent++;
		} catch (error) {
			this.#runtime.logger.log("info", "a snapshot was not delivered", {
				range: driver.rangeId,
				replica: to,
				error: error instanceof Error ? error.message : String(error),
			});
		}
		this.#active--;
		if (this.#isClosed) return;
		this.#next();
		if (index !== undefined) this.#end(driver, to, true, index);
		else this.#runtime.scheduler.setTimer(retryMs, () => this.#end(driver, to, false, 0));
	}

	#end(driver: GroupDriver, to: ReplicaId, ok: boolean, index: LogIndex): void {
		driver.work.snapshotsUnderWay.delete(to);
		if (this.#isClosed || driver.isRemoved) return;
		driver.raft.snapshotSent(to, ok, index);
		this.#context.touch(driver);
	}

	async #send(driver: GroupDriver, to: ReplicaId): Promise<LogIndex> {
		const node = driver.nodeOf(to);
		if (node === undefined) throw new SnapshotRefused("the replica's node is not known");
		checkLeads(driver);
		const id = this.#nextId++;
		const snapshot = driver.machine.openSnapshot(to);
		try {
			const { metadata } = snapshot;
			driver.work.snapshotsUnderWay.set(to, metadata.index);
			const { rangeId, replicaId, raft } = driver;
			const what = [rangeId, replicaId, to, raft.term, encodeMetadata(metadata)];
			await this.#call(node, ["begin", id, wireFormat, what], chunkTimeoutMs);
			await this.#sendChunks(driver, node, id, snapshot.chunks);
			await this.#call(node, ["end", id], endTimeoutMs);
			return metadata.index;
		} catch (error) {
			// A receiver that does not get this gives up when nothing more comes.
			this.#rpc.send(node, snapshotMethod, ["abort", id]);
			throw error;
		} finally {
			snapshot.close();
		}
	}

	async #sendChunks(
		driver: GroupDriver,
		node: NodeId,
		id: number,
		chunks: AsyncIterable<Uint8Array>,
	): Promise<void> {
		const window: SentChunk[] = [];
		const send = (number: number, bytes: Uint8Array): Promise<unknown> =>
			this.#rpc
				.call(node, snapshotMethod, ["chunk", id, number, bytes], { timeoutMs: chunkTimeoutMs })
				.catch(() => undefined);
		let number = 0;
		for await (const bytes of chunks) {
			checkLeads(driver);
			window.push({ number, bytes, answer: send(number, bytes) });
			number++;
			if (window.length >= chunksUnderWayMax) await this.#takenIn(driver, window, send);
		}
		while (window.length > 0) await this.#takenIn(driver, window, send);
	}

	/** The first of the window is taken in and leaves it; all of it is sent again until that is so. */
	async #takenIn(
		driver: GroupDriver,
		window: SentChunk[],
		send: (number: number, bytes: Uint8Array) => Promise<unknown>,
	): Promise<void> {
		for (let resumes = 0; resumes <= resumesMax; resumes++) {
			const answer = await window[0]!.answer;
			if (answer === null) {
				window.shift();
				return;
			}
			if (answer !== undefined && typeof answer !== "number") {
				throw new SnapshotRefused(String(answer));
			}
			await new Promise<void>((resolve) => {
				this.#runtime.scheduler.setTimer(resumeMs, resolve);
			});
			if (this.#isClosed) break;
			checkLeads(driver);
			for (const chunk of window) chunk.answer = send(chunk.number, chunk.bytes);
		}
		throw new SnapshotRefused("the connection was lost too often");
	}

	async #call(node: NodeId, body: readonly unknown[], timeoutMs: number): Promise<void> {
		const refusal = await this.#rpc.call(node, snapshotMethod, body, { timeoutMs });
		if (refusal !== null) throw new SnapshotRefused(String(refusal));
	}
}

function checkLeads(driver: GroupDriver): void {
	if (driver.isRemoved || driver.raft.role !== "leader") {
		throw new SnapshotRefused("this replica leads no more");
	}
}
