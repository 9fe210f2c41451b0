/** A client's connection to a node's SQL listener, over the simulated network, through the parser and serializer of the `pg` driver. */
import type { Connection, Runtime } from "@quorate/runtime/runtime";
import { serialize } from "pg-protocol";
import { Parser } from "pg-protocol/dist/parser.js";

export interface SqlResult {
	readonly rows: readonly (readonly (string | null)[])[];
	readonly tag: string;
}

/** What the server said no to. */
export class SqlError extends Error {
	override readonly name = "SqlError";
	readonly code: string;
	/** The connection ends with it. */
	readonly isFatal: boolean;
	readonly detail: string | undefined;
	readonly hint: string | undefined;

	constructor(m: Pick<Message, "code" | "message" | "severity" | "detail" | "hint">) {
		super(m.message);
		this.code = m.code;
		this.isFatal = m.severity === "FATAL";
		this.detail = m.detail;
		this.hint = m.hint;
	}
}

/** What became of the query is not known. */
export class ConnectionLostError extends Error {
	override readonly name = "ConnectionLostError";
}

const connectMs = 2_000;

/** The parts of the parser's messages that are used here. */
interface Message {
	readonly name: string;
	readonly code: string;
	readonly severity: string;
	readonly message: string;
	readonly detail: string | undefined;
	readonly hint: string | undefined;
	readonly text: string;
	readonly fields: (string | null)[];
	readonly channel: string;
	readonly payload: string;
	readonly processID: number;
	readonly secretKey: number;
}

interface Query {
	readonly results: SqlResult[];
	rows: (string | null)[][];
	error: SqlError | undefined;
	readonly resolve: (results: readonly SqlResult[]) => void;
	readonly reject: (error: Error) => void;
}

export class SqlConnection {
	readonly #connection: Connection;
	/** Told of notifications, in the order in which they come. */
	onNotification: (channel: string, payload: string) => void = () => {};
	#query: Query | undefined;
	#isOpen = true;
	#end: SqlError | undefined;
	#key = { processID: 0, secretKey: 0 };
	/** What the server said beside its answers. */
	readonly notices: string[] = [];

	private constructor(connection: Connection) {
		this.#connection = connection;
		const parser = new Parser();
		connection.onData((bytes) =>
			parser.parse(Buffer.from(bytes), (m) => this.#receive(m as unknown as Message)),
		);
		connection.onClose(() => this.#closed());
	}

	/** Rejects with either error. Once `gone` resolves nobody is there any more, though nothing may say so. */
	static async open(
		runtime: Runtime,
		address: string,
		gone: Promise<void>,
	): Promise<SqlConnection> {
		const connection = await runtime.network.connect(address, connectMs).catch((error: Error) => {
			throw new ConnectionLostError(error.message);
		});
		const opened = new SqlConnection(connection);
		void gone.then(() => opened.close());
		await opened.#ask(serialize.startup({ user: "quorate", database: "quorate" }));
		return opened;
	}

	get isOpen(): boolean {
		return this.#isOpen;
	}

	/** What the server said when it ended the connection while nothing was asked. */
	get end(): SqlError | undefined {
		return this.#end;
	}

	/** Asks the server, over another connection, to cancel the statement that runs. */
	async cancel(runtime: Runtime, address: string): Promise<void> {
		const other = await runtime.network.connect(address, connectMs);
		const { processID, secretKey } = this.#key;
		const closed = new Promise<void>((resolve) => other.onClose(() => resolve()));
		other.write(serialize.cancel(processID, secretKey));
		await closed;
	}

	/** All statements of the text, one result each. */
	query(text: string): Promise<readonly SqlResult[]> {
		return this.#ask(serialize.query(text));
	}

	close(): void {
		this.#connection.destroy();
		this.#closed();
	}

	#ask(bytes: Uint8Array): Promise<readonly SqlResult[]> {
		if (!this.#isOpen) return Promise.reject(new ConnectionLostError("the connection is closed"));
		return new Promise((resolve, reject) => {
			this.#query = { results: [], rows: [], error: undefined, resolve, reject };
			this.#connection.write(bytes);
		});
	}

	#receive(message: Message): void {
		if (message.name === "backendKeyData") this.#key = message;
		if (message.name === "notification") this.onNotification(message.channel, message.payload);
		if (message.name === "notice") this.notices.push(message.message);
		const query = this.#query;
		if (query === undefined) {
			if (message.name === "error") this.#end = new SqlError(message);
			return;
		}
		switch (message.name) {
			case "dataRow":
				query.rows.push(message.fields);
				return;
			case "commandComplete":
				query.results.push({ rows: query.rows, tag: message.text });
				query.rows = [];
				return;
			case "error":
				query.error = new SqlError(message);
				return;
			case "readyForQuery":
				this.#query = undefined;
				if (query.error === undefined) query.resolve(query.results);
				else query.reject(query.error);
				return;
			default:
				return;
		}
	}

	#closed(): void {
		this.#isOpen = false;
		const query = this.#query;
		this.#query = undefined;
		query?.reject(query.error ?? new ConnectionLostError("the connection was closed"));
	}
}
