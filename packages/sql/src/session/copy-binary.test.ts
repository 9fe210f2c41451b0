/**
 * COPY in binary format. testdata/sql/copy-binary holds what PostgreSQL 15 sends for values of all types, and what it says to inputs, most
 * of them broken: a line each, of a name, the bytes, and the rows that it took or its SQLSTATE, message and context.
 */
import { readFileSync } from "node:fs";
import { DatabaseError } from "@quorate/keys/database-error";
import test from "ava";
import fc from "fast-check";
import { type TestClient, testServer } from "../testing/test-client.ts";

const read = (name: string): string =>
	readFileSync(new URL(`../../../../testdata/sql/copy-binary/${name}`, import.meta.url), "utf8");
const fuzzRuns = 400;

const copied = (client: TestClient): Buffer => Buffer.concat(client.sink.chunks);

/** What `\d` would show of the columns of values.sql. */
const columns =
	'a int2, b int4, c int8, d numeric, e numeric, f numeric, g float4, h float8, i bool, j text, k varchar(5), l char(3), m bytea, n uuid, o json, p jsonb, q date, r date, s time, t timestamp, u timestamptz, v timestamptz, w interval, x int[], y text[], z int8[], aa oid, ab name, ac "char"';

test("values of all types are what PostgreSQL 15 sends, and are read again", async (t) => {
	const client = await testServer().connect();
	await client.query(read("values.sql"));
	const bytes = copied(client);
	t.is(bytes.toString("hex"), read("values.hex").replaceAll("\n", ""));
	await client.query(`create table v (${columns})`);
	await client.query("copy v from stdin (format binary)", [bytes]);
	await client.query("copy v to stdout binary");
	t.deepEqual(copied(client), bytes);
	await client.query("copy binary v (j, b) to stdout");
	t.is(copied(client).readInt16BE(19), 2);
});

const inputs = read("inputs.txt").trimEnd().split("\n");

test(`${inputs.length} inputs, taken and refused as PostgreSQL 15 does it`, async (t) => {
	const client = await testServer().connect();
	await client.query("create table t (id int primary key check (id > 0), v varchar(5))");
	for (const line of inputs) {
		const [name, hex, ...answer] = JSON.parse(line) as [string, string, ...(string | number)[]];
		for (const size of [1, 1000]) {
			const bytes = Buffer.from(hex, "hex");
			const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
				bytes.subarray(i * size, (i + 1) * size),
			);
			const before = await client.rows("select * from t");
			let got: (string | number)[];
			try {
				const [result] = await client.query("copy t from stdin (format binary)", pieces);
				got = [Number(result!.tag!.slice("COPY ".length))];
			} catch (error) {
				const { code, message, fields } = error as DatabaseError;
				got = [code, message, fields.where ?? ""];
				t.deepEqual(await client.rows("select * from t"), before, name);
			}
			t.deepEqual(got, answer, name);
			if (answer.length === 1) await client.query("delete from t");
		}
	}
});

test("options of other formats are refused, as is what has no binary form", async (t) => {
	const client = await testServer().connect();
	const refused = async (statement: string): Promise<string> => {
		const error = await t.throwsAsync(client.query(statement), { instanceOf: DatabaseError });
		return `${(error as DatabaseError).code} ${error.message}`;
	};
	const to = (options: string): Promise<string> =>
		refused(`copy (select 1) to stdout (format binary, ${options})`);
	t.is(await to("header, delimiter ','"), "42601 cannot specify DELIMITER in BINARY mode");
	t.is(await to("null 'x'"), "42601 cannot specify NULL in BINARY mode");
	t.is(await to("header"), "0A000 cannot specify HEADER in BINARY mode");
	t.is(await to("quote 'x'"), "0A000 COPY quote available only in CSV mode");
	await client.query("create table t (i int); grant select on t to public");
	t.is(
		await refused("copy (select relacl from pg_class) to stdout binary"),
		"42883 no binary output function available for type aclitem",
	);
});

test(`${fuzzRuns} mutated and cut inputs are taken whole or not at all`, async (t) => {
	const client = await testServer().connect();
	await client.query(`create table v (${columns})`);
	const bytes = Buffer.from(read("values.hex").replaceAll("\n", ""), "hex");
	const change = fc.tuple(
		fc.nat(bytes.length - 1),
		fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255)),
	);
	await fc.assert(
		fc.asyncProperty(
			fc.array(change, { maxLength: 3 }),
			fc.option(fc.nat(bytes.length)),
			fc.integer({ min: 1, max: 700 }),
			async (changes, cut, size) => {
				const mutated = Buffer.from(bytes.subarray(0, cut ?? bytes.length));
				for (const [at, byte] of changes) if (at < mutated.length) mutated[at] = byte;
				const pieces: Uint8Array[] = [];
				for (let at = 0; at < mutated.length; at += size)
					pieces.push(mutated.subarray(at, at + size));
				let taken = 0;
				try {
					const [result] = await client.query("copy v from stdin binary", pieces);
					taken = Number(result!.tag!.slice("COPY ".length));
				} catch (error) {
					if (!(error instanceof DatabaseError)) throw error;
				}
				const [[count] = []] = await client.rows("select count(*) from v");
				t.is(count, String(taken));
				await client.query("delete from v");
			},
		),
		{ numRuns: fuzzRuns, seed: 11 },
	);
});
