import test from "ava";
import { parseOptions } from "./start-up-options.ts";

test("options of a start-up packet, in all of their spellings", (t) => {
	t.deepEqual(parseOptions(""), []);
	t.deepEqual(
		parseOptions(
			"-c default_transaction_isolation=repeatable\\ read -cwork_mem=4MB --statement-timeout=5s",
		),
		[
			["default_transaction_isolation", "repeatable read"],
			["work_mem", "4MB"],
			["statement_timeout", "5s"],
		],
	);
	for (const bad of ["-c", "-c name", "-x 1", "word", "--=1"]) {
		t.throws(() => parseOptions(bad), { code: "42601" });
	}
});
