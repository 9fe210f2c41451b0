import test from "ava";
import { readEdn, writeEdn } from "./edn.ts";
import { readJsonl, writeJsonl } from "./jsonl.ts";
import { checkLinearizability } from "./linearizability.ts";
import { checkListAppend } from "./list-append.ts";
import { HistoryError, type Operation, type Value, validate } from "./operations.ts";
import { checkRegisters } from "./registers.ts";
import { plan } from "./testing/executor.ts";
import { listHistory } from "./testing/lists.ts";
import { Random } from "./testing/random.ts";
import { listTransactions, registerOperations, registerTransactions } from "./transactions.ts";

type Line = readonly [Operation["process"], Operation["type"], Value, string?];
const history = (...lines: readonly Line[]): Operation[] =>
	lines.map(([process, type, value, f = "txn"], index) => ({
		...{ index, time: 10 * index, process, type, f, value },
	}));
const problems = (...lines: readonly Line[]) =>
	validate(history(...lines)).map((p) => p.explanation);

const good: readonly Line[] = [
	[
		0,
		"invoke",
		[
			["append", "x", 1],
			["r", "y", null],
		],
	],
	["nemesis", "info", { kill: ["n1", "n2"], sure: true }, "kill"],
	[1, "invoke", [["r", "x", null]]],
	[
		0,
		"ok",
		[
			["append", "x", 1],
			["r", "y", []],
		],
	],
	[1, "info", [["r", "x", null]]],
	[2, "invoke", [["r", 7, null]]],
	[2, "fail", [["r", 7, null]]],
];

test("both forms are as outside checkers expect them", (t) => {
	const lines = history(...good.slice(0, 4));
	t.is(
		writeJsonl(lines.slice(0, 1)),
		'{"index":0,"time":0,"process":0,"type":"invoke","f":"txn","value":[["append","x",1],["r","y",null]]}\n',
	);
	t.is(
		writeEdn(lines),
		[
			'{:index 0, :time 0, :process 0, :type :invoke, :f :txn, :value [[:append "x" 1] [:r "y" nil]]}',
			'{:index 1, :time 10, :process :nemesis, :type :info, :f :kill, :value {:kill ["n1" "n2"], :sure true}}',
			'{:index 2, :time 20, :process 1, :type :invoke, :f :txn, :value [[:r "x" nil]]}',
			'{:index 3, :time 30, :process 0, :type :ok, :f :txn, :value [[:append "x" 1] [:r "y" []]]}',
			"",
		].join("\n"),
	);
});

test("what is written is read", (t) => {
	const [first, ...rest] = history(...good);
	const odd = {
		...first!,
		error: 'said "no" \\ \n and {left}',
		value: [-1.5, "é;", { a: null, "b c": 1 }],
	};
	for (const lines of [
		[first!, ...rest],
		[odd, ...rest],
	]) {
		t.deepEqual(readJsonl(writeJsonl(lines)), lines);
		t.deepEqual(readEdn(writeEdn(lines)), lines);
	}
});

test("what others write as EDN is read", (t) => {
	const text = `; a comment
		#jepsen.history.Op{:index 0, :time 1N, :process 0, :type :invoke, :f :read,
			:value #{1 2} #_ ignored :error (timed out "x\ny")}`;
	t.deepEqual(readEdn(text), [
		{
			...{ index: 0, time: 1, process: 0, type: "invoke", f: "read", value: [1, 2] },
			error: '["timed","out","x\\ny"]',
		} as Operation,
	]);
});

test("what is no history is refused with its line", (t) => {
	const ok = writeEdn(history(...good.slice(0, 1)));
	for (const bad of [
		"{:index 1",
		"}",
		"[1 2]",
		"{:index}",
		'{:index 1 :f "abc',
		"#",
		"{:index 1z}",
	]) {
		t.is(t.throws(() => readEdn(ok + bad), { instanceOf: HistoryError })?.line, 2, bad);
	}
	const line = writeJsonl(history(...good.slice(0, 1)));
	for (const bad of [
		"{",
		"[]",
		"{}",
		line.replace("invoke", "begin"),
		line.replace('"process":0', '"process":"p"'),
	]) {
		t.is(t.throws(() => readJsonl(line + bad), { instanceOf: HistoryError })?.line, 2, bad);
	}
});

test("every rule is checked", (t) => {
	const read: Value = [["r", "x", null]];
	const begin: Line = [0, "invoke", read];
	t.deepEqual(problems(...good), []);
	t.deepEqual(problems(begin), ["the operation of process 0 never completes"]);
	t.deepEqual(
		problems(
			begin,
			[0, "info", read],
			[0, "invoke", read],
			[1, "invoke", read],
			[1, "ok", read],
			[0, "ok", read],
		),
		["process 0 goes on after info", "process 0 goes on after info"],
	);
	t.deepEqual(problems(begin, begin, [0, "ok", read]), [
		"process 0 begins while its operation 0 is open",
	]);
	t.deepEqual(problems([0, "ok", read]), ["process 0 completes what it did not begin"]);
	t.deepEqual(problems([-1, "invoke", read], [-1, "ok", read]), [
		"-1 is no process",
		"-1 is no process",
	]);
	t.deepEqual(problems(begin, [0, "ok", read, "read"]), ["txn completes as read"]);
	t.deepEqual(problems(begin, [0, "ok", [["r", "y", 1]]]), [
		"what was answered is not what operation 0 asked",
	]);
	t.deepEqual(problems([0, "invoke", [["r", "x", 1]]], [0, "fail", read]), [
		'["r","x",1] knows before it reads',
	]);
	const twice: Value = [
		["append", "x", 1],
		["append", "x", 1],
	];
	t.deepEqual(problems([0, "invoke", twice], [0, "ok", twice]), ["1 is written to x twice"]);
	const text: Value = [["w", "x", "1"]];
	t.deepEqual(problems([0, "invoke", text], [0, "ok", text]), [
		'["w","x","1"] does not write a whole number',
	]);
	t.deepEqual(problems([0, "invoke", 5], [0, "fail", 5]), [
		"the value of a txn is a list of operations",
	]);
	const [a, b] = history(begin, [0, "ok", read]);
	t.deepEqual(
		validate([b!, a!]).map((p) => p.explanation),
		[
			"index 1 stands at place 0",
			"process 0 completes what it did not begin",
			"index 0 stands at place 1",
			"time 0 comes after 10",
			"the operation of process 0 never completes",
		],
	);
	t.deepEqual(
		validate([a!, { ...b!, time: -1 }]).map((p) => p.explanation),
		["time -1 comes after 0"],
	);
});

test("checkers judge what files hold", (t) => {
	const lists = listTransactions(history(...good));
	t.deepEqual(
		lists.map(({ status, ops, invoked, completed }) => [status, ops, invoked, completed]),
		[
			[
				"ok",
				[
					["append", "x", 1],
					["r", "y", []],
				],
				0,
				3,
			],
			["info", [["r", "x", null]], 2, Number.POSITIVE_INFINITY],
			["fail", [["r", 7, null]], 5, 6],
		],
	);
	const registers = history(
		[0, "invoke", [["w", "x", 1]]],
		[0, "ok", [["w", "x", 1]]],
		[0, "invoke", [["p", ["x"], null]]],
		[0, "ok", [["p", ["x"], []]]],
	);
	t.deepEqual(
		checkRegisters(registerTransactions(registers)).anomalies.map((a) => a.kind),
		["G-single-predicate-process"],
	);
	const calls = history(
		[0, "invoke", ["x", 1], "write"],
		[0, "ok", ["x", 1], "write"],
		[0, "invoke", ["x", [1, 2]], "cas"],
		[1, "invoke", ["x", null], "read"],
		[0, "info", ["x", [1, 2]], "cas"],
		[1, "ok", ["x", 2], "read"],
	);
	t.true(checkLinearizability(registerOperations(calls)).valid);
	t.is(
		checkLinearizability(registerOperations(calls.with(5, { ...calls[5]!, value: ["x", 3] })))
			.counterexamples.length,
		1,
	);
});

test("random histories pass through files unharmed", (t) => {
	for (let seed = 1; seed <= 200; seed++) {
		const random = new Random(seed);
		const made = listHistory(random, plan(random, { processes: 5, operations: 30 }));
		const lines = made.flatMap(({ process, ops, status, invoked, completed }) => {
			const asked = ops.map((op) => (op[0] === "r" ? ["r", op[1], null] : op)) as Value;
			const answered = (status === "ok" ? ops : asked) as Value;
			return [
				{ at: invoked, line: [process, "invoke", asked] as Line },
				{
					at: status === "info" ? invoked + 1_000 : completed,
					line: [process, status, answered] as Line,
				},
			];
		});
		lines.sort(
			(a, b) => a.at - b.at || Number(b.line[1] === "invoke") - Number(a.line[1] === "invoke"),
		);
		const operations = history(...lines.map((l) => l.line));
		t.deepEqual(validate(operations), [], `seed ${seed}`);
		t.deepEqual(readEdn(writeEdn(operations)), readJsonl(writeJsonl(operations)));
		const again = listTransactions(readEdn(writeEdn(operations)));
		t.deepEqual(checkListAppend(again), checkListAppend(listTransactions(operations)));
		t.deepEqual(checkListAppend(again).anomalies, []);
	}
});
