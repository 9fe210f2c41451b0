/**
 * rw-register: transactions that read registers and write them blindly. g2: transactions that look by a condition whether anything is
 * there, in two tables, and insert into one of them if nothing is.
 */
import type { Operation, Value } from "@quorate/checker/operations";
import { checkRegisters } from "@quorate/checker/registers";
import { registerTransactions } from "@quorate/checker/transactions";
import { Failed, type Mode, type Session } from "../net/session.ts";
import type { SeededRandom } from "../workload/random.ts";
import { findingsOf } from "./findings.ts";
import { keyPlace, rowOf, spreadTables } from "./spread.ts";
import { pick, type Verdict, verdict, type Work, type Workload } from "./workload.ts";

const modes: readonly Mode[] = ["pessimistic", "optimistic"];
const inUse = 8;
const writesMax = 60;

type Asked = readonly ["r" | "w", number, number | null];

export function registers(): Workload {
	const tables = spreadTables("register", "v int NOT NULL");
	const keys = Array.from({ length: inUse }, (_, i) => i);
	const writes: number[] = Array(inUse).fill(0);
	let nextKey = inUse;
	let value = 0;
	const op = (random: SeededRandom): Asked => {
		const slot = random.between(0, inUse - 1);
		const key = keys[slot]!;
		if (random.between(1, 2) === 1) return ["r", key, null];
		if (++writes[slot]! >= writesMax) {
			writes[slot] = 0;
			keys[slot] = nextKey++;
		}
		return ["w", key, ++value];
	};
	const run = async (session: Session, [kind, key, written]: Asked): Promise<Value> => {
		const { table, row } = keyPlace(tables, key);
		if (kind === "r") {
			const read = await session.value(`SELECT v FROM ${table} WHERE k = ${row}`);
			return ["r", key, read === null ? null : Number(read)];
		}
		await session.query(
			`INSERT INTO ${table} VALUES (${row}, ${written}) ON CONFLICT (k) DO UPDATE SET v = ${written}`,
		);
		return ["w", key, written];
	};
	const transaction = (ops: readonly Asked[], mode: Mode): Work => ({
		f: "txn",
		value: ops,
		run: (session) =>
			session.transaction({ mode }, async () => {
				const answered: Value[] = [];
				for (const asked of ops) answered.push(await run(session, asked));
				return answered;
			}),
	});
	return {
		name: "rw-register",
		about: "transactions on registers with blind writes are strictly serializable",
		schema: tables.schema,
		split: tables.split,
		next: ({ random }) =>
			transaction(
				Array.from({ length: random.between(1, 4) }, () => op(random)),
				pick(random, modes),
			),
		finals: () => [
			transaction(
				Array.from({ length: nextKey }, (_, key) => ["r", key, null]),
				"pessimistic",
			),
		],
		check: (history) => check(history, true),
	};
}

function check(history: readonly Operation[], realTime: boolean): Verdict {
	const transactions = registerTransactions(history);
	const { anomalies, ok } = checkRegisters(transactions, { versionOrder: { realTime } });
	return verdict(findingsOf(anomalies, transactions), { transactions: ok }, ok > 0);
}

/** Of so many transactions that look for the same key at most one may insert it. */
const attempts = 4;

export function g2(): Workload {
	let count = 0;
	let value = 0;
	const empty = (session: Session, table: string, key: number) =>
		session.query(`SELECT k FROM ${table} WHERE pair = ${key} AND v % 3 = 0`);
	return {
		name: "g2",
		about:
			"two that find nothing by a condition, and insert what the other looked for, do not both commit",
		schema: ["left_side", "right_side"].flatMap((table) => [
			`CREATE TABLE ${table} (k int PRIMARY KEY, pair int NOT NULL, v int NOT NULL)`,
			`CREATE INDEX ${table}_pair ON ${table} (pair)`,
			`ALTER TABLE ${table} SPLIT AT VALUES (10000), (20000)`,
		]),
		split: (random) =>
			`ALTER TABLE ${pick(random, ["left_side", "right_side"])} SPLIT AT VALUES (${random.between(1, 29_999)})`,
		next: ({ random }) => {
			const key = Math.floor(count++ / attempts);
			const [side, place] =
				random.between(1, 2) === 1 ? ["left_side", `a${key}`] : ["right_side", `b${key}`];
			const written = ++value;
			const watched = [`a${key}`, `b${key}`];
			return {
				f: "txn",
				value: [
					["p", watched, null],
					["w", place, written],
				],
				run: (session) =>
					session.transaction({ mode: pick(random, modes) }, async () => {
						const found = await empty(session, "left_side", key);
						if (found.length > 0 || (await empty(session, "right_side", key)).length > 0) {
							throw new Failed("fail", "taken", "somebody was faster");
						}
						await session.query(
							`INSERT INTO ${side} VALUES (${rowOf(written)}, ${key}, ${written * 3})`,
						);
						return [
							["p", watched, []],
							["w", place, written],
						];
					}),
			};
		},
		check: (history) => check(history, false),
	};
}
