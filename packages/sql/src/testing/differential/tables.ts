/** The tables that generated statements are about: one of the edges of types, two of few values, so that rows meet. */
import { compositeTables } from "./composites.ts";
import type { Columns } from "./expressions.ts";
import { edges } from "./expressions.ts";

export const columnsOfValues: readonly (readonly [string, string])[] = [
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

export const setUp: readonly string[] = [
	// Theirs are always here.
	'create extension if not exists "uuid-ossp"',
	"create extension if not exists pgcrypto",
	`create table v (id int primary key, ${columnsOfValues.map((c) => c.join(" ")).join(", ")})`,
	`insert into v values ${Array.from({ length: rowCount }, (_, i) => valueRow(i + 1)).join(", ")}`,
	...columnsOfValues.map(([name]) => `create index on v (${name})`),
	"create index on v (n desc, t)",
	"create index on v (i4, f8 desc, d)",
	"create index on v (t nulls first, i4 desc nulls last) where b",
	"create index on v (i8) where i4 > 0 and n is not null",
	"create index on v (ts desc nulls last) where d > '2000-01-01' or i2 in (0, 1)",
	"create index on v (upper(t), (i4 is null)) where not b or iv is null",
	"create table p (id int primary key, a int, b int, s text)",
	// Before there are rows: what PostgreSQL knows of their number decides which of several matches an UPDATE takes.
	"create index p_b on p (b nulls first) where a is not null",
	"create index p_s on p ((a + b), lower(s)) where s <> 'x' and a >= 1",
	"insert into p values (1, 1, null, 'x'), (2, 1, 2, 'y'), (3, 2, 2, null), (4, null, 3, 'x'), (5, 3, 1, ''), (6, 2, null, 'z')",
	"create index p_a on p (a, b)",
	"create table q (id int primary key, a int, c int, s text)",
	"create unique index q_two on q ((a + c)) where s = 'x' or c > 1",
	"create index q_a on q (a desc nulls last, (c is null)) where c <= 2",
	"insert into q values (1, 1, 1, 'x'), (2, 2, null, 'x'), (3, null, 2, 'y'), (4, 2, 2, null), (5, 4, 0, 'z')",
	"create unique index q_c on q (c)",
	"create table m (id int primary key, u int unique)",
	"insert into m values (1, 10), (2, 20), (3, 30), (4, null)",
	"create table n (id int primary key, cascades int references m on delete cascade on update cascade, nulls int references m (u) on delete set null on update set null, own int references n on delete cascade, late int references m deferrable initially deferred)",
	"create index on n (cascades)",
	"insert into n values (1, 1, 10, null, 1), (2, 1, 20, 1, null), (3, 2, null, 2, 2), (4, null, null, 4, null)",
	// One row: which of several is named in an error depends on the order in which they are found.
	"create table o (id int primary key, plain int references m)",
	"insert into o values (1, 3)",
	...compositeTables,
];

export const valueColumns: Columns = columnsOf("", columnsOfValues);
export const joined: Columns = {
	int4: ["p.id", "p.a", "p.b", "q.id", "q.a", "q.c"],
	text: ["p.s", "q.s"],
};
export const left: Columns = { int4: ["p.id", "p.a", "p.b"], text: ["p.s"] };

function columnsOf(prefix: string, list: readonly (readonly [string, string])[]): Columns {
	const columns: Record<string, string[]> = { int4: [`${prefix}id`] };
	for (const [name, type] of list) columns[type] = [...(columns[type] ?? []), prefix + name];
	return columns;
}
