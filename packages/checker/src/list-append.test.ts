import test from "ava";
import type { MicroOp, Transaction } from "./history.ts";
import { checkListAppend } from "./list-append.ts";

let nextId = 0;
function txn(
	invoked: number,
	completed: number,
	ops: readonly MicroOp[],
	status: Transaction["status"] = "ok",
): Transaction {
	return { id: nextId++, process: 0, status, ops, invoked, completed };
}

const kinds = (history: readonly Transaction[]) =>
	checkListAppend(history).anomalies.map((a) => a.kind);

test("a serial history is valid, an empty one is not a pass", (t) => {
	t.true(
		checkListAppend([
			txn(0, 1, [["append", "x", 1]]),
			txn(2, 3, [
				["r", "x", [1]],
				["append", "x", 2],
			]),
			txn(4, 5, [["r", "x", [1, 2]]]),
		]).valid,
	);
	t.false(checkListAppend([]).valid);
});

test("planted anomalies are found and named", (t) => {
	const a = ["append", "x", 1] as const;
	t.deepEqual(kinds([txn(0, 1, [a], "fail"), txn(0, 1, [["r", "x", [1]]])]), ["G1a"]);
	t.deepEqual(kinds([txn(0, 9, [a, ["append", "x", 2]]), txn(0, 9, [["r", "x", [1]]])])[0], "G1b");
	t.deepEqual(kinds([txn(0, 1, [a]), txn(2, 3, [["r", "x", []]])]), ["G-single-realtime"]);
	// Write skew.
	t.deepEqual(
		kinds([
			txn(0, 9, [
				["r", "x", []],
				["append", "y", 1],
			]),
			txn(0, 9, [["r", "y", []], a]),
			txn(10, 11, [
				["r", "x", [1]],
				["r", "y", [1]],
			]),
		]),
		["G2"],
	);
	// Lost update.
	t.true(
		kinds([
			txn(0, 9, [["r", "x", []], a]),
			txn(0, 9, [
				["r", "x", []],
				["append", "x", 2],
			]),
			txn(10, 11, [["r", "x", [1, 2]]]),
		]).includes("G-single"),
	);
	t.true(
		kinds([
			txn(0, 9, [a, ["append", "y", 2]]),
			txn(0, 9, [
				["append", "x", 2],
				["append", "y", 1],
			]),
			txn(10, 11, [
				["r", "x", [1, 2]],
				["r", "y", [1, 2]],
			]),
		]).includes("G0"),
	);
	t.true(
		kinds([
			txn(0, 9, [a, ["r", "y", [1]]]),
			txn(0, 9, [
				["append", "y", 1],
				["r", "x", [1]],
			]),
		]).includes("G1c"),
	);
	t.true(
		kinds([
			txn(0, 1, [a]),
			txn(0, 1, [["append", "x", 2]]),
			txn(2, 3, [["r", "x", [1, 2]]]),
			txn(2, 3, [["r", "x", [2]]]),
		]).includes("incompatible-order"),
	);
	// An acknowledged append that no later read sees.
	t.true(
		kinds([txn(0, 1, [a]), txn(0, 1, [["append", "x", 2]]), txn(2, 3, [["r", "x", [1]]])]).includes(
			"G-single-realtime",
		),
	);
});

/** Transactions that take effect at a random instant inside their interval, some with lost answers, some aborted. */
function randomHistory(seed: number): Transaction[] {
	let state = seed;
	const random = () => {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
		return (state >>> 0) / 2 ** 32;
	};
	const lists = new Map<string, number[]>();
	const planned = Array.from({ length: 30 }, (_, i) => {
		const start = random() * 100;
		const at = start + random() * 10;
		return {
			id: i,
			start,
			at,
			end: at + random() * 10,
			lost: random() < 0.1,
			fails: random() < 0.1,
		};
	});
	const out: Transaction[] = [];
	let value = 0;
	for (const p of [...planned].sort((a, b) => a.at - b.at)) {
		const ops: MicroOp[] = [];
		const applied = p.lost ? random() < 0.5 : !p.fails;
		const local = new Map<string, number[]>();
		for (let n = 0; n < 1 + random() * 3; n++) {
			const key = "xyz"[Math.floor(random() * 3)]!;
			const list = local.get(key) ?? lists.get(key) ?? [];
			if (random() < 0.5) {
				value++;
				local.set(key, [...list, value]);
				ops.push(["append", key, value]);
			} else {
				ops.push(["r", key, p.lost || p.fails ? null : list]);
			}
		}
		if (applied) {
			for (const [key, list] of local) {
				lists.set(key, list);
			}
		}
		const status = p.lost ? "info" : p.fails ? "fail" : "ok";
		const completed = p.lost ? Number.POSITIVE_INFINITY : p.end;
		out.push({ id: p.id, process: p.id, status, ops, invoked: p.start, completed });
	}
	return out;
}

test("no anomaly is reported in 2,000 valid random histories", (t) => {
	for (let seed = 1; seed <= 2_000; seed++) {
		const result = checkListAppend(randomHistory(seed));
		if (!result.valid) {
			t.fail(`seed ${seed}: ${JSON.stringify(result.anomalies[0])}`);
			return;
		}
	}
	t.pass();
});
