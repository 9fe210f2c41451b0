/** What a range holds, kept up and measured, and where its middle is. */
import { type Key, keyMax, keyMin } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import { IntentFilter } from "@quorate/storage/intent-filter";
import { MemoryEngine } from "@quorate/storage/memory-engine";
import { VersionBatch } from "@quorate/storage/version-batch";
import test from "ava";
import fc from "fast-check";
import { measure, RangeSize } from "./range-size.ts";

const all = { start: keyMin, end: keyMax };
const scheduler = { yield: () => Promise.resolve() };
const measured = async (engine: MemoryEngine, expected = 0) =>
	(await measure(engine, scheduler, all, expected, () => true))!;

const step = fc.record({
	kind: fc.constantFrom("put", "delete", "intend", "resolve", "collect"),
	key: fc.integer({ min: 0, max: 9 }).map((n) => `k${n}` as Key),
	bytes: fc.integer({ min: 0, max: 300 }),
});

test("the size that is kept up is the one that is measured", async (t) => {
	await fc.assert(
		fc.asyncProperty(
			fc.array(fc.array(step, { maxLength: 8 }), { maxLength: 8 }),
			async (batches) => {
				const engine = new MemoryEngine();
				const intents = new IntentFilter();
				const size = new RangeSize();
				size.bytes(engine, all);
				let now = 1;
				for (const steps of batches) {
					engine.write((into) => {
						const batch = new VersionBatch(engine, into, intents);
						for (const { kind, key, bytes } of steps) {
							const ts = ++now as Timestamp;
							const intent = batch.intent(key);
							if (kind === "put") batch.put(key, ts, Buffer.alloc(bytes));
							else if (kind === "delete") batch.put(key, ts, undefined);
							else if (kind === "collect") batch.collect(all, ts, 1_000);
							else if (kind === "resolve" && intent !== undefined) batch.removeIntent(key);
							else if (kind === "intend") {
								const value = Buffer.alloc(bytes);
								const one = { transaction: "t" as never, p: ts, anchor: key, value, chunk: 1 };
								batch.putIntent(key, { ...one, mark: false });
							}
						}
						size.applied(batch.sizeDelta);
					});
				}
				t.is(size.bytes(engine, all), (await measured(engine)).bytes);
			},
		),
		{ numRuns: 150 },
	);
});

function filled(sizes: readonly (readonly [string, number])[]): MemoryEngine {
	const engine = new MemoryEngine();
	engine.write((into) => {
		const batch = new VersionBatch(engine, into, new IntentFilter());
		for (const [key, bytes] of sizes) batch.put(key as Key, 1 as Timestamp, Buffer.alloc(bytes));
	});
	return engine;
}

test("the middle divides the bytes, not the keys", async (t) => {
	const few = Array.from({ length: 10 }, (_, i) => [`a${i}`, 10_000] as const);
	const many = Array.from({ length: 1_000 }, (_, i) => [`b${1_000 + i}`, 10] as const);
	const { bytes, middle, rightShare } = await measured(filled([...few, ...many]), 140_000);
	t.true(bytes > 110_000);
	t.true(middle! >= "a6" && middle! <= "a8", middle);
	t.true(rightShare > 0.4 && rightShare < 0.6, `${rightShare}`);
});

test("what is there of one key stays together", async (t) => {
	const engine = filled([
		["a", 10],
		["c", 10],
	]);
	engine.write((into) => {
		const batch = new VersionBatch(engine, into, new IntentFilter());
		for (let ts = 2; ts < 200; ts++) batch.put("b" as Key, ts as Timestamp, Buffer.alloc(100));
	});
	const { middle, rightShare } = await measured(engine);
	t.true(middle === "b" || middle === "c", middle);
	t.true(rightShare < 0.02 || rightShare > 0.98, `${rightShare}`);
	t.is((await measured(filled([["a", 1_000]]))).middle, undefined);
});
