/** A file in sqllogictest's form, run on a database of its own: Quorate in memory, or a PostgreSQL. */
import { readFileSync } from "node:fs";
import type { Case } from "../conformance-file.ts";
import { memorySessions } from "../memory-sessions.ts";
import type { PostgresServer } from "../postgres-server.ts";
import { PostgresSession } from "../postgres-session.ts";
import { runCase } from "../quorate-session.ts";
import { parseSlt } from "./slt-file.ts";
import { type Execute, SltRun } from "./slt-run.ts";

export interface SltResult {
	readonly records: number;
	/** `FILE:LINE: statement` and what is wrong. */
	readonly complaints: readonly string[];
}

export const caseOf = (statement: string): Case => ({
	comments: [],
	directives: [],
	file: undefined,
	session: "",
	types: [],
	parameters: undefined,
	rowsMax: 0,
	statement,
	copyData: undefined,
	answer: undefined,
	line: 0,
});

async function runRecords(path: string, execute: Execute): Promise<SltResult> {
	const records = parseSlt(readFileSync(path, "utf8"));
	const run = new SltRun(execute);
	const complaints: string[] = [];
	for (const record of records) {
		const complaint = await run.check(record);
		if (complaint !== undefined) {
			complaints.push(`${path}:${record.line}: ${record.sql}\n${complaint}`);
		}
	}
	return { records: records.length, complaints };
}

/** One of each name. */
function named<T>(open: () => Promise<T>): (name: string) => Promise<T> {
	const sessions = new Map<string, Promise<T>>();
	return (name) => {
		const session = sessions.get(name) ?? open();
		sessions.set(name, session);
		return session;
	};
}

export async function runOnQuorate(path: string): Promise<SltResult> {
	const database = memorySessions();
	const sessionOf = named(() => database.open());
	try {
		return await runRecords(path, async (name, sql) => runCase(await sessionOf(name), caseOf(sql)));
	} finally {
		await database.close();
	}
}

export async function runOnPostgres(
	path: string,
	server: PostgresServer,
	database: string,
): Promise<SltResult> {
	const opened: Promise<PostgresSession>[] = [];
	const sessionOf = named(() => {
		const session = PostgresSession.open(server.socketPath, database);
		opened.push(session);
		return session;
	});
	try {
		return await runRecords(path, async (name, sql) => (await sessionOf(name)).run(caseOf(sql)));
	} finally {
		for (const session of opened) await (await session).close();
	}
}
