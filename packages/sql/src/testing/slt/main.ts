/**
 * Files in sqllogictest's form, each on a database of its own, in memory:
 *
 *     npm run slt -- [--postgres] FILE...
 *
 * `--postgres`: on a PostgreSQL 15 of Debian's instead, to see whether the file is right. Exits with 1 if anything differs.
 */
import { parseArgs } from "node:util";
import { DatabaseError } from "@quorate/keys/database-error";
import { PostgresServer, postgresInstalled } from "../postgres-server.ts";
import { PostgresSession } from "../postgres-session.ts";
import { caseOf, runOnPostgres, runOnQuorate, type SltResult } from "./run-file.ts";

const { values: flags, positionals: files } = parseArgs({
	options: { postgres: { type: "boolean", default: false } },
	allowPositionals: true,
});
if (files.length === 0) {
	console.error("usage: npm run slt -- [--postgres] FILE...");
	process.exit(2);
}
if (flags.postgres && !postgresInstalled()) {
	console.error("needs PostgreSQL 15 in /usr/lib/postgresql/15/bin (Debian: postgresql-15)");
	process.exit(2);
}

async function onFreshDatabase(server: PostgresServer, file: string): Promise<SltResult> {
	const maintenance = await PostgresSession.open(server.socketPath, "postgres");
	try {
		await maintenance.run(caseOf("create database quorate"));
		return await runOnPostgres(file, server, "quorate");
	} finally {
		await maintenance.run(caseOf("drop database quorate with (force)"));
		await maintenance.close();
	}
}

/** A file that cannot be read, or is of another form, is one complaint. */
async function resultOf(file: string): Promise<SltResult> {
	try {
		return server === undefined ? await runOnQuorate(file) : await onFreshDatabase(server, file);
	} catch (error) {
		if (!(error instanceof DatabaseError) && !(error instanceof Error && "path" in error))
			throw error;
		return { records: 0, complaints: [`${file}: ${error.message}`] };
	}
}

const server = flags.postgres ? await PostgresServer.start() : undefined;
let records = 0;
let wrong = 0;
try {
	for (const file of files) {
		const result = await resultOf(file);
		records += result.records;
		wrong += result.complaints.length;
		for (const complaint of result.complaints) console.log(`${complaint}\n`);
	}
} finally {
	await server?.stop();
}
console.log(`${records} records in ${files.length} files, ${wrong} wrong`);
process.exitCode = wrong === 0 ? 0 : 1;
