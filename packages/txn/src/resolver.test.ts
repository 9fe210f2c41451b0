import { type Key, key, keySuccessor, pointSpan } from "@quorate/keys/key";
import test from "ava";
import { bounded, writtenSpans } from "./resolver.ts";

const row = (table: string, n: number): Key =>
	key(`${table}/${String.fromCharCode(n >> 16, (n >> 8) & 255, n & 255)}`);
const rows = (table: string, count: number, step = 1): Key[] =>
	Array.from({ length: count }, (_, n) => row(table, n * step));
const spanOf = (keys: readonly Key[]) => ({ start: keys[0], end: keySuccessor(keys.at(-1)!) });

test("few keys are named one by one", (t) => {
	const [a, b] = [rows("r/a", 200), rows("r/b", 56)];
	t.deepEqual(writtenSpans([a, b]), [...a, ...b].map(pointSpan));
});

test("many keys are named by spans that leave out what lies between tables", (t) => {
	const [catalog, a, z] = [rows("c/x", 3), rows("r/a", 250), rows("r/z", 250)];
	const found = writtenSpans([[...z, ...a, ...catalog]]);
	t.true(found.length <= 16);
	const between = [key("c/y"), key("q"), key("r/b"), row("r/y", 7)];
	t.deepEqual(
		between.filter((k) => found.some((s) => s.start <= k && k < s.end)),
		[],
	);
	for (const k of [...catalog, ...a, ...z]) {
		t.is(found.filter((s) => s.start <= k && k < s.end).length, 1);
	}
});

test("many keys of one table are one span a range, or few", (t) => {
	const near = rows("r/a", 20_000);
	t.deepEqual(writtenSpans([near]), [spanOf(near)]);
	const far = rows("r/a", 2_000, 8_191);
	const [below, above] = [far.slice(0, 1_000), far.slice(1_000)];
	t.deepEqual(writtenSpans([below, above]), [spanOf(below), spanOf(above)]);
	t.true(writtenSpans([rows("r/a", 600)]).length <= 3);
});

test("what a transaction of many chunks has written is named in one entry, and nothing is left out", (t) => {
	const chunks = Array.from({ length: 2_000 }, (_, n) => row(n % 2 === 0 ? "r/a" : "r/z", n * 9));
	const all = chunks.map(pointSpan);
	t.is(bounded(all.slice(0, 100)).length, 100);
	const long = all.map(({ start }) => pointSpan(key(start + "x".repeat(100))));
	const found = bounded(long);
	t.true(found.length > 1 && JSON.stringify(found).length < 128 << 10);
	for (const { start } of long) t.true(found.some((s) => s.start <= start && start < s.end));
	t.false(found.some((s) => s.start <= key("r/b") && key("r/b") < s.end));
	const huge = long.slice(0, 8).map(({ start }) => pointSpan(key(start + "y".repeat(9_000))));
	t.is(bounded(huge).length, 2);
});
