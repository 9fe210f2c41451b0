/** `Network` over `node:net`: no Nagle delay (frames are batched above), keepalive, one listener of each kind. */
import { createServer, connect as netConnect, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { parseAddress } from "./address.ts";
import { coded, listenWith, RealConnection } from "./real-connection.ts";
import { RealHostNames } from "./real-host-names.ts";
import { RealTlsAcceptor } from "./real-tls.ts";
import type {
	Connection,
	Listener,
	Network,
	SecuredNetwork,
	TlsAcceptor,
	TlsCredentials,
} from "./runtime.ts";
import { SecureNetwork } from "./secure-network.ts";
import { acceptedAs, SocketReads } from "./socket-reads.ts";

/** Above this many queued bytes `write` answers false. */
const HIGH_WATER_MARK_BYTES = 256 * 1024;
const KEEPALIVE_AFTER_MS = 10_000;

function configure(socket: Socket): void {
	socket.setNoDelay(true);
	socket.setKeepAlive(true, KEEPALIVE_AFTER_MS);
}

export class RealNetwork implements Network {
	readonly hostNames = new RealHostNames();

	localNetworks(): readonly string[] {
		const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
		return all.flatMap(({ cidr }) => cidr ?? []);
	}

	tlsAcceptor(credentials: TlsCredentials): TlsAcceptor {
		return new RealTlsAcceptor(credentials);
	}

	secured(credentials: TlsCredentials): SecuredNetwork {
		return new SecureNetwork(credentials);
	}

	listen(address: string, onConnection: (connection: Connection) => void): Promise<Listener> {
		const server = createServer({ pauseOnConnect: true }, (accepted) => {
			const reads = new SocketReads();
			const socket = acceptedAs(accepted, reads, HIGH_WATER_MARK_BYTES);
			configure(socket);
			onConnection(new RealConnection(socket, reads));
		});
		return listenWith(server, address);
	}

	connect(address: string, timeoutMs: number): Promise<Connection> {
		const target = parseAddress(address);
		if (target === undefined) {
			return Promise.reject(coded("EINVAL", `"${address}" is not host:port`));
		}
		// Not in the types of `connect`, which hands it on to the stream.
		const reads = new SocketReads();
		const options = { ...target, highWaterMark: HIGH_WATER_MARK_BYTES, onread: reads.onread };
		return new Promise((resolve, reject) => {
			const socket = netConnect(options);
			const timer = setTimeout(() => {
				socket.destroy(coded("ETIMEDOUT", `connecting to ${address} took over ${timeoutMs} ms`));
			}, timeoutMs);
			const onError = (error: Error): void => {
				clearTimeout(timer);
				reject(error);
			};
			socket.once("error", onError);
			socket.once("connect", () => {
				clearTimeout(timer);
				configure(socket);
				resolve(new RealConnection(socket, reads));
				socket.removeListener("error", onError);
			});
		});
	}
}
