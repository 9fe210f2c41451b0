/** What is measured: something that speaks PostgreSQL on one or several ports. */
import { connectionOptions } from "quorate/client/connection-options";
import { PgClient, type QueryResult } from "quorate/client/pg-client";

export interface Target {
	readonly name: string;
	/** Where clients connect. The first is the leaseholder's node, where there is such a thing. */
	ports(): readonly number[];
	readonly user: string;
	readonly database: string;
	/** Resident memory in bytes, for each process that is a node; empty where there is no such bound. */
	memoryBytes(): readonly number[];
	stop(): Promise<void>;
}

export function connectTo(target: Target, port: number): Promise<PgClient> {
	const { user, database } = target;
	const url = `postgresql://${user}@127.0.0.1:${port}/${database}?sslmode=disable`;
	return PgClient.connect(connectionOptions(url, { PGAPPNAME: "bench" }));
}

/** Runs statements on the first port, one after the other. */
export async function runSql(
	target: Target,
	statements: readonly string[],
): Promise<readonly QueryResult[]> {
	const client = await connectTo(target, target.ports()[0]!);
	try {
		const results: QueryResult[] = [];
		for (const statement of statements) {
			results.push(...(await client.query(statement)));
		}
		return results;
	} finally {
		await client.end();
	}
}
