/** Changes of rows, rolled back again, with what the tables and their indexes show in between. */
import * as fc from "fast-check";
import { expressions } from "./expressions.ts";

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
const ofCursor: readonly string[] = [
	"fetch c",
	"fetch 2 from c",
	"move c",
	"update p set a = 7 where current of c returning *",
	"update p set id = id + 30 where current of c returning *",
	"delete from p where current of c returning id",
	"savepoint x",
];
const ofRows: readonly string[] = [
	"update p set id = id + 10",
	"update p set s = s || '!' where a = 1",
	"delete from p where id = 2",
	"insert into p values (2, 2, 2, 'new') on conflict (id) do update set s = 'met'",
];
/** One that locks rows passes by what its transaction has changed since, in PostgreSQL: here only the cursor's own row changes. */
export const currents = fc
	.oneof(
		fc.tuple(
			fc
				.tuple(
					// None that fails: PostgreSQL looks at rows with FETCH, Quorate at the first ones with DECLARE.
					fc.constantFrom("true", "a = 2", "s <> 'x' or b = 3", "b is null and id < 9"),
					fc.constantFrom("update", "no key update", "share"),
				)
				.map(([where, lock]) => `where ${where} order by id for ${lock}`),
			fc.array(fc.constantFrom(...ofCursor), { minLength: 2, maxLength: 8 }),
		),
		fc.tuple(
			fc.constant(""),
			fc.array(fc.constantFrom(...ofCursor, ...ofRows), { minLength: 2, maxLength: 8 }),
		),
	)
	.chain(([query, steps]) =>
		fc.boolean().map((isBack) => {
			const back = isBack && steps.includes("savepoint x") ? "rollback to x; " : "";
			return `begin; declare c cursor for select id from p ${query}; ${steps.join("; ")}; ${back}update p set b = 9 where current of c returning *; select * from p order by id`;
		}),
	);
export const changes = fc
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
