/** Programs of PostgreSQL's users, as Debian installs them. */
import { spawn, spawnSync } from "node:child_process";

export interface Ended {
	readonly status: number | null;
	readonly out: string;
	readonly err: string;
}

/** Nothing of the caller's files and variables leaks in. */
const environment = {
	PATH: process.env["PATH"],
	LC_ALL: "C.UTF-8",
	HOME: "/nonexistent",
	PGCONNECT_TIMEOUT: "30",
};

export interface RunOptions {
	readonly input?: string;
	readonly env?: Readonly<Record<string, string>>;
	readonly cwd?: string;
}

export function run(
	program: string,
	args: readonly string[],
	{ input = "", env = {}, cwd }: RunOptions = {},
): Promise<Ended> {
	const child = spawn(program, args, { cwd, env: { ...environment, ...env } });
	let [out, err] = ["", ""];
	child.stdout.setEncoding("utf8").on("data", (text) => {
		out += text;
	});
	child.stderr.setEncoding("utf8").on("data", (text) => {
		err += text;
	});
	child.stdin.on("error", () => undefined);
	child.stdin.end(input);
	return new Promise((resolve, reject) => {
		child.once("error", reject);
		child.once("close", (status) => resolve({ status, out, err }));
	});
}

/** What it prints. Throws where it says that it failed. */
export async function output(
	program: string,
	args: readonly string[],
	options?: RunOptions,
): Promise<string> {
	const { status, out, err } = await run(program, args, options);
	if (status === 0) return out;
	throw new Error(`${program} ended with ${status}: ${err}${out}`);
}

/** Whether it is installed and runs: some of Debian's are wrappers that are there also without what they wrap. */
export const runs = (program: string, ...args: readonly string[]): boolean =>
	spawnSync(program, args.length === 0 ? ["--version"] : args, { env: environment }).status === 0;

export const psql = (url: string, ...args: readonly string[]): Promise<string> =>
	output("psql", ["-X", "-q", "-v", "ON_ERROR_STOP=1", ...args, url]);

/** Every statement of a script, until one fails. */
export const psqlScript = (url: string, script: string): Promise<string> =>
	output("psql", ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-", url], { input: script });
