/**
 * The network of a cluster inside of a program: real TCP on the loopback interface, plus what real networks do and loopback never
 * does. A link between two nodes can be cut and healed; each connection belongs to the link of its two ends.
 *
 * N1. Nothing crosses a cut link, in either direction, and neither end is told: bytes, and the end of a connection, wait until
 *     it heals, as TCP's retransmissions do. Connecting over it fails by its timeout only.
 * N2. Links are of nodes only: clients reach every node that runs.
 * N3. Nodes call each other by names in the form of addresses, which outlive the program (they are on the nodes' disks); the
 *     ports behind them are free ones, others after each start.
 */
import { parseAddress } from "@quorate/runtime/address";
import type { Connection, Listener, Network } from "@quorate/runtime/runtime";
import { LinkConnection } from "./link-connection.ts";
import type { NodePort } from "./node-port.ts";
import { host } from "./port-block.ts";
import type { ProcessScope } from "./process-scope.ts";
import { ScopedConnection } from "./scoped-connection.ts";
import type { ScopedScheduler } from "./scoped-scheduler.ts";

/** Two nodes reach each other if they are in the same group. By position in the cluster. */
export type Groups = ReadonlyMap<number, number>;

/** What the nodes call the node at that position. */
export const nodeName = (position: number): string => `${host}:${position + 1}`;

/** A boot of a node. */
export interface NetworkUser {
	readonly position: number;
	readonly sqlPort: NodePort;
	readonly scope: ProcessScope;
	readonly scheduler: ScopedScheduler;
}

interface Call {
	readonly from: number;
	readonly to: number;
	readonly timeoutMs: number;
}

const coded = (code: string, message: string): Error => Object.assign(new Error(message), { code });

export class Loopback {
	readonly #real: Network;
	readonly #rpcPorts: readonly NodePort[];
	readonly #links = new Set<LinkConnection>();
	#groups: Groups = new Map();
	#waiting: (() => void)[] = [];

	/** Of all nodes, by position. */
	constructor(real: Network, rpcPorts: readonly NodePort[]) {
		this.#real = real;
		this.#rpcPorts = rpcPorts;
	}

	/** Replaces the partition before. */
	partition(groups: Groups): void {
		this.#groups = groups;
		for (const link of this.#links) link.setCut(this.isCut(link.from, link.to));
		for (const wake of this.#waiting.splice(0)) wake();
	}

	isCut(from: number, to: number): boolean {
		return this.#groups.get(from) !== this.#groups.get(to);
	}

	networkOf(user: NetworkUser): Network {
		const { position, sqlPort, scope } = user;
		const rpcPort = this.#rpcPorts[position]!;
		return {
			listen: async (address, accept) => {
				if (address === nodeName(position)) return listen(rpcPort, address, scope, accept);
				if (address === sqlPort.address) return listen(sqlPort, address, scope, accept);
				throw coded("EADDRNOTAVAIL", `${address} is not an address of this node`);
			},
			connect: async (address, timeoutMs) => {
				const to = (parseAddress(address)?.port ?? 0) - 1;
				if (nodeName(to) !== address || this.#rpcPorts[to] === undefined) {
					throw coded("EHOSTUNREACH", `${address} is not the name of a node of this cluster`);
				}
				return this.#connect({ from: position, to, timeoutMs }, user);
			},
		};
	}

	async #connect(call: Call, { scope, scheduler }: NetworkUser): Promise<Connection> {
		await this.#untilLinked(call, scheduler);
		const { from, to, timeoutMs } = call;
		return scope.guard(async () => {
			const { address } = this.#rpcPorts[to]!;
			if (address === undefined) throw coded("ECONNREFUSED", `node ${to + 1} is down`);
			const real = await this.#real.connect(address, timeoutMs);
			const link = new LinkConnection({ real, scope, scheduler, from, to });
			this.#links.add(link);
			link.onGone(() => this.#links.delete(link));
			link.setCut(this.isCut(from, to));
			return link;
		});
	}

	async #untilLinked({ from, to, timeoutMs }: Call, scheduler: ScopedScheduler): Promise<void> {
		if (!this.isCut(from, to)) return;
		let late = false;
		let wake: () => void = () => undefined;
		const timer = scheduler.setTimer(timeoutMs, () => {
			late = true;
			wake();
		});
		while (this.isCut(from, to)) {
			if (late) {
				throw coded("ETIMEDOUT", `connecting to node ${to + 1} took over ${timeoutMs} ms`);
			}
			await new Promise<void>((resolve) => {
				wake = resolve;
				this.#waiting.push(resolve);
			});
		}
		timer.cancel();
	}
}

function listen(
	port: NodePort,
	address: string,
	scope: ProcessScope,
	accept: (connection: Connection) => void,
): Listener {
	port.claim((real) => {
		const connection = new ScopedConnection(real, scope, () => port.connections.delete(connection));
		port.connections.add(connection);
		accept(connection);
	});
	return { address, close: () => port.close() };
}
