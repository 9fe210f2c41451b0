/**
 * A connection from one node to another, at the side that connected: each has exactly one such side, so both directions can be
 * held here. While the link is cut nothing is read (TCP's own flow control then holds the peer's writes) and what is written
 * waits here, the end of the connection with it.
 */
import type { Connection, Scheduler } from "@quorate/runtime/runtime";
import type { ProcessScope } from "./process-scope.ts";

/** As a socket's: above it `write` answers false. */
const highWaterMarkBytes = 256 * 1024;

export interface LinkOptions {
	readonly real: Connection;
	readonly scope: ProcessScope;
	readonly scheduler: Scheduler;
	/** The node that connects, and the one that it connects to, by position. */
	readonly from: number;
	readonly to: number;
}

export class LinkConnection implements Connection {
	readonly from: number;
	readonly to: number;
	readonly remoteAddress: string;
	readonly #real: Connection;
	readonly #scope: ProcessScope;
	readonly #scheduler: Scheduler;
	#cut = false;
	#paused = false;
	#held: Uint8Array[] = [];
	#heldBytes = 0;
	/** How this side has ended it. */
	#ending: "no" | "end" | "destroy" = "no";
	/** The peer's end, that this side cannot have learnt yet. */
	#lost: { readonly error: Error | undefined } | undefined;
	#closed = false;
	#owesDrain = false;
	#onDrain: (() => void) | undefined;
	#onClose: ((error?: Error) => void) | undefined;
	#onGone: (() => void) | undefined;

	constructor(options: LinkOptions) {
		const { real, scope, scheduler, from, to } = options;
		this.#real = real;
		this.#scope = scope;
		this.#scheduler = scheduler;
		this.from = from;
		this.to = to;
		this.remoteAddress = real.remoteAddress;
		const forget = scope.cutAtEnd(() => real.destroy());
		real.onClose((error) => {
			forget();
			this.#onGone?.();
			if (this.#cut) this.#lost = { error };
			else this.#close(error);
		});
		real.onDrain(() => this.#drained());
	}

	/** The socket is closed. */
	onGone(listener: () => void): void {
		this.#onGone = listener;
	}

	setCut(cut: boolean): void {
		if (cut === this.#cut) return;
		this.#cut = cut;
		if (cut) this.#real.pause();
		else this.#heal();
	}

	get bufferedBytes(): number {
		return this.#real.bufferedBytes + this.#heldBytes;
	}

	write(bytes: Uint8Array): boolean {
		if (!this.#scope.alive || this.#ending !== "no") return false;
		if (!this.#cut) return this.#real.write(bytes);
		this.#held.push(bytes);
		this.#heldBytes += bytes.length;
		const isBelow = this.bufferedBytes < highWaterMarkBytes;
		this.#owesDrain ||= !isBelow;
		return isBelow;
	}

	onData(listener: (bytes: Uint8Array) => void): void {
		this.#real.onData((bytes) => {
			if (this.#scope.alive && this.#ending !== "destroy") listener(bytes);
		});
	}

	onDrain(listener: () => void): void {
		this.#onDrain = listener;
	}

	onClose(listener: (error?: Error) => void): void {
		this.#onClose = listener;
	}

	pause(): void {
		this.#paused = true;
		this.#real.pause();
	}

	resume(): void {
		this.#paused = false;
		if (!this.#cut) this.#real.resume();
	}

	end(): void {
		if (this.#ending !== "no") return;
		this.#ending = "end";
		if (!this.#cut) this.#real.end();
	}

	destroy(): void {
		if (this.#ending === "destroy") return;
		this.#ending = "destroy";
		if (!this.#cut) {
			this.#real.destroy();
			return;
		}
		// This side is done with it at once; the peer must not notice yet.
		this.#held = [];
		this.#heldBytes = 0;
		this.#scheduler.defer(() => this.#close(undefined));
	}

	#heal(): void {
		if (this.#lost !== undefined) {
			this.#close(this.#lost.error);
			return;
		}
		if (this.#ending === "destroy") {
			this.#real.destroy();
			return;
		}
		let isBelow = true;
		for (const bytes of this.#held) isBelow = this.#real.write(bytes);
		this.#held = [];
		this.#heldBytes = 0;
		if (isBelow && this.#owesDrain) this.#drained();
		if (this.#ending === "end") this.#real.end();
		if (!this.#paused) this.#real.resume();
	}

	#drained(): void {
		if (!this.#scope.alive) return;
		this.#owesDrain = this.#cut;
		if (!this.#cut) this.#onDrain?.();
	}

	#close(error: Error | undefined): void {
		if (this.#closed || !this.#scope.alive) return;
		this.#closed = true;
		this.#onClose?.(error);
	}
}
