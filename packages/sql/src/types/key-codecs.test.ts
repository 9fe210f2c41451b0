import test from "ava";
import * as fc from "fast-check";
import { testContext } from "../functions/testing/context.ts";
import type { Datum } from "./datum.ts";
import { interval } from "./interval-values.ts";
import { type Json, jsonb, jsonObject } from "./json-value.ts";
import { numeric, numericInfinity, numericNaN, numericNegativeInfinity } from "./numeric.ts";
import { allTypes, type TypeDefinition, typeByName } from "./registry.ts";

const edges = [0, -1, 1, 255, 256, -256, 0x7fff_ffff, -0x8000_0000];
const int4 = fc.oneof(fc.constantFrom(...edges), fc.integer());
const int8Edges = [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 32n, -(2n ** 32n), 2n ** 32n - 1n];
const int8 = fc.oneof(
	fc.constantFrom(...int8Edges),
	fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
	fc.integer().map(BigInt),
);
const text = fc
	.oneof(
		fc.string({ unit: fc.constantFrom("a", "b", " ", "\x01", "\x7f", "é", "日", "\ufffd", "😀") }),
		fc.string(),
	)
	.map((s) => s.replaceAll("\0", ""));
const someNumeric = fc.oneof(
	fc.constantFrom(numericNaN, numericInfinity, numericNegativeInfinity),
	fc
		.tuple(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.integer({ min: 0, max: 25 }))
		.map(([unscaled, scale]) => numeric(unscaled, scale)),
	fc
		.tuple(fc.integer({ min: -120, max: 120 }), fc.integer({ min: 0, max: 4 }))
		.map(([unscaled, scale]) => numeric(BigInt(unscaled), scale)),
);
const someInterval = fc
	.oneof(
		fc.tuple(fc.integer({ min: -50, max: 50 }), fc.integer({ min: -99, max: 99 }), int8),
		fc.tuple(int4, int4, int8),
	)
	.map(([months, days, micros]) => interval(months, days, micros));
const bytes = fc.oneof(
	fc.uint8Array({ maxLength: 6 }),
	fc.array(fc.constantFrom(0, 1, 0xff), { maxLength: 5 }).map((a) => Uint8Array.from(a)),
);
const float = fc.double();
const nested = <T extends Datum>(element: fc.Arbitrary<T>): fc.Arbitrary<Datum> =>
	fc
		.tuple(fc.array(fc.option(element), { maxLength: 3 }), fc.constantFrom(0, 1))
		.map(([elements, lower]) => ({
			kind: "array" as const,
			elements,
			lower: elements.length === 0 ? 1 : lower,
		}));

const { json: someJson } = fc.letrec<{ json: Json }>((tie) => ({
	json: fc.oneof(
		{ maxDepth: 3 },
		fc.constantFrom(null, true, false, ""),
		text,
		someNumeric.filter((n) => n.special === 0),
		fc.array(tie("json"), { maxLength: 3 }),
		fc.array(fc.tuple(text, tie("json")), { maxLength: 3 }).map(jsonObject),
	),
}));

const generators: Readonly<Record<string, fc.Arbitrary<Datum>>> = {
	bool: fc.boolean(),
	int2: fc.integer({ min: -32768, max: 32767 }),
	int4,
	oid: fc.nat(0xffff_ffff),
	int8,
	float4: float.map(Math.fround),
	float8: float,
	numeric: someNumeric,
	text,
	varchar: text,
	name: text,
	bpchar: text,
	bytea: bytes,
	jsonb: someJson.map(jsonb),
	uuid: fc.uuid(),
	date: fc.oneof(
		fc.integer({ min: -2_451_545, max: 2_145_031_948 }),
		fc.constantFrom(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
	),
	time: fc.bigInt({ min: 0n, max: 86_400_000_000n }),
	timestamp: int8,
	timestamptz: int8,
	interval: someInterval,
	_int4: nested(int4),
	_text: nested(text),
	_numeric: nested(someNumeric),
	oidvector: nested(fc.nat(9)),
};

const codecOf = (type: TypeDefinition): NonNullable<TypeDefinition["keyCodec"]> =>
	type.keyCodec as NonNullable<TypeDefinition["keyCodec"]>;
const order = (n: number): number => Math.sign(n) + 0;
const compareKeys = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

for (const [name, generator] of Object.entries(generators)) {
	const type = typeByName(name) as TypeDefinition;
	const codec = codecOf(type);

	test(`${name}: keys are in the order of values`, (t) => {
		fc.assert(
			fc.property(generator, generator, (a, b) => {
				const keys = compareKeys(codec.encode(a), codec.encode(b));
				return keys === order(type.compare(a, b));
			}),
			{ numRuns: 400, seed: 7 },
		);
		t.pass();
	});

	test(`${name}: keys are binary strings and decode to equal values`, (t) => {
		fc.assert(
			fc.property(generator, fc.string(), (value, before) => {
				const key = codec.encode(value);
				const { value: decoded, next } = codec.decode(`${before}${key}\x80rest`, before.length);
				return (
					Array.from(key).every((c) => c.charCodeAt(0) < 256) &&
					next === before.length + key.length &&
					type.compare(decoded, value) === 0 &&
					(codec.lossy || type.format(decoded, testContext()) === type.format(value, testContext()))
				);
			}),
			{ numRuns: 200, seed: 8 },
		);
		t.pass();
	});
}

test("joined keys are in the order of tuples", (t) => {
	const names = ["text", "numeric", "bytea", "bpchar", "_text", "int4"];
	const types = names.map((name) => typeByName(name) as TypeDefinition);
	const tuple = fc.tuple(...names.map((name) => generators[name] as fc.Arbitrary<Datum>));
	const key = (values: Datum[]): string =>
		values.map((value, i) => codecOf(types[i] as TypeDefinition).encode(value)).join("");
	fc.assert(
		fc.property(tuple, tuple, fc.nat(5), (a, b, shared) => {
			// Equal beginnings, so that later columns decide.
			const right = [...a.slice(0, shared), ...b.slice(shared)];
			let wanted = 0;
			for (let i = 0; i < types.length && wanted === 0; i++) {
				wanted = order((types[i] as TypeDefinition).compare(a[i] as Datum, right[i] as Datum));
			}
			return compareKeys(key(a), key(right)) === wanted;
		}),
		{ numRuns: 1000, seed: 9 },
	);
	t.pass();
});

test("integer types share one encoding", (t) => {
	fc.assert(
		fc.property(int4, (n) => {
			const narrow = codecOf(typeByName("int4") as TypeDefinition).encode(n);
			return narrow === codecOf(typeByName("int8") as TypeDefinition).encode(BigInt(n));
		}),
		{ numRuns: 300, seed: 10 },
	);
	t.pass();
});

test("every type that has an order but records can be a key", (t) => {
	for (const type of allTypes()) {
		if (type.keyCodec === undefined) {
			const expected = /^_?(json|jsonpath|pg_node_tree|void|record)$|^_?any|trigger|internal/;
			t.regex(type.name, expected);
		}
	}
});
