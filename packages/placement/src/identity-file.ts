/**
 * A node's identity on its disk: one small file in the root of its data directory, replaced as a
 * whole. A directory with files but without it has lost its identity or is not Quorate's, and is
 * refused.
 */
import { crc32 } from "node:zlib";
import { damaged, rebuildHint, unknownFormat } from "@quorate/keys/damage";
import { DatabaseError } from "@quorate/keys/database-error";
import type { ClusterId, NodeId } from "@quorate/keys/ids";
import type { Disk } from "@quorate/runtime/runtime";
import type { NodeIdentity } from "./types.ts";

const kind = "quorate node identity";
const format = 1;
const fileName = "identity.json";
/**
 * What may lie in a directory whose node has no identity yet: a lock, hidden files, remains of a
 * replacement.
 */
const harmless = /^(\.|lock|LOCK|lost\+found$|identity\.json|addresses\.json)/;

/**
 * `forming`: agreed to be that founder of that cluster, should it come to be. Nothing has acted on
 * it.
 */
export interface StoredIdentity {
	readonly phase: "forming" | "formed";
	readonly clusterId: ClusterId;
	/** 0 for one who agreed to a cluster of which it is not a founder. */
	readonly nodeId: NodeId;
	readonly founders: NodeIdentity["founders"];
	readonly members?: NodeIdentity["members"];
	readonly replicasFrom?: number;
}

export async function writeIdentity(disk: Disk, identity: StoredIdentity): Promise<void> {
	const { phase, clusterId, nodeId, founders, members, replicasFrom } = identity;
	const content = {
		...{ kind, format, phase, clusterId, nodeId, founders },
		...(members === undefined ? {} : { members }),
		...(replicasFrom === undefined ? {} : { replicasFrom }),
	};
	const file = { ...content, checksum: checksum(content) };
	await disk.replace(fileName, Buffer.from(`${JSON.stringify(file, null, "\t")}\n`, "utf8"));
}

/** Undefined in an empty directory. */
export async function readIdentity(disk: Disk): Promise<StoredIdentity | undefined> {
	const bytes = await disk.readWhole(fileName);
	const place = disk.root === undefined ? "the data directory" : disk.root;
	if (bytes === undefined) {
		const strange = (await disk.list("")).filter((name) => !harmless.test(name));
		if (strange.length > 0) {
			throw new DatabaseError("F0000", `${place} has no ${fileName} but other files`, {
				detail: `It holds ${strange.slice(0, 5).join(", ")}.`,
				hint: `Name an empty directory, or one that a node of this cluster has used. If ${fileName} was lost: ${rebuildHint}`,
			});
		}
		return undefined;
	}
	const file = parse(Buffer.from(bytes).toString("utf8"));
	if (file?.["kind"] !== kind) {
		throw damaged(`${fileName} in ${place} is damaged or not Quorate's`);
	}
	if (file["format"] !== format) {
		throw unknownFormat(
			`${fileName} in ${place} has format ${file["format"]}, this build reads up to ${format}`,
		);
	}
	const { checksum: sum, ...content } = file;
	if (sum !== checksum(content)) {
		throw damaged(`${fileName} in ${place} is damaged`);
	}
	return content as unknown as StoredIdentity;
}

const checksum = (content: object): number => crc32(JSON.stringify(content));

function parse(text: string): Record<string, unknown> | undefined {
	try {
		const value: unknown = JSON.parse(text);
		return typeof value === "object" && value !== null
			? (value as Record<string, unknown>)
			: undefined;
	} catch {
		return undefined;
	}
}
