/** Tables as drizzle's users write them down; `drizzle-kit push` makes them. */
import { relations, sql } from "drizzle-orm";
import {
	bigint,
	boolean,
	check,
	customType,
	date,
	doublePrecision,
	index,
	integer,
	jsonb,
	numeric,
	pgEnum,
	pgTable,
	pgView,
	primaryKey,
	serial,
	text,
	timestamp,
	uniqueIndex,
	uuid,
	varchar,
} from "drizzle-orm/pg-core";

const bytea = customType({ dataType: () => "bytea" });

export const role = pgEnum("role", ["reader", "writer"]);

export const users = pgTable(
	"users",
	{
		id: serial("id").primaryKey(),
		number: integer("number").generatedAlwaysAsIdentity(),
		email: varchar("email", { length: 100 }).notNull().unique(),
		role: role("role").default("reader"),
		data: jsonb("data"),
		tags: text("tags").array(),
		at: timestamp("at", { withTimezone: true }).defaultNow(),
		day: date("day"),
		balance: numeric("balance", { precision: 10, scale: 2 }),
		ratio: doublePrecision("ratio"),
		big: bigint("big", { mode: "bigint" }),
		token: uuid("token").defaultRandom(),
		bytes: bytea("bytes"),
		lower: text("lower").generatedAlwaysAs(sql`lower(email)`),
	},
	(table) => [
		index("users_role_index").on(table.role, table.at),
		uniqueIndex("users_big_index").on(table.big),
		uniqueIndex("users_token_index").on(table.token).where(sql`role = 'writer'`),
		index("users_day_index").on(table.day.desc(), table.ratio.nullsFirst()),
		index("users_lower_index").on(sql`lower((email)::text)`),
	],
);

export const posts = pgTable(
	"posts",
	{
		author: integer("author")
			.notNull()
			.references(() => users.id, { onDelete: "cascade" }),
		nr: integer("nr").notNull(),
		body: text("body"),
		done: boolean("done").default(false).notNull(),
	},
	(table) => [
		primaryKey({ columns: [table.author, table.nr] }),
		check("posts_nr_check", sql`${table.nr} > 0`),
	],
);

export const usersRelations = relations(users, ({ many }) => ({ posts: many(posts) }));

export const postsRelations = relations(posts, ({ one }) => ({
	user: one(users, { fields: [posts.author], references: [users.id] }),
}));

export const writers = pgView("writers").as((query) =>
	query.select({ id: users.id, email: users.email }).from(users).where(sql`role = 'writer'`),
);
