/**
 * One node put together. The wiring is pure, only the runtime is real, so the simulator starts nodes through this same function.
 *
 * Start: disk lock, RPC, identity (founding or joining), WAL, engine, Raft host, control plane, ranges, transactions
 * (`key-value-node.ts`), then SQL and the listeners. A client can connect only when all of it runs.
 *
 * 1. A data directory is used by one process at a time, and belongs to one node of one cluster.
 * 2. The engine is synced before entries leave the WAL.
 * 3. The SQL listener opens after this boot is registered: the boot before it has ended.
 *
 * May import: everything below (design, section 2).
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { durationMs } from "@quorate/keys/duration";
import type { PgLimits } from "@quorate/pgwire/limits";
import { createPgServer, type PgServer } from "@quorate/pgwire/pg-server";
import { createSessionFactory, type NodeSessions } from "@quorate/sql/session/factory";
import { type ConsoleFiles, startAdmin } from "./admin.ts";
import { ClusterStatus } from "./cluster-status.ts";
import { ConsoleData } from "./console-data.ts";
import {
	type KeyValueNode,
	type KeyValueOptions,
	startKeyValueNode,
	type Undo,
} from "./key-value-node.ts";
import { giveUpLeases } from "./leaving.ts";
import { handleReports } from "./node-report.ts";
import { Security } from "./security.ts";

/** For giving leases away, while nobody has set `drain_timeout`. */
const leasesMsMax = 5_000;

export interface StartNodeOptions extends Omit<KeyValueOptions, "onEnded"> {
	/** host:port for the operator; undefined: no admin server. */
	readonly admin: string | undefined;
	/** What the machine has room for; absent: the defaults. */
	readonly clientLimits?: Partial<PgLimits>;
	/** Absolute: where BACKUP and RESTORE may read and write; absent: anywhere but in the data directory. */
	readonly backupRoot?: string | undefined;
	/** The console's page, for who has an admin server; absent: there is none. */
	readonly consoleFiles?: ConsoleFiles;
}

export interface RunningNode extends KeyValueNode {
	readonly sessions: NodeSessions;
	readonly sqlAddress: string;
	/**
	 * Before `stop`, where others go on: leases move away, statements that run finish, sessions end (57P01) as soon as they are idle,
	 * those in a transaction when `drain_timeout` has passed.
	 */
	drain(): Promise<void>;
	/** Rules and certificates are read again. */
	reload(): Promise<void>;
	stop(): Promise<void>;
	/** Resolves, with the reason, when the node cannot go on. */
	readonly failed: Promise<string>;
}

export async function startNode(options: StartNodeOptions): Promise<RunningNode> {
	const { runtime } = options;
	const lock = await runtime.disk.lock(".");
	if (lock === undefined) {
		throw new DatabaseError("F0001", `data directory ${runtime.disk.root ?? ""} is in use`, {
			hint: "Another quorate process runs on it: stop that one, or give --data another directory.",
		});
	}
	const undo: Undo = [() => lock.release()];
	try {
		return await startLocked(options, undo);
	} catch (error) {
		await undoAll(undo);
		throw error;
	}
}

async function undoAll(undo: Undo): Promise<void> {
	for (const step of undo.splice(0).reverse()) {
		await step();
	}
}

async function startLocked(options: StartNodeOptions, undo: Undo): Promise<RunningNode> {
	const { runtime } = options;
	let fail: (reason: string) => void = () => {};
	const failed = new Promise<string>((resolve) => {
		fail = resolve;
	});
	let server: PgServer | undefined;
	const keyValue = await startKeyValueNode(
		{
			...options,
			onEnded: (why) => {
				void server?.close();
				fail(why);
			},
		},
		undo,
	);
	const { nodeId, clusterId, coordinator, placement, advisory } = keyValue;
	const cluster = new ClusterStatus(keyValue);
	const { limits = {}, backupRoot } = options;
	const parts = { runtime, coordinator, placement, advisory, cluster, nodeId, clusterId, limits };
	const sessions = createSessionFactory({ ...parts, backupRoot });
	keyValue.followRules(() => sessions.placementRules());
	const security = await Security.open(runtime, options.security);
	server = await createPgServer({
		runtime,
		...(security === undefined ? {} : { security }),
		sessions,
		listenAddress: options.sql,
		limits: options.clientLimits ?? {},
		nodeId,
		forwardCancel: (node, key) => cluster.forwardCancel(node, key),
	});
	cluster.serve(sessions, server);
	handleReports({ ...keyValue, sessions, server });
	const { address } = server;
	undo.push(() => sessions.close());
	undo.push(() => server?.drain());
	if (options.admin !== undefined) {
		const { clock } = runtime;
		const { tableOf } = sessions;
		const { admin: where, consoleFiles } = options;
		const console = new ConsoleData({ clock, nodeId, clusterId, cluster, tableOf });
		const shown = { sessions, console, consoleFiles };
		const admin = await startAdmin({ ...keyValue, ...shown, runtime, address: where, server });
		undo.push(() => admin.close());
	}
	runtime.logger.log("info", "database system is ready to accept connections", {
		node: nodeId,
		sql: address,
	});
	const drain = async (): Promise<void> => {
		const set = placement.settings().values.get("drain_timeout");
		const withinMs = set === undefined ? undefined : durationMs(set);
		keyValue.stopping();
		const leave = () => giveUpLeases({ runtime, ...keyValue }, withinMs ?? leasesMsMax);
		await Promise.all([server.drain(withinMs), leave()]);
		// What has come here while sessions ended: by an election, or because somebody wanted it.
		await leave();
	};
	const stop = () => undoAll(undo);
	const reload = async (): Promise<void> => {
		await Promise.all([security?.reload(), keyValue.reload()]);
	};
	return { ...keyValue, reload, sessions, sqlAddress: address, failed, drain, stop };
}
