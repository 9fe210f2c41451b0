/**
 * A network on which both ends of each connection show a certificate of the same authority, and each is of the host that it speaks
 * for: what nodes talk over. TLS 1.3.
 */
import { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import {
	checkServerIdentity,
	connect,
	createSecureContext,
	createServer,
	type PeerCertificate,
	type Server,
} from "node:tls";
import { parseAddress } from "./address.ts";
import { coded, listenWith, RealConnection } from "./real-connection.ts";
import type { Connection, Listener, SecuredNetwork, TlsCredentials } from "./runtime.ts";

class SecureConnection extends RealConnection {
	readonly #certificate: PeerCertificate;

	constructor(socket: Socket, certificate: PeerCertificate) {
		super(socket);
		this.#certificate = certificate;
	}

	get certificate(): string {
		return this.#certificate.fingerprint256;
	}

	certifies(host: string): boolean {
		return checkServerIdentity(host, this.#certificate) === undefined;
	}
}

interface Options {
	readonly cert: string;
	readonly key: string;
	readonly ca: string;
	readonly minVersion: "TLSv1.3";
}

/** Throws where there is no authority, or something is not what it should be. */
function optionsOf({ certificate, key, authorities }: TlsCredentials): Options {
	if (authorities === undefined) throw coded("EINVAL", "nodes need a certificate authority");
	const options = { cert: certificate, key, ca: authorities, minVersion: "TLSv1.3" } as const;
	createSecureContext(options);
	return options;
}

export class SecureNetwork implements SecuredNetwork {
	readonly #servers = new Set<Server>();
	#options: Options;

	/** Throws where there is no authority. */
	constructor(credentials: TlsCredentials) {
		this.#options = optionsOf(credentials);
	}

	get certificate(): string {
		return new X509Certificate(this.#options.cert).fingerprint256;
	}

	update(credentials: TlsCredentials): void {
		this.#options = optionsOf(credentials);
		for (const server of this.#servers) server.setSecureContext(this.#options);
	}

	listen(address: string, onConnection: (connection: Connection) => void): Promise<Listener> {
		const options = { ...this.#options, requestCert: true, rejectUnauthorized: true };
		const server = createServer(options, (socket) => {
			onConnection(new SecureConnection(socket, socket.getPeerCertificate()));
		});
		// A failed handshake concerns that one peer only.
		server.on("tlsClientError", () => undefined);
		this.#servers.add(server);
		server.once("close", () => this.#servers.delete(server));
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
