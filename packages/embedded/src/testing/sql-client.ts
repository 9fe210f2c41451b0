/** A client for tests: simple queries over `pg-protocol`, one at a time. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { serialize } from "pg-protocol";
import { Parser } from "pg-protocol/dist/parser.js";

export class SqlError extends Error {
	readonly code: string;

	constructor(code: string, message: string) {
		super(message);
		this.code = code;
	}
}

interface Message {
	readonly name: string;
	readonly code: string;
	readonly message: string;
	readonly fields: (string | null)[];
	readonly channel: string;
	readonly payload: string;
	readonly processId: number;
}

export interface Told {
	readonly channel: string;
	readonly payload: string;
	readonly pid: number;
}

export class SqlClient {
	/** Notifications, as they came. */
	readonly told: Told[] = [];
	onTold: () => void = () => {};
	readonly #socket: Socket;
	#rows: (string | null)[][] = [];
	#error: SqlError | undefined;
	#settle: ((error: Error | undefined) => void) | undefined;

	private constructor(socket: Socket) {
		this.#socket = socket;
		const parser = new Parser();
		socket.on("data", (bytes) => {
			parser.parse(bytes, (message) => this.#receive(message as unknown as Message));
		});
		socket.on("error", () => undefined);
		socket.on("close", () =>
			this.#settle?.(this.#error ?? new SqlError("08006", "connection lost")),
		);
	}

	static async connect(connectionString: string): Promise<SqlClient> {
		const url = new URL(connectionString);
		const socket = connect(Number(url.port), url.hostname);
		await once(socket, "connect");
		const client = new SqlClient(socket);
		await client.#exchange(
			serialize.startup({ user: url.username, database: url.pathname.slice(1) }),
		);
		return client;
	}

	/** Rows of all statements of the text, as text. */
	query(text: string): Promise<(string | null)[][]> {
		return this.#exchange(serialize.query(text));
	}

	close(): void {
		this.#socket.destroy();
	}

	/** Resolves when so many notifications have come. */
	async untilTold(count: number): Promise<void> {
		while (this.told.length < count) {
			await new Promise<void>((resolve) => {
				this.onTold = resolve;
			});
		}
	}

	/** Resolves when the server has ended it. */
	async closed(): Promise<void> {
		if (!this.#socket.closed) await once(this.#socket, "close");
	}

	#exchange(bytes: Buffer): Promise<(string | null)[][]> {
		if (this.#socket.closed) return Promise.reject(new SqlError("08006", "connection lost"));
		this.#rows = [];
		this.#error = undefined;
		return new Promise((resolve, reject) => {
			this.#settle = (error) => {
				this.#settle = undefined;
				if (error === undefined) resolve(this.#rows);
				else reject(error);
			};
			this.#socket.write(bytes);
		});
	}

	#receive(message: Message): void {
		if (message.name === "dataRow") this.#rows.push(message.fields);
		else if (message.name === "error") this.#error = new SqlError(message.code, message.message);
		else if (message.name === "readyForQuery") this.#settle?.(this.#error);
		else if (message.name === "notification") {
			const { channel, payload, processId } = message;
			this.told.push({ channel, payload, pid: processId });
			this.onTold();
		}
	}
}
