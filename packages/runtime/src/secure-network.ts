/**
 * A network on which both ends of each connection show a certificate of the same authority, and each is of the host that it speaks
 * for: what nodes talk over. TLS 1.3.
 */
import type { Socket } from "node:net";
import { checkServerIdentity, connect, createServer, type PeerCertificate } from "node:tls";
import { parseAddress } from "./address.ts";
import { coded, listenWith, RealConnection } from "./real-connection.ts";
import type { Connection, Listener, Network, TlsCredentials } from "./runtime.ts";

class SecureConnection extends RealConnection {
	readonly #certificate: PeerCertificate;

	constructor(socket: Socket, certificate: PeerCertificate) {
		super(socket);
		this.#certificate = certificate;
	}

	certifies(host: string): boolean {
		return checkServerIdentity(host, this.#certificate) === undefined;
	}
}

export class SecureNetwork implements Network {
	readonly #options: {
		readonly cert: string;
		readonly key: string;
		readonly ca: string;
		readonly minVersion: "TLSv1.3";
	};

	/** Throws where there is no authority. */
	constructor({ certificate, key, authorities }: TlsCredentials) {
		if (authorities === undefined) throw coded("EINVAL", "nodes need a certificate authority");
		this.#options = { cert: certificate, key, ca: authorities, minVersion: "TLSv1.3" };
	}

	listen(address: string, onConnection: (connection: Connection) => void): Promise<Listener> {
		const options = { ...this.#options, requestCert: true, rejectUnauthorized: true };
		const server = createServer(options, (socket) => {
			onConnection(new SecureConnection(socket, socket.getPeerCertificate()));
		});
		// A failed handshake concerns that one peer only.
		server.on("tlsClientError", () => undefined);
		return listenWith(server, address);
	}

	connect(address: string, timeoutMs: number): Promise<Connection> {
		const target = parseAddress(address);
		if (target === undefined) {
			return Promise.reject(coded("EINVAL", `"${address}" is not host:port`));
		}
		return new Promise((resolve, reject) => {
			const socket = connect({ ...this.#options, ...target });
			const timer = setTimeout(() => {
				socket.destroy(coded("ETIMEDOUT", `connecting to ${address} took over ${timeoutMs} ms`));
			}, timeoutMs);
			const onError = (error: Error): void => {
				clearTimeout(timer);
				reject(error);
			};
			socket.once("error", onError);
			socket.once("secureConnect", () => {
				clearTimeout(timer);
				resolve(new SecureConnection(socket, socket.getPeerCertificate()));
				socket.removeListener("error", onError);
			});
		});
	}
}
