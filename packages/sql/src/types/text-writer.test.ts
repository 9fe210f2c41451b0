import test from "ava";
import fc from "fast-check";
import { TextWriter } from "./text-writer.ts";

test("what is written is what comes out, however long, and whichever characters", (t) => {
	const pieces = fc.array(
		fc.tuple(fc.constantFrom("a", "ÿ", "€", "😀", "\ud800"), fc.integer({ min: 0, max: 40_000 })),
		{ maxLength: 5 },
	);
	fc.assert(
		fc.property(pieces, (list) => {
			const expected = list.map(([text, count]) => text.repeat(count)).join("");
			const written = TextWriter.collect((out) => {
				for (const [text, count] of list) out.text(text.repeat(count));
			});
			return written === expected;
		}),
		{ numRuns: 50, seed: 3 },
	);
	t.throws(() => TextWriter.collect(() => TextWriter.collect(() => {})), { message: /one text/ });
	t.is(
		TextWriter.collect((out) => out.text("abc", 1, 2)),
		"b",
	);
});
