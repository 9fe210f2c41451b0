/** What every engine must do: run by the test file of each. */
import type { Key, Span } from "@quorate/keys/key";
import type { ExecutionContext, TestFn } from "ava";
import fc from "fast-check";
import type { Engine, EngineReader } from "./engine.ts";

const k = (text: string): Key => text as Key;
const span = (start: string, end: string): Span => ({ start: k(start), end: k(end) });
const all = span("", "\xff");
const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");
const text = (value: Uint8Array | undefined): string | undefined =>
	value === undefined ? undefined : Buffer.from(value).toString("latin1");

type Pairs = [string, string][];

function walk(reader: EngineReader, over: Span, reverse = false): Pairs {
	const pairs: Pairs = [];
	const it = reader.iterate(over, { reverse });
	for (; it.key !== undefined; it.next()) {
		pairs.push([it.key, text(it.value) as string]);
	}
	it.close();
	return pairs;
}

const put = (engine: Engine, ...pairs: Pairs): void =>
	engine.write((batch) => {
		for (const [key, value] of pairs) {
			batch.put(k(key), bytes(value));
		}
	});

/** `runs`: random sequences of operations to try. */
export function engineSuite(test: TestFn, open: () => Promise<Engine>, runs: number): void {
	const run = (
		name: string,
		body: (engine: Engine, t: ExecutionContext) => Promise<void> | void,
	): void => {
		test(name, async (t) => {
			const engine = await open();
			try {
				await body(engine, t);
			} finally {
				await engine.close();
			}
		});
	};

	run("keys are ordered as bytes", (engine, t) => {
		const keys = [
			"\0",
			"\0\0",
			"\0\xff",
			"\x01",
			"a",
			"a\0",
			"a\0\xff",
			"a\xff",
			"b",
			"\x7f",
			"\x80",
			"\xfe",
			"\xfe\xff",
		];
		put(engine, ...keys.toReversed().map((key): [string, string] => [key, `v${key}`]));
		const sorted = keys.toSorted();
		t.deepEqual(
			walk(engine, all).map(([key]) => key),
			sorted,
		);
		t.deepEqual(
			walk(engine, all, true).map(([key]) => key),
			sorted.toReversed(),
		);
		for (const key of keys) {
			t.is(text(engine.get(k(key))), `v${key}`);
		}
		t.is(engine.get(k("a\0\0")), undefined);
	});

	run("values may be empty, and large", (engine, t) => {
		const large = Buffer.alloc(300_000, 7);
		engine.write((batch) => {
			batch.put(k("empty"), new Uint8Array());
			batch.put(k("large"), large);
			batch.put(k("view"), large.subarray(5, 8));
		});
		t.is(engine.get(k("empty"))?.length, 0);
		t.deepEqual(Buffer.from(engine.get(k("large")) ?? []), large);
		t.is(text(engine.get(k("view"))), "\x07\x07\x07");
		t.deepEqual(
			engine.scan(all, { rowsMax: 9, bytesMax: 9, reverse: false, keyOffset: 0 }).values[0]?.length,
			0,
		);
	});

	run("spans are half open, and empty where start is not below end", (engine, t) => {
		put(engine, ["a", "1"], ["b", "2"], ["c", "3"]);
		for (const reverse of [false, true]) {
			t.deepEqual(walk(engine, span("b", "c"), reverse), [["b", "2"]]);
			t.deepEqual(walk(engine, span("b", "b"), reverse), []);
			t.deepEqual(walk(engine, span("c", "a"), reverse), []);
			t.deepEqual(walk(engine, span("", ""), reverse), []);
			t.deepEqual(walk(engine, span("d", "e"), reverse), []);
		}
	});

	run("seek moves either way and never leaves the span", (engine, t) => {
		const keys = Array.from({ length: 2_000 }, (_, n) => n.toString().padStart(4, "0"));
		put(engine, ...keys.map((key): [string, string] => [key, key]));
		const it = engine.iterate(span("0100", "1900"));
		const at = (key: string): string | undefined => {
			it.seek(k(key));
			return it.key;
		};
		t.deepEqual(["0500", "05005", "", "1899", "1900", "9", "0100"].map(at), [
			"0500",
			"0501",
			"0100",
			"1899",
			undefined,
			undefined,
			"0100",
		]);
		it.seek(k("1890"));
		let count = 0;
		for (; it.key !== undefined; it.next()) {
			count++;
		}
		t.is(count, 10);
		it.next();
		t.is(it.key, undefined);
		it.close();
		const back = engine.iterate(span("0100", "1900"), { reverse: true });
		t.is(back.key, k("1899"));
		const backAt = (key: string): string | undefined => {
			back.seek(k(key));
			return back.key;
		};
		t.deepEqual(["0500", "05005", "", "0099", "0100", "1900", "9"].map(backAt), [
			"0500",
			"0500",
			undefined,
			undefined,
			"0100",
			"1899",
			"1899",
		]);
		back.seek(k("0109"));
		count = 0;
		for (; back.key !== undefined; back.next()) {
			count++;
		}
		t.is(count, 10);
		back.close();
	});

	run("a scan says whether there is more", (engine, t) => {
		put(engine, ["ka", "1"], ["kb", "2"], ["kc", "3"]);
		const scan = (
			rowsMax: number,
			bytesMax: number,
			reverse: boolean,
			over = all,
		): [string[], string[], boolean] => {
			const found = engine.scan(over, { rowsMax, bytesMax, reverse, keyOffset: 1 });
			return [[...found.keys], found.values.map((value) => text(value) as string), found.more];
		};
		t.deepEqual(scan(3, 1000, false), [["a", "b", "c"], ["1", "2", "3"], false]);
		t.deepEqual(scan(2, 1000, false), [["a", "b"], ["1", "2"], true]);
		t.deepEqual(scan(2, 1000, true), [["c", "b"], ["3", "2"], true]);
		t.deepEqual(scan(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, true), [
			["c", "b", "a"],
			["3", "2", "1"],
			false,
		]);
		t.deepEqual(scan(10, 0, false), [["a"], ["1"], true]);
		t.deepEqual(scan(10, 3, false), [["a", "b"], ["1", "2"], true]);
		t.deepEqual(scan(10, 10, false, span("kb", "kb")), [[], [], false]);
	});

	run("a batch is applied in order, whole or not at all", (engine, t) => {
		put(engine, ["a", "1"], ["b", "2"]);
		engine.write((batch) => {
			batch.put(k("c"), bytes("3"));
			batch.delete(k("c"));
			batch.delete(k("a"));
			batch.put(k("a"), bytes("4"));
			t.is(text(engine.get(k("a"))), "1", "the engine is as it was until the write returns");
		});
		t.deepEqual(walk(engine, all), [
			["a", "4"],
			["b", "2"],
		]);
		t.throws(() =>
			engine.write((batch) => {
				batch.put(k("z"), bytes("9"));
				batch.delete(k("a"));
				batch.deleteSpan(all);
				throw new Error("half way");
			}),
		);
		t.deepEqual(walk(engine, all), [
			["a", "4"],
			["b", "2"],
		]);
		t.throws(() => engine.write(() => engine.write(() => undefined)), { message: /write inside/ });
		put(engine, ["d", "5"]);
		t.deepEqual(walk(engine, all), [
			["a", "4"],
			["b", "2"],
			["d", "5"],
		]);
	});

	run("deleteSpan sees what was put earlier in its batch, and nothing later", (engine, t) => {
		put(engine, ["a", "1"], ["b", "2"], ["c", "3"], ["d", "4"]);
		engine.write((batch) => {
			batch.put(k("bb"), bytes("5"));
			batch.put(k("dd"), bytes("6"));
			batch.deleteSpan(span("b", "d"));
			batch.put(k("c"), bytes("7"));
			batch.deleteSpan(span("x", "a"));
		});
		t.deepEqual(walk(engine, all), [
			["a", "1"],
			["c", "7"],
			["d", "4"],
			["dd", "6"],
		]);
		engine.clearSpan(span("c", "d"));
		engine.clearSpan(span("d", "a"));
		t.deepEqual(walk(engine, all), [
			["a", "1"],
			["d", "4"],
			["dd", "6"],
		]);
		t.is(engine.get(k("c")), undefined);
		put(engine, ["c", "8"]);
		t.is(text(engine.get(k("c"))), "8");
	});

	run("snapshots and iterators see what was there when they were made", (engine, t) => {
		const before: Pairs = Array.from({ length: 3_000 }, (_, n) => [
			n.toString().padStart(5, "0"),
			"old",
		]);
		put(engine, ...before);
		const early = engine.snapshot();
		const same = engine.snapshot();
		const it = engine.iterate(all);
		const back = engine.iterate(all, { reverse: true });
		const onSnapshot = early.iterate(all);
		engine.write((batch) => {
			batch.deleteSpan(span("00100", "02000"));
			batch.put(k("00050"), bytes("new"));
			batch.put(k("00050x"), bytes("new"));
		});
		const late = engine.snapshot();
		engine.clearSpan(span("02500", "\xff"));
		const between = early.iterate(all);
		const betweenBack = early.iterate(all, { reverse: true });
		const limits = { rowsMax: 5_000, bytesMax: 1 << 30, reverse: false, keyOffset: 0 };
		for (const [key, value] of before) {
			for (const one of [it, onSnapshot, between]) {
				t.is(one.key, k(key));
				t.is(text(one.value), value);
				one.next();
			}
		}
		for (const [key] of before.toReversed()) {
			t.is(back.key, k(key));
			t.is(betweenBack.key, k(key));
			back.next();
			betweenBack.next();
		}
		for (const one of [it, back, onSnapshot, between, betweenBack]) {
			t.is(one.key, undefined);
			one.close();
		}
		same.close();
		t.is(early.scan(all, limits).keys.length, 3_000);
		t.is(early.scan(span("00100", "00102"), { ...limits, reverse: true }).keys[0], k("00101"));
		t.is(text(early.get(k("00050"))), "old");
		t.is(early.get(k("00050x")), undefined);
		t.is(text(early.get(k("02999"))), "old");
		t.is(walk(late, all).length, 1_101);
		t.is(text(late.get(k("00050"))), "new");
		t.is(late.get(k("00100")), undefined);
		t.is(walk(engine, all).length, 601);
		early.close();
		early.close();
		late.close();
		t.throws(() => early.get(k("a")), { message: /closed/ });
	});

	run("the size of a span is about right", (engine, t) => {
		for (let n = 0; n < 40; n++) {
			put(
				engine,
				...Array.from({ length: 100 }, (_, m): [string, string] => [
					`${n % 2}${n}.${m}`,
					"x".repeat(1_000),
				]),
			);
		}
		t.is(engine.approximateSizeBytes(span("5", "6")), 0);
		const size = engine.approximateSizeBytes(all);
		t.true(size > 2e6 && size < 16e6, `${size}`);
		put(engine, ["9", "y".repeat(99)]);
		t.is(engine.approximateSizeBytes(span("9", "\xff")), 100);
	});

	run("a closed engine refuses", async (engine, t) => {
		put(engine, ["a", "1"]);
		await Promise.all([engine.sync(), engine.sync(), engine.sync()]);
		const it = engine.iterate(all);
		const snapshot = engine.snapshot();
		await engine.close();
		await engine.close();
		it.close();
		snapshot.close();
		t.throws(() => engine.get(k("a")), { message: /closed/ });
		t.throws(() => engine.write(() => undefined), { message: /closed/ });
	});

	run("random operations agree with a model", async (engine, t) => {
		await fc.assert(
			fc.asyncProperty(fc.array(operation, { maxLength: 60, size: "max" }), async (operations) => {
				engine.write((batch) => batch.deleteSpan(all));
				checkAgainstModel(engine, operations);
			}),
			{ numRuns: runs },
		);
		t.pass();
	});
}

type Step =
	| { readonly kind: "put"; readonly key: string; readonly value: string }
	| { readonly kind: "delete"; readonly key: string }
	| { readonly kind: "deleteSpan"; readonly key: string; readonly end: string };
type Operation =
	| { readonly kind: "write"; readonly steps: readonly Step[] }
	| {
			readonly kind: "clear" | "walk" | "scan";
			readonly key: string;
			readonly end: string;
			readonly reverse: boolean;
			readonly max: number;
	  }
	| { readonly kind: "get"; readonly key: string }
	| { readonly kind: "snapshot" }
	| { readonly kind: "drop" };

const anyKey = fc
	.array(fc.constantFrom("\0", "\x01", "a", "b", "\xfe", "\xff"), { minLength: 1, maxLength: 3 })
	.map((parts) => (parts[0] === "\xff" ? ["a", ...parts] : parts).join(""));
const step: fc.Arbitrary<Step> = fc.oneof(
	{
		weight: 6,
		arbitrary: fc.record({
			kind: fc.constant("put" as const),
			key: anyKey,
			value: fc.string({ maxLength: 3 }),
		}),
	},
	{ weight: 2, arbitrary: fc.record({ kind: fc.constant("delete" as const), key: anyKey }) },
	{
		weight: 1,
		arbitrary: fc.record({ kind: fc.constant("deleteSpan" as const), key: anyKey, end: anyKey }),
	},
);
const operation: fc.Arbitrary<Operation> = fc.oneof(
	{
		weight: 4,
		arbitrary: fc.record({
			kind: fc.constant("write" as const),
			steps: fc.array(step, { maxLength: 8 }),
		}),
	},
	{
		weight: 4,
		arbitrary: fc.record({
			kind: fc.constantFrom(
				"clear" as const,
				"walk" as const,
				"walk" as const,
				"scan" as const,
				"scan" as const,
			),
			key: anyKey,
			end: anyKey,
			reverse: fc.boolean(),
			max: fc.integer({ min: 1, max: 5 }),
		}),
	},
	{ weight: 2, arbitrary: fc.record({ kind: fc.constant("get" as const), key: anyKey }) },
	{
		weight: 2,
		arbitrary: fc.constantFrom({ kind: "snapshot" } as const, { kind: "drop" } as const),
	},
);

type Model = Map<string, string>;

function modelWalk(model: Model, start: string, end: string, reverse: boolean): Pairs {
	const pairs = [...model]
		.filter(([key]) => start <= key && key < end)
		.sort(([a], [b]) => (a < b ? -1 : 1));
	return reverse ? pairs.reverse() : pairs;
}

function modelWrite(model: Model, steps: readonly Step[]): Model {
	const after = new Map(model);
	for (const one of steps) {
		if (one.kind === "put") {
			after.set(one.key, one.value);
		} else if (one.kind === "delete") {
			after.delete(one.key);
		} else {
			for (const [key] of modelWalk(after, one.key, one.end, false)) {
				after.delete(key);
			}
		}
	}
	return after;
}

function expectEqual(found: unknown, expected: unknown): void {
	const [a, b] = [JSON.stringify(found), JSON.stringify(expected)];
	if (a !== b) {
		throw new Error(`found ${a}, expected ${b}`);
	}
}

function checkAgainstModel(engine: Engine, operations: readonly Operation[]): void {
	let model: Model = new Map();
	const readers: { reader: EngineReader; model: Model; close(): void }[] = [];
	for (const one of operations) {
		if (one.kind === "write") {
			model = modelWrite(model, one.steps);
			engine.write((batch) => {
				for (const each of one.steps) {
					if (each.kind === "put") {
						batch.put(k(each.key), bytes(each.value));
					} else if (each.kind === "delete") {
						batch.delete(k(each.key));
					} else {
						batch.deleteSpan(span(each.key, each.end));
					}
				}
			});
		} else if (one.kind === "clear") {
			model = modelWrite(model, [{ kind: "deleteSpan", key: one.key, end: one.end }]);
			engine.clearSpan(span(one.key, one.end));
		} else if (one.kind === "snapshot") {
			const reader = engine.snapshot();
			readers.push({ reader, model, close: () => reader.close() });
		} else if (one.kind === "drop") {
			readers.shift()?.close();
		} else {
			for (const each of [{ reader: engine, model }, ...readers]) {
				checkRead(each.reader, each.model, one);
			}
		}
	}
	for (const each of readers) {
		expectEqual(walk(each.reader, all), modelWalk(each.model, "", "\xff", false));
		each.close();
	}
	expectEqual(walk(engine, all), modelWalk(model, "", "\xff", false));
}

function checkRead(
	reader: EngineReader,
	model: Model,
	one: Extract<Operation, { readonly key: string }>,
): void {
	if (one.kind === "get") {
		expectEqual(text(reader.get(k(one.key))), model.get(one.key));
		return;
	}
	const expected = modelWalk(model, one.key, one.end, one.reverse);
	if (one.kind === "walk") {
		expectEqual(walk(reader, span(one.key, one.end), one.reverse), expected);
		return;
	}
	const limits = { rowsMax: one.max, bytesMax: 1 << 20, reverse: one.reverse, keyOffset: 0 };
	const found = reader.scan(span(one.key, one.end), limits);
	expectEqual(
		[
			found.keys.map((key, n): [string, string] => [key, text(found.values[n]) as string]),
			found.more,
		],
		[expected.slice(0, one.max), expected.length > one.max],
	);
}
