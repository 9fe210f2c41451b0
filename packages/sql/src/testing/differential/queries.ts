/** Queries over rows that meet: joins, subqueries, windows, groupings, set operations, WITH. */
import * as fc from "fast-check";
import { expressions } from "./expressions.ts";
import { columnsOfValues, joined, left } from "./tables.ts";

export const selfJoins = fc
	.tuple(
		fc.constantFrom(...columnsOfValues),
		fc.constantFrom("=", "<", ">="),
		fc.constantFrom("join", "left join"),
	)
	.map(
		([[name], sign, kind]) =>
			`select l.id, r.id from v l ${kind} v r on l.${name} ${sign} r.${name}`,
	);

export const joins = fc
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
export const subqueries = fc
	.tuple(
		fc.constantFrom("exists", "not exists", "a in", "a not in", "a = any", "b > all", "b <"),
		expressions(joined, 1)("bool"),
		expressions(left, 1)("bool"),
	)
	.map(([how, inner, outer]) => {
		const list = how.startsWith("b <") ? "max(q.c)" : "q.c";
		return `select id from p where ${how} (select ${list} from q where ${inner}) and (${outer}) is not false`;
	});
export const slices = fc
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
export const windows = fc
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
export const sets = fc
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
export const grouped = fc
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
export const withs = fc
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

export const distinct = fc
	.tuple(fc.constantFrom("a", "b", "s", "a, b", "coalesce(s, 'n')"), expressions(left, 1)("bool"))
	.map(([list, where]) => `select distinct ${list} from p where ${where}`);

export const traversals = fc
	.tuple(
		fc.constantFrom("union", "union all"),
		fc.constantFrom(
			"search depth first by a set o",
			"search breadth first by s, a set o",
			"search depth first by n, s set o cycle a set y using w",
			"cycle a set y using w",
			"cycle a, s set y to 'yes' default 'no' using w",
			"search breadth first by a set o cycle s set y to 1 default 0 using w",
		),
		fc.constantFrom("q.a = t.a + 1", "q.c = t.a", "q.id = t.a or q.s = t.s", "q.a >= t.a"),
		expressions({ int4: ["id", "a", "b"], text: ["s"] }, 1)("bool"),
	)
	.map(([sign, clause, on, where]) => {
		const list = ["o", "y", "w"].filter((name) =>
			new RegExp(`(set|using) ${name}\\b`).test(clause),
		);
		return `with recursive t(n, a, s) as (select 1, a, s from p where ${where} ${sign} select t.n + 1, q.a, q.s from q join t on ${on} where n < 4) ${clause} select n, a, s, ${list.map((name) => (name === "y" ? name : `${name}::text`)).join(", ")} from t`;
	});
export const variadics = fc
	.tuple(
		fc.constantFrom(
			"concat(variadic {})",
			"concat_ws('-', variadic {})",
			"concat_ws(s, variadic {})",
			"format('%s|%2$L', variadic {})",
			"num_nulls(variadic {})",
			"json_build_array(variadic {})",
			"jsonb_build_object(variadic {})",
		),
		fc.constantFrom(
			"array[a, b]",
			"array[s, 'x', null]",
			"array[s, a::text]",
			"(select array_agg(c) from q where q.a = p.a)",
			"string_to_array(s, 'y')",
			"array[[a, b], [b, a]]",
			"'{}'::date[]",
		),
	)
	.map(([call, array]) => `select id, ${call.replace("{}", array)} as x from p`);
