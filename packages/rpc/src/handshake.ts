/**
 * What two processes tell each other before the first message. Magic and version come first, in a layout that never
 * changes; the rest is JSON, so that two nodes of any versions can at least name what divides them.
 *
 * Frame: length (4 bytes), "QRPC", format version (2 bytes, big-endian), JSON. The connecting side sends its greeting;
 * the other answers with its own, which holds the reason where it refuses, and then closes.
 */
import type { BootId, ClusterId, NodeId } from "@quorate/keys/ids";
import { LENGTH_BYTES } from "./codec.ts";

/** Raised by any change to the messages that an older node would misread. */
export const FORMAT_VERSION = 2;
/** A greeting is some 200 bytes; nobody who has not greeted may send more than this at once. */
export const GREETING_BYTES_MAX = 8192;

const MAGIC = "QRPC";
const HEADER_BYTES = MAGIC.length + 2;
const TEXT_LENGTH_MAX = 512;

/** Who a process is. Cluster and node id are missing until it has joined. */
export interface Identity {
	readonly bootId: BootId;
	readonly clusterId: ClusterId | undefined;
	readonly nodeId: NodeId | undefined;
	/** Where it listens for other nodes. */
	readonly address: string;
}

export interface Greeting extends Identity {
	/** Set by the connecting side: the address that it dialled. A second connection by it takes the place of the first. */
	readonly dialled?: string;
	/** Set in an answer: why the connection is refused. */
	readonly refusal?: string;
	/** With a refusal: it is for good, since whoever asked is no node of the cluster any more. */
	readonly barred?: boolean;
}

export type GreetingResult =
	| { readonly kind: "greeting"; readonly greeting: Greeting }
	/** The peer speaks another version; a refusal that came with it says so from its side. */
	| { readonly kind: "version"; readonly version: number; readonly refusal: string | undefined }
	| { readonly kind: "invalid"; readonly reason: string };

export function encodeGreeting(greeting: Greeting, version = FORMAT_VERSION): Uint8Array {
	const json = Buffer.from(JSON.stringify(greeting), "utf8");
	const bytes = new Uint8Array(LENGTH_BYTES + HEADER_BYTES + json.length);
	const view = new DataView(bytes.buffer);
	view.setUint32(0, bytes.length - LENGTH_BYTES);
	bytes.set(Buffer.from(MAGIC, "latin1"), LENGTH_BYTES);
	view.setUint16(LENGTH_BYTES + MAGIC.length, version);
	bytes.set(json, LENGTH_BYTES + HEADER_BYTES);
	return bytes;
}

const isText = (value: unknown): value is string =>
	typeof value === "string" && value.length > 0 && value.length <= TEXT_LENGTH_MAX;

function parseJson(text: string): Record<string, unknown> {
	try {
		const value: unknown = JSON.parse(text);
		return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
	} catch {
		return {};
	}
}

export function decodeGreeting(message: Uint8Array): GreetingResult {
	const bytes = Buffer.from(message.buffer, message.byteOffset, message.length);
	if (bytes.length < HEADER_BYTES || bytes.toString("latin1", 0, MAGIC.length) !== MAGIC) {
		return { kind: "invalid", reason: "this is not Quorate's node-to-node protocol" };
	}
	const version = bytes.readUInt16BE(MAGIC.length);
	const json = parseJson(bytes.toString("utf8", HEADER_BYTES));
	const { bootId, clusterId, nodeId, address, dialled, refusal, barred } = json;
	if (version !== FORMAT_VERSION) {
		return { kind: "version", version, refusal: isText(refusal) ? refusal : undefined };
	}
	if (
		!isText(bootId) ||
		!isText(address) ||
		!(clusterId === undefined || isText(clusterId)) ||
		!(nodeId === undefined || (Number.isSafeInteger(nodeId) && (nodeId as number) > 0)) ||
		!(dialled === undefined || isText(dialled)) ||
		!(refusal === undefined || isText(refusal))
	) {
		return { kind: "invalid", reason: "the peer's greeting is malformed" };
	}
	return {
		kind: "greeting",
		greeting: {
			bootId: bootId as BootId,
			address,
			clusterId: clusterId as ClusterId | undefined,
			nodeId: nodeId as NodeId | undefined,
			...(dialled === undefined ? {} : { dialled }),
			...(refusal === undefined ? {} : { refusal }),
			...(barred === true ? { barred } : {}),
		},
	};
}

/** Why the two must not talk; undefined where they may. The same rule on both sides. */
export function refusalOf(self: Identity, peer: Identity): string | undefined {
	if (
		self.clusterId !== undefined &&
		peer.clusterId !== undefined &&
		self.clusterId !== peer.clusterId
	) {
		return `${self.address} belongs to cluster ${self.clusterId}, ${peer.address} to cluster ${peer.clusterId}`;
	}
	if (self.nodeId !== undefined && self.nodeId === peer.nodeId && self.bootId !== peer.bootId) {
		return `two processes claim to be node ${self.nodeId}: ${self.address} and ${peer.address}`;
	}
	return undefined;
}

export const versionRefusal = (self: Identity, peerAddress: string, peerVersion: number): string =>
	`${self.address} speaks version ${FORMAT_VERSION} of the node-to-node format, ${peerAddress} speaks version ${peerVersion}`;
