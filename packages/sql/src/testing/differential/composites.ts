/** Rows as values: composite types, whole rows of tables, their fields, order and keys. */
import * as fc from "fast-check";

export const compositeTables: readonly string[] = [
	"create type pair as (x int, t text)",
	"create type two as (p pair, n numeric, ps pair[])",
	"create table c (id int primary key, p pair, o two, ps pair[])",
	`insert into c values (1, '(1,x)', '("(1,x)",1.50,)', '{"(1,x)"}'), (2, '(1,)', '("(2,)",,"{""(1,a)"",NULL}")', '{}'),
		(3, '(,x)', null, null), (4, '(,)', '(,,)', '{NULL,"(2,y)"}'), (5, null, '(,7,)', '{"(1,x)","(,)"}'), (6, '(2,"a b")', '("(,)",1.5,"{}")', null),
		(7, '(-1,"""")', '("(1,x)",1.5,)', '{"(-1,\\"\\")"}')`,
	"create index on c (p)",
	"create index on c (o desc)",
	"create index on c (ps, p)",
];

const pair = fc.constantFrom(
	"p",
	"p",
	"(o).p",
	"ps[1]",
	"((o).ps)[1]",
	"row(1, 'x')::pair",
	"row(id - 2, (p).t)::pair",
	"'(1,x)'::pair",
	"'(,)'::pair",
	"null::pair",
	"coalesce(p, row(0, 'none')::pair)",
	"case when id > 3 then p end",
	"(select z.p from c z where z.id = c.id % 3 + 1)",
	"jsonb_populate_record(p, '{\"x\": 1}')",
);
const condition = fc.oneof(
	fc
		.tuple(pair, fc.constantFrom("=", "<>", "<", "<=", ">", ">="), pair)
		.map(([a, sign, b]) => `${a} ${sign} ${b}`),
	fc
		.tuple(pair, fc.constantFrom("is null", "is not null", "is distinct from p", "= any (ps)"))
		.map(([a, test]) => `${a} ${test}`),
	fc.tuple(pair, fc.constantFrom(".x > 0", ".t = 'x'", ".x is null")).map(([a, x]) => `(${a})${x}`),
	fc.tuple(pair, pair, pair).map(([a, b, d]) => `${a} in (${b}, ${d})`),
	fc.constantFrom("o = o", "o is not null", "(o).n < 2", "c = c", "ps < array[row(1, 'y')::pair]"),
);
const value = fc.oneof(
	pair,
	pair.map((a) => `(${a}).x`),
	pair.map((a) => `(${a}).t || '!'`),
	pair.map((a) => `(${a}).*`),
	pair.map((a) => `row_to_json(${a})`),
	pair.map((a) => `${a}::text`),
	fc.tuple(pair, pair).map(([a, b]) => `array[${a}, ${b}]`),
	fc.tuple(pair, pair).map(([a, b]) => `row(${a}, ${b}::text)`),
	fc.constantFrom("c", "to_jsonb(c)", "(c).o", "o", "to_json(ps)", "(o).ps", "c::text"),
);
const change = fc.constantFrom(
	"p.x = 9",
	"p.x = (p).x + 1, p.t = upper((p).t)",
	"p = row(id, 'new')",
	"o.p.t = 'in', o.n = 0.50",
	"ps[2].x = 4",
	"o.ps[1] = p",
	"p = (o).p, o = null",
);

export const composites = fc.oneof(
	fc
		.tuple(value, condition)
		.map(([x, where]) => `select id, ${x} from c where ${where} order by id`),
	fc
		.tuple(pair, fc.constantFrom("", " desc", " nulls first", " desc nulls last"))
		.map(([x, how]) => `select id from c order by ${x}${how}, id`),
	fc
		.tuple(fc.constantFrom("o", "ps", "p", "ps, p"), fc.constantFrom("", " desc"))
		.map(([by, how]) => `select id from c order by ${by.replace(",", `${how},`)}${how}, id`),
	fc
		.tuple(pair, condition)
		.map(([x, where]) => `select ${x}, count(*) from c where ${where} group by 1`),
	pair.map((x) => `select distinct ${x} from c`),
	fc
		.tuple(fc.constantFrom("join", "left join", "full join"), fc.constantFrom("p", "o", "ps"))
		.map(([kind, by]) => `select l.id, r.id, r is null from c l ${kind} c r on l.${by} = r.${by}`),
	fc
		.constantFrom("r", "row_to_json(r)", "r is null", "(r).s", "r is not null", "to_jsonb(r)")
		.map((x) => `select c.id, ${x} from c left join p r on r.a = c.id order by c.id, r.id`),
	fc
		.tuple(change, condition)
		.map(
			([set, where]) =>
				`begin; update c set ${set} where ${where}; select * from c order by id; select id from c where p >= row(1, 'x')::pair order by p, id; select id from c where o = row(row(1, 'x'), 1.5, null)::two order by id`,
		),
);
