/** Runs a case through a session of Quorate, doing what the protocol server would do with it. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Notice, ResultColumn, ResultSink, Session } from "../session/types.ts";
import type { Datum } from "../types/datum.ts";
import { typeByOid } from "../types/registry.ts";
import { Answer, typeOidByName } from "./answer.ts";
import type { Case } from "./conformance-file.ts";

/** Answers as the wire would show them. */
class AnswerSink implements ResultSink {
	readonly answer = new Answer();
	readonly #session: Session;
	readonly #copyData: string | undefined;
	#columns: readonly ResultColumn[] = [];
	#copied = "";

	constructor(session: Session, copyData: string | undefined) {
		this.#session = session;
		this.#copyData = copyData;
	}

	notice(notice: Notice): void {
		this.answer.error(notice);
	}

	parameter(name: string, value: string): void {
		this.answer.setting(name, value);
	}

	/** Of a portal, which does not tell them. */
	expect(columns: readonly ResultColumn[]): void {
		this.#columns = columns;
	}

	columns(columns: readonly ResultColumn[]): void {
		this.#columns = columns;
		this.answer.columns(columns.map(({ name, type }) => ({ name, ...type })));
	}

	describe(columns: readonly ResultColumn[]): void {
		this.answer.described(columns.map(({ name, type }) => ({ name, ...type })));
	}

	rows(rows: readonly (readonly Datum[])[]): void {
		for (const row of rows) {
			this.answer.row(
				row.map((value, index) => {
					if (value === null) return null;
					const type = typeByOid(this.#columns[index]!.type.oid)!;
					return type.format(value, this.#session.typeContext);
				}),
			);
		}
	}

	complete(tag: string): void {
		this.answer.line(tag);
	}

	async *copyIn(): AsyncIterable<Uint8Array> {
		if (this.#copyData === undefined) {
			throw new DatabaseError("57014", "COPY from stdin failed: no data");
		}
		yield Buffer.from(this.#copyData);
	}

	copyOutStart(): void {
		this.#copied = "";
	}

	copyOut(chunk: Uint8Array): void {
		this.#copied += Buffer.from(chunk).toString();
	}

	copyOutEnd(): void {
		if (this.#copied !== "") this.answer.copyOut(this.#copied);
	}
}

export async function runCase(session: Session, one: Case): Promise<readonly string[]> {
	const sink = new AnswerSink(session, one.copyData);
	try {
		if (one.parameters === undefined) {
			if (!(await session.query(one.statement, sink))) sink.answer.line("(empty)");
		} else {
			await runExtended(session, one, sink);
		}
	} catch (error) {
		sink.answer.error(describe(error));
	}
	return sink.answer.end(session.transactionStatus);
}

async function runExtended(session: Session, one: Case, sink: AnswerSink): Promise<void> {
	try {
		const statement = await session.prepare("", one.statement, one.types.map(typeOidByName));
		sink.answer.parameters(statement.parameterTypes);
		if (statement.columns !== undefined) {
			sink.describe(statement.columns);
		}
		const values = decode(session, one.parameters!, statement.parameterTypes);
		const portal = await session.bind("", "", values);
		sink.expect(portal.columns ?? []);
		for (let execution = 0; execution < (one.rowsMax === 0 ? 1 : 3); execution++) {
			const outcome = await portal.execute(sink, one.rowsMax, one.rowsMax === 0);
			if (outcome === "suspended") sink.answer.line("(suspended)");
			if (outcome === "empty") sink.answer.line("(empty)");
		}
	} catch (error) {
		sink.answer.error(describe(error));
		if (error instanceof DatabaseError) session.fail(error);
	}
	await session.sync();
}

function decode(
	session: Session,
	parameters: readonly (string | null)[],
	types: readonly number[],
): Datum[] {
	if (parameters.length !== types.length) {
		throw new DatabaseError(
			"08P01",
			`bind message supplies ${parameters.length} parameters, but prepared statement "" requires ${types.length}`,
		);
	}
	return parameters.map((text, index) => {
		try {
			return text === null ? null : typeByOid(types[index]!)!.parse(text, -1, session.typeContext);
		} catch (error) {
			if (!(error instanceof DatabaseError)) throw error;
			const place = `unnamed portal parameter $${index + 1} = '...'`;
			const where = error.fields.where === undefined ? place : `${error.fields.where}\n${place}`;
			throw new DatabaseError(error.code, error.message, { ...error.fields, where });
		}
	});
}

/** What is not a DatabaseError is a bug, and looks like one. */
function describe(error: unknown) {
	if (error instanceof DatabaseError) {
		const { code, message, fields } = error;
		return { ...fields, severity: fields.severity ?? "ERROR", code, message };
	}
	const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
	return { severity: "CRASH", code: "XX000", message: stack.split("\n").slice(0, 4).join(" ") };
}
