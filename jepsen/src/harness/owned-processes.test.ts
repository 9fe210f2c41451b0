/** No process is left behind, however the one that started it ends. */
import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import test from "ava";
import { isRunning } from "quorate/process-identity";
import { ended, signalOwned, spawnOwned } from "./owned-processes.ts";
import { until } from "./poll.ts";

const module = fileURLToPath(new URL("./owned-processes.js", import.meta.url));

/** A process that starts a sleeper, says its pid and then ends as it is told. */
async function parentOfSleeper(ending: string): Promise<{ parent: number; sleeper: number }> {
	const script = `
		import { spawnOwned } from ${JSON.stringify(module)};
		console.log(spawnOwned("sleep", ["1000"]).pid);
		${ending}`;
	const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
		stdio: ["ignore", "pipe", "ignore"],
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

test("a process that has ended is not signalled", async (t) => {
	const child = spawnOwned("true", []);
	t.is(await ended(child), 0);
	t.false(signalOwned(child, "SIGKILL"));
});
