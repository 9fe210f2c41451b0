/**
 * Deadlocks across nodes. A leaseholder reports the waits that have lasted over 100 ms, for locks and for writes of transactions
 * that have not ended, to one detector (at the placement leader), again and again while they last.
 *
 * 1. A cycle counts only if all its waits were there at one time: each was reported again, as the same wait, after the last of them
 *    had been reported first. A wait that is gone meanwhile makes no victim.
 * 2. One victim a cycle, the youngest; shorter cycles go first, and one that a victim has broken needs no other.
 */
import { assert } from "@quorate/keys/assert";
import type { LockOwner, NodeId, TransactionId } from "@quorate/keys/ids";
import { formatKey } from "@quorate/keys/key";
import { isYounger, ownerBoot, ownerProcess } from "@quorate/keys/lock-owner";
import type { Victim, WaitEdge } from "./wait-edge.ts";

/** Waits shorter than this are not reported. */
export const reportAfterMs = 100;
/** Between two reports of a node: a cycle takes two, and is to be found within 300 ms of its beginning. */
export const reportEveryMs = 50;
/** Reports of a node that are older count as gone. */
const staleMs = 1_000;

interface Reported {
	readonly edge: WaitEdge;
	/** When the wait was reported first. */
	readonly firstMs: number;
	readonly lastMs: number;
}

interface Report {
	readonly atMs: number;
	/** By what makes a wait the same. */
	readonly edges: ReadonlyMap<string, Reported>;
}

/** An edge between owners. */
interface Step {
	readonly from: LockOwner;
	readonly to: LockOwner;
	readonly reported: Reported;
}

type Graph = ReadonlyMap<LockOwner, readonly Step[]>;

export class DeadlockDetector {
	readonly #reports = new Map<NodeId, Report>();

	/** All long waits at one node now; replaces its report before. Returns the victims that follow. */
	report(node: NodeId, edges: readonly WaitEdge[], nowMs: number): Victim[] {
		for (const [from, report] of this.#reports) {
			if (nowMs - report.atMs > staleMs) {
				this.#reports.delete(from);
			}
		}
		const before = this.#reports.get(node)?.edges;
		const reported = new Map<string, Reported>();
		for (const edge of edges) {
			const name = nameOf(edge);
			const firstMs = before?.get(name)?.firstMs ?? nowMs;
			reported.set(name, { edge, firstMs, lastMs: nowMs });
		}
		this.#reports.set(node, { atMs: nowMs, edges: reported });
		return victims(this.#graph());
	}

	#graph(): Graph {
		const all = [...this.#reports.values()].flatMap((r) => [...r.edges.values()]);
		// Whoever waits says under which transaction it has prepared something; who does not wait is in no cycle.
		const owners = new Map<TransactionId, LockOwner>();
		for (const { edge } of all) {
			if (edge.transaction !== null) {
				owners.set(edge.transaction, edge.waiter);
			}
		}
		const graph = new Map<LockOwner, Step[]>();
		for (const reported of all) {
			const { waiter: from, holder, of } = reported.edge;
			const to = holder ?? (of === null ? undefined : owners.get(of));
			if (to !== undefined && to !== from) {
				const steps = graph.get(from) ?? [];
				graph.set(from, steps);
				steps.push({ from, to, reported });
			}
		}
		return graph;
	}
}

const nameOf = (e: WaitEdge): string => JSON.stringify([e.waiter, e.holder, e.of, e.key, e.since]);

function victims(graph: Graph): Victim[] {
	const found: Victim[] = [];
	const gone = new Set<LockOwner>();
	const cycles = [...graph.keys()]
		.sort()
		.flatMap((start) => shortestCycle(graph, start, gone) ?? [])
		.sort((a, b) => a.length - b.length);
	for (const { start } of cycles) {
		// Victims of other cycles may have broken it; then another may go through the same transaction.
		const cycle = gone.has(start) ? undefined : shortestCycle(graph, start, gone);
		if (cycle !== undefined && lastsAtOnce(cycle.steps)) {
			const victim = victimOf(cycle.steps);
			found.push(victim);
			gone.add(victim.owner);
		}
	}
	return found;
}

interface Cycle {
	readonly start: LockOwner;
	readonly steps: readonly Step[];
	readonly length: number;
}

/** A shortest cycle through `start`, or undefined. Those that are gone are in none. */
function shortestCycle(
	graph: Graph,
	start: LockOwner,
	gone: ReadonlySet<LockOwner>,
): Cycle | undefined {
	/** The step by which each was come to. */
	const by = new Map<LockOwner, Step>();
	let reached: LockOwner[] = [start];
	while (reached.length > 0) {
		const next: LockOwner[] = [];
		for (const owner of reached) {
			for (const step of graph.get(owner) ?? []) {
				if (step.to === start) {
					const steps = [...pathTo(owner, start, by), step];
					return { start, steps, length: steps.length };
				}
				if (!by.has(step.to) && !gone.has(step.to)) {
					by.set(step.to, step);
					next.push(step.to);
				}
			}
		}
		reached = next;
	}
	return undefined;
}

function pathTo(owner: LockOwner, start: LockOwner, by: ReadonlyMap<LockOwner, Step>): Step[] {
	const path: Step[] = [];
	for (let at = owner; at !== start; ) {
		const step = by.get(at);
		assert(step !== undefined, "what was reached was come to by a step");
		path.unshift(step);
		at = step.from;
	}
	return path;
}

/** Each wait has been seen since the last of them was seen first. */
function lastsAtOnce(steps: readonly Step[]): boolean {
	const complete = Math.max(...steps.map(({ reported }) => reported.firstMs));
	return steps.every(({ reported }) => reported.lastMs > complete);
}

function victimOf(steps: readonly Step[]): Victim {
	let at = 0;
	for (const [i, step] of steps.entries()) {
		if (isYounger(step.from, steps[at]!.from)) {
			at = i;
		}
	}
	// As PostgreSQL tells it, the victim's own wait comes first.
	const told = [...steps.slice(at), ...steps.slice(0, at)];
	const { edge } = told[0]!.reported;
	const detail = told.filter(isBetweenSessions).map(describe).join("\n");
	return { owner: edge.waiter, key: edge.key, since: edge.since, detail };
}

/** A session that waits for what it runs itself (its advisory locks last so long) is nothing that people know as a wait. */
const isBetweenSessions = ({ from, to }: Step): boolean =>
	ownerProcess(from) !== ownerProcess(to) || ownerBoot(from) !== ownerBoot(to);

function describe({ from, to, reported }: Step): string {
	const { strength, key, advisory } = reported.edge;
	const row = strength === null ? "the end of a write" : `a lock for ${strength}`;
	const what = advisory ?? `${row} on key ${formatKey(key)}`;
	return `Process ${ownerProcess(from)} waits for ${what}; blocked by process ${ownerProcess(to)}.`;
}
