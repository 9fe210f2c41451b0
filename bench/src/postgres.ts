/**
 * PostgreSQL in a directory of its own: alone, or with two streaming standbys of which one must have a commit on its
 * disk before the client hears of it. Settings are the package's own, fsync included; only what names ports and
 * directories is given.
 */
import { chownSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { databaseUser, findProgram, type Identity, runProgram } from "./programs.ts";
import { runSql, type Target } from "./target.ts";

const user = "bench";
const majorVersion = "15";

export interface PostgresOptions {
	readonly name: string;
	/** Must exist; the servers make their own below it. */
	readonly directory: string;
	readonly firstPort: number;
	readonly standbys: number;
}

/** Why there is none to measure, or undefined. */
export async function postgresMissing(): Promise<string | undefined> {
	const server = findProgram("postgres");
	if (server === undefined || findProgram("initdb") === undefined) {
		return `PostgreSQL ${majorVersion} is not installed`;
	}
	const version = await runProgram(server, ["--version"]);
	return version.includes(` ${majorVersion}.`)
		? undefined
		: `not version ${majorVersion}: ${version}`;
}

export async function startPostgres(options: PostgresOptions): Promise<Target> {
	const identity = await databaseUser();
	const servers: Server[] = [];
	const target: Target = {
		name: options.name,
		ports: () => [options.firstPort],
		user,
		database: "postgres",
		memoryBytes: () => [],
		stop: async () => {
			// The primary last: a commit that waits for a standby would keep it from stopping.
			for (const server of servers.reverse()) {
				await server.stop();
			}
		},
	};
	try {
		await startServers(options, identity, servers, target);
	} catch (error) {
		await target.stop();
		throw error;
	}
	return target;
}

async function startServers(
	options: PostgresOptions,
	identity: Identity | undefined,
	servers: Server[],
	target: Target,
): Promise<void> {
	const { directory, firstPort, standbys } = options;
	const primary = new Server(join(directory, "primary"), firstPort, identity);
	await primary.initialize();
	servers.push(primary);
	await primary.start();
	for (let n = 1; n <= standbys; n++) {
		const standby = new Server(join(directory, `standby${n}`), firstPort + n, identity);
		await standby.copyFrom(firstPort, `standby${n}`);
		servers.push(standby);
		await standby.start();
	}
	if (standbys > 0) {
		const names = Array.from({ length: standbys }, (_, index) => `standby${index + 1}`);
		await runSql(target, [
			`ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (${names.join(", ")})'`,
			"SELECT pg_reload_conf()",
		]);
		await untilSynchronous(target, standbys);
	}
}

/** The standbys are known a moment after the reload. */
async function untilSynchronous(target: Target, standbys: number): Promise<void> {
	for (let attempt = 0; attempt < 300; attempt++) {
		const [result] = await runSql(target, [
			"SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = 'quorum'",
		]);
		if (result?.rows[0]?.[0] === String(standbys)) {
			return;
		}
		await new Promise((resolve) => setTimeout(resolve, 100));
	}
	throw new Error("the standbys did not become synchronous");
}

class Server {
	readonly #data: string;
	readonly #port: number;
	readonly #identity: Identity | undefined;

	constructor(data: string, port: number, identity: Identity | undefined) {
		this.#data = data;
		this.#port = port;
		this.#identity = identity;
		mkdirSync(data, { mode: 0o700 });
		if (identity !== undefined) {
			chownSync(data, identity.uid, identity.gid);
		}
	}

	async initialize(): Promise<void> {
		await this.#run("initdb", ["-D", this.#data, "-U", user, "-A", "trust", "-E", "UTF8"]);
	}

	async copyFrom(primaryPort: number, applicationName: string): Promise<void> {
		const source = [
			`host=127.0.0.1 port=${primaryPort}`,
			`user=${user} application_name=${applicationName}`,
		].join(" ");
		await this.#run("pg_basebackup", ["-D", this.#data, "-R", "-c", "fast", "-d", source]);
	}

	async start(): Promise<void> {
		const settings = `-p ${this.#port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=''`;
		const log = join(this.#data, "server.log");
		const flags = ["-D", this.#data, "-l", log, "-w", "-o", settings, "start"];
		try {
			await this.#run("pg_ctl", flags);
		} catch (error) {
			throw new Error(`${error}\n${readFileSync(log, "utf8").slice(-2000)}`);
		}
	}

	async stop(): Promise<void> {
		await this.#run("pg_ctl", ["-D", this.#data, "-m", "fast", "-w", "stop"]);
	}

	async #run(program: string, flags: readonly string[]): Promise<void> {
		const path = findProgram(program);
		if (path === undefined) {
			throw new Error(`${program} is not installed`);
		}
		await runProgram(path, flags, { identity: this.#identity, cwd: this.#data });
	}
}
