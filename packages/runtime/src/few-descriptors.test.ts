/** Where all descriptors are taken, accepting fails: that is for who comes then, and for nobody else. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import test from "ava";

const program = fileURLToPath(new URL("./testing/few-descriptors.js", import.meta.url));

test("with no descriptor left those who are there are served, and others later", async (t) => {
	const command = `ulimit -n 64 && exec "$0" "$1"`;
	const { stdout } = await promisify(execFile)("sh", ["-c", command, process.execPath, program]);
	const seen = JSON.parse(stdout);
	t.true(seen.strangers < 64 && seen.refused > 0, stdout);
	t.true(seen.isServed, stdout);
	// What was refused must not have the event loop turn without end.
	t.true(seen.turned <= 10 * seen.echoes, stdout);
});
