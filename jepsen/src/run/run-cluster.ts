/** The nodes of a run: as many processes as asked for, and one more that may join them. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { allocatorSettings } from "quorate/node-program";
import { NodeProcess } from "../harness/node-process.ts";
import { quorateProgram } from "../harness/process-cluster.ts";
import type { Network } from "../net/network.ts";
import { Session } from "../net/session.ts";
import { FakedClock } from "../nodes/faked-clock.ts";
import { type Hooks, hooksVariable } from "../nodes/hooks.ts";
import { LoopDisk } from "../soak/loop-disk.ts";
import { SmallDisk } from "../soak/small-disk.ts";
import type { SeededRandom } from "../workload/random.ts";
import { pick } from "../workloads/workload.ts";

export type DiskKind = "plain" | "small" | "loop";

export interface RunClusterOptions {
	readonly network: Network;
	/** Those that the cluster begins with; the network has a place for one more. */
	readonly nodeCount: number;
	readonly disk: DiskKind;
	/** Nodes run the program with hooks, instead of `quorate start` itself. */
	readonly hooks: Hooks | undefined;
	/** Each node's wall clock can be set wrong from below. */
	readonly fakesClocks: boolean;
	/** Where logs go. */
	readonly logs: string;
}

const smallDiskMiB = 192;

const programWithHooks: readonly string[] = [
	"env",
	...allocatorSettings,
	process.execPath,
	fileURLToPath(new URL("../nodes/node-with-hooks.js", import.meta.url)),
];

export class RunCluster {
	readonly network: Network;
	/** In the places of the network; one that has left is another process, if it comes back. */
	readonly nodes: NodeProcess[] = [];
	/** Places of the nodes that belong to the cluster. */
	readonly members: Set<number>;
	readonly smallDisks: SmallDisk[] = [];
	readonly loopDisks: LoopDisk[] = [];
	readonly #clocks: FakedClock[] = [];
	readonly #options: RunClusterOptions;
	readonly #directory = mkdtempSync(join(tmpdir(), "quorate-jepsen-"));
	#lives = 0;

	constructor(options: RunClusterOptions) {
		this.#options = options;
		this.network = options.network;
		this.members = new Set(Array.from({ length: options.nodeCount }, (_, place) => place));
		for (const place of options.network.places.keys()) {
			if (options.disk === "small") this.smallDisks.push(new SmallDisk(smallDiskMiB));
			if (options.disk === "loop") {
				this.loopDisks.push(new LoopDisk(this.#directory, `d${place + 1}`));
			}
			if (options.fakesClocks) {
				this.#clocks.push(new FakedClock(join(this.#directory, `clock${place + 1}`)));
			}
			this.nodes.push(this.#node(place));
		}
	}

	/** Resolves when every member serves. */
	async start(): Promise<void> {
		const members = this.membersNow();
		for (const node of members) node.start();
		await Promise.all(members.map((node) => node.untilServes()));
	}

	membersNow(): readonly NodeProcess[] {
		return [...this.members].sort((a, b) => a - b).map((place) => this.nodes[place]!);
	}

	/** The place without a member; undefined: all have one. */
	spare(): number | undefined {
		return [...this.nodes.keys()].find((place) => !this.members.has(place));
	}

	/** A new process on an empty disk, in a place that nobody has. */
	async join(place: number): Promise<NodeProcess> {
		const node = this.#node(place);
		this.nodes[place] = node;
		node.start();
		await node.untilServes();
		this.members.add(place);
		return node;
	}

	/** What is left of it is of no use any more. */
	async leave(place: number): Promise<void> {
		this.members.delete(place);
		await this.nodes[place]!.kill();
		rmSync(this.nodes[place]!.description.data, { recursive: true, force: true });
	}

	dataOf(node: NodeProcess): string {
		return node.description.data;
	}

	/** Of the place, whoever is in it. */
	clockOf(node: NodeProcess): FakedClock {
		return this.#clocks[this.placeOf(node)]!;
	}

	/** A session on one of the members that run; tries them all. */
	async session(random: SeededRandom, name: string): Promise<Session> {
		const members = this.membersNow();
		const first = random.between(0, members.length - 1);
		let last: unknown = new Error("no node runs");
		for (let i = 0; i < members.length; i++) {
			const node = members[(first + i) % members.length]!;
			if (!node.running) continue;
			try {
				return await Session.open(node, name);
			} catch (error) {
				last = error;
			}
		}
		throw last;
	}

	/** Starts what does not run and resolves when all members serve. */
	async startAll(): Promise<void> {
		const members = this.membersNow();
		for (const node of members) {
			node.resumeIfRunning();
			if (!node.running) node.start();
		}
		await Promise.all(members.map((node) => node.untilServes()));
	}

	throwIfEnded(): void {
		for (const node of this.membersNow()) node.throwIfEnded();
	}

	pickMember(random: SeededRandom): NodeProcess {
		return pick(random, this.membersNow());
	}

	placeOf(node: NodeProcess): number {
		return this.nodes.indexOf(node);
	}

	async close(): Promise<void> {
		const running = this.nodes.filter((node) => node.running);
		await Promise.all(running.map((node) => node.kill()));
		for (const disk of [...this.smallDisks, ...this.loopDisks]) disk.remove();
		rmSync(this.#directory, { recursive: true, force: true, maxRetries: 3 });
	}

	#node(place: number): NodeProcess {
		const { network, hooks, logs, nodeCount } = this.#options;
		const { host, sqlPort, peerPort, adminPort, wrap, via } = network.places[place]!;
		const isHooked = hooks !== undefined || Object.keys(via).length > 0;
		const life = this.#lives++;
		const parent =
			this.smallDisks[place]?.directory ?? this.loopDisks[place]?.directory ?? this.#directory;
		const data = join(parent, `n${place + 1}-${life}`);
		mkdirSync(data, { recursive: true });
		const first = network.places.slice(0, nodeCount);
		return new NodeProcess({
			name: `n${place + 1}`,
			program: [...wrap, ...(isHooked ? programWithHooks : quorateProgram)],
			host,
			join: first.map((p) => `${p.host}:${p.peerPort}`).join(","),
			data,
			log: join(logs, `n${place + 1}.log`),
			sqlPort,
			peerPort,
			adminPort,
			takesMessages: isHooked,
			environment: {
				...(isHooked ? { [hooksVariable]: JSON.stringify({ ...hooks, via }) } : {}),
				...this.#clocks[place]?.environment,
			},
		});
	}
}
