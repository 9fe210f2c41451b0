/**
 * How long the checkers need for a long history, in this process: as a bar the project has 10 s for 100,000 transactions. Histories are
 * valid ones by chance, of twenty processes, with lost answers and refusals. Each is judged a second time with one read damaged, and
 * that must be found: a checker that looks at nothing is fast.
 */
import type { Key, MicroOp, Transaction } from "@quorate/checker/history";
import { checkLinearizability, type RegisterOperation } from "@quorate/checker/linearizability";
import { checkListAppend } from "@quorate/checker/list-append";
import {
	checkRegisters,
	type RegisterOp,
	type RegisterTransaction,
} from "@quorate/checker/registers";
import { inEffect, type Planned, plan } from "@quorate/checker/testing/executor";
import { Random } from "@quorate/checker/testing/random";
import type { Report } from "./report.ts";

const transactions = 100_000;
const processes = 20;
const secondsMax = 10;
/** Keys are in use for a while, ten at a time, as in the workloads. */
const keysAtOnce = 10;
const transactionsOfKeys = 400;

interface Judged {
	readonly valid: boolean;
	readonly found: number;
}

interface Checker<T> {
	readonly name: string;
	make(planned: readonly Planned[], random: Random): T[];
	/** With another answer in the place of one; undefined: this one has none. */
	damage(one: T): T | undefined;
	check(history: readonly T[]): Judged;
}

export function measureCheckers(report: Report): void {
	report.heading(`== Checkers, histories of ${transactions} transactions`);
	measure(report, listAppend);
	measure(report, registers);
	measure(report, linearizability);
}

function measure<T>(report: Report, checker: Checker<T>): void {
	const { name } = checker;
	const random = new Random(1);
	const planned = inEffect(plan(random, { processes, operations: transactions }));
	const history = checker.make(planned, random);
	const began = performance.now();
	const right = checker.check(history);
	const seconds = (performance.now() - began) / 1000;
	if (!right.valid) throw new Error(`${name}: ${right.found} findings in a valid history`);
	const middle = history.length >> 1;
	const at = history.findIndex((one, i) => i > middle && checker.damage(one) !== undefined);
	const damaged = history.with(at, checker.damage(history[at]!)!);
	if (checker.check(damaged).found === 0) throw new Error(`${name}: a damaged read is not found`);
	report.bound(name, seconds, secondsMax, "s");
}

/** The key of one operation of the nth transaction. */
const keyOf = (random: Random, n: number): number =>
	Math.floor(n / transactionsOfKeys) * keysAtOnce + random.below(keysAtOnce);

const opCount = (random: Random): number => 1 + random.below(4);

/** The first operation with another answer. */
function withOne<O>(ops: readonly O[], change: (op: O) => O | undefined): O[] | undefined {
	const at = ops.findIndex((op) => change(op) !== undefined);
	return at < 0 ? undefined : ops.with(at, change(ops[at]!)!);
}

const listAppend: Checker<Transaction> = {
	name: "list-append, strict serializability",
	make(planned, random) {
		const lists = new Map<Key, readonly number[]>();
		let value = 0;
		return planned.map((p, n) => {
			const local = new Map<Key, readonly number[]>();
			const ops = Array.from({ length: opCount(random) }, (): MicroOp => {
				const key = keyOf(random, n);
				const list = local.get(key) ?? lists.get(key) ?? [];
				if (random.chance(0.5)) return ["r", key, p.status === "ok" ? list : null];
				local.set(key, [...list, ++value]);
				return ["append", key, value];
			});
			if (p.at !== undefined) for (const [key, list] of local) lists.set(key, list);
			const { id, process, status, invoked, completed } = p;
			return { id, process, status, ops, invoked, completed };
		});
	},
	damage(one) {
		const ops = withOne(one.ops, (op): MicroOp | undefined =>
			op[0] === "r" && op[2] !== null && op[2].length > 20
				? ["r", op[1], op[2].slice(0, -15)]
				: undefined,
		);
		return ops && { ...one, ops };
	},
	check(history) {
		const { valid, anomalies } = checkListAppend(history);
		return { valid, found: anomalies.length };
	},
};

const registers: Checker<RegisterTransaction> = {
	name: "rw-register, strict serializability",
	make(planned, random) {
		const values = new Map<Key, number | null>();
		let value = 0;
		return planned.map((p, n) => {
			const local = new Map<Key, number | null>();
			const ops = Array.from({ length: opCount(random) }, (): RegisterOp => {
				const key = keyOf(random, n);
				const now = local.get(key) ?? values.get(key) ?? null;
				if (random.chance(0.5)) return ["r", key, p.status === "ok" ? now : null];
				local.set(key, ++value);
				return ["w", key, value];
			});
			if (p.at !== undefined) for (const [key, written] of local) values.set(key, written);
			const { id, process, status, invoked, completed } = p;
			return { id, process, status, ops, invoked, completed };
		});
	},
	damage(one) {
		const ops = withOne(one.ops, (op): RegisterOp | undefined =>
			op[0] === "r" && op[2] !== null ? ["r", op[1], null] : undefined,
		);
		return ops && { ...one, ops };
	},
	check(history) {
		const versionOrder = { process: true, realTime: true };
		const { valid, anomalies } = checkRegisters(history, { versionOrder });
		return { valid, found: anomalies.length };
	},
};

const linearizability: Checker<RegisterOperation> = {
	name: "registers, linearizability",
	make(planned, random) {
		const values = new Map<Key, number | null>();
		return planned.map((p, n): RegisterOperation => {
			const key = keyOf(random, n);
			const { id, process, status, invoked, completed } = p;
			const common = { id, process, key, status, invoked, completed };
			const value = values.get(key) ?? null;
			if (random.chance(0.5)) return { ...common, f: "read", value };
			if (p.at !== undefined) values.set(key, id);
			if (random.chance(0.5)) return { ...common, f: "write", value: id };
			return { ...common, f: "cas", value: [value, id] };
		});
	},
	damage(one) {
		return one.f === "read" && one.status === "ok" ? { ...one, value: -1 } : undefined;
	},
	check(history) {
		const { valid, counterexamples } = checkLinearizability(history);
		return { valid, found: counterexamples.length };
	},
};
