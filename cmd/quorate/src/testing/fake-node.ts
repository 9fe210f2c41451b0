/**
 * A program with the flags of `quorate start` that answers a few fixed statements: for the tests of the shell and of
 * the local cluster, which are about processes and bytes and not about the database.
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseError } from "@quorate/keys/database-error";
import { createPgServer } from "@quorate/pgwire/pg-server";
import { FakeSession } from "@quorate/pgwire/testing/fake-session";
import { createRealRuntime } from "@quorate/runtime/real-runtime";
import type { ResultSink } from "@quorate/sql/session/types";
import { Command } from "commander";

class ScriptedSession extends FakeSession {
	override async query(text: string, sink: ResultSink): Promise<boolean> {
		if (/^select 1\b/i.test(text.trim())) {
			return super.query("rows 1", sink);
		}
		if (text.includes("nothing")) {
			const position = text.indexOf("nothing") + 1;
			throw new DatabaseError("42P01", 'relation "nothing" does not exist', { position });
		}
		return super.query(text, sink);
	}
}

const program = new Command();
program
	.command("start")
	.requiredOption("--join <addresses>")
	.requiredOption("--data <directory>")
	.requiredOption("--listen <address>")
	.requiredOption("--sql <address>")
	.requiredOption("--admin <address>")
	.action(async (flags: { data: string; sql: string }) => {
		if (existsSync(join(flags.data, "identity.json.refuse"))) {
			console.error("first line");
			console.error("the disk is on fire");
			process.exit(1);
		}
		mkdirSync(flags.data, { recursive: true });
		writeFileSync(join(flags.data, "identity.json"), "{}");
		const server = await createPgServer({
			runtime: createRealRuntime({ logLevel: "warn" }),
			sessions: {
				open: async (parameters, pid) => new ScriptedSession(parameters, pid),
				loginFacts: async () => ({
					verifier: "",
					mayUsePassword: false,
					memberOf: new Set<string>(),
				}),
			},
			listenAddress: flags.sql,
		});
		console.log(`serving ${server.address}`);
		process.once("SIGTERM", () => {
			void server.close().then(() => process.exit(0));
		});
	});
await program.parseAsync();
