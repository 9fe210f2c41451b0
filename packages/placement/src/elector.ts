/**
 * What one node has promised and knows about its cluster's birth, and how it answers others about
 * it. See `founding.ts` for the protocol; the steps here are each atomic: one at a time, durable
 * before anyone hears of it.
 */
import { clusterId } from "@quorate/keys/ids";
import type { Runtime } from "@quorate/runtime/runtime";
import { foundersOf, joinList, ownNodeId, sameList } from "./electors.ts";
import { type StoredIdentity, writeIdentity } from "./identity-file.ts";
import type { NodeIdentity } from "./types.ts";

export interface Probe {
	/** The asker's own address and join list. */
	readonly address: string;
	readonly list: readonly string[];
}

export interface ProbeAnswer {
	readonly phase: "empty" | "forming" | "formed";
	/** "" while empty. */
	readonly clusterId: string;
	readonly list: readonly string[];
	/** For the convener: an acceptance must name the last ticket given. "" for others. */
	readonly ticket: string;
}

/** The founders follow from the list. */
export interface Proposal {
	readonly clusterId: string;
	readonly list: readonly string[];
	readonly ticket: string;
}

const clusterIdForm = /^[0-9a-f]{32}$/;

export class Elector {
	readonly address: string;
	readonly list: readonly string[];
	readonly #runtime: Runtime;
	#stored: StoredIdentity | undefined;
	/** Steps run one after the other. */
	#last: Promise<unknown> = Promise.resolve();
	#ticket = "";
	#ticketsGiven = 0;

	constructor(
		runtime: Runtime,
		join: readonly string[],
		selfAddress: string,
		stored: StoredIdentity | undefined,
	) {
		this.#runtime = runtime;
		this.list = joinList(join);
		this.address = joinList([selfAddress])[0] ?? "";
		this.#stored = stored;
	}

	get stored(): StoredIdentity | undefined {
		return this.#stored;
	}

	/** Rises with every question of the convener: what was asked of others before is void then. */
	get generation(): number {
		return this.#ticketsGiven;
	}

	get isConvener(): boolean {
		return this.list[0] === this.address;
	}

	answer(probe: Probe): Promise<ProbeAnswer> {
		return this.#step(async () => {
			const isFromConvener = probe.address === this.list[0] && sameList(probe.list, this.list);
			return {
				phase: this.#stored?.phase ?? "empty",
				clusterId: this.#stored?.clusterId ?? "",
				list: this.list,
				ticket: isFromConvener ? this.#giveTicket() : "",
			};
		});
	}

	/** A promise to be that founder; it replaces an earlier one, but never an identity. */
	accept(proposal: Proposal): Promise<boolean> {
		return this.#step(async () => {
			const isCurrent =
				this.#ticket !== "" &&
				proposal.ticket === this.#ticket &&
				clusterIdForm.test(proposal.clusterId) &&
				sameList(proposal.list, this.list);
			if (!isCurrent || this.#stored?.phase === "formed") {
				return false;
			}
			await this.#promise(proposal.clusterId);
			return true;
		});
	}

	/** The convener's own promise, before it asks others for theirs. */
	propose(id: string): Promise<StoredIdentity> {
		return this.#step(() => this.#promise(id));
	}

	/**
	 * The promised cluster has come to be. Undefined if the convener asked again since
	 * `generation`, or the promise changed.
	 */
	form(id: string, generation: number): Promise<StoredIdentity | undefined> {
		return this.#step(async () => {
			const stored = this.#stored;
			const isPromised = stored?.phase === "forming" && stored.clusterId === id;
			if (!isPromised || stored.nodeId === 0 || generation !== this.generation) {
				return undefined;
			}
			return this.#write({ ...stored, phase: "formed" });
		});
	}

	/** Became a member as a new node; a promise that came to nothing is forgotten. */
	join(identity: NodeIdentity): Promise<StoredIdentity> {
		return this.#step(async () => this.#write({ phase: "formed", ...identity }));
	}

	#promise(id: string): Promise<StoredIdentity> {
		const founders = foundersOf(this.list);
		const nodeId = ownNodeId(founders, this.address);
		return this.#write({ phase: "forming", clusterId: clusterId(id), nodeId, founders });
	}

	#giveTicket(): string {
		this.#ticketsGiven++;
		const nonce = Buffer.from(this.#runtime.random.bytes(8)).toString("hex");
		this.#ticket = `${nonce}.${this.#ticketsGiven}`;
		return this.#ticket;
	}

	async #write(identity: StoredIdentity): Promise<StoredIdentity> {
		await writeIdentity(this.#runtime.disk, identity);
		this.#stored = identity;
		return identity;
	}

	#step<T>(task: () => Promise<T>): Promise<T> {
		const result = this.#last.then(task);
		this.#last = result.catch(() => undefined);
		return result;
	}
}
