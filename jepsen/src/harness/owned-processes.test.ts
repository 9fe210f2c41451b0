/** No process is left behind, however the one that started it ends. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import { isRunning } from "quorate/process-identity";
import { ended, signalOwned, spawnOwned } from "./owned-processes.ts";
import { until } from "./poll.ts";

const module = fileURLToPath(new URL("./owned-processes.js", import.meta.url));

/** A process that starts a sleeper, says its pid and then ends as it is told. */
async function parentOfSleeper(
	ending: string,
	path = process.env["PATH"],
): Promise<{ parent: number; sleeper: number }> {
	const script = `
		import { spawnOwned } from ${JSON.stringify(module)};
		console.log(spawnOwned("sleep", ["1000"]).pid);
		${ending}`;
	const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
		stdio: ["ignore", "pipe", "ignore"],
		env: { ...process.env, PATH: path },
	});
	const [line] = (await child.stdout.take(1).toArray()) as [Buffer];
	return { parent: child.pid!, sleeper: Number(line.toString()) };
}

const gone = (pid: number) => until(`process ${pid} is gone`, () => !isRunning(pid));

test("exit, an uncaught error and signals end the children", async (t) => {
	for (const ending of ["process.exit(0)", "throw new Error('on purpose')"]) {
		const { sleeper } = await parentOfSleeper(`setTimeout(() => { ${ending} }, 10)`);
		await gone(sleeper);
	}
	for (const signal of ["SIGINT", "SIGTERM"] as const) {
		const { parent, sleeper } = await parentOfSleeper("setInterval(() => 0, 1000)");
		t.true(isRunning(sleeper));
		process.kill(parent, signal);
		await gone(sleeper);
	}
});

const setpriv = spawnSync("setpriv", ["--pdeathsig", "KILL", "true"]).status === 0;
(setpriv ? test : test.skip)("a kill of the parent ends them, too (needs setpriv)", async (t) => {
	const { parent, sleeper } = await parentOfSleeper("setInterval(() => 0, 1000)");
	t.true(isRunning(sleeper));
	process.kill(parent, "SIGKILL");
	await gone(sleeper);
});

(setpriv ? test : test.skip)("also one that dies before the kernel is asked to tell", async (t) => {
	const directory = mkdtempSync(join(tmpdir(), "quorate-setpriv-"));
	t.teardown(() => rmSync(directory, { recursive: true }));
	const late = `#!/bin/sh
		PATH='${process.env["PATH"]}'
		case "$*" in *sleep*) while kill -0 $PPID 2>/dev/null; do sleep 0.01; done ;; esac
		exec setpriv "$@"`;
	writeFileSync(join(directory, "setpriv"), late, { mode: 0o755 });
	const killed = 'process.kill(process.pid, "SIGKILL");';
	const { sleeper } = await parentOfSleeper(killed, `${directory}:${process.env["PATH"]}`);
	await gone(sleeper);
	t.pass();
});

test("a process that has ended is not signalled", async (t) => {
	const child = spawnOwned("true", []);
	t.is(await ended(child), 0);
	t.false(signalOwned(child, "SIGKILL"));
});
