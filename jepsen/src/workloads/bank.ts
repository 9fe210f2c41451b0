/** Transfers between accounts in two tables; every look at all of them shows the same total. */
import { checkBank } from "@quorate/checker/bank";
import type { Key } from "@quorate/checker/history";
import type { Operation } from "@quorate/checker/operations";
import { pairs } from "@quorate/checker/transactions";
import { Failed, type Isolation, type Mode } from "../net/session.ts";
import { explained, numbersFrom, pick, verdict, type Work, type Workload } from "./workload.ts";

const accountCount = 12;
const initial = 50;
const accounts = numbersFrom(1, accountCount);
const table = (account: number): string => (account % 2 === 0 ? "even_account" : "odd_account");
const modes: readonly Mode[] = ["pessimistic", "optimistic"];
/** A snapshot is enough for the sum, and write skew cannot touch it: two transfers from one account change the same row. */
const isolations: readonly Isolation[] = ["serializable", "repeatable read"];

export function bank(): Workload {
	const read = (isolation: Isolation): Work => ({
		f: "read",
		value: null,
		run: (session) =>
			session.transaction({ isolation }, async () => {
				const odd = await session.query("SELECT id, balance FROM odd_account ORDER BY id");
				const even = await session.query("SELECT id, balance FROM even_account ORDER BY id");
				return [...odd, ...even].map(([id, balance]) => [Number(id), Number(balance)]);
			}),
	});
	return {
		name: "bank",
		about: "transfers over ranges and tables keep the total, and no balance is negative",
		schema: ["odd_account", "even_account"].flatMap((name, parity) => [
			`CREATE TABLE ${name} (id int PRIMARY KEY, balance int NOT NULL CHECK (balance >= 0))`,
			`INSERT INTO ${name} VALUES ${accounts
				.filter((account) => account % 2 !== parity)
				.map((account) => `(${account}, ${initial})`)
				.join()}`,
			`ALTER TABLE ${name} SPLIT AT VALUES (5), (9)`,
		]),
		split: (random) =>
			`ALTER TABLE ${pick(random, ["odd_account", "even_account"])} SPLIT AT VALUES (${random.between(1, accountCount)})`,
		next: ({ random }) => {
			const isolation = pick(random, isolations);
			if (random.between(1, 3) === 1) return read(isolation);
			const from = pick(random, accounts);
			const to = pick(
				random,
				accounts.filter((account) => account !== from),
			);
			const amount = random.between(1, 5);
			const mode = pick(random, modes);
			return {
				f: "transfer",
				value: { from, to, amount },
				run: (session) =>
					session.transaction({ isolation, mode }, async () => {
						const balance = await session.value(
							`SELECT balance FROM ${table(from)} WHERE id = ${from}`,
						);
						if (Number(balance) < amount) throw new Failed("fail", "poor", "not enough there");
						await session.query(
							`UPDATE ${table(from)} SET balance = balance - ${amount} WHERE id = ${from}`,
						);
						await session.query(
							`UPDATE ${table(to)} SET balance = balance + ${amount} WHERE id = ${to}`,
						);
						return { from, to, amount };
					}),
			};
		},
		finals: () => [read("serializable")],
		check: (history: readonly Operation[]) => {
			const answered = pairs(history).filter(({ status }) => status === "ok");
			const reads = answered.flatMap(({ id, f, answered: value }) =>
				f === "read" ? [{ id, balances: new Map(value as unknown as [Key, number][]) }] : [],
			);
			const result = checkBank(reads, { accounts, total: accountCount * initial });
			const transfers = answered.length - reads.length;
			const findings = result.problems.flatMap((p) => explained(p.kind, [p]));
			return verdict(
				findings,
				{ reads: reads.length, transfers },
				reads.length > 0 && transfers > 0,
			);
		},
	};
}
