/** PostgreSQL's own programs against a node. */
import { spawnSync } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import type { NodeProcess } from "../harness/node-process.ts";
import { ended, signalOwned, spawnOwned } from "../harness/owned-processes.ts";

export interface ProgramResult {
	/** Exit code, or the signal that ended it. */
	readonly status: number | NodeJS.Signals;
	readonly out: string;
	readonly err: string;
}

export interface RunningProgram {
	readonly input: Writable;
	readonly result: Promise<ProgramResult>;
	kill(): void;
}

/** Whether the program is installed and runs: Debian's wrappers are there also without what they wrap. */
export function isInstalled(program: string): boolean {
	return spawnSync(program, ["--version"]).status === 0;
}

/** libpq's variables point it at the node; nothing of the caller's environment or files leaks in. */
export function startProgram(
	program: string,
	args: readonly string[],
	node: NodeProcess,
): RunningProgram {
	const child = spawnOwned(program, args, {
		stdio: ["pipe", "pipe", "pipe"],
		env: {
			PATH: process.env["PATH"],
			LC_ALL: "C.UTF-8",
			HOME: "/nonexistent",
			PGHOST: "127.0.0.1",
			PGPORT: String(node.description.sqlPort),
			PGUSER: "quorate",
			PGDATABASE: "quorate",
			PGAPPNAME: program,
			PGCONNECT_TIMEOUT: "30",
		},
	});
	// A program that was killed takes no more input.
	child.stdin!.on("error", () => undefined);
	const out = collect(child.stdout!);
	const err = collect(child.stderr!);
	const finish = async (): Promise<ProgramResult> => ({
		status: await ended(child),
		out: await out,
		err: await err,
	});
	return { input: child.stdin!, result: finish(), kill: () => signalOwned(child, "SIGKILL") };
}

export function runProgram(
	program: string,
	args: readonly string[],
	node: NodeProcess,
	input = "",
): Promise<ProgramResult> {
	const running = startProgram(program, args, node);
	running.input.end(input);
	return running.result;
}

async function collect(stream: Readable): Promise<string> {
	let text = "";
	stream.setEncoding("utf8");
	for await (const piece of stream) {
		text += piece as string;
	}
	return text;
}
