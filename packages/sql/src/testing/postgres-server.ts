/** A PostgreSQL of its own: made in a temporary directory, heard on a Unix socket in there only, gone when it is stopped. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PostgresSession } from "./postgres-session.ts";

const BIN = "/usr/lib/postgresql/15/bin";

export const postgresInstalled = (): boolean => existsSync(join(BIN, "postgres"));

export class PostgresServer {
	readonly socketPath: string;
	/** Where its socket is: libpq's `host`. */
	readonly directory: string;
	readonly #process: ChildProcess;
	readonly #ended: Promise<unknown>;

	private constructor(directory: string, child: ChildProcess) {
		this.directory = directory;
		this.#process = child;
		this.#ended = new Promise((resolve) => child.once("exit", resolve));
		this.socketPath = join(directory, ".s.PGSQL.5432");
	}

	static async start(): Promise<PostgresServer> {
		const directory = mkdtempSync(join(tmpdir(), "quorate-postgres-"));
		const owner = ownerIds();
		if (owner !== undefined) chownSync(directory, owner.uid, owner.gid);
		const data = join(directory, "data");
		execFileSync(
			join(BIN, "initdb"),
			["-D", data, "-U", "quorate", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
			{ ...owner, cwd: directory, stdio: "pipe" },
		);
		const settings = ["fsync=off", "listen_addresses=", "timezone=UTC", "max_connections=20"];
		const child = spawn(
			join(BIN, "postgres"),
			["-D", data, "-k", directory, "-p", "5432", ...settings.flatMap((s) => ["-c", s])],
			{ ...owner, cwd: directory, stdio: "ignore" },
		);
		const server = new PostgresServer(directory, child);
		await server.#listening();
		return server;
	}

	async stop(): Promise<void> {
		// SIGINT is the fast shutdown: sessions are ended.
		this.#process.kill("SIGINT");
		await this.#ended;
		rmSync(this.directory, { recursive: true, force: true });
	}

	async #listening(): Promise<void> {
		for (let attempt = 0; attempt < 600; attempt++) {
			if (await accepts(this.socketPath)) return;
			if (this.#process.exitCode !== null) throw new Error("postgres did not start");
			await new Promise((resolve) => setTimeout(resolve, 50));
		}
		throw new Error("postgres does not listen");
	}
}

/** PostgreSQL refuses to run as root. */
function ownerIds(): { readonly uid: number; readonly gid: number } | undefined {
	if (process.getuid?.() !== 0) return undefined;
	const id = (flag: string) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
	return { uid: id("-u"), gid: id("-g") };
}

/** It takes connections before it lets anybody in. */
async function accepts(path: string): Promise<boolean> {
	try {
		await (await PostgresSession.open(path, "postgres")).close();
		return true;
	} catch {
		return false;
	}
}
