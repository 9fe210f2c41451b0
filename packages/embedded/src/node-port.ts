/**
 * One port of a node, open from before the node starts (so that all nodes can be told all addresses, and no other program takes it
 * in between) until the node's end, and again for each restart. Who connects before the node listens waits.
 */
import type { Connection, Listener } from "@quorate/runtime/runtime";

type Accept = (connection: Connection) => void;

export class NodePort {
	readonly #listen: (accept: Accept) => Promise<Listener>;
	#listener: Listener | undefined;
	#accept: Accept | undefined;
	#early: Connection[] = [];
	/** Accepted by the boot that listens, and open. */
	readonly connections = new Set<Connection>();

	/** `listen` is asked at each opening. */
	constructor(listen: (accept: Accept) => Promise<Listener>) {
		this.#listen = listen;
	}

	/** host:port; undefined while it is closed. */
	get address(): string | undefined {
		return this.#listener?.address;
	}

	async open(): Promise<void> {
		this.#listener ??= await this.#listen((connection) => {
			if (this.#accept === undefined) this.#early.push(connection);
			else this.#accept(connection);
		});
	}

	/** The node listens. */
	claim(accept: Accept): void {
		this.#accept = accept;
		for (const connection of this.#early.splice(0)) accept(connection);
	}

	dropConnections(): void {
		for (const connection of this.connections) connection.destroy();
	}

	async close(): Promise<void> {
		const listener = this.#listener;
		this.#listener = undefined;
		this.#accept = undefined;
		for (const connection of this.#early.splice(0)) connection.destroy();
		await listener?.close();
	}
}
