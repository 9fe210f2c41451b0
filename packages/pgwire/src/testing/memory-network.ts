/** A network inside one process for the tests of this package: ordered streams, deferred delivery, backpressure. */
import type { Connection, HostNames, Listener, Network } from "@quorate/runtime/runtime";

const highWaterMarkBytes = 256 * 1024;

class MemoryConnection implements Connection {
	readonly remoteAddress = "127.0.0.1:1";
	peer!: MemoryConnection;
	#inbox: Uint8Array[] = [];
	#inboxBytes = 0;
	#paused = false;
	#ended = false;
	#closed = false;
	#delivering = false;
	#dataListener: ((bytes: Uint8Array) => void) | undefined;
	#drainListener: (() => void) | undefined;
	#closeListener: ((error?: Error) => void) | undefined;
	#drainOwed = false;

	get bufferedBytes(): number {
		return this.peer.#inboxBytes;
	}

	get paused(): boolean {
		return this.#paused;
	}

	write(bytes: Uint8Array): boolean {
		if (this.#ended || this.#closed) {
			return false;
		}
		this.peer.#push(bytes);
		const free = this.peer.#inboxBytes <= highWaterMarkBytes;
		this.#drainOwed ||= !free;
		return free;
	}

	onData(listener: (bytes: Uint8Array) => void): void {
		this.#dataListener = listener;
		this.#deliverSoon();
	}

	onDrain(listener: () => void): void {
		this.#drainListener = listener;
	}

	onClose(listener: (error?: Error) => void): void {
		this.#closeListener = listener;
	}

	pause(): void {
		this.#paused = true;
	}

	resume(): void {
		this.#paused = false;
		this.#deliverSoon();
	}

	/** As a socket without half-open: the other side closes, too, once it has read everything. */
	end(): void {
		if (!this.#ended) {
			this.#ended = true;
			this.peer.#deliverSoon();
		}
	}

	destroy(): void {
		this.#close();
		this.peer.#close();
	}

	#close(): void {
		if (!this.#closed) {
			this.#closed = true;
			setImmediate(() => this.#closeListener?.());
		}
	}

	#push(bytes: Uint8Array): void {
		this.#inbox.push(bytes);
		this.#inboxBytes += bytes.length;
		this.#deliverSoon();
	}

	#deliverSoon(): void {
		if (!this.#delivering) {
			this.#delivering = true;
			setImmediate(() => {
				this.#delivering = false;
				this.#deliver();
			});
		}
	}

	#deliver(): void {
		while (!this.#paused && !this.#closed && this.#dataListener && this.#inbox.length > 0) {
			const bytes = this.#inbox.shift()!;
			this.#inboxBytes -= bytes.length;
			this.#dataListener(bytes);
		}
		if (this.#inbox.length > 0) {
			return;
		}
		if (this.peer.#drainOwed) {
			this.peer.#drainOwed = false;
			this.peer.#drainListener?.();
		}
		if (this.peer.#ended) {
			this.#close();
			this.peer.#close();
		}
	}
}

export class MemoryNetwork implements Network {
	hostNames?: HostNames;
	readonly #listeners = new Map<string, (connection: Connection) => void>();

	async listen(address: string, onConnection: (connection: Connection) => void): Promise<Listener> {
		if (this.#listeners.has(address)) {
			throw Object.assign(new Error(`address in use: ${address}`), { code: "EADDRINUSE" });
		}
		this.#listeners.set(address, onConnection);
		return {
			address,
			close: async () => {
				this.#listeners.delete(address);
			},
		};
	}

	async connect(address: string): Promise<MemoryConnection> {
		const accept = this.#listeners.get(address);
		if (accept === undefined) {
			throw Object.assign(new Error(`refused: ${address}`), { code: "ECONNREFUSED" });
		}
		const client = new MemoryConnection();
		const server = new MemoryConnection();
		client.peer = server;
		server.peer = client;
		accept(server);
		return client;
	}
}
