/** Runs every file of `testdata/raft`. REWRITE=1 writes what came out into the files: read the difference. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import test from "ava";
import { Scenario } from "./testing/scenario.ts";

const folder = new URL("../../../testdata/raft/", import.meta.url);

function rewritten(text: string): string {
	const scenario = new Scenario();
	const out: string[] = [];
	let commands: string[] = [];
	const lines = text.split("\n");
	for (let i = 0; i < lines.length; i++) {
		const line = lines[i]!;
		out.push(line);
		if (line !== "----") {
			if (line !== "" && !line.startsWith("#")) commands.push(line);
			continue;
		}
		const output = scenario.run(commands);
		commands = [];
		if (output !== "") out.push(output);
		// What was there before ends with an empty line.
		while (i + 1 < lines.length && lines[i + 1] !== "") i++;
	}
	return out.join("\n");
}

const names = readdirSync(folder).filter((name) => name.endsWith(".txt"));
for (const name of names.sort()) {
	test(`scenario ${name}`, (t) => {
		const url = new URL(name, folder);
		const text = readFileSync(url, "utf8");
		const now = rewritten(text);
		if (process.env["REWRITE"] === "1") writeFileSync(url, now);
		else t.is(now, text);
		t.pass();
	});
}

test("there are scenarios", (t) => {
	t.true(names.length >= 60);
});
