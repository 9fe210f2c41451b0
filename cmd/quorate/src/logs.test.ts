/** What a real process writes while passwords go through it: none of them, in no form, whatever the level of its log. */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import { freePortBase } from "./testing/free-ports.ts";

const quorate = fileURLToPath(new URL("../bin/quorate.js", import.meta.url));
const secrets = ["s3cret-first", "s3cret-second", "s3cret-wrong", "s3cret-broken", "s3cret-bound"];

interface Running {
	written(): string;
	/** Resolves with whether it was said before the process ended. */
	says(text: string): Promise<boolean>;
	stop(): Promise<void>;
}

function start(args: readonly string[], env: Record<string, string> = {}, input = ""): Running {
	const child = spawn(process.execPath, [...process.execArgv, quorate, ...args], {
		env: { PATH: process.env["PATH"], ...env },
	});
	let written = "";
	const looks = new Set<() => void>();
	for (const stream of [child.stdout, child.stderr]) {
		stream.on("data", (chunk: Buffer) => {
			written += chunk.toString("utf8");
			for (const look of looks) look();
		});
	}
	const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
	child.stdin.end(input);
	return {
		written: () => written,
		says: (text) =>
			new Promise((resolve) => {
				const look = (): void => {
					if (written.includes(text)) resolve(true);
				};
				looks.add(look);
				void ended.then(() => resolve(written.includes(text)));
				look();
			}),
		stop: async () => {
			child.kill("SIGTERM");
			await ended;
		},
	};
}

test("no password and no verifier is in what a node writes, at the level debug", async (t) => {
	const directory = mkdtempSync(join(tmpdir(), "quorate-logs-"));
	t.teardown(() => rmSync(directory, { recursive: true, force: true }));
	const hba = join(directory, "hba.conf");
	writeFileSync(
		hba,
		"host all quorate 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n",
	);
	const base = await freePortBase(3);
	const [peer, sql, admin] = [0, 1, 2].map((n) => `127.0.0.1:${base + n}`) as [
		string,
		string,
		string,
	];
	const flags = { join: peer, listen: peer, sql, admin, hba, data: join(directory, "n1") };
	const node = start([
		"start",
		...["--engine", "memory", "--log-level", "debug"],
		...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]),
	]);
	t.teardown(() => node.stop());
	t.true(await node.says("ready to accept connections"), node.written());
	const shell = async (user: string, password: string, input: string): Promise<string> => {
		const run = start(
			["sql", `postgresql://${user}@${sql}/quorate`],
			{ PGPASSWORD: password },
			input,
		);
		await run.says("\0");
		return run.written();
	};
	const [first, second, wrong, broken, bound] = secrets as [string, string, string, string, string];
	await shell(
		"quorate",
		"",
		`ALTER SYSTEM SET log_min_duration_statement = 0;
		CREATE ROLE ann LOGIN PASSWORD '${first}';
		ALTER ROLE ann PASSWORD '${second}';
		CREATE ROLE ann PASSWORD '${first}';
		CREATE ROLE bob PASSWORD '${broken}' NONSENSE;
		PREPARE p AS SELECT '${bound}'; EXECUTE p;
		SELECT 1 / 0, '${bound}';
		SELECT rolpassword FROM pg_authid;\n`,
	);
	const verifiers = await shell("quorate", "", "SELECT rolpassword FROM pg_authid;\n");
	const [verifier] = /SCRAM-SHA-256\$\S+/.exec(verifiers) ?? [];
	t.truthy(verifier, verifiers);
	t.regex(await shell("ann", second, "SELECT current_user;\n"), /ann/);
	t.regex(await shell("ann", wrong, "SELECT 1;\n"), /password authentication failed/);
	await node.stop();
	t.regex(node.written(), /"slow statement"/);
	const [iterations = "", keys = ""] = verifier!.slice("SCRAM-SHA-256$".length).split("$");
	const parts = [iterations.split(":")[1]!, ...keys.split(":")];
	for (const secret of [...secrets, ...parts]) {
		t.is(
			node
				.written()
				.split("\n")
				.find((line) => line.includes(secret)),
			undefined,
			secret,
		);
	}
	// What is stored of a password is its verifier.
	for (const name of readdirSync(directory, { recursive: true, encoding: "utf8" })) {
		const path = join(directory, name);
		if (!statSync(path).isFile()) continue;
		const stored = readFileSync(path, "latin1");
		for (const secret of secrets) t.false(stored.includes(secret), `${secret} in ${name}`);
	}
});
