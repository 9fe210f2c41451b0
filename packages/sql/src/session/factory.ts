/** Sessions of one node, and what they share. */

import { DatabaseError } from "@quorate/keys/database-error";
import type { NodeId } from "@quorate/keys/ids";
import type { Key } from "@quorate/keys/key";
import type { Limits } from "@quorate/keys/limits";
import type { PlacementRules } from "@quorate/keys/placement-rule";
import type { PlacementClient } from "@quorate/placement/types";
import type { Runtime } from "@quorate/runtime/runtime";
import type { AdvisoryLocks } from "@quorate/txn/advisory-locks";
import type { TransactionCoordinator } from "@quorate/txn/types";
import { Catalog, DatabaseCatalog } from "../catalog/catalog.ts";
import { firstDatabaseOid } from "../catalog/database.ts";
import { KnownRules } from "../catalog/known-rules.ts";
import type { RoleDescriptor } from "../catalog/role.ts";
import { tableNameAt } from "../catalog/system-activity.ts";
import { callCatalog } from "../catalog/system-functions.ts";
import { systemTable } from "../catalog/system-tables.ts";
import { MemoryPool } from "../execute/memory.ts";
import type { ClusterAccess, SessionStatus } from "../types/cluster-access.ts";
import type { StatementReport } from "../types/statement-report.ts";
import { BuildAdopter, defaultLookEveryMs } from "./build-adopter.ts";
import { DroppedData, defaultClearEveryMs } from "./dropped-data.ts";
import { loginDatabase, loginFacts, loginRole } from "./login.ts";
import { type NodeServices, ObjectIds, RowIds } from "./node-services.ts";
import { NotificationHub } from "./notification-hub.ts";
import { PlanCache } from "./plan-cache.ts";
import { dropEverything, endTransactions } from "./reset.ts";
import { isUnreachable } from "./retry.ts";
import { SequenceBlocks } from "./sequence-blocks.ts";
import { QuorateSession } from "./session.ts";
import type { SessionState } from "./session-state.ts";
import { aloneWith, sessionStatus } from "./session-status.ts";
import { settingDefinition } from "./setting-definitions.ts";
import { judgedSetting } from "./settings.ts";
import { parseOptions } from "./start-up-options.ts";
import { StatementRunner } from "./statement-runner.ts";
import { StatementStatistics } from "./statement-statistics.ts";
import type { SessionFactory } from "./types.ts";
import { UtilityCache } from "./utility-cache.ts";

/** For programs that run a node themselves; see `reset.ts`. */
export interface NodeSessions extends SessionFactory {
	/** Ends open transactions that saw a schema before `version`, all if undefined: their clients are told. */
	endTransactions(reason: DatabaseError, version?: number): void;
	/** Drops what users have made; the schema version from which on it is gone. Rejects as a commit does. */
	dropEverything(): Promise<number>;
	/** Of sessions of other nodes. */
	readonly runner: StatementRunner;
	/** Looks for indexes that nobody fills any more, as the node does by itself every few seconds. */
	adoptBuilds(): Promise<void>;
	/** Removes what was dropped so long ago that nobody can read it, as the node does by itself now and then. Whether something is left. */
	clearDropped(): Promise<boolean>;
	/** When no session is left. */
	close(): void;
	/** Of all that are open. */
	statuses(): readonly SessionStatus[];
	/** Of the statements that they have run, at most so many texts. */
	statements(shapesMost: number): StatementReport;
	/** The name of the table whose data begin at this key; undefined: no table's, or not known at the moment. */
	tableOf(key: Key): string | undefined;
	/** What users have configured, as this node has last heard of it: the same object until that changes. Undefined: not read yet. */
	placementRules(): PlacementRules | undefined;
}

export interface SessionFactoryOptions {
	readonly runtime: Runtime;
	readonly coordinator: TransactionCoordinator;
	readonly placement: PlacementClient;
	readonly advisory: AdvisoryLocks;
	/** The other nodes; absent: there are none. */
	readonly cluster?: ClusterAccess;
	/** What the database is called that is there at first. */
	readonly database?: string;
	/** This node; absent: it is the only one. */
	readonly nodeId?: NodeId;
	readonly clusterId?: string;
	/** Absolute: below it are the directories that BACKUP and RESTORE may name; undefined: anywhere. */
	readonly backupRoot?: string | undefined;
	/** Tests only. */
	readonly limits?: Limits;
	/** Tests only: how often it looks for indexes that nobody fills any more; 0: when it is told to, and likewise for what was dropped. */
	readonly buildLookMs?: number;
	/** Bytes that the rows a statement sorts, groups or joins may take. */
	readonly statementMemory?: number;
	/** Bytes that the temporary tables of a session may take. */
	readonly temporaryMemory?: number;
}

const defaultDatabase = "quorate";
const defaultStatementMemory = 256 * 1024 * 1024;
/** In V8's heap it is two to three times as much. */
const defaultNodeMemory = 512 * 1024 * 1024;

/** What all sessions of a node keep under names. */
const keptNodeMemory = 512 * 1024 * 1024;

/** The rows of temporary tables: of a session, and of all of a node. */
const defaultTemporaryMemory = 128 * 1024 * 1024;
const temporaryNodeMemory = 256 * 1024 * 1024;

/** Start-up parameters that are no settings. */
const notSettings: ReadonlySet<string> = new Set(["user", "database", "replication", "options"]);

/** For what the node does itself: its catalog shows all databases. */
function services(options: SessionFactoryOptions, catalog: Catalog): NodeServices {
	const { runtime, coordinator, placement, advisory } = options;
	const sessions = new Set<SessionState>();
	const statistics = new StatementStatistics();
	const database = options.database ?? defaultDatabase;
	const byDatabase = new Map<number, NodeServices>();
	const shared: NodeServices = {
		runtime,
		coordinator,
		placement,
		advisory,
		notifications: new NotificationHub(runtime, coordinator, placement),
		catalog,
		plans: new PlanCache(),
		utilities: new UtilityCache(),
		statistics,
		rowIds: new RowIds(placement),
		objectIds: new ObjectIds(placement),
		sequences: new SequenceBlocks(runtime, coordinator, () => placement.schemaVersion()),
		sessions,
		cluster: options.cluster ?? aloneWith(sessions, statistics),
		virtualTable: systemTable,
		catalogCall: callCatalog,
		database,
		databaseOid: firstDatabaseOid,
		inDatabase(oid, name) {
			const known = byDatabase.get(oid);
			if (known !== undefined && known.database === name) return known;
			const made: NodeServices = {
				...shared,
				catalog: new DatabaseCatalog(catalog, oid, name),
				plans: new PlanCache(),
				database: name,
				databaseOid: oid,
			};
			byDatabase.set(oid, made);
			return made;
		},
		nodeId: options.nodeId ?? (1 as NodeId),
		clusterId: options.clusterId ?? "",
		limits: options.limits ?? {},
		backupRoot: options.backupRoot,
		statementMemory: options.statementMemory ?? defaultStatementMemory,
		memoryPool: new MemoryPool(defaultNodeMemory),
		keptPool: new MemoryPool(keptNodeMemory, "Prepared statements and portals of this node"),
		temporaryMemory: {
			session: options.temporaryMemory ?? defaultTemporaryMemory,
			pool: new MemoryPool(temporaryNodeMemory, "The temporary tables of this node's sessions"),
		},
	};
	return shared;
}

function applyParameters(
	{ settings, context }: SessionState,
	parameters: readonly (readonly [name: string, value: string])[],
): void {
	for (const [name, value] of parameters) {
		if (notSettings.has(name) || name.startsWith("_pq_.")) continue;
		if (settingDefinition(name)?.settable === false) {
			throw new DatabaseError("55P02", `parameter "${name}" cannot be changed`, {
				severity: "FATAL",
			});
		}
		settings.setInitial(name, value);
	}
	context.refresh();
}

/** What sessions of a role begin with. What is said of the role goes before what is said of the database, and that of both before either. */
async function initialSettings(
	{ catalog, databaseOid }: NodeServices,
	role: RoleDescriptor,
): Promise<readonly (readonly [name: string, value: string])[]> {
	let known = catalog.known();
	try {
		known ??= await catalog.newest();
	} catch (error) {
		// A node that is cut off lets its operator in (`login.ts`).
		if (!isUnreachable(error)) throw error;
	}
	// What is said of all databases has no other place than the first one.
	const { everywhere, inDatabase, elsewhere } = role.settings ?? {};
	return Object.entries({
		...known?.rights(firstDatabaseOid)?.settings?.everywhere,
		...known?.rights(databaseOid)?.settings?.inDatabase,
		...everywhere,
		...(databaseOid === firstDatabaseOid ? inDatabase : elsewhere?.[databaseOid]),
	});
}

/** Those that this build does not take, which another may have written, are left out. */
function applyInitial(
	{ settings, context }: SessionState,
	values: readonly (readonly [name: string, value: string])[],
): void {
	for (const [name, value] of values) {
		try {
			settings.setInitial(name, judgedSetting(name, value, settings.surroundings(name)) ?? value);
		} catch (error) {
			if (!(error instanceof DatabaseError)) throw error;
		}
	}
	context.refresh();
}

export function createSessionFactory(options: SessionFactoryOptions): NodeSessions {
	const catalog = new Catalog(
		options.coordinator,
		options.placement,
		options.database ?? defaultDatabase,
	);
	const shared = services(options, catalog);
	const adopter = new BuildAdopter(shared, options.buildLookMs ?? defaultLookEveryMs);
	const rules = new KnownRules(catalog, shared.runtime);
	const clearEveryMs = options.limits?.collectMs ?? defaultClearEveryMs;
	const dropped = new DroppedData(shared, options.buildLookMs === 0 ? 0 : clearEveryMs);
	catalog.onNewer = (newer) => {
		adopter.follow(newer);
		dropped.follow(newer);
	};
	return {
		placementRules: () => rules.now(),
		async open(parameters, backendPid, address = "") {
			const user = parameters.get("user");
			if (user === undefined || user === "") {
				throw new DatabaseError("28000", "no PostgreSQL user name specified in startup packet", {
					severity: "FATAL",
				});
			}
			const services = await loginDatabase(shared, parameters.get("database") || user);
			const options = parseOptions(parameters.get("options") ?? "");
			const role = await loginRole(services, user);
			const session = new QuorateSession(services, role, backendPid, address);
			try {
				applyInitial(session.state, await initialSettings(services, role));
				applyParameters(session.state, [...options, ...parameters]);
			} catch (error) {
				await session.close();
				throw error;
			}
			return session;
		},
		loginFacts: (user) => loginFacts(shared, user),
		runner: new StatementRunner(shared.inDatabase(firstDatabaseOid, shared.database)),
		endTransactions: (reason, version) => endTransactions(shared, reason, version),
		dropEverything: () => dropEverything(shared),
		close: () => {
			adopter.close();
			dropped.close();
			shared.notifications.close();
		},
		adoptBuilds: () => adopter.look(),
		clearDropped: () => dropped.look(),
		statuses: () => [...shared.sessions].map(sessionStatus),
		statements: (shapesMost) => shared.statistics.report(shapesMost),
		tableOf: (key) => {
			const known = catalog.known();
			return known === undefined ? undefined : tableNameAt(known, key);
		},
	};
}
