import { MemoryDisk } from "@quorate/runtime/memory-disk";
import test from "ava";
import fc from "fast-check";
import { columnCodec, Reader, Writer } from "../execute/column-codec.ts";
import { bigTable, cell, many } from "../testing/schema-changes.ts";
import { testServer } from "../testing/test-client.ts";
import type { RowField, RowValue } from "../types/datum.ts";
import { compositeOid } from "../types/made-oids.ts";
import { OID } from "../types/oids.ts";
import { type TypeContext, typeByOid } from "../types/registry.ts";
import { rowOf } from "../types/row-types.ts";

test("a restore brings composite types along, whatever numbers they get", async (t) => {
	const disk = new MemoryDisk();
	const client = await testServer({ files: disk }).connect();
	await client.query(
		`create type mood as enum ('sad', 'ok'); create domain few as int check (value < 9);
		create type inner_one as (m mood, n numeric);
		create type outer_one as (i inner_one, list inner_one[], f few, fs few[]);
		create table t (o outer_one primary key, ms mood[], os outer_one[] default '{}');
		insert into t values (row(row('ok', 1.50), array[row('sad', null)::inner_one], 3, '{4}'), '{ok}'),
			(row(row('sad', 7), null, null, null), null);
		alter table t add column late inner_one default '(sad,2)'`,
	);
	await client.query("backup database quorate to '/var/backups/types'");
	const restored = await testServer({ files: disk, seed: 5 }).connect();
	await restored.query("create type other as enum ('x'); create table taken (id serial)");
	await restored.query("restore database quorate from '/var/backups/types'");
	const rows = [
		['("(sad,7)",,,)', null, "{}", "(sad,2)", "sad"],
		['("(ok,1.50)","{""(sad,)""}",3,{4})', "{ok}", "{}", "(sad,2)", "ok"],
	];
	const all = "select o, ms, os, late, (o).i.m from t order by o";
	t.deepEqual(await client.rows(all), rows);
	t.deepEqual(await restored.rows(all), rows);
	const found = "select (o).i.m from t where (o).i = row('ok', 1.5)::inner_one";
	t.deepEqual(await restored.rows(found), [["ok"]]);
	t.regex(await restored.error("update t set o.f = 9 where (o).f = 3"), /^23514 /);
	t.regex(await restored.error("drop type inner_one"), /^2BP01 /);
});

test("whoever reads as of before an attribute comes or goes sees values as they were", async (t) => {
	const server = testServer();
	const [client, reader] = [await server.connect(), await server.connect()];
	await client.query(
		`create type pair as (a int, b text); create table t (c pair primary key, cs pair[]);
		insert into t values ('(1,x)', '{"(2,y)"}'), ('(2,y)', null); create index on t (cs)`,
	);
	const all = "select c, cs, (c).b from t where c >= '(1,x)'::pair order by c";
	const before = [
		["(1,x)", '{"(2,y)"}', "x"],
		["(2,y)", null, "y"],
	];
	await reader.query("begin isolation level repeatable read");
	t.deepEqual(await reader.rows(all), before);
	await client.query("alter type pair add attribute z int, drop attribute a");
	t.deepEqual(await reader.rows(all), before);
	await reader.query("commit");
	t.regex(await client.error("alter type pair drop attribute b"), /^23505 /);
	t.deepEqual(await reader.rows("select c, cs, (c).z from t where c = '(x,)'::pair"), [
		["(x,)", '{"(y,)"}', null],
	]);
});

test("values of a large table follow their type beside whoever writes them", async (t) => {
	const server = testServer();
	const client = await bigTable(server);
	await client.query(
		"create type pair as (a int, b text); alter table t add p pair; update t set p = row(id, v)",
	);
	const writer = await server.connect();
	const altering = client.query("alter type pair add attribute z int, drop attribute a");
	for (let id = 1; id <= 3; id++) {
		await writer.query(`update t set p.b = 'changed' where id = ${id}`);
	}
	await altering;
	await client.query("begin; select 1; alter type pair add attribute y int; commit");
	const rows = await client.rows("select p from t where id <= 4 order by id");
	const changed = ["(changed,,)"];
	t.deepEqual(rows, [changed, changed, changed, ["(v4,,)"]]);
	t.is(await cell(client, "select count(*) from t where (p).b is not null"), String(many));
});

const type = compositeOid(1);
const enumLike: readonly RowField[] = [
	{ name: "a", type: { oid: OID.int4, modifier: -1 } },
	{ name: "b", type: { oid: OID.text, modifier: -1 } },
	{ name: "c", type: { oid: OID.int8, modifier: -1 } },
];
const context = {
	timeZone: "UTC",
	dateStyle: "ISO, MDY",
	extraFloatDigits: 1,
	byteaOutput: "hex",
	transactionStart: 0n,
	rowFields: () => enumLike,
} as const satisfies TypeContext;

const rows = fc
	.tuple(
		fc.option(fc.integer({ min: -3, max: 3 })),
		fc.option(
			fc.string({ maxLength: 2, unit: fc.constantFrom("a", "b", "\x01", "\x02", '"', ",") }),
		),
		fc.option(fc.bigInt({ min: -2n, max: 2n })),
	)
	.map((values) => rowOf(enumLike, values));

test("keys of rows are in the order of the rows, and they come back", (t) => {
	const { compare, keyCodec } = typeByOid(type)!;
	fc.assert(
		fc.property(rows, rows, (a, b) => {
			const [x, y] = [keyCodec!.encode(a), keyCodec!.encode(b)];
			t.is(Math.sign(compare(a, b)), x < y ? -1 : x > y ? 1 : 0);
			const { value, next } = keyCodec!.decode(`${x}rest`, 0);
			t.deepEqual((value as RowValue).fields, a.fields);
			t.is(next, x.length);
		}),
		{ numRuns: 300 },
	);
});

test("rows come back from their text, their bytes, and what is stored", (t) => {
	const definition = typeByOid(type)!;
	const codec = columnCodec(type);
	const writer = new Writer();
	const reader = new Reader();
	fc.assert(
		fc.property(rows, (row) => {
			const text = definition.format(row, context);
			t.deepEqual(definition.parse(text, -1, context), row, text);
			const bytes = definition.encodeBinary(row, context);
			t.deepEqual(definition.decodeBinary(bytes, -1, context), row);
			writer.reset();
			codec.write(writer, 7, row);
			reader.open(writer.take());
			t.deepEqual((codec.read(reader, reader.varint() & 3) as RowValue).fields, row.fields);
		}),
		{ numRuns: 200 },
	);
});

test("bytes that are no row are refused", (t) => {
	const { decodeBinary } = typeByOid(type)!;
	const good = Buffer.from(typeByOid(type)!.encodeBinary(rowOf(enumLike, [1, "x", 2n]), context));
	for (let end = 0; end < good.length; end++) {
		t.throws(() => decodeBinary(good.subarray(0, end), -1, context), { name: "DatabaseError" });
	}
	fc.assert(
		fc.property(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 }), (at, byte) => {
			const bytes = Buffer.from(good);
			bytes[at] = byte;
			try {
				decodeBinary(bytes, -1, context);
			} catch (error) {
				t.is((error as Error).name, "DatabaseError");
			}
		}),
		{ numRuns: 200 },
	);
});
