/** register: reads, writes and compare-and-sets of single keys are linearizable, key by key. */
import { checkLinearizability } from "@quorate/checker/linearizability";
import { registerOperations } from "@quorate/checker/transactions";
import { Failed } from "../net/session.ts";
import { keyPlace, spreadTables } from "./spread.ts";
import { numbersFrom, pick, verdict, type Work, type Workload } from "./workload.ts";

const inUse = 5;
/** The search is exponential in what was lost on one key. */
const operationsMax = 80;
const valueMax = 5;

export function singleKeys(): Workload {
	const tables = spreadTables("cell", "v int NOT NULL");
	const keys = [...numbersFrom(0, inUse)];
	const used: number[] = Array(inUse).fill(0);
	let nextKey = inUse;
	const read = (key: number): Work => ({
		f: "read",
		value: [key, null],
		run: (session) =>
			session.alone(async () => {
				const { table, row } = keyPlace(tables, key);
				const value = await session.value(`SELECT v FROM ${table} WHERE k = ${row}`);
				return [key, value === null ? null : Number(value)];
			}),
	});
	const write = (key: number, value: number): Work => ({
		f: "write",
		value: [key, value],
		run: (session) =>
			session.alone(async () => {
				const { table, row } = keyPlace(tables, key);
				await session.query(
					`INSERT INTO ${table} VALUES (${row}, ${value}) ON CONFLICT (k) DO UPDATE SET v = ${value}`,
				);
				return [key, value];
			}),
	});
	const compareAndSet = (key: number, from: number, to: number): Work => ({
		f: "cas",
		value: [key, [from, to]],
		run: (session) =>
			session.alone(async () => {
				const { table, row } = keyPlace(tables, key);
				const done = await session.query(
					`UPDATE ${table} SET v = ${to} WHERE k = ${row} AND v = ${from} RETURNING v`,
				);
				if (done.length === 0) throw new Failed("fail", "other", `${from} is not there`);
				return [key, [from, to]];
			}),
	});
	return {
		name: "register",
		about: "reads, writes and compare-and-sets of single rows are linearizable",
		schema: tables.schema,
		split: tables.split,
		next: ({ random }) => {
			const slot = random.between(0, inUse - 1);
			const key = keys[slot]!;
			if (++used[slot]! >= operationsMax) {
				used[slot] = 0;
				keys[slot] = nextKey++;
			}
			const value = () => random.between(1, valueMax);
			const kind = pick(random, ["read", "read", "write", "cas"] as const);
			if (kind === "read") return read(key);
			return kind === "write" ? write(key, value()) : compareAndSet(key, value(), value());
		},
		finals: () => numbersFrom(0, nextKey).map(read),
		check: (history) => {
			const { valid, ok, counterexamples, unknown } = checkLinearizability(
				registerOperations(history),
			);
			const findings = [
				...counterexamples.map(({ explanation }) => ({ kind: "not-linearizable", explanation })),
				...unknown.map((key) => ({
					kind: "undecided",
					explanation: [`too much was possible of key ${key}: nothing is known of it`],
				})),
			];
			return verdict(findings, { operations: ok, keys: nextKey }, valid);
		},
	};
}
