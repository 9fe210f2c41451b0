/**
 * Expressions of each type, drawn by fast-check out of the functions and operators that Quorate has, around the edges of the types.
 * They have the right types as PostgreSQL sees them; what comes of them, a value or an error, is what is to be compared.
 */
import * as fc from "fast-check";
import {
	allFunctions,
	operatorCandidates,
	type ScalarFunction,
	typeByOid,
} from "../../types/registry.ts";

/** Edges of the types, as text. */
export const edges: Readonly<Record<string, readonly string[]>> = {
	bool: ["t", "f"],
	int2: ["0", "1", "-1", "7", "32767", "-32768"],
	int4: ["0", "1", "-1", "2", "7", "100", "2147483647", "-2147483648"],
	int8: ["0", "1", "-1", "10", "9223372036854775807", "-9223372036854775808"],
	float4: ["0", "-0", "1.5", "nan", "inf", "-inf", "3.4e38", "1e-45"],
	float8: ["0", "-0", "1", "-1.5", "2.5", "nan", "inf", "-inf", "1.7e308", "5e-324"],
	numeric: [
		"0",
		"1",
		"-1.50",
		"2.5",
		"1e-20",
		"123456789012345678901234567890.5",
		"nan",
		"inf",
		"0.99999",
	],
	text: [
		"",
		"a",
		"Abc",
		"é日😀",
		"%_\\",
		"a b  c",
		" x ",
		"1",
		"-25",
		"2020-02-29",
		"true",
		"'",
		"{1,2}",
	],
	varchar: ["", "a", "xyz "],
	bpchar: ["", "a  ", "b"],
	bytea: ["", "\\x00ff10", "abc"],
	uuid: ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "00000000-0000-0000-0000-000000000000"],
	date: ["2020-02-29", "1999-12-31", "infinity", "-infinity", "4714-11-24 BC", "5874897-12-31"],
	time: ["00:00", "24:00:00", "12:34:56.789"],
	timestamp: [
		"2020-02-29 12:34:56.789",
		"1970-01-01",
		"infinity",
		"4714-11-24 BC",
		"294276-12-31 23:59:59",
	],
	timestamptz: [
		"2020-02-29 12:34:56.789+02",
		"-infinity",
		"2021-03-28 01:30:00+00",
		"294276-12-31 23:59:59+00",
	],
	interval: ["0", "1 mon -2 days 03:04:05.6", "1 year", "-36 hours", "178000000 years"],
	_int4: ["{}", "{1,2,3}", "{NULL,1}", "{{1,2},{3,4}}"],
	_text: ["{}", "{a,b}", '{NULL,"x y",""}'],
};

/** Of sessions, the clock, chance and catalogs; and what answers something else on purpose. */
const unsteady =
	/^(pg_|current_|session_|inet_|version$|now$|txid|has_|clock_|statement_|transaction_|timeofday|random|setseed|obj_|col_|format_type|to_reg|set_config|shobj|nextval|currval|setval|lastval|quorate|row_security|gen_random|getdatabaseencoding|array_in|.*(in|out|recv|send)$|reg|age$|set_bit$|numeric$|extract$|date_part$|local)/;

const symbols = [
	"+",
	"-",
	"*",
	"/",
	"%",
	"^",
	"||",
	"=",
	"<>",
	"<",
	"<=",
	">",
	">=",
	"&",
	"|",
	"#",
	"<<",
	">>",
	"~",
	"!~",
	"~*",
	"~~",
	"!~~",
	"~~*",
	"@>",
	"<@",
	"&&",
];
const prefixes = ["-", "+", "~", "@", "|/", "||/"];

const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;
export const typeNames: readonly string[] = Object.keys(edges);
const isKnown = (oid: number): boolean => typeNames.includes(nameOf(oid));

function nameOf(oid: number): string {
	const name = typeByOid(oid)?.name ?? "";
	return name;
}

/** How the type is written in a cast. */
const written = (type: string): string => (type.startsWith("_") ? `${type.slice(1)}[]` : type);

export interface Columns {
	/** Names of columns by type. */
	readonly [type: string]: readonly string[];
}

/** No NULLs: what is constantly NULL PostgreSQL may fold before it looks at errors beside it. They come from columns. */
const literalOf = (type: string): fc.Arbitrary<string> =>
	fc.constantFrom(...edges[type]!).map((x) => `${quote(x)}::${written(type)}`);

/** What would be as long as these numbers. */
const growing = /^(repeat|lpad|rpad|array_fill)$/;
const small = fc.constantFrom("0", "1", "3", "-1").map((x) => `'${x}'::int4`);

type Get = (type: string) => fc.Arbitrary<string>;

function callsOf(type: string, get: Get): fc.Arbitrary<string>[] {
	const fits = (f: ScalarFunction): boolean =>
		nameOf(f.result) === type &&
		f.args.every(isKnown) &&
		!f.variadic &&
		!f.async &&
		f.volatility !== "volatile" &&
		!unsteady.test(f.name);
	const calls = allFunctions()
		.scalar.filter(fits)
		.map((f) => {
			const args = f.args.map((oid) =>
				nameOf(oid) === "int4" && growing.test(f.name) ? small : get(nameOf(oid)),
			);
			return fc.tuple(...args).map((texts) => `${f.name}(${texts.join(", ")})`);
		});
	for (const symbol of symbols) {
		for (const f of operatorCandidates(symbol, 2).filter(fits)) {
			const [a, b] = f.args.map((oid) => get(nameOf(oid)));
			calls.push(fc.tuple(a!, b!).map(([x, y]) => `(${x} ${symbol} ${y})`));
		}
	}
	for (const symbol of prefixes) {
		for (const f of operatorCandidates(symbol, 1).filter(fits)) {
			calls.push(get(nameOf(f.args[0]!)).map((x) => `(${symbol} ${x})`));
		}
	}
	return calls;
}

/** What the grammar has for values of any type. */
function formsOf(type: string, get: Get): fc.Arbitrary<string>[] {
	const [self, condition] = [get(type), get("bool")];
	const anyType = fc.constantFrom(...typeNames).chain(get);
	const forms = [
		fc.tuple(condition, self, self).map(([c, a, b]) => `case when ${c} then ${a} else ${b} end`),
		fc.tuple(self, self).map(([a, b]) => `coalesce(${a}, ${b})`),
		fc.tuple(self, self).map(([a, b]) => `nullif(${a}, ${b})`),
		fc.tuple(self, self, self).map(([a, b, c]) => `greatest(${a}, ${b}, ${c})`),
		fc.tuple(self, self).map(([a, b]) => `least(${a}, ${b})`),
	];
	for (const from of castsTo[type] ?? []) {
		forms.push(get(from).map((x) => `(${x})::${written(type)}`));
	}
	if (type === "text") forms.push(anyType.map((x) => `(${x})::text`));
	if (type === "bool") {
		const pair = fc.constantFrom(...typeNames).chain((t) => fc.tuple(get(t), get(t), get(t)));
		const comparison = fc.constantFrom(
			"=",
			"<>",
			"<",
			"<=",
			">",
			">=",
			"is distinct from",
			"is not distinct from",
		);
		forms.push(
			fc.tuple(pair, comparison).map(([[a, b], sign]) => `(${a} ${sign} ${b})`),
			pair.map(([a, b, c]) => `(${a} between ${b} and ${c})`),
			pair.map(([a, b, c]) => `(${a} in (${b}, ${c}))`),
			pair.map(([a, b, c]) => `(${a} not in (${b}, ${c}))`),
			fc.tuple(anyType, fc.boolean()).map(([a, not]) => `(${a} is ${not ? "not " : ""}null)`),
			fc
				.tuple(condition, condition, fc.constantFrom("and", "or"))
				.map(([a, b, sign]) => `(${a} ${sign} ${b})`),
			fc
				.tuple(condition, fc.constantFrom("true", "not true", "false", "unknown"))
				.map(([a, what]) => `(${a} is ${what})`),
			condition.map((a) => `(not ${a})`),
			fc
				.tuple(get("text"), get("text"), fc.constantFrom("like", "not like", "ilike"))
				.map(([a, b, sign]) => `(${a} ${sign} ${b})`),
		);
	}
	if (type === "int4" || type === "text" || type === "date") {
		const digits =
			type === "int4"
				? ["0", "7", "2147483648"]
				: type === "date"
					? ["'2020-01-01'::date"]
					: ["'x'", "'7'"];
		forms.push(fc.constantFrom(...digits));
	}
	return forms;
}

/** Not from text: whether that is folded depends on what a type's input depends on. */
const castsTo: Readonly<Record<string, readonly string[]>> = {
	bool: ["int4"],
	int2: ["int4", "int8", "numeric", "float8"],
	int4: ["int2", "int8", "numeric", "float8", "text", "bool"],
	int8: ["int2", "int4", "numeric", "float8"],
	float4: ["int4", "float8", "numeric"],
	float8: ["int4", "int8", "numeric", "float4"],
	numeric: ["int2", "int4", "int8", "float4", "float8"],
	varchar: ["int4", "date"],
	bpchar: [],
	bytea: [],
	uuid: [],
	date: ["timestamp", "timestamptz"],
	time: ["timestamp", "interval"],
	timestamp: ["date", "timestamptz"],
	timestamptz: ["date", "timestamp"],
	interval: ["time"],
	_int4: [],
	_text: ["_int4"],
};

/** Expressions of a type, at most `depth` calls deep. */
export function expressions(columns: Columns, depth: number): Get {
	const memo = new Map<string, fc.Arbitrary<string>>();
	const at = (type: string, left: number): fc.Arbitrary<string> => {
		const key = `${type} ${left}`;
		const known = memo.get(key);
		if (known !== undefined) return known;
		const names = columns[type] ?? [];
		const leaves = [literalOf(type), ...(names.length === 0 ? [] : [fc.constantFrom(...names)])];
		const get: Get = (t) => at(t, left - 1);
		const deeper = left === 0 ? [] : [...callsOf(type, get), ...formsOf(type, get)];
		const leafWeight = Math.max(1, Math.round(deeper.length / 3));
		const made = fc.oneof(
			{ withCrossShrink: true },
			...leaves.map((arbitrary) => ({ arbitrary, weight: leafWeight })),
			...deeper.map((arbitrary) => ({ arbitrary, weight: 2 })),
		);
		memo.set(key, made);
		return made;
	};
	return (type) => at(type, depth);
}
