/** One direction between two machines: how long bytes take, and what waits while nothing gets through. */
import type { Machine } from "./machine.ts";
import type { SimNetwork } from "./sim-network.ts";
import type { Pipe } from "./sim-pipe.ts";
import type { World } from "./world.ts";

/** Between two processes of one machine. */
const LOOPBACK_LATENCY_US = 20;
const LOSSES_IN_A_ROW_MAX = 6;

/** What of a write goes on its way at once, and what follows on the same connection after others. */
export interface Disorder {
	readonly now: Uint8Array;
	readonly later: readonly Straggler[];
}

export interface Straggler {
	readonly bytes: Uint8Array;
	readonly delayMs: number;
	/** It goes at once, too. */
	readonly isCopy: boolean;
}

export class Link {
	readonly from: Machine;
	readonly to: Machine;
	/** Undefined: as the network's options say. */
	latencyMsMin: number | undefined;
	latencyMsMean: number | undefined;
	lossRate: number | undefined;
	bytesPerMs: number | undefined;
	/** Called with every write of a connection. TCP does no such thing: for messages that must stand it all the same. */
	disorder: ((bytes: Uint8Array) => Disorder) | undefined;
	/** Pipes that hold bytes back, in the order in which they began to. */
	readonly holding = new Set<Pipe>();
	readonly #world: World;
	readonly #network: SimNetwork;
	/** When the wire is free for the next segment. */
	#freeAtUs = 0;
	#blocked = false;

	constructor(world: World, network: SimNetwork, from: Machine, to: Machine) {
		this.#world = world;
		this.#network = network;
		this.from = from;
		this.to = to;
	}

	get blocked(): boolean {
		return this.#blocked;
	}

	get passable(): boolean {
		return !this.#blocked && this.to.powered;
	}

	setBlocked(blocked: boolean): void {
		this.#blocked = blocked;
		if (!blocked) this.release();
	}

	restore(): void {
		this.latencyMsMin = undefined;
		this.latencyMsMean = undefined;
		this.lossRate = undefined;
		this.bytesPerMs = undefined;
		this.disorder = undefined;
		this.setBlocked(false);
	}

	/** What waited goes on its way, where it can. */
	release(): void {
		if (!this.passable) return;
		const pipes = [...this.holding];
		this.holding.clear();
		for (const pipe of pipes) pipe.release();
	}

	/** When bytes that leave now arrive. */
	arrivalUs(sizeBytes: number): number {
		const nowUs = this.#world.nowUs;
		if (this.from === this.to) return nowUs + LOOPBACK_LATENCY_US;
		const { options, random } = this.#network;
		const bytesPerMs = this.bytesPerMs ?? options.bytesPerMs;
		const startUs = Math.max(nowUs, this.#freeAtUs);
		this.#freeAtUs = startUs + (sizeBytes * 1000) / bytesPerMs;
		let delayMs =
			(this.latencyMsMin ?? options.latencyMsMin) +
			random.exponential(this.latencyMsMean ?? options.latencyMsMean);
		const lossRate = this.lossRate ?? options.lossRate;
		for (let losses = 0; losses < LOSSES_IN_A_ROW_MAX && random.chance(lossRate); losses++) {
			this.#world.count("loss");
			delayMs += options.retransmitMs * 2 ** losses;
		}
		return Math.ceil(this.#freeAtUs + delayMs * 1000);
	}
}
