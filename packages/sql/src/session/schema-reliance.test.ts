/** A schema change fails the open transactions that rely on what it changes, and no others. */
import test from "ava";
import { testServer } from "../testing/test-client.ts";

const schema = `
	CREATE TABLE parent (id int PRIMARY KEY, v text);
	CREATE TABLE child (id int PRIMARY KEY, p int REFERENCES parent);
	CREATE TABLE grandchild (id int PRIMARY KEY, c int REFERENCES child ON DELETE CASCADE);
	CREATE TABLE lone (id int PRIMARY KEY, v text);
	CREATE TABLE numbered (id serial PRIMARY KEY, v text);
	CREATE TABLE other (id int PRIMARY KEY);
	CREATE VIEW seen AS SELECT id, v FROM lone;
	CREATE SCHEMA first;
	CREATE TYPE mood AS ENUM ('good');
	INSERT INTO parent VALUES (1, 'one'), (2, 'two');
	INSERT INTO lone VALUES (1, 'one');
`;

/** What an open transaction has done, and what others do to the schema meanwhile. */
interface Work {
	readonly text: string;
	readonly goesOn: readonly string[];
	readonly fails: readonly string[];
}

const apart = ["CREATE TABLE x (a int)", "CREATE INDEX ON other (id)", "DROP TABLE other"];
/** These may count for anybody. */
const general = [
	"CREATE ROLE r",
	"CREATE SCHEMA s",
	"CREATE TYPE t AS ENUM ()",
	"ALTER TYPE mood ADD VALUE 'bad'",
];

const works: readonly Work[] = [
	{
		text: "INSERT INTO lone VALUES (2, 'two')",
		goesOn: [
			...apart,
			"ALTER TABLE parent ADD COLUMN w int",
			"CREATE TABLE y (p int REFERENCES parent)",
		],
		fails: [
			...general,
			"CREATE INDEX ON lone (v)",
			"ALTER TABLE lone ADD COLUMN w int DEFAULT 7",
			"ALTER TABLE lone ADD CHECK (id < 10)",
			"TRUNCATE lone",
			"DROP TABLE lone CASCADE",
			"ALTER TABLE lone RENAME TO gone",
			"CREATE TABLE z (l int REFERENCES lone)",
			"CREATE TABLE first.lone (id int)",
		],
	},
	{
		text: "UPDATE lone SET v = 'three' WHERE id = 1",
		goesOn: apart,
		fails: ["CREATE INDEX ON lone (v)", "ALTER TABLE lone DROP COLUMN v CASCADE"],
	},
	{
		text: "DELETE FROM parent WHERE id = 2",
		goesOn: apart,
		fails: [
			"CREATE TABLE z (p int REFERENCES parent)",
			"ALTER TABLE child ADD COLUMN w int",
			"ALTER TABLE grandchild ADD COLUMN w int",
			"CREATE TABLE z (g int REFERENCES grandchild)",
		],
	},
	{
		text: "INSERT INTO child VALUES (1, 1)",
		goesOn: [...apart, "ALTER TABLE lone ADD COLUMN w int"],
		fails: ["ALTER TABLE parent ADD COLUMN w int", "ALTER TABLE child DROP COLUMN p"],
	},
	{
		text: "INSERT INTO numbered (v) VALUES ('a')",
		goesOn: apart,
		fails: [
			"ALTER SEQUENCE numbered_id_seq INCREMENT 5",
			"ALTER TABLE numbered ALTER COLUMN v SET NOT NULL",
		],
	},
	{
		text: "INSERT INTO lone SELECT id + 10, v FROM seen",
		goesOn: apart,
		fails: ["CREATE OR REPLACE VIEW seen AS SELECT id, v FROM lone WHERE id > 5"],
	},
	{
		text: "INSERT INTO lone SELECT count(*) + 100, 'x' FROM pg_class",
		goesOn: [],
		fails: apart,
	},
	{
		text: "INSERT INTO lone SELECT 5, to_regclass('nothing')::text",
		goesOn: [],
		fails: apart,
	},
	{
		text: "SET LOCAL search_path = first, public; INSERT INTO lone VALUES (3, 'x')",
		goesOn: [...apart, "CREATE TABLE first.more (a int)"],
		fails: ["CREATE TABLE first.lone (id int, v text)"],
	},
	{
		text: "TRUNCATE lone; INSERT INTO lone VALUES (2, 'two')",
		goesOn: [...apart, "ALTER TABLE parent ADD COLUMN w int", "TRUNCATE parent CASCADE"],
		fails: [...general, "CREATE TABLE first.lone (id int)"],
	},
	{ text: "CREATE TABLE made (a int); INSERT INTO made VALUES (1)", goesOn: [], fails: apart },
];

for (const level of ["SERIALIZABLE", "REPEATABLE READ", "READ COMMITTED"]) {
	test(`${level}: a schema change fails who relies on what it changes, and nobody else`, async (t) => {
		const outcomeOf = async (work: string, change: string): Promise<string | undefined> => {
			const server = testServer();
			const root = await server.connect();
			await root.query(schema);
			const client = await server.connect();
			try {
				await client.query(`BEGIN ISOLATION LEVEL ${level}; ${work}`);
				await root.query(change);
				// A statement that is planned anew does not hide what was done before.
				if (level === "READ COMMITTED") await client.query("SELECT 1 FROM child");
				return await client.tag("COMMIT");
			} catch (error) {
				return (error as { code?: string }).code;
			} finally {
				await server.close();
			}
		};
		for (const { text, goesOn, fails } of works) {
			for (const change of goesOn)
				t.is(await outcomeOf(text, change), "COMMIT", `${text}; ${change}`);
			for (const change of fails)
				t.is(await outcomeOf(text, change), "40001", `${text}; ${change}`);
		}
	});
}

test("a schema change of one's own does not hide what was done under an older schema", async (t) => {
	const server = testServer();
	const one = await server.connect();
	const other = await server.connect();
	await one.query("CREATE TABLE t (id int PRIMARY KEY, v text)");
	await one.query("BEGIN ISOLATION LEVEL READ COMMITTED; INSERT INTO t VALUES (1, 'a')");
	await other.query("CREATE INDEX ON t (v)");
	await one.query("CREATE TABLE more (a int)");
	t.regex(await one.error("COMMIT"), /^40001 /);
	t.deepEqual(await one.rows("SELECT * FROM t"), []);
	await server.close();
});
