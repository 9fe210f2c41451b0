/** The clock that a process sees is the one that was set, from then on, and its monotonic time is not. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import test from "ava";
import { spawnOwned } from "../harness/owned-processes.ts";
import { FakedClock, fakedClocksImpossible } from "./faked-clock.ts";

const hourMs = 3_600_000;
const impossible = fakedClocksImpossible();
const testFaked = impossible === undefined ? test : test.skip;

/** Answers each line with what its clocks say, ms. */
const teller = `
	require("readline").createInterface({ input: process.stdin })
		.on("line", () => console.log(JSON.stringify([Date.now(), performance.now()])));`;

testFaked(`a process is told the time that was set (${impossible ?? "libfaketime"})`, async (t) => {
	const directory = mkdtempSync(join(tmpdir(), "quorate-clock-"));
	t.teardown(() => rmSync(directory, { recursive: true, force: true }));
	const clock = new FakedClock(join(directory, "clock"));
	const child = spawnOwned(process.execPath, ["--eval", teller], {
		stdio: ["pipe", "pipe", "inherit"],
		env: { ...process.env, ...clock.environment },
	});
	t.teardown(() => child.kill());
	const lines = createInterface({ input: child.stdout! });
	/** Hours between its wall clock and ours, and its monotonic time in hours: rounded, so that the machine's speed is no matter. */
	const ask = async (): Promise<readonly number[]> => {
		const answer = once(lines, "line");
		child.stdin!.write("\n");
		const [wallMs, monotonicMs] = JSON.parse((await answer)[0]) as [number, number];
		return [wallMs - Date.now(), monotonicMs].map((ms) => Math.round(ms / hourMs) + 0);
	};
	t.deepEqual(await ask(), [0, 0]);
	clock.set(-5 * hourMs, 1);
	t.deepEqual(await ask(), [-5, 0]);
	clock.set(3 * hourMs, 1.5);
	t.deepEqual(await ask(), [3, 0]);
	clock.set(0, 1);
	t.deepEqual(await ask(), [0, 0]);
});
