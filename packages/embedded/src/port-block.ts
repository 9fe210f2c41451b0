/**
 * The ports of one cluster. A node that is down must find its port free when it comes back, so ports are taken below the range
 * from which kernels take those of outgoing connections (32768 on Linux, 49152 elsewhere), in blocks that all clusters of this
 * kind respect: whoever listens on the first port of a block has all of it.
 */
import type { Connection, Listener, Network, Random } from "@quorate/runtime/runtime";
import { ClusterError } from "./cluster-error.ts";

export const host = "127.0.0.1";
const firstPort = 20_000;
const blockSize = 40;
const blocks = 300;

export class PortBlock {
	readonly #network: Network;
	readonly #base: number;
	readonly #listener: Listener;
	#next: number;

	private constructor(network: Network, base: number, listener: Listener) {
		this.#network = network;
		this.#base = base;
		this.#next = base + 1;
		this.#listener = listener;
	}

	static async take(network: Network, random: Random): Promise<PortBlock> {
		const start = Math.floor(random.float() * blocks);
		for (let i = 0; i < blocks; i++) {
			const base = firstPort + ((start + i) % blocks) * blockSize;
			const listener = await listenIfFree(network, base, (connection) => connection.destroy());
			if (listener !== undefined) return new PortBlock(network, base, listener);
		}
		throw new ClusterError("no free ports: too many clusters run on this machine, stop some");
	}

	/** On the next port that is free. */
	async listen(accept: (connection: Connection) => void): Promise<Listener> {
		while (this.#next < this.#base + blockSize) {
			const listener = await listenIfFree(this.#network, this.#next++, accept);
			if (listener !== undefined) return listener;
		}
		const last = this.#base + blockSize - 1;
		throw new ClusterError(`other programs listen on too many of the ports ${this.#base}-${last}`);
	}

	release(): Promise<void> {
		return this.#listener.close();
	}
}

/** Undefined where the port is taken. */
export async function listenIfFree(
	network: Network,
	port: number,
	accept: (connection: Connection) => void,
): Promise<Listener | undefined> {
	try {
		return await network.listen(`${host}:${port}`, accept);
	} catch (error) {
		const { code } = error as { readonly code?: string };
		// Some systems refuse ports that they keep for themselves with EACCES.
		if (code === "EADDRINUSE" || code === "EACCES") return undefined;
		throw error;
	}
}
