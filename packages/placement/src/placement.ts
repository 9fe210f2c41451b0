/**
 * The control plane: what a cluster knows of itself, on one small Raft group of its own.
 *
 * The group's members are the founding nodes at first (`founding.ts`), and then one, three or five nodes as there are nodes
 * (`scheduler/members.ts`, `member-slot.ts`). Its state machine (`state-machine.ts`)
 * holds the node registry, the range directory, counters of ids, settings, the timestamp ceiling
 * and the schema versions, all in memory; checkpoints on the node's disk let its log be compacted
 * (`group-machine.ts`). It is not built on ranges, so nothing is circular. The leader runs the
 * timestamp oracle (`oracle.ts`) and answers every node's client (`leader.ts`, `client.ts`).
 *
 * O1. The oracle answers a request only after a quorum round that began after the request had
 *     arrived. So no clock is trusted.
 * O2. It hands out only timestamps below a ceiling that its own log has applied, at most 500 ms
 *     ahead. A new leader first applies an entry of its own term, then starts above the ceiling.
 * O3. An answer serves only waits that had begun when its request was sent, each once.
 * O4. The millisecond part follows the monotonic clock, at 0.8 to twice its rate while it slews
 *     towards wall time.
 * S1. A schema change draws its c and raises the version by one log entry. From proposing it until
 *     it is applied the oracle answers nothing, so every timestamp below c went out with the old
 *     version and every one above with the new.
 * P1. The directory is a copy: an entry only moves to newer epochs, and a range checks the epoch of
 *     every request anyway.
 * P2. A node id belongs to one data directory. A boot registers before it serves; that ends the
 *     boot before it, and a boot that learns (confirmed by a quorum) that it has ended stops.
 * P3. Nodes with one join list form one cluster and never two: F1 to F3 in `founding.ts`.
 * P4. A block of ids is handed out once; a lost answer wastes it.
 * P5. A member whose data were discarded comes back as another replica of the group (`renewal.ts`).
 *
 * P6. Where replicas and leases are is decided by a scheduler on the leader (`scheduler/plan.ts`, `scheduler/scheduler.ts`), and
 *     done by the ranges themselves.
 * P7. The active version of the cluster is a setting that the leader raises when all nodes that are not dead or gone can the next one
 *     (`scheduler/versions.ts`); it never falls. Who cannot it does not register.
 *
 * May import: runtime, keys, rpc, raft, wal, storage, replica.
 */
import { ownVersions, type VersionSpan } from "@quorate/keys/cluster-version";
import type { BootId } from "@quorate/keys/ids";
import type { Limits } from "@quorate/keys/limits";
import type { Mutations } from "@quorate/keys/mutations";
import type { RaftHost } from "@quorate/replica/host-types";
import type { Rpc } from "@quorate/rpc/types";
import type { Runtime } from "@quorate/runtime/runtime";
import type { NodeAddressBook } from "./address-book.ts";
import { type ConnectedPlacementClient, createPlacementClient } from "./client.ts";
import { MemberSlot } from "./member-slot.ts";
import { methods, readCount, readObject, readSettings, readText } from "./messages.ts";
import { NodePresence } from "./presence.ts";
import { drawReplicasFrom, renewMembership } from "./renewal.ts";
import type { MoveExecutor } from "./scheduler/scheduler.ts";
import type { NodeIdentity } from "./types.ts";

const joinTimeoutMs = 4000;

export interface StartPlacementOptions {
	readonly runtime: Runtime;
	readonly rpc: Rpc;
	readonly host: RaftHost;
	/** From `establishIdentity`. */
	readonly identity: NodeIdentity;
	/** The one that the RPC was made with. */
	readonly addressBook: NodeAddressBook;
	readonly bootId: BootId;
	/** Node-to-node host:port as others reach it. */
	readonly address: string;
	readonly sqlAddress: string;
	readonly locality: string;
	/** SHA-256 of the certificate that this node shows to others now; absent: there is none. */
	readonly certificate?: (() => string | undefined) | undefined;
	readonly limits?: Limits | undefined;
	/** Tests only: those of another build. */
	readonly versions?: VersionSpan | undefined;
	/** Tests only. */
	readonly mutations?: Mutations | undefined;
	/**
	 * This boot has ended in the registry's view: sessions must close (57P01) before anything else.
	 * Default: the node stops.
	 */
	readonly onEnded?: (why: string) => void;
}

/** The control plane on one node, member of the group or not. */
export interface Placement {
	/** With `replicasFrom` drawn, where the node's data were discarded. */
	readonly identity: NodeIdentity;
	readonly client: ConnectedPlacementClient;
	/**
	 * Resolves when this boot is registered: serve no session before. Waits for a majority of the
	 * founders as long as it takes. Rejects with `DatabaseError` 55000 when the node was removed
	 * from the cluster.
	 */
	readonly registered: Promise<void>;
	/** False while this node's member of the group waits to be put in the place of one whose data were discarded. */
	isRenewed(): boolean;
	/** This node leads the placement group and serves. */
	isLeader(): boolean;
	/** Ranges are moved from now on, whenever this node leads the group. */
	schedule(executor: MoveExecutor): void;
	/** This node is about to stop: it gets no leases any more, and somebody else leads the group. */
	stopping(): void;
	/** Another node says that this one was removed. */
	barred(why: string): void;
	close(): void;
}

/** After `establishIdentity`, once the Raft host is up. */
export async function startPlacement(given: StartPlacementOptions): Promise<Placement> {
	const { runtime, rpc, addressBook } = given;
	addressBook.identify(given.identity);
	const identity = await drawReplicasFrom(given);
	const options = { ...given, identity };
	const slot = await MemberSlot.open(options);
	const client = createPlacementClient({
		runtime,
		rpc,
		self: identity.nodeId,
		members: addressBook.members,
		local: () => slot.leader,
	});
	slot.attach(client);
	handleForeignRequests(options, client);
	const presence = new NodePresence({
		runtime,
		client,
		addressBook,
		nodeId: identity.nodeId,
		bootId: options.bootId,
		address: options.address,
		sqlAddress: options.sqlAddress,
		locality: options.locality,
		versions: options.versions ?? ownVersions,
		certificate: () => options.certificate?.(),
		onEnded: options.onEnded ?? ((why) => runtime.fatal(why)),
	});
	const registered = presence.register();
	// Whoever awaits it sees the rejection; nobody is obliged to.
	registered.catch(() => undefined);
	const renewal = renewMembership(options, client);
	return {
		identity,
		client,
		registered,
		isRenewed: () => renewal.isDone(),
		isLeader: () => slot.machine?.isServing ?? false,
		schedule: (executor) => slot.schedule(executor),
		stopping: () => {
			presence.stopping();
			slot.machine?.resign();
		},
		barred: (why) => presence.barred(why),
		close: () => {
			renewal.close();
			presence.close();
			slot.close();
		},
	};
}

/** What any node does for others, member or not. */
function handleForeignRequests(
	{ rpc, identity, addressBook }: StartPlacementOptions,
	client: ConnectedPlacementClient,
): void {
	rpc.handle(methods.schemaRaised, (body) => {
		client.noteSchemaVersion(readCount(body, 0, Number.MAX_SAFE_INTEGER, "schema version"));
	});
	rpc.handle(methods.settingsChanged, (body) => {
		client.noteSettings(readSettings(body));
		return true;
	});
	rpc.handle(methods.join, async (body): Promise<NodeIdentity> => {
		const { token, address } = readObject(body);
		const request = { token: readText(token, "token"), address: readText(address, "address") };
		const nodeId = await client.calls.call(methods.allocateNode, request, joinTimeoutMs);
		const { clusterId, founders } = identity;
		const members = client.calls.members.flatMap((id) => {
			const at = addressBook.addressOf(id);
			return at === undefined ? [] : [{ nodeId: id, address: at }];
		});
		return { clusterId, nodeId: nodeId as NodeIdentity["nodeId"], founders, members };
	});
}
