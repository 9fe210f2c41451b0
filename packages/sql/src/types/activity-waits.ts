/** Who waits for whom, out of what all nodes said. */
import type { TransactionId } from "@quorate/keys/ids";
import { ownerProcess } from "@quorate/keys/lock-owner";
import type { ClusterActivity, LockStatus, SessionStatus } from "./cluster-access.ts";

export interface Wait {
	readonly lock: LockStatus;
	/** Of the sessions that it waits for; 0: a node's own transaction, or one that is not known. */
	readonly processes: readonly number[];
}

/** The waits of sessions, by process. */
export function waitsOf(activity: ClusterActivity): ReadonlyMap<number, Wait> {
	const writers = new Map<TransactionId, number>();
	for (const { process, transaction } of sessionsOf(activity)) {
		if (transaction?.id != null) {
			writers.set(transaction.id, process);
		}
	}
	const waits = new Map<number, Wait>();
	for (const lock of activity.nodes.flatMap((node) => node.locks)) {
		if (lock.waitsSinceMs !== null) {
			const write = lock.write === null ? [] : [writers.get(lock.write) ?? 0];
			const processes = [...new Set([...lock.blockers.map(ownerProcess), ...write])];
			waits.set(ownerProcess(lock.owner), { lock, processes });
		}
	}
	return waits;
}

export const sessionsOf = (activity: ClusterActivity): readonly SessionStatus[] =>
	activity.nodes.flatMap((node) => node.sessions);

/** pg_blocking_pids. */
export function blockingProcesses(activity: ClusterActivity, process: number): readonly number[] {
	return waitsOf(activity).get(process)?.processes ?? [];
}
