/** A client for the tests: writes raw bytes, and reads every message back through the parser of the `pg` driver. */
import type { Connection } from "@quorate/runtime/runtime";
import type { BackendMessage } from "pg-protocol/dist/messages.js";
import { Parser } from "pg-protocol/dist/parser.js";
import type { TestRuntime } from "./test-runtime.ts";

/** The union of what the tests look at; the parser's own types are per message. */
export interface Seen extends BackendMessage {
	readonly fields?: readonly unknown[];
	readonly text?: string;
	readonly status?: string;
	readonly code?: string;
	readonly severity?: string;
	readonly message?: string;
	readonly chunk?: Buffer;
	readonly processID?: number;
	readonly processId?: number;
	readonly channel?: string;
	readonly payload?: string;
	readonly secretKey?: number;
	readonly parameterName?: string;
	readonly parameterValue?: string;
	readonly dataTypeIDs?: readonly number[];
}

export class TestClient {
	readonly messages: Seen[] = [];
	/** Everything that came, as it came. */
	readonly raw: Buffer[] = [];
	/** How many pieces it came in. */
	pieces = 0;
	closed = false;
	readonly connection: Connection;
	/** Off for bytes that the parser does not read. */
	parsing = true;
	readonly #parser = new Parser();
	#waiters: (() => void)[] = [];
	#read = 0;

	constructor(connection: Connection) {
		this.connection = connection;
		connection.onData((bytes) => {
			this.pieces++;
			this.raw.push(Buffer.from(bytes));
			if (this.parsing) {
				this.#parser.parse(Buffer.from(bytes), (message) => this.messages.push(message as Seen));
			}
			this.#wake();
		});
		connection.onClose(() => {
			this.closed = true;
			this.#wake();
		});
	}

	static async open(runtime: TestRuntime, address: string): Promise<TestClient> {
		return new TestClient(await runtime.network.connect(address));
	}

	/** Connected, with its session ready. */
	static async start(
		runtime: TestRuntime,
		address: string,
		parameters: Record<string, string> = { user: "tester" },
	): Promise<TestClient> {
		const client = await TestClient.open(runtime, address);
		client.send(startup(parameters));
		await client.until("readyForQuery");
		return client;
	}

	send(...parts: Uint8Array[]): void {
		this.connection.write(Buffer.concat(parts));
	}

	/** The messages that came since the last call, up to and with the first of that name. */
	async until(name: string): Promise<Seen[]> {
		for (;;) {
			const at = this.messages.findIndex((m, index) => index >= this.#read && m.name === name);
			if (at >= 0) {
				const found = this.messages.slice(this.#read, at + 1);
				this.#read = at + 1;
				return found;
			}
			if (this.closed) {
				const seen = this.messages.slice(this.#read).map((m) => `${m.name} ${m.code ?? ""}`);
				throw new Error(`closed before ${name}; since the last: ${seen.join(", ")}`);
			}
			await this.#more();
		}
	}

	async untilClosed(): Promise<Seen[]> {
		while (!this.closed) {
			await this.#more();
		}
		const found = this.messages.slice(this.#read);
		this.#read = this.messages.length;
		return found;
	}

	#more(): Promise<void> {
		return new Promise((resolve) => this.#waiters.push(resolve));
	}

	#wake(): void {
		for (const resolve of this.#waiters.splice(0)) {
			resolve();
		}
	}
}

/** Waits, a turn of the event loop at a time, until it holds. */
export async function eventually(condition: () => boolean): Promise<void> {
	for (let turn = 0; !condition(); turn++) {
		if (turn > 100_000) {
			throw new Error(`never held: ${condition}`);
		}
		await new Promise((resolve) => setImmediate(resolve));
	}
}

export const names = (messages: readonly Seen[]): string => messages.map((m) => m.name).join(" ");

const cstring = (text: string) => Buffer.from(`${text}\0`);

export function int32(value: number): Buffer {
	const bytes = Buffer.alloc(4);
	bytes.writeInt32BE(value | 0);
	return bytes;
}

export function int16(value: number): Buffer {
	const bytes = Buffer.alloc(2);
	bytes.writeUInt16BE(value);
	return bytes;
}

/** A packet before the session: length, code, rest. */
export const packet = (code: number, ...rest: Uint8Array[]): Buffer => {
	const body = Buffer.concat(rest);
	return Buffer.concat([int32(body.length + 8), int32(code), body]);
};

export const startup = (parameters: Record<string, string>, version = 3 << 16): Buffer =>
	packet(
		version,
		...Object.entries(parameters).flatMap(([name, value]) => [cstring(name), cstring(value)]),
		Buffer.of(0),
	);

/** A message by hand, for what the driver's serializer cannot write. */
export function message(type: string, ...parts: (Uint8Array | string)[]): Buffer {
	const body = Buffer.concat(parts.map((p) => (typeof p === "string" ? cstring(p) : p)));
	return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
}
