import test from "ava";
import { newPublicSchema } from "./database.ts";
import { decodeDescriptor } from "./descriptor.ts";
import { decodeRole, encodeRole } from "./role.ts";
import { aclOfSchema, bornPublic, publicWith, Schemas, storedSchema } from "./schema.ts";
import { withRenamed } from "./sequence-references.ts";

const stored = (document: object): Uint8Array => Buffer.from(JSON.stringify(document), "utf8");

test("rights on public that were stored before there were schemas are read", (t) => {
	const acl = [{ grantee: 0, grantor: 10, rights: "UC", grantable: "" }];
	const row = decodeRole(stored({ format: 1, kind: "rights", oid: 2200, acl }));
	if (row.kind !== "rights") return t.fail();
	const schema = publicWith(row);
	t.deepEqual(aclOfSchema(schema), acl);
	t.deepEqual(storedSchema(schema), row);
});

test("what older nodes do not know is of a format that they refuse", (t) => {
	const schema = { kind: "schema", oid: 20_000, name: "s" } as const;
	const text = Buffer.from(encodeRole(storedSchema(schema))).toString("utf8");
	t.is(JSON.parse(text).format, 2);
	t.deepEqual(decodeRole(Buffer.from(text)), schema);
	const elsewhere = newPublicSchema(20_001, 20_002);
	t.is(JSON.parse(Buffer.from(encodeRole(storedSchema(elsewhere))).toString("utf8")).format, 5);
	t.throws(() => decodeRole(stored({ format: 7, ...schema })), { message: /knows up to 6/ });
});

test("public is there until it was dropped", (t) => {
	t.is(new Schemas([]).byName("public"), bornPublic);
	const without = new Schemas([{ ...bornPublic, dropped: true }]);
	t.is(without.byName("public"), undefined);
	t.is(without.byOid(2200), undefined);
	const made = { kind: "schema", oid: 20_000, name: "public" } as const;
	const again = without.with(new Map([[20_000, made]]));
	t.is(again.byName("public"), made);
	t.deepEqual(
		aclOfSchema(made).map(({ grantee }) => grantee),
		[10],
	);
});

test("defaults that were stored before there were schemas name sequences in public", (t) => {
	const column = { attnum: 1, name: "id", defaultText: "nextval('\"Ids\"'::regclass)" };
	const table = decodeDescriptor(
		stored({ format: 1, kind: "table", oid: 1, columns: [column], indexes: [], checks: [] }),
	);
	if (table.kind !== "table") return t.fail();
	const defaultText = table.columns[0]?.defaultText ?? "";
	t.is(defaultText, "nextval('public.\"Ids\"'::regclass)");
	const moved = withRenamed(
		defaultText,
		{ schema: "public", name: "Ids" },
		{ schema: "s", name: "it's" },
	);
	t.is(moved, "nextval('s.\"it''s\"'::regclass)");
});
