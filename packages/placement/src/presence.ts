/**
 * A node's presence in the registry: it registers its boot once, then sends heartbeats to the
 * leader, whose answers carry the node list, the schema version and settings that have changed.
 *
 * Registering ends the boot before: it names the boot that it saw registered, so that a copy of an
 * older boot's request which arrives late finds another one and is refused.
 */
import {
	activeVersion,
	firstVersions,
	type VersionSpan,
	whyTooNew,
} from "@quorate/keys/cluster-version";
import { DatabaseError } from "@quorate/keys/database-error";
import { type BootId, bootId, type NodeId } from "@quorate/keys/ids";
import type { Runtime, Timer } from "@quorate/runtime/runtime";
import type { NodeAddressBook } from "./address-book.ts";
import { type ConnectedPlacementClient, throwIfRefused } from "./client.ts";
import { type HeartbeatAnswer, methods, readSettings } from "./messages.ts";
import type { NodeRecord } from "./types.ts";

export const heartbeatMs = 500;

export interface PresenceOptions {
	readonly runtime: Runtime;
	readonly client: ConnectedPlacementClient;
	readonly addressBook: NodeAddressBook;
	readonly nodeId: NodeId;
	readonly bootId: BootId;
	readonly address: string;
	readonly sqlAddress: string;
	readonly locality: string;
	readonly versions: VersionSpan;
	/** SHA-256 of the certificate that this node shows to others now. */
	readonly certificate: () => string | undefined;
	/**
	 * A later boot of this node has registered, or the node was removed: it must close its sessions
	 * and stop.
	 */
	readonly onEnded: (why: string) => void;
}

const removedHint =
	"What it holds is of no use any more. Started with an empty data directory, and where there is TLS with another certificate, it joins as a new node.";

/** Builds from before there were versions say nothing of them. */
const told = (versions: VersionSpan) =>
	versions.newest > firstVersions.newest ? { versions: { ...versions } } : {};

export class NodePresence {
	readonly #options: PresenceOptions;
	#timer: Timer | undefined;
	#isClosed = false;
	#hasRegistered = false;
	#isBeating = false;
	/** Something changed while a heartbeat was under way: another follows at once. */
	#isUrgent = false;
	#isStopping = false;
	/** Rejects when another node says that this one is none of the cluster any more. */
	readonly #refusal: Promise<never>;
	#refuse: (error: DatabaseError) => void = () => {};

	constructor(options: PresenceOptions) {
		this.#options = options;
		this.#refusal = new Promise((_, reject) => {
			this.#refuse = reject;
		});
		this.#refusal.catch(() => undefined);
		options.client.onSchemaRaised(() => this.beat());
	}

	/**
	 * Resolves once this boot is registered, however long a majority takes to come up; rejects with
	 * 55000 if it is refused.
	 */
	async register(): Promise<void> {
		const { client, runtime } = this.#options;
		while (!this.#isClosed) {
			try {
				await Promise.race([this.#registerOnce(), this.#refusal]);
				await client.refreshSettings();
				this.#refuseEarlier();
				this.#hasRegistered = true;
				this.beat();
				return;
			} catch (error) {
				if ((error as { code?: string }).code !== "57P03") {
					throw error;
				}
				runtime.logger.log("info", "waiting for a majority of the placement group", {
					leader: client.calls.leader,
				});
			}
		}
	}

	/** Sends a heartbeat now, or right after the one under way. */
	beat(): void {
		if (!this.#hasRegistered || this.#isClosed) {
			return;
		}
		if (this.#isBeating) {
			this.#isUrgent = true;
			return;
		}
		this.#timer?.cancel();
		this.#isBeating = true;
		void this.#beatOnce().finally(() => {
			this.#isBeating = false;
			this.#scheduleNext();
		});
	}

	/** Another node says that this one is none of the cluster any more, and talks no more to it. */
	barred(why: string): void {
		this.#refuse(new DatabaseError("55000", why, { hint: removedHint }));
		if (!this.#hasRegistered || this.#isClosed) return;
		this.close();
		this.#options.onEnded("this node was removed from the cluster");
	}

	/** Tells the leader that this node is about to stop: it gets no leases any more. */
	stopping(): void {
		this.#isStopping = true;
		this.beat();
	}

	close(): void {
		this.#isClosed = true;
		this.#timer?.cancel();
	}

	#scheduleNext(): void {
		if (this.#isClosed) {
			return;
		}
		const delayMs = this.#isUrgent ? 0 : heartbeatMs;
		this.#isUrgent = false;
		this.#timer = this.#options.runtime.scheduler.setTimer(delayMs, () => this.beat());
	}

	async #registerOnce(): Promise<void> {
		const { client, nodeId, address, sqlAddress, locality, versions } = this.#options;
		let previous = await this.#registered();
		for (;;) {
			const answer = await client.calls.call(methods.register, {
				nodeId,
				address,
				sqlAddress,
				bootId: this.#options.bootId,
				previousBootId: previous,
				locality,
				...told(versions),
				...this.#shown(),
			});
			const current = await this.#registered();
			if (current === this.#options.bootId || current === previous) {
				throwIfRefused(answer as { refused: string }, this.#removedHint());
				return;
			}
			previous = current;
		}
	}

	#shown(): { readonly certificate?: string } {
		const certificate = this.#options.certificate();
		return certificate === undefined ? {} : { certificate };
	}

	get #own(): NodeRecord | undefined {
		const { client, nodeId } = this.#options;
		return client.nodesCached().find((node) => node.nodeId === nodeId);
	}

	/** Leaders from before there were versions let everybody in. */
	#refuseEarlier(): void {
		const { client, nodeId, versions } = this.#options;
		const why = whyTooNew(activeVersion(client.settings().values), versions);
		if (why !== undefined) {
			throw new DatabaseError("55000", `node ${nodeId} must not join yet: ${why}`);
		}
	}

	#removedHint(): string | undefined {
		return this.#own?.state === "removed" ? removedHint : undefined;
	}

	/** The boot of this node that the registry names. */
	async #registered(): Promise<BootId> {
		const nodes = await this.#options.client.nodes();
		this.#learn(nodes);
		const own = nodes.find((node) => node.nodeId === this.#options.nodeId);
		return own?.bootId ?? bootId("");
	}

	async #beatOnce(): Promise<void> {
		const { client, nodeId } = this.#options;
		const schemaVersion = client.schemaVersion();
		const settingsVersion = client.settings().version;
		const boot = this.#options.bootId;
		const isStopping = this.#isStopping;
		const about = { nodeId, bootId: boot, schemaVersion, settingsVersion, isStopping };
		const body = { ...about, ...told(this.#options.versions), ...this.#shown() };
		try {
			const answer = (await client.calls.call(methods.heartbeat, body)) as HeartbeatAnswer;
			this.#learn(answer.nodes);
			if (answer.members !== undefined && answer.members.length > 0) {
				client.calls.follow(answer.members);
				this.#options.addressBook.learnMembers(answer.members);
			}
			client.noteSchemaVersion(answer.schemaVersion);
			if (answer.settings !== null) {
				client.noteSettings(readSettings(answer.settings));
			}
			if (answer.ended && !this.#isClosed) {
				this.close();
				const isRemoved = this.#own?.state === "removed";
				this.#options.onEnded(
					answer.refused ??
						(isRemoved
							? "this node was removed from the cluster"
							: "another process has registered under this node's id"),
				);
			}
		} catch (error) {
			this.#options.runtime.logger.log("warn", "no heartbeat", { error: String(error) });
		}
	}

	#learn(nodes: readonly NodeRecord[]): void {
		this.#options.client.noteNodes(nodes);
		this.#options.addressBook.learn(nodes);
	}
}
