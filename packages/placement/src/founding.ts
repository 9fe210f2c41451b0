/**
 * How nodes come to be one cluster, and never two.
 *
 * Nodes are started with a join list. Its first three addresses (sorted, distinct; all of it if it
 * is shorter) are the *electors*, the first of them the *convener*. A cluster is born once, with
 * the word of every elector:
 *
 * 1. The convener asks all others of the list what they hold. An elector that answers gives it a
 *    ticket, which voids the tickets before.
 * 2. If every elector has answered, with the same list and none a member of a cluster, the convener
 *    draws a cluster id, writes it down as *forming*, and proposes it under the tickets. Each
 *    elector writes its promise (*forming*, replacing an earlier promise) and accepts; it refuses
 *    under an old ticket, and always once it is *formed*.
 * 3. When all have accepted, the convener writes *formed*: the cluster exists. The others keep
 *    asking all addresses; who promised a cluster and hears from a member that it is formed, in
 *    answer to a question asked after its last ticket, writes *formed* too.
 *
 * A node acts (Raft, RPC under an identity) only when formed. A founder that is empty and hears of
 * a formed cluster, or holds a promise to another one, joins it as a new node under a new id, as
 * every later node does: it never takes up the old id, whose votes and entries its disk has lost.
 *
 * One and never two (for one join list):
 * F1. While any elector's disk says formed(C), no other cluster is born. Birth of C' needs the
 *     acceptance of every elector, and who is formed refuses.
 * F2. When C' is born, no elector is formed otherwise, nor will be: each then holds the promise of
 *     C' alone, which only a later ticket of the convener could replace, and the convener is
 *     formed. So all disks together never name two formed clusters.
 * F3. A founder's id is used by one disk life only: the promise is accepted only before birth (the
 *     ticket is of this boot, and the convener proposes only while forming), so a disk that is
 *     emptied after it was formed cannot get the promise again.
 * Wiped founders: a wiped convener asks all the others first. If one is formed, it joins. If none
 * is, C was in use nowhere else (one founder of three is no majority; a sole founder took all of C
 * with it), their answers voided what could still have told them that C was formed, and it proposes
 * a new id. Any other wiped elector is simply empty: it promises again while the cluster is forming, and joins as
 * a new node after. All founders wiped at once is a new beginning: C is gone for good.
 * Pauses: nothing here depends on time. A convener that slept through anything wakes up with
 * tickets that are void, or with acceptances that F1 covers. Another process at a sleeping
 * convener's address, in another directory, may found C' meanwhile; then the sleeper's C has one
 * founder and can never elect a leader.
 *
 * Founders that are replaced: the cluster may live on other nodes than those of its birth (`scheduler/members.ts`). What is said
 * above holds for the electors' disks: where all of them are empty, or removed and emptied, nothing in the list remembers C. So nodes
 * are started with a list of some that are in use, and never with an old one on purpose.
 *
 * The price: a birth needs all three electors up at the same time, once. Afterwards two of three
 * suffice.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import type { ClusterId } from "@quorate/keys/ids";
import type { Rpc } from "@quorate/rpc/types";
import type { Runtime } from "@quorate/runtime/runtime";
import { Elector, type Probe, type ProbeAnswer, type Proposal } from "./elector.ts";
import { electorsOf, foundersOf, sameList } from "./electors.ts";
import { readIdentity, type StoredIdentity } from "./identity-file.ts";
import { methods } from "./messages.ts";
import type { NodeIdentity } from "./types.ts";

const foundingMethods = {
	/** Probe -> ProbeAnswer */
	probe: "founding.probe",
	/** Proposal -> accepted */
	propose: "founding.propose",
	/** One has news: ask again. */
	wake: "founding.wake",
} as const;

const probeTimeoutMs = 1000;
const joinTimeoutMs = 5000;
const pauseMs = 200;
/** A line that repeats is logged at least this far apart. */
const repeatLogMs = 10_000;

export interface EstablishOptions {
	readonly runtime: Runtime;
	readonly rpc: Rpc;
	readonly join: readonly string[];
	/** This node's node-to-node address as others reach it, spelled as in the join list. */
	readonly selfAddress: string;
}

/**
 * Resolves with the identity that the data directory holds or comes to hold, after `rpc.identify`;
 * waits as long as it takes. Keeps answering other nodes' questions afterwards. Rejects with a
 * `DatabaseError` whose message says why the directory is refused.
 */
export async function establishIdentity(options: EstablishOptions): Promise<NodeIdentity> {
	const stored = await readIdentity(options.runtime.disk);
	const founding = new Founding(options, stored);
	founding.listen();
	const { phase: _, ...identity } = await founding.run();
	options.rpc.identify(identity);
	return identity;
}

class Founding {
	readonly #runtime: Runtime;
	readonly #rpc: Rpc;
	readonly #elector: Elector;
	/** Makes the request to join repeatable within this boot. */
	readonly #joinToken: string;
	#wake: (() => void) | undefined;
	/** Electors that did not answer the convener's last question. */
	#missing: readonly string[] = [];
	#logged = "";
	#loggedMs = 0;

	constructor(options: EstablishOptions, stored: StoredIdentity | undefined) {
		const { runtime, rpc, join, selfAddress } = options;
		this.#runtime = runtime;
		this.#rpc = rpc;
		this.#elector = new Elector(runtime, join, selfAddress, stored);
		this.#joinToken = Buffer.from(runtime.random.bytes(16)).toString("hex");
	}

	listen(): void {
		this.#rpc.handle(foundingMethods.probe, (body) => {
			const probe = body as Probe;
			const answer = this.#elector.answer(probe);
			if (this.#missing.includes(probe.address)) {
				this.#wake?.();
			}
			return answer;
		});
		this.#rpc.handle(foundingMethods.propose, (body) => this.#elector.accept(body as Proposal));
		this.#rpc.handle(foundingMethods.wake, () => {
			this.#wake?.();
			return true;
		});
	}

	async run(): Promise<StoredIdentity> {
		const { stored, list, address } = this.#elector;
		if (stored?.phase === "formed") {
			await this.#refuseForeign(stored);
			return stored;
		}
		if (!list.includes(address)) {
			this.#log(`${address} is not in the join list: looking for a cluster to join`);
		}
		for (;;) {
			const identity = await this.#round();
			if (identity !== undefined) {
				return identity;
			}
			await this.#pause();
		}
	}

	async #round(): Promise<StoredIdentity | undefined> {
		const { generation } = this.#elector;
		const answers = await this.#probeOthers(probeTimeoutMs);
		const formed = [...answers].filter(([, answer]) => answer.phase === "formed");
		if (formed.length > 0) {
			return this.#enter(formed, generation);
		}
		if (this.#elector.isConvener) {
			return this.#convene(answers);
		}
		const [convener] = this.#elector.list;
		const isUp = convener !== undefined && answers.has(convener);
		this.#log(isUp ? `waiting for ${convener} to found the cluster` : `waiting for ${convener}`);
		return undefined;
	}

	/** Others are members: as the founder that this node promised to be, else as a new node. */
	async #enter(
		formed: readonly (readonly [string, ProbeAnswer])[],
		generation: number,
	): Promise<StoredIdentity | undefined> {
		const ids = new Set(formed.map(([, answer]) => answer.clusterId));
		const [id] = ids;
		if (ids.size > 1 || id === undefined) {
			throw new DatabaseError("F0000", "the join list names nodes of different clusters", {
				detail: formed.map(([address, a]) => `${address}: ${a.clusterId}`).join(", "),
			});
		}
		const { stored, isConvener } = this.#elector;
		const isPromised = stored?.clusterId === id && stored.nodeId !== 0 && !isConvener;
		if (isPromised) {
			return this.#elector.form(id, generation);
		}
		for (const [address] of formed) {
			const identity = await this.#askToJoin(address, id as ClusterId);
			if (identity !== undefined) {
				return this.#elector.join(identity);
			}
		}
		this.#log(`waiting for cluster ${id} to admit this node`);
		return undefined;
	}

	async #convene(answers: ReadonlyMap<string, ProbeAnswer>): Promise<StoredIdentity | undefined> {
		const { list, address } = this.#elector;
		const others = electorsOf(list).filter((elector) => elector !== address);
		this.#missing = others.filter((elector) => !answers.has(elector));
		const differing = others.filter((elector) => {
			const answer = answers.get(elector);
			return answer !== undefined && !sameList(answer.list, list);
		});
		if (differing.length > 0) {
			this.#log(`waiting: ${differing.join(", ")} was started with another join list`);
			return undefined;
		}
		if (this.#missing.length > 0) {
			this.#log(`waiting for ${this.#missing.join(", ")} to found the cluster`);
			return undefined;
		}
		const promise = await this.#promise();
		const accepted = await Promise.all(
			others.map((elector) => this.#propose(elector, promise, answers.get(elector)!.ticket)),
		);
		if (!accepted.every((ok) => ok)) {
			return undefined;
		}
		const identity = await this.#elector.form(promise.clusterId, this.#elector.generation);
		if (identity === undefined) {
			return undefined;
		}
		this.#runtime.logger.log("info", `founded cluster ${promise.clusterId}`);
		for (const elector of others) {
			void this.#call(elector, foundingMethods.wake, null, probeTimeoutMs);
		}
		return identity;
	}

	/**
	 * The convener's own, written before anyone else hears of it; the same one as long as the
	 * founders are the same.
	 */
	#promise(): StoredIdentity | Promise<StoredIdentity> {
		const { stored, list } = this.#elector;
		const isSame =
			stored?.phase === "forming" &&
			stored.nodeId === 1 &&
			sameList(
				stored.founders.map((founder) => founder.address),
				foundersOf(list).map((founder) => founder.address),
			);
		if (isSame) {
			return stored;
		}
		const id = Buffer.from(this.#runtime.random.bytes(16)).toString("hex");
		return this.#elector.propose(id);
	}

	async #propose(elector: string, promise: StoredIdentity, ticket: string): Promise<boolean> {
		const proposal: Proposal = { clusterId: promise.clusterId, list: this.#elector.list, ticket };
		return (await this.#call(elector, foundingMethods.propose, proposal, probeTimeoutMs)) === true;
	}

	async #askToJoin(address: string, id: ClusterId): Promise<NodeIdentity | undefined> {
		const body = { token: this.#joinToken, address: this.#elector.address };
		const answer = await this.#call(address, methods.join, body, joinTimeoutMs);
		const identity = answer as NodeIdentity | undefined;
		if (identity === undefined || identity.clusterId !== id) {
			return undefined;
		}
		const { clusterId, nodeId, founders, members } = identity;
		this.#runtime.logger.log("info", `joined cluster ${clusterId} as node ${nodeId}`);
		return { clusterId, nodeId, founders, members };
	}

	/**
	 * A directory of one cluster started with the join list of another. RPC would refuse every
	 * peer; saying so at once is kinder.
	 */
	async #refuseForeign(stored: StoredIdentity): Promise<void> {
		const answers = await this.#probeOthers(probeTimeoutMs / 2);
		const foreign = [...answers].filter(
			([, answer]) => answer.phase === "formed" && answer.clusterId !== stored.clusterId,
		);
		const others = this.#elector.list.length - 1;
		if (foreign.length > 0 && foreign.length * 2 > others) {
			const [address, answer] = foreign[0]!;
			throw new DatabaseError(
				"F0000",
				`the data directory belongs to cluster ${stored.clusterId}, but ${address} to ${answer.clusterId}`,
				{ hint: "Name the directory of that cluster's node, or an empty one to join it." },
			);
		}
		for (const [address, answer] of foreign) {
			this.#log(`${address} belongs to another cluster (${answer.clusterId})`, "warn");
		}
	}

	async #probeOthers(timeoutMs: number): Promise<Map<string, ProbeAnswer>> {
		const { address, list } = this.#elector;
		const others = list.filter((other) => other !== address);
		const probe: Probe = { address, list };
		const answers = await Promise.all(
			others.map((other) => this.#call(other, foundingMethods.probe, probe, timeoutMs)),
		);
		const found = new Map<string, ProbeAnswer>();
		for (const [i, answer] of answers.entries()) {
			if (answer !== undefined) {
				found.set(others[i]!, answer as ProbeAnswer);
			}
		}
		return found;
	}

	/** Undefined where no answer came: asked again in the next round. */
	async #call(address: string, method: string, body: unknown, timeoutMs: number): Promise<unknown> {
		try {
			return await this.#rpc.callAddress(address, method, body, { timeoutMs });
		} catch (error) {
			this.#runtime.logger.log("debug", `no answer from ${address}`, { error: String(error) });
			return undefined;
		}
	}

	async #pause(): Promise<void> {
		const { scheduler, random } = this.#runtime;
		await new Promise<void>((resolve) => {
			this.#wake = resolve;
			scheduler.setTimer(pauseMs * (0.75 + 0.5 * random.float()), resolve);
		});
		this.#wake = undefined;
	}

	#log(message: string, level: "info" | "warn" = "info"): void {
		const nowMs = this.#runtime.clock.monotonicMs();
		if (message !== this.#logged || nowMs - this.#loggedMs >= repeatLogMs) {
			this.#logged = message;
			this.#loggedMs = nowMs;
			this.#runtime.logger.log(level, message);
		}
	}
}
