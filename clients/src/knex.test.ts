/** knex over pg: its schema builder, its migrations, its queries. */
import test from "ava";
import knex, { type Knex } from "knex";
import type pg from "pg";
import Cursor from "pg-cursor";
import { served } from "./served.ts";

const url = served();

async function connected<T>(work: (db: Knex) => Promise<T>): Promise<T> {
	const db = knex({ client: "pg", connection: url(), pool: { min: 0, max: 4 } });
	try {
		return await work(db);
	} finally {
		await db.destroy();
	}
}

const migrations = [
	{
		name: "001_shelves",
		up: (db: Knex) =>
			db.schema.createTable("shelf", (table) => {
				table.increments("id");
				table.string("place", 40).notNullable().unique();
				table.timestamps(true, true);
			}),
		down: (db: Knex) => db.schema.dropTable("shelf"),
	},
	{
		name: "002_items",
		up: (db: Knex) =>
			db.schema.createTable("item", (table) => {
				table.bigIncrements("id");
				table
					.integer("shelf_id")
					.notNullable()
					.references("id")
					.inTable("shelf")
					.onDelete("CASCADE");
				table.text("name").index();
				table.decimal("price", 8, 2).defaultTo(1);
				table.jsonb("details").defaultTo("{}");
				table.boolean("sold").defaultTo(false);
			}),
		down: (db: Knex) => db.schema.dropTable("item"),
	},
];

const migrationSource = {
	getMigrations: () => Promise.resolve(migrations),
	getMigrationName: (migration: (typeof migrations)[number]) => migration.name,
	getMigration: (migration: (typeof migrations)[number]) => Promise.resolve(migration),
};

test.serial("migrations go up and down, and are done once", async (t) => {
	await connected(async (db) => {
		const [, done] = await db.migrate.latest({ migrationSource });
		t.deepEqual(done, ["001_shelves", "002_items"]);
		t.deepEqual((await db.migrate.latest({ migrationSource }))[1], []);
		t.true(await db.schema.hasTable("item"));
		t.true(await db.schema.hasColumn("item", "price"));
		await db.migrate.rollback({ migrationSource });
		t.false(await db.schema.hasTable("item"));
		await db.migrate.latest({ migrationSource });
		const info = await db("item").columnInfo();
		t.like(info["price"], { type: "numeric", nullable: true });
		t.like(info["shelf_id"], { type: "integer", nullable: false });
	});
});

test.serial("queries, joins, json, upserts and what they return", async (t) => {
	await connected(async (db) => {
		const [left] = await db("shelf").insert({ place: "left" }).returning("*");
		t.true(left.created_at instanceof Date);
		const shelf_id = left.id;
		const rows = Array.from({ length: 25 }, (_, i) => ({
			shelf_id,
			name: `item ${i}`,
			details: JSON.stringify({ n: i }),
		}));
		await db.batchInsert("item", rows, 10);
		t.is(await db("item").where("name", "like", "item 1_").update({ sold: true }), 10);
		const counted = await db("item").count({ n: "*" }).groupBy("sold").orderBy("n");
		t.deepEqual(counted, [{ n: "10" }, { n: "15" }]);
		const joined = await db("item as i")
			.join("shelf as s", "s.id", "i.shelf_id")
			.select("s.place", "i.price", "i.details")
			.whereJsonSupersetOf("i.details", { n: 3 });
		t.deepEqual(joined, [{ place: "left", price: "1.00", details: { n: 3 } }]);
		await db("shelf").insert({ place: "left" }).onConflict("place").ignore();
		const [merged] = await db("shelf")
			.insert({ place: "left", updated_at: new Date(0) })
			.onConflict("place")
			.merge()
			.returning(["id", "updated_at"]);
		t.deepEqual(merged, { id: shelf_id, updated_at: new Date(0) });
		t.is(await db("shelf").where({ id: shelf_id }).del(), 1);
		t.deepEqual(await db("item").first("id"), undefined);
	});
});

test.serial("transactions, also within each other; errors", async (t) => {
	await connected(async (db) => {
		await db.transaction(async (outer) => {
			await outer("shelf").insert({ place: "a" });
			await t.throwsAsync(
				outer.transaction((inner) => inner("shelf").insert({ place: "a" })),
				{ code: "23505" } as never,
			);
			await outer("shelf").insert({ place: "b" });
		});
		await t.throwsAsync(
			db.transaction(async (own) => {
				await own("shelf").del();
				throw new Error("never mind");
			}),
			{ message: "never mind" },
		);
		t.deepEqual(await db("shelf").orderBy("place").pluck("place"), ["a", "b"]);
		await t.throwsAsync(async () => db("nowhere").select(), { code: "42P01" } as never);
		await t.throwsAsync(async () => db("item").insert({ shelf_id: -1 }), {
			code: "23503",
		} as never);
		const all = await Promise.all(
			Array.from({ length: 20 }, (_, i) => db.raw("SELECT ?::int AS n", [i])),
		);
		t.deepEqual(
			all.map(({ rows }) => rows[0].n),
			Array.from({ length: 20 }, (_, i) => i),
		);
	});
});

test.serial("values of all types go in and come back", async (t) => {
	await connected(async (db) => {
		await db.schema.createTable("kinds", (table) => {
			table.integer("id").primary();
			table.bigInteger("big");
			table.decimal("exact", 30, 4);
			table.double("ratio");
			table.boolean("ok");
			table.text("words");
			table.binary("bytes");
			table.uuid("token");
			table.json("plain");
			table.jsonb("data");
			table.timestamp("at", { useTz: true });
			table.specificType("tags", "text[]");
			table.enu("mood", ["fine", "bad"], { useNative: true, enumName: "knex_mood" });
			table.text("nothing");
		});
		const row = {
			id: 1,
			big: "9223372036854775807",
			exact: "12345678901234567890.1230",
			ratio: -1e300,
			ok: true,
			words: "é \\ ' \" 日 😀\n",
			bytes: Buffer.from([0, 255, 92, 39]),
			token: "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
			plain: { a: [1, null, "x"] },
			data: { b: { c: true } },
			at: new Date("2020-02-29T12:34:56.789Z"),
			tags: ["a,b", 'q"', "", null],
			mood: "fine",
			nothing: null,
		};
		const [back] = await db("kinds").insert(row).returning("*");
		t.deepEqual(back, row);
		const { id, ...others } = row;
		t.deepEqual(await db("kinds").where({ big: row.big, token: row.token }).select("*"), [row]);
		t.deepEqual(await db("kinds").where({ id }).select(Object.keys(others)), [others]);
	});
});

test.serial("its queries through a cursor of pg, over a connection of its pool", async (t) => {
	await connected(async (db) => {
		const query = db
			.select("n")
			.from(db.raw("generate_series(1, ?::int) n", [5]))
			.toSQL()
			.toNative();
		const client: pg.Client = await db.client.acquireConnection();
		const cursor = client.query(new Cursor(query.sql, [...query.bindings]));
		const read = [await cursor.read(3), await cursor.read(3)];
		await cursor.close();
		await db.client.releaseConnection(client);
		t.deepEqual(read, [
			[{ n: 1 }, { n: 2 }, { n: 3 }],
			[{ n: 4 }, { n: 5 }],
		]);
	});
});
