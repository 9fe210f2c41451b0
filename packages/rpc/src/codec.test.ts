import test from "ava";
import fc from "fast-check";
import { decodeMessage, encodeMessage, LENGTH_BYTES } from "./codec.ts";
import { FrameReader, FrameTooLargeError } from "./frame-reader.ts";
import { decodePlain } from "./plain-decoder.ts";

const roundTrip = (value: unknown): unknown =>
	(decodeMessage(encodeMessage([value]).subarray(LENGTH_BYTES)) as unknown[])[0];

/** Text with what breaks codecs: long runs, byte order marks, astral characters, NUL. */
const text = fc.oneof(
	fc.string({ unit: "binary", maxLength: 40 }),
	fc.string({ unit: "binary", minLength: 60, maxLength: 400 }),
	fc.string({ maxLength: 300 }).map((s) => `\uFEFF${s}`),
	fc.constantFrom("", "\0", "\uFEFF", "é".repeat(70)),
);

const body = fc.letrec((tie) => ({
	value: fc.oneof(
		{ maxDepth: 5 },
		fc.constantFrom(null, undefined, true, false),
		fc.maxSafeInteger(),
		fc.constantFrom(2 ** 53, -(2 ** 53), 2 ** 32, 2 ** 31, -(2 ** 31) - 1),
		fc.double().map((d) => (Object.is(d, -0) ? 0 : d)),
		fc.bigInt(),
		text,
		fc.uint8Array({ maxLength: 300 }),
		fc.array(tie("value"), { maxLength: 20 }),
		fc.dictionary(
			text.filter((k) => k !== "__proto__"),
			tie("value"),
			{ maxKeys: 20, noNullPrototype: true },
		),
	),
})).value;

test("bodies survive exactly", (t) => {
	fc.assert(
		fc.property(body, (value) => {
			t.deepEqual(roundTrip(value), value);
		}),
		{ numRuns: 1500, seed: 7 },
	);
});

test("without the native part bodies survive as well", (t) => {
	fc.assert(
		fc.property(body, (value) => {
			t.deepEqual(decodePlain(encodeMessage([value]).subarray(LENGTH_BYTES)), [value]);
		}),
		{ numRuns: 1500, seed: 7 },
	);
	const large = -(2n ** 600n) + 1n;
	t.deepEqual(decodePlain(encodeMessage([large]).subarray(LENGTH_BYTES)), [large]);
});

test("without the native part hostile bytes throw or decode", (t) => {
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
			try {
				decodePlain(bytes);
			} catch (error) {
				t.true(error instanceof Error);
			}
		}),
		{ numRuns: 3000, seed: 7 },
	);
	t.throws(() => decodePlain(new Uint8Array(1_000_000).fill(0x91)));
	t.throws(() => decodePlain(Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff)));
	t.throws(() => decodePlain(Uint8Array.of(1, 2)), { message: /left after/ });
	const good = encodeMessage([1, "two", { three: 3n ** 50n }]).subarray(LENGTH_BYTES);
	for (let at = 0; at < good.length; at++) t.throws(() => decodePlain(good.subarray(0, at)));
});

test("byte arrays come back as plain byte arrays, also from a Buffer and from a view", (t) => {
	const big = new Uint8Array(100_000).map((_, i) => i * 7);
	for (const bytes of [big, big.subarray(5, 9), Buffer.from([1, 2])]) {
		const result = roundTrip({ bytes }) as { bytes: Uint8Array };
		t.is(result.bytes.constructor, Uint8Array);
		t.deepEqual(result.bytes, new Uint8Array(bytes));
	}
});

test("hostile bytes throw or decode, and leave the codec as it was", (t) => {
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
			try {
				decodeMessage(bytes);
			} catch (error) {
				t.true(error instanceof Error);
			}
			t.deepEqual(roundTrip({ a: [1, "two"] }), { a: [1, "two"] });
		}),
		{ numRuns: 3000, seed: 7 },
	);
	const nested = new Uint8Array(1_000_000).fill(0x91);
	t.throws(() => decodeMessage(nested));
	t.throws(() => decodeMessage(Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff)));
	t.deepEqual(roundTrip([1]), [1]);
});

test("damaged messages throw or decode", (t) => {
	const good = new Uint8Array(
		encodeMessage([
			1,
			2,
			"range.read",
			{ key: new Uint8Array(40), list: ["é".repeat(50), 1.5, null], n: 2 ** 40 },
		]).subarray(LENGTH_BYTES),
	);
	for (let at = 0; at < good.length; at++) {
		for (const mask of [1, 0x80, 0xff]) {
			const bad = good.slice();
			bad[at]! ^= mask;
			try {
				decodeMessage(bad);
			} catch (error) {
				t.true(error instanceof Error);
			}
			t.throws(() => decodeMessage(good.subarray(0, at)));
		}
	}
});

test("messages are found in a stream however it is cut", (t) => {
	fc.assert(
		fc.property(
			fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 20 }),
			fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1, maxLength: 30 }),
			(bodies, cuts) => {
				const stream = Buffer.concat(bodies.map((b) => encodeMessage([b])));
				const found: Uint8Array[] = [];
				const reader = new FrameReader(1000);
				let offset = 0;
				for (let i = 0; offset < stream.length; i++) {
					const end = offset + cuts[i % cuts.length]!;
					reader.push(stream.subarray(offset, end), (message) => {
						found.push((decodeMessage(message) as [Uint8Array])[0]);
						return true;
					});
					offset = end;
				}
				t.deepEqual(found, bodies);
			},
		),
		{ numRuns: 300, seed: 7 },
	);
});

test("a message over the limit is refused by its length alone", (t) => {
	const reader = new FrameReader(100);
	reader.push(Uint8Array.of(0, 0, 0), () => t.fail() as never);
	t.throws(() => reader.push(Uint8Array.of(101), () => t.fail() as never), {
		instanceOf: FrameTooLargeError,
	});
	t.throws(() => new FrameReader(100).push(new Uint8Array(4).fill(255), () => true), {
		instanceOf: FrameTooLargeError,
	});
});
