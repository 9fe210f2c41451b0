/** Sessions, transactions and locks of the whole cluster: what all nodes were asked for when the statement began to read. */
import { formatKey, type Key } from "@quorate/keys/key";
import { ownerProcess } from "@quorate/keys/lock-owner";
import { describeKey } from "../execute/violation.ts";
import { sessionsOf, type Wait, waitsOf } from "../types/activity-waits.ts";
import { arrayOf } from "../types/array-values.ts";
import type {
	ClusterActivity,
	LockStatus,
	NodeActivity,
	SessionStatus,
} from "../types/cluster-access.ts";
import type { Datum } from "../types/datum.ts";
import type { FunctionContext } from "../types/registry.ts";
import { databaseOf, firstDatabaseOid } from "./database.ts";
import type { TableDescriptor } from "./descriptor.ts";
import { decodeId } from "./keys.ts";
import { readAllStatsOid } from "./role.ts";
import { type CatalogSnapshot, namedIndexes } from "./snapshot.ts";
import { tablesOf } from "./system-relations.ts";
import type { SystemRow } from "./system-table.ts";

type Activity = ClusterActivity | undefined;

/** 2000-01-01 in milliseconds since 1970. */
const epochMs = 946_684_800_000;
export const timeOf = (ms: number | null): Datum =>
	ms === null ? null : BigInt(Math.round((ms - epochMs) * 1000));

/** The modes by which PostgreSQL locks rows. */
const modes = {
	"key share": "AccessShareLock",
	share: "RowShareLock",
	"no key update": "ExclusiveLock",
	update: "AccessExclusiveLock",
} as const;

/** The table that a key belongs to. */
export function relationOf(catalog: CatalogSnapshot, k: Key): TableDescriptor | undefined {
	if (k.charCodeAt(0) !== 2) {
		return undefined;
	}
	const indexId = decodeId(k, 1);
	return tablesOf(catalog).find(
		(table) =>
			table.primary.indexId === indexId ||
			namedIndexes(table).some((index) => index.indexId === indexId),
	);
}

/** Whose rows are at a key, for people; undefined: no table's. */
export function tableNameAt(catalog: CatalogSnapshot, k: Key): string | undefined {
	const relation = relationOf(catalog.everywhere, k);
	if (relation !== undefined || k.charCodeAt(0) !== 2) {
		return relation?.name;
	}
	const dropped = catalog.dropped.get(decodeId(k, 1));
	return dropped === undefined ? undefined : `${dropped ?? "?"} (dropped)`;
}

export function* activityRows(
	catalog: CatalogSnapshot,
	context: FunctionContext,
	activity: Activity,
): Iterable<SystemRow> {
	const waits = activity === undefined ? undefined : waitsOf(activity);
	const { roles } = catalog;
	for (const session of activity === undefined ? [] : sessionsOf(activity)) {
		const role = roles.byName(session.user);
		const isSeen =
			roles.hasRightsOf(context.currentRole, readAllStatsOid) ||
			(role !== undefined && roles.hasRightsOf(context.currentRole, role.oid));
		const wait = waits?.get(session.process);
		yield {
			datid: session.database ?? firstDatabaseOid,
			datname: catalog.databaseName(session.database ?? firstDatabaseOid) ?? null,
			pid: session.process,
			usesysid: role?.oid ?? null,
			usename: session.user,
			...(isSeen ? detailsOf(session, wait) : { query: "<insufficient privilege>" }),
			backend_type: "client backend",
		};
	}
}

/** What only those see who have the rights of the session's role. */
function detailsOf(session: SessionStatus, wait: Wait | undefined): SystemRow {
	const colon = session.client.lastIndexOf(":");
	const isIdle = session.state !== "active";
	return {
		application_name: session.application,
		client_addr: session.client.slice(0, Math.max(0, colon)) || null,
		client_port: Number(session.client.slice(colon + 1)) || null,
		backend_start: timeOf(session.startMs),
		xact_start: timeOf(session.transactionStartMs),
		query_start: timeOf(session.statementStartMs),
		state_change: timeOf(session.changeMs),
		wait_event_type: wait !== undefined ? "Lock" : isIdle ? "Client" : null,
		wait_event: wait !== undefined ? eventOf(wait) : isIdle ? "ClientRead" : null,
		state: session.state,
		query: session.text,
	};
}

const eventOf = ({ lock }: Wait): string => (lock.strength === null ? "transactionid" : "tuple");

export function* pgLockRows(
	catalog: CatalogSnapshot,
	_: FunctionContext,
	activity: Activity,
): Iterable<SystemRow> {
	for (const lock of activity?.nodes.flatMap((node) => node.locks) ?? []) {
		const { strength } = lock;
		const relation = relationOf(catalog.everywhere, lock.key);
		yield {
			locktype: strength === null ? "transactionid" : "tuple",
			database: databaseOf(relation ?? {}),
			relation: relation?.oid ?? null,
			virtualtransaction: lock.owner,
			pid: ownerProcess(lock.owner),
			mode: strength === null ? "ShareLock" : modes[strength],
			granted: lock.waitsSinceMs === null,
			fastpath: false,
			waitstart: timeOf(lock.waitsSinceMs),
		};
	}
	for (const { id, mode, granted, pid, node } of activity?.advisory ?? []) {
		yield {
			locktype: "advisory",
			database: firstDatabaseOid,
			...id,
			virtualtransaction: `${node}/${pid}`,
			pid,
			mode: mode === "exclusive" ? "ExclusiveLock" : "ShareLock",
			granted,
			fastpath: false,
		};
	}
}

function lockRow(
	catalog: CatalogSnapshot,
	context: FunctionContext,
	node: NodeActivity,
	lock: LockStatus,
): SystemRow {
	const process = ownerProcess(lock.owner);
	return {
		leaseholder: node.nodeId,
		range_id: BigInt(lock.rangeId),
		table_name: relationOf(catalog, lock.key)?.name ?? null,
		key: describeKey(catalog, lock.key, context, () => true) ?? formatKey(lock.key),
		pid: process,
		transaction: lock.owner,
		mode: lock.strength ?? "write",
		granted: lock.waitsSinceMs === null,
		waits_since: timeOf(lock.waitsSinceMs),
	};
}

/** Who has locked what, and who waits for whom, since when, on which range. */
export function* lockRows(
	catalog: CatalogSnapshot,
	context: FunctionContext,
	activity: Activity,
): Iterable<SystemRow> {
	const waits = activity === undefined ? undefined : waitsOf(activity);
	for (const node of activity?.nodes ?? []) {
		for (const lock of node.locks) {
			const wait = lock.waitsSinceMs === null ? undefined : waits?.get(ownerProcess(lock.owner));
			const blockedBy = wait?.lock === lock ? arrayOf(wait.processes) : null;
			const blockers: readonly string[] = lock.write === null ? lock.blockers : [lock.write];
			yield {
				...lockRow(catalog, context, node, lock),
				blocked_by: blockedBy,
				blocking_transactions: lock.waitsSinceMs === null ? null : arrayOf(blockers),
			};
		}
	}
}

export function* transactionRows(
	_catalog: CatalogSnapshot,
	_context: FunctionContext,
	activity: Activity,
): Iterable<SystemRow> {
	const waits = activity === undefined ? undefined : waitsOf(activity);
	for (const { nodeId, sessions } of activity?.nodes ?? []) {
		for (const { process, transaction, ...session } of sessions) {
			if (transaction === null) {
				continue;
			}
			const wait = waits?.get(process);
			yield {
				node_id: nodeId,
				pid: process,
				transaction: transaction.owner,
				commit_id: transaction.id,
				started: timeOf(session.transactionStartMs),
				state: session.state,
				isolation: transaction.isolation,
				mode: transaction.mode,
				read_only: transaction.readOnly,
				buffered_bytes: BigInt(transaction.bufferedBytes),
				waits_since: timeOf(wait?.lock.waitsSinceMs ?? null),
				waits_on_range: wait === undefined ? null : BigInt(wait.lock.rangeId),
				blocked_by: wait === undefined ? null : arrayOf(wait.processes),
			};
		}
	}
}

/** What a client is to be warned of. */
export function gapsOf({ nodes, silent }: ClusterActivity): readonly string[] {
	const gaps = silent.map(
		(node) => `node ${node} did not answer: its sessions, and the locks that it keeps, are missing`,
	);
	for (const { nodeId, locksLeftOut } of nodes) {
		if (locksLeftOut > 0) {
			gaps.push(`node ${nodeId} keeps ${locksLeftOut} more granted locks, which are left out`);
		}
	}
	return gaps;
}
