/**
 * Transactions that append to lists and read them, over three tables of three ranges each. Each level of isolation has lists of its
 * own, and is held to what it promises; both modes of transactions, and statements without BEGIN, meet on the same lists.
 */
import type { MicroOp, Transaction } from "@quorate/checker/history";
import type { CheckResult, Level } from "@quorate/checker/isolation";
import { checkListAppend } from "@quorate/checker/list-append";
import type { Operation, Value } from "@quorate/checker/operations";
import { listTransactions } from "@quorate/checker/transactions";
import type { Isolation, Mode, Rows, Session } from "../net/session.ts";
import type { SeededRandom } from "../workload/random.ts";
import { findingsOf } from "./findings.ts";
import { keyPlace, spreadTables } from "./spread.ts";
import { pick, type Verdict, verdict, type Work, type Worker, type Workload } from "./workload.ts";

/** What docs/decisions and the README promise of each level. */
const promises: readonly (readonly [Isolation, Level])[] = [
	["serializable", "strict-serializable"],
	["repeatable read", "strong-snapshot-isolation"],
	["read committed", "read-committed"],
];
const modes: readonly Mode[] = ["pessimistic", "optimistic"];
/** Lists that are in use at once, by level, and how long they become before another takes their place. */
const listsInUse = 8;
const appendsMax = 40;
const opsMax = 4;

const tables = spreadTables("list", "v text NOT NULL");

/** Keys of a level: those that are equal modulo the number of levels. */
class Keys {
	readonly #level: number;
	readonly #appends: number[] = Array(listsInUse).fill(0);
	readonly #keys: number[];
	readonly used: number[];
	#next = listsInUse;
	#value = 0;

	constructor(level: number) {
		this.#level = level;
		this.#keys = Array.from({ length: listsInUse }, (_, i) => this.#key(i));
		this.used = [...this.#keys];
	}

	#key = (n: number): number => n * promises.length + this.#level;

	op(random: SeededRandom): readonly ["append" | "r", number, number | null] {
		// Some lists are much more in demand than others.
		const slot = Math.min(random.between(0, listsInUse - 1), random.between(0, listsInUse - 1));
		const key = this.#keys[slot]!;
		if (random.between(1, 2) === 1) return ["r", key, null];
		this.#appends[slot]!++;
		if (this.#appends[slot]! >= appendsMax) {
			this.#appends[slot] = 0;
			this.#keys[slot] = this.#key(this.#next++);
			this.used.push(this.#keys[slot]!);
		}
		return ["append", key, ++this.#value];
	}
}

type Asked = readonly ["append" | "r", number, number | null];

export function listAppend(only?: readonly Isolation[]): Workload {
	const chosen = promises.filter(([isolation]) => only?.includes(isolation) ?? true);
	const keys = new Map(
		chosen.map(([isolation]) => [
			isolation,
			new Keys(promises.findIndex(([name]) => name === isolation)),
		]),
	);
	return {
		name: "list-append",
		about: "serializable, snapshot isolation and read committed, each as it is promised",
		schema: tables.schema,
		split: tables.split,
		next: ({ random }: Worker) => next(random, keys),
		finals: () =>
			[...keys].flatMap(([, { used }]) => {
				const half = used.length >> 1;
				return [used.slice(0, half), used.slice(half)].map((part) =>
					transaction(
						part.map((key) => ["r", key, null]),
						"serializable",
						"pessimistic",
					),
				);
			}),
		check: (history) => check(history, chosen),
	};
}

function next(random: SeededRandom, keys: ReadonlyMap<Isolation, Keys>): Work {
	// Half of all is serializable, where it is among those chosen.
	const isolation =
		random.between(1, 2) === 1 ? [...keys.keys()][0]! : pick(random, [...keys.keys()]);
	const ops = Array.from({ length: random.between(1, opsMax) }, () =>
		keys.get(isolation)!.op(random),
	);
	const first = ops[0]!;
	const isAlone = ops.length === 1 && random.between(1, 2) === 1;
	// A statement without BEGIN is serializable, the default.
	if (isAlone && isolation === "serializable") {
		return {
			f: "txn",
			value: ops,
			run: (session) => session.alone(async () => [await runOp(session, first)]),
		};
	}
	return transaction(ops, isolation, pick(random, modes));
}

function transaction(ops: readonly Asked[], isolation: Isolation, mode: Mode): Work {
	return {
		f: "txn",
		value: ops,
		run: (session) =>
			session.transaction({ isolation, mode }, async () => {
				const answered: Value[] = [];
				for (const op of ops) answered.push(await runOp(session, op));
				return answered;
			}),
	};
}

async function runOp(session: Session, [kind, key, value]: Asked): Promise<Value> {
	const { table, row } = keyPlace(tables, key);
	if (kind === "r") {
		return ["r", key, decode(await session.query(`SELECT v FROM ${table} WHERE k = ${row}`))];
	}
	await session.query(
		`INSERT INTO ${table} VALUES (${row}, '${value}') ON CONFLICT (k) DO UPDATE SET v = ${table}.v || ' ${value}'`,
	);
	return ["append", key, value];
}

const decode = (rows: Rows): readonly number[] =>
	(rows[0]?.[0] ?? "").split(" ").filter(Boolean).map(Number);

function check(
	history: readonly Operation[],
	levels: readonly (readonly [Isolation, Level])[],
): Verdict {
	const transactions = listTransactions(history);
	const results: (readonly [Transaction[], CheckResult])[] = [];
	const counts: Record<string, number> = {};
	for (const [isolation, level] of levels) {
		const number = promises.findIndex(([name]) => name === isolation);
		const ofLevel = transactions.filter((t) => levelOf(t.ops) === number);
		const result = checkListAppend(ofLevel, { level });
		counts[`${isolation} ok`] = result.ok;
		// Anomalies that a level may show, and did: proof that the load would show those it may not.
		for (const { kind } of result.allowed) {
			counts[`${isolation} ${kind}`] = (counts[`${isolation} ${kind}`] ?? 0) + 1;
		}
		results.push([ofLevel, result]);
	}
	const findings = results.flatMap(([ofLevel, { anomalies }]) => findingsOf(anomalies, ofLevel));
	return verdict(
		findings,
		counts,
		results.every(([, { ok }]) => ok > 0),
	);
}

const levelOf = (ops: readonly MicroOp[]): number => Number(ops[0]?.[1] ?? 0) % promises.length;
