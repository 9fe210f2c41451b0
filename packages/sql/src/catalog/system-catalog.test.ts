import { DatabaseError } from "@quorate/keys/database-error";
import test from "ava";
import { catalogFunctions } from "../functions/catalog-functions.ts";
import type { Datum } from "../types/datum.ts";
import { type FunctionContext, typeByOid } from "../types/registry.ts";
import type { SequenceDescriptor, TableDescriptor } from "./descriptor.ts";
import { CatalogSnapshot } from "./snapshot.ts";
import { answered, callCatalog } from "./system-functions.ts";
import { systemTable, systemTables } from "./system-tables.ts";

const column = {
	identity: undefined,
	missingText: undefined,
	dropped: false,
	defaultText: undefined,
};
const int4 = { oid: 23, modifier: -1 };

const table: TableDescriptor = {
	kind: "table",
	oid: 20_000,
	schema: "public",
	name: "Order Lines",
	columns: [
		{
			...column,
			attnum: 1,
			name: "id",
			type: int4,
			notNull: true,
			defaultText: "nextval('public.order_id_seq'::regclass)",
		},
		{ ...column, attnum: 2, name: "gone", type: int4, notNull: false, dropped: true },
		{ ...column, attnum: 3, name: "price", type: { oid: 1700, modifier: 524_294 }, notNull: false },
		{ ...column, attnum: 4, name: "note", type: { oid: 1043, modifier: 14 }, notNull: false },
		{ ...column, attnum: 5, name: "tags", type: { oid: 1009, modifier: -1 }, notNull: false },
	],
	nextAttnum: 6,
	primary: {
		oid: 20_001,
		name: "order_pkey",
		indexId: 1,
		columns: [{ attnum: 1, descending: false }],
		unique: true,
		state: "public",
		constraintOid: 20_002,
	},
	indexes: [
		{
			oid: 20_003,
			name: "order_price",
			indexId: 2,
			columns: [
				{ attnum: 3, descending: true },
				{ attnum: 4, descending: false },
			],
			unique: false,
			state: "write-only",
			constraintOid: undefined,
		},
	],
	foreignKeys: [],
	checks: [{ oid: 20_004, name: "order_check", text: "(price > 0)" }],
	rewrite: undefined,
};
const sequence: SequenceDescriptor = {
	kind: "sequence",
	oid: 20_005,
	schema: "public",
	name: "order_id_seq",
	typeOid: 20,
	start: "1",
	increment: "1",
	min: "1",
	max: "9223372036854775807",
	cache: 1,
	cycle: false,
	ownedBy: { tableOid: 20_000, attnum: 1 },
	valueId: 3,
};
const catalog = new CatalogSnapshot(1, [table, sequence]);
const settings: Readonly<Record<string, string>> = { TimeZone: "UTC", lock_timeout: "5s" };
const context = {
	currentUser: "ann",
	sessionUser: "ann",
	currentDatabase: "shop",
	searchPath: ["public"],
	setting: (name: string) => settings[name],
	sessionRows: (view: string) =>
		view === "pg_settings"
			? Object.entries(settings).map(([name, setting]) => ({ name, setting, context: null }))
			: [],
	transactionStart: 0n,
} as unknown as FunctionContext;

const rows = (name: string, schema = "pg_catalog"): Record<string, Datum>[] => {
	const system = systemTable(schema, name);
	if (system === undefined) {
		throw new Error(`no ${name}`);
	}
	return [...system.rows(catalog, context)].map((row) =>
		Object.fromEntries(system.columns.map((c, i) => [c.name, row[i] as Datum])),
	);
};
const call = (name: string, ...args: Datum[]): Datum => callCatalog(catalog, context, name, args);

test("every row has every column, in a shape that its type can write", (t) => {
	const types = {
		timeZone: "UTC",
		dateStyle: "ISO, MDY",
		extraFloatDigits: 1,
		byteaOutput: "hex",
		transactionStart: 0n,
		catalogCall: (name: string, args: readonly Datum[]) => call(name, ...args),
	} as const;
	for (const system of systemTables()) {
		for (const row of system.rows(catalog, context)) {
			t.is(row.length, system.columns.length, system.name);
			for (const [i, { name, typeOid }] of system.columns.entries()) {
				const value = row[i] as Datum;
				if (value !== null) {
					const type = typeByOid(typeOid);
					t.is(typeof type?.format(value, types), "string", `${system.name}.${name}`);
					t.notThrows(() => type?.encodeBinary(value, types), `${system.name}.${name}`);
				}
			}
		}
	}
});

test("keys are unique", (t) => {
	for (const system of systemTables()) {
		if (system.columns[0]?.name === "oid") {
			const oids = [...system.rows(catalog, context)].map((row) => row[0]);
			t.is(new Set(oids).size, oids.length, system.name);
		}
	}
});

test("references lead somewhere", (t) => {
	const oids = (name: string): Set<Datum> => new Set(rows(name).map((row) => row["oid"] as Datum));
	const relations = oids("pg_class");
	const types = oids("pg_type");
	for (const row of rows("pg_attribute")) {
		t.true(relations.has(row["attrelid"] as Datum));
		t.true(row["attisdropped"] === true || types.has(row["atttypid"] as Datum));
	}
	for (const row of rows("pg_index")) {
		t.true(relations.has(row["indexrelid"] as Datum) && relations.has(row["indrelid"] as Datum));
	}
	const functions = oids("pg_proc");
	for (const row of rows("pg_type")) {
		t.true(functions.has(row["typinput"] as Datum), String(row["typname"]));
		t.true(row["typarray"] === 0 || types.has(row["typarray"] as Datum), String(row["typname"]));
	}
	const dependencies = rows("pg_depend").map(
		(row) => `${row["objid"]} ${row["deptype"]} ${row["refobjid"]}.${row["refobjsubid"]}`,
	);
	t.true(dependencies.includes("20005 a 20000.1"), "a sequence goes with the column that owns it");
	t.true(dependencies.includes("20001 i 20002.0"), "an index with its constraint");
	t.true(dependencies.includes("20003 a 20000.3"), "and with the columns that it is of");
	t.true(
		dependencies.some((line) => line.endsWith(" n 20005.0")),
		"a default keeps its sequence",
	);
});

test("all declared catalog functions are answered", (t) => {
	for (const { name } of catalogFunctions) {
		t.true(answered(name), name);
	}
	for (const type of [
		"class",
		"proc",
		"procedure",
		"oper",
		"operator",
		"config",
		"namespace",
		"role",
	]) {
		t.true(answered(`reg${type}in`) && answered(`reg${type}out`), type);
	}
});

test("definitions", (t) => {
	t.is(
		call("pg_get_indexdef", 20_001),
		'CREATE UNIQUE INDEX order_pkey ON public."Order Lines" USING btree (id)',
	);
	t.is(
		call("pg_get_indexdef", 20_003, 0, true),
		'CREATE INDEX order_price ON "Order Lines" USING btree (price DESC, note)',
	);
	t.is(call("pg_get_indexdef", 20_003, 2, true), "note");
	t.is(call("pg_get_indexdef", 1), null);
	t.is(call("pg_get_constraintdef", 20_002), "PRIMARY KEY (id)");
	t.is(call("pg_get_constraintdef", 20_004), "CHECK ((price > 0))");
	t.is(call("pg_get_constraintdef", 20_004, true), "CHECK (price > 0)");
	t.is(call("pg_get_serial_sequence", '"Order Lines"', "id"), "public.order_id_seq");
	t.is(call("pg_get_serial_sequence", '"Order Lines"', "note"), null);
	t.is(call("pg_get_userbyid", 10), "quorate");
	t.is(call("pg_encoding_to_char", 6), "UTF8");
});

test("names to OIDs and back", (t) => {
	t.is(call("regclassin", '"Order Lines"'), 20_000);
	t.is(call("regclassin", 'public . "Order Lines"'), 20_000);
	t.is(call("regclassin", "PG_CLASS"), 1259);
	t.is(call("regclassout", 20_000), '"Order Lines"');
	t.is(call("regclassout", 20_003), "order_price");
	t.is(call("regclassout", 1259), "pg_class");
	t.is(call("regclassout", 13_295), "information_schema.columns");
	t.is(call("regclassout", 99), "99");
	t.is(call("to_regclass", "nosuch"), null);
	t.is(call("to_regclass", "order_id_seq"), 20_005);
	t.is(call("regtypein", "nosuch"), null);
	t.is(call("regnamespaceout", 2200), "public");
	t.is(call("regroleout", call("regrolein", "quorate")), "quorate");
	t.is(call("regprocout", call("regprocin", "array_in")), "array_in");
	t.is(call("regprocedureout", call("regprocedurein", "lower(text)")), "lower(text)");
	const refused = (code: string, ...args: [string, ...Datum[]]): void => {
		const error = t.throws(() => call(...args), { instanceOf: DatabaseError });
		t.is(error?.code, code);
	};
	refused("42P01", "regclassin", "nosuch");
	refused("42602", "regclassin", "a..b");
	refused("3F000", "regnamespacein", "nosuch");
	refused("42704", "regrolein", "bob");
	refused("42883", "regprocin", "nosuch");
	refused("42P01", "has_table_privilege", "nosuch", "SELECT");
});

test("visibility follows the search path", (t) => {
	t.is(call("pg_table_is_visible", 20_000), true);
	t.is(call("pg_table_is_visible", 1259), true);
	t.is(call("pg_table_is_visible", 13_295), false);
	t.is(call("pg_table_is_visible", 99), null);
	const elsewhere = { ...context, searchPath: [] };
	t.is(callCatalog(catalog, elsewhere, "pg_table_is_visible", [20_000]), false);
	t.is(callCatalog(catalog, elsewhere, "regclassout", [20_000]), 'public."Order Lines"');
});

test("information_schema.columns", (t) => {
	const all = rows("columns", "information_schema");
	const [id, price, note, tags] = all.filter((row) => row["table_name"] === "Order Lines");
	const system = all.find((row) => row["table_name"] === "pg_class");
	t.like(system, { column_name: "oid", data_type: "oid", is_nullable: "NO" });
	t.is(id?.["column_default"], "nextval('order_id_seq'::regclass)");
	t.is(id?.["is_nullable"], "NO");
	t.is(id?.["numeric_precision"], 32);
	t.is(price?.["numeric_precision"], 8);
	t.is(price?.["numeric_scale"], 2);
	t.is(price?.["ordinal_position"], 3);
	t.is(note?.["data_type"], "character varying");
	t.is(note?.["character_maximum_length"], 10);
	t.is(tags?.["data_type"], "ARRAY");
	t.is(tags?.["udt_name"], "_text");
});

test("settings are the session's", (t) => {
	t.deepEqual(
		rows("pg_settings").map((row) => [row["name"], row["setting"]]),
		[
			["TimeZone", "UTC"],
			["lock_timeout", "5000"],
		],
	);
});
