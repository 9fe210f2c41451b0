/**
 * A node as `quorate start` runs it, on a runtime with hooks: its clock can jump and run at another rate, its disk can refuse to sync
 * or lie about it, its connections can go through others' ports, and a protection can be taken out. It is a program of its own, so that
 * no flag or setting of `quorate start` reaches any of that. What it begins with is in the environment, the rest comes as messages of its parent.
 */
import { createRealRuntime } from "@quorate/runtime/real-runtime";
import type { Clock, Disk, DiskFile, Network, Runtime, Scheduler } from "@quorate/runtime/runtime";
import { startNode } from "@quorate/server/node";
import { openRocksEngine } from "@quorate/storage/rocks-engine";
import { Command } from "commander";
import type { NodeOptions, RunningNode } from "quorate/node-adapter";
import { runStart, type StartFlags } from "quorate/run-node";
import { type HookMessage, type Hooks, hooksVariable } from "./hooks.ts";
import { overridden } from "./overridden.ts";

/** Clocks that can be wrong. Monotonic time never goes back, whatever its rate becomes. */
class Clocks implements Clock {
	readonly #real: Clock;
	#offsetMs = 0;
	rate = 1;
	#since: { readonly realMs: number; readonly monotonicMs: number; readonly wallMs: number };

	constructor(real: Clock) {
		this.#real = real;
		const now = real.monotonicMs();
		this.#since = { realMs: now, monotonicMs: now, wallMs: real.wallMs() };
	}

	monotonicMs(): number {
		return this.#since.monotonicMs + this.#passedMs();
	}

	wallMs(): number {
		return Math.floor(this.#since.wallMs + this.#passedMs() + this.#offsetMs);
	}

	set(offsetMs: number, rate: number): void {
		const monotonicMs = this.monotonicMs();
		const isRight = offsetMs === 0 && rate === 1;
		const wallMs = isRight ? this.#real.wallMs() : this.#since.wallMs + this.#passedMs();
		this.#since = { realMs: this.#real.monotonicMs(), monotonicMs, wallMs };
		this.#offsetMs = offsetMs;
		this.rate = rate;
	}

	#passedMs(): number {
		return (this.#real.monotonicMs() - this.#since.realMs) * this.rate;
	}
}

class State {
	failSync = false;
}

function withHooks(real: Runtime, { via = {}, liesAboutSync }: Hooks): Runtime {
	const clock = new Clocks(real.clock);
	const state = new State();
	process.on("message", ({ clock: to, failSync }: HookMessage) => {
		if (to !== undefined) clock.set(to.offsetMs, to.rate);
		if (failSync === true) state.failSync = true;
	});
	// A parent that is gone has ended this process, too: nothing waits for its channel.
	process.channel?.unref();
	const scheduler = overridden<Scheduler>(real.scheduler, {
		setTimer: (delayMs, task) => real.scheduler.setTimer(delayMs / clock.rate, task),
	});
	const network = overridden<Network>(real.network, {
		connect: (address, timeoutMs) => real.network.connect(via[address] ?? address, timeoutMs),
	});
	const disk = liesAboutSync === true ? lying(real.disk) : refusing(real.disk, state);
	return { ...real, clock, scheduler, network, disk };
}

function refusing(disk: Disk, state: State): Disk {
	const refuse = (): void => {
		if (state.failSync)
			throw Object.assign(new Error("EIO: i/o error, fdatasync"), { code: "EIO" });
	};
	const wrap = (file: DiskFile, isDurable: boolean): DiskFile =>
		overridden(file, {
			sync: async () => {
				refuse();
				await file.sync();
			},
			write: async (bytes, offset) => {
				if (isDurable) refuse();
				await file.write(bytes, offset);
			},
		});
	return overridden(disk, {
		open: async (path, mode) => wrap(await disk.open(path, mode), false),
		openDurable: async (path, mode) => wrap(await disk.openDurable(path, mode), true),
	});
}

function lying(disk: Disk): Disk {
	const open = async (path: string, mode: "create" | "existing"): Promise<DiskFile> =>
		overridden(await disk.open(path, mode), { sync: async () => undefined });
	return overridden(disk, { open, openDurable: open });
}

async function startWithHooks(options: NodeOptions): Promise<RunningNode> {
	const { dataDirectory, logLevel, engine: _engine, ...rest } = options;
	if (dataDirectory === undefined) throw new Error("a node with hooks keeps its data");
	const hooks = JSON.parse(process.env[hooksVariable] ?? "{}") as Hooks;
	const real = createRealRuntime({ logLevel, dataDirectory });
	const runtime = withHooks(real, hooks);
	if (hooks.mutation !== undefined) {
		runtime.logger.log("warn", "a protection is taken out", { mutation: hooks.mutation });
	}
	return startNode({
		runtime,
		...rest,
		...(hooks.mutation === undefined ? {} : { mutations: { [hooks.mutation]: true } }),
		openEngine: () => openRocksEngine(real.disk, "engine", { node: runtime }),
	});
}

const flags: Command = new Command()
	.command("start")
	.requiredOption("--join <addresses>")
	.requiredOption("--data <directory>")
	.requiredOption("--listen <address>")
	.requiredOption("--sql <address>")
	.requiredOption("--admin <address>")
	.action(async (given: Omit<StartFlags, "locality" | "engine" | "logLevel">) => {
		const all = { ...given, locality: "", engine: "rocksdb", logLevel: "info" };
		process.exit(await runStart(all, startWithHooks));
	});
await flags.parent!.parseAsync();
