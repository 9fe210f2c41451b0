/** pg, with pg-cursor and pg-copy-streams. */
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import test from "ava";
import pg from "pg";
import { from as copyFrom, to as copyTo } from "pg-copy-streams";
import Cursor from "pg-cursor";
import { served } from "./served.ts";

const url = served();

async function connected<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
	const client = new pg.Client({ connectionString: url() });
	await client.connect();
	try {
		return await work(client);
	} finally {
		await client.end();
	}
}

const values = {
	i2: -32768,
	i4: 2147483647,
	i8: "9223372036854775807",
	n: "12345678901234567890.1230",
	f4: 1.5,
	f8: -1e300,
	b: true,
	t: "é \\ ' \" 日 😀\n",
	v: "abc",
	c: "ab ",
	y: Buffer.from([0, 255, 92, 39]),
	u: "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
	j: { a: [1, null, "x"], b: { c: true } },
	jb: { a: [1, null, "x"], b: { c: true } },
	ts: new Date("2020-02-29T12:34:56.789Z"),
	ia: [1, null, -3],
	ta: ["a,b", 'q"', "", null, "NULL"],
	nul: null,
};

const columns =
	"i2 smallint, i4 integer, i8 bigint, n numeric, f4 real, f8 double precision, b boolean, t text, v varchar(5), c char(3), y bytea, u uuid, j json, jb jsonb, ts timestamptz, ia integer[], ta text[], nul text";

test.serial("values of all types go in and come back, as text and in binary", async (t) => {
	await connected(async (client) => {
		await client.query(`CREATE TABLE pg_types (id integer PRIMARY KEY, ${columns})`);
		const names = Object.keys(values);
		await client.query(
			`INSERT INTO pg_types (id, ${names}) VALUES (1, ${names.map((_, i) => `$${i + 1}`)})`,
			Object.values(values),
		);
		const { rows, fields } = await client.query("SELECT * FROM pg_types");
		t.deepEqual(rows, [{ id: 1, ...values }]);
		t.deepEqual(
			fields.map((field) => field.dataTypeID),
			[
				23, 21, 23, 20, 1700, 700, 701, 16, 25, 1043, 1042, 17, 2950, 114, 3802, 1184, 1007, 1009,
				25,
			],
		);
	});
	const client = new pg.Client({ connectionString: url(), binary: true } as pg.ClientConfig);
	await client.connect();
	const { rows } = await client.query("SELECT i2, i4, f4, f8, b, t, ts, ia FROM pg_types");
	const { i2, i4, f4, f8, b, t: wanted, ts, ia } = values;
	t.deepEqual(rows, [{ i2, i4, f4, f8, b, t: wanted, ts, ia }]);
	await client.end();
});

test.serial("a statement with a name is prepared once", async (t) => {
	await connected(async (client) => {
		const query = { name: "sum", text: "SELECT $1::int + $2 AS sum" };
		for (const n of [1, 2, 3]) {
			const { rows } = await client.query({ ...query, values: [n, 10] });
			t.deepEqual(rows, [{ sum: n + 10 }]);
		}
	});
});

test.serial("transactions, savepoints, and what another connection sees", async (t) => {
	await connected((client) =>
		connected(async (other) => {
			await client.query("CREATE TABLE pg_tx (id integer PRIMARY KEY)");
			const count = async (): Promise<number> =>
				(await other.query("SELECT count(*)::int AS n FROM pg_tx")).rows[0].n;
			await client.query("BEGIN");
			await client.query("INSERT INTO pg_tx VALUES (1)");
			await client.query("SAVEPOINT s");
			await t.throwsAsync(client.query("INSERT INTO pg_tx VALUES (1)"), { code: "23505" } as never);
			await t.throwsAsync(client.query("SELECT 1"), { code: "25P02" } as never);
			await client.query("ROLLBACK TO s");
			await client.query("INSERT INTO pg_tx VALUES (2)");
			t.is(await count(), 0);
			await client.query("COMMIT");
			t.is(await count(), 2);
			await client.query("BEGIN ISOLATION LEVEL SERIALIZABLE");
			await client.query("DELETE FROM pg_tx");
			await client.query("ROLLBACK");
			t.is(await count(), 2);
		}),
	);
});

test.serial("errors carry code, position and names; the connection goes on", async (t) => {
	await connected(async (client) => {
		await client.query(
			"CREATE TABLE pg_errors (id integer PRIMARY KEY, n integer NOT NULL CHECK (n > 0))",
		);
		const failure = async (statement: string, list?: unknown[]): Promise<pg.DatabaseError> =>
			(await t.throwsAsync(client.query(statement, list))) as pg.DatabaseError;
		const unknown = await failure("SELECT colour FROM pg_errors");
		t.is(unknown.code, "42703");
		t.is(unknown.position, "8");
		t.true(unknown instanceof pg.DatabaseError);
		const { code, constraint, table, detail } = await failure(
			"INSERT INTO pg_errors VALUES (1, $1)",
			[-1],
		);
		t.deepEqual([code, constraint, table], ["23514", "pg_errors_n_check", "pg_errors"]);
		t.is(detail, "Failing row contains (1, -1).");
		t.is((await failure("INSERT INTO pg_errors VALUES (1, NULL)")).column, "n");
		t.is((await failure("SELEC 1")).code, "42601");
		t.is((await failure("SELECT $1::int", ["x"])).code, "22P02");
		t.is((await failure("SELECT 1 / $1::int", [0])).code, "22012");
		t.deepEqual((await client.query("SELECT 1 AS one")).rows, [{ one: 1 }]);
	});
});

test.serial("a pool shares its connections, and gives back those that failed", async (t) => {
	const pool = new pg.Pool({ connectionString: url(), max: 3 });
	const answers = await Promise.all(
		Array.from({ length: 30 }, (_, i) => pool.query("SELECT $1::int AS n", [i])),
	);
	t.deepEqual(
		answers.map(({ rows }) => rows[0].n),
		Array.from({ length: 30 }, (_, i) => i),
	);
	t.true(pool.totalCount <= 3);
	await Promise.all(
		Array.from({ length: 6 }, () =>
			t.throwsAsync(pool.query("SELECT 1 / 0"), { code: "22012" } as never),
		),
	);
	t.is((await pool.query("SELECT 1 AS n")).rowCount, 1);
	await pool.end();
});

test.serial("a cursor reads a result in pieces, and can be left", async (t) => {
	await connected(async (client) => {
		const cursor = client.query(new Cursor("SELECT n FROM generate_series(1, $1::int) n", [7]));
		const sizes: number[] = [];
		for (;;) {
			const rows = await cursor.read(3);
			sizes.push(rows.length);
			if (rows.length === 0) break;
		}
		t.deepEqual(sizes, [3, 3, 1, 0]);
		const left = client.query(new Cursor("SELECT n FROM generate_series(1, 1000000) n", []));
		t.deepEqual(await left.read(1), [{ n: 1 }]);
		await left.close();
		t.deepEqual((await client.query("SELECT 2 AS n")).rows, [{ n: 2 }]);
	});
});

test.serial("COPY both ways as streams", async (t) => {
	await connected(async (client) => {
		await client.query("CREATE TABLE pg_copy (id integer PRIMARY KEY, t text)");
		const lines = Array.from({ length: 2000 }, (_, i) => `${i}\trow ${i}\n`);
		const into = client.query(copyFrom("COPY pg_copy FROM STDIN"));
		await pipeline(Readable.from(lines), into);
		t.is(into.rowCount, 2000);
		const out = client.query(copyTo("COPY (SELECT * FROM pg_copy ORDER BY id) TO STDOUT"));
		t.is(await text(out), lines.join(""));
		const bad = client.query(copyFrom("COPY pg_copy FROM STDIN (FORMAT csv)"));
		await t.throwsAsync(pipeline(Readable.from(["x,y\n"]), bad), { code: "22P02" } as never);
		t.deepEqual((await client.query("SELECT count(*)::int AS n FROM pg_copy")).rows, [{ n: 2000 }]);
	});
});

test.serial("notifications arrive", async (t) => {
	await connected(async (client) => {
		const told = new Promise<string | undefined>((resolve) => {
			client.once("notification", ({ payload }) => resolve(payload));
		});
		await client.query("LISTEN news");
		await connected((other) => other.query("SELECT pg_notify('news', 'hello')"));
		t.is(await told, "hello");
	});
});
