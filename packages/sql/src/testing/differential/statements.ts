/** Tables with the edges of types in them, and statements about them. */
import * as fc from "fast-check";
import { type Columns, edges, expressions, typeNames } from "./expressions.ts";

const columnsOfValues: readonly (readonly [string, string])[] = [
	["b", "bool"],
	["i2", "int2"],
	["i4", "int4"],
	["i8", "int8"],
	["f8", "float8"],
	["n", "numeric"],
	["t", "text"],
	["by", "bytea"],
	["d", "date"],
	["ts", "timestamp"],
	["tz", "timestamptz"],
	["iv", "interval"],
];
const rowCount = 5;

function valueRow(row: number): string {
	const values = columnsOfValues.map(([, type], i) => {
		const all = edges[type]!;
		return (row + i) % rowCount === 0
			? "null"
			: `'${all[(row + i) % all.length]!.replaceAll("'", "''")}'`;
	});
	return `(${[row, ...values].join(", ")})`;
}

/** Two tables of few values, so that rows meet, and one of edges. */
export const setUp: readonly string[] = [
	`create table v (id int primary key, ${columnsOfValues.map((c) => c.join(" ")).join(", ")})`,
	`insert into v values ${Array.from({ length: rowCount }, (_, i) => valueRow(i + 1)).join(", ")}`,
	"create table p (id int primary key, a int, b int, s text)",
	"insert into p values (1, 1, null, 'x'), (2, 1, 2, 'y'), (3, 2, 2, null), (4, null, 3, 'x'), (5, 3, 1, ''), (6, 2, null, 'z')",
	"create index p_a on p (a, b)",
	"create table q (id int primary key, a int, c int, s text)",
	"insert into q values (1, 1, 1, 'x'), (2, 2, null, 'x'), (3, null, 2, 'y'), (4, 2, 2, null), (5, 4, 0, 'z')",
	"create unique index q_c on q (c)",
];

const valueColumns: Columns = columnsOf("", columnsOfValues);
const joined: Columns = {
	int4: ["p.id", "p.a", "p.b", "q.id", "q.a", "q.c"],
	text: ["p.s", "q.s"],
};
const left: Columns = { int4: ["p.id", "p.a", "p.b"], text: ["p.s"] };

function columnsOf(prefix: string, list: readonly (readonly [string, string])[]): Columns {
	const columns: Record<string, string[]> = { int4: [`${prefix}id`] };
	for (const [name, type] of list) columns[type] = [...(columns[type] ?? []), prefix + name];
	return columns;
}

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
const values = anyOf({}, 2).map((x) => `select ${x} as x`);

/** Pieces of what people write for values; two of them beside each other are rarely right. */
const pieces =
	'0 1 -1 +5 007 1e3 1e400 -1.50 .5 5. 1_000 0x1F NaN inf -Infinity t yes off TRUE ON 2020-02-29 2020-2-9 20200229 02/29/2020 2021-02-29 Feb-29-2020 2020.060 J2459000 99999-01-01 0044-03-15 BC AD 12:34 12:34:56.789 24:00 24:00:01 23:59:60 04:05PM 13:00AM T04:05:06 Z +02 -03:30 UTC Europe/Berlin EST epoch infinity allballs today? day 3days 1year -2mons 1.5 weeks ago @ P1Y2M3DT4H5M6S PT36H P-1Y P0001-02-03 1-2 4:5:6 century {} {1,2} {a,b} {1,NULL} {{1},{2}} {{1},{2,3}} {"x\\"y"} [0:1]={1,2} {1, } \\x00ff \\xf \\000 a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11 {a0eebc999c0b4ef8bb6d6bb9bd380a11} a0ee-bc99 abc'.split(
		" ",
	);
const written = fc
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

const projections = anyOf(valueColumns, 2).map((x) => `select id, ${x} as x from v order by id`);
const filters = expressions(
	valueColumns,
	2,
)("bool").map((x) => `select id from v where ${x} order by id`);
const groups = fc
	.tuple(
		fc.constantFrom("b", "i4 % 2", "t", "d", "id % 2", "iv"),
		aggregate(valueColumns),
		fc.option(aggregate(valueColumns)),
	)
	.map(
		([by, x, having]) =>
			`select ${by} as g, ${x} as x from v group by ${by}${having === null ? "" : ` having ${having} is not null`}`,
	);
const whole = aggregate(valueColumns).map((x) => `select ${x} as x from v`);

const joins = fc
	.tuple(
		fc.constantFrom("join", "left join", "right join", "full join", "cross join"),
		fc.oneof(
			fc.constantFrom("p.a = q.a", "p.id = q.id", "p.a = q.c and p.s = q.s"),
			expressions(joined, 1)("bool"),
		),
		fc.option(expressions(joined, 1)("bool")),
	)
	.map(([kind, on, where]) => {
		const condition = kind === "cross join" ? "" : ` on ${kind === "full join" ? "p.a = q.a" : on}`;
		return `select p.id, q.id, p.s, q.c from p ${kind} q${condition}${where === null ? "" : ` where ${where}`}`;
	});
const subqueries = fc
	.tuple(
		fc.constantFrom("exists", "not exists", "a in", "a not in", "a = any", "b > all", "b <"),
		expressions(joined, 1)("bool"),
		expressions(left, 1)("bool"),
	)
	.map(([how, inner, outer]) => {
		const list = how.startsWith("b <") ? "max(q.c)" : "q.c";
		return `select id from p where ${how} (select ${list} from q where ${inner}) and (${outer}) is not false`;
	});
const slices = fc
	.tuple(
		fc.constantFrom("a", "b desc", "s", "a nulls first", "s desc nulls last", "a + b", "-b"),
		fc.nat(7),
		fc.nat(4),
		expressions(left, 1)("bool"),
	)
	.map(
		([by, limit, offset, where]) =>
			`select a, b, s from p where ${where} order by ${by}, id limit ${limit} offset ${offset}`,
	);
const bounds = [
	"unbounded preceding",
	"2 preceding",
	"1 preceding",
	"current row",
	"1 following",
	"2 following",
	"unbounded following",
];
const frames = fc
	.tuple(
		fc.constantFrom("rows", "groups", "range"),
		fc.constantFrom(...bounds),
		fc.constantFrom(...bounds),
		fc.constantFrom(
			"",
			" exclude current row",
			" exclude group",
			" exclude ties",
			" exclude no others",
		),
	)
	.map(([unit, from, to, exclude]) => ` ${unit} between ${from} and ${to}${exclude}`);
const windows = fc
	.tuple(
		fc.constantFrom(
			"sum(b)",
			"count(*)",
			"count(b)",
			"min(s)",
			"max(a)",
			"avg(b)",
			"row_number()",
			"rank()",
			"dense_rank()",
			"percent_rank()",
			"cume_dist()",
			"ntile(3)",
			"lag(b)",
			"lead(s, 2, 'none')",
			"lag(a, -1)",
			"first_value(b)",
			"last_value(s)",
			"nth_value(b, 2)",
			"array_agg(b)",
			"string_agg(s, '-')",
		),
		fc.option(fc.constantFrom("", " filter (where b > 1)")),
		fc.constantFrom("", "partition by a ", "partition by s, a "),
		fc.constantFrom(
			"order by id",
			"order by b, id",
			"order by a desc",
			"order by b nulls first",
			"",
		),
		fc.option(frames),
	)
	.map(([call, filter, partition, order, frame]) => {
		const isAggregate = /^(sum|count|min|max|avg|array_agg|string_agg)/.test(call);
		// Peers are in no order: what tells them apart gets one.
		const by =
			isAggregate && !/_agg/.test(call)
				? order
				: order === ""
					? "order by id"
					: `${order}, id`.replace("id, id", "id");
		const isRange = frame?.startsWith(" range") && /\d/.test(frame);
		const framed = frame === null || (isRange && by.includes(",")) || by === "" ? "" : frame;
		return `select id, ${call}${isAggregate ? (filter ?? "") : ""} over (${partition}${by}${framed}) as x from p order by id`;
	});
const sets = fc
	.tuple(
		fc.array(
			fc.constantFrom(
				"select a, s from p",
				"select c, s from q",
				"select a, s from q",
				"select b, s from p where a > 1",
				"values (1, 'x'), (2, null), (2, null)",
			),
			{ minLength: 2, maxLength: 4 },
		),
		fc.array(
			fc.constantFrom("union", "union all", "intersect", "intersect all", "except", "except all"),
			{ minLength: 3, maxLength: 3 },
		),
		fc.constantFrom("", " order by 1, 2", " order by 2 desc, 1 limit 3"),
	)
	.map(
		([parts, signs, tail]) =>
			parts.map((x, i) => (i === 0 ? x : `${signs[i - 1]} ${x}`)).join(" ") + tail,
	);
const grouped = fc
	.tuple(
		fc.constantFrom(
			"rollup (a, s)",
			"cube (a, s)",
			"grouping sets ((a), (s), ())",
			"grouping sets ((a, s), a), b",
			"a, rollup (s, b)",
			"()",
		),
		fc.constantFrom(
			"count(*)",
			"sum(b)",
			"array_agg(id order by id)",
			"string_agg(s, ',' order by id)",
			"count(distinct s)",
			"bool_or(b > 1)",
			"sum(b) filter (where a = 2)",
			"percentile_disc(0.5) within group (order by id)",
			"mode() within group (order by b)",
		),
	)
	.map(
		([by, x]) =>
			`select ${by.includes("a") ? "a, grouping(a) as ga, " : ""}${x} as x from p group by ${by}`,
	);
const withs = fc
	.tuple(
		fc.constantFrom("materialized", "not materialized", ""),
		expressions(left, 1)("bool"),
		fc.constantFrom(
			"select count(*), sum(w.b) from w",
			"select w.id, p.s from w join p using (a) order by 1, 2",
			"select * from w full join q using (a)",
			"select * from w natural join q",
			"select w.id, l.m from w, lateral (select max(q.id) as m from q where q.a = w.a) l",
			"select w.id, l.id from w left join lateral (select * from q where q.a > w.a order by q.id limit 1) l on true",
		),
	)
	.map(([how, where, query]) => `with w as ${how} (select * from p where ${where}) ${query}`);

const distinct = fc
	.tuple(fc.constantFrom("a", "b", "s", "a, b", "coalesce(s, 'n')"), expressions(left, 1)("bool"))
	.map(([list, where]) => `select distinct ${list} from p where ${where}`);

export interface Statement {
	readonly text: string;
	/**
	 * False: only values are compared. Rows and conditions are looked at in whatever order, so that which of them fails first, or not at
	 * all, is nobody's promise; and of what is written for a date PostgreSQL skips nearly all punctuation.
	 */
	readonly errorsCount: boolean;
	/** Undefined: it goes through the simple protocol. */
	readonly parameters?: readonly string[];
}

/** Its literals as parameters. */
function prepared(statement: Statement): Statement {
	const parameters: string[] = [];
	const text = statement.text.replace(/'((?:[^']|'')*)'::(?=\w)/g, (_, value: string) => {
		parameters.push(value.replaceAll("''", "'"));
		return `$${parameters.length}::`;
	});
	return { ...statement, text, parameters };
}

const of = (text: fc.Arbitrary<string>, errorsCount: boolean): fc.Arbitrary<Statement> =>
	text.map((t) => ({ text: t, errorsCount }));

const simple: fc.Arbitrary<Statement> = fc.oneof(
	{ arbitrary: of(values, true), weight: 6 },
	{ arbitrary: of(written, false), weight: 4 },
	...[
		projections,
		filters,
		groups,
		whole,
		joins,
		subqueries,
		slices,
		distinct,
		windows,
		sets,
		grouped,
		withs,
	].map((text) => ({
		arbitrary: of(text, false),
		weight: 1,
	})),
);

export const statements: fc.Arbitrary<Statement> = fc.oneof(
	{ arbitrary: simple, weight: 3 },
	{ arbitrary: simple.map(prepared), weight: 1 },
);
