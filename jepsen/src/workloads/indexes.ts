/**
 * Items that move between groups. In one transaction the number of each group is asked for in three ways: by an index, by the table
 * itself, and by a table of totals that every move keeps up to date. All three are always equal, also while indexes and columns are
 * added and dropped.
 */
import type { Operation } from "@quorate/checker/operations";
import { pairs } from "@quorate/checker/transactions";
import type { Mode, Session } from "../net/session.ts";
import type { SeededRandom } from "../workload/random.ts";
import { rowOf } from "./spread.ts";
import { numbersFrom, pick, verdict, type Work, type Worker, type Workload } from "./workload.ts";

const groupCount = 5;
const itemCount = 60;
const groups = numbersFrom(1, groupCount);
const items = numbersFrom(0, itemCount);
const modes: readonly Mode[] = ["pessimistic", "optimistic"];

type Counted = readonly (readonly [group: number, count: number])[];

const schema: readonly string[] = [
	"CREATE TABLE item (id int PRIMARY KEY, grp int NOT NULL, moves int NOT NULL)",
	"CREATE INDEX item_grp ON item (grp)",
	"CREATE TABLE total (grp int PRIMARY KEY, n int NOT NULL)",
	`INSERT INTO item VALUES ${items.map((i) => `(${rowOf(i)}, ${1 + (i % groupCount)}, 0)`).join()}`,
	`INSERT INTO total VALUES ${groups.map((g) => `(${g}, ${itemCount / groupCount})`).join()}`,
	"ALTER TABLE item SPLIT AT VALUES (10000), (20000)",
	"ALTER TABLE total SPLIT AT VALUES (3)",
];

const read: Work = {
	f: "read",
	value: null,
	run: (session) =>
		session.transaction({}, async () => {
			const byIndex: [number, number][] = [];
			for (const group of groups) {
				const text = `SELECT count(*) FROM item WHERE grp = ${group}`;
				byIndex.push([group, Number(await session.value(text))]);
			}
			// The sum of another column cannot be had from an index on the group.
			const byTable = await session.query(
				"SELECT grp, count(moves) FROM item WHERE id >= 0 GROUP BY grp ORDER BY grp",
			);
			const totals = await session.query("SELECT grp, n FROM total ORDER BY grp");
			const numbers = (rows: typeof totals) => rows.map(([g, n]) => [Number(g), Number(n)]);
			return { index: byIndex, table: numbers(byTable), totals: numbers(totals) };
		}),
};

function move(random: SeededRandom): Work {
	const item = rowOf(pick(random, items));
	const to = pick(random, groups);
	return {
		f: "move",
		value: [item, to],
		run: (session) =>
			session.transaction({ mode: pick(random, modes) }, async () => {
				const from = await session.value(`SELECT grp FROM item WHERE id = ${item}`);
				await session.query(`UPDATE item SET grp = ${to}, moves = moves + 1 WHERE id = ${item}`);
				await session.query(`UPDATE total SET n = n - 1 WHERE grp = ${from}`);
				await session.query(`UPDATE total SET n = n + 1 WHERE grp = ${to}`);
				return [item, to];
			}),
	};
}

/** An item leaves the table and comes back under the same key. */
function replace(random: SeededRandom): Work {
	const item = rowOf(pick(random, items));
	return {
		f: "replace",
		value: item,
		run: (session) =>
			session.transaction({ mode: pick(random, modes) }, async () => {
				const group = await session.value(`DELETE FROM item WHERE id = ${item} RETURNING grp`);
				await session.query(`INSERT INTO item (id, grp, moves) VALUES (${item}, ${group}, 0)`);
				return item;
			}),
	};
}

const next = ({ random }: Worker): Work => {
	const kind = random.between(1, 10);
	if (kind <= 4) return read;
	return kind <= 8 ? move(random) : replace(random);
};

const split = (random: SeededRandom): string =>
	`ALTER TABLE item SPLIT AT VALUES (${random.between(1, 29_999)})`;

function check(history: readonly Operation[]) {
	const ok = pairs(history).filter(({ status }) => status === "ok");
	const reads = ok.filter(({ f }) => f === "read");
	const findings = reads.flatMap(({ id, answered }) => {
		const { index, table, totals } = answered as unknown as Record<string, Counted>;
		const texts = [index!, table!, totals!].map((counted) =>
			JSON.stringify(counted.filter(([, n]) => n > 0)),
		);
		const sum = totals!.reduce((total, [, n]) => total + n, 0);
		if (texts[0] === texts[1] && texts[1] === texts[2] && sum === itemCount) return [];
		const explanation = [
			`#${id} saw by the index ${texts[0]}`,
			`by the table ${texts[1]}`,
			`in the totals ${texts[2]}, ${sum} of ${itemCount} in all`,
		];
		return [{ kind: "index-differs", explanation }];
	});
	const changes = ok.filter(({ f }) => f === "ddl").length;
	const counts = { reads: reads.length, moves: ok.length - reads.length - changes, changes };
	return verdict(findings, counts, counts.reads > 0 && counts.moves > 0);
}

export const indexes = (): Workload => ({
	name: "indexes",
	about: "an index, its table and totals kept in another table agree in every transaction",
	...{ schema, next, split, check },
	finals: () => [read],
});

/** Each is undone by the one after it, where it was done. */
const changes: readonly string[] = [
	"CREATE INDEX IF NOT EXISTS item_moves ON item (moves)",
	"DROP INDEX IF EXISTS item_grp",
	"ALTER TABLE item ADD COLUMN IF NOT EXISTS note text DEFAULT 'x'",
	"CREATE INDEX IF NOT EXISTS item_grp ON item (grp)",
	"ALTER TABLE item DROP COLUMN IF EXISTS note",
	"DROP INDEX IF EXISTS item_moves",
	"CREATE INDEX IF NOT EXISTS item_both ON item (grp, moves)",
	"DROP INDEX IF EXISTS item_both",
];

export function ddl(): Workload {
	let change = 0;
	return {
		...indexes(),
		name: "ddl",
		about: "the same while indexes and columns are added and dropped",
		next: (worker) => {
			if (worker.index !== 0) return next(worker);
			const text = changes[change++ % changes.length]!;
			return {
				f: "ddl",
				value: text,
				timeoutMs: 30_000,
				run: (session: Session) =>
					session.alone(async () => {
						await session.query(text);
						return text;
					}),
			};
		},
		check: (history) => {
			const result = check(history);
			return verdict(result.findings, result.counts, result.valid && result.counts["changes"]! > 0);
		},
	};
}
