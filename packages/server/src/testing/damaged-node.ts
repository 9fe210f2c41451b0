/** For tests: a node of one, whose files may be damaged, and what it serves. */
import { createHash } from "node:crypto";
import type { Key } from "@quorate/keys/key";
import { createRealRuntime } from "@quorate/runtime/real-runtime";
import type { Network, Runtime } from "@quorate/runtime/runtime";
import { openRocksEngine } from "@quorate/storage/rocks-engine";
import { type RunningNode, startNode } from "../node.ts";

const address = "127.0.0.1:7561";
const all = { start: "t" as Key, end: "u" as Key };
/** Small, so that a little work makes several files of each kind. The tail of the log is longer than a segment: there are two at least. */
const limits = { walSegmentBytes: 64 << 10, compactionEntries: 100, logTailEntries: 120 };
const engineSizes = { cacheSizeBytes: 1 << 20, memtableBytes: 1 << 20 };
/** Exit codes: it did not start; it has met damage since. */
export const refusedCode = 1;
export const fatalCode = 70;

export const optimistic = {
	isolation: "serializable",
	mode: "optimistic",
	lockTimeoutMs: 0,
	schemaVersion: 0,
} as const;

/** Nobody connects: a node of one talks to itself in process. */
const noNetwork: Network = {
	listen: async (where) => ({ address: where, close: async () => undefined }),
	connect: () => Promise.reject(new Error("there is nobody")),
};

export function startAlone(directory: string): Promise<RunningNode> {
	const real = createRealRuntime({ logLevel: "error", dataDirectory: directory });
	const runtime: Runtime = { ...real, network: noNetwork };
	return startNode({
		runtime,
		join: [address],
		listen: address,
		sql: address,
		admin: undefined,
		locality: "",
		limits,
		openEngine: () => openRocksEngine(runtime.disk, "engine", { ...engineSizes, node: runtime }),
	});
}

export async function readAll(node: RunningNode): Promise<Map<string, string>> {
	const found = new Map<string, string>();
	const transaction = node.coordinator.begin({ ...optimistic, readOnly: true });
	transaction.beginStatement({ reason: undefined, onCancel: () => () => undefined });
	await transaction.readTimestamp();
	for await (const rows of transaction.scan(all)) {
		for (const { key, value } of rows) {
			found.set(key, Buffer.from(value).toString());
		}
	}
	await transaction.commit();
	return found;
}

/** The same for the same content. */
export function digestOf(content: ReadonlyMap<string, string>): string {
	const sorted = [...content].sort(([a], [b]) => (a < b ? -1 : 1));
	const hash = createHash("sha256").update(JSON.stringify(sorted)).digest("hex");
	return `${content.size} keys, ${hash}`;
}
