/**
 * SQL under faults: lists that transactions append to, checked for strict serializability; accounts whose total stays; items
 * that move between groups, where the index on the group must show what the table shows; and a row of its own for each
 * transaction, which is there exactly if it committed.
 */
import type { Transaction as HistoryEntry, MicroOp } from "@quorate/checker/history";
import type { SeededRandom } from "../runtime/seeded-random.ts";
import type { SimCluster } from "./sim-cluster.ts";
import type { Execute, Rows, SqlOutcome, SqlSession } from "./sql-session.ts";

const listCount = 12;
const accountCount = 8;
const itemCount = 40;
const groupCount = 6;
const startBalance = 100;

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const valuesOf = (count: number, row: (i: number) => string): string =>
	numbers(count).map(row).join(", ");

export const schema: readonly string[] = [
	"CREATE TABLE lists (k int PRIMARY KEY, v text NOT NULL)",
	"CREATE TABLE accounts (id int PRIMARY KEY, balance int NOT NULL)",
	"CREATE TABLE items (id int PRIMARY KEY, grp int NOT NULL, n int NOT NULL)",
	"CREATE INDEX items_grp ON items (grp)",
	"CREATE TABLE ids (id int PRIMARY KEY)",
	`INSERT INTO lists VALUES ${valuesOf(listCount, (i) => `(${i}, '')`)} ON CONFLICT DO NOTHING`,
	`INSERT INTO accounts VALUES ${valuesOf(accountCount, (i) => `(${i}, ${startBalance})`)} ON CONFLICT DO NOTHING`,
	`INSERT INTO items VALUES ${valuesOf(itemCount, (i) => `(${i}, ${i % groupCount}, 0)`)} ON CONFLICT DO NOTHING`,
	"ALTER TABLE lists SPLIT AT VALUES (4), (8)",
	"ALTER TABLE accounts SPLIT AT VALUES (4)",
	"ALTER TABLE items SPLIT AT VALUES (20)",
];

/** Made while the items change: of some of them, on what is made of their numbers. */
export const lateIndex =
	"CREATE INDEX items_n ON items ((n % 4) DESC NULLS LAST, id) WHERE grp > 1";

const listOf = (text: string | null | undefined): number[] =>
	(text ?? "").split(" ").filter(Boolean).map(Number);

export class SqlWorkload {
	readonly history: HistoryEntry[] = [];
	readonly outcomes = new Map<string, number>();
	readonly #cluster: SimCluster;
	/** Of the transactions that left a row: what is known of them. */
	readonly #ids = new Map<number, SqlOutcome<unknown>["status"]>();
	/** Transactions. */
	committed = 0;
	#clock = 0;
	#value = 0;
	#transactions = 0;

	constructor(cluster: SimCluster) {
		this.#cluster = cluster;
	}

	async run(id: number, session: SqlSession, random: SeededRandom, goesOn: () => boolean) {
		while (goesOn()) {
			await this.#one(id, session, random);
			await this.#cluster.world.sleep(random.exponential(100));
		}
		session.close();
	}

	async #one(id: number, session: SqlSession, random: SeededRandom): Promise<void> {
		const kind = random.float();
		if (kind < 0.5) await this.#lists(id, session, random);
		else if (kind < 0.65) await this.#count(session.transaction((x) => transfer(x, random)));
		else if (kind < 0.9) await this.#items(session, random);
		else await this.#compare(session, random);
	}

	async #lists(process: number, session: SqlSession, random: SeededRandom): Promise<void> {
		const steps = Array.from({ length: 1 + random.below(3) }, () => ({
			key: random.below(listCount),
			append: random.chance(0.5) ? ++this.#value : undefined,
		}));
		await this.#record(process, session, steps);
	}

	async #record(
		process: number,
		session: SqlSession,
		steps: readonly { readonly key: number; readonly append: number | undefined }[],
	): Promise<string> {
		const id = this.#transactions++;
		const invoked = this.#clock++;
		const outcome = await session.transaction(async (execute) => {
			const ops: MicroOp[] = [];
			for (const { key, append } of steps) {
				if (append === undefined) {
					const rows = await execute(`SELECT v FROM lists WHERE k = ${key}`);
					ops.push(["r", key, listOf(rows[0]?.[0])]);
				} else {
					await execute(`UPDATE lists SET v = v || '${append} ' WHERE k = ${key}`);
					ops.push(["append", key, append]);
				}
			}
			return ops;
		});
		const unknown = steps.map(
			({ key, append }): MicroOp =>
				append === undefined ? ["r", key, null] : ["append", key, append],
		);
		const { status } = outcome;
		const completed = status === "info" ? Number.POSITIVE_INFINITY : this.#clock++;
		const ops = outcome.status === "ok" ? outcome.value : unknown;
		this.history.push({ id, process, status, ops, invoked, completed });
		this.#note(outcome);
		return status;
	}

	async #items(session: SqlSession, random: SeededRandom): Promise<void> {
		const id = this.#ids.size;
		this.#ids.set(id, "info");
		const outcome = await session.transaction(async (execute) => {
			await execute(`INSERT INTO ids VALUES (${id})`);
			await changeItems(execute, random);
		});
		this.#ids.set(id, outcome.status);
		this.#note(outcome);
	}

	/** What the index shows is what the table shows, at one timestamp; totals as well. */
	async #compare(session: SqlSession, random: SeededRandom): Promise<void> {
		const group = random.below(groupCount);
		const outcome = await session.transaction(async (execute) => ({
			byIndex: await execute(`SELECT id FROM items WHERE grp = ${group} ORDER BY id`),
			byTable: await execute("SELECT id, grp FROM items ORDER BY id"),
			total: await execute("SELECT sum(balance), count(*) FROM accounts"),
		}));
		this.#note(outcome);
		if (outcome.status !== "ok") return;
		const { byIndex, byTable, total } = outcome.value;
		this.#same(`group ${group}`, byIndex, ofGroup(byTable, group));
		this.#same("the accounts", total, [
			[String(accountCount * startBalance), String(accountCount)],
		]);
	}

	/** Once everything is quiet. */
	async conclude(session: SqlSession): Promise<void> {
		const reads = numbers(listCount).map((key) => ({ key, append: undefined }));
		await this.#cluster.until("every list can be read", 60_000, async () => {
			return (await this.#record(1_000, session, reads)) === "ok";
		});
		await this.#compareAll(session, "items_grp", "grp", "grp >= 0");
		await this.#compareAll(session, "items_n", "n % 4", "grp > 1");
		const present = new Set((await session.insist("SELECT id FROM ids")).map((r) => Number(r[0])));
		for (const [id, status] of this.#ids) {
			if (status === "ok" && !present.has(id)) {
				this.#cluster.problems.push(`transaction ${id} was acknowledged and is gone`);
			}
			if (status === "fail" && present.has(id)) {
				this.#cluster.problems.push(`transaction ${id} failed and is there`);
			}
		}
	}

	/** Every value of what is indexed, in rows that are: what the index finds is what the table holds. */
	async #compareAll(
		session: SqlSession,
		index: string,
		value: string,
		condition: string,
	): Promise<void> {
		const all = await session.insist(`SELECT id, ${value}, ${condition} FROM items ORDER BY id`);
		const byTable = all.filter((row) => row[2] === "t");
		const plan = await session.insist(
			`EXPLAIN SELECT id FROM items WHERE ${value} = 0 AND ${condition}`,
		);
		if (!JSON.stringify(plan).includes(index)) {
			this.#cluster.problems.push(`${index} is not used: ${JSON.stringify(plan)}`);
		}
		for (const one of new Set(byTable.map((row) => row[1]))) {
			const byIndex = await session.insist(
				`SELECT id FROM items WHERE ${value} = ${one} AND ${condition} ORDER BY id`,
			);
			this.#same(`${value} is ${one}`, byIndex, ofGroup(byTable, Number(one)));
		}
	}

	#same(what: string, found: Rows, expected: Rows): void {
		if (JSON.stringify(found) !== JSON.stringify(expected)) {
			this.#cluster.problems.push(
				`${what}: ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`,
			);
		}
	}

	async #count(work: Promise<SqlOutcome<unknown>>): Promise<void> {
		this.#note(await work);
	}

	#note(outcome: SqlOutcome<unknown>): void {
		const name = outcome.status === "ok" ? "ok" : `${outcome.status} ${outcome.code}`;
		this.outcomes.set(name, (this.outcomes.get(name) ?? 0) + 1);
		if (outcome.status === "ok") this.committed++;
	}
}

const ofGroup = (rows: Rows, group: number): Rows =>
	rows.filter((r) => r[1] === String(group)).map((r) => [r[0]!]);

async function transfer(execute: Execute, random: SeededRandom): Promise<void> {
	const [from, to] = random.shuffled(numbers(accountCount));
	const amount = random.below(20);
	await execute(`UPDATE accounts SET balance = balance - ${amount} WHERE id = ${from}`);
	await execute(`UPDATE accounts SET balance = balance + ${amount} WHERE id = ${to}`);
}

async function changeItems(execute: Execute, random: SeededRandom): Promise<void> {
	const item = random.below(itemCount);
	const [a, b] = [random.below(groupCount), random.below(groupCount)];
	const kind = random.float();
	if (kind < 0.5) {
		await execute(`UPDATE items SET grp = ${a}, n = n + 1 WHERE id = ${item}`);
	} else if (kind < 0.7) {
		await execute(`DELETE FROM items WHERE id = ${item}`);
	} else if (kind < 0.9) {
		await execute(
			`INSERT INTO items VALUES (${item}, ${a}, 0) ON CONFLICT (id) DO UPDATE SET grp = ${b}, n = items.n + 1`,
		);
	} else {
		await execute(`UPDATE items SET grp = ${b}, n = n + 1 WHERE grp = ${a}`);
	}
}
