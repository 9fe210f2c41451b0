import test from "ava";
import fc from "fast-check";
import { testServer } from "../testing/test-client.ts";

const field = fc.option(
	fc.string({
		unit: fc.constantFrom(
			"a",
			"B",
			"é",
			"😀",
			"\\",
			"\t",
			"\n",
			"\r",
			",",
			'"',
			"'",
			" ",
			"N",
			".",
		),
	}),
	{ freq: 5 },
);

for (const format of ["text", "csv", "binary"] as const) {
	test(`what COPY ${format} writes, it reads, in whatever pieces it arrives`, async (t) => {
		const client = await testServer().connect();
		await client.query(
			"create table t (i int, a text, b text); create table u (i int, a text, b text)",
		);
		await fc.assert(
			fc.asyncProperty(
				fc.array(fc.tuple(field, field), { maxLength: 6 }),
				fc.array(fc.nat(20), { minLength: 1, maxLength: 8 }),
				async (rows, cuts) => {
					await client.query("delete from t; delete from u");
					for (const [i, [a, b]] of rows.entries()) {
						await client.execute("insert into t values ($1, $2, $3)", [String(i), a, b]);
					}
					await client.query(`copy t to stdout (format ${format})`);
					const bytes = Buffer.concat(client.sink.chunks);
					const pieces: Uint8Array[] = [];
					for (let at = 0, n = 0; at < bytes.length; n++) {
						const end = at + 1 + cuts[n % cuts.length]!;
						pieces.push(bytes.subarray(at, end));
						at = end;
					}
					await client.query(`copy u from stdin (format ${format})`, pieces);
					const written = await client.rows("select * from t order by i");
					t.deepEqual(await client.rows("select * from u order by i"), written);
				},
			),
			{ numRuns: 60, seed: 7 },
		);
	});
}

test("a COPY that fails leaves nothing, and one that repeats a key is told at its end", async (t) => {
	const client = await testServer().connect();
	await client.query("create table t (id int primary key, v text)");
	await t.throwsAsync(client.query("copy t from stdin", ["1\ta\n2\tb\nx\tc\n"]), {
		message: 'invalid input syntax for type integer: "x"',
	});
	await t.throwsAsync(client.query("copy t from stdin", ["1\ta\n1\tb\n"]), {
		message: /^duplicate key/,
	});
	t.deepEqual(await client.rows("select * from t"), []);
	await client.query("copy t from stdin", ["1\ta\n"]);
	const error = await t.throwsAsync(client.query("copy t (v, id) from stdin csv", ["b,2\nc,1\n"]));
	t.is((error as { code?: string }).code, "23505");
	await client.query("copy t from stdin", ["\\N\tx\n".replace("\\N", "5"), "\\.\n", "ignored"]);
	t.deepEqual(await client.rows("select * from t order by id"), [
		["1", "a"],
		["5", "x"],
	]);
});
