/** Statements that are meant to do harm: each is answered, with a value or with an error that PostgreSQL has, and nothing else suffers. */
import { DatabaseError } from "@quorate/keys/database-error";
import test from "ava";
import { type TestClient, testServer } from "../testing/test-client.ts";

async function codeOf(client: TestClient, statement: string): Promise<string> {
	try {
		await client.query(statement);
		return "00000";
	} catch (error) {
		if (error instanceof DatabaseError) return error.code;
		throw error;
	}
}

/** What every object of JavaScript inherits. */
const inherited = ["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf"];

/** With the code for a name that there is not. */
const unknownNames: readonly (readonly [code: string, statement: (name: string) => string])[] = [
	["42P01", (name) => `select * from "${name}"`],
	["42703", (name) => `select a."${name}" from pg_am a`],
	["42703", (name) => `select "${name}" from pg_am`],
	["42883", (name) => `select "${name}"(1)`],
	["42704", (name) => `select 1::"${name}"`],
	["42704", (name) => `create table u (a "${name}")`],
	["26000", (name) => `execute "${name}"`],
	["26000", (name) => `deallocate "${name}"`],
	["34000", (name) => `fetch "${name}"`],
	["42704", (name) => `show "${name}"`],
	["42704", (name) => `set "${name}" = 1`],
	["22023", (name) => `set timezone = '${name}'`],
	["22023", (name) => `set datestyle = '${name}'`],
	["22023", (name) => `set enable_sort = '${name}'`],
	["22023", (name) => `set statement_timeout = '1${name}'`],
	["42704", (name) => `drop role "${name}"`],
	["3F000", (name) => `drop schema "${name}"`],
	["42704", (name) => `drop type "${name}"`],
	["3D000", (name) => `backup database "${name}" to '/nowhere'`],
	["42601", (name) => `copy (select 1) to stdout ("${name}" 1)`],
	["22007", (name) => `select '1 ${name}'::interval`],
	["22007", (name) => `select '2020-01-01 00:00 ${name}'::timestamptz`],
	["22023", (name) => `select extract("${name}" from now())`],
	["22023", (name) => `select now() at time zone '${name}'`],
	["22023", (name) => `select encode('x', '${name}')`],
];

for (const name of inherited) {
	test(`${name} is a name like others`, async (t) => {
		const server = testServer();
		const client = await server.connect();
		const got: Record<string, string> = {};
		const wanted: Record<string, string> = {};
		for (const [code, statement] of unknownNames) {
			wanted[statement(name)] = code;
			got[statement(name)] = await codeOf(client, statement(name));
		}
		t.deepEqual(got, wanted);
		await client.query(
			`create schema "${name}"; create table "${name}"."${name}" ("${name}" int primary key, v text default 'x'); create type "${name}" as enum ('${name}')`,
		);
		await client.query(`insert into "${name}"."${name}" values (1)`);
		await client.query(`update "${name}"."${name}" set "${name}" = 2, v = '${name}'::"${name}"`);
		t.deepEqual(await client.rows(`select * from "${name}"."${name}" as "${name}"`), [["2", name]]);
		await client.query(`prepare "${name}" as select '{"${name}": 1}'::jsonb || '{"a": 2}'`);
		t.deepEqual((await client.rows(`execute "${name}"`))[0]?.length, 1);
		t.deepEqual(
			await client.rows(`select '{"${name}": 1}'::jsonb -> '${name}', '{}'::jsonb -> '${name}'`),
			[["1", null]],
		);
		await client.query(
			`begin; savepoint "${name}"; declare "${name}" cursor for select 1; rollback to "${name}"; release "${name}"; commit`,
		);
		await client.query(
			`create role "${name}"; grant select on "${name}"."${name}" to "${name}"; create sequence "${name}"."s${name}"; create index "i${name}" on "${name}"."${name}" (v)`,
		);
		await client.query(`set "${name}"."${name}" = 'x'; listen "${name}"; notify "${name}"`);
		t.deepEqual(
			await client.rows(
				`with "${name}" ("${name}") as (select 1) select "${name}", sum(1) over "${name}" from "${name}" window "${name}" as ()`,
			),
			[["1", "1"]],
		);
		t.is(({} as Record<string, unknown>)["v"], undefined);
		await server.close();
	});
}

const patterns = [
	"(a+)+$",
	"(a|a)*$",
	"(a|aa)+b",
	"(.*)*x",
	"^(([a-z])+.)+[A-Z]([a-z])+$",
	"(a*)*b",
];

test("patterns that explode elsewhere end", async (t) => {
	const client = await testServer().connect();
	for (const pattern of patterns) {
		t.is(await codeOf(client, `select repeat('a', 20000) ~ '${pattern}'`), "00000", pattern);
	}
	t.is(await codeOf(client, `select repeat('a', 20000) like '${"%a".repeat(500)}b'`), "00000");
	t.is(await codeOf(client, "select repeat('a', 20000) similar to '(a|aa)+b'"), "00000");
	t.is(await codeOf(client, "select 'a' ~ '(a{0,500}){0,500}'"), "2201B");
});

const nestings: readonly (readonly [before: string, inside: string, behind: string])[] = [
	["(", "1", ")"],
	["not ", "true", ""],
	["- ", "1", ""],
	["array[", "1", "]"],
	["(select ", "1", ")"],
	["case when true then ", "1", " end"],
	["abs(", "1", ")"],
	["1 + ", "1", ""],
	["true and ", "true", ""],
];

test("statements that are nested deep or very long are refused", async (t) => {
	const client = await testServer().connect();
	for (const [before, inside, behind] of nestings) {
		const text = `select ${before.repeat(50_000)}${inside}${behind.repeat(50_000)}`;
		t.is(await codeOf(client, text), "54001", before);
	}
	t.is(await codeOf(client, `select 1${" union all select 1".repeat(20_000)}`), "54001");
	t.is(await codeOf(client, `select '${"{".repeat(100_000)}'::int[]`), "54000");
});

test("values that would be huge are refused before they are made", async (t) => {
	const client = await testServer().connect();
	const refused: readonly (readonly [string, string])[] = [
		["22003", "select 10::numeric ^ 200000"],
		["22003", "select '1e200000'::numeric"],
		["22003", "select 1e131071 * 1e131071"],
		["22003", "select power(2::numeric, 1e9)"],
		["22003", "select exp(1e6::numeric)"],
		["22003", "select factorial(100000)"],
		["54000", "select repeat('x', 2000000000)"],
		["54000", "select lpad('x', 2000000000)"],
		["54000", "select array_fill(1, array[100000, 100000])"],
		["53200", "select string_agg(repeat('x', 1000000), '') from generate_series(1, 100000)"],
	];
	for (const [code, statement] of refused) t.is(await codeOf(client, statement), code, statement);
});
