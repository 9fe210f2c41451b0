import test from "ava";
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
	definition: [" SELECT ", { alias: 19_000 }],
};

test("a view is of a format that nodes without views refuse", (t) => {
	const bytes = encodeDescriptor(view);
	t.is(JSON.parse(Buffer.from(bytes).toString("utf8")).format, 3);
	t.deepEqual(decodeDescriptor(bytes), view);
});
