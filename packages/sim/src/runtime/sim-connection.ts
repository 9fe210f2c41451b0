/** The two ends of a simulated connection. */
import type { Connection } from "@quorate/runtime/runtime";
import { codedError } from "./coded-error.ts";
import { EVENT_NETWORK } from "./event-queue.ts";
import type { CrashKind, Machine } from "./machine.ts";
import type { Link, Straggler } from "./sim-link.ts";
import { Pipe, type Segment } from "./sim-pipe.ts";
import type { SimProcess } from "./sim-process.ts";
import type { World } from "./world.ts";

/** What the kernels of both sides take before bytes count as queued in the process. */
const KERNEL_BUFFER_BYTES = 64 * 1024;
/** A large write arrives bit by bit: on a slow link it is not silence that precedes its end. */
const SEGMENT_BYTES_MAX = 64 * 1024;
const HIGH_WATER_MARK_BYTES = 256 * 1024;

interface EndOptions {
	readonly process: SimProcess;
	readonly address: string;
	/** From this end to the other. */
	readonly link: Link;
}

export function connectPair(
	world: World,
	a: EndOptions,
	b: EndOptions,
): [SimConnection, SimConnection] {
	const first = new SimConnection(world, a.process, b.address);
	const second = new SimConnection(world, b.process, a.address);
	first.join(second, a.link);
	second.join(first, b.link);
	return [first, second];
}

export class SimConnection implements Connection {
	readonly process: SimProcess;
	readonly remoteAddress: string;
	/** The connecting side has closed its end and opened another connection. */
	isOutdated = false;
	readonly #world: World;
	#out!: Pipe;
	#peer!: SimConnection;
	/** `ended`: our side has said that it is done, the peer has not yet. */
	#state: "open" | "ended" | "closed" = "open";
	/** Arrived and not yet taken by the program; "fin" is the peer's end. */
	#inbox: (Uint8Array | "fin")[] = [];
	#paused = false;
	#delivery = false;
	#needsDrain = false;
	/** How many writes there were. */
	#writes = 0;
	#closeError: Error | undefined;
	#closeReported = false;
	#onData: ((bytes: Uint8Array) => void) | undefined;
	#onDrain: (() => void) | undefined;
	#onClose: ((error?: Error) => void) | undefined;

	constructor(world: World, process: SimProcess, remoteAddress: string) {
		this.#world = world;
		this.process = process;
		this.remoteAddress = remoteAddress;
	}

	/** Called once: the ends refer to each other. */
	join(peer: SimConnection, link: Link): void {
		this.#peer = peer;
		this.#out = new Pipe(this.#world, link, this.#world.network.options.tcpTimeoutMs, {
			arrived: (segment) => peer.#receive(segment),
			timedOut: () => this.#close(codedError("ETIMEDOUT", "the peer does not answer")),
		});
	}

	get isClosed(): boolean {
		return this.#state === "closed";
	}

	get remoteMachine(): Machine {
		return this.#peer.process.machine;
	}

	get bufferedBytes(): number {
		return Math.max(0, this.#out.outstandingBytes - KERNEL_BUFFER_BYTES);
	}

	write(bytes: Uint8Array): boolean {
		if (this.#state !== "open" || !this.process.alive) return false;
		const disorder = this.#out.link.disorder?.(bytes);
		this.#send(disorder?.now ?? bytes);
		for (const straggler of disorder?.later ?? []) this.#sendLater(straggler);
		if (this.bufferedBytes < HIGH_WATER_MARK_BYTES) return true;
		this.#needsDrain = true;
		return false;
	}

	#send(bytes: Uint8Array): void {
		if (bytes.length === 0) return;
		this.#writes++;
		for (let at = 0; at < bytes.length; at += SEGMENT_BYTES_MAX) {
			this.#out.send({ kind: "data", bytes: bytes.subarray(at, at + SEGMENT_BYTES_MAX) });
		}
	}

	#sendLater({ bytes, delayMs, isCopy }: Straggler): void {
		const writes = this.#writes;
		this.#world.schedule(delayMs, () => {
			if (this.#state !== "open") return;
			if (isCopy) this.#world.count("duplicated");
			if (this.#writes > writes) this.#world.count("reordered");
			this.#send(bytes);
		});
	}

	onData(listener: (bytes: Uint8Array) => void): void {
		this.#onData = listener;
		this.#scheduleDelivery();
	}

	onDrain(listener: () => void): void {
		this.#onDrain = listener;
	}

	onClose(listener: (error?: Error) => void): void {
		this.#onClose = listener;
		if (this.#state === "closed") this.#scheduleClose();
	}

	pause(): void {
		this.#paused = true;
	}

	resume(): void {
		this.#paused = false;
		this.#scheduleDelivery();
	}

	end(): void {
		if (this.#state !== "open" || !this.process.alive) return;
		this.#state = "ended";
		this.#out.send({ kind: "fin" });
	}

	destroy(): void {
		if (this.#state === "closed" || !this.process.alive) return;
		this.#hangUp();
		this.#close(undefined);
	}

	/** A reset on the way: both ends lose what was under way. */
	breakOff(): void {
		const peer = this.#peer;
		this.#out.dropUnderWay();
		peer.#out.dropUnderWay();
		this.#close(codedError("ECONNRESET", "connection reset"));
		peer.#close(codedError("ECONNRESET", "connection reset"));
	}

	/** This end sees a reset, the other does not. What this one had sent is under way for so much longer. */
	breakHere(delayMs: number): void {
		this.#out.delay(delayMs);
		this.#close(codedError("ECONNRESET", "connection reset"));
	}

	/** After the process has died. Without power nobody is left to tell the peer. */
	processEnded(kind: CrashKind): void {
		if (this.#state === "closed") return;
		this.#state = "closed";
		this.#inbox = [];
		if (kind === "process") this.#hangUp();
		else if (this.#world.network.random.chance(0.5)) this.#out.dropUnderWay();
	}

	/** What is under way still arrives, or not: both happen to those who close without waiting. */
	#hangUp(): void {
		if (this.#world.network.random.chance(0.5)) {
			this.#out.send({ kind: "fin" });
		} else {
			this.#out.dropUnderWay();
			this.#out.send({ kind: "reset" });
		}
	}

	/** A segment of the peer, at the kernel of this machine. */
	#receive(segment: Segment): void {
		if (segment.kind === "reset") {
			this.#close(codedError("ECONNRESET", "connection reset by peer"));
			return;
		}
		if (this.#state === "closed") {
			if (segment.kind === "data") this.#out.send({ kind: "reset" });
			return;
		}
		if (this.isOutdated && segment.kind === "data") this.#world.count("late-after-reconnect");
		this.#inbox.push(segment.kind === "fin" ? "fin" : segment.bytes);
		if (this.#delivery) return;
		if (this.process.resumeAtUs > this.#world.nowUs) this.#scheduleDelivery();
		else this.#deliver();
	}

	#scheduleDelivery(): void {
		if (this.#delivery || this.#inbox.length === 0) return;
		this.#delivery = true;
		this.#world.push(this.#world.nowUs, EVENT_NETWORK, this.process, () => {
			this.#delivery = false;
			this.#deliver();
		});
	}

	/** In the context of the process: hands over what it is ready to take. */
	#deliver(): void {
		while (this.#inbox.length > 0 && this.#state !== "closed") {
			const next = this.#inbox[0]!;
			if (next === "fin") {
				this.#inbox = [];
				if (this.#state === "open") this.#out.send({ kind: "fin" });
				this.#close(undefined);
				return;
			}
			if (this.#paused || this.#onData === undefined) return;
			this.#inbox.shift();
			const { random, options } = this.#world.network;
			let taken = next;
			if (next.length > 1 && random.chance(options.splitRate)) {
				const at = 1 + random.below(next.length - 1);
				taken = next.subarray(0, at);
				this.#inbox.unshift(next.subarray(at));
				this.#scheduleDelivery();
			}
			this.#peer.#taken(taken.length);
			this.#world.trace.mixBytes(taken);
			// A copy, as from a real socket: the two sides share no memory.
			this.#onData(new Uint8Array(taken));
			if (this.#delivery) return;
		}
	}

	/** The peer's program has read this much. */
	#taken(sizeBytes: number): void {
		this.#out.outstandingBytes -= sizeBytes;
		if (!this.#needsDrain || this.bufferedBytes > 0) return;
		this.#needsDrain = false;
		this.#world.push(this.#world.nowUs, EVENT_NETWORK, this.process, () => {
			if (this.#state === "open") this.#onDrain?.();
		});
	}

	#close(error: Error | undefined): void {
		if (this.#state === "closed") return;
		this.#state = "closed";
		this.#inbox = [];
		this.#closeError = error;
		this.#world.network.ended(this);
		this.#scheduleClose();
	}

	#scheduleClose(): void {
		if (this.#closeReported || this.#onClose === undefined) return;
		this.#closeReported = true;
		this.#world.push(this.#world.nowUs, EVENT_NETWORK, this.process, () =>
			this.#onClose?.(this.#closeError),
		);
	}
}
