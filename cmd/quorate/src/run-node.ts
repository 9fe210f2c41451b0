/** `quorate start` and `quorate demo`: a node in the foreground, until a signal or until it cannot go on. */
import { totalmem } from "node:os";
import { resolve } from "node:path";
import { formatLocality, localityForm, parseLocality, tiersMax } from "@quorate/keys/locality";
import { isLoopbackHost, parseAddress } from "@quorate/runtime/address";
import type { LogLevel } from "@quorate/runtime/runtime";
import type { CertificateFiles, SecurityFiles } from "@quorate/server/security";
import { defaultDatabase } from "./client/connection-options.ts";
import { parseMemorySize } from "./memory-size.ts";
import type { NodeOptions, RunningNode } from "./node-adapter.ts";
import { checkAddress, checkDataDirectory, checkFree } from "./preflight.ts";
import { UserError } from "./user-error.ts";

const cacheBytesMin = 1 << 20;

export interface StartFlags {
	readonly join: string;
	readonly data: string;
	readonly listen: string;
	readonly sql: string;
	readonly admin: string;
	readonly locality: string;
	readonly engine: string;
	readonly cache?: string;
	readonly logLevel: string;
	readonly hba?: string;
	readonly ident?: string;
	readonly tlsCert?: string;
	readonly tlsKey?: string;
	readonly tlsCa?: string;
	readonly nodeCert?: string;
	readonly nodeKey?: string;
	readonly nodeCa?: string;
	readonly allowPlaintext?: boolean;
	readonly backupRoot?: string;
}

export type StartNode = (options: NodeOptions) => Promise<RunningNode>;

/** Resolves with the exit code when the node has stopped. */
export async function runStart(flags: StartFlags, startNode: StartNode): Promise<number> {
	const options = startOptions(flags);
	checkDataDirectory(flags.data);
	await checkPorts(options);
	return runUntilStopped(options, startNode);
}

export interface DemoFlags {
	readonly sql: string;
	readonly admin: string;
	readonly listen: string;
	readonly logLevel: string;
}

/** A cluster of one node; what it keeps goes when it ends. */
export async function runDemo(flags: DemoFlags, startNode: StartNode): Promise<number> {
	const join = flags.listen;
	const all = { ...flags, join, data: "", locality: "", engine: "memory" };
	const options = startOptions(all);
	await checkPorts(options);
	return runUntilStopped({ ...options, dataDirectory: undefined }, startNode);
}

export function startOptions(flags: StartFlags): NodeOptions {
	const join = [...new Set(flags.join.split(",").map((address) => address.trim()))].filter(Boolean);
	for (const address of join) {
		checkAddress("--join", address);
	}
	checkAddress("--listen", flags.listen);
	checkAddress("--sql", flags.sql);
	checkAddress("--admin", flags.admin);
	if (join.length === 0) {
		throw new UserError("--join names no node; a cluster of one joins itself");
	}
	if (flags.engine !== "rocksdb" && flags.engine !== "memory") {
		throw new UserError(`--engine "${flags.engine}" is neither rocksdb nor memory`);
	}
	if (!["debug", "info", "warn", "error"].includes(flags.logLevel)) {
		throw new UserError(`--log-level "${flags.logLevel}" is none of debug, info, warn, error`);
	}
	const locality = parseLocality(flags.locality);
	if (locality === undefined) {
		throw new UserError(
			`--locality "${flags.locality}" is not of the form ${localityForm}: at most ${tiersMax} levels, the widest first, each once`,
		);
	}
	const cacheBytes = cacheBytesOf(flags);
	requireLoopback("--admin", flags.admin, "nobody is asked who they are there");
	const security = securityOf(flags);
	if (security.hba === undefined) {
		requireLoopback("--sql", flags.sql, "every client would be trusted: give --hba and --tls-cert");
	}
	return {
		security,
		dataDirectory: flags.data,
		logLevel: flags.logLevel as LogLevel,
		join,
		listen: flags.listen,
		sql: flags.sql,
		admin: flags.admin,
		locality: formatLocality(locality),
		engine: flags.engine,
		cacheBytes,
		backupRoot: flags.backupRoot === undefined ? undefined : resolve(flags.backupRoot),
	};
}

/** Undefined: the engine's own choice. */
function cacheBytesOf({ cache, engine }: StartFlags): number | undefined {
	if (cache === undefined) return undefined;
	if (engine === "memory") {
		throw new UserError("--cache goes with --engine rocksdb: all that memory holds is at hand");
	}
	const bytes = parseMemorySize(cache);
	if (bytes === undefined) {
		throw new UserError(`--cache "${cache}" is not a size, such as 256MB or 1.5GB`);
	}
	if (bytes < cacheBytesMin) {
		throw new UserError(`--cache ${cache} is less than 1MB: no block of rows would stay`);
	}
	if (bytes > totalmem()) {
		const machine = `${Math.floor(totalmem() / 2 ** 20)}MB`;
		throw new UserError(`--cache ${cache} is more than the ${machine} that this machine has`);
	}
	return bytes;
}

function requireLoopback(flag: string, address: string, why: string): void {
	if (isLoopbackHost(parseAddress(address)!.host)) return;
	throw new UserError(`${flag} ${address} is not a loopback address, and ${why}`);
}

function certificateFiles(
	what: string,
	certificate: string | undefined,
	key: string | undefined,
	authorities: string | undefined,
): CertificateFiles | undefined {
	if (certificate === undefined && key === undefined && authorities === undefined) return undefined;
	if (certificate === undefined || key === undefined) {
		throw new UserError(`--${what}-cert and --${what}-key go together`);
	}
	const absolute = authorities === undefined ? undefined : resolve(authorities);
	return { certificate: resolve(certificate), key: resolve(key), authorities: absolute };
}

function securityOf(flags: StartFlags): SecurityFiles {
	return {
		hba: flags.hba === undefined ? undefined : resolve(flags.hba),
		ident: flags.ident === undefined ? undefined : resolve(flags.ident),
		sql: certificateFiles("tls", flags.tlsCert, flags.tlsKey, flags.tlsCa),
		nodes: certificateFiles("node", flags.nodeCert, flags.nodeKey, flags.nodeCa),
		allowPlaintext: flags.allowPlaintext === true,
	};
}

async function checkPorts(options: NodeOptions): Promise<void> {
	await checkFree(options.listen, "--listen");
	await checkFree(options.sql, "--sql");
	await checkFree(options.admin, "--admin");
}

async function runUntilStopped(options: NodeOptions, startNode: StartNode): Promise<number> {
	// Before the node: a signal while it waits for its peers must end it, too.
	const stopped = firstSignal();
	const starting = startNode(options);
	const early = await Promise.race([starting.then(() => undefined), stopped]);
	if (early !== undefined) {
		console.error(`quorate: ${early} while starting`);
		return 0;
	}
	const node = await starting;
	console.log(`quorate: node ${node.nodeId} serves SQL on ${node.sqlAddress}`);
	console.log(`quorate: psql "${urlOf(node.sqlAddress)}"`);
	process.on("SIGHUP", () => void node.reload());
	const reason = await Promise.race([stopped, node.failed.then((why) => new UserError(why))]);
	if (reason instanceof UserError) {
		console.error(`quorate: ${reason.message}`);
		return 1;
	}
	console.log(`quorate: ${reason}, stopping`);
	await node.drain();
	await node.stop();
	return 0;
}

export const urlOf = (sqlAddress: string): string =>
	`postgresql://quorate@${sqlAddress}/${defaultDatabase}`;

/** The second signal ends the process as if nobody listened. */
function firstSignal(): Promise<string> {
	return new Promise((resolve) => {
		process.once("SIGINT", () => resolve("SIGINT"));
		process.once("SIGTERM", () => resolve("SIGTERM"));
	});
}
