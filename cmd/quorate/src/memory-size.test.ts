import test from "ava";
import { parseMemorySize } from "./memory-size.ts";

test("sizes are those of PostgreSQL's settings", (t) => {
	t.is(parseMemorySize("512kB"), 512 << 10);
	t.is(parseMemorySize("64MB"), 64 << 20);
	t.is(parseMemorySize("1.5 GB"), 1.5 * 2 ** 30);
	t.is(parseMemorySize("1TB"), 2 ** 40);
	for (const text of ["", "64", "MB", "64mb", "64 MiB", "-1GB", "1e3MB", "25%", "1GB ", ".5GB"]) {
		t.is(parseMemorySize(text), undefined, text);
	}
});
