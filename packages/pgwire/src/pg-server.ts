/**
 * The PostgreSQL wire protocol, version 3 (PostgreSQL manual, part "Frontend/Backend Protocol"): what any node
 * speaks to any client.
 *
 * A socket's bytes are cut into messages (`message-reader.ts`), a connection (`pg-connection.ts`) takes them one
 * by one through start-up and then hands them to the session's protocol (`session-protocol.ts`), which drives a
 * `Session` of the SQL layer; what that produces goes through a sink (`result-writer.ts`, `column-encoders.ts`) into
 * one output buffer (`message-writer.ts`).
 *
 * W1. Messages of a connection take effect strictly in the order in which they came, one at a time, however far
 *     they were pipelined.
 * W2. Every ReadyForQuery answers exactly one Query, FunctionCall or Sync; after an error in the extended protocol
 *     nothing is done until the next Sync.
 * W3. Bytes that do not follow the protocol end their own connection, with 08P01 where a client would understand
 *     it, and touch nothing else. No length that a client announces is allocated before its bytes have come.
 * W4. A client that does not read is waited for: its statement stops producing, its socket is no longer read,
 *     and memory stays bounded.
 * W5. A session is closed exactly once, after the last statement on it has ended, whatever ended the connection.
 * W6. A cancel key is a secret: it is compared in constant time, and a wrong one is closed without a word.
 *
 * W7. Where an operator has said who may connect (`hba.ts`), nobody is let in but by the first rule that fits, and no password is
 *     sent or kept: clients prove that they know it (`scram-server.ts`). One that does not exist, has no password, or has a wrong one,
 *     goes through the same exchange. What comes before that is over is bounded in size, number and time.
 *
 * Where nobody has, whoever can connect is trusted, and for that reason only loopback addresses are served. GSSAPI requests are
 * answered with "no". The function call protocol and replication are refused.
 *
 * May import: runtime, keys, sql.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { isLoopbackHost, parseAddress } from "@quorate/runtime/address";
import type { Connection, Runtime } from "@quorate/runtime/runtime";
import type { SessionFactory } from "@quorate/sql/session/types";
import type { PgSecurity } from "./authentication.ts";
import { type CancelKey, CancelKeys, nodeOfPid } from "./cancel-keys.ts";
import { defaultLimits, messageBytesCeiling, type PgLimits } from "./limits.ts";
import { type ConnectionHost, PgConnection } from "./pg-connection.ts";

export interface PgServerOptions {
	readonly runtime: Runtime;
	readonly sessions: SessionFactory;
	/** host:port; the host must be a loopback address. Port 0 asks for a free one. */
	readonly listenAddress: string;
	/** Carried in cancel keys. */
	readonly nodeId?: number;
	readonly limits?: Partial<PgLimits>;
	/** Undefined: whoever can connect is trusted, and only loopback addresses are served. */
	readonly security?: PgSecurity;
	/** A CancelRequest for a session of another node, named by its id modulo 2048. */
	forwardCancel?(node: number, key: CancelKey): void;
}

export interface PgServer {
	/** host:port really bound. */
	readonly address: string;
	/** Open connections, whatever their state. */
	readonly connectionCount: number;
	/** pg_cancel_backend and pg_terminate_backend, for a session of this server; false: there is none. */
	signal(pid: number, what: "cancel" | "terminate"): boolean;
	/** A CancelRequest that came to another node. */
	cancelRequested(key: CancelKey): void;
	/**
	 * Turns new clients away and ends each session (57P01) as soon as it is outside a transaction, those that stay in
	 * one when `withinMs` have passed (default: as the limits say); resolves when all are gone.
	 */
	drain(withinMs?: number): Promise<void>;
	/** The same, but cancels what runs, and cuts what has not ended by the deadline. */
	close(): Promise<void>;
}

/** Rejects with the listener's error (EADDRINUSE in `code`), or with 0A000 for an address that is not loopback. */
export async function createPgServer(options: PgServerOptions): Promise<PgServer> {
	requireSecurity(options);
	const limits = { ...defaultLimits, ...options.limits };
	const bytesMax = Math.min(limits.messageBytesMax, messageBytesCeiling);
	const clients = new Clients(options, { ...limits, messageBytesMax: bytesMax });
	const listener = await options.runtime.network.listen(options.listenAddress, (connection) =>
		clients.accept(connection),
	);
	let closed: Promise<void> | undefined;
	const stop = async (graceful: boolean, withinMs?: number) => {
		closed ??= listener.close();
		await clients.shutDown(graceful, withinMs);
		await closed;
	};
	return {
		address: listener.address,
		get connectionCount() {
			return clients.count;
		},
		signal: (pid, what) => clients.signal(pid, what),
		cancelRequested: (key) => clients.cancelHere(key),
		drain: (withinMs) => stop(true, withinMs),
		close: () => stop(false),
	};
}

function requireSecurity({ listenAddress: address, security }: PgServerOptions): void {
	const parsed = parseAddress(address);
	if (parsed === undefined) {
		throw new DatabaseError("22023", `"${address}" is not an address of the form host:port`);
	}
	if (isLoopbackHost(parsed.host)) {
		return;
	}
	if (security === undefined) {
		throw new DatabaseError("0A000", `cannot serve SQL on ${address}`, {
			detail: "Every client would be trusted, so only loopback addresses are served.",
			hint: "Say who may connect with --hba, and give --tls-cert and --tls-key; or use 127.0.0.1.",
		});
	}
	if (security.tls === undefined && !security.plaintextAllowed) {
		throw new DatabaseError("0A000", `cannot serve SQL on ${address} without TLS`, {
			detail: "Whoever is on the way would read all that is sent.",
			hint: "Give --tls-cert and --tls-key (quorate cert create makes them), or --allow-plaintext.",
		});
	}
}

/** The connections of one listener. */
class Clients implements ConnectionHost {
	readonly runtime: Runtime;
	readonly limits: PgLimits;
	readonly sessions: SessionFactory;
	readonly #connections = new Set<PgConnection>();
	readonly #keys: CancelKeys<PgConnection>;
	readonly security: PgSecurity | undefined;
	readonly #forwardCancel: PgServerOptions["forwardCancel"];
	readonly #starting = new Set<PgConnection>();
	#stopping = false;
	#whenEmpty: (() => void)[] = [];

	constructor(options: PgServerOptions, limits: PgLimits) {
		this.runtime = options.runtime;
		this.sessions = options.sessions;
		this.limits = limits;
		this.security = options.security;
		this.#keys = new CancelKeys(options.runtime.random, options.nodeId ?? 0);
		this.#forwardCancel = options.forwardCancel;
	}

	get count(): number {
		return this.#connections.size;
	}

	get isCrowded(): boolean {
		const { connectionsMax, reservedConnections } = this.limits;
		return this.#connections.size > connectionsMax - reservedConnections;
	}

	started(connection: PgConnection): void {
		this.#starting.delete(connection);
	}

	accept(connection: Connection): void {
		if (this.#starting.size >= this.limits.startingMax) {
			// They are told nothing: it is who says nothing that has to be got rid of.
			connection.destroy();
			return;
		}
		const full = this.#connections.size >= this.limits.connectionsMax;
		const client = new PgConnection(this, connection);
		this.#connections.add(client);
		this.#starting.add(client);
		if (this.#stopping) {
			client.refuse(new DatabaseError("57P03", "the database system is shutting down"));
		} else if (full) {
			client.refuse(new DatabaseError("53300", "sorry, too many clients already"));
		}
	}

	issueKey(connection: PgConnection): CancelKey {
		return this.#keys.issue(connection);
	}

	cancelRequested(key: CancelKey): void {
		if (this.#keys.isOwn(key.pid)) {
			this.cancelHere(key);
		} else {
			this.#forwardCancel?.(nodeOfPid(key.pid), key);
		}
	}

	cancelHere(key: CancelKey): void {
		this.#keys.find(key)?.cancel();
	}

	signal(pid: number, what: "cancel" | "terminate"): boolean {
		const client = this.#keys.byPid(pid);
		if (what === "cancel") {
			client?.cancel();
		} else {
			client?.shutDown(false);
		}
		return client !== undefined;
	}

	released(connection: PgConnection, pid: number | undefined): void {
		this.#connections.delete(connection);
		this.#starting.delete(connection);
		if (pid !== undefined) {
			this.#keys.withdraw(pid);
		}
		if (this.#connections.size === 0) {
			for (const resolve of this.#whenEmpty.splice(0)) {
				resolve();
			}
		}
	}

	async shutDown(graceful: boolean, withinMs = this.limits.drainDeadlineMs): Promise<void> {
		this.#stopping = true;
		for (const client of [...this.#connections]) {
			client.shutDown(graceful);
		}
		if (this.#connections.size === 0) {
			return;
		}
		const empty = new Promise<void>((resolve) => this.#whenEmpty.push(resolve));
		const { scheduler } = this.runtime;
		const deadline = graceful
			? scheduler.setTimer(withinMs, () => void this.shutDown(false))
			: scheduler.setTimer(this.limits.shutdownDeadlineMs, () => this.#cut());
		await empty;
		deadline.cancel();
	}

	#cut(): void {
		for (const client of [...this.#connections]) {
			client.destroy();
		}
	}
}
