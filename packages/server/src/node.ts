/**
 * One node put together: what runs on what, and in which order it starts and stops. Nothing here decides anything; the wiring
 * is pure, only the runtime is real, so the simulator starts nodes through this same function.
 *
 * Start: disk lock, RPC, identity (founding or joining), WAL, engine, Raft host, control plane, ranges, transactions, SQL,
 * listeners. A client can connect only when all of it runs.
 *
 * 1. A data directory is used by one process at a time, and belongs to one node of one cluster.
 * 2. The engine is synced before entries leave the WAL (`syncEngine`).
 * 3. The SQL listener opens after this boot is registered: the boot before it has ended.
 *
 * May import: everything below (design, section 2).
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { type BootId, bootId, type NodeId } from "@quorate/keys/ids";
import { createPgServer, type PgServer } from "@quorate/pgwire/pg-server";
import { NodeAddressBook } from "@quorate/placement/address-book";
import type { ConnectedPlacementClient } from "@quorate/placement/client";
import { establishIdentity } from "@quorate/placement/founding";
import { firstRange } from "@quorate/placement/genesis";
import { type Placement, startPlacement } from "@quorate/placement/placement";
import type { NodeIdentity } from "@quorate/placement/types";
import { NodeRaftHost } from "@quorate/replica/host/raft-host";
import type { RangeAnswer, RangeRequest } from "@quorate/replica/requests";
import { RangeStore } from "@quorate/replica/store";
import { createRpc, type ListeningRpc } from "@quorate/rpc/rpc";
import type { Runtime } from "@quorate/runtime/runtime";
import { createSessionFactory } from "@quorate/sql/session/session-factory";
import type { Engine } from "@quorate/storage/engine";
import { GatewayCoordinator } from "@quorate/txn/coordinator";
import { Gateway } from "@quorate/txn/gateway";
import { Heartbeats } from "@quorate/txn/heartbeats";
import { Resolver } from "@quorate/txn/resolver";
import { RangeRouter } from "@quorate/txn/router";
import { openWal } from "@quorate/wal/wal";
import { type AdminServer, startAdmin } from "./admin.ts";

export interface StartNodeOptions {
	readonly runtime: Runtime;
	/** Node-to-node addresses of the nodes that the cluster begins with; its own among them or not. */
	readonly join: readonly string[];
	/** host:port for other nodes. */
	readonly listen: string;
	/** host:port for SQL clients. */
	readonly sql: string;
	/** host:port for the operator; undefined: no admin server. */
	readonly admin: string | undefined;
	readonly locality: string;
	/** Opens the storage engine, in the node's data directory. */
	openEngine(): Promise<Engine>;
}

export interface RunningNode {
	readonly nodeId: NodeId;
	readonly sqlAddress: string;
	readonly coordinator: GatewayCoordinator;
	readonly placement: ConnectedPlacementClient;
	readonly store: RangeStore;
	stop(): Promise<void>;
	/** Resolves, with the reason, when the node cannot go on. */
	readonly failed: Promise<string>;
}

/** Entries of the WAL are dropped only when both the engine and the placement machine have what they did on disk. */
interface Syncs {
	engine: Engine;
	placement: Placement | undefined;
}

export async function startNode(options: StartNodeOptions): Promise<RunningNode> {
	const { runtime } = options;
	const lock = await runtime.disk.lock("lock");
	if (lock === undefined) {
		throw new DatabaseError("F0001", `data directory ${runtime.disk.root ?? ""} is in use`, {
			hint: "Another quorate process runs on it: stop that one, or give --data another directory.",
		});
	}
	const undo: (() => Promise<void> | void)[] = [() => lock.release()];
	try {
		return await startLocked(options, undo);
	} catch (error) {
		await undoAll(undo);
		throw error;
	}
}

async function undoAll(undo: (() => Promise<void> | void)[]): Promise<void> {
	for (const step of undo.splice(0).reverse()) {
		await step();
	}
}

async function startLocked(
	options: StartNodeOptions,
	undo: (() => Promise<void> | void)[],
): Promise<RunningNode> {
	const { runtime } = options;
	let fail: (reason: string) => void = () => {};
	const failed = new Promise<string>((resolve) => {
		fail = resolve;
	});
	const addressBook = await NodeAddressBook.open(runtime);
	const random = Buffer.from(runtime.random.bytes(8)).toString("hex");
	const boot = bootId(random);
	const rpc = await createRpc({
		runtime,
		self: { bootId: boot, address: options.listen },
		addressBook,
		listenAddress: options.listen,
	});
	undo.push(() => rpc.close());
	const identity = await establishIdentity({
		runtime,
		rpc,
		join: options.join,
		selfAddress: options.listen,
	});
	const { wal, recovered } = await openWal(runtime, "wal");
	undo.push(() => wal.close());
	const engine = await options.openEngine();
	undo.push(() => engine.close());
	const syncs: Syncs = { engine, placement: undefined };
	const host = new NodeRaftHost({
		runtime,
		wal,
		recovered,
		rpc,
		nodeId: identity.nodeId,
		syncEngine: async () => {
			await syncs.engine.sync();
			await syncs.placement?.checkpoint();
		},
	});
	undo.push(() => host.close());
	const parts: Parts = { options, runtime, rpc, identity, addressBook, boot, engine, host };
	return startOnHost(parts, syncs, undo, fail, failed);
}

interface Parts {
	readonly options: StartNodeOptions;
	readonly runtime: Runtime;
	readonly rpc: ListeningRpc;
	readonly identity: NodeIdentity;
	readonly addressBook: NodeAddressBook;
	readonly boot: BootId;
	readonly engine: Engine;
	readonly host: NodeRaftHost;
}

async function startOnHost(
	parts: Parts,
	syncs: Syncs,
	undo: (() => Promise<void> | void)[],
	fail: (reason: string) => void,
	failed: Promise<string>,
): Promise<RunningNode> {
	const { options, runtime, rpc, identity, boot } = parts;
	let server: PgServer | undefined;
	const placement = await startPlacement({
		runtime,
		rpc,
		host: parts.host,
		identity,
		addressBook: parts.addressBook,
		bootId: boot,
		address: options.listen,
		sqlAddress: options.sql,
		locality: options.locality,
		onEnded: () => {
			// Sessions close before anything else: their advisory promises are void.
			void server?.close();
			fail("another process has registered under this node's id");
		},
	});
	undo.push(() => placement.close());
	syncs.placement = placement;
	const { store, gateway } = startRanges(parts, placement.client);
	undo.push(() => store.close());
	if (identity.founders.some((f) => f.nodeId === identity.nodeId)) {
		await store.bootstrap(firstRange(identity.founders));
	}
	await store.start();
	await placement.registered;
	const coordinator = new GatewayCoordinator(gateway);
	const sessions = createSessionFactory({
		runtime,
		coordinator,
		placement: placement.client,
		nodeId: identity.nodeId,
	});
	server = await createPgServer({ runtime, sessions, listenAddress: options.sql });
	const { address } = server;
	undo.push(() => server?.drain());
	const admin: AdminServer | undefined =
		options.admin === undefined
			? undefined
			: await startAdmin({
					runtime,
					address: options.admin,
					nodeId: identity.nodeId,
					host: parts.host,
					store,
					gateway,
					server,
					placement: placement.client,
				});
	undo.push(() => admin?.close());
	runtime.logger.log("info", "database system is ready to accept connections", {
		node: identity.nodeId,
		sql: address,
	});
	return {
		nodeId: identity.nodeId,
		sqlAddress: address,
		coordinator,
		placement: placement.client,
		store,
		failed,
		stop: () => undoAll(undo),
	};
}

function startRanges(
	parts: Parts,
	placement: ConnectedPlacementClient,
): { readonly store: RangeStore; readonly gateway: Gateway } {
	const { runtime, rpc, identity, boot, engine, host } = parts;
	const { nodeId } = identity;
	let local: (q: RangeRequest) => Promise<RangeAnswer> = () =>
		Promise.reject(new DatabaseError("57P03", "the node is starting"));
	const router = new RangeRouter({ runtime, nodeId, rpc, placement, local: (q) => local(q) });
	const resolver = new Resolver(runtime, router);
	const heartbeats = new Heartbeats(runtime, router);
	const bootOf = (node: NodeId): BootId | undefined =>
		node === nodeId
			? boot
			: placement.nodesCached().find((n) => n.nodeId === node && n.bootId !== "")?.bootId;
	const store = new RangeStore({
		runtime,
		engine,
		nodeId,
		bootId: boot,
		timestamps: placement,
		host,
		rpc,
		bootOf,
		bootEnded: (ended) => isEnded(placement, boot, ended),
		inquire: (transaction, anchor) =>
			router.request(anchor, { kind: "inquire", transaction, anchor }, { idempotent: true }),
		resolveAll: (transaction, c, written) => resolver.resolveAll(transaction, c, written),
		allocate: (kind, count) => placement.allocate(kind, count),
		report: (ranges) => {
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
	});
	return { store, gateway };
}

/** A boot is over when its node runs another one, or is dead: then nobody will release its locks. */
function isEnded(placement: ConnectedPlacementClient, self: BootId, boot: BootId): boolean {
	if (boot === self) {
		return false;
	}
	const nodes = placement.nodesCached();
	const node = nodes.find((n) => n.bootId === boot);
	return nodes.length > 0 && (node === undefined || node.state === "dead");
}
