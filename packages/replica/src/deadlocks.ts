/**
 * Deadlocks across nodes. A leaseholder reports lock waits that have lasted over 100 ms to one detector (at the placement
 * leader), again and again while they last. A cycle counts only when every one of its edges has been reported anew after the cycle was first
 * seen: an edge that is gone meanwhile makes no victim. The youngest of the cycle fails.
 */
import type { LockOwner, NodeId } from "@quorate/keys/ids";
import { formatKey, type Key } from "@quorate/keys/key";

export interface WaitEdge {
	readonly waiter: LockOwner;
	readonly holder: LockOwner;
	readonly key: Key;
}

export interface Victim {
	readonly owner: LockOwner;
	/** The key that it waits for: its place in that queue is what ends. */
	readonly key: Key;
	readonly detail: string;
}

/** Edges shorter than this are not reported. */
export const reportAfterMs = 100;
/** Reports of a node that are older count as gone. */
const staleMs = 1_000;

interface Report {
	readonly atMs: number;
	readonly edges: readonly WaitEdge[];
}

export class DeadlockDetector {
	readonly #reports = new Map<NodeId, Report>();
	/** Cycles seen, by their members: when first, to be confirmed by later reports. */
	readonly #suspected = new Map<string, number>();

	/** All long waits at one node now; replaces its report before. Returns the victims that follow. */
	report(node: NodeId, edges: readonly WaitEdge[], nowMs: number): Victim[] {
		this.#reports.set(node, { atMs: nowMs, edges });
		const graph = new Map<LockOwner, { readonly edge: WaitEdge; readonly atMs: number }[]>();
		for (const [from, report] of this.#reports) {
			if (nowMs - report.atMs > staleMs) {
				this.#reports.delete(from);
				continue;
			}
			for (const edge of report.edges) {
				const list = graph.get(edge.waiter) ?? [];
				graph.set(edge.waiter, list);
				list.push({ edge, atMs: report.atMs });
			}
		}
		return this.#victims(graph, nowMs);
	}

	#victims(
		graph: ReadonlyMap<LockOwner, readonly { readonly edge: WaitEdge; readonly atMs: number }[]>,
		nowMs: number,
	): Victim[] {
		const victims: Victim[] = [];
		const gone = new Set<LockOwner>();
		const live = new Set<string>();
		for (const start of [...graph.keys()].sort()) {
			const cycle = findCycle(graph, start, gone);
			if (cycle === undefined) {
				continue;
			}
			const name = cycle
				.map(({ edge }) => edge.waiter)
				.sort()
				.join(" ");
			live.add(name);
			const first = this.#suspected.get(name);
			if (first === undefined) {
				this.#suspected.set(name, nowMs);
			} else if (cycle.every((step) => step.atMs > first)) {
				const victim = youngest(cycle.map(({ edge }) => edge));
				victims.push(victim);
				gone.add(victim.owner);
				this.#suspected.delete(name);
			}
		}
		for (const name of this.#suspected.keys()) {
			if (!live.has(name)) {
				this.#suspected.delete(name);
			}
		}
		return victims;
	}
}

/** A cycle through `start`, or undefined. */
function findCycle(
	graph: ReadonlyMap<LockOwner, readonly { readonly edge: WaitEdge; readonly atMs: number }[]>,
	start: LockOwner,
	gone: ReadonlySet<LockOwner>,
): { readonly edge: WaitEdge; readonly atMs: number }[] | undefined {
	const path: { readonly edge: WaitEdge; readonly atMs: number }[] = [];
	const visited = new Set<LockOwner>();
	const visit = (owner: LockOwner): boolean => {
		for (const step of graph.get(owner) ?? []) {
			const next = step.edge.holder;
			if (gone.has(next) || gone.has(owner)) {
				continue;
			}
			path.push(step);
			if (next === start) {
				return true;
			}
			if (!visited.has(next)) {
				visited.add(next);
				if (visit(next)) {
					return true;
				}
			}
			path.pop();
		}
		return false;
	};
	return visit(start) ? path : undefined;
}

/** Owners carry the time of their transaction's beginning (see `lockOwnerAge`). */
function youngest(cycle: readonly WaitEdge[]): Victim {
	let victim = cycle[0]!;
	for (const edge of cycle) {
		if (lockOwnerAge(edge.waiter) > lockOwnerAge(victim.waiter)) {
			victim = edge;
		}
	}
	const detail = cycle
		.map(
			(e) =>
				`Transaction ${e.waiter} waits for transaction ${e.holder} on key ${formatKey(e.key)}.`,
		)
		.join("\n");
	return { owner: victim.waiter, key: victim.key, detail };
}

/** The last part of an owner: an issued timestamp of about its beginning, in base 36. Greater is younger. */
function lockOwnerAge(owner: LockOwner): number {
	return Number.parseInt(owner.slice(owner.lastIndexOf("/") + 1), 36);
}
