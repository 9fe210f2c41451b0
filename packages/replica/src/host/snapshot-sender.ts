/**
 * Carries snapshots to followers that the log cannot bring up to date: `begin`, chunks with two on their way at a time, `end`,
 * each an RPC call that the receiver answers when it has taken it in. The answer is null, or why it will not.
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
/** Before a follower that refused, or could not be reached, is tried again. */
const retryMs = 1_000;

interface Job {
	readonly driver: GroupDriver;
	readonly to: ReplicaId;
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
		if (driver.snapshotsUnderWay.has(to)) return;
		// Holds back compaction from now on: what follows the snapshot will be needed.
		driver.snapshotsUnderWay.set(to, driver.raft.applied);
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
		driver.snapshotsUnderWay.delete(to);
		if (this.#isClosed || driver.isRemoved) return;
		driver.raft.snapshotSent(to, ok, index);
		this.#context.touch(driver);
	}

	async #send(driver: GroupDriver, to: ReplicaId): Promise<LogIndex> {
		const node = driver.nodeOf(to);
		if (node === undefined) throw new SnapshotRefused("the replica's node is not known");
		checkLeads(driver);
		const id = this.#nextId++;
		const snapshot = driver.machine.openSnapshot();
		try {
			const { metadata } = snapshot;
			driver.snapshotsUnderWay.set(to, metadata.index);
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
		const underWay: Promise<void>[] = [];
		for await (const chunk of chunks) {
			checkLeads(driver);
			const call = this.#call(node, ["chunk", id, chunk], chunkTimeoutMs);
			// Awaited later: until then a rejection is not unhandled.
			call.catch(() => undefined);
			underWay.push(call);
			if (underWay.length >= chunksUnderWayMax) await underWay.shift();
		}
		await Promise.all(underWay);
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
