/** postgres.js, which looks types up when it connects, prepares what it is given and sends ahead. */
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import test from "ava";
import postgres from "postgres";
import { served } from "./served.ts";

const url = served();

async function connected<T>(work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
	const sql = postgres(url(), { max: 4, onnotice: () => undefined });
	try {
		return await work(sql);
	} finally {
		await sql.end();
	}
}

test.serial("values of all types go in and come back", async (t) => {
	await connected(async (sql) => {
		await sql`CREATE TABLE types (id integer PRIMARY KEY, i8 bigint, n numeric, f8 double precision, b boolean, t text, y bytea, u uuid, j json, jb jsonb, ts timestamptz, d date, ia integer[], ta text[])`;
		const row = {
			id: 1,
			i8: "9223372036854775807",
			n: "1.50",
			f8: 0.1,
			b: false,
			t: "é 😀 \\ '",
			y: Buffer.from([0, 1, 255]),
			u: "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
			j: { a: [1, "x", null] },
			jb: { b: { c: true } },
			ts: new Date("2020-02-29T12:34:56.789Z"),
			d: new Date("2020-02-29T00:00:00Z"),
			ia: [1, -2],
			ta: ["a,b", 'q"'],
		};
		await sql`INSERT INTO types ${sql({ ...row, j: sql.json(row.j), jb: sql.json(row.jb) } as never)}`;
		const rows = await sql`SELECT * FROM types`;
		t.deepEqual({ ...rows[0] }, row);
		t.deepEqual([...(await sql`SELECT id FROM types WHERE id IN ${sql([1, 2])}`)], [{ id: 1 }]);
		t.deepEqual([...(await sql`SELECT id FROM types WHERE id = ANY(${[1, 2]})`)], [{ id: 1 }]);
		t.deepEqual(
			[...(await sql`SELECT jb -> 'b' AS b FROM types WHERE jb @> ${sql.json({ b: {} })}`)],
			[{ b: { c: true } }],
		);
	});
});

test.serial("tables made at the same time over several connections are all made", async (t) => {
	await connected(async (sql) => {
		const names = ["one", "two", "three", "four"];
		await Promise.all(names.map((name) => sql`CREATE TABLE ${sql(name)} (id integer PRIMARY KEY)`));
		const rows = await sql`SELECT relname FROM pg_class WHERE relname IN ${sql(names)} ORDER BY 1`;
		t.deepEqual(
			rows.map((row) => row["relname"]),
			[...names].sort(),
		);
	});
});

test.serial("many statements at once over few connections", async (t) => {
	await connected(async (sql) => {
		const answers = await Promise.all(
			Array.from({ length: 50 }, (_, i) => sql<{ n: number }[]>`SELECT ${i}::int AS n`),
		);
		t.deepEqual(
			answers.map(([row]) => row!.n),
			Array.from({ length: 50 }, (_, i) => i),
		);
	});
});

test.serial("transactions, savepoints, rollback when something is thrown", async (t) => {
	await connected(async (sql) => {
		await sql`CREATE TABLE tx (id integer PRIMARY KEY)`;
		await sql.begin(async (own) => {
			await own`INSERT INTO tx VALUES (1)`;
			await t.throwsAsync(
				own.savepoint(async (inner) => {
					await inner`INSERT INTO tx VALUES (2)`;
					await inner`INSERT INTO tx VALUES (1)`;
				}),
				{ code: "23505" } as never,
			);
			await own`INSERT INTO tx VALUES (3)`;
		});
		await t.throwsAsync(
			sql.begin("isolation level serializable", async (own) => {
				await own`DELETE FROM tx`;
				throw new Error("never mind");
			}),
			{ message: "never mind" },
		);
		t.deepEqual([...(await sql`SELECT id FROM tx ORDER BY id`)], [{ id: 1 }, { id: 3 }]);
	});
});

test.serial("errors carry what PostgreSQL tells", async (t) => {
	await connected(async (sql) => {
		await sql`CREATE TABLE errors (id integer PRIMARY KEY, n integer NOT NULL)`;
		const missing = (await t.throwsAsync(async () => sql`SELECT colour FROM errors`)) as never;
		t.like(missing, { code: "42703", position: "8", severity: "ERROR" });
		const empty = (await t.throwsAsync(
			async () => sql`INSERT INTO errors (id) VALUES (1)`,
		)) as never;
		t.like(empty, { code: "23502", table_name: "errors", column_name: "n" });
		await t.throwsAsync(async () => sql.unsafe("SELECT 1; SELECT 1 / 0"), {
			code: "22012",
		} as never);
		t.deepEqual([...(await sql`SELECT 1 AS one`)], [{ one: 1 }]);
	});
});

test.serial("cursors, in pieces and to the end or not", async (t) => {
	await connected(async (sql) => {
		const sizes: number[] = [];
		for await (const rows of sql`SELECT n FROM generate_series(1, 7) n`.cursor(3))
			sizes.push(rows.length);
		t.deepEqual(sizes, [3, 3, 1]);
		for await (const [row] of sql`SELECT n FROM generate_series(1, 1000) n`.cursor(1)) {
			if (row!["n"] === 2) break;
		}
		t.is((await sql`SELECT 1`).length, 1);
	});
});

test.serial("COPY both ways as streams", async (t) => {
	await connected(async (sql) => {
		await sql`CREATE TABLE copied (id integer PRIMARY KEY, t text)`;
		const lines = Array.from({ length: 500 }, (_, i) => `${i}\trow ${i}\n`);
		await pipeline(Readable.from(lines), await sql`COPY copied FROM STDIN`.writable());
		t.is(
			await text(await sql`COPY (SELECT * FROM copied ORDER BY id) TO STDOUT`.readable()),
			lines.join(""),
		);
	});
});

test.serial("notifications arrive", async (t) => {
	await connected(async (sql) => {
		let tell: (payload: string) => void = () => undefined;
		const told = new Promise<string>((resolve) => {
			tell = resolve;
		});
		await sql.listen("news", (payload) => tell(payload));
		await sql.notify("news", "hello");
		t.is(await told, "hello");
	});
});
