/**
 * One direction of a connection: a queue of segments, each with the time at which it arrives. Only the first one is ever
 * scheduled; while the link carries nothing it waits, and all others behind it.
 */
import { EVENT_NETWORK, type QueuedEvent } from "./event-queue.ts";
import type { Link } from "./sim-link.ts";
import type { World } from "./world.ts";

export type Segment =
	| { readonly kind: "data"; readonly bytes: Uint8Array }
	| { readonly kind: "fin" }
	| { readonly kind: "reset" };

export interface PipeEnds {
	/** The segment has reached the machine of the receiver. */
	arrived(segment: Segment): void;
	/** The sender's kernel has given up. */
	timedOut(): void;
}

const sizeOf = (segment: Segment): number => (segment.kind === "data" ? segment.bytes.length : 0);

export class Pipe {
	readonly link: Link;
	/** Written and not yet taken by the receiving program. */
	outstandingBytes = 0;
	readonly #world: World;
	readonly #ends: PipeEnds;
	readonly #timeoutMs: number;
	readonly #arrive = (): void => this.#headArrives();
	#queue: { readonly segment: Segment; atUs: number }[] = [];
	/** The arrival of the first segment. */
	#next: QueuedEvent | undefined;
	/** Set while the first segment waits for the link. */
	#giveUp: QueuedEvent | undefined;

	constructor(world: World, link: Link, timeoutMs: number, ends: PipeEnds) {
		this.#world = world;
		this.link = link;
		this.#timeoutMs = timeoutMs;
		this.#ends = ends;
	}

	send(segment: Segment): void {
		const sizeBytes = sizeOf(segment);
		this.outstandingBytes += sizeBytes;
		this.#queue.push({ segment, atUs: this.link.arrivalUs(sizeBytes) });
		if (this.#queue.length === 1) this.#scheduleHead(this.#queue[0]!.atUs);
	}

	/** What has not arrived is lost. */
	dropUnderWay(): void {
		this.#queue = [];
		this.#next?.cancel();
		this.#stopWaiting();
		this.link.holding.delete(this);
	}

	/** What is under way takes so much longer. */
	delay(ms: number): void {
		if (this.#queue.length === 0 || this.#giveUp !== undefined) return;
		for (const one of this.#queue) one.atUs += Math.ceil(ms * 1000);
		this.#next?.cancel();
		this.#scheduleHead(this.#queue[0]!.atUs);
	}

	/** The link carries again: what waited is sent anew. */
	release(): void {
		this.#stopWaiting();
		const head = this.#queue[0];
		if (head !== undefined) this.#scheduleHead(this.link.arrivalUs(sizeOf(head.segment)));
	}

	#stopWaiting(): void {
		this.#giveUp?.cancel();
		this.#giveUp = undefined;
	}

	#scheduleHead(atUs: number): void {
		this.#next = this.#world.push(
			Math.max(atUs, this.#world.nowUs),
			EVENT_NETWORK,
			undefined,
			this.#arrive,
		);
	}

	#headArrives(): void {
		if (!this.link.passable) {
			this.#wait();
			return;
		}
		const { segment } = this.#queue.shift()!;
		const head = this.#queue[0];
		if (head !== undefined) this.#scheduleHead(head.atUs);
		this.#ends.arrived(segment);
	}

	#wait(): void {
		this.link.holding.add(this);
		const atUs = this.#world.nowUs + this.#timeoutMs * 1000;
		this.#giveUp = this.#world.push(atUs, EVENT_NETWORK, undefined, () => {
			this.dropUnderWay();
			this.#ends.timedOut();
		});
	}
}
