/**
 * Child processes that cannot outlive the one that started them: they are killed when it exits, on Ctrl-C, and, where Linux's
 * `setpriv` is installed, by the kernel also when it was killed itself or when the worker thread that started them has ended.
 */
import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from "node:child_process";

const owned = new Set<ChildProcess>();
let watching = false;
let setpriv: boolean | undefined;

/** The kernel tells of no death before it was asked to: who finds another parent than the one named is too late, and ends. */
const withParent = ["--pdeathsig", "KILL", "--", "sh", "-c", '[ "$PPID" = "$0" ] && exec "$@"'];

/** Starts a program; its pid is the program's own, also through `setpriv` and `sh`, which replace themselves. */
export function spawnOwned(
	program: string,
	args: readonly string[],
	options: SpawnOptions = {},
): ChildProcess {
	watchForExit();
	setpriv ??= spawnSync("setpriv", ["--pdeathsig", "KILL", "true"]).status === 0;
	const child = setpriv
		? spawn("setpriv", [...withParent, String(process.pid), program, ...args], options)
		: spawn(program, args, options);
	owned.add(child);
	const forget = () => owned.delete(child);
	child.once("exit", forget);
	child.once("error", forget);
	return child;
}

/** Only a process that has not been waited for is signalled: its pid cannot mean another one. */
export function signalOwned(child: ChildProcess, signal: NodeJS.Signals): boolean {
	return owned.has(child) && child.kill(signal);
}

/** Resolves when the process has ended, at once where it has already. */
export async function ended(child: ChildProcess): Promise<number | NodeJS.Signals> {
	if (child.exitCode === null && child.signalCode === null && owned.has(child)) {
		await new Promise<void>((resolve) => {
			child.once("exit", () => resolve());
			child.once("error", () => resolve());
		});
	}
	return child.signalCode ?? child.exitCode ?? -1;
}

function killAll(): void {
	for (const child of owned) {
		child.kill("SIGKILL");
	}
}

function watchForExit(): void {
	if (watching) {
		return;
	}
	watching = true;
	process.on("exit", killAll);
	// In a worker thread signals never arrive; there the kernel does it, or the main thread's exit.
	for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
		process.once(signal, () => {
			killAll();
			process.kill(process.pid, signal);
		});
	}
}
