import { readFileSync } from "node:fs";
import test from "ava";
import { readmeFile, statements, supported, supportedFile, withTable } from "./supported.ts";

test("docs/sql.md says what the code has (`npm run supported -w packages/sql` writes it)", (t) => {
	t.is(readFileSync(supportedFile, "utf8"), supported());
});

test("the README's table says what the code has, and is written by the same", (t) => {
	const readme = readFileSync(readmeFile, "utf8");
	t.is(readme, withTable(readme));
	t.regex(readme, /^\| Statements \| .*`CREATE TABLE`/m);
});

test("statements are read off the grammar", (t) => {
	const found = statements();
	for (const one of ["SELECT", "WITH", "COPY", "CREATE TABLE", "ALTER TABLE", "DROP VIEW", "LOCK"])
		t.true(found.includes(one), one);
	t.false(found.includes("CREATE TRIGGER"));
});
