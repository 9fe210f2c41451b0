/** The built-in types against what PostgreSQL 15 says of them (testdata/sql/types, recorded by record.sh there). */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import test from "ava";
import fc from "fast-check";
import { testContext } from "../functions/testing/context.ts";
import { allTypes, findCast, type TypeDefinition, typeByName } from "./registry.ts";

const folder = fileURLToPath(new URL("../../../../testdata/sql/types/", import.meta.url));
const linesOf = (name: string): string[] =>
	readFileSync(folder + name, "utf8")
		.split("\n")
		.filter((line) => line !== "");

test("attributes of types are PostgreSQL's", (t) => {
	const recorded = new Map(linesOf("types.txt").map((line) => [Number(line.split(" ")[1]), line]));
	for (const type of allTypes()) {
		const { name, oid, length, category, preferred, arrayOid, elementOid, sqlName } = type;
		const seen = `${name} ${oid} ${length} ${category} ${preferred ? "t" : "f"} ${arrayOid} ${elementOid} ${sqlName}`;
		t.is(seen, recorded.get(oid) ?? "no such type");
	}
});

test("casts and their contexts are PostgreSQL's", (t) => {
	const bySqlName = new Map(allTypes().map((type) => [type.sqlName, type]));
	const letters = { implicit: "i", assignment: "a", explicit: "e" };
	const recorded = new Set<string>();
	for (const line of linesOf("casts.txt")) {
		const [, from = "", to = "", context] = /^(.*) > (.*) (\w)$/.exec(line) ?? [];
		const source = bySqlName.get(from);
		const target = bySqlName.get(to);
		if (source !== undefined && target !== undefined && source !== target) {
			const cast = findCast(source.oid, target.oid);
			t.is(cast && letters[cast.context], context, line);
			recorded.add(`${source.oid} ${target.oid}`);
		}
	}
	// What PostgreSQL does not list goes through text, or element by element.
	for (const source of allTypes()) {
		for (const target of allTypes()) {
			const derived = [source.category, target.category].some((c) => "SAX".includes(c));
			if (source !== target && !derived && !recorded.has(`${source.oid} ${target.oid}`)) {
				t.is(findCast(source.oid, target.oid), undefined, `${source.name} > ${target.name}`);
			}
		}
	}
});

test("binary forms are PostgreSQL's, both ways", (t) => {
	const lines = linesOf("binary.txt");
	const context = testContext();
	for (let i = 0; i < lines.length; i += 2) {
		const line = lines[i] as string;
		const type = typeByName(line.slice(0, line.indexOf(" "))) as TypeDefinition;
		const text = line.slice(line.indexOf(" ") + 1);
		const value = type.parse(text, -1, context);
		const bytes = Buffer.from(type.encodeBinary(value, context));
		t.is(` ${bytes.toString("hex")}`, lines[i + 1] as string, line);
		t.is(
			type.format(type.decodeBinary(bytes, -1, context), context),
			type.format(value, context),
			line,
		);
	}
});

test("json may be nested deep, and too deep is an error of the client", (t) => {
	const type = typeByName("jsonb") as TypeDefinition;
	const context = testContext();
	const nested = (depth: number): string => `${'{"a": ['.repeat(depth)}1${"]}".repeat(depth)}`;
	const value = type.parse(nested(500), -1, context);
	t.is(type.format(value, context), nested(500));
	t.is(type.compare(value, type.parse(nested(500), -1, context)), 0);
	const codec = type.keyCodec!;
	t.is(type.compare(codec.decode(codec.encode(value), 0).value, value), 0);
	for (const name of ["json", "jsonb"]) {
		t.throws(() => typeByName(name)!.parse(nested(501), -1, context), { code: "54001" });
		t.throws(() => typeByName(name)!.parse("[".repeat(10_000_000), -1, context), { code: "54001" });
	}
});

/** Characters that matter to the grammar, and texts that it takes. */
const jsonPieces = fc.oneof(
	fc.constantFrom(
		...'{}[],:"\\ \n0123456789.-+eEtfnul/b\u0001é',
		"true",
		"null",
		'"a":',
		"\\u00e9",
	),
	fc.json({ maxDepth: 3 }),
);

test("what is JSON, JavaScript says alike", (t) => {
	const type = typeByName("json") as TypeDefinition;
	const takes = (parse: () => unknown): boolean => {
		try {
			parse();
			return true;
		} catch (error) {
			t.true(error instanceof SyntaxError || (error as { code?: string }).code === "22P02");
			return false;
		}
	};
	const texts = fc.array(jsonPieces, { maxLength: 6 }).map((pieces) => pieces.join(""));
	fc.assert(
		fc.property(texts, (text) => {
			const expected = takes(() => JSON.parse(text));
			return takes(() => type.parse(text, -1, testContext())) === expected;
		}),
		{ numRuns: 2000, seed: 5 },
	);
});

test("a JSON document has a bound, beyond which it would hold up others", (t) => {
	const many = `[${"1,".repeat(4_000_000)}1]`;
	for (const name of ["json", "jsonb"]) {
		t.throws(() => typeByName(name)!.parse(many, -1, testContext()), { code: "54000" });
	}
});

test("binary input of a wrong length is an error of the client", (t) => {
	const context = testContext();
	for (const line of linesOf("binary.txt").filter((_, i) => i % 2 === 0)) {
		const type = typeByName(line.slice(0, line.indexOf(" "))) as TypeDefinition;
		const value = type.parse(line.slice(line.indexOf(" ") + 1), -1, context);
		const bytes = type.encodeBinary(value, context);
		for (let length = 0; length < bytes.length; length++) {
			try {
				type.decodeBinary(bytes.subarray(0, length), -1, context);
			} catch (error) {
				t.regex((error as { code?: string }).code ?? String(error), /^(08P01|22P03|22P02|22021)$/);
			}
		}
	}
});
