/** Tests of schema changes that take their time: a table that is large enough, and what happens meanwhile. */
import { assert } from "@quorate/keys/assert";
import { DatabaseError } from "@quorate/keys/database-error";
import type { TransactionMode } from "@quorate/txn/types";
import { directRowsMax } from "../ddl/whole-table.ts";
import type { TestClient, TestServer } from "./test-client.ts";

export const cell = async (client: TestClient, text: string): Promise<string | null | undefined> =>
	(await client.rows(text))[0]?.[0];

export const many = directRowsMax * 2;

/** A table with more rows than a schema change takes at once. */
export async function bigTable(server: TestServer): Promise<TestClient> {
	const client = await server.connect();
	await client.query("create table t (id int, k int, v text)");
	await client.query(`insert into t select i, i % 7, 'v' || i from generate_series(1, ${many}) i`);
	return client;
}

/** Runs `act` at every commit of others that holds no locks, until it says that it is done. */
export function between(server: TestServer, act: (step: number) => Promise<boolean>): void {
	let step = 0;
	const hook = async (mode: TransactionMode): Promise<void> => {
		if (mode === "pessimistic") return;
		server.coordinator.beforeCommit = undefined;
		const done = await act(step++);
		if (!done) server.coordinator.beforeCommit = hook;
	};
	server.coordinator.beforeCommit = hook;
}

/** The only job that there is. */
export const jobId = async (client: TestClient): Promise<string> =>
	String(await cell(client, "show jobs"));

/**
 * The statement's node dies after so many commits; what it has stored stays. Four are the change itself, who fills the index, and two
 * batches.
 */
export async function abandon(
	server: TestServer,
	client: TestClient,
	statement: string,
	commitsMax = 4,
): Promise<void> {
	let commits = 0;
	server.coordinator.beforeCommit = async () => {
		if (++commits > commitsMax) throw new DatabaseError("57P03", "nobody can be reached");
	};
	const said = await client.error(statement);
	assert(said.startsWith("57P03"), said);
	server.coordinator.beforeCommit = undefined;
}
