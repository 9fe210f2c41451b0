/** Nodes with the whole of this package on them, over `TestWorld`, `TestRpc` and `TestGroup`. */
import { bootId, clusterId, nodeId } from "@quorate/keys/ids";
import { NodeAddressBook } from "../address-book.ts";
import { placementConfiguration } from "../genesis.ts";
import { type Placement, startPlacement } from "../placement.ts";
import type { NodeIdentity } from "../types.ts";
import { TestGroup, testHost } from "./test-raft.ts";
import { TestRpc } from "./test-rpc.ts";
import { TestDisk, TestProcess, TestWorld } from "./test-world.ts";

export interface TestNode {
	readonly process: TestProcess;
	readonly rpc: TestRpc;
	readonly book: NodeAddressBook;
	readonly placement: Placement;
	isEnded: boolean;
}

export const addressOf = (id: number): string => `10.0.0.${id}:1`;

export class TestCluster {
	readonly world: TestWorld;
	readonly group: TestGroup;
	readonly nodes = new Map<number, TestNode>();
	readonly #disks = new Map<number, TestDisk>();
	readonly #founders: NodeIdentity["founders"];
	#boots = 0;

	constructor(seed: number) {
		this.world = new TestWorld(seed);
		this.#founders = [1, 2, 3].map((id) => ({ nodeId: nodeId(id), address: addressOf(id) }));
		this.group = new TestGroup(this.world, placementConfiguration(this.#founders));
	}

	/** Founders 1 to 3, registered. */
	static async of(seed: number): Promise<TestCluster> {
		const cluster = new TestCluster(seed);
		for (const id of [1, 2, 3]) {
			await cluster.start(id);
		}
		await cluster.settle(
			Promise.all([...cluster.nodes.values()].map((n) => n.placement.registered)),
		);
		return cluster;
	}

	/** By node: what it shows to others now. */
	readonly certificates = new Map<number, string>();

	async start(id: number, address = addressOf(id)): Promise<TestNode> {
		const disk = this.#disks.get(id) ?? new TestDisk();
		this.#disks.set(id, disk);
		const process = new TestProcess(this.world, address, disk);
		const book = await NodeAddressBook.open(process.runtime);
		const rpc = new TestRpc(process, book);
		const identity: NodeIdentity = {
			clusterId: clusterId("0".repeat(32)),
			nodeId: nodeId(id),
			founders: this.#founders,
		};
		rpc.identify(identity);
		const placement = await startPlacement({
			runtime: process.runtime,
			rpc,
			host: testHost(this.group, process),
			identity,
			addressBook: book,
			bootId: bootId(`${id}.${++this.#boots}`),
			address,
			sqlAddress: "",
			locality: "",
			certificate: () => this.certificates.get(id),
			onEnded: () => {
				node.isEnded = true;
			},
		});
		const node: TestNode = { process, rpc, book, placement, isEnded: false };
		this.nodes.set(id, node);
		return node;
	}

	node(id: number): TestNode {
		return this.nodes.get(id)!;
	}

	/** Lets virtual time pass until the promise is settled, at most for a minute. */
	async settle<T>(promise: Promise<T>): Promise<T> {
		let isSettled = false;
		const mark = () => {
			isSettled = true;
		};
		promise.then(mark, mark);
		await this.world.run(this.world.nowMs + 60_000, () => isSettled);
		if (!isSettled) {
			throw new Error("not settled after a minute");
		}
		return promise;
	}

	async pass(ms: number): Promise<void> {
		await this.world.run(this.world.nowMs + ms);
	}
}
