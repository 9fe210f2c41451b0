/**
 * The one place where the command line meets the node: it makes the real runtime and starts a node on it. The
 * node is loaded only here, so that `quorate sql` starts without it.
 */
import { readFileSync } from "node:fs";
import { defaultLimits, limitsForDescriptors, type PgLimits } from "@quorate/pgwire/limits";
import { MemoryDisk } from "@quorate/runtime/memory-disk";
import { keepMemorySmall } from "@quorate/runtime/real-memory";
import { createRealRuntime } from "@quorate/runtime/real-runtime";
import type { Logger, LogLevel, Runtime } from "@quorate/runtime/runtime";
import type { SecurityFiles } from "@quorate/server/security";
import type { Engine } from "@quorate/storage/engine";
import { MemoryEngine } from "@quorate/storage/memory-engine";
import { openRocksEngine } from "@quorate/storage/rocks-engine";
import { readConsoleFiles } from "./console-files.ts";

export interface NodeOptions {
	/** Undefined: nothing is kept. */
	readonly dataDirectory: string | undefined;
	readonly logLevel: LogLevel;
	/** Addresses of all nodes that the cluster begins with. */
	readonly join: readonly string[];
	/** host:port for other nodes, for SQL clients and for the operator. */
	readonly listen: string;
	readonly sql: string;
	readonly admin: string;
	readonly locality: string;
	readonly engine: "rocksdb" | "memory";
	/** RocksDB's block cache; undefined: its default. */
	readonly cacheBytes?: number | undefined;
	readonly security?: SecurityFiles;
	/** Absolute; undefined: anywhere. */
	readonly backupRoot?: string | undefined;
}

export interface RunningNode {
	readonly nodeId: number;
	readonly sqlAddress: string;
	/** Before `stop`: gives away what others would have to wait for. */
	drain(): Promise<void>;
	/** SIGHUP: rules and certificates are read again. */
	reload(): Promise<void>;
	stop(): Promise<void>;
	/** Resolves, with the reason, when the node cannot go on. */
	readonly failed: Promise<string>;
}

export async function startRealNode(options: NodeOptions): Promise<RunningNode> {
	const { dataDirectory, logLevel, engine, cacheBytes, ...rest } = options;
	const runtime =
		dataDirectory === undefined
			? { ...createRealRuntime({ logLevel }), disk: new MemoryDisk() }
			: createRealRuntime({ logLevel, dataDirectory });
	keepMemorySmall();
	const { startNode } = await import("@quorate/server/node");
	const consoleFiles = readConsoleFiles();
	return startNode({
		runtime,
		...rest,
		clientLimits: clientLimits(runtime.logger),
		consoleFiles,
		openEngine: () => openEngine(engine, runtime, cacheBytes),
	});
}

/** Linux only; elsewhere the defaults hold. */
function descriptorsMax(): number | undefined {
	try {
		const found = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"));
		return found === null ? undefined : Number(found[1]);
	} catch {
		return undefined;
	}
}

function clientLimits(logger: Logger): Partial<PgLimits> {
	const descriptors = descriptorsMax();
	if (descriptors === undefined) return {};
	const limits = limitsForDescriptors(descriptors);
	if (limits.connectionsMax < defaultLimits.connectionsMax) {
		logger.log("warn", "there are descriptors for few clients only: raise ulimit -n", {
			descriptors,
			connections: limits.connectionsMax,
		});
	}
	return limits;
}

async function openEngine(
	name: NodeOptions["engine"],
	node: Runtime,
	cacheSizeBytes: number | undefined,
): Promise<Engine> {
	return name === "memory"
		? new MemoryEngine()
		: openRocksEngine(node.disk, "engine", { node, cacheSizeBytes });
}
