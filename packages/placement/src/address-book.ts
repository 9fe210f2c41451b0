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

const format = 2;
const fileName = "addresses.json";

type Addresses = readonly (readonly [NodeId, string])[];

/** What is on disk: a digit that has turned must not send anybody elsewhere. */
interface Book {
	readonly format: number;
	readonly nodes: Addresses;
	readonly checksum: number;
}

export class NodeAddressBook implements AddressBook {
	readonly #runtime: Runtime;
	#founders: ReadonlyMap<NodeId, string> = new Map();
	/** "": known to be nowhere. */
	#learned: ReadonlyMap<NodeId, string> = new Map();
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
			book.#learned = new Map(parse(text));
			book.#saved = text;
		}
		return book;
	}

	addressOf(node: NodeId): string | undefined {
		const address = this.#learned.get(node) ?? this.#founders.get(node);
		return address === "" ? undefined : address;
	}

	identify(identity: NodeIdentity): void {
		this.#founders = new Map(identity.founders.map((f) => [f.nodeId, f.address]));
	}

	/** A peer that has greeted says where it listens: newer than the registry when it has just moved. */
	met(node: NodeId, address: string): void {
		if (this.addressOf(node) !== address) {
			const others = [...this.#learned].filter(([, known]) => known !== address);
			this.#learned = new Map([...others, [node, address]]);
		}
	}

	learn(nodes: readonly NodeRecord[]): void {
		this.#learned = new Map(nodes.map((node) => [node.nodeId, node.address]));
		this.#save();
	}

	#text(): string {
		const nodes: Addresses = [...this.#learned].sort(([a], [b]) => a - b);
		return JSON.stringify({ format, nodes, checksum: crc32(JSON.stringify(nodes)) });
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

function parse(text: string): Addresses {
	try {
		const { nodes, ...book } = JSON.parse(text) as Book;
		const isSound = book.format === format && book.checksum === crc32(JSON.stringify(nodes));
		return isSound ? nodes : [];
	} catch {
		return [];
	}
}
