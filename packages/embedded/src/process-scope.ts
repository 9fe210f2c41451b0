/**
 * What one boot of a node holds of the world, so that all of it can be taken away at once: a process inside of the process.
 *
 * After its end nothing of it has an effect: its timers and connections are gone, and the promises that its code waits for never
 * settle, so that the code stops where it stands and is collected. What the kernel, or a thread, has in hand at that
 * moment is waited for, before the next boot may touch the same files.
 */
import type { Scheduler } from "@quorate/runtime/runtime";

/** Thrown by `fatal`, to the code that asked for it. */
export class NodeStoppedError extends Error {
	override readonly name = "NodeStoppedError";
}

export class ProcessScope {
	readonly #outer: Scheduler;
	#alive = true;
	#operations = 0;
	#whenIdle: (() => void) | undefined;
	readonly #cuts = new Set<() => void>();
	readonly #releases = new Set<() => Promise<void>>();
	#ended: Promise<void> | undefined;

	/** The scheduler of the real process: it goes on. */
	constructor(outer: Scheduler) {
		this.#outer = outer;
	}

	get alive(): boolean {
		return this.#alive;
	}

	/** Done in the moment of the end. The result forgets it. */
	cutAtEnd(cut: () => void): () => void {
		if (!this.#alive) cut();
		else this.#cuts.add(cut);
		return () => this.#cuts.delete(cut);
	}

	/** Done once the kernel has nothing in hand any more, the newest first. The result forgets it. */
	releaseAtEnd(release: () => Promise<void>): () => void {
		this.#releases.add(release);
		return () => this.#releases.delete(release);
	}

	/** The outcome of an operation, as long as there is somebody to have it. */
	guard<T>(operation: () => Promise<T>): Promise<T> {
		return new Promise((resolve, reject) => {
			if (!this.#alive) return;
			this.#operations++;
			operation().then(
				(result) => {
					this.#done();
					if (this.#alive) resolve(result);
				},
				(error: unknown) => {
					this.#done();
					if (this.#alive) reject(error);
				},
			);
		});
	}

	/** Resolves when nothing of it is left. */
	end(): Promise<void> {
		this.#ended ??= this.#end();
		return this.#ended;
	}

	async #end(): Promise<void> {
		this.#alive = false;
		for (const cut of this.#cuts) cut();
		this.#cuts.clear();
		// What was already on its way between two awaits goes its last steps.
		await this.#outer.yield();
		if (this.#operations > 0) {
			await new Promise<void>((resolve) => {
				this.#whenIdle = resolve;
			});
		}
		for (const release of [...this.#releases].reverse()) await release();
		this.#releases.clear();
	}

	#done(): void {
		this.#operations--;
		if (this.#operations === 0) this.#whenIdle?.();
	}
}
