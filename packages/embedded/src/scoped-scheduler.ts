/** Timers and deferred tasks of one boot: none of them fires after its end, and none keeps the program running. */
import type { Scheduler, TickPart, Timer } from "@quorate/runtime/runtime";
import type { ProcessScope } from "./process-scope.ts";

export class ScopedScheduler implements Scheduler {
	readonly #real: Scheduler;
	readonly #scope: ProcessScope;
	readonly #timers = new Set<Timer>();

	constructor(real: Scheduler, scope: ProcessScope) {
		this.#real = real;
		this.#scope = scope;
		scope.cutAtEnd(() => {
			for (const timer of this.#timers) timer.cancel();
			this.#timers.clear();
		});
	}

	setTimer(delayMs: number, task: () => void): Timer {
		if (!this.#scope.alive) return { cancel: () => undefined };
		const timer = this.#real.setTimer(delayMs, () => {
			this.#timers.delete(timer);
			task();
		});
		this.#timers.add(timer);
		return {
			cancel: () => {
				this.#timers.delete(timer);
				timer.cancel();
			},
		};
	}

	defer(task: () => void, part?: TickPart): void {
		this.#real.defer(() => {
			if (this.#scope.alive) task();
		}, part);
	}

	yield(): Promise<void> {
		return new Promise((resolve) => this.defer(resolve));
	}
}
