/** The directory of an embedded cluster: what is in it, who uses it, and a directory for each node below. */
import { createRealRuntime } from "@quorate/runtime/real-runtime";
import type { Disk } from "@quorate/runtime/runtime";
import { loadBinding } from "@quorate/storage/rocks-binding";
import { ClusterError } from "./cluster-error.ts";

const fileName = "cluster.json";
const format = 1;
/** What file systems and tools leave in an empty directory. */
const harmless = /^\.|^lost\+found$|^process\.lock$/;

export interface DataDirectory {
	readonly nodes: number;
	/** Of the node at that position. */
	pathOf(position: number): string;
	release(): Promise<void>;
}

/** Nothing is changed where it rejects. */
export async function openDataDirectory(
	path: string,
	nodesWanted: number | undefined,
): Promise<DataDirectory> {
	await requireEngine();
	const { disk } = createRealRuntime({ dataDirectory: path, logLevel: "error" });
	const lock = await disk.lock(".");
	if (lock === undefined) {
		throw new ClusterError(
			`the data directory ${path} is in use: stop the cluster that runs on it, or choose another directory`,
		);
	}
	try {
		const nodes = await nodesOf(disk, path, nodesWanted);
		return { nodes, pathOf: (n) => `${disk.root}/n${n + 1}`, release: () => lock.release() };
	} catch (error) {
		await lock.release();
		throw error;
	}
}

async function requireEngine(): Promise<void> {
	try {
		await loadBinding();
	} catch (error) {
		throw new ClusterError(
			`\`dataDirectory\` needs RocksDB: ${(error as Error).message}. Without it the cluster runs in memory.`,
			{ cause: error },
		);
	}
}

async function nodesOf(disk: Disk, path: string, wanted: number | undefined): Promise<number> {
	const stored = await disk.readWhole(fileName);
	if (stored === undefined) {
		const strange = (await disk.list(".")).filter((name) => !harmless.test(name));
		if (strange.length > 0) {
			throw new ClusterError(
				`${path} holds other files (${strange.slice(0, 3).join(", ")}) and no cluster: choose an empty directory`,
			);
		}
		const nodes = wanted ?? 1;
		await disk.replace(fileName, Buffer.from(JSON.stringify({ format, nodes }), "utf8"));
		return nodes;
	}
	const found = JSON.parse(Buffer.from(stored).toString("utf8")) as {
		format: number;
		nodes: number;
	};
	if (found.format !== format) {
		throw new ClusterError(
			`${path}/${fileName} has format ${found.format}, this build reads ${format}`,
		);
	}
	if (wanted !== undefined && wanted !== found.nodes) {
		throw new ClusterError(
			`${path} is of a cluster of ${found.nodes}: start it with \`nodes: ${found.nodes}\`, or leave \`nodes\` out`,
		);
	}
	return found.nodes;
}
