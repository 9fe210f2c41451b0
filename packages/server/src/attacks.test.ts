/** docs/security.md says of each attack which tests show what becomes of it: they have to be there. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import test from "ava";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const rows = readFileSync(`${root}/docs/security.md`, "utf8")
	.split("\n")
	.filter(
		(line) => line.startsWith("| ") && !line.startsWith("| attack ") && !line.startsWith("| --- "),
	)
	.map((line) => line.slice(2, -2).split(" | "));

test("each attack has tests, and they are there", (t) => {
	t.true(rows.length >= 25, `${rows.length} attacks`);
	for (const [attack, becomes, tests = "", ...more] of rows) {
		t.true(attack !== "" && becomes !== "" && more.length === 0, attack);
		let text = "";
		for (const one of tests.split("; ")) {
			const [, file, title = one] = /^`(.+\.test\.ts)` (.*)$/.exec(one) ?? [];
			if (file !== undefined) text = readFileSync(`${root}/${file}`, "utf8");
			t.true(title.length > 4 || title === "HTTP", title);
			t.true(text.includes(title), `${attack}: ${file ?? ""} "${title}"`);
		}
	}
});
