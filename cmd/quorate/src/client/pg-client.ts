/**
 * A small PostgreSQL client over `pg-protocol`, the parser and serializer of the most used driver: the simple
 * query protocol, one query at a time. It serves `quorate sql` and the check that a started node answers.
 */
import { connect, type Socket } from "node:net";
import { serialize } from "pg-protocol";
import { Parser } from "pg-protocol/dist/parser.js";
import type { ConnectionOptions } from "./connection-options.ts";
import { Login } from "./login.ts";
import { type Opened, secure } from "./tls-wish.ts";

export interface Field {
	readonly name: string;
	readonly dataTypeID: number;
}

/** One statement's result. `fields` is undefined where it returns no rows. */
export interface QueryResult {
	readonly fields: readonly Field[] | undefined;
	readonly rows: readonly (readonly (string | null)[])[];
	/** "" for an empty query. */
	readonly tag: string;
}

export interface ServerMessage {
	readonly severity: string;
	readonly code: string;
	readonly message: string;
	readonly detail: string | undefined;
	readonly hint: string | undefined;
	/** 1-based, in characters. */
	readonly position: number | undefined;
}

/** What the server said no to. The connection goes on unless `severity` is FATAL. */
export class ServerError extends Error implements ServerMessage {
	override readonly name = "ServerError";
	readonly severity: string;
	readonly code: string;
	readonly detail: string | undefined;
	readonly hint: string | undefined;
	readonly position: number | undefined;

	constructor(from: ServerMessage) {
		super(from.message);
		this.severity = from.severity;
		this.code = from.code;
		this.detail = from.detail;
		this.hint = from.hint;
		this.position = from.position;
	}
}

/** The connection is gone: nothing can be sent any more. */
export class ConnectionLost extends Error {
	override readonly name = "ConnectionLost";
}

export interface QueryListener {
	result(result: QueryResult): void;
	copyData?(chunk: Buffer): void;
}

/** Asks the user. */
export type AskPassword = () => Promise<string>;

const noPassword: AskPassword = () =>
	Promise.reject(
		new Error("the server asks for a password: give PGPASSWORD, a password file or one in the URL"),
	);

interface Pending {
	readonly listener: QueryListener;
	resolve(): void;
	reject(error: Error): void;
	error?: ServerError;
}

/** The parts of the parser's messages that are used here; its own types are one a message. */
interface Incoming {
	readonly name: string;
	readonly status: string;
	readonly text: string;
	readonly fields: never[];
	readonly chunk: Buffer;
	readonly processID: number;
	readonly secretKey: number;
	readonly mechanisms: readonly string[];
	readonly data: string;
	readonly parameterName: string;
	readonly parameterValue: string;
	readonly position: string | undefined;
}

export class PgClient {
	/** ParameterStatus, as reported so far. */
	readonly parameters = new Map<string, string>();
	/** I, T or E, as of the last ReadyForQuery. */
	transactionStatus = "I";
	onNotice: (notice: ServerMessage) => void = () => undefined;
	readonly options: ConnectionOptions;
	readonly #socket: Socket;
	readonly #login: Login;
	#pending: Pending | undefined;
	#fields: readonly Field[] | undefined;
	#rows: (string | null)[][] = [];
	#pid = 0;
	#secret = 0;
	#lost: Error | undefined;

	private constructor({ socket, endpoint }: Opened, options: ConnectionOptions, ask: AskPassword) {
		this.#socket = socket;
		this.options = options;
		this.#login = new Login(options, endpoint, ask);
		const parser = new Parser();
		socket.on("data", (bytes) => {
			parser.parse(bytes, (message) => this.#receive(message as unknown as Incoming));
		});
		socket.on("error", (error) => {
			this.#lost ??= error;
		});
		socket.on("close", () => this.#closed());
		// It was stopped between the question for TLS and now.
		socket.resume();
	}

	/**
	 * Rejects with `ServerError` where the server refuses, with an Error where there is none, or not the one that was meant. `ask` is
	 * called where the server wants a password and none was given.
	 */
	static async connect(
		options: ConnectionOptions,
		ask: AskPassword = noPassword,
	): Promise<PgClient> {
		const opened = await openSocket(options);
		const { socket } = opened;
		// Who is asked for a password may think about it.
		const passwordAsked = (): Promise<string> => {
			clearTimeout(timer);
			return ask();
		};
		const client = new PgClient(opened, options, passwordAsked);
		const greeted = client.#expect({ result: () => undefined });
		const { user, database, parameters } = options;
		const timer = setTimeout(() => {
			client.#lost = new Error(`no answer within ${options.connectTimeoutMs / 1000} s`);
			socket.destroy();
		}, options.connectTimeoutMs);
		socket.write(serialize.startup({ user, database, ...parameters }));
		try {
			await greeted;
		} catch (error) {
			socket.destroy();
			throw error;
		} finally {
			clearTimeout(timer);
		}
		return client;
	}

	get connected(): boolean {
		return this.#lost === undefined;
	}

	/** Runs all statements of the text. Results go to the listener as they are complete; the first error rejects. */
	run(text: string, listener: QueryListener): Promise<void> {
		if (this.#lost !== undefined) {
			return Promise.reject(this.#lost);
		}
		const done = this.#expect(listener);
		this.#socket.write(serialize.query(text));
		return done;
	}

	async query(text: string): Promise<readonly QueryResult[]> {
		const results: QueryResult[] = [];
		await this.run(text, { result: (result) => results.push(result) });
		return results;
	}

	/** Asks the server to stop what runs, on a connection of its own as the protocol wants it. */
	async cancel(): Promise<void> {
		const { socket } = await openSocket(this.options);
		socket.on("error", () => undefined);
		socket.end(serialize.cancel(this.#pid, this.#secret));
	}

	async end(): Promise<void> {
		this.#lost ??= new ConnectionLost("the connection was closed");
		await new Promise<void>((resolve) => {
			this.#socket.once("close", () => resolve());
			this.#socket.end(serialize.end());
			if (this.#socket.destroyed) {
				resolve();
			}
		});
	}

	#expect(listener: QueryListener): Promise<void> {
		if (this.#pending !== undefined) {
			return Promise.reject(new Error("a query is running already"));
		}
		return new Promise((resolve, reject) => {
			this.#pending = { listener, resolve, reject };
		});
	}

	#receive(message: Incoming): void {
		switch (message.name) {
			case "rowDescription":
				this.#fields = message.fields;
				return;
			case "dataRow":
				this.#rows.push(message.fields);
				return;
			case "commandComplete":
				this.#complete(message.text);
				return;
			case "emptyQuery":
				this.#complete("");
				return;
			case "readyForQuery":
				this.#ready(message.status);
				return;
			case "error":
				this.#failed(new ServerError(toServerMessage(message)));
				return;
			case "notice":
				this.onNotice(toServerMessage(message));
				return;
			case "parameterStatus":
				this.parameters.set(message.parameterName, message.parameterValue);
				return;
			case "backendKeyData":
				this.#pid = message.processID;
				this.#secret = message.secretKey;
				return;
			case "copyInResponse":
				this.#socket.write(serialize.copyFail("this client cannot send COPY data; use psql"));
				return;
			case "copyData":
				this.#pending?.listener.copyData?.(message.chunk);
				return;
			case "copyOutResponse":
			case "copyDone":
				return;
			case "authenticationOk":
				this.#admitted();
				return;
			case "authenticationCleartextPassword":
			case "authenticationSASL":
			case "authenticationSASLContinue":
			case "authenticationSASLFinal":
				void this.#authenticate(message);
				return;
			default:
				this.#leave(new Error(`unexpected message from the server: ${message.name}`));
		}
	}

	async #authenticate(message: Incoming): Promise<void> {
		try {
			const answer = await this.#login.answer(message);
			if (answer !== undefined) this.#socket.write(answer);
		} catch (error) {
			this.#leave(error as Error);
		}
	}

	/** At once: what may come with it in one piece must not be believed before. */
	#admitted(): void {
		try {
			this.#login.admitted();
		} catch (error) {
			this.#leave(error as Error);
		}
	}

	#leave(error: Error): void {
		this.#lost ??= error;
		this.#socket.destroy();
	}

	#complete(tag: string): void {
		const result = { fields: this.#fields, rows: this.#rows, tag };
		this.#fields = undefined;
		this.#rows = [];
		this.#pending?.listener.result(result);
	}

	#failed(error: ServerError): void {
		this.#fields = undefined;
		this.#rows = [];
		if (this.#pending !== undefined) {
			this.#pending.error = error;
		}
		if (error.severity === "FATAL" || error.severity === "PANIC") {
			// The server closes next; what it said is worth more than "connection closed".
			this.#lost ??= error;
		}
	}

	#ready(status: string): void {
		if (this.#lost !== undefined) return;
		this.transactionStatus = status;
		const pending = this.#pending;
		this.#pending = undefined;
		if (pending?.error !== undefined) {
			pending.reject(pending.error);
		} else {
			pending?.resolve();
		}
	}

	#closed(): void {
		this.#lost ??= new ConnectionLost("the server closed the connection");
		const pending = this.#pending;
		this.#pending = undefined;
		pending?.reject(pending.error ?? this.#lost);
	}
}

function toServerMessage(message: Incoming): ServerMessage {
	const fields = message as unknown as Record<string, string | undefined>;
	return {
		severity: fields["severity"] ?? "ERROR",
		code: fields["code"] ?? "XX000",
		message: fields["message"] ?? "",
		detail: fields["detail"],
		hint: fields["hint"],
		position: message.position === undefined ? undefined : Number(message.position),
	};
}

async function openSocket(options: ConnectionOptions): Promise<Opened> {
	const socket = await openPlainSocket(options);
	const timer = setTimeout(() => {
		socket.destroy(new Error(`no answer within ${options.connectTimeoutMs / 1000} s`));
	}, options.connectTimeoutMs);
	try {
		return await secure(socket, options.tls, options.host);
	} catch (error) {
		socket.destroy();
		throw error;
	} finally {
		clearTimeout(timer);
	}
}

function openPlainSocket(options: ConnectionOptions): Promise<Socket> {
	const where = `${options.host}:${options.port}`;
	return new Promise((resolve, reject) => {
		const socket = connect({ host: options.host, port: options.port, noDelay: true });
		const timer = setTimeout(() => {
			socket.destroy(
				new Error(`${where} did not answer within ${options.connectTimeoutMs / 1000} s`),
			);
		}, options.connectTimeoutMs);
		socket.once("connect", () => {
			clearTimeout(timer);
			socket.removeAllListeners("error");
			resolve(socket);
		});
		socket.once("error", (error: NodeJS.ErrnoException) => {
			clearTimeout(timer);
			reject(
				error.code === "ECONNREFUSED"
					? new Error(`nothing is listening on ${where}; is the cluster started? (make cluster)`)
					: new Error(`cannot connect to ${where}: ${error.message}`),
			);
		});
	});
}
