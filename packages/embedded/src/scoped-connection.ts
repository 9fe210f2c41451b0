/** A connection of one boot: cut at its end, and silent from then on. */
import type { Connection } from "@quorate/runtime/runtime";
import type { ProcessScope } from "./process-scope.ts";

export class ScopedConnection implements Connection {
	readonly remoteAddress: string;
	readonly #real: Connection;
	readonly #scope: ProcessScope;
	#onClose: ((error?: Error) => void) | undefined;

	constructor(real: Connection, scope: ProcessScope, onGone: () => void) {
		this.remoteAddress = real.remoteAddress;
		this.#real = real;
		this.#scope = scope;
		const forget = scope.cutAtEnd(() => real.destroy());
		real.onClose((error) => {
			forget();
			onGone();
			if (scope.alive) this.#onClose?.(error);
		});
	}

	get bufferedBytes(): number {
		return this.#real.bufferedBytes;
	}

	write(bytes: Uint8Array): boolean {
		return this.#scope.alive && this.#real.write(bytes);
	}

	onData(listener: (bytes: Uint8Array) => void): void {
		this.#real.onData((bytes) => {
			if (this.#scope.alive) listener(bytes);
		});
	}

	onDrain(listener: () => void): void {
		this.#real.onDrain(() => {
			if (this.#scope.alive) listener();
		});
	}

	onClose(listener: (error?: Error) => void): void {
		this.#onClose = listener;
	}

	pause(): void {
		this.#real.pause();
	}

	resume(): void {
		this.#real.resume();
	}

	end(): void {
		this.#real.end();
	}

	destroy(): void {
		this.#real.destroy();
	}
}
