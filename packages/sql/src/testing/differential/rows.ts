/** Single rows of one table, or of none: expressions, literals, conditions, aggregates, what an index may answer. */
import * as fc from "fast-check";
import { type Columns, expressions, typeNames } from "./expressions.ts";
import { columnsOfValues, valueColumns } from "./tables.ts";

const anyOf = (columns: Columns, depth: number): fc.Arbitrary<string> => {
	const get = expressions(columns, depth);
	return fc.constantFrom(...typeNames).chain(get);
};

const aggregates = ["count", "min", "max", "sum", "avg", "count(distinct"];
const aggregate = (columns: Columns): fc.Arbitrary<string> => {
	const get = expressions(columns, 1);
	const numeric = fc.constantFrom("int2", "int4", "int8", "numeric").chain(get);
	return fc.oneof(
		fc.constant("count(*)"),
		fc
			.tuple(fc.constantFrom(...aggregates), numeric)
			.map(([name, x]) => `${name}${name.includes("(") ? " " : "("}${x})`),
		fc
			.tuple(
				fc.constantFrom("min", "max"),
				fc.constantFrom("text", "date", "timestamp", "interval", "float8").chain(get),
			)
			.map(([name, x]) => `${name}(${x})`),
		get("bool").map((x) => `bool_and(${x})`),
		get("bool").map((x) => `bool_or(${x})`),
	);
};

/** Whose one row is not subject to the order in which rows are looked at. */
export const values = anyOf({}, 2).map((x) => `select ${x} as x`);

/** Pieces of what people write for values; two of them beside each other are rarely right. */
const pieces =
	'0 1 -1 +5 007 1e3 1e400 -1.50 .5 5. 1_000 0x1F NaN inf -Infinity t yes off TRUE ON 2020-02-29 2020-2-9 20200229 02/29/2020 2021-02-29 Feb-29-2020 2020.060 J2459000 99999-01-01 0044-03-15 BC AD 12:34 12:34:56.789 24:00 24:00:01 23:59:60 04:05PM 13:00AM T04:05:06 Z +02 -03:30 UTC Europe/Berlin EST epoch infinity allballs today? day 3days 1year -2mons 1.5 weeks ago @ P1Y2M3DT4H5M6S PT36H P-1Y P0001-02-03 1-2 4:5:6 century {} {1,2} {a,b} {1,NULL} {{1},{2}} {{1},{2,3}} {"x\\"y"} [0:1]={1,2} {1, } \\x00ff \\xf \\000 a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11 {a0eebc999c0b4ef8bb6d6bb9bd380a11} a0ee-bc99 abc'.split(
		" ",
	);
export const written = fc
	.tuple(
		fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 3 }),
		fc.constantFrom("", " ", "  "),
		fc.constantFrom(
			...typeNames,
			"char(3)",
			"varchar(2)",
			"numeric(4,1)",
			"timestamp(0)",
			"time(1)",
			"interval(2)",
		),
	)
	.map(([parts, between, type]) => {
		const name = type.startsWith("_") ? `${type.slice(1)}[]` : type;
		return `select '${parts.join(between).replaceAll("'", "''")}'::${name} as x`;
	});

export const projections = anyOf(valueColumns, 2).map(
	(x) => `select id, ${x} as x from v order by id`,
);
export const filters = expressions(
	valueColumns,
	2,
)("bool").map((x) => `select id from v where ${x} order by id`);
export const groups = fc
	.tuple(
		fc.constantFrom("b", "i4 % 2", "t", "d", "id % 2", "iv"),
		aggregate(valueColumns),
		fc.option(aggregate(valueColumns)),
	)
	.map(
		([by, x, having]) =>
			`select ${by} as g, ${x} as x from v group by ${by}${having === null ? "" : ` having ${having} is not null`}`,
	);
export const whole = aggregate(valueColumns).map((x) => `select ${x} as x from v`);

/** What an index may answer, in part or whole. */
const lookup = fc.constantFrom(...columnsOfValues).chain(([name, type]) => {
	const value = expressions({}, 0)(type);
	return fc.oneof(
		fc
			.tuple(fc.constantFrom("=", "<", "<=", ">", ">=", "<>"), value)
			.map(([sign, x]) => `${name} ${sign} ${x}`),
		fc.tuple(value, value).map(([a, b]) => `${name} between ${a} and ${b}`),
		fc.tuple(value, value).map(([a, b]) => `${name} in (${a}, ${b})`),
		fc.constantFrom("is null", "is not null").map((x) => `${name} ${x}`),
	);
});
export const lookups = fc
	.tuple(
		fc.array(lookup, { minLength: 1, maxLength: 3 }),
		fc.constantFrom(" and ", " or "),
		fc.constantFrom("id", ...columnsOfValues.map(([name]) => name)),
		fc.constantFrom("", " desc", " nulls first", " desc nulls last"),
		fc.option(fc.nat(3)),
	)
	.map(
		([conditions, sign, by, direction, limit]) =>
			`select id, ${by} as x from v where ${conditions.join(sign)} order by ${by}${direction}, id${limit === null ? "" : ` limit ${limit}`}`,
	);
