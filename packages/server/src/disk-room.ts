/**
 * What a node does about a disk that is full, so that it can go on reading, and writing again, without a restart.
 *
 * Reads need writes: a lease is extended, a timestamp ceiling raised, an intent resolved, all by entries of a log. And the engine
 * must never meet the end of the disk: RocksDB does not go on after it, and the state machine above could not either. So:
 *
 * 1. New writes of clients are refused (53100) while there is still space left for all of that: when less than the reserve is
 *    free. What is being committed is finished.
 * 2. Others fill disks, too, and faster than anyone looks. A file of random bytes, the ballast, keeps a little space for the node
 *    itself. The first write of the log that finds no space gives it up, and is tried again (`wal.ts`, 1).
 * 3. A node whose disk is full tells the others, and gives its leases to nodes that have space. Where no quorum of a range has, its
 *    leaseholder refuses writes as if its own disk were full.
 * 4. When there is space again, the ballast first, writes are taken again.
 *
 * Where the disk is not a file system (tests, simulation, memory) only what the log finds counts.
 */
import type { NodeId } from "@quorate/keys/ids";
import type { RangeDescriptor } from "@quorate/keys/range";
import type { Rpc } from "@quorate/rpc/types";
import type { DiskSpace, Runtime, Timer } from "@quorate/runtime/runtime";

const ballastPath = "ballast";
const lookMs = 500;
/** A node that said so and is silent since counts as full no longer. */
const toldForMs = 3_000;
const method = "disk-full";
const pieceBytes = 1 << 20;

/** As much as compactions and flushes that are under way may need, and a day of log entries that are not the clients'. */
const reserveBytes = ({ sizeBytes }: DiskSpace): number => Math.min(256 << 20, sizeBytes / 10);
const ballastBytes = ({ sizeBytes }: DiskSpace): number =>
	Math.floor(Math.min(16 << 20, sizeBytes / 40));

export interface DiskRoomOptions {
	readonly runtime: Runtime;
	readonly rpc: Rpc;
	readonly nodeId: NodeId;
	/** All nodes known. */
	nodes(): readonly NodeId[];
	/** Gives leases to nodes that may take them. */
	giveLeasesAway(mayTake: (node: NodeId) => boolean): void;
}

export class DiskRoom {
	readonly #runtime: Runtime;
	#options: DiskRoomOptions | undefined;
	/** Monotonic milliseconds until which nodes count as full. */
	readonly #full = new Map<NodeId, number>();
	#isFull = false;
	/** A write of the log waits for space. */
	#logWaits = false;
	#hasBallast = false;
	/** The log has asked for the ballast since the last look. */
	#isExhausted = false;
	#timer: Timer | undefined;
	#looking: Promise<void> = Promise.resolve();
	#isClosed = false;

	constructor(runtime: Runtime) {
		this.#runtime = runtime;
	}

	/** Of this node's disk. */
	get isFull(): boolean {
		return this.#isFull;
	}

	/** Before the log and the engine are opened, which takes some space: makes the ballast, or gives it up. */
	async prepare(): Promise<void> {
		await this.#look();
		if (this.#isFull) {
			await this.#giveUpBallast();
		}
	}

	/** Once the node has an identity. */
	start(options: DiskRoomOptions): void {
		this.#options = options;
		options.rpc.handle(method, (body, from) => {
			if (from !== undefined) {
				const untilMs = this.#runtime.clock.monotonicMs() + toldForMs;
				if (body === true) this.#full.set(from.nodeId, untilMs);
				else this.#full.delete(from.nodeId);
			}
		});
		this.#arm();
	}

	/** The log has found the disk full, or has got on. */
	logWaits(isFull: boolean): void {
		this.#logWaits = isFull;
		this.#isExhausted ||= isFull;
		this.#lookSoon();
	}

	/** See `ReplicaContext`. */
	isDiskFull(replicas: RangeDescriptor["replicas"]): boolean {
		if (this.#isFull) {
			return true;
		}
		if (this.#full.size === 0) {
			return false;
		}
		const voters = replicas.filter((r) => r.role === "voter");
		const writable = voters.filter((r) => !this.#isFullNode(r.nodeId)).length;
		return writable * 2 <= voters.length && voters.length > 0;
	}

	async close(): Promise<void> {
		this.#isClosed = true;
		this.#timer?.cancel();
		await this.#looking;
	}

	#isFullNode(node: NodeId): boolean {
		const untilMs = this.#full.get(node);
		return untilMs !== undefined && this.#runtime.clock.monotonicMs() < untilMs;
	}

	#arm(): void {
		this.#timer = this.#runtime.scheduler.setTimer(lookMs, () => {
			this.#lookSoon();
			if (!this.#isClosed) {
				this.#arm();
			}
		});
	}

	/** One look at a time. */
	#lookSoon(): void {
		this.#looking = this.#looking.then(() => (this.#isClosed ? undefined : this.#look()));
	}

	async #look(): Promise<void> {
		const { disk, logger } = this.#runtime;
		try {
			const space = await disk.space();
			if (space === undefined) {
				this.#become(this.#logWaits, undefined);
				return;
			}
			if (this.#isExhausted || space.freeBytes === 0) {
				this.#isExhausted = false;
				await this.#giveUpBallast();
				this.#become(true, space);
				return;
			}
			await this.#restoreBallast(space);
			this.#become(this.#judge(space), space);
		} catch (error) {
			logger.log("warn", "the space on the disk is not known", { error: String(error) });
		}
	}

	/** Becomes full at the reserve, and has space again a quarter above it: it must not waver. */
	#judge(space: DiskSpace): boolean {
		const { freeBytes } = space;
		const most = reserveBytes(space) * (this.#isFull ? 1.25 : 1);
		return this.#logWaits || freeBytes < most;
	}

	#become(isFull: boolean, space: DiskSpace | undefined): void {
		if (isFull !== this.#isFull) {
			this.#isFull = isFull;
			const message = isFull
				? "the disk is full: writes are refused until there is space"
				: "there is space on the disk again: writes are taken";
			this.#runtime.logger.log(isFull ? "error" : "info", message, { ...space });
			this.#tell(isFull);
		} else if (isFull) {
			this.#tell(true);
		}
		if (isFull) {
			this.#options?.giveLeasesAway((node) => {
				return node !== this.#options?.nodeId && !this.#isFullNode(node);
			});
		}
	}

	#tell(isFull: boolean): void {
		const options = this.#options;
		if (options !== undefined) {
			for (const node of options.nodes()) {
				if (node !== options.nodeId) {
					options.rpc.send(node, method, isFull);
				}
			}
		}
	}

	async #giveUpBallast(): Promise<void> {
		const { disk } = this.#runtime;
		if (this.#hasBallast || (await disk.list("")).includes(ballastPath)) {
			this.#hasBallast = false;
			await disk.remove(ballastPath);
		}
	}

	/** Written, not only reserved: a file with holes would keep nothing. Random, for file systems that compress. */
	async #restoreBallast(space: DiskSpace): Promise<void> {
		const sizeBytes = ballastBytes(space);
		const spare = space.freeBytes - sizeBytes;
		if (this.#hasBallast || spare < 1.25 * reserveBytes(space)) {
			return;
		}
		const { disk, random } = this.#runtime;
		const file = await disk.open(ballastPath, "create");
		try {
			if ((await file.size()) < sizeBytes) {
				const piece = random.bytes(Math.min(pieceBytes, sizeBytes));
				for (let at = 0; at < sizeBytes; at += piece.length) {
					await file.write(piece.subarray(0, sizeBytes - at), at);
				}
			}
			this.#hasBallast = true;
		} finally {
			await file.close();
		}
	}
}
