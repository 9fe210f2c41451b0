/** `quorate sql`: a shell for people without psql. */

import { askPassword } from "./client/ask-password.ts";
import { runStream, runStrings } from "./client/batch.ts";
import { connectionOptions } from "./client/connection-options.ts";
import { runInteractive } from "./client/interactive.ts";
import { PgClient } from "./client/pg-client.ts";
import { Shell } from "./client/shell.ts";
import { UserError } from "./user-error.ts";

export interface SqlFlags {
	readonly command?: readonly string[];
}

/** Resolves with the exit code: 1 if a statement failed, 2 if there is no connection. */
export async function runSql(url: string | undefined, flags: SqlFlags): Promise<number> {
	const client = await connect(url);
	if (client === undefined) {
		return 2;
	}
	const shell = new Shell(client, {
		out: (text) => process.stdout.write(text),
		err: (text) => process.stderr.write(text),
		now: () => performance.now(),
	});
	const fine = await feed(shell, flags.command ?? []);
	const lost = !client.connected;
	await client.end();
	return lost ? 2 : fine ? 0 : 1;
}

async function connect(url: string | undefined): Promise<PgClient | undefined> {
	try {
		const options = connectionOptions(url, process.env);
		const ask = (): Promise<string> => askPassword(`Password for user ${options.user}: `);
		return await PgClient.connect(options, process.stdin.isTTY ? ask : undefined);
	} catch (error) {
		console.error(`quorate: ${error instanceof Error ? error.message : String(error)}`);
		return undefined;
	}
}

async function feed(shell: Shell, commands: readonly string[]): Promise<boolean> {
	if (commands.length > 0) {
		return runStrings(shell, commands);
	}
	if (!process.stdin.isTTY) {
		return runStream(shell, process.stdin);
	}
	if (!process.stdout.isTTY) {
		throw new UserError("standard input is a terminal but standard output is not; use -c");
	}
	const version = shell.client.parameters.get("server_version") ?? "unknown version";
	console.log(`Connected to ${version}. Type \\? for help, \\q to quit.\n`);
	return runInteractive(shell);
}
