/** Changes of tables with foreign keys, rolled back again, with what is left in between, deferred constraints looked at. */
import * as fc from "fast-check";

const key = fc.constantFrom("1", "2", "3", "4", "9", "null");
const unique = fc.constantFrom("10", "20", "30", "90", "null");
const condition = fc.oneof(
	fc.constantFrom("id = 1", "id = 2", "id < 3", "id > 2", "true"),
	key.map((id) => `id in (${id}, 3)`),
);

const change = fc.oneof(
	condition.map((where) => `delete from m where ${where}`),
	condition.map((where) => `delete from n where ${where}`),
	fc
		.tuple(fc.constantFrom("id = id + 10", "u = u + 1", "u = null", "id = -id, u = -u"), condition)
		.map(([set, where]) => `update m set ${set} where ${where}`),
	fc
		.tuple(fc.constantFrom("cascades", "own", "late"), key, condition)
		.map(([column, value, where]) => `update n set ${column} = ${value} where ${where}`),
	key.map((value) => `update o set plain = ${value}`),
	fc.tuple(unique, condition).map(([u, where]) => `update n set nulls = ${u} where ${where}`),
	fc
		.tuple(fc.integer({ min: 5, max: 8 }), key, unique, key, key)
		.map(([id, ...values]) => `insert into n values (${id}, ${values.join(", ")})`),
	fc
		.tuple(fc.integer({ min: 5, max: 9 }), unique)
		.map(([id, u]) => `insert into m values (${id}, ${u})`),
);

export const references = fc
	.array(change, { minLength: 1, maxLength: 3 })
	.map(
		(all) =>
			`begin; ${all.join("; ")}; select * from m order by id; select * from n order by id; set constraints all immediate`,
	);
