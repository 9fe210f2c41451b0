/**
 * What is seen in which order. monotonic: counters never go back. sequential: the rows of one process are seen in its order. comments:
 * a row that was there before another was begun is seen by whoever sees that one. long-fork: nobody sees two writes in one order
 * that others see in the other.
 */
import { checkCausalReverse } from "@quorate/checker/causal-reverse";
import { checkLongFork } from "@quorate/checker/long-fork";
import { checkMonotonic } from "@quorate/checker/monotonic";
import type { Operation } from "@quorate/checker/operations";
import { pairs } from "@quorate/checker/transactions";
import { checkUniqueIds } from "@quorate/checker/unique-ids";
import type { Session } from "../net/session.ts";
import { keyPlace, type SpreadTables, spreadTables } from "./spread.ts";
import { explained, numbersFrom, verdict, type Work, type Workload } from "./workload.ts";

const counterCount = 6;

export function monotonic(): Workload {
	const tables = spreadTables("counter", "v int NOT NULL");
	const places = numbersFrom(0, counterCount).map((key) => ({ key, ...keyPlace(tables, key) }));
	const work = (f: "increment" | "read", key: number): Work => ({
		f,
		value: [key, null],
		run: (session) =>
			session.alone(async () => {
				const { table, row } = places[key]!;
				const text =
					f === "read"
						? `SELECT v FROM ${table} WHERE k = ${row}`
						: `UPDATE ${table} SET v = v + 1 WHERE k = ${row} RETURNING v`;
				return [key, Number(await session.value(text))];
			}),
	});
	return {
		name: "monotonic",
		about: "counters never go back, and count every increment that was acknowledged once",
		schema: [
			...tables.schema,
			...places.map(({ table, row }) => `INSERT INTO ${table} VALUES (${row}, 0)`),
		],
		split: tables.split,
		next: ({ random }) =>
			work(random.between(1, 2) === 1 ? "read" : "increment", random.between(0, counterCount - 1)),
		finals: () => places.map(({ key }) => work("read", key)),
		check: checkCounters,
	};
}

function checkCounters(history: readonly Operation[]) {
	const all = pairs(history);
	const observations = all.flatMap(({ id, status, answered, invoked, completed }) => {
		if (status !== "ok") return [];
		const [key, value] = answered as readonly [number, number];
		return [{ id, key, value, invoked, completed }];
	});
	const { decreases, valid } = checkMonotonic(observations);
	const increments = all.filter(({ f }) => f === "increment");
	const given = increments.flatMap(({ status, answered }) =>
		status === "ok" ? [(answered as readonly number[]).join(": ")] : [],
	);
	const twice = checkUniqueIds(given).duplicates.map(([value]) => ({
		explanation: `two increments were both answered with ${value}`,
	}));
	const wrong = numbersFrom(0, counterCount).flatMap((key) => {
		const of = (status: string) =>
			increments.filter((o) => o.status === status && (o.asked as readonly number[])[0] === key);
		const last = Math.max(0, ...observations.flatMap((o) => (o.key === key ? [o.value] : [])));
		const [ok, info] = [of("ok").length, of("info").length];
		return last >= ok && last <= ok + info
			? []
			: [{ explanation: `counter ${key} is ${last} after ${ok} increments and ${info} unknown` }];
	});
	const findings = [
		...explained("decrease", decreases),
		...explained("increment-twice", twice),
		...explained("wrong-count", wrong),
	];
	return verdict(findings, { observations: observations.length, increments: given.length }, valid);
}

/** Keys of one group are read together; a group is over when all are written. */
const groupSize = 30;

function readGroup(tables: SpreadTables, group: number, size: number): Work {
	const keys = numbersFrom(group * size, size);
	return {
		f: "read",
		value: [group, null],
		run: (session) =>
			session.transaction({}, async () => {
				const seen: number[] = [];
				for (const name of tables.names) {
					const rows = await session.query(
						`SELECT v FROM ${name} WHERE v BETWEEN ${keys[0]} AND ${keys.at(-1)}`,
					);
					seen.push(...rows.map(([value]) => Number(value)));
				}
				return [group, seen];
			}),
	};
}

const writeKey = (tables: SpreadTables, key: number): Work => ({
	f: "write",
	value: key,
	run: (session: Session) =>
		session.alone(async () => {
			const { table, row } = keyPlace(tables, key);
			await session.query(`INSERT INTO ${table} VALUES (${row}, ${key})`);
			return key;
		}),
});

interface GroupedOptions {
	readonly name: string;
	readonly about: string;
	readonly size: number;
	readonly writesOf: number;
	readonly check: Workload["check"];
}

/** Rows that are written once each, and looked at in groups, by an index over what the tables are not sorted by. */
function grouped({ name, about, size, writesOf, check }: GroupedOptions): Workload {
	const tables = spreadTables(name.replace("-", "_"), "v int NOT NULL");
	let next = 0;
	return {
		name,
		about,
		schema: [...tables.schema, ...tables.names.map((t) => `CREATE INDEX ${t}_v ON ${t} (v)`)],
		split: tables.split,
		next: ({ random }) => {
			if (random.between(1, 4) <= writesOf) return writeKey(tables, next++);
			const newest = Math.floor(Math.max(0, next - 1) / size);
			return readGroup(tables, Math.max(0, newest - random.between(0, 1)), size);
		},
		finals: () =>
			numbersFrom(0, Math.ceil(next / size)).map((group) => readGroup(tables, group, size)),
		check,
	};
}

export const causalReverse = (): Workload =>
	grouped({
		name: "comments",
		about: "a row is not seen without those that were there before it was begun",
		size: groupSize,
		writesOf: 2,
		check: (history) => checkComments(history, groupSize),
	});

const chainLength = 5;

/** A worker writes one key of its chain after the other; others look for them from the last to the first, each by itself. */
export function sequential(): Workload {
	const tables = spreadTables("chain", "v int NOT NULL");
	const chains = new Map<number, { readonly chain: number; written: number }>();
	let chainCount = 0;
	const read = (chain: number): Work => ({
		f: "read",
		value: [chain, null],
		run: (session) =>
			session.alone(async () => {
				const seen: number[] = [];
				for (const key of [...numbersFrom(chain * chainLength, chainLength)].reverse()) {
					const { table, row } = keyPlace(tables, key);
					const found = await session.query(`SELECT v FROM ${table} WHERE k = ${row}`);
					if (found.length > 0) seen.push(key);
				}
				return [chain, seen];
			}),
	});
	return {
		name: "sequential",
		about: "the rows of one process are seen in its order",
		schema: tables.schema,
		split: tables.split,
		next: ({ random, index }) => {
			if (chainCount > 0 && random.between(1, 2) === 1) {
				return read(Math.max(0, chainCount - 1 - random.between(0, 2 * chains.size)));
			}
			let own = chains.get(index);
			if (own === undefined || own.written === chainLength) {
				own = { chain: chainCount++, written: 0 };
				chains.set(index, own);
			}
			return writeKey(tables, own.chain * chainLength + own.written++);
		},
		finals: () => numbersFrom(0, chainCount).map(read),
		check: (history) => checkComments(history, chainLength),
	};
}

function readsOf(history: readonly Operation[]) {
	return pairs(history).flatMap(({ id, f, status, answered }) => {
		if (f !== "read" || status !== "ok") return [];
		const [group, seen] = answered as unknown as readonly [number, readonly number[]];
		return [{ id, group, seen }];
	});
}

function grouping<T>(items: readonly T[], groupOf: (item: T) => number): ReadonlyMap<number, T[]> {
	const groups = new Map<number, T[]>();
	for (const item of items) {
		const group = groups.get(groupOf(item));
		if (group === undefined) groups.set(groupOf(item), [item]);
		else group.push(item);
	}
	return groups;
}

/** Of the group that it read, a read must have seen what had been written before what it saw. */
function checkComments(history: readonly Operation[], size: number) {
	const writes = pairs(history).flatMap(({ f, asked, process, status, invoked, completed }) =>
		f === "write" ? [{ key: asked as number, process, status, invoked, completed }] : [],
	);
	const reads = readsOf(history);
	const byGroup = grouping(reads, ({ group }) => group);
	const writesByGroup = grouping(writes, ({ key }) => Math.floor(key / size));
	const results = [...byGroup].map(([group, ofGroup]) =>
		checkCausalReverse(writesByGroup.get(group) ?? [], ofGroup),
	);
	const findings = results.flatMap(({ reversals }) =>
		reversals.flatMap((r) => explained(r.kind, [r])),
	);
	const counts = { writes: writes.filter((w) => w.status === "ok").length, reads: reads.length };
	return verdict(
		findings,
		counts,
		reads.some(({ seen }) => seen.length > 1),
	);
}

export const longFork = (): Workload =>
	grouped({
		name: "long-fork",
		about: "no two reads see the same two writes in opposite orders",
		size: 3,
		writesOf: 1,
		check: (history) => {
			const reads = readsOf(history);
			const { forks, valid } = checkLongFork(reads);
			return verdict(explained("long-fork", forks), { reads: reads.length }, valid);
		},
	});
