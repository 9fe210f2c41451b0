/**
 * Faults, drawn from the seed: one begins every second or so, each lasts for a while, several may overlap. Between bursts the
 * cluster is left alone long enough to get work done.
 */
import type { Key } from "@quorate/keys/key";
import type { Machine } from "../runtime/machine.ts";
import type { SeededRandom } from "../runtime/seeded-random.ts";
import { type FaultMenu, menus } from "./fault-menus.ts";
import type { SimCluster } from "./sim-cluster.ts";
import type { SimNode } from "./sim-node.ts";

export interface NemesisOptions {
	/** Keys that splits and lease moves are drawn from. */
	readonly keys: readonly Key[];
	/** Between the beginnings of two faults. */
	readonly pauseMsMean: number;
	readonly menu: FaultMenu;
	/** Faults at the same time; else as many as the menu says. */
	readonly atOnce?: number | undefined;
	/** Where clients live that reach nodes over the network. */
	readonly clients?: readonly Machine[];
}

export type Fault = (nemesis: Nemesis) => Promise<void>;

export class Nemesis {
	readonly cluster: SimCluster;
	readonly random: SeededRandom;
	readonly options: NemesisOptions;
	/** Faults of which there is one at a time, by name. */
	readonly exclusive = new Set<string>();
	#underWay = 0;

	constructor(cluster: SimCluster, options: NemesisOptions) {
		this.cluster = cluster;
		this.random = cluster.world.random("nemesis");
		this.options = options;
	}

	/** Injects faults until `goesOn` says no; resolves when the last has ended. */
	async run(goesOn: () => boolean): Promise<void> {
		const { world } = this.cluster;
		const atOnce = this.options.atOnce ?? menus[this.options.menu].atOnce;
		while (goesOn()) {
			await world.sleep(this.random.exponential(this.options.pauseMsMean));
			if (!goesOn()) break;
			if (this.#underWay < atOnce) this.#begin(this.#draw());
		}
		while (this.#underWay > 0) await world.sleep(50);
	}

	#begin(fault: Fault): void {
		this.#underWay++;
		this.cluster.world.count("faults");
		void fault(this).finally(() => {
			this.#underWay--;
		});
	}

	#draw(): Fault {
		const { faults } = menus[this.options.menu];
		const weight = faults.reduce((sum, [w]) => sum + w, 0);
		let at = this.random.below(weight);
		for (const [w, fault] of faults) {
			at -= w;
			if (at < 0) return fault;
		}
		throw new Error("weights are positive");
	}

	node(): SimNode {
		return this.random.pick(this.cluster.nodes);
	}

	/** Nodes that lead something. */
	leaders(): readonly SimNode[] {
		return this.cluster.nodes.filter((n) => (n.keyValue?.host.statistics().leaders ?? 0) > 0);
	}

	leader(): SimNode {
		const leaders = this.leaders();
		return this.random.pick(leaders.length > 0 ? leaders : this.cluster.nodes);
	}

	/** More often than not one that leads something. */
	victim(): SimNode {
		return this.random.chance(0.6) ? this.leader() : this.node();
	}

	/** The node that leads the placement group, as far as known. */
	controller(): SimNode {
		const leader = this.cluster.serving()[0]?.placement.calls.leader;
		const node = this.cluster.nodes.find((n) => n.keyValue?.nodeId === leader);
		return node ?? this.node();
	}

	machinesBut(node: SimNode): Machine[] {
		return this.cluster.nodes.filter((other) => other !== node).map((other) => other.machine);
	}

	/** Every link of the node with the others carries again. */
	unblock(node: SimNode): void {
		const { network } = this.cluster.world;
		for (const other of this.machinesBut(node)) {
			network.link(node.machine, other).setBlocked(false);
			network.link(other, node.machine).setBlocked(false);
		}
	}

	sleep(leastMs: number, mostMs: number): Promise<void> {
		return this.cluster.world.sleep(this.random.between(leastMs, mostMs));
	}

	say(what: string): void {
		this.cluster.event(`fault: ${what}`);
	}
}
