/**
 * A few nodes in virtual time for the tests of this package: one event queue, processes that crash,
 * sleep and come back, disks that outlive them, messages with random delays. One seed gives one
 * history.
 */
import type { Clock, Disk, Logger, Runtime, Scheduler, Timer } from "@quorate/runtime/runtime";

interface Event {
	readonly atMs: number;
	readonly sequence: number;
	readonly process: TestProcess | undefined;
	readonly run: () => void;
	isCancelled: boolean;
}

export class TestWorld {
	nowMs = 0;
	/**
	 * Share of messages and writes that take up to three seconds, longer than anyone waits for
	 * them.
	 */
	slowShare = 0;
	/** The process that listens at an address. */
	readonly listening = new Map<string, TestProcess>();
	#queue: Event[] = [];
	#sequence = 0;
	#random: number;

	constructor(seed: number) {
		this.#random = seed | 0;
	}

	/** In [0, 1). */
	random(): number {
		this.#random = (this.#random + 0x6d2b79f5) | 0;
		let t = Math.imul(this.#random ^ (this.#random >>> 15), 1 | this.#random);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	}

	/** Milliseconds that a message or a write takes. */
	delayMs(): number {
		const isSlow = this.slowShare > 0 && this.random() < this.slowShare;
		return 1 + this.random() * (isSlow ? 3000 : 4);
	}

	at(atMs: number, process: TestProcess | undefined, run: () => void): Timer {
		const event: Event = {
			atMs: Math.max(atMs, this.nowMs),
			sequence: this.#sequence++,
			process,
			run,
			isCancelled: false,
		};
		let place = this.#queue.length;
		while (place > 0 && this.#queue[place - 1]!.atMs > event.atMs) {
			place--;
		}
		this.#queue.splice(place, 0, event);
		return {
			cancel: () => {
				event.isCancelled = true;
			},
		};
	}

	/**
	 * Runs until the condition holds; false if nothing is left to do or virtual time runs out
	 * first.
	 */
	async run(untilMs: number, isDone: () => boolean = () => false): Promise<boolean> {
		await rest();
		while (!isDone()) {
			const event = this.#queue[0];
			if (event === undefined || event.atMs > untilMs) {
				this.nowMs = untilMs;
				return isDone();
			}
			this.#queue.shift();
			this.nowMs = event.atMs;
			await this.#perform(event);
		}
		return true;
	}

	async #perform(event: Event): Promise<void> {
		const { process } = event;
		if (event.isCancelled || process?.isDead === true) {
			return;
		}
		if (process !== undefined && process.asleepUntilMs > this.nowMs) {
			const later = this.at(process.asleepUntilMs, process, () => {
				if (!event.isCancelled) {
					event.run();
				}
			});
			void later;
			return;
		}
		if (process?.countStep() === true) {
			return;
		}
		event.run();
		await rest();
	}
}

/** Promise chains of any depth come to rest before the next event. */
const rest = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Content of a disk: outlives processes. `life` rises when it is emptied. */
export class TestDisk {
	readonly files = new Map<string, Uint8Array>();
	life = 0;
	onReplace: ((path: string, bytes: Uint8Array) => void) | undefined;

	wipe(): void {
		this.files.clear();
		this.life++;
	}
}

export class TestProcess {
	readonly world: TestWorld;
	readonly address: string;
	readonly disk: TestDisk;
	readonly runtime: Runtime;
	readonly log: string[] = [];
	isDead = false;
	asleepUntilMs = 0;
	/** Called before its step of that number; the step does not happen. */
	crashAtStep = Number.POSITIVE_INFINITY;
	onCrash: (() => void) | undefined;
	wallOffsetMs = Date.UTC(2024, 0, 1);
	monotonicRate = 1;
	#steps = 0;

	constructor(world: TestWorld, address: string, disk: TestDisk) {
		this.world = world;
		this.address = address;
		this.disk = disk;
		this.runtime = this.#makeRuntime();
		world.listening.set(address, this);
	}

	get steps(): number {
		return this.#steps;
	}

	crash(): void {
		this.isDead = true;
		if (this.world.listening.get(this.address) === this) {
			this.world.listening.delete(this.address);
		}
		this.onCrash?.();
	}

	/** True if it crashed instead. */
	countStep(): boolean {
		this.#steps++;
		if (this.#steps >= this.crashAtStep) {
			this.crash();
		}
		return this.isDead;
	}

	#makeRuntime(): Runtime {
		const { world } = this;
		const clock: Clock = {
			monotonicMs: () => world.nowMs * this.monotonicRate,
			wallMs: () => world.nowMs + this.wallOffsetMs,
		};
		const scheduler: Scheduler = {
			setTimer: (delayMs, task) => world.at(world.nowMs + delayMs, this, task),
			defer: (task) => {
				world.at(world.nowMs, this, task);
			},
			yield: () => new Promise((resolve) => world.at(world.nowMs, this, resolve)),
		};
		const logger: Logger = {
			log: (_, message) => this.log.push(message),
			child: () => logger,
		};
		return {
			clock,
			scheduler,
			random: {
				float: () => world.random(),
				bytes: (count) => Uint8Array.from({ length: count }, () => world.random() * 256),
			},
			network: undefined as never,
			disk: this.#makeDisk(),
			files: undefined as never,
			logger,
			fatal: (reason) => {
				this.log.push(`fatal: ${reason}`);
				this.crash();
				throw new Error(reason);
			},
		};
	}

	#makeDisk(): Disk {
		const { files } = this.disk;
		const partial: Partial<Disk> = {
			root: undefined,
			list: async () => [...files.keys()].sort(),
			makeDirectory: async () => undefined,
			readWhole: async (path) => files.get(path),
			replace: (path, bytes) => this.#replace(path, bytes),
		};
		return partial as Disk;
	}

	/**
	 * A crash falls before the content changed, or after it changed and before anyone learned so.
	 */
	#replace(path: string, bytes: Uint8Array): Promise<void> {
		const { world } = this;
		const content = Uint8Array.from(bytes);
		return new Promise((resolve) => {
			world.at(world.nowMs + world.delayMs(), this, () => {
				this.disk.files.set(path, content);
				this.disk.onReplace?.(path, content);
				world.at(world.nowMs + world.delayMs(), this, () => resolve());
			});
		});
	}
}
