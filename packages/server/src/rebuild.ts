/**
 * `quorate node rebuild`: discards what a stopped node holds, so that it is copied again from the other nodes at its next start.
 *
 * 1. Nothing is discarded while a node runs on the directory.
 * 2. Nothing is discarded that may be the last copy: the running nodes are asked first (`survey.ts`), and if they cannot say that
 *    everything is also elsewhere, only `force` goes on.
 * 3. No replica comes back that has forgotten its votes: before the first file goes, the identity says that all of them are gone
 *    (`placement/renewal.ts`). A rebuild that was interrupted can be run again, and a start after it goes on from there.
 *
 * The node keeps its id, its address, and its place in the placement group and in each range, under new replica ids.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { bootId } from "@quorate/keys/ids";
import { readIdentity, type StoredIdentity, writeIdentity } from "@quorate/placement/identity-file";
import type { NodeIdentity } from "@quorate/placement/types";
import { createRpc } from "@quorate/rpc/rpc";
import type { Disk, Runtime } from "@quorate/runtime/runtime";
import { type SurveyAnswer, type SurveyRequest, surveyMethod, surveyTimeoutMs } from "./survey.ts";

/** What a node keeps besides its identity and the addresses of others, below its data directory. */
const discardedNames = ["wal", "engine", "engine.manifest", "placement", "ballast"];
const ownNames = [...discardedNames, "identity.json"];

export interface RebuildOptions {
	/** Its disk is the node's data directory. */
	readonly runtime: Runtime;
	/** Addresses of nodes that may be asked, besides those that the identity names. */
	readonly join: readonly string[];
	/** Node-to-node address of the node, where its identity cannot be read; else "". */
	readonly address: string;
	/** Goes on where nobody can say that everything is also elsewhere. */
	readonly force: boolean;
}

export interface RebuiltNode {
	readonly identity: NodeIdentity;
	/** Of the cluster, as far as known: how many ranges count on the node. */
	readonly ranges: number | undefined;
}

/** Rejects with a `DatabaseError`, with nothing changed, where it must not be done. */
export async function rebuildNode(options: RebuildOptions): Promise<RebuiltNode> {
	const { disk } = options.runtime;
	const place = disk.root ?? "the data directory";
	const lock = await disk.lock(".");
	if (lock === undefined) {
		throw new DatabaseError("F0001", `a node runs on ${place}; nothing was changed`, {
			hint: "Stop it first.",
		});
	}
	try {
		const names = await disk.list("");
		if (!names.some((name) => ownNames.includes(name))) {
			throw new DatabaseError("F0000", `${place} holds no data of a node; nothing was changed`);
		}
		const stored = await storedIdentity(options);
		const answer = await survey(options, stored);
		const identity = decide(options, stored, answer);
		await discard(options.runtime.disk, identity);
		return { identity, ranges: answer?.ranges };
	} finally {
		await lock.release();
	}
}

/** Undefined where the file is lost or damaged: then the others must say who this is. */
async function storedIdentity({ runtime }: RebuildOptions): Promise<StoredIdentity | undefined> {
	let stored: StoredIdentity | undefined;
	try {
		stored = await readIdentity(runtime.disk);
	} catch (error) {
		if (!(error instanceof DatabaseError) || error.code === "0A000") {
			throw error;
		}
	}
	if (stored?.phase === "forming") {
		throw new DatabaseError("55000", "the node is in no cluster yet; nothing was changed", {
			hint: "Start it with an empty data directory.",
		});
	}
	return stored;
}

async function survey(
	{ runtime, join, address }: RebuildOptions,
	stored: StoredIdentity | undefined,
): Promise<SurveyAnswer | undefined> {
	const known = [...(stored?.members ?? []), ...(stored?.founders ?? [])];
	const founders = known.map((f) => f.address);
	const own = stored?.founders.find((f) => f.nodeId === stored.nodeId)?.address ?? address;
	const others = [...new Set([...join, ...founders])].filter((other) => other !== own);
	const rpc = await createRpc({
		runtime,
		self: { bootId: bootId(Buffer.from(runtime.random.bytes(8)).toString("hex")) },
		addressBook: { addressOf: () => undefined },
		listenAddress: "127.0.0.1:0",
	});
	const request: SurveyRequest = { nodeId: stored?.nodeId ?? 0, address };
	let last: SurveyAnswer | undefined;
	try {
		for (const other of others) {
			const answer = await rpc
				.callAddress(other, surveyMethod, request, { timeoutMs: surveyTimeoutMs })
				.catch(() => undefined);
			last = (answer as SurveyAnswer | undefined) ?? last;
			if (last !== undefined && isSafe(last)) {
				return last;
			}
		}
		return last;
	} finally {
		await rpc.close();
	}
}

const isSafe = ({ placementStuck, stuck }: SurveyAnswer): boolean =>
	!placementStuck && stuck.length === 0;

function decide(
	{ force, address }: RebuildOptions,
	stored: StoredIdentity | undefined,
	answer: SurveyAnswer | undefined,
): NodeIdentity {
	const nodeId = stored?.nodeId || answer?.nodeId || 0;
	const { clusterId, founders } = stored ?? answer ?? {};
	const members = answer?.members ?? stored?.members;
	if (nodeId === 0 || clusterId === undefined || founders === undefined) {
		throw new DatabaseError("XX001", "identity.json is lost or damaged; nothing was changed", {
			detail:
				answer === undefined
					? "No other node could say which node this was."
					: `No node is registered at ${address === "" ? "its address" : address}.`,
			hint: "Name the addresses of running nodes with --join and the address of this one, as it was, with --listen.",
		});
	}
	if (answer !== undefined && answer.clusterId !== clusterId) {
		throw new DatabaseError(
			"F0000",
			`the data belong to cluster ${clusterId}, the node that answered to ${answer.clusterId}; nothing was changed`,
		);
	}
	if ([...founders, ...(members ?? [])].every((known) => known.nodeId === nodeId)) {
		throw new DatabaseError(
			"55000",
			"the node is the only one of its control plane; nothing was changed",
			{
				detail: "There is nobody to copy from: with its data the cluster would be gone.",
				hint: "Bring its data directory back from a copy, or remove it to begin a new cluster.",
			},
		);
	}
	const doubt = doubtOf(answer);
	if (doubt !== undefined && !force) {
		throw new DatabaseError("55000", `${doubt}; nothing was changed`, {
			detail: "What this node holds may be the last copy.",
			hint: "Start the other nodes and try again. If they are lost for good: --force discards it all the same; a range of which no majority is left stays out of reach for ever.",
		});
	}
	return { clusterId, nodeId, founders, members, replicasFrom: 0 };
}

/** Why it is not certain that everything is also elsewhere. */
function doubtOf(answer: SurveyAnswer | undefined): string | undefined {
	if (answer === undefined) {
		return "no other node answers";
	}
	if (answer.placementStuck) {
		return "the control plane has no majority without this node";
	}
	return answer.stuck.length === 0
		? undefined
		: `range ${answer.stuck.join(", ")} has no majority without this node`;
}

/** No node runs on the disk. */
export async function discard(disk: Disk, identity: NodeIdentity): Promise<void> {
	await writeIdentity(disk, { phase: "formed", ...identity });
	const names = await disk.list("");
	for (const name of discardedNames.filter((n) => names.includes(n))) {
		await disk.remove(name);
	}
	await disk.syncDirectory("");
}
