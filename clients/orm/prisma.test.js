/** prisma's runtime over its adapter for pg. The tables are those that its own migrations would make of schema.prisma. */
import test from "ava";
import { served } from "../dist/served.js";
import { installed, titled } from "./installed.js";

const url = served();
const check = installed ? test.serial : test.serial.skip;

let PrismaClient;
let PrismaPg;
let pg;
test.before(async () => {
	if (!installed) return;
	({ PrismaClient } = await import("./prisma/client.js"));
	({ PrismaPg } = await import("@prisma/adapter-pg"));
	({ default: pg } = await import("pg"));
	const client = new pg.Client({ connectionString: url() });
	await client.connect();
	await client.query(ddl);
	await client.end();
});

const ddl = `
CREATE TYPE "public"."Role" AS ENUM ('reader', 'writer');
CREATE TABLE "public"."User" (
    "id" SERIAL NOT NULL,
    "email" TEXT NOT NULL,
    "role" "public"."Role" NOT NULL DEFAULT 'reader',
    "data" JSONB,
    "tags" TEXT[],
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "balance" DECIMAL(10,2),
    "big" BIGINT,
    "bytes" BYTEA,
    "ratio" DOUBLE PRECISION,
    "ok" BOOLEAN,
    "token" UUID NOT NULL DEFAULT gen_random_uuid(),
    CONSTRAINT "User_pkey" PRIMARY KEY ("id")
);
CREATE TABLE "public"."Post" (
    "id" BIGINT NOT NULL,
    "body" TEXT,
    "userId" INTEGER,
    CONSTRAINT "Post_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "User_email_key" ON "public"."User"("email");
ALTER TABLE "public"."Post" ADD CONSTRAINT "Post_userId_fkey" FOREIGN KEY ("userId") REFERENCES "public"."User"("id") ON DELETE CASCADE ON UPDATE CASCADE;
`;

async function connected(work) {
	const adapter = new PrismaPg({ connectionString: url(), max: 4 });
	const db = new PrismaClient({ adapter });
	try {
		return await work(db);
	} finally {
		await db.$disconnect();
	}
}

check(titled("prisma: values of all types, relations, upserts, aggregates"), async (t) => {
	await connected(async (db) => {
		const row = {
			email: "ada@x",
			role: "writer",
			data: { a: [1, null, { b: "x" }] },
			tags: ["a,b", 'q"', "NULL"],
			createdAt: new Date("2020-02-29T12:34:56.789Z"),
			big: 9223372036854775807n,
			ratio: -1e300,
			ok: true,
			token: "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
		};
		const bytes = Uint8Array.from([0, 255, 92, 39]);
		const posts = { create: [1n, 2n, 3n].map((id) => ({ id, body: `post ${id}` })) };
		const made = await db.user.create({
			data: { ...row, balance: "12345678.90", bytes, posts },
			include: { posts: { orderBy: { id: "desc" }, take: 2 } },
		});
		t.like(made, row);
		t.is(made.balance.toFixed(2), "12345678.90");
		t.deepEqual([...made.bytes], [...bytes]);
		t.deepEqual(
			made.posts.map(({ id }) => id),
			[3n, 2n],
		);
		const { id } = made;
		const where = { email: "ada@x" };
		t.deepEqual(await db.user.findUnique({ where, select: { id: true } }), { id });
		const upserted = await db.user.upsert({
			where,
			create: { email: "never@x" },
			update: { role: "reader", big: { decrement: 1n } },
		});
		t.like(upserted, { id, role: "reader", big: 9223372036854775806n });
		const many = [{ email: "bob@x" }, { email: "ada@x" }];
		t.deepEqual(await db.user.createMany({ data: many, skipDuplicates: true }), { count: 1 });
		t.is(await db.user.count({ where: { tags: { has: "NULL" } } }), 1);
		t.is(await db.user.count({ where: { data: { path: ["a", "0"], equals: 1 } } }), 1);
		t.is(await db.user.count({ where: { email: { contains: "DA@", mode: "insensitive" } } }), 1);
		t.is(await db.user.count({ where: { posts: { some: { body: { endsWith: "2" } } } } }), 1);
		const grouped = await db.user.groupBy({
			by: ["role"],
			_count: { _all: true },
			_avg: { ratio: true },
		});
		t.deepEqual(grouped, [{ role: "reader", _count: { _all: 2 }, _avg: { ratio: -1e300 } }]);
		const [raw] = await db.$queryRaw`SELECT ${"x"}::text AS x, 1::int AS n, now() AS at`;
		t.like(raw, { x: "x", n: 1 });
		t.true(raw.at instanceof Date);
	});
});

check(titled("prisma: pages by cursor"), async (t) => {
	await connected(async (db) => {
		const found = [];
		for (let cursor; ; ) {
			const page = await db.post.findMany({
				orderBy: { id: "asc" },
				take: 2,
				...(cursor === undefined ? {} : { cursor: { id: cursor }, skip: 1 }),
			});
			if (page.length === 0) break;
			found.push(page.map(({ id }) => id));
			cursor = page.at(-1).id;
		}
		t.deepEqual(found, [[1n, 2n], [3n]]);
	});
});

check(titled("prisma: transactions, errors, many at once"), async (t) => {
	await connected(async (db) => {
		const isolationLevel = "Serializable";
		await db.$transaction(
			async (tx) => {
				await tx.post.update({ where: { id: 1n }, data: { body: "changed" } });
				t.is(await tx.post.count({ where: { body: "changed" } }), 1);
			},
			{ isolationLevel },
		);
		await t.throwsAsync(
			db.$transaction(async (tx) => {
				await tx.user.deleteMany();
				throw new Error("never mind");
			}),
			{ message: "never mind" },
		);
		t.deepEqual(await db.$transaction([db.user.count(), db.post.count()]), [2, 3]);
		const failure = async (work) => {
			const { code, meta } = await t.throwsAsync(work);
			return [code, meta?.driverAdapterError?.cause?.originalCode];
		};
		const twice = db.user.create({ data: { email: "ada@x" } });
		t.deepEqual(await failure(twice), ["P2002", "23505"]);
		const stray = db.post.create({ data: { id: 9n, userId: -1 } });
		t.deepEqual(await failure(stray), ["P2003", "23503"]);
		const gone = db.post.update({ where: { id: 99n }, data: { body: "x" } });
		t.is((await failure(gone))[0], "P2025");
		t.is((await failure(db.$queryRaw`SELECT * FROM nosuch`))[0], "P2010");
		const all = await Promise.all(
			Array.from({ length: 20 }, (_, n) => db.$queryRaw`SELECT ${n}::int AS n`),
		);
		t.deepEqual(
			all.map(([{ n }]) => n),
			Array.from({ length: 20 }, (_, n) => n),
		);
		t.deepEqual(await db.user.deleteMany(), { count: 2 });
		t.is(await db.post.count(), 0);
	});
});
