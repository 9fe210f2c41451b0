import test from "ava";
import { levelsBroken, printAnomaly } from "./isolation.ts";
import {
	checkRegisters,
	type RegisterOp,
	type RegisterOptions,
	type RegisterTransaction,
} from "./registers.ts";
import { plan } from "./testing/executor.ts";
import { Random } from "./testing/random.ts";
import { damage, isSerializable, registerHistory } from "./testing/registers.ts";

let nextId = 0;
/** `text`: "wx1 ry rx1 pxy:x1": writes, reads, and a predicate over x and y that found x. "wx" deletes. */
function txn(
	invoked: number,
	completed: number,
	text: string,
	more: Partial<RegisterTransaction> = {},
): RegisterTransaction {
	const ops = text.split(" ").map((op): RegisterOp => {
		if (op[0] === "p") {
			const [covered, found] = op.slice(1).split(":");
			const pairs = (found ?? "").match(/[a-z]\d+/g) ?? [];
			return ["p", [...covered!], pairs.map((p) => [p[0]!, Number(p.slice(1))] as const)];
		}
		return [op[0] as "r" | "w", op[1]!, op.length === 2 ? null : Number(op.slice(2))];
	});
	return { id: nextId++, status: "ok", ops, invoked, completed, ...more };
}

const check = (history: readonly RegisterTransaction[], options?: RegisterOptions) =>
	checkRegisters(history, options).anomalies.map((a) => a.kind);
const kinds = (...history: readonly RegisterTransaction[]) => check(history);

test("a serial history is valid, an empty one is not a pass", (t) => {
	t.true(checkRegisters([txn(0, 1, "rx wx1"), txn(2, 3, "rx1 wx2 rx2"), txn(4, 5, "rx2")]).valid);
	t.false(checkRegisters([]).valid);
});

test("planted anomalies of reads are found and named", (t) => {
	t.deepEqual(kinds(txn(0, 1, "wx1", { status: "fail" }), txn(0, 1, "rx1")), ["G1a"]);
	t.deepEqual(kinds(txn(0, 9, "wx1 wx2"), txn(0, 9, "rx1")), ["G1b"]);
	t.deepEqual(kinds(txn(0, 9, "rx7")), ["phantom-value"]);
	t.deepEqual(kinds(txn(0, 9, "wx1 rx")), ["internal"]);
	t.deepEqual(kinds(txn(0, 9, "rx1 wx1")), ["internal"]);
	t.deepEqual(kinds(txn(0, 9, "wx1 pxy:")), ["internal"]);
	t.deepEqual(kinds(txn(0, 9, "wx1"), txn(0, 9, "wx1")), ["invalid-history"]);
	t.is(kinds(txn(0, 9, "wx1"), txn(0, 9, "rx rx1"))[0], "non-repeatable-read");
});

test("planted cycles are found and named", (t) => {
	const at = (timestamp: number) => ({ timestamp });
	t.deepEqual(
		kinds(txn(0, 9, "wx1 wy2", at(1)), txn(0, 9, "wx2 wy1", at(2)), txn(0, 9, "ry1 wy2", at(0))),
		["invalid-history"],
	);
	t.deepEqual(kinds(txn(0, 9, "wx1 ry1"), txn(0, 9, "wy1 rx1")), ["G1c"]);
	t.deepEqual(kinds(txn(0, 9, "wx1 wy1"), txn(0, 9, "rx1 ry")), ["G-single"]);
	t.deepEqual(kinds(txn(0, 9, "rx ry wx1"), txn(0, 9, "rx ry wy1")), ["G2-item"]);
	t.deepEqual(kinds(txn(0, 9, "rx wx1"), txn(0, 9, "rx wx2"))[0], "lost-update");
	t.deepEqual(kinds(txn(0, 9, "rx1 wx2"), txn(0, 9, "rx2 wx1"))[0], "cyclic-versions");
	t.deepEqual(kinds(txn(0, 9, "wx1"), txn(0, 9, "wy1"), txn(0, 9, "rx1 ry"), txn(0, 9, "rx ry1")), [
		"G-nonadjacent",
	]);
	t.deepEqual(kinds(txn(0, 1, "wx1"), txn(2, 3, "rx")), ["G-single-realtime"]);
	const of = { process: 1 };
	t.deepEqual(kinds(txn(0, 2, "wx1", of), txn(2, 3, "rx", of)), ["G-single-process"]);
});

test("who writes twice in turn, by what reads and writes tell, is found", (t) => {
	// x: 1 before 2; y: 2 before 1.
	const history = [
		txn(0, 9, "wx1 wy4"),
		txn(0, 9, "wx3 wy2"),
		txn(0, 9, "rx1 wx5"),
		txn(0, 9, "ry2 wy6"),
	];
	t.deepEqual(kinds(...history), []);
	const a = txn(0, 9, "rx3 wx1 wy1");
	const b = txn(0, 9, "wx3 ry1 wy2");
	t.deepEqual(kinds(a, b), ["G0"]);
});

test("predicates that miss what is written are found and named", (t) => {
	const skew = [txn(0, 9, "pxy: wx1"), txn(0, 9, "pxy: wy1")];
	t.deepEqual(kinds(...skew), ["G2"]);
	t.true(checkRegisters(skew, { level: "snapshot-isolation" }).valid);
	t.true(checkRegisters(skew, { level: "repeatable-read" }).valid);
	t.false(checkRegisters(skew, { level: "serializable" }).valid);
	const single = [txn(0, 9, "wx1 wy1"), txn(0, 9, "rx1 py:")];
	t.deepEqual(kinds(...single), ["G-single-predicate"]);
	t.true(checkRegisters(single, { level: "repeatable-read" }).valid);
	t.false(checkRegisters(single, { level: "snapshot-isolation" }).valid);
	const fork = [txn(0, 9, "wx1"), txn(0, 9, "wy1"), txn(0, 9, "pxy:x1"), txn(0, 9, "pxy:y1")];
	t.deepEqual(kinds(...fork), ["G-nonadjacent-predicate"]);
	t.deepEqual(kinds(txn(0, 1, "wx1"), txn(2, 3, "px:")), ["G-single-predicate-realtime"]);
	t.deepEqual(kinds(txn(0, 9, "py: wx1"), txn(0, 1, "wy1"), txn(2, 3, "px:")), ["G2-realtime"]);
});

test("the order of versions by processes and real time is used where it is asked for", (t) => {
	const history = [txn(0, 1, "wx1"), txn(2, 3, "wx2"), txn(0, 9, "rx2 wy1"), txn(0, 9, "ry1 rx1")];
	t.deepEqual(kinds(...history), []);
	t.deepEqual(check(history, { versionOrder: { realTime: true } }), ["G-single"]);
	const of = { process: 1 };
	const processes = [txn(0, 2, "wx1", of), txn(2, 3, "wx2", of), ...history.slice(2)];
	t.deepEqual(check(processes, { versionOrder: { process: true } }), ["G-single"]);
	// Back and forth.
	const turns = [
		txn(0, 9, "wx1"),
		txn(0, 9, "wx2"),
		txn(0, 1, "rx1"),
		txn(2, 3, "rx2"),
		txn(4, 5, "rx1"),
	];
	t.deepEqual(check(turns), []);
	t.deepEqual(check(turns, { versionOrder: { realTime: true } }), ["cyclic-versions"]);
});

test("deletions are versions, and who finds nothing may have found any", (t) => {
	const at = (timestamp: number) => ({ timestamp });
	t.deepEqual(kinds(txn(0, 1, "wx1", at(1)), txn(2, 3, "wx", at(2)), txn(4, 5, "rx")), []);
	t.deepEqual(kinds(txn(0, 1, "wx1", at(1)), txn(2, 3, "wx", at(2)), txn(4, 5, "rx1")), [
		"G-single-realtime",
	]);
});

test("what a lost answer wrote counts if somebody saw it", (t) => {
	const lost = txn(0, Number.POSITIVE_INFINITY, "wx1 wy1", { status: "info" });
	t.deepEqual(kinds(lost, txn(2, 3, "rx ry")), []);
	t.deepEqual(kinds(lost, txn(2, 3, "rx1 ry")), ["G-single"]);
	const { anomalies } = checkRegisters([lost, txn(2, 3, "rx1"), txn(4, 5, "rx")]);
	t.deepEqual(levelsBroken(anomalies), ["strong-snapshot-isolation", "strict-serializable"]);
});

const sources = [{}, { process: true }, { realTime: true }, { process: true, realTime: true }];

test("nothing is reported in 10,000 valid random histories", (t) => {
	for (let seed = 1; seed <= 10_000; seed++) {
		const random = new Random(seed);
		const planned = plan(random, { processes: 2 + random.below(6), operations: 30 });
		const timestamps = seed % 3 === 0;
		const history = registerHistory(random, planned, { timestamps, deletions: timestamps });
		const { anomalies } = checkRegisters(history, { versionOrder: sources[seed % 4]! });
		if (anomalies.length > 0) t.fail(`seed ${seed}: ${printAnomaly(anomalies[0]!, history)}`);
	}
	t.pass();
});

test("what is found in small histories, brute force finds no order for", (t) => {
	const counts = { explained: 0, found: 0, missed: 0 };
	for (let seed = 1; seed <= 10_000; seed++) {
		const random = new Random(seed);
		const planned = plan(random, { processes: 4, operations: 3 + random.below(4) });
		const made = registerHistory(random, planned, { timestamps: false, deletions: seed % 5 === 0 });
		const history = damage(random, made);
		if (!history.some((h) => h.status === "ok")) continue;
		const strict = isSerializable(history, true);
		const serializable = strict || isSerializable(history, false);
		const found = !checkRegisters(history, { versionOrder: sources[seed % 4]! }).valid;
		const foundPlain = !checkRegisters(history, { level: "serializable" }).valid;
		t.false(found && strict, `seed ${seed}, strict`);
		t.false(foundPlain && serializable, `seed ${seed}`);
		counts[strict ? "explained" : found ? "found" : "missed"]++;
	}
	t.true(counts.explained > 100 && counts.found > 20 * counts.missed, JSON.stringify(counts));
});
