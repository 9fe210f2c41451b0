/** Sockets as connections and listeners: what `RealNetwork` and `SecureNetwork` have in common. */
import type { Server, Socket } from "node:net";
import { formatAddress, parseAddress } from "./address.ts";
import { subjectOf } from "./certificate-subject.ts";
import { RealTlsAcceptor } from "./real-tls.ts";
import type { Connection, Listener, TlsAcceptor, TlsPeer } from "./runtime.ts";
import type { SocketReads } from "./socket-reads.ts";

export function coded(code: string, message: string): Error {
	return Object.assign(new Error(message), { code });
}

export class RealConnection implements Connection {
	readonly remoteAddress: string;
	#socket: Socket;
	/** Undefined: the socket hands out what it reads by itself. */
	#reads: SocketReads | undefined;
	#error: Error | undefined;
	#closed = false;
	#onData: ((bytes: Uint8Array) => void) | undefined;
	#onDrain: (() => void) | undefined;
	#onClose: ((error?: Error) => void) | undefined;

	constructor(socket: Socket, reads?: SocketReads) {
		this.#socket = socket;
		this.#reads = reads;
		this.remoteAddress = formatAddress(socket.remoteAddress ?? "unknown", socket.remotePort ?? 0);
		this.#watch(socket);
	}

	#watch(socket: Socket): void {
		socket.on("error", (error) => {
			this.#error ??= error;
		});
		socket.on("close", () => {
			if (this.#closed) return;
			this.#closed = true;
			this.#onClose?.(this.#error);
		});
	}

	async startTls(acceptor: TlsAcceptor): Promise<TlsPeer> {
		if (!(acceptor instanceof RealTlsAcceptor))
			throw coded("EINVAL", "an acceptor of another network");
		const plain = this.#socket;
		plain.removeAllListeners("data");
		plain.removeAllListeners("drain");
		plain.pause();
		const secure = await acceptor.accept(plain);
		this.#socket = secure;
		this.#reads = undefined;
		this.#watch(secure);
		if (this.#onData !== undefined) secure.on("data", this.#onData);
		if (this.#onDrain !== undefined) secure.on("drain", this.#onDrain);
		const shown = secure.authorized ? secure.getPeerX509Certificate() : undefined;
		const subject = shown === undefined ? undefined : subjectOf(shown);
		return { subject, protocol: secure.getProtocol() ?? "" };
	}

	get bufferedBytes(): number {
		return this.#socket.writableLength;
	}

	write(bytes: Uint8Array): boolean {
		// Writing to a socket that was ended or destroyed is a race that callers cannot see; the close follows.
		if (!this.#socket.writable) return false;
		return this.#socket.write(bytes);
	}

	onData(listener: (bytes: Uint8Array) => void): void {
		this.#onData = listener;
		if (this.#reads === undefined) {
			this.#socket.on("data", listener);
		} else {
			this.#reads.takenBy(listener);
			this.#socket.resume();
		}
	}

	onDrain(listener: () => void): void {
		this.#onDrain = listener;
		this.#socket.on("drain", listener);
	}

	onClose(listener: (error?: Error) => void): void {
		if (this.#closed) {
			setImmediate(() => listener(this.#error));
			return;
		}
		this.#onClose = listener;
	}

	pause(): void {
		this.#socket.pause();
	}

	resume(): void {
		this.#socket.resume();
	}

	end(): void {
		this.#socket.end();
	}

	destroy(): void {
		this.#socket.destroy();
	}
}

class RealListener implements Listener {
	readonly address: string;
	readonly #server: Server;

	constructor(server: Server, address: string) {
		this.#server = server;
		this.address = address;
	}

	/** Frees the port. Connections that were accepted live on: they belong to who accepted them. */
	close(): Promise<void> {
		this.#server.close();
		return new Promise((resolve) => setImmediate(resolve));
	}
}

export function listenWith(server: Server, address: string): Promise<Listener> {
	const target = parseAddress(address);
	if (target === undefined) {
		return Promise.reject(coded("EINVAL", `"${address}" is not host:port`));
	}
	return new Promise((resolve, reject) => {
		server.once("error", reject);
		server.listen({ host: target.host, port: target.port, backlog: 511 }, () => {
			server.removeListener("error", reject);
			// A failed accept (EMFILE) concerns that one client only.
			server.on("error", () => undefined);
			const bound = server.address();
			const port = bound !== null && typeof bound === "object" ? bound.port : target.port;
			resolve(new RealListener(server, formatAddress(target.host, port)));
		});
	});
}
