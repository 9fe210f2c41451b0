/** TLS over `node:tls`: 1.2 or newer. Whether a peer's certificate is required, and whose it must be, is for those above to say. */
import type { Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { endpointHash } from "./certificate-hash.ts";
import type { TlsAcceptor, TlsCredentials } from "./runtime.ts";

interface Handshake {
	resolve(socket: TLSSocket): void;
	reject(error: Error): void;
}

/** The two ends name a connection, whatever has been wrapped around its socket. */
const nameOf = (socket: Socket): string =>
	`${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress} ${socket.localPort}`;

const contextOf = ({ certificate, key, authorities }: TlsCredentials) => ({
	cert: certificate,
	key,
	minVersion: "TLSv1.2" as const,
	// Left out, it would be all that a browser believes.
	ca: authorities ?? [],
});

export class RealTlsAcceptor implements TlsAcceptor {
	readonly #server: Server;
	readonly #handshakes = new Map<string, Handshake>();
	endpointHash: Uint8Array;

	constructor(credentials: TlsCredentials) {
		this.#server = createServer({
			...contextOf(credentials),
			// Always: authorities may come with an update. Without any, nobody is authorized.
			requestCert: true,
			rejectUnauthorized: false,
		});
		this.#server.on("secureConnection", (socket) => this.#take(socket)?.resolve(socket));
		this.#server.on("tlsClientError", (error, socket) => this.#take(socket)?.reject(error));
		this.endpointHash = endpointHash(credentials.certificate);
	}

	update(credentials: TlsCredentials): void {
		const hash = endpointHash(credentials.certificate);
		this.#server.setSecureContext(contextOf(credentials));
		this.endpointHash = hash;
	}

	/** The socket must not be read by anybody else from now on. */
	accept(socket: Socket): Promise<TLSSocket> {
		return new Promise((resolve, reject) => {
			const name = nameOf(socket);
			this.#handshakes.set(name, { resolve, reject });
			socket.once("close", () => {
				if (this.#handshakes.delete(name)) reject(new Error("closed during the TLS handshake"));
			});
			this.#server.emit("connection", socket);
		});
	}

	#take(socket: Socket): Handshake | undefined {
		const name = nameOf(socket);
		const handshake = this.#handshakes.get(name);
		this.#handshakes.delete(name);
		return handshake;
	}
}
