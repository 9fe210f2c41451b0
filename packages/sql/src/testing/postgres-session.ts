/** One connection to a PostgreSQL, as far as a case needs it: a simple query, or Parse to Sync, and all that is answered. */
import { connect, type Socket } from "node:net";
import { assert } from "@quorate/keys/assert";
import { parse, serialize } from "pg-protocol";
import type {
	CommandCompleteMessage,
	CopyDataMessage,
	CopyResponse,
	DatabaseError,
	DataRowMessage,
	NoticeMessage,
	ParameterDescriptionMessage,
	ParameterStatusMessage,
	ReadyForQueryMessage,
	RowDescriptionMessage,
} from "pg-protocol/dist/messages.js";
import { Answer, typeOidByName } from "./answer.ts";
import type { Case } from "./conformance-file.ts";

type Message =
	| { readonly name: "other" }
	| RowDescriptionMessage
	| DataRowMessage
	| CommandCompleteMessage
	| CopyResponse
	| CopyDataMessage
	| ParameterStatusMessage
	| ParameterDescriptionMessage
	| ReadyForQueryMessage
	| NoticeMessage
	| DatabaseError;

export class PostgresSession {
	readonly #socket: Socket;
	#answer = new Answer();
	#copyData: string | undefined;
	#extended = false;
	#copied = "";
	#ready: ((status: string) => void) | undefined;
	#lost: ((reason: Error) => void) | undefined;

	private constructor(socket: Socket) {
		this.#socket = socket;
		socket.once("error", (error) => this.#lost?.(error));
		socket.once("close", () => this.#lost?.(new Error("PostgreSQL ended the connection")));
		void parse(socket, (message) => this.#take(message as unknown as Message));
	}

	static async open(path: string, database: string): Promise<PostgresSession> {
		const session = new PostgresSession(connect(path));
		await session.#send(serialize.startup({ user: "quorate", database }));
		return session;
	}

	async run(one: Case): Promise<readonly string[]> {
		this.#answer = new Answer();
		this.#copyData = one.copyData;
		this.#extended = one.parameters !== undefined;
		const status = await this.#send(
			one.parameters === undefined ? serialize.query(one.statement) : extended(one),
		);
		return this.#answer.end(status);
	}

	/** Resolves when PostgreSQL has ended the session. */
	async close(): Promise<void> {
		const closed = new Promise((resolve) => this.#socket.once("close", resolve));
		this.#socket.end(serialize.end());
		await closed;
	}

	/** Resolves with the status of ReadyForQuery. */
	#send(bytes: Buffer): Promise<string> {
		return new Promise((resolve, reject) => {
			this.#ready = resolve;
			this.#lost = reject;
			this.#socket.write(bytes);
		});
	}

	#take(message: Message): void {
		const answer = this.#answer;
		// pg-protocol types the name of most messages loosely.
		switch (message.name as string) {
			case "parameterDescription":
				answer.parameters((message as ParameterDescriptionMessage).dataTypeIDs);
				break;
			case "rowDescription": {
				const columns = (message as RowDescriptionMessage).fields.map((field) => ({
					name: field.name,
					oid: field.dataTypeID,
					modifier: field.dataTypeModifier,
				}));
				if (this.#extended) answer.described(columns);
				else answer.columns(columns);
				break;
			}
			case "dataRow":
				answer.row((message as DataRowMessage).fields);
				break;
			case "commandComplete":
				answer.line((message as CommandCompleteMessage).text);
				break;
			case "emptyQuery":
				answer.line("(empty)");
				break;
			case "portalSuspended":
				answer.line("(suspended)");
				break;
			case "error":
			case "notice": {
				const error = message as DatabaseError;
				const { code, severity, message: text } = error;
				answer.error({ ...error, code: code!, severity: severity!, message: text! });
				break;
			}
			case "parameterStatus": {
				const status = message as ParameterStatusMessage;
				answer.setting(status.parameterName, status.parameterValue);
				break;
			}
			case "readyForQuery":
				this.#ready?.((message as ReadyForQueryMessage).status);
				break;
			default:
				this.#takeCopy(message);
		}
	}

	#takeCopy(message: Message): void {
		switch (message.name as string) {
			case "copyInResponse":
				if (this.#copyData === undefined) {
					this.#socket.write(serialize.copyFail("no data"));
				} else {
					if (this.#copyData !== "") {
						this.#socket.write(serialize.copyData(Buffer.from(this.#copyData)));
					}
					this.#socket.write(serialize.copyDone());
				}
				break;
			case "copyOutResponse":
				this.#copied = "";
				break;
			case "copyData":
				this.#copied += (message as CopyDataMessage).chunk.toString();
				break;
			case "copyDone":
				if (this.#copied !== "") this.#answer.copyOut(this.#copied);
				break;
		}
	}
}

function extended(one: Case): Buffer {
	const types = one.types.map((name) => {
		const oid = typeOidByName(name);
		assert(oid !== 0, `${one.line}: no type ${name}`);
		return oid;
	});
	const executions = one.rowsMax === 0 ? 1 : 3;
	return Buffer.concat([
		serialize.parse({ text: one.statement, types }),
		serialize.describe({ type: "S" }),
		serialize.bind({ values: [...one.parameters!] }),
		...Array.from({ length: executions }, () => serialize.execute({ rows: one.rowsMax })),
		serialize.sync(),
	]);
}
