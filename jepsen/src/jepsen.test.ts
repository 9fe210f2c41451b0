/** A short run of what `make jepsen` does, by a number of operations. */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readEdn } from "@quorate/checker/edn";
import { readJsonl } from "@quorate/checker/jsonl";
import test, { type ExecutionContext } from "ava";

const program = fileURLToPath(new URL("./main.js", import.meta.url));

interface Ran {
	readonly status: number | null;
	readonly output: string;
	readonly directory: string;
}

/** Resolves when the run has ended, with where its files are. */
async function run(t: ExecutionContext, variables: Record<string, string>): Promise<Ran> {
	const store = mkdtempSync(join(tmpdir(), "quorate-jepsen-store-"));
	t.teardown(() => rmSync(store, { recursive: true, force: true }));
	const child = spawn(process.execPath, [program], {
		stdio: ["ignore", "pipe", "inherit"],
		env: { ...process.env, STORE: store, ...variables },
	});
	t.teardown(() => child.kill("SIGTERM"));
	let output = "";
	for await (const piece of child.stdout) output += String(piece);
	const status =
		child.exitCode ?? (await new Promise<number | null>((resolve) => child.on("exit", resolve)));
	const [name] = readdirSync(store);
	const directory = join(store, name!, readdirSync(join(store, name!))[0]!);
	return { status, output, directory };
}

test.serial("a mix of faults on three nodes, and what is kept of it", async (t) => {
	const variables = { TEST: "list-append", NEMESIS: "mixed", OPS: "200", NODES: "3", SEED: "7" };
	const { status, output, directory } = await run(t, variables);
	t.log(output);
	t.is(status, 0, output);
	const history = readJsonl(readFileSync(join(directory, "history.jsonl"), "utf8"));
	t.deepEqual(readEdn(readFileSync(join(directory, "history.edn"), "utf8")), history);
	const results = JSON.parse(readFileSync(join(directory, "results.json"), "utf8"));
	t.true(results.valid);
	t.true(Object.keys(results.faults).length > 0);
	t.regex(readFileSync(join(directory, "index.html"), "utf8"), /<svg[\s\S]*<circle/);
});
