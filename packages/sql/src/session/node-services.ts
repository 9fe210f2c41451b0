/** What all sessions of a node share, those of one database its catalog and plans. */
import type { NodeId } from "@quorate/keys/ids";
import type { Limits } from "@quorate/keys/limits";
import type { PlacementClient } from "@quorate/placement/types";
import type { Runtime } from "@quorate/runtime/runtime";
import type { AdvisoryLocks } from "@quorate/txn/advisory-locks";
import type { TransactionCoordinator } from "@quorate/txn/types";
import type { CatalogReader } from "../catalog/catalog.ts";
import type { CatalogSnapshot } from "../catalog/snapshot.ts";
import type { VirtualTable } from "../catalog/virtual-table.ts";
import type { RowIdSource } from "../execute/env.ts";
import type { MemoryPool } from "../execute/memory.ts";
import type { ClusterAccess } from "../types/cluster-access.ts";
import type { Datum } from "../types/datum.ts";
import type { FunctionContext } from "../types/registry.ts";
import type { NotificationHub } from "./notification-hub.ts";
import type { PlanCache } from "./plan-cache.ts";
import type { SequenceBlocks } from "./sequence-blocks.ts";
import type { SessionState } from "./session-state.ts";
import type { StatementStatistics } from "./statement-statistics.ts";
import type { TemporaryLimits } from "./temporary-store.ts";
import type { UtilityCache } from "./utility-cache.ts";

/** Functions about the catalog, answered by `catalog/system-functions.ts`. */
export type CatalogCall = (
	catalog: CatalogSnapshot,
	context: FunctionContext,
	name: string,
	args: readonly Datum[],
) => Datum;

export interface NodeServices {
	readonly runtime: Runtime;
	readonly coordinator: TransactionCoordinator;
	readonly placement: PlacementClient;
	/** Of the session's database; what the node itself does goes over all of them. */
	readonly catalog: CatalogReader;
	readonly plans: PlanCache;
	readonly utilities: UtilityCache;
	readonly statistics: StatementStatistics;
	readonly rowIds: RowIdSource;
	readonly objectIds: ObjectIds;
	readonly sequences: SequenceBlocks;
	readonly advisory: AdvisoryLocks;
	readonly notifications: NotificationHub;
	/** Open ones. */
	readonly sessions: Set<SessionState>;
	readonly cluster: ClusterAccess;
	readonly virtualTable: (schema: string, name: string) => VirtualTable | undefined;
	readonly catalogCall: CatalogCall;
	readonly database: string;
	readonly databaseOid: number;
	/** The same for sessions of another database. */
	inDatabase(oid: number, name: string): NodeServices;
	/** Tests only. */
	readonly limits: Limits;
	/** This node. */
	readonly nodeId: NodeId;
	/** Below which backups are; undefined: anywhere. */
	readonly backupRoot: string | undefined;
	/** Named in backups. */
	readonly clusterId: string;
	/** Bytes that one statement may keep in memory. */
	readonly statementMemory: number;
	/** What all statements together may. */
	readonly memoryPool: MemoryPool;
	/** For what sessions keep under names. */
	readonly keptPool: MemoryPool;
	readonly temporaryMemory: TemporaryLimits;
}

const rowBlock = 10_000;

/** Hidden row ids of this node. */
export class RowIds implements RowIdSource {
	readonly #placement: PlacementClient;
	#next = 0;
	#end = 0;
	#refilling: Promise<void> | undefined;

	constructor(placement: PlacementClient) {
		this.#placement = placement;
	}

	take(): number | undefined {
		return this.#next < this.#end ? this.#next++ : undefined;
	}

	refill(): Promise<void> {
		this.#refilling ??= this.#allocate().finally(() => {
			this.#refilling = undefined;
		});
		return this.#refilling;
	}

	async #allocate(): Promise<void> {
		const first = await this.#placement.allocate("row", rowBlock);
		this.#next = first;
		this.#end = first + rowBlock;
	}
}

const objectBlock = 16;

/** Object ids of this node: a few at a time, since every one is seen by people. */
export class ObjectIds {
	readonly #placement: PlacementClient;
	#next = 0;
	#end = 0;

	constructor(placement: PlacementClient) {
		this.#placement = placement;
	}

	async take(): Promise<number> {
		while (this.#next >= this.#end) {
			const first = await this.#placement.allocate("object", objectBlock);
			if (this.#next < this.#end) continue;
			this.#next = first;
			this.#end = first + objectBlock;
		}
		return this.#next++;
	}
}
