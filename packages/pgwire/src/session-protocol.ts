/**
 * The messages of an established session: simple queries, and the extended protocol with its statements and
 * portals (PostgreSQL manual, "Message Flow"). One message is handled at a time; the connection waits for
 * the promise before it hands in the next.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Portal, PreparedStatement, Session } from "@quorate/sql/session/types";
import type { Datum } from "@quorate/sql/types/datum";
import {
	type CompiledColumns,
	compileColumns,
	type FormatCodes,
	readFormatCodes,
} from "./column-encoders.ts";
import { writeError } from "./error-messages.ts";
import type { MessageBody } from "./message-body.ts";
import { answers, backend, frontend } from "./messages.ts";
import type { Outlet } from "./outlet.ts";
import { decodeParameter } from "./parameter-decoders.ts";
import { ProtocolViolation } from "./protocol-violation.ts";
import { ResultWriter } from "./result-writer.ts";

const statementKind = "S".charCodeAt(0);
const portalKind = "P".charCodeAt(0);

export class SessionProtocol {
	readonly #session: Session;
	readonly #outlet: Outlet;
	readonly #sink: ResultWriter;
	/** What Bind said about the format of a portal's results; undefined: it returns no rows. */
	/** Of named portals. */
	readonly #columns = new WeakMap<Portal, CompiledColumns | undefined>();
	/** Of the unnamed one, which nearly all are: a field costs less than an entry in a map. */
	#unnamed: { readonly portal: Portal; readonly columns: CompiledColumns | undefined } | undefined;
	/** After an error in the extended protocol everything up to the next Sync is passed over. */
	#skipping = false;
	/** ReadyForQuery was the last thing said. */
	#resting = false;

	constructor(session: Session, outlet: Outlet) {
		this.#session = session;
		this.#outlet = outlet;
		this.#sink = new ResultWriter(outlet, () => session.typeContext);
	}

	/** Met inside COPY data: the connection must end, whatever the statement made of it. */
	get violation(): ProtocolViolation | undefined {
		return this.#sink.violation;
	}

	/** True between two series of messages, outside a transaction: nothing would be lost. */
	get idle(): boolean {
		return this.#resting && this.#session.transactionStatus === "I";
	}

	/** What it throws, or rejects with, goes to `fail` with the same type. */
	handle(type: number, body: MessageBody): void | Promise<void> {
		this.#resting = false;
		if (this.#skipping && type !== frontend.sync) {
			return undefined;
		}
		switch (type) {
			case frontend.query:
				return this.#query(body);
			case frontend.parse:
				return this.#parse(body);
			case frontend.bind:
				return this.#bind(body);
			case frontend.describe:
				return this.#describe(body);
			case frontend.execute:
				return this.#execute(body);
			case frontend.close:
				return this.#close(body);
			case frontend.sync:
				return this.#sync(body);
			case frontend.flush:
				body.finish();
				return this.#outlet.flushSoon();
			case frontend.copyData:
			case frontend.copyDone:
			case frontend.copyFail:
				// The rest of a COPY that has failed already.
				return undefined;
			case frontend.functionCall:
				return this.#functionCall();
			default:
				throw new ProtocolViolation(`invalid frontend message type ${type}`);
		}
	}

	/** Tells the client, and brings the conversation to the point from which it goes on. */
	fail(type: number, error: DatabaseError): void {
		const writer = this.#outlet.writer;
		writer.abandon();
		writeError(writer, error);
		this.#outlet.flushSoon();
		if (type === frontend.query || type === frontend.functionCall || type === frontend.sync) {
			this.ready();
		} else {
			this.#session.fail(error);
			this.#skipping = true;
		}
	}

	ready(): void {
		this.#resting = true;
		const writer = this.#outlet.writer;
		if (this.#session.transactionStatus === "I") {
			// The session has dropped it, and what it was bound with may be large.
			this.#unnamed = undefined;
			this.#writeNotifications();
		}
		writer.begin(backend.readyForQuery);
		writer.uint8(this.#session.transactionStatus.charCodeAt(0));
		writer.end();
		this.#outlet.flushSoon();
	}

	/** Notifications that came while the client says nothing. In a transaction they wait for its end. */
	notify(): void {
		if (this.idle && this.#writeNotifications()) {
			this.#outlet.flushSoon();
		}
	}

	#writeNotifications(): boolean {
		const notifications = this.#session.takeNotifications();
		const writer = this.#outlet.writer;
		for (const { pid, channel, payload } of notifications) {
			writer.begin(backend.notificationResponse);
			writer.int32(pid);
			writer.string(channel);
			writer.string(payload);
			writer.end();
		}
		return notifications.length > 0;
	}

	async #query(body: MessageBody): Promise<void> {
		const text = this.#queryText(body);
		const found = await this.#session.query(text, this.#sink);
		this.#checkCopy();
		if (!found) {
			this.#outlet.writer.bytes(answers.emptyQueryResponse);
		}
		this.ready();
	}

	#queryText(body: MessageBody): string {
		try {
			const text = body.string();
			body.finish();
			return text;
		} catch (error) {
			if (error instanceof DatabaseError) {
				this.#session.fail(error);
			}
			throw error;
		}
	}

	async #parse(body: MessageBody): Promise<void> {
		const name = body.string();
		const text = body.string();
		const count = body.uint16();
		if (body.remaining !== count * 4) {
			throw new ProtocolViolation("invalid message format");
		}
		const types: number[] = [];
		for (let index = 0; index < count; index++) {
			types.push(body.uint32());
		}
		await this.#session.prepare(name, text, types);
		this.#outlet.writer.bytes(answers.parseComplete);
	}

	#bind(body: MessageBody): void | Promise<void> {
		const portalName = body.string();
		const statementName = body.string();
		const formats = readFormatCodes(body);
		const statement = this.#statement(statementName);
		const parameters = this.#parameters(body, statement, statementName, portalName, formats);
		const resultFormats = readFormatCodes(body);
		body.finish();
		const portal = this.#session.bind(portalName, statementName, parameters);
		if (portal instanceof Promise) {
			return portal.then((bound) => this.#bound(portalName, bound, resultFormats));
		}
		return this.#bound(portalName, portal, resultFormats);
	}

	#bound(name: string, portal: Portal, resultFormats: FormatCodes): void {
		const columns = portal.columns && compileColumns(portal.columns, resultFormats);
		if (name === "") this.#unnamed = { portal, columns };
		else this.#columns.set(portal, columns);
		this.#outlet.writer.bytes(answers.bindComplete);
	}

	#parameters(
		body: MessageBody,
		statement: PreparedStatement,
		statementName: string,
		portalName: string,
		formats: FormatCodes,
	): Datum[] {
		const count = body.uint16();
		if (formats.length > 1 && formats.length !== count) {
			throw new DatabaseError(
				"08P01",
				`bind message has ${formats.length} parameter formats but ${count} parameters`,
			);
		}
		const types = statement.parameterTypes;
		if (count !== types.length) {
			throw new DatabaseError(
				"08P01",
				`bind message supplies ${count} parameters, but prepared statement "${statementName}" requires ${types.length}`,
			);
		}
		const values: Datum[] = [];
		for (let index = 0; index < count; index++) {
			const length = body.int32();
			if (length === -1) {
				values.push(null);
				continue;
			}
			const start = body.skip(length);
			const format = formats.length > 1 ? formats[index]! : (formats[0] ?? 0);
			const context = this.#session.typeContext;
			try {
				values.push(
					decodeParameter(
						types[index]!,
						format,
						body.buffer,
						start,
						start + length,
						index,
						context,
					),
				);
			} catch (error) {
				throw inParameter(error, portalName, index, format);
			}
		}
		return values;
	}

	#describe(body: MessageBody): void {
		const kind = body.uint8();
		const name = body.string();
		body.finish();
		const writer = this.#outlet.writer;
		let columns: CompiledColumns | undefined;
		if (kind === statementKind) {
			const statement = this.#statement(name);
			columns = statement.columns && compileColumns(statement.columns);
			writer.begin(backend.parameterDescription);
			writer.int16(statement.parameterTypes.length);
			for (const oid of statement.parameterTypes) {
				writer.int32(oid);
			}
			writer.end();
		} else if (kind === portalKind) {
			columns = this.#columnsOf(this.#portal(name));
		} else {
			throw new ProtocolViolation(`invalid DESCRIBE message subtype ${kind}`);
		}
		writer.bytes(columns?.description ?? answers.noData);
	}

	#execute(body: MessageBody): void | Promise<void> {
		const name = body.string();
		const maxRows = body.int32();
		body.finish();
		const portal = this.#portal(name);
		this.#sink.expect(this.#columnsOf(portal));
		const isAlone = this.#outlet.reader.nextType === frontend.sync;
		const executed = portal.execute(this.#sink, Math.max(maxRows, 0), isAlone);
		return executed instanceof Promise
			? executed.then((outcome) => this.#executed(outcome))
			: this.#executed(executed);
	}

	#executed(outcome: "complete" | "suspended" | "empty"): void {
		this.#checkCopy();
		if (outcome === "suspended") {
			this.#outlet.writer.bytes(answers.portalSuspended);
		} else if (outcome === "empty") {
			this.#outlet.writer.bytes(answers.emptyQueryResponse);
		}
	}

	async #close(body: MessageBody): Promise<void> {
		const kind = body.uint8();
		const name = body.string();
		body.finish();
		if (kind === statementKind) {
			this.#session.closeStatement(name);
		} else if (kind === portalKind) {
			await this.#session.closePortal(name);
		} else {
			throw new ProtocolViolation(`invalid CLOSE message subtype ${kind}`);
		}
		this.#outlet.writer.bytes(answers.closeComplete);
	}

	#sync(body: MessageBody): void | Promise<void> {
		body.finish();
		this.#skipping = false;
		const ending = this.#session.sync();
		return ending === undefined ? this.#synced() : ending.then(() => this.#synced());
	}

	#synced(): void {
		this.ready();
	}

	#functionCall(): never {
		const error = new DatabaseError("0A000", "the function call protocol is not supported", {
			hint: "Call the function with SELECT.",
		});
		this.#session.fail(error);
		throw error;
	}

	#statement(name: string): PreparedStatement {
		const statement = this.#session.statement(name);
		if (statement === undefined) {
			throw new DatabaseError(
				"26000",
				name === ""
					? "unnamed prepared statement does not exist"
					: `prepared statement "${name}" does not exist`,
			);
		}
		return statement;
	}

	#portal(name: string): Portal {
		const portal = this.#session.portal(name);
		if (portal !== undefined) return portal;
		throw new DatabaseError("34000", `portal "${name}" does not exist`);
	}

	#columnsOf(portal: Portal): CompiledColumns | undefined {
		if (this.#unnamed?.portal === portal) return this.#unnamed.columns;
		if (this.#columns.has(portal)) return this.#columns.get(portal);
		// Opened by SQL (DECLARE CURSOR), which has no result formats.
		return portal.columns && compileColumns(portal.columns);
	}

	#checkCopy(): void {
		if (this.#sink.violation !== undefined) {
			throw this.#sink.violation;
		}
	}
}

/** PostgreSQL keeps the value to itself, since it may be secret. */
function inParameter(error: unknown, portal: string, index: number, format: number): unknown {
	if (!(error instanceof DatabaseError)) {
		return error;
	}
	const of = portal === "" ? "unnamed portal" : `portal "${portal}"`;
	const where = `${of} parameter $${index + 1}${format === 0 ? " = '...'" : ""}`;
	return new DatabaseError(error.code, error.message, { ...error.fields, where });
}
