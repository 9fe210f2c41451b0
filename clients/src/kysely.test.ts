/** kysely over pg, with its migrator and its introspection. */
import test from "ava";
import {
	type Generated,
	type JSONColumnType,
	Kysely,
	type Migration,
	Migrator,
	PostgresDialect,
	sql,
} from "kysely";
import pg from "pg";
import Cursor from "pg-cursor";
import { served } from "./served.ts";

interface Database {
	person: { id: Generated<number>; name: string; data: JSONColumnType<{ age: number }> | null };
	pet: { id: Generated<number>; owner: number; name: string };
}

const url = served();

async function connected<T>(work: (db: Kysely<Database>) => Promise<T>): Promise<T> {
	const pool = new pg.Pool({ connectionString: url(), max: 4 });
	const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool, cursor: Cursor }) });
	try {
		return await work(db);
	} finally {
		await db.destroy();
	}
}

const migrations: Record<string, Migration> = {
	"1_person": {
		up: async (db) => {
			await db.schema
				.createTable("person")
				.addColumn("id", "serial", (column) => column.primaryKey())
				.addColumn("name", "varchar(40)", (column) => column.notNull().unique())
				.addColumn("data", "jsonb")
				.execute();
		},
		down: async (db) => {
			await db.schema.dropTable("person").execute();
		},
	},
	"2_pet": {
		up: async (db) => {
			await db.schema
				.createTable("pet")
				.addColumn("id", "integer", (column) => column.primaryKey().generatedAlwaysAsIdentity())
				.addColumn("owner", "integer", (column) =>
					column.references("person.id").onDelete("cascade").notNull(),
				)
				.addColumn("name", "text", (column) => column.defaultTo("nobody"))
				.execute();
			await db.schema.createIndex("pet_owner").on("pet").column("owner").execute();
		},
		down: async (db) => {
			await db.schema.dropTable("pet").execute();
		},
	},
};

test.serial("the migrator goes up, down and up again", async (t) => {
	await connected(async (db) => {
		const migrator = new Migrator({
			db,
			provider: { getMigrations: () => Promise.resolve(migrations) },
		});
		const done = async (work: ReturnType<Migrator["migrateToLatest"]>): Promise<string[]> => {
			const { error, results } = await work;
			t.is(error, undefined);
			return (results ?? []).map((one) => `${one.direction} ${one.migrationName} ${one.status}`);
		};
		t.deepEqual(await done(migrator.migrateToLatest()), [
			"Up 1_person Success",
			"Up 2_pet Success",
		]);
		t.deepEqual(await done(migrator.migrateToLatest()), []);
		t.deepEqual(await done(migrator.migrateDown()), ["Down 2_pet Success"]);
		t.deepEqual(await done(migrator.migrateToLatest()), ["Up 2_pet Success"]);
		const tables = await db.introspection.getTables();
		const pet = tables.find((table) => table.name === "pet");
		t.deepEqual(
			pet?.columns.map(({ name, dataType, isNullable, isAutoIncrementing }) => [
				name,
				dataType,
				isNullable,
				isAutoIncrementing,
			]),
			[
				["id", "int4", false, true],
				["owner", "int4", false, false],
				["name", "text", true, false],
			],
		);
	});
});

test.serial("queries, json, upserts, streams", async (t) => {
	await connected(async (db) => {
		const { id } = await db
			.insertInto("person")
			.values({ name: "Ada", data: JSON.stringify({ age: 36 }) })
			.returning("id")
			.executeTakeFirstOrThrow();
		await db
			.insertInto("pet")
			.values([1, 2, 3].map((n) => ({ owner: id, name: `pet ${n}` })))
			.execute();
		const nested = await db
			.selectFrom("person")
			.select((eb) => [
				"person.name",
				sql<number>`data -> 'age'`.as("age"),
				sql<object[]>`(SELECT coalesce(json_agg(agg), '[]') FROM (${eb
					.selectFrom("pet")
					.select("pet.name")
					.whereRef("pet.owner", "=", "person.id")
					.orderBy("pet.id")}) AS agg)`.as("pets"),
			])
			.execute();
		t.deepEqual(nested, [
			{ name: "Ada", age: 36, pets: [{ name: "pet 1" }, { name: "pet 2" }, { name: "pet 3" }] },
		]);
		await db
			.insertInto("person")
			.values({ name: "Ada", data: null })
			.onConflict((conflict) => conflict.column("name").doUpdateSet({ data: null }))
			.execute();
		t.deepEqual(await db.selectFrom("person").select("data").execute(), [{ data: null }]);
		const names: string[] = [];
		for await (const pet of db.selectFrom("pet").select("name").orderBy("id").stream(2))
			names.push(pet.name);
		t.deepEqual(names, ["pet 1", "pet 2", "pet 3"]);
		const { numDeletedRows } = await db
			.deleteFrom("pet")
			.where("name", "in", ["pet 1", "x"])
			.executeTakeFirst();
		t.is(numDeletedRows, 1n);
	});
});

test.serial("transactions and errors", async (t) => {
	await connected(async (db) => {
		await t.throwsAsync(
			db
				.transaction()
				.setIsolationLevel("serializable")
				.execute(async (own) => {
					await own.deleteFrom("person").execute();
					await own.insertInto("pet").values({ owner: -1, name: "stray" }).execute();
				}),
			{ code: "23503" } as never,
		);
		await db.transaction().execute(async (own) => {
			await own.insertInto("person").values({ name: "Bob", data: null }).execute();
		});
		t.deepEqual(await db.selectFrom("person").select("name").orderBy("name").execute(), [
			{ name: "Ada" },
			{ name: "Bob" },
		]);
	});
});

test.serial(
	"values of all types go in and come back; many queries over few connections",
	async (t) => {
		await connected(async (db) => {
			await sql`CREATE TABLE kinds (id int PRIMARY KEY, big bigint, exact numeric, ratio float8, ok bool, words text, bytes bytea, token uuid, data jsonb, at timestamptz, tags text[], nothing text)`.execute(
				db,
			);
			const row = {
				id: 1,
				big: "9223372036854775807",
				exact: "12345678901234567890.1230",
				ratio: -1e300,
				ok: true,
				words: "é \\ ' \" 日 😀\n",
				bytes: Buffer.from([0, 255, 92, 39]),
				token: "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
				data: { a: [1, null, { b: "x" }] },
				at: new Date("2020-02-29T12:34:56.789Z"),
				tags: ["a,b", 'q"', "", null],
				nothing: null,
			};
			const untyped = db as unknown as Kysely<{ kinds: typeof row }>;
			const back = await untyped.insertInto("kinds").values(row).returningAll().execute();
			t.deepEqual(back, [row]);
			const found = untyped.selectFrom("kinds").selectAll().where("big", "=", row.big);
			t.deepEqual(await found.where("at", "=", row.at).where("ok", "=", true).execute(), [row]);
			const answers = await Promise.all(
				Array.from({ length: 20 }, (_, n) => sql<{ n: number }>`SELECT ${n}::int AS n`.execute(db)),
			);
			t.deepEqual(
				answers.map(({ rows }) => rows[0]?.n),
				Array.from({ length: 20 }, (_, n) => n),
			);
		});
	},
);
