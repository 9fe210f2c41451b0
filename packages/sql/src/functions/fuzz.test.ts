/** Whatever the arguments, a function answers with a value of its type or a DatabaseError, and a type's input likewise. */
import { DatabaseError } from "@quorate/keys/database-error";
import test from "ava";
import * as fc from "fast-check";
import type { Datum, SqlType } from "../types/datum.ts";
import {
	allFunctions,
	allTypes,
	operatorCandidates,
	type ScalarFunction,
	typeByName,
	typeByOid,
} from "../types/registry.ts";
import { testContext } from "./testing/context.ts";

const context = testContext();

/** Edges of types, as text. */
const edges: Readonly<Record<string, readonly string[]>> = {
	bool: ["t", "f"],
	int2: ["0", "-1", "32767", "-32768"],
	int4: ["0", "1", "-1", "7", "2147483647", "-2147483648"],
	int8: ["0", "-1", "9223372036854775807", "-9223372036854775808"],
	oid: ["0", "25", "4294967295"],
	float4: ["0", "-0", "1.5", "nan", "inf", "-inf", "3.4e38", "1e-45"],
	float8: ["0", "-0", "-1.5", "nan", "inf", "-inf", "1.7e308", "5e-324"],
	numeric: ["0", "-1.50", "1e-16383", "1e130000", "nan", "inf", "-inf", "0.99999"],
	text: [
		"",
		"a",
		"é日😀",
		"%_\\",
		"(",
		"FM9.9EEEE",
		"YYYY-MM",
		"day",
		"hex",
		"Europe/Berlin",
		"{1}",
	],
	bpchar: ["", "a  "],
	varchar: ["", "a"],
	name: ["", "a"],
	char: ["", "a"],
	bytea: ["", "\\x00ff"],
	uuid: ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
	json: ["{}", '[1, "a", null]', '{"a" : {"b": 1}, "a": 2}', '"x"', "1e5", "null"],
	jsonb: ["{}", '[1, "a", null]', '{"a": {"b": [1, 2]}, "c": "d"}', '"x"', "1.50", "[]"],
	date: ["2020-02-29", "infinity", "-infinity", "4714-11-24 BC", "5874897-12-31"],
	time: ["00:00", "24:00:00", "12:34:56.789"],
	timestamp: ["2020-02-29 12:34:56.789", "infinity", "4714-11-24 BC", "294276-12-31 23:59:59"],
	timestamptz: ["2020-02-29 12:34:56.789", "-infinity", "4714-11-24 BC", "294276-12-31 23:59:59"],
	interval: ["0", "1 mon -2 days 03:04:05.6", "178000000 years", "-178000000 years"],
	_text: ["{}", "{a,NULL}", "{a,b}", "{0}", "{-1,b}", "{{a,b},{c,d}}"],
	int2vector: ["", "1 2"],
	oidvector: ["", "1 2"],
};

function valuesOf(oid: number): { type: number; values: Datum[] } {
	const polymorphic = new Map([
		["anyelement", "int4"],
		["anynonarray", "int4"],
		["anycompatible", "int4"],
		["anyarray", "_int4"],
		["anycompatiblearray", "_int4"],
		["any", "text"],
	]);
	const declared = typeByOid(oid);
	const name = polymorphic.get(declared?.name ?? "") ?? declared?.name ?? "";
	const type = typeByName(name);
	const texts = edges[name] ?? (name.startsWith("_") ? ["{}", "{NULL}", "[0:1]={1,2}"] : []);
	return {
		type: type?.oid ?? 0,
		values: texts.map((text) => type?.parse(text, -1, context) ?? null),
	};
}

function check(fn: ScalarFunction, args: readonly Datum[], types: readonly SqlType[]): void {
	try {
		const value = fn.call(args, context, types);
		const result = typeByOid(fn.result);
		if (value !== null && result?.category !== "P" && !(value instanceof Promise)) {
			result?.format(value, context);
			result?.encodeBinary(value, context);
		}
	} catch (error) {
		if (!(error instanceof DatabaseError)) {
			const shown = args.map((arg, i) =>
				arg === null ? "NULL" : typeByOid(types[i]?.oid ?? 0)?.format(arg, context),
			);
			throw new Error(`${fn.name}(${shown.join(", ")}): ${String(error)}`, { cause: error });
		}
	}
}

function everyCall(fn: ScalarFunction, combinationsMax: number): void {
	const pools = fn.args.map(valuesOf);
	if (pools.some((pool) => pool.values.length === 0)) {
		return;
	}
	const types = pools.map((pool) => ({ oid: pool.type, modifier: -1 }));
	const total = pools.reduce((n, pool) => n * pool.values.length, 1);
	// A stride that visits combinations evenly where there are too many.
	const stride = Math.max(Math.floor(total / combinationsMax), 1);
	for (let index = 0; index < total; index += stride) {
		let rest = index;
		const args = pools.map((pool) => {
			const value = pool.values[rest % pool.values.length] as Datum;
			rest = Math.floor(rest / pool.values.length);
			return value;
		});
		check(fn, args, types);
	}
}

test("functions at the edges of their arguments", (t) => {
	for (const fn of allFunctions().scalar) {
		everyCall(fn, 150);
	}
	t.pass();
});

test("operators at the edges of their arguments", (t) => {
	const symbols = [
		"+",
		"-",
		"*",
		"/",
		"%",
		"^",
		"|/",
		"||/",
		"@",
		"&",
		"|",
		"#",
		"~",
		"<<",
		">>",
		"=",
		"<",
		">=",
	];
	for (const symbol of [
		...symbols,
		"<>",
		"||",
		"~~",
		"~~*",
		"~*",
		"!~",
		"@>",
		"<@",
		"&&",
		...jsonOperators,
	]) {
		for (const arity of [1, 2] as const) {
			for (const fn of operatorCandidates(symbol, arity)) {
				everyCall(fn, 100);
			}
		}
	}
	t.pass();
});

const jsonOperators = ["->", "->>", "#>", "#>>", "?", "?|", "?&", "#-"];

const pieces = [
	"1",
	"9",
	"-",
	"+",
	".",
	"e",
	":",
	"/",
	" ",
	"T",
	"Z",
	"BC",
	"jan",
	"am",
	"{",
	"}",
	'"',
	",",
	"\\",
	"x",
	"[",
	"]",
	"=",
	"inf",
	"nan",
	"2020-01-01",
	"12:34",
	"day",
	"ago",
	"P",
	"é",
	"\u0001",
	"00000000",
];
const junk = fc.oneof(
	fc.array(fc.constantFrom(...pieces), { maxLength: 10 }).map((parts) => parts.join("")),
	fc.string(),
);

test("input of junk", (t) => {
	const types = allTypes().filter((type) => type.category !== "P" && !/^_?reg/.test(type.name));
	fc.assert(
		fc.property(fc.constantFrom(...types), junk, (type, text) => {
			try {
				const value = type.parse(text, -1, context);
				// What was understood has one text, which is understood alike.
				const shown = type.format(value, context);
				return type.format(type.parse(shown, -1, context), context) === shown;
			} catch (error) {
				return error instanceof DatabaseError;
			}
		}),
		{ numRuns: 8000, seed: 12 },
	);
	t.pass();
});

test("binary input of junk", (t) => {
	const types = allTypes().filter((type) => type.category !== "P");
	fc.assert(
		fc.property(fc.constantFrom(...types), fc.uint8Array({ maxLength: 40 }), (type, bytes) => {
			try {
				type.decodeBinary(bytes, -1, context);
				return true;
			} catch (error) {
				return error instanceof DatabaseError;
			}
		}),
		{ numRuns: 5000, seed: 13 },
	);
	t.pass();
});
