/**
 * A cluster in one process: nodes that are started by the wiring of production, on simulated machines of one world.
 *
 * Whoever works with it (clients, faults, checks) is plain asynchronous code outside of the machines that waits for nothing
 * but virtual time and the nodes' promises; `run` lets it go on until it is done.
 */
import type { VersionSpan } from "@quorate/keys/cluster-version";
import type { Key } from "@quorate/keys/key";
import type { Limits } from "@quorate/keys/limits";
import type { Mutations } from "@quorate/keys/mutations";
import type { RunningNode } from "@quorate/server/node";
import type { CrashKind } from "../runtime/machine.ts";
import { World, type WorldOptions } from "../runtime/world.ts";
import { Monitor } from "./monitor/monitor.ts";
import { nodePort, SimNode } from "./sim-node.ts";
import { WorkCounts } from "./work-counts.ts";

export interface ClusterOptions {
	/** Those that the cluster begins with. Default 3. */
	readonly nodes?: number;
	/** Those that join it. Default 0. */
	readonly spares?: number;
	/** The scheduler moves nothing unless they say so: tests say themselves where replicas are. */
	readonly limits?: Limits;
	readonly mutations?: Mutations;
	/** Of the nodes, in their order; those that have none say nothing. */
	readonly localities?: readonly string[];
	/** Versions of the cluster that their builds can, where it is not all that there are. */
	readonly versions?: VersionSpan;
	readonly world?: WorldOptions;
	/** Called with every event of the harness: faults, ends of transactions. */
	readonly onEvent?: (line: string) => void;
}

/** Events kept for the report of a failure. */
const eventsKept = 60;
const startMs = 60_000;

export class SimCluster {
	readonly world: World;
	readonly nodes: readonly SimNode[];
	/** Those of them that no founder's vote is lost with. */
	readonly spares: readonly SimNode[];
	/** What must never happen and did. */
	readonly problems: string[] = [];
	/** Judges what all nodes do, at each step. */
	readonly monitor = new Monitor((what) => this.#problem(what));
	/** What took longer than it should: a failure as well, but no proof that something is wrong with what was done. */
	readonly delays: string[] = [];
	readonly events: string[] = [];
	/** Virtual milliseconds for which the dead were in somebody's way. */
	readonly bereavedMs: Record<CrashKind, number[]> = { process: [], power: [] };
	/** Splits that were asked for and done. */
	splits = 0;
	/** Replicas and leases are moved by the cluster itself. */
	readonly isScheduled: boolean;
	/** It merges ranges itself, soon enough for a run to see it. */
	readonly mergesBySize: boolean;
	readonly #onEvent: ((line: string) => void) | undefined;

	constructor(seed: number, options: ClusterOptions = {}) {
		const founders = options.nodes ?? 3;
		const count = founders + (options.spares ?? 0);
		this.world = new World(seed, options.world);
		this.#onEvent = options.onEvent;
		const limits = { schedulerMs: 0, ...options.limits };
		this.isScheduled = limits.schedulerMs > 0;
		this.mergesBySize = this.isScheduled && (limits.mergeAfterMs ?? 0) > 0;
		const machines = Array.from({ length: count }, (_, i) => this.world.addMachine(i + 1));
		const join = machines.slice(0, founders).map((m) => `${m.host}:${nodePort}`);
		this.nodes = machines.map(
			(machine, i) =>
				new SimNode({
					world: this.world,
					machine,
					join,
					locality: options.localities?.[i] ?? "",
					limits,
					mutations: options.mutations,
					problem: (what) => this.#problem(what),
					monitor: this.monitor,
				}),
		);
		for (const node of this.nodes) node.versions = options.versions;
		this.spares = this.nodes.slice(founders);
	}

	#problem(what: string): void {
		this.problems.push(what);
		this.event(what);
	}

	event(text: string): void {
		const line = `${this.world.nowMs.toFixed(3)} ${text}`;
		if (this.events.length >= 2 * eventsKept) this.events.splice(0, eventsKept);
		this.events.push(line);
		this.#onEvent?.(line);
	}

	/** The nodes that serve now. */
	serving(): readonly RunningNode[] {
		return this.nodes.flatMap((n) => n.keyValue ?? []);
	}

	/** Runs the world until `work` is done. */
	run<T>(work: Promise<T>, withinMs: number): Promise<T> {
		return this.world.complete(work, withinMs);
	}

	/** Forms the cluster. */
	async start(): Promise<void> {
		for (const node of this.nodes) node.start();
		await this.run(
			this.until("the cluster forms", startMs, () => this.#allServe()),
			startMs + 1,
		);
	}

	#allServe(): boolean {
		return this.nodes.every((n) => n.keyValue !== undefined) || this.problems.length > 0;
	}

	/** Everything that is down comes up, every fault ends. Resolves when all nodes serve. */
	async heal(): Promise<void> {
		this.world.network.heal();
		for (const node of this.nodes) {
			node.disksWork();
			if (node.machine.clock.rate !== 1) node.machine.setClockRate(1);
			if (!node.isUp) node.start();
		}
		await this.until("all nodes serve again", startMs, () => this.#allServe());
	}

	/** Within the run: waits for a condition, or notes a problem. */
	async until(
		what: string,
		withinMs: number,
		condition: () => boolean | Promise<boolean>,
	): Promise<boolean> {
		const deadlineMs = this.world.nowMs + withinMs;
		while (!(await condition())) {
			if (this.world.nowMs >= deadlineMs) {
				this.problems.push(`waited ${withinMs} virtual ms in vain until ${what}`);
				return false;
			}
			await this.world.sleep(20);
		}
		return true;
	}

	/** Asks some serving node, again until it works. */
	async administer(
		what: string,
		task: (node: RunningNode) => Promise<unknown>,
		attempts = 20,
	): Promise<boolean> {
		for (let i = 0; i < attempts; i++) {
			const up = this.nodes.filter((n) => n.keyValue !== undefined);
			const node = up[i % Math.max(1, up.length)];
			if (node?.keyValue !== undefined) {
				const done = await Promise.race([
					task(node.keyValue).then(
						() => "done",
						(error: Error) => error.message,
					),
					node.ended,
				]);
				if (done === "done") return true;
				this.event(`${what}: ${done ?? "its node has ended"}`);
			}
			await this.world.sleep(100);
		}
		return false;
	}

	async splitAt(keys: readonly Key[], attempts = 20): Promise<boolean> {
		const done = await this.administer("split", (n) => n.coordinator.splitAt(keys), attempts);
		if (done) this.splits += keys.length;
		return done;
	}

	mergeAt(keys: readonly Key[], attempts = 20): Promise<boolean> {
		return this.administer("merge", (n) => n.coordinator.mergeAt(keys), attempts);
	}

	/** From now on a message between nodes takes so long, and never longer; clients are as near as before. */
	moveApart(oneWayMs: number): void {
		for (const a of this.nodes) {
			for (const b of this.nodes) {
				if (a === b) continue;
				const link = this.world.network.link(a.machine, b.machine);
				link.latencyMsMin = oneWayMs;
				link.latencyMsMean = 0;
			}
		}
	}

	/** What all nodes did. */
	work(): WorkCounts {
		const sum = new WorkCounts();
		for (const node of this.nodes) sum.add(node.work);
		return sum;
	}
}
