/** typeorm over pg: synchronize, migrations, repositories. */
import test from "ava";
import { served } from "../dist/served.js";
import { installed, titled } from "./installed.js";

const url = served();
const check = installed ? test.serial : test.serial.skip;

let typeorm;
let entities;
test.before(async () => {
	if (!installed) return;
	typeorm = await import("typeorm");
	entities = entitiesOf(typeorm);
});

const entitiesOf = ({ EntitySchema }) => ({
	User: new EntitySchema({
		name: "User",
		tableName: "users",
		columns: {
			id: { type: "int", primary: true, generated: "increment" },
			token: { type: "uuid", generated: "uuid" },
			email: { type: "varchar", length: 100, unique: true },
			role: { type: "enum", enum: ["reader", "writer"], default: "reader" },
			data: { type: "jsonb", nullable: true },
			tags: { type: "text", array: true, nullable: true },
			at: { type: "timestamptz", createDate: true },
			balance: { type: "numeric", precision: 10, scale: 2, nullable: true },
			big: { type: "bigint", nullable: true },
			ratio: { type: "double precision", nullable: true },
			ok: { type: "boolean", default: false },
			bytes: { type: "bytea", nullable: true },
			day: { type: "date", nullable: true },
			version: { type: "int", version: true },
		},
		relations: { posts: { type: "one-to-many", target: "Post", inverseSide: "user" } },
		checks: [{ name: "users_balance_check", expression: "balance >= 0" }],
	}),
	Post: new EntitySchema({
		name: "Post",
		tableName: "posts",
		columns: {
			id: { type: "bigint", primary: true, generated: "increment" },
			body: { type: "text" },
		},
		indices: [{ name: "posts_body_index", columns: ["body"] }],
		relations: {
			user: {
				type: "many-to-one",
				target: "User",
				inverseSide: "posts",
				onDelete: "CASCADE",
				joinColumn: { name: "user_id" },
			},
		},
	}),
});

async function connected(work, options = {}) {
	const source = new typeorm.DataSource({
		type: "postgres",
		url: url(),
		entities: Object.values(entities),
		poolSize: 4,
		...options,
	});
	await source.initialize();
	try {
		return await work(source);
	} finally {
		await source.destroy();
	}
}

check(
	titled("typeorm synchronizes tables, finds them as they are, and changes them"),
	async (t) => {
		await connected(async (source) => {
			await source.synchronize();
			const left = async () => (await source.driver.createSchemaBuilder().log()).upQueries;
			t.deepEqual(
				(await left()).map(({ query }) => query),
				[],
			);
			await source.query("ALTER TABLE posts DROP COLUMN body");
			await source.query("ALTER TABLE users ALTER COLUMN ok DROP NOT NULL");
			t.true((await left()).length > 0);
			await source.synchronize();
			t.deepEqual(
				(await left()).map(({ query }) => query),
				[],
			);
		});
	},
);

check(titled("typeorm: values of all types, relations, upserts, conditions"), async (t) => {
	await connected(async (source) => {
		const users = source.getRepository("User");
		const posts = source.getRepository("Post");
		const row = {
			email: "ada@x",
			role: "writer",
			data: { a: [1, null, { b: "x" }] },
			tags: ["a,b", 'q"', "NULL"],
			balance: "12345678.90",
			big: "9223372036854775807",
			ratio: -1e300,
			ok: true,
			bytes: Buffer.from([0, 255, 92, 39]),
			day: "2020-02-29",
		};
		const saved = await users.save({ ...row });
		t.is(saved.version, 1);
		const found = await users.findOneByOrFail({ email: "ada@x" });
		t.like(found, row);
		t.true(found.at instanceof Date);
		t.regex(found.token, /^[0-9a-f-]{36}$/);
		found.role = "reader";
		t.is((await users.save(found)).version, 2);
		await posts.save([1, 2, 3].map((n) => ({ body: `post ${n}`, user: { id: saved.id } })));
		const [nested] = await users.find({
			relations: { posts: true },
			where: { posts: { body: typeorm.Like("post %") } },
			order: { posts: { body: "DESC" } },
			take: 1,
		});
		t.deepEqual(
			nested.posts.map(({ body }) => body),
			["post 3", "post 2", "post 1"],
		);
		await users.upsert({ email: "ada@x", balance: "1.00" }, ["email"]);
		t.is((await users.findOneByOrFail({ email: "ada@x" })).balance, "1.00");
		t.is(await users.countBy({ tags: typeorm.ArrayContains(["NULL"]) }), 1);
		const raw = await posts
			.createQueryBuilder("p")
			.select("u.email", "email")
			.addSelect("count(*)::int", "n")
			.innerJoin("p.user", "u")
			.groupBy("u.email")
			.getRawMany();
		t.deepEqual(raw, [{ email: "ada@x", n: 3 }]);
		t.deepEqual(await posts.findAndCount({ skip: 1, take: 1, order: { id: "ASC" } }), [
			[{ id: "2", body: "post 2" }],
			3,
		]);
	});
});

check(titled("typeorm: transactions, within each other too; errors; many at once"), async (t) => {
	await connected(async (source) => {
		const users = source.getRepository("User");
		await source.transaction("SERIALIZABLE", async (manager) => {
			const locked = await manager.findOne("User", {
				where: { email: "ada@x" },
				lock: { mode: "pessimistic_write" },
			});
			await manager.update("User", locked.id, { ok: false });
			await t.throwsAsync(
				manager.transaction((inner) => inner.insert("User", { email: "ada@x" })),
				{ code: "23505" },
			);
		});
		t.is(await users.countBy({ ok: false }), 1);
		await t.throwsAsync(
			source.transaction(async (manager) => {
				await manager.deleteAll("User");
				throw new Error("never mind");
			}),
			{ message: "never mind" },
		);
		t.is(await users.count(), 1);
		const codeOf = async (work) => (await t.throwsAsync(work)).driverError.code;
		t.is(await codeOf(users.insert({ email: "ada@x" })), "23505");
		t.is(await codeOf(users.insert({ email: "bob@x", balance: "-1" })), "23514");
		t.is(await codeOf(source.query("SELECT * FROM nosuch")), "42P01");
		const all = await Promise.all(
			Array.from({ length: 20 }, (_, n) => source.query("SELECT $1::int AS n", [n])),
		);
		t.deepEqual(
			all.map(([{ n }]) => n),
			Array.from({ length: 20 }, (_, n) => n),
		);
	});
});

check(titled("typeorm: a result as a stream"), async (t) => {
	await connected(async (source) => {
		const stream = await source
			.getRepository("Post")
			.createQueryBuilder("p")
			.orderBy("p.id")
			.stream();
		const bodies = [];
		for await (const { p_body } of stream) bodies.push(p_body);
		t.deepEqual(bodies, ["post 1", "post 2", "post 3"]);
	});
});

check(titled("typeorm: migrations go up and down, and are done once"), async (t) => {
	class Shelf1700000000000 {
		name = "Shelf1700000000000";
		up = (runner) => runner.query('CREATE TABLE "shelf" ("id" serial PRIMARY KEY)');
		down = (runner) => runner.query('DROP TABLE "shelf"');
	}
	await connected(
		async (source) => {
			t.is((await source.runMigrations()).length, 1);
			t.is((await source.runMigrations()).length, 0);
			await source.query("SELECT * FROM shelf");
			await source.undoLastMigration();
			await t.throwsAsync(source.query("SELECT * FROM shelf"), { code: "42P01" });
			await source.dropDatabase();
			const [{ n }] = await source.query(
				"SELECT count(*)::int AS n FROM pg_tables WHERE schemaname = 'public'",
			);
			t.is(n, 0);
		},
		{ migrations: [Shelf1700000000000] },
	);
});
