/**
 * A session without a database: each statement says what should happen, so that a test controls what the
 * protocol has to carry. `rows N` (id int4, name text), `echo` (its parameters), `fail CODE`, `bug`, `wait`, `begin`, `commit`,
 * `notice`, `set NAME VALUE`, `copy in`, `copy out N`, `big N` (rows of 10 kB), `exact` (unusual values); `;` separates.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { decoyVerifier } from "@quorate/sql/auth/scram-verifier";
import type {
	LoginFacts,
	Portal,
	PreparedStatement,
	ResultColumn,
	ResultSink,
	Session,
	SessionFactory,
	TransactionStatus,
} from "@quorate/sql/session/types";
import type { Datum } from "@quorate/sql/types/datum";
import type { TypeContext } from "@quorate/sql/types/registry";

const column = (name: string, oid: number): ResultColumn => ({
	name,
	type: { oid, modifier: -1 },
	tableOid: 0,
	attribute: 0,
});
const rowColumns = [column("id", 23), column("name", 25)];
const bigColumns = [column("payload", 25)];

export class FakeSession implements Session {
	transactionStatus: TransactionStatus = "I";
	readonly typeContext: TypeContext = {
		timeZone: "UTC",
		dateStyle: "ISO, MDY",
		extraFloatDigits: 1,
		byteaOutput: "hex",
		transactionStart: 0n,
	};
	readonly log: string[] = [];
	get isSuperuser(): boolean {
		return this.parameters.get("user") === "root";
	}
	readonly parameters: ReadonlyMap<string, string>;
	readonly pid: number;
	/** Rows that `big` has produced so far. */
	produced = 0;
	copied: Buffer[] = [];
	closeCount = 0;
	running = 0;
	#cancel: ((error: Error) => void) | undefined;
	readonly #statements = new Map<string, PreparedStatement & { text: string }>();
	readonly #portals = new Map<string, Portal>();

	constructor(parameters: ReadonlyMap<string, string>, pid: number) {
		this.parameters = parameters;
		this.pid = pid;
	}

	async query(text: string, sink: ResultSink): Promise<boolean> {
		const statements = text.split(";").filter((part) => part.trim() !== "");
		for (const statement of statements) {
			await this.#run(statement.trim(), sink, [], true);
		}
		return statements.length > 0;
	}

	async prepare(name: string, text: string, types: readonly number[]): Promise<PreparedStatement> {
		this.log.push(`prepare ${name}: ${text}`);
		if (text.startsWith("broken")) {
			throw new DatabaseError("42601", 'syntax error at or near "broken"', { position: 1 });
		}
		const columns = columnsOf(text, types);
		const statement = { parameterTypes: types, columns, empty: text === "", text };
		this.#statements.set(name, statement);
		return statement;
	}

	statement(name: string): PreparedStatement | undefined {
		return this.#statements.get(name);
	}

	closeStatement(name: string): void {
		this.#statements.delete(name);
	}

	async bind(name: string, from: string, parameters: readonly Datum[]): Promise<Portal> {
		const statement = this.#statements.get(from)!;
		let left = rowsOf(statement.text, parameters);
		const portal: Portal = {
			statement,
			columns: statement.columns,
			execute: async (sink, maxRows) => {
				if (statement.empty) {
					return "empty";
				}
				if (left === undefined) {
					await this.#run(statement.text, sink, parameters, false);
					return "complete";
				}
				const now = maxRows === 0 ? left : left.slice(0, maxRows);
				left = left.slice(now.length);
				await sink.rows(now);
				if (left.length > 0) {
					return "suspended";
				}
				sink.complete(`SELECT ${now.length}`);
				return "complete";
			},
			close: async () => undefined,
		};
		this.#portals.set(name, portal);
		return portal;
	}

	portal(name: string): Portal | undefined {
		return this.#portals.get(name);
	}

	async closePortal(name: string): Promise<void> {
		this.#portals.delete(name);
	}

	async sync(): Promise<void> {
		this.log.push("sync");
		if (this.transactionStatus === "I") {
			this.#portals.clear();
		}
	}

	fail(error: DatabaseError): void {
		this.log.push(`failed ${error.code}`);
		if (this.transactionStatus === "T") {
			this.transactionStatus = "E";
		}
	}

	terminated: DatabaseError | undefined;
	#attention: () => void = () => {};

	attend(listener: () => void): void {
		this.#attention = listener;
	}

	readonly #notifications: ReturnType<Session["takeNotifications"]>[number][] = [];

	takeNotifications(): ReturnType<Session["takeNotifications"]> {
		return this.#notifications.splice(0);
	}

	notify(channel: string, payload: string, pid: number): void {
		this.#notifications.push({ channel, payload, pid });
		this.#attention();
	}

	/** As if its node had taken something from it. */
	terminate(reason: DatabaseError): void {
		this.terminated = reason;
		this.#attention();
	}

	cancel(): void {
		this.log.push("cancel");
		this.#cancel?.(new DatabaseError("57014", "canceling statement due to user request"));
	}

	async close(): Promise<void> {
		this.closeCount++;
		this.log.push(`close while ${this.running} run`);
	}

	reportedSettings(): readonly (readonly [string, string])[] {
		return [
			["server_version", "15.0 (Quorate 0.1.0)"],
			["client_encoding", "UTF8"],
		];
	}

	async #run(text: string, sink: ResultSink, parameters: readonly Datum[], describe: boolean) {
		this.log.push(`run ${text}`);
		this.running++;
		try {
			const rows = rowsOf(text, parameters);
			if (rows !== undefined) {
				if (describe) {
					sink.columns(columnsOf(text, [])!, text.endsWith(" binary") ? "binary" : "text");
				}
				await sink.rows(rows);
				sink.complete(`SELECT ${rows.length}`);
				return;
			}
			await this.#command(text.split(" "), sink, describe);
		} catch (error) {
			if (this.transactionStatus === "T") {
				this.transactionStatus = "E";
			}
			throw error;
		} finally {
			this.running--;
		}
	}

	async #command(words: string[], sink: ResultSink, describe: boolean): Promise<void> {
		switch (words[0]) {
			case "begin":
			case "commit":
				this.transactionStatus = words[0] === "begin" ? "T" : "I";
				return sink.complete(words[0].toUpperCase());
			case "notice":
				sink.notice({ severity: "NOTICE", code: "00000", message: "look", hint: "there" });
				return sink.complete("DO");
			case "set":
				sink.parameter(words[1] ?? "", words[2] ?? "");
				return sink.complete("SET");
			case "wait":
				await new Promise((_, reject) => {
					this.#cancel = reject;
				});
				return;
			case "big":
				return this.#big(Number(words[1]), sink, describe);
			case "copy":
				return words[1] === "in" ? this.#copyIn(sink) : this.#copyOut(Number(words[2]), sink);
			case "bug":
				throw new TypeError("cannot read properties of undefined");
			case "fail":
				throw new DatabaseError(words[1]!, "it failed", {
					detail: "some detail",
					hint: "some hint",
					position: 6,
					schema: "public",
					table: "t",
					column: "c",
					dataType: "int4",
					constraint: "t_pkey",
				});
			default:
				throw new DatabaseError("42601", `syntax error at or near "${words[0]}"`);
		}
	}

	async #big(count: number, sink: ResultSink, describe: boolean): Promise<void> {
		if (describe) {
			sink.columns(bigColumns);
		}
		const payload = "x".repeat(10_000);
		for (this.produced = 0; this.produced < count; this.produced++) {
			await sink.rows([[payload]]);
		}
		sink.complete(`SELECT ${count}`);
	}

	async #copyIn(sink: ResultSink): Promise<void> {
		for await (const chunk of sink.copyIn("text", 2)) {
			this.copied.push(Buffer.from(chunk));
			if (chunk.includes("!".charCodeAt(0))) {
				throw new DatabaseError("22P04", "extra data after last expected column");
			}
		}
		sink.complete(`COPY ${this.copied.length}`);
	}

	async #copyOut(count: number, sink: ResultSink): Promise<void> {
		sink.copyOutStart("text", 2);
		for (let index = 0; index < count; index++) {
			await sink.copyOut(Buffer.from(`${index}\tline\n`));
		}
		sink.copyOutEnd();
		sink.complete(`COPY ${count}`);
	}
}

function columnsOf(text: string, types: readonly number[]): readonly ResultColumn[] | undefined {
	if (text.startsWith("rows")) {
		return rowColumns;
	}
	return text === "echo" ? types.map((oid, index) => column(`p${index + 1}`, oid)) : undefined;
}

function rowsOf(text: string, parameters: readonly Datum[]): Datum[][] | undefined {
	if (text === "echo") {
		return [[...parameters]];
	}
	if (!text.startsWith("rows")) {
		return undefined;
	}
	const count = Number(text.split(" ")[1]);
	return Array.from({ length: count }, (_, id) => [id, id % 7 === 3 ? null : `name ${id} é`]);
}

export class FakeSessions implements SessionFactory {
	/** By user. */
	readonly verifiers = new Map<string, string>();

	async loginFacts(user: string): Promise<LoginFacts> {
		const verifier = this.verifiers.get(user);
		return {
			verifier: verifier ?? decoyVerifier("secret", user),
			mayUsePassword: verifier !== undefined,
			memberOf: new Set(user.startsWith("member") ? ["group"] : []),
		};
	}

	readonly opened: FakeSession[] = [];

	async open(parameters: ReadonlyMap<string, string>, pid: number): Promise<Session> {
		if (parameters.get("database") === "absent") {
			throw new DatabaseError("3D000", 'database "absent" does not exist');
		}
		const session = new FakeSession(parameters, pid);
		this.opened.push(session);
		return session;
	}
}
