/**
 * One client: from its first byte to its last. It reads ahead of the statement that runs, up to a bound, and
 * handles message after message; what an event-loop tick produced leaves in one write.
 */
import { InvariantError } from "@quorate/keys/assert";
import { DatabaseError } from "@quorate/keys/database-error";
import type { Connection, Runtime, Timer, TlsAcceptor } from "@quorate/runtime/runtime";
import type { Session, SessionFactory } from "@quorate/sql/session/types";
import { authenticate, type Claim, type PgSecurity } from "./authentication.ts";
import type { CancelKey } from "./cancel-keys.ts";
import { ClientOutput } from "./client-output.ts";
import { isUnexpected, toDatabaseError, writeError } from "./error-messages.ts";
import { writeGreeting } from "./greeting.ts";
import type { PgLimits } from "./limits.ts";
import { MessageBody } from "./message-body.ts";
import { MessageReader } from "./message-reader.ts";
import type { MessageWriter } from "./message-writer.ts";
import { frontend } from "./messages.ts";
import type { Outlet } from "./outlet.ts";
import { ProtocolViolation, SilentClose } from "./protocol-violation.ts";
import { SessionProtocol } from "./session-protocol.ts";
import { parseStartup, type StartupPacket } from "./start-up.ts";

/** What a connection needs of the server that accepted it. */
export interface ConnectionHost {
	readonly runtime: Runtime;
	readonly limits: PgLimits;
	readonly sessions: SessionFactory;
	issueKey(connection: PgConnection): CancelKey;
	/** Undefined: whoever can connect is trusted. */
	readonly security: PgSecurity | undefined;
	/** Only superusers are let in. */
	readonly isCrowded: boolean;
	/** A connection's start-up is over. */
	started(connection: PgConnection): void;
	/** A CancelRequest came in. */
	cancelRequested(key: CancelKey): void;
	/** The connection is gone and its session closed. */
	released(connection: PgConnection, pid: number | undefined): void;
}

interface Waiter {
	resolve(): void;
	reject(error: DatabaseError): void;
}

const clientGone = () => new DatabaseError("08006", "connection to client lost");
const shuttingDown = () =>
	new DatabaseError("57P01", "terminating connection due to administrator command");

export class PgConnection implements Outlet {
	readonly writer: MessageWriter;
	readonly reader: MessageReader;
	readonly #output: ClientOutput;
	readonly #host: ConnectionHost;
	readonly #connection: Connection;
	readonly #body = new MessageBody();
	#session: Session | undefined;
	#protocol: SessionProtocol | undefined;
	#key: CancelKey | undefined;
	#deadline: Timer | undefined;
	#refusal: DatabaseError | undefined;
	#encryptionAsked = false;
	#tls: Claim["tls"];
	/** The loop over messages is at work; otherwise it waits for bytes. */
	#running = false;
	/** It waits for the statement, or the client, before it goes on. */
	#waiting = false;
	/** Of the message that is handled. */
	#type = 0;
	/** No message is handled any more. */
	#ended = false;
	#released = false;
	/** The socket is closed. */
	#gone = false;
	#paused = false;
	/** "draining" waits for the end of a transaction, "stopping" only for the statement. */
	#shutdown: "no" | "draining" | "stopping" = "no";
	/** A statement that waits for COPY data. */
	#inputWaiter: Waiter | undefined;

	constructor(host: ConnectionHost, connection: Connection) {
		this.#host = host;
		this.#connection = connection;
		this.reader = new MessageReader(host.limits);
		const { scheduler } = host.runtime;
		this.#output = new ClientOutput(connection, scheduler, host.limits.outputChunkBytes);
		this.writer = this.#output.writer;
		this.#deadline = scheduler.setTimer(host.limits.startupDeadlineMs, () => connection.destroy());
		connection.onData((bytes) => this.#receive(bytes));
		connection.onClose(() => this.#closed());
	}

	// --- what the server asks for ---

	/** Turns the client away. It is told why once its start-up packet has come: before that it would not understand. */
	refuse(error: DatabaseError): void {
		this.#refusal = error;
	}

	/** CancelRequest: has no effect unless a statement runs. */
	cancel(): void {
		if (this.#running && this.#session !== undefined) {
			this.#session.cancel();
			this.#interruptInput(new DatabaseError("57014", "canceling statement due to user request"));
		}
	}

	/** `graceful` lets a transaction that is open go on to its end. */
	shutDown(graceful: boolean): void {
		this.#shutdown = graceful ? "draining" : "stopping";
		if (!this.#running) {
			this.#endIfShutDown();
		} else if (!graceful) {
			this.#session?.cancel();
			this.#interruptInput(shuttingDown());
		}
	}

	destroy(): void {
		this.#connection.destroy();
	}

	// --- what the message handlers ask for ---

	flushSoon(): void {
		this.#output.want(this.#waiting);
	}

	relieve(): void {
		this.#output.relieve();
	}

	congestion(): Promise<void> | undefined {
		return this.#output.congestion;
	}

	moreInput(): Promise<void> {
		if (this.#ended) {
			return Promise.reject(clientGone());
		}
		this.#resume();
		return new Promise((resolve, reject) => {
			this.#inputWaiter = { resolve, reject };
		});
	}

	// --- bytes in ---

	#receive(bytes: Uint8Array): void {
		if (this.#ended) {
			return;
		}
		this.reader.append(bytes);
		const waiter = this.#inputWaiter;
		if (waiter !== undefined) {
			this.#inputWaiter = undefined;
			waiter.resolve();
		} else if (!this.#running) {
			this.#run();
		} else if (this.reader.bufferedBytes > this.#host.limits.readAheadBytesMax) {
			this.#paused = true;
			this.#connection.pause();
		}
	}

	/** Handles what has come in: within the tick, as long as nothing must be waited for. */
	#run(): void {
		this.#running = true;
		const pending = this.#handleAll();
		if (pending === undefined) {
			this.#ran();
		} else {
			void this.#runOn(pending);
		}
	}

	/** Never rejects. */
	async #runOn(first: Promise<void>): Promise<void> {
		for (let pending: typeof first | undefined = first; pending !== undefined; ) {
			if (this.#output.wanted) {
				this.#output.want(true);
			}
			this.#waiting = true;
			try {
				await pending.catch(this.#failed);
				if (this.#output.congestion !== undefined) {
					await this.#output.congestion;
				}
				this.#endIfShutDown();
			} catch (error) {
				this.#endWith(error);
			}
			this.#waiting = false;
			pending = this.#handleAll();
		}
		this.#ran();
	}

	/** Message after message; a promise where the next one has to wait for it. */
	#handleAll(): Promise<void> | undefined {
		try {
			while (!this.#ended && this.#nextMessage()) {
				const pending = this.#handle() ?? this.#output.congestion;
				if (pending !== undefined) {
					return pending;
				}
				this.#endIfShutDown();
			}
		} catch (error) {
			this.#endWith(error);
		}
		return undefined;
	}

	#ran(): void {
		this.#running = false;
		if (this.#ended) {
			this.#release();
			return;
		}
		if (this.#output.wanted) {
			this.#output.flush();
		}
		this.#attend();
		this.#endIfShutDown();
		this.#resume();
	}

	/** The session has something to say though no statement runs. */
	#attend(): void {
		if (this.#running || this.#ended) {
			return;
		}
		const reason = this.#session?.terminated;
		const { congestion } = this.#output;
		if (reason !== undefined) {
			this.#endWith(reason);
		} else if (congestion === undefined) {
			this.#protocol?.notify();
			if (this.#output.wanted) {
				this.#output.flush();
			}
		} else {
			// W4: what the client does not take stays in the session, which bounds it.
			congestion.then(
				() => this.#attend(),
				() => {},
			);
		}
	}

	#nextMessage(): boolean {
		return this.#protocol === undefined ? this.reader.nextStartup() : this.reader.next();
	}

	#handle(): void | Promise<void> {
		const { buffer, start, end, type } = this.reader;
		const protocol = this.#protocol;
		if (protocol === undefined) {
			return this.#handleStartup(parseStartup(buffer, start, end));
		}
		if (type === frontend.terminate) {
			this.#ended = true;
			this.#output.flush();
			this.#hangUp();
			return undefined;
		}
		this.#type = type;
		this.#body.reset(buffer, start, end);
		try {
			return protocol.handle(type, this.#body);
		} catch (thrown) {
			return this.#failed(thrown);
		}
	}

	/** Tells the client of an error, or throws what ends the connection. */
	readonly #failed = (thrown: unknown): void => {
		const protocol = this.#protocol;
		if (protocol === undefined) {
			throw thrown;
		}
		this.#report(thrown);
		const violation = protocol.violation;
		if (violation !== undefined || thrown instanceof ProtocolViolation || this.#ended) {
			throw violation ?? thrown;
		}
		const error = toDatabaseError(thrown);
		if (error.fields.severity === "FATAL" || error.fields.severity === "PANIC") {
			throw error;
		}
		if (this.#shutdown === "stopping") {
			throw shuttingDown();
		}
		protocol.fail(this.#type, error);
	};

	// --- start-up ---

	#handleStartup(packet: StartupPacket): void | Promise<void> {
		switch (packet.kind) {
			case "encryption":
				return this.#encrypt(packet.what);
			case "cancel":
				this.#host.cancelRequested(packet);
				throw new SilentClose("cancel request");
			case "session":
				return this.#open(packet);
		}
	}

	#encrypt(what: "SSL" | "GSSAPI encryption"): void | Promise<void> {
		if (this.reader.bufferedBytes > 0) {
			throw new ProtocolViolation(
				`received unencrypted data after ${what} request`,
				"08P01",
				"This could be either a client-software bug or evidence of an attempted man-in-the-middle attack.",
			);
		}
		if (this.#encryptionAsked && what === "SSL") {
			throw new ProtocolViolation(
				"unsupported frontend protocol 1234.5679: SSL was refused",
				"0A000",
			);
		}
		this.#encryptionAsked = what === "SSL";
		const acceptor = this.#host.security?.tls;
		if (what === "SSL" && acceptor !== undefined && this.#connection.startTls !== undefined) {
			return this.#startTls(acceptor);
		}
		this.writer.uint8("N".charCodeAt(0));
		this.#output.flush();
	}

	async #startTls(acceptor: TlsAcceptor): Promise<void> {
		const { endpointHash } = acceptor;
		this.writer.uint8("S".charCodeAt(0));
		this.#output.flush();
		try {
			this.#tls = { peer: await this.#connection.startTls!(acceptor), endpointHash };
		} catch (error) {
			throw new SilentClose(`TLS handshake: ${error instanceof Error ? error.message : error}`);
		}
	}

	/** Rejects with 28000, 28P01. */
	async #authenticate(packet: StartupPacket & { kind: "session" }): Promise<void> {
		const { security, sessions, runtime } = this.#host;
		if (security === undefined) {
			return;
		}
		this.reader.onlyPasswords = true;
		const { parameters } = packet;
		const claim: Claim = {
			user: parameters.get("user") ?? "",
			database: parameters.get("database") ?? "",
			remoteAddress: this.#connection.remoteAddress,
			tls: this.#tls,
		};
		await authenticate(security, sessions, runtime, claim, {
			writer: this.writer,
			flush: () => this.#output.flush(),
			nextPassword: () => this.#nextPassword(),
		});
		this.reader.onlyPasswords = false;
	}

	async #nextPassword(): Promise<MessageBody> {
		while (!this.reader.next()) {
			await this.moreInput();
		}
		const { buffer, start, end } = this.reader;
		this.#body.reset(buffer, start, end);
		return this.#body;
	}

	async #open(packet: StartupPacket & { kind: "session" }): Promise<void> {
		if (this.#refusal !== undefined) {
			throw this.#refusal;
		}
		await this.#authenticate(packet);
		if (this.#ended) {
			return;
		}
		const { sessions } = this.#host;
		const key = this.#host.issueKey(this);
		this.#key = key;
		this.#session = await sessions.open(packet.parameters, key.pid, this.#connection.remoteAddress);
		this.#session.attend(() => this.#attend());
		if (this.#ended) {
			return;
		}
		if (this.#host.isCrowded && !this.#session.isSuperuser) {
			throw new DatabaseError(
				"53300",
				"remaining connection slots are reserved for non-replication superuser connections",
			);
		}
		this.#host.started(this);
		this.#deadline?.cancel();
		this.#deadline = undefined;
		writeGreeting(this.writer, packet, this.#session, key);
		this.#protocol = new SessionProtocol(this.#session, this);
		this.#protocol.ready();
	}

	#resume(): void {
		if (this.#paused) {
			this.#paused = false;
			this.#connection.resume();
		}
	}

	// --- the end ---

	#endIfShutDown(): void {
		if (this.#shutdown === "no" || this.#ended) {
			return;
		}
		const protocol = this.#protocol;
		if (protocol === undefined) {
			this.#endWith(new SilentClose("shut down before start-up"));
		} else if (this.#shutdown === "stopping" || protocol.idle) {
			this.#endWith(shuttingDown());
		}
	}

	/** Closes from this side. A peer that does not close its own is cut off, so that it holds no socket for ever. */
	#hangUp(): void {
		this.#deadline?.cancel();
		if (this.#gone) {
			return;
		}
		this.#connection.end();
		const { runtime, limits } = this.#host;
		this.#deadline = runtime.scheduler.setTimer(limits.shutdownDeadlineMs, () => this.destroy());
	}

	/** Tells the client why, unless it would not understand, and closes. */
	#endWith(reason: unknown): void {
		if (this.#ended) {
			return;
		}
		this.#report(reason);
		this.#ended = true;
		this.writer.abandon();
		if (!(reason instanceof SilentClose)) {
			writeError(this.writer, toDatabaseError(reason), "FATAL");
		}
		this.#output.flush();
		this.#hangUp();
		this.#abandonWaits();
		if (!this.#running) {
			this.#release();
		}
	}

	#closed(): void {
		const early = !this.#ended;
		this.#gone = true;
		this.#ended = true;
		this.#deadline?.cancel();
		this.#deadline = undefined;
		this.#abandonWaits();
		if (!this.#running) {
			this.#release();
		} else if (early) {
			this.#session?.cancel();
		}
	}

	#abandonWaits(): void {
		this.#interruptInput(clientGone());
		this.#output.close(clientGone());
	}

	#interruptInput(error: DatabaseError): void {
		const waiter = this.#inputWaiter;
		this.#inputWaiter = undefined;
		waiter?.reject(error);
	}

	/** Once, when no statement runs any more. */
	#release(): void {
		if (this.#released) {
			return;
		}
		this.#released = true;
		const session = this.#session;
		const done = () => this.#host.released(this, this.#key?.pid);
		if (session === undefined) {
			done();
			return;
		}
		session
			.close()
			.catch((error: unknown) => this.#report(error))
			.then(done, done);
	}

	#report(thrown: unknown): void {
		if (thrown instanceof SilentClose) {
			this.#host.runtime.logger.log("debug", "connection closed", { reason: thrown.message });
			return;
		}
		if (thrown instanceof InvariantError) {
			this.#host.runtime.fatal(thrown.stack ?? thrown.message);
		}
		if (isUnexpected(thrown)) {
			const stack = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
			this.#host.runtime.logger.log("error", "statement failed unexpectedly", { error: stack });
		}
	}
}
