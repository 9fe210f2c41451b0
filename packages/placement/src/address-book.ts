/**
 * Where nodes listen: from the node list of the last heartbeat, before that from the copy kept on
 * disk, before that from the identity. The copy is what lets all nodes find each other after all
 * were restarted.
 */
import { crc32 } from "node:zlib";
import type { NodeId } from "@quorate/keys/ids";
import type { AddressBook } from "@quorate/rpc/types";
import type { Runtime } from "@quorate/runtime/runtime";
import type { NodeIdentity, NodeRecord } from "./types.ts";

/** 3: members of the placement group. */
const format = 3;
const formatBefore = 2;
const fileName = "addresses.json";

type Addresses = readonly (readonly [NodeId, string])[];

/** What is on disk: a digit that has turned must not send anybody elsewhere. */
interface Book {
	readonly format: number;
	readonly nodes: Addresses;
	/** The nodes of the placement group, as last heard of; none: not known. */
	readonly members?: readonly NodeId[];
	readonly checksum: number;
}

export class NodeAddressBook implements AddressBook {
	readonly #runtime: Runtime;
	#founders: ReadonlyMap<NodeId, string> = new Map();
	/** "": known to be nowhere. */
	#learned: ReadonlyMap<NodeId, string> = new Map();
	#members: readonly NodeId[] = [];
	#removed: ReadonlySet<NodeId> = new Set();
	/** Certificates that only nodes had which were removed. */
	#retired: ReadonlyMap<string, NodeId> = new Map();
	#saving: Promise<void> | undefined;
	#saved = "";

	private constructor(runtime: Runtime) {
		this.#runtime = runtime;
	}

	/**
	 * Reads the copy on disk. One that cannot be read is as good as none: the founders are known.
	 */
	static async open(runtime: Runtime): Promise<NodeAddressBook> {
		const book = new NodeAddressBook(runtime);
		const bytes = await runtime.disk.readWhole(fileName);
		if (bytes !== undefined) {
			const text = Buffer.from(bytes).toString("utf8");
			const { nodes, members } = parse(text);
			book.#learned = new Map(nodes);
			book.#members = members;
			book.#saved = text;
		}
		return book;
	}

	addressOf(node: NodeId): string | undefined {
		const address = this.#learned.get(node) ?? this.#founders.get(node);
		return address === "" ? undefined : address;
	}

	identify(identity: NodeIdentity): void {
		const first = [...identity.founders, ...(identity.members ?? [])];
		this.#founders = new Map(first.map((f) => [f.nodeId, f.address]));
		if (this.#members.length === 0) {
			this.#members = (identity.members ?? identity.founders).map((f) => f.nodeId);
		}
	}

	/** A peer that has greeted says where it listens: newer than the registry when it has just moved. */
	met(node: NodeId, address: string): void {
		if (this.addressOf(node) !== address) {
			const others = [...this.#learned].filter(([, known]) => known !== address);
			this.#learned = new Map([...others, [node, address]]);
		}
	}

	/** Undefined: it may be one. Heard of with the node list, so not before the first heartbeat. */
	whyBarred(node: NodeId | undefined, certificate: string | undefined): string | undefined {
		if (node !== undefined && this.#removed.has(node)) {
			return `node ${node} was removed from this cluster`;
		}
		const owner = certificate === undefined ? undefined : this.#retired.get(certificate);
		if (owner === undefined) return undefined;
		return `this is the certificate of node ${owner}, which was removed from this cluster`;
	}

	/** The nodes of the placement group, as last heard of. */
	get members(): readonly NodeId[] {
		return this.#members;
	}

	learnMembers(members: readonly NodeId[]): void {
		this.#members = members;
		this.#save();
	}

	learn(nodes: readonly NodeRecord[]): void {
		this.#learned = new Map(nodes.map((node) => [node.nodeId, node.address]));
		this.#noteRemoved(nodes);
		this.#save();
	}

	#noteRemoved(nodes: readonly NodeRecord[]): void {
		const removed = nodes.filter(({ state }) => state === "removed");
		const inUse = new Set(
			nodes.filter(({ state }) => state !== "removed").map(({ certificate }) => certificate),
		);
		this.#removed = new Set(removed.map(({ nodeId }) => nodeId));
		this.#retired = new Map(
			removed.flatMap(({ nodeId, certificate }) =>
				certificate === undefined || inUse.has(certificate) ? [] : [[certificate, nodeId] as const],
			),
		);
	}

	#text(): string {
		const nodes: Addresses = [...this.#learned].sort(([a], [b]) => a - b);
		const members = this.#members;
		return JSON.stringify({ format, nodes, members, checksum: sumOf(nodes, members) });
	}

	#save(): void {
		if (this.#saving === undefined && this.#text() !== this.#saved) {
			this.#saving = this.#write(this.#text()).finally(() => {
				this.#saving = undefined;
			});
		}
	}

	async #write(text: string): Promise<void> {
		try {
			await this.#runtime.disk.replace(fileName, Buffer.from(text, "utf8"));
			this.#saved = text;
		} catch (error) {
			this.#runtime.logger.log("warn", "the address book could not be written", {
				error: String(error),
			});
		}
	}
}

const sumOf = (nodes: Addresses, members: readonly NodeId[]): number =>
	crc32(JSON.stringify([nodes, members]));

function parse(text: string): {
	readonly nodes: Addresses;
	readonly members: readonly NodeId[];
} {
	try {
		const { nodes, members = [], ...book } = JSON.parse(text) as Book;
		const sum = book.format === formatBefore ? crc32(JSON.stringify(nodes)) : sumOf(nodes, members);
		const isKnown = book.format === formatBefore || book.format === format;
		if (isKnown && book.checksum === sum) {
			return { nodes, members };
		}
	} catch {
		// As good as none.
	}
	return { nodes: [], members: [] };
}
