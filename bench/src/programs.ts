/** Programs of this machine that the benchmark runs: found or not, run to the end, or kept in the background. */
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Where a distribution puts the server's programs, which are not on the path. */
const extraDirectories = ["/usr/lib/postgresql/15/bin"];

export function findProgram(name: string): string | undefined {
	const directories = [...extraDirectories, ...(process.env["PATH"] ?? "").split(delimiter)];
	return directories.map((directory) => join(directory, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
	try {
		accessSync(path, constants.X_OK);
		return true;
	} catch {
		return false;
	}
}

export interface Identity {
	readonly uid: number;
	readonly gid: number;
}

export interface RunOptions {
	readonly identity?: Identity | undefined;
	readonly cwd?: string;
	readonly env?: Readonly<Record<string, string>>;
}

/** What a program wrote; rejects with its last words where its exit code is not 0. */
export async function runProgram(
	program: string,
	flags: readonly string[],
	options: RunOptions = {},
): Promise<string> {
	const child = start(program, flags, options);
	let output = "";
	let errors = "";
	child.stdout?.on("data", (chunk) => {
		output += chunk;
	});
	child.stderr?.on("data", (chunk) => {
		errors = (errors + chunk).slice(-4000);
	});
	const code = await new Promise<number | null>((resolve, reject) => {
		child.on("error", reject);
		child.on("close", resolve);
	});
	if (code !== 0) {
		throw new Error(`${program} ${flags.join(" ")} ended with ${code}: ${errors.trim()}`);
	}
	return output;
}

function start(program: string, flags: readonly string[], options: RunOptions): ChildProcess {
	return spawn(program, flags, {
		...options.identity,
		cwd: options.cwd,
		env: { ...process.env, ...options.env },
		stdio: ["ignore", "pipe", "pipe"],
	});
}

/** PostgreSQL refuses to run as root: then it runs as the user that its package made. Undefined: as who we are. */
export async function databaseUser(): Promise<Identity | undefined> {
	if (process.getuid?.() !== 0) {
		return undefined;
	}
	const ids = await Promise.all(["-u", "-g"].map((flag) => runProgram("id", [flag, "postgres"])));
	const [uid, gid] = ids.map(Number);
	return { uid: uid!, gid: gid! };
}
