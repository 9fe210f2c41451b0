import { readFileSync } from "node:fs";
import test from "ava";
import { isRemark, parseCases } from "../testing/conformance-file.ts";
import { memorySessions } from "../testing/memory-sessions.ts";
import { runCase } from "../testing/quorate-session.ts";
import { decodeDescriptor, encodeDescriptor, type ViewDescriptor } from "./descriptor.ts";

const view: ViewDescriptor = {
	kind: "view",
	oid: 20_000,
	schema: "public",
	name: "v",
	columns: [],
	query: "select a from t",
	searchPath: ["public"],
	references: [{ name: ["t"], oid: 19_000, columns: [{ attnum: 1, name: "a" }], used: [1] }],
	definition: [" select a from t;"],
};

test("a view is of a format that nodes without views refuse", (t) => {
	const bytes = encodeDescriptor(view);
	t.is(JSON.parse(Buffer.from(bytes).toString("utf8")).format, 3);
	t.deepEqual(decodeDescriptor(bytes), view);
});

const recorded = new URL(
	"../../../../testdata/sql/conformance/view-definitions.txt",
	import.meta.url,
);

test("what a view is shown as can be made a view of again", async (t) => {
	const database = memorySessions();
	t.teardown(() => database.close());
	const session = await database.open();
	const cases = parseCases(readFileSync(recorded, "utf8")).filter((one) => !isRemark(one));
	const run = (statement: string) => runCase(session, { ...cases[0]!, statement });
	let count = 0;
	for (const one of cases) {
		await runCase(session, one);
		const name = /^create (?:recursive )?view (\S+)/.exec(one.statement)?.[1];
		if (name === undefined) continue;
		const [, row = ""] = await run(`select pg_get_viewdef('${name}')`);
		const text = row.slice(1, -1).replace(/\\([\\|n])/g, (_, c) => (c === "n" ? "\n" : c));
		t.deepEqual(await run(`create view shown_again as ${text}`), ["CREATE VIEW"], text);
		await run("drop view shown_again");
		count++;
	}
	t.true(count > 150);
});
