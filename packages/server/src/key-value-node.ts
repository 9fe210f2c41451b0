/**
 * The lower half of a node: everything from the disk to transactions on keys, without SQL and listeners for clients. What runs on
 * what, and in which order it starts and stops, is decided here and in `node.ts`; nothing else is.
 */

import { isActive, type VersionSpan } from "@quorate/keys/cluster-version";
import { DatabaseError } from "@quorate/keys/database-error";
import { durationMs } from "@quorate/keys/duration";
import { oldestHold } from "@quorate/keys/history-holds";
import { type BootId, bootId, type ClusterId, type NodeId } from "@quorate/keys/ids";
import { type Key, keySuccessor } from "@quorate/keys/key";
import type { Limits } from "@quorate/keys/limits";
import {
	defaultHistoryLifeMs,
	defaultRangeMaxBytes,
	defaultRangeMaxLoad,
	defaultRangeMergeAfterMs,
} from "@quorate/keys/limits";
import type { Mutations } from "@quorate/keys/mutations";
import type { PlacementRules } from "@quorate/keys/placement-rule";
import { compactDescriptor } from "@quorate/keys/range";
import { ticksPerMs } from "@quorate/keys/timestamp";
import { NodeAddressBook } from "@quorate/placement/address-book";
import type { ConnectedPlacementClient } from "@quorate/placement/client";
import { establishIdentity } from "@quorate/placement/founding";
import { firstRange } from "@quorate/placement/genesis";
import { type Placement, startPlacement } from "@quorate/placement/placement";
import type { MergeRules } from "@quorate/placement/scheduler/merges";
import type { NodeIdentity } from "@quorate/placement/types";
import type { DivisionRules } from "@quorate/replica/divisions";
import { NodeRaftHost } from "@quorate/replica/host/host";
import type { ReplicaObserver } from "@quorate/replica/observer";
import type { RangeAnswer, RangeRequest } from "@quorate/replica/requests";
import { RangeStore } from "@quorate/replica/store";
import { createRpc, type ListeningRpc } from "@quorate/rpc/rpc";
import type { Rpc } from "@quorate/rpc/types";
import type { Runtime } from "@quorate/runtime/runtime";
import { sizeBytes } from "@quorate/sql/session/setting-definitions";
import type { Engine } from "@quorate/storage/engine";
import { AdvisoryLocks } from "@quorate/txn/advisory-locks";
import { GatewayCoordinator } from "@quorate/txn/coordinator";
import { Gateway } from "@quorate/txn/gateway";
import { Heartbeats } from "@quorate/txn/heartbeats";
import { Resolver } from "@quorate/txn/resolver";
import { RangeRouter } from "@quorate/txn/router";
import { validate } from "@quorate/txn/validate";
import { openWal } from "@quorate/wal/wal";
import { DiskRoom } from "./disk-room.ts";
import { EndedBoots } from "./ended-boots.ts";
import { handleLeavings } from "./leaving.ts";
import { LoadReports } from "./load-reports.ts";
import { moveExecutor } from "./move-executor.ts";
import { RangeRenewal } from "./range-renewal.ts";
import { nodeNetwork, reloadNodeNetwork, type SecurityFiles } from "./security.ts";
import { handleSurveys } from "./survey.ts";

export interface KeyValueOptions {
	readonly runtime: Runtime;
	/** Node-to-node addresses of the nodes that the cluster begins with; its own among them or not. */
	readonly join: readonly string[];
	/** host:port for other nodes. */
	readonly listen: string;
	/** host:port for SQL clients: told to the other nodes. */
	readonly sql: string;
	readonly locality: string;
	/** Tests only: small sizes and times of housekeeping. */
	readonly limits?: Limits;
	/** Tests only: versions of the cluster that another build can. */
	readonly versions?: VersionSpan;
	/** Tests only: protections to leave out. */
	readonly mutations?: Mutations;
	/** What an operator has set up of certificates and rules. */
	readonly security?: SecurityFiles;
	/** Simulation only. */
	readonly observer?: ReplicaObserver;
	/** Opens the storage engine, in the node's data directory. */
	openEngine(): Promise<Engine>;
	/** Another process has registered under this node's id: sessions must close before anything else. */
	onEnded(why: string): void;
}

/** What was started, in order; undone from the last. */
export type Undo = (() => Promise<void> | void)[];

export interface KeyValueNode {
	readonly nodeId: NodeId;
	readonly clusterId: ClusterId;
	readonly rpc: Rpc;
	readonly placement: ConnectedPlacementClient;
	readonly host: NodeRaftHost;
	readonly engine: Engine;
	readonly store: RangeStore;
	readonly gateway: Gateway;
	readonly coordinator: GatewayCoordinator;
	readonly room: DiskRoom;
	/** Of a node whose data were discarded. */
	readonly renewal: RangeRenewal | undefined;
	readonly advisory: AdvisoryLocks;
	/** Certificates between nodes are read again. */
	reload(): Promise<void>;
	/** It is about to stop, and is given nothing any more. */
	stopping(): void;
	/** Leases can be given to that node: it is connected, and does not stop. */
	mayTake(node: NodeId): boolean;
	/** Where replicas are to be is told by this from now on (see `MoveExecutor.rules`). */
	followRules(source: () => PlacementRules | undefined): void;
}

/** Resolves when this boot is registered and transactions can run. */
export async function startKeyValueNode(
	options: KeyValueOptions,
	undo: Undo,
): Promise<KeyValueNode> {
	const { runtime, limits, mutations } = options;
	const addressBook = await NodeAddressBook.open(runtime);
	const boot = bootId(Buffer.from(runtime.random.bytes(8)).toString("hex"));
	const secured = await nodeNetwork(runtime, options.security);
	let barred: (why: string) => void = () => {};
	const rpc = await createRpc({
		runtime: secured === undefined ? runtime : { ...runtime, network: secured },
		isSecured: secured !== undefined,
		self: { bootId: boot, address: options.listen },
		addressBook,
		listenAddress: options.listen,
		onPeer: (peer, address) => addressBook.met(peer.nodeId, address),
		whyBarred: (node, certificate) => addressBook.whyBarred(node, certificate),
		onBarred: (why) => barred(why),
	});
	undo.push(() => rpc.close());
	const identity = await establishIdentity({
		runtime,
		rpc,
		join: options.join,
		selfAddress: options.listen,
	});
	const room = new DiskRoom(runtime);
	await room.prepare();
	undo.push(() => room.close());
	const { wal, recovered } = await openWal(runtime, "wal", {
		mutations,
		onDiskFull: (isFull) => room.logWaits(isFull),
		...(limits?.walSegmentBytes === undefined ? {} : { segmentSizeBytes: limits.walSegmentBytes }),
	});
	undo.push(() => wal.close());
	const engine = await options.openEngine();
	undo.push(() => engine.close());
	const host = new NodeRaftHost({
		runtime,
		wal,
		recovered,
		rpc,
		nodeId: identity.nodeId,
		limits,
		mutations,
		// Entries leave the WAL only when the engine has on disk what they did.
		syncEngine: () => engine.sync(),
	});
	undo.push(() => host.close());
	const placement = await startPlacement({
		runtime,
		rpc,
		host,
		identity,
		addressBook,
		bootId: boot,
		address: options.listen,
		sqlAddress: options.sql,
		locality: options.locality,
		versions: options.versions,
		limits,
		mutations,
		onEnded: (why) => options.onEnded(why),
		certificate: secured && (() => secured.certificate),
	});
	barred = (why) => placement.barred(why);
	const { client } = placement;
	undo.push(() => placement.close());
	const node = { runtime, rpc, identity: placement.identity, boot, engine, host };
	const leaving = new Set<BootId>();
	const rest = { limits, mutations, observer: options.observer, room, leaving };
	const parts = { ...node, placement: client, ...rest };
	const { store, gateway, router, coordinator, advisory } = startRanges(parts);
	undo.push(() => store.close());
	room.start({
		runtime,
		rpc,
		nodeId: identity.nodeId,
		nodes: () => client.nodesCached().map((n) => n.nodeId),
		giveLeasesAway: (mayTake) => store.giveLeasesAway(mayTake),
	});
	await startReplicas(parts, store);
	handleLeavings(rpc, router, leaving);
	handleSurveys({ rpc, identity: placement.identity, placement: client, router });
	await placement.registered;
	const renewal = renewRanges(parts, router, placement);
	undo.push(() => renewal?.close());
	undo.push(() => advisory.close());
	const { nodeId, clusterId } = placement.identity;
	// Nothing is moved until the node knows what users have configured.
	let rules: () => PlacementRules | undefined = () => undefined;
	const merging = () => mergeRules(client, limits, mutations);
	placement.schedule(moveExecutor(router, coordinator, () => rules(), merging));
	const followRules = (source: typeof rules): void => {
		rules = source;
	};
	const loads = new LoadReports({ runtime, placement: client, store, limits });
	undo.push(() => loads.close());
	const stopping = () => placement.stopping();
	const reload = () => reloadNodeNetwork(runtime, options.security, secured);
	const mayTake = (other: NodeId): boolean => store.mayTakeLeases(other);
	const more = { mayTake, coordinator, advisory, renewal, room, reload, stopping, followRules };
	const layers = { engine, host, store, gateway };
	return { nodeId, clusterId, rpc, placement: client, ...layers, ...more };
}

async function startReplicas({ identity }: Parts, store: RangeStore): Promise<void> {
	const { founders, nodeId, replicasFrom } = identity;
	// One whose data were discarded has nothing that it was born with.
	if (replicasFrom === undefined && founders.some((f) => f.nodeId === nodeId)) {
		await store.bootstrap(firstRange(founders));
	}
	await store.start();
}

function renewRanges(
	{ runtime, identity, placement }: Parts,
	router: RangeRouter,
	{ isRenewed }: Placement,
): RangeRenewal | undefined {
	const { nodeId, replicasFrom } = identity;
	if (replicasFrom === undefined) {
		return undefined;
	}
	const options = { runtime, placement, router, nodeId, replicasFrom };
	const renewal = new RangeRenewal({ ...options, isMember: isRenewed });
	renewal.start();
	return renewal;
}

interface Parts {
	readonly runtime: Runtime;
	readonly rpc: ListeningRpc;
	readonly identity: NodeIdentity;
	readonly boot: BootId;
	readonly engine: Engine;
	readonly host: NodeRaftHost;
	readonly placement: ConnectedPlacementClient;
	readonly limits: Limits | undefined;
	readonly mutations: Mutations | undefined;
	readonly observer: ReplicaObserver | undefined;
	readonly room: DiskRoom;
	/** Boots that are about to stop. */
	readonly leaving: ReadonlySet<BootId>;
}

function startRanges(parts: Parts): {
	readonly store: RangeStore;
	readonly gateway: Gateway;
	readonly router: RangeRouter;
	readonly coordinator: GatewayCoordinator;
	readonly advisory: AdvisoryLocks;
} {
	const { runtime, rpc, identity, boot, engine, host, placement } = parts;
	const { nodeId } = identity;
	let local: (q: RangeRequest) => RangeAnswer | Promise<RangeAnswer> = () =>
		Promise.reject(new DatabaseError("57P03", "the node is starting"));
	const router = new RangeRouter({ runtime, nodeId, rpc, placement, local: (q) => local(q) });
	const resolver = new Resolver(runtime, router);
	const heartbeats = new Heartbeats({ runtime, router, placement, mutations: parts.mutations });
	const bootOf = (node: NodeId): BootId | undefined =>
		node === nodeId
			? boot
			: placement.nodesCached().find((n) => n.nodeId === node && n.bootId !== "")?.bootId;
	const endedBoots = new EndedBoots(placement, rpc, boot);
	const store = new RangeStore({
		runtime,
		engine,
		nodeId,
		bootId: boot,
		timestamps: placement,
		limits: parts.limits,
		mutations: parts.mutations,
		observer: parts.observer,
		host,
		rpc,
		bootOf,
		isLeaving: (other) => parts.leaving.has(other),
		isActive: (feature) => isActive(placement.settings().values, feature),
		isDiskFull: (replicas) => parts.room.isDiskFull(replicas),
		replicasFrom: identity.replicasFrom,
		detector: () => placement.calls.leader,
		otherWaits: {
			edges: () => advisory.edges(),
			failWait: (victim) => advisory.failWait(victim),
		},
		nodes: () => placement.nodesCached().map((n) => n.nodeId),
		bootEnded: (other) => endedBoots.has(other),
		inquire: (transaction, anchor, s) =>
			router.request(anchor, { kind: "inquire", transaction, anchor, s }, { idempotent: true }),
		historyLifeMs: async () => parts.limits?.historyLifeMs ?? (await historyLifeMs(placement)),
		divisionRules: () => divisionRules(placement, parts.limits),
		decided: (decision) => void placement.decided(decision).catch(() => {}),
		resolveAll: (transaction, c, written) => resolver.resolveAll(transaction, c, written),
		validateElsewhere: (transaction, items, c, owner) =>
			validate(router, { transaction, owner, items, c }),
		members: async (start) => {
			const status = { kind: "status" as const, confirmed: true };
			const answer = await router
				.request(start, status, { idempotent: true })
				.catch(() => undefined);
			return answer?.kind === "status" ? answer.descriptor : undefined;
		},
		thaw: (at, version) => thaw(router, at, version),
		wakeBefore: (at) => void wakeBefore(router, at).catch(() => {}),
		allocate: (kind, count) => placement.allocate(kind, count),
		kept: (descriptor) => {
			const none = () => ({ descriptor: compactDescriptor(descriptor), leaseholder: undefined });
			const info = placement.kept(descriptor) ?? none();
			router.share(info);
			return info.descriptor;
		},
		report: (ranges) => {
			router.learn(ranges);
			placement.report(ranges).catch(() => {});
		},
	});
	local = (q) => store.handle(q);
	const gateway = new Gateway({
		runtime,
		nodeId,
		bootId: boot,
		rpc,
		placement,
		router,
		resolver,
		heartbeats,
		locks: store.locks,
		limits: parts.limits,
		mutations: parts.mutations,
	});
	const coordinator = new GatewayCoordinator(gateway);
	const advisory = new AdvisoryLocks({
		runtime,
		nodeId,
		bootId: boot,
		placement,
		coordinator,
		rpc,
		mutations: parts.mutations,
	});
	return { store, gateway, router, coordinator, advisory };
}

/** The range that begins at `at` has a later version, or has it now (`@quorate/replica/merges`, M4). */
async function thaw(router: RangeRouter, at: Key, version: number): Promise<boolean> {
	const [info] = await router.rangesOf({ start: at, end: keySuccessor(at) });
	if (info !== undefined && info.descriptor.epoch.version > version) {
		return true;
	}
	const answer = await router.request(at, { kind: "thaw", version }, { idempotent: true });
	return answer.kind === "done";
}

async function wakeBefore(router: RangeRouter, at: Key): Promise<void> {
	const { descriptor } = await router.rangeBefore(at);
	await router.request(descriptor.start, { kind: "status" }, { idempotent: true });
}

/** As this node has heard of the settings: a moment later is early enough. */
function divisionRules(placement: ConnectedPlacementClient, limits?: Limits): DivisionRules {
	const { values } = placement.settings();
	const [bytes, load] = [values.get("range_max_bytes"), values.get("range_max_load")];
	return {
		maxBytes:
			limits?.rangeMaxBytes ?? (bytes === undefined ? defaultRangeMaxBytes : sizeBytes(bytes)),
		maxLoad: limits?.rangeMaxLoad ?? (load === undefined ? defaultRangeMaxLoad : Number(load)),
	};
}

function mergeRules(
	placement: ConnectedPlacementClient,
	limits: Limits | undefined,
	mutations: Mutations | undefined,
): MergeRules {
	if (mutations?.mergesWithoutHysteresis === true) {
		const never = Number.MAX_SAFE_INTEGER;
		return { maxBytes: never, maxLoad: never, afterMs: 1 };
	}
	const set = placement.settings().values.get("range_merge_after");
	const afterMs = set === undefined ? defaultRangeMergeAfterMs : durationMs(set);
	return { ...divisionRules(placement, limits), afterMs: limits?.mergeAfterMs ?? afterMs };
}

/** Between the look at the holds and the collection that goes by it. */
const holdMarginMs = 60_000;

/** The setting `gc_ttl`, in milliseconds, or longer where somebody holds older history. Undefined while nobody can say: what was removed too early is gone. */
async function historyLifeMs(placement: ConnectedPlacementClient): Promise<number | undefined> {
	try {
		await placement.refreshSettings();
		const { values } = placement.settings();
		const set = values.get("gc_ttl");
		const lifeMs = set === undefined ? defaultHistoryLifeMs : durationMs(set);
		const now = placement.seen();
		const held = oldestHold(values, now) ?? now;
		return held < now ? Math.max(lifeMs, (now - held) / ticksPerMs + holdMarginMs) : lifeMs;
	} catch (error) {
		if (error instanceof DatabaseError) {
			return undefined;
		}
		throw error;
	}
}
