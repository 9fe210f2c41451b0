/** Every file of a data directory at rest, damaged in every way: the node has all that it acknowledged, or says what is wrong. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadBinding } from "@quorate/storage/rocks-binding";
import test from "ava";
import { damageAll, makeTemplate } from "./testing/damage.ts";

const missing = await loadBinding().then(
	() => undefined,
	(error: Error) => error.message,
);

/** Of tables two will do here, and after a stop what is not in order when a node is killed; the soak takes all. */
function chosen(files: readonly string[], ending: "stop" | "kill"): string[] {
	const tables = files.filter((name) => name.endsWith(".sst"));
	return ending === "stop"
		? files.filter((name) => /\.log$|MANIFEST|position/.test(name))
		: files.filter((name) => !tables.slice(2).includes(name) && !name.includes("OPTIONS"));
}

for (const ending of ["stop", "kill"] as const) {
	const title = `damage at rest after a ${ending} is repaired or refused`;
	(missing === undefined ? test : test.skip)(`${title}${missing ?? ""}`, async (t) => {
		t.timeout(3_600_000);
		const root = mkdtempSync(join(tmpdir(), "quorate-template-"));
		t.teardown(() => rmSync(root, { recursive: true, force: true }));
		const template = await makeTemplate(root, ending);
		t.true(template.files.filter((name) => name.endsWith(".sst")).length > 1, "several tables");
		t.true(template.files.filter((name) => name.startsWith("wal/")).length > 2, "several segments");
		t.true(template.files.includes("placement/state"), "a checkpoint of the control plane");
		const files = chosen(template.files, ending);
		const counts = await damageAll(
			{ ...template, files },
			{ perFile: 1, seed: 1, log: (line) => t.log(line) },
		);
		t.true(counts.refused > 2, JSON.stringify(counts));
	});
}
