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
/** Enough for every edge. */
const rowCount = 11;

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
	...columnsOfValues.map(([name]) => `create index on v (${name})`),
	"create index on v (n desc, t)",
	"create index on v (i4, f8 desc, d)",
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
const lookups = fc
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
const selfJoins = fc
	.tuple(
		fc.constantFrom(...columnsOfValues),
		fc.constantFrom("=", "<", ">="),
		fc.constantFrom("join", "left join"),
	)
	.map(
		([[name], sign, kind]) =>
			`select l.id, r.id from v l ${kind} v r on l.${name} ${sign} r.${name}`,
	);

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

const ownCondition = expressions({ int4: ["id", "a", "b"], text: ["s"] }, 1)("bool");
const newRow = fc
	.tuple(
		fc.integer({ min: 1, max: 9 }),
		fc.constantFrom("1", "2", "null"),
		fc.constantFrom("1", "null", "7"),
		fc.constantFrom("'x'", "'n'", "null"),
	)
	.map((fields) => `(${fields.join(", ")})`);
const newRows = fc.array(newRow, { minLength: 1, maxLength: 3 }).map((rows) => rows.join(", "));
const changes = fc
	.oneof(
		fc
			.tuple(
				fc.constantFrom(
					"a = b, b = a",
					"a = a + 1",
					"id = id + 10",
					"id = -id, s = s || 'u'",
					"b = (select max(c) from q where q.a = p.a)",
					"(a, s) = (select c, s from q where q.id = p.id)",
					"a = default, s = default",
				),
				ownCondition,
			)
			.map(([set, where]) => `update p set ${set} where ${where} returning *`),
		fc
			.tuple(ownCondition, fc.constantFrom("q.a = p.a", "q.c = p.id", "q.s = p.s and q.id = 1"))
			.map(([where, on]) =>
				`update p set b = q.c from q where ${on} and (${where.replace(/\b(id|a|b|s)\b(?!')/g, "p.$1")}) returning p.id, q.id`.replace(
					/ returning.*/,
					"",
				),
			),
		ownCondition.map((where) => `delete from p where ${where} returning id, a`),
		fc
			.constantFrom("q.a = p.a", "q.c = p.id", "p.s = q.s")
			.map((on) => `delete from p using q where ${on}`),
		newRows.map((rows) => `insert into p values ${rows} returning *`),
		fc
			.tuple(
				newRows,
				fc.constantFrom(
					"do nothing",
					"(id) do nothing",
					"(id) do update set a = excluded.a, b = p.b + 1",
					"(id) do update set s = excluded.s where p.a = 1",
					"(id) do update set id = p.id + 20",
				),
			)
			.map(([rows, action]) => `insert into p values ${rows} on conflict ${action} returning *`),
		fc
			.tuple(
				fc.integer({ min: 6, max: 9 }),
				fc.constantFrom("0", "1", "2", "5", "null"),
				fc.constantFrom("do nothing", "(c) do update set a = q.a * 10, s = excluded.s"),
			)
			.map(
				([id, c, action]) =>
					`insert into q values (${id}, 9, ${c}, 'n') on conflict ${action} returning *`,
			),
		ownCondition.map(
			(where) =>
				`with gone as (delete from p where ${where} returning *) insert into q select id + 100, a, id + 50, s from gone returning *`,
		),
	)
	.map(
		(change) =>
			`begin; ${change}; select * from p order by id; select id from p where a = 2 or b = 2 order by id; select * from q order by id; select c from q where c >= 0 order by c`,
	);

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
	if (statement.text.includes(";")) return statement;
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
		changes,
		lookups,
		selfJoins,
	].map((text) => ({
		arbitrary: of(text, false),
		weight: 1,
	})),
);

export const statements: fc.Arbitrary<Statement> = fc.oneof(
	{ arbitrary: simple, weight: 3 },
	{ arbitrary: simple.map(prepared), weight: 1 },
);
