/** drizzle over pg: tables that drizzle-kit pushes and pulls, queries, migrations. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import { served } from "../dist/served.js";
import { installed, titled } from "./installed.js";

const url = served();
const check = installed ? test.serial : test.serial.skip;
const folder = mkdtempSync(join(tmpdir(), "quorate-drizzle-"));
const schema = "--schema=./drizzle-schema.js";
const here = fileURLToPath(new URL(".", import.meta.url));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

let drizzle, migrate, eq, inArray, sql, pg, Cursor, tables;
test.before(async () => {
	if (!installed) return;
	({ eq, inArray, sql } = await import("drizzle-orm"));
	({ drizzle } = await import("drizzle-orm/node-postgres"));
	({ migrate } = await import("drizzle-orm/node-postgres/migrator"));
	({ default: pg } = await import("pg"));
	({ default: Cursor } = await import("pg-cursor"));
	tables = await import("./drizzle-schema.js");
});

/** What drizzle-kit prints. It never asks: its input is at its end. */
function kit(...args) {
	const program = join(here, "node_modules/drizzle-kit/bin.cjs");
	const all = [program, ...args, "--dialect=postgresql"];
	const env = { PATH: process.env.PATH, HOME: folder, NO_COLOR: "1" };
	const child = spawn(process.execPath, all, { cwd: here, env, stdio: ["ignore", "pipe", "pipe"] });
	let printed = "";
	for (const stream of [child.stdout, child.stderr]) {
		stream.setEncoding("utf8").on("data", (text) => {
			printed += text;
		});
	}
	return new Promise((resolve) => child.once("close", () => resolve(printed)));
}

async function connected(work) {
	const pool = new pg.Pool({ connectionString: url(), max: 4 });
	try {
		return await work(drizzle(pool, { schema: tables }), pool);
	} finally {
		await pool.end();
	}
}

check(
	titled("drizzle-kit pushes tables, finds them as they are, and pushes changes"),
	async (t) => {
		const push = (...more) => kit("push", schema, `--url=${url()}`, "--force", ...more);
		t.regex(await push(), /Changes applied/);
		t.regex(await push(), /No changes detected/);
		await connected(async (db) => {
			await db.execute(sql`ALTER TABLE posts DROP COLUMN done`);
			await db.execute(sql`DROP INDEX users_role_index`);
		});
		// One after the other: for what is new and what is gone at the same time it asks whether that is a new name.
		const added = await push("--verbose");
		t.regex(added, /ALTER TABLE "posts" ADD COLUMN "done" boolean DEFAULT false NOT NULL/);
		t.regex(added, /CREATE INDEX "users_role_index"/);
		t.regex(added, /Changes applied/);
		await connected((db) => db.execute(sql`ALTER TABLE posts ADD COLUMN stray int`));
		t.regex(await push("--verbose"), /ALTER TABLE "posts" DROP COLUMN "stray"/);
		t.regex(await push(), /No changes detected/);
	},
);

check(titled("drizzle-kit pulls what is there"), async (t) => {
	t.regex(await kit("pull", `--out=${folder}`, `--url=${url()}`), /Your schema file is ready/);
	const pulled = readFileSync(join(folder, "schema.ts"), "utf8").replaceAll(
		/^(?:import|\s*\/\/).*\n/gm,
		"",
	);
	// What it pulls of PostgreSQL 15.
	const expected = readFileSync(join(here, "drizzle-pulled.txt"), "utf8");
	t.is(pulled.trim(), expected.trim());
});

check(
	titled("drizzle: values of all types, upserts, relations, prepared statements"),
	async (t) => {
		await connected(async (db) => {
			const { users, posts } = tables;
			const row = {
				email: "Ada@x",
				role: "writer",
				data: { a: [1, null, { b: "x" }] },
				tags: ["a,b", 'q"', "NULL"],
				at: new Date("2020-02-29T12:34:56.789Z"),
				day: "2020-02-29",
				balance: "12345678.90",
				ratio: -1e300,
				big: 9223372036854775807n,
				token: "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
				bytes: Buffer.from([0, 255, 92, 39]),
			};
			const [back] = await db.insert(users).values(row).returning();
			t.deepEqual(back, { id: 1, number: 1, lower: "ada@x", ...row });
			t.deepEqual(await db.select().from(users).where(eq(users.big, row.big)), [back]);
			const [second] = await db
				.insert(users)
				.values({ email: "Ada@x" })
				.onConflictDoUpdate({ target: users.email, set: { role: "reader", tags: null } })
				.returning({ id: users.id, role: users.role, tags: users.tags });
			t.deepEqual(second, { id: 1, role: "reader", tags: null });
			await db.insert(posts).values([1, 2, 3].map((nr) => ({ author: 1, nr, body: `post ${nr}` })));
			const nested = await db.query.users.findMany({
				columns: { email: true },
				with: { posts: { columns: { nr: true, done: true }, orderBy: posts.nr, limit: 2 } },
			});
			const found = [1, 2].map((nr) => ({ nr, done: false }));
			t.deepEqual(nested, [{ email: "Ada@x", posts: found }]);
			const counted = await db
				.select({ id: users.id, n: sql`count(${posts.nr})`.mapWith(Number) })
				.from(users)
				.leftJoin(posts, eq(posts.author, users.id))
				.groupBy(users.id);
			t.deepEqual(counted, [{ id: 1, n: 3 }]);
			const byNr = db
				.select({ body: posts.body })
				.from(posts)
				.where(eq(posts.nr, sql.placeholder("nr")))
				.prepare("by_nr");
			for (const nr of [1, 2, 3]) t.deepEqual(await byNr.execute({ nr }), [{ body: `post ${nr}` }]);
			t.deepEqual(await db.select().from(tables.writers), []);
		});
	},
);

check(titled("drizzle: transactions, within each other too; errors; many at once"), async (t) => {
	await connected(async (db) => {
		const { posts, users } = tables;
		await db.transaction(
			async (tx) => {
				await tx
					.update(posts)
					.set({ done: true })
					.where(inArray(posts.nr, [1, 2]));
				await t.throwsAsync(
					tx.transaction((inner) => inner.insert(posts).values({ author: 1, nr: 1 })),
					{ message: /Failed query/ },
				);
				t.is((await tx.select().from(posts).for("update")).length, 3);
			},
			{ isolationLevel: "serializable", accessMode: "read write" },
		);
		await t.throwsAsync(
			db.transaction(async (tx) => {
				await tx.delete(users);
				tx.rollback();
			}),
		);
		t.is(await db.$count(posts, eq(posts.done, true)), 2);
		const codeOf = async (work) => (await t.throwsAsync(work)).cause.code;
		t.is(await codeOf(async () => db.insert(users).values({ email: "Ada@x" })), "23505");
		t.is(await codeOf(async () => db.insert(posts).values({ author: -1, nr: 1 })), "23503");
		t.is(await codeOf(async () => db.insert(posts).values({ author: 1, nr: -1 })), "23514");
		t.is(await codeOf(async () => db.execute(sql`SELECT * FROM nosuch`)), "42P01");
		const all = await Promise.all(
			Array.from({ length: 20 }, (_, n) => db.execute(sql`SELECT ${n}::int AS n`)),
		);
		t.deepEqual(
			all.map(({ rows }) => rows[0].n),
			Array.from({ length: 20 }, (_, n) => n),
		);
	});
});

check(titled("drizzle: its queries through a cursor of pg"), async (t) => {
	await connected(async (db, pool) => {
		const { posts } = tables;
		const { sql: text, params } = db.select({ nr: posts.nr }).from(posts).orderBy(posts.nr).toSQL();
		const client = await pool.connect();
		const cursor = client.query(new Cursor(text, params));
		const read = [await cursor.read(2), await cursor.read(2)];
		await cursor.close();
		client.release();
		t.deepEqual(read, [[{ nr: 1 }, { nr: 2 }], [{ nr: 3 }]]);
	});
});

check(titled("drizzle: migrations that drizzle-kit generates are done once"), async (t) => {
	await connected(async (db) => {
		await db.execute(sql`DROP TABLE posts, users CASCADE`);
		await db.execute(sql`DROP TYPE role`);
		const out = join(folder, "migrations");
		t.regex(await kit("generate", schema, `--out=${out}`), /Your SQL migration file/);
		await migrate(db, { migrationsFolder: out });
		await migrate(db, { migrationsFolder: out });
		const { rows } = await db.execute(
			sql`SELECT count(*)::int AS n FROM drizzle.__drizzle_migrations`,
		);
		t.deepEqual(rows, [{ n: 1 }]);
		t.deepEqual(await db.select().from(tables.posts), []);
	});
});
