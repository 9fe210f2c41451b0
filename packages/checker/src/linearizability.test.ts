import test from "ava";
import {
	checkLinearizability,
	type RegisterCall,
	type RegisterOperation,
} from "./linearizability.ts";
import { inEffect, type Planned, plan } from "./testing/executor.ts";
import { Random } from "./testing/random.ts";

let nextId = 0;
function op(
	invoked: number,
	completed: number,
	call: RegisterCall,
	status: RegisterOperation["status"] = "ok",
): RegisterOperation {
	const id = nextId++;
	return { ...call, id, process: id, key: "x", status, invoked, completed };
}
const read = (value: number | null): RegisterCall => ({ f: "read", value });
const write = (value: number | null): RegisterCall => ({ f: "write", value });
const cas = (from: number | null, to: number | null): RegisterCall => ({
	f: "cas",
	value: [from, to],
});
const never = Number.POSITIVE_INFINITY;
const valid = (...history: readonly RegisterOperation[]) => checkLinearizability(history).valid;

test("what overlaps may happen in any order, what does not may not", (t) => {
	t.true(valid(op(0, 5, write(1)), op(0, 5, write(2)), op(6, 7, read(1))));
	t.true(valid(op(0, 5, write(1)), op(1, 2, read(null)), op(3, 4, read(1))));
	t.false(valid(op(0, 5, write(1)), op(1, 2, read(1)), op(3, 4, read(null))));
	t.false(valid(op(0, 1, write(1)), op(2, 3, write(2)), op(4, 5, read(1))));
	t.false(valid(op(0, 1, write(1)), op(2, 3, read(null))));
	t.true(valid(op(0, 9, cas(1, 2)), op(0, 9, cas(2, 3)), op(0, 9, write(1)), op(10, 11, read(3))));
	t.false(valid(op(0, 9, cas(1, 2)), op(0, 9, cas(1, 3)), op(0, 9, write(1))));
	t.false(valid());
});

test("what failed did not happen, what is not known may at any time, or never", (t) => {
	t.false(valid(op(0, 1, write(1), "fail"), op(2, 3, read(1))));
	const lost = op(0, never, write(1), "info");
	t.true(valid(lost, op(2, 3, read(null))));
	t.true(valid(lost, op(2, 3, read(null)), op(4, 5, read(1))));
	t.false(valid(lost, op(2, 3, read(1)), op(4, 5, read(null))));
	t.false(valid(lost, op(2, 3, read(1)), op(4, 5, write(2)), op(6, 7, read(1))));
});

test("keys are judged by themselves", (t) => {
	const other = { ...op(0, 1, write(1)), key: "y" };
	const { counterexamples } = checkLinearizability([other, op(2, 3, read(1))]);
	t.deepEqual(
		counterexamples.map((c) => c.key),
		["x"],
	);
});

test("a counterexample tells what was possible", (t) => {
	nextId = 0;
	const { counterexamples } = checkLinearizability([
		op(0, 1, write(1)),
		op(2, 9, write(2)),
		op(2, never, write(3), "info"),
		op(3, 4, read(2)),
		op(5, 6, read(1)),
	]);
	t.deepEqual(counterexamples[0]?.explanation, [
		"#4 read 1 (process 4) was answered, and nothing explains that",
		"until then, in one possible order: #0 write 1 (process 0), #1 write 2 (process 1), #3 read 2 (process 3)",
		"so x held 2",
		"open besides: #1 write 2 (process 1), #2 write 3 (process 2, answer lost)",
	]);
});

test("where too much is possible it says so", (t) => {
	const open = Array.from({ length: 20 }, (_, i) => op(0, 99, write(i + 10)));
	const { valid, unknown, counterexamples } = checkLinearizability([...open, op(0, 1, read(7))], {
		configurationsMax: 1,
	});
	t.deepEqual([valid, unknown, counterexamples], [false, ["x"], []]);
});

/** Values are few, so that compare-and-set often succeeds and reads often mislead; or written once each, without compare-and-set. */
function valueHistory(
	random: Random,
	planned: readonly Planned[],
	keys: number,
	isUnique = false,
): RegisterOperation[] {
	const values = new Map<number, number | null>();
	return inEffect(planned).map((p): RegisterOperation => {
		const key = random.below(keys);
		const value = values.get(key) ?? null;
		const { id, process, invoked, completed } = p;
		const common = { id, process, key, status: p.status, invoked, completed };
		const draw = random.float();
		if (draw < 0.5) return { ...common, ...read(p.status === "ok" ? value : null) };
		const next = isUnique ? id : random.below(4);
		if (isUnique || draw < 0.75) {
			if (p.at !== undefined) values.set(key, next);
			return { ...common, ...write(next) };
		}
		const from = random.chance(0.7) ? value : random.below(4);
		const succeeds = from === value;
		if (p.at !== undefined && succeeds) values.set(key, next);
		const status = p.status === "ok" && !succeeds ? "fail" : p.status;
		return { ...common, ...cas(from, next), status };
	});
}

test("nothing is reported in 10,000 valid random histories", (t) => {
	for (let seed = 1; seed <= 10_000; seed++) {
		const random = new Random(seed);
		const planned = plan(random, { processes: 2 + random.below(6), operations: 40 });
		const result = checkLinearizability(valueHistory(random, planned, 2));
		if (!result.valid) t.fail(`seed ${seed}: ${result.counterexamples[0]?.explanation.join("; ")}`);
	}
	t.pass();
});

test("hundreds of lost answers for one key do not pile up", (t) => {
	for (let seed = 1; seed <= 3; seed++) {
		const random = new Random(seed);
		const planned = plan(random, { processes: 4, operations: 1_000, lost: 0.3 });
		const history = valueHistory(random, planned, 1, true);
		t.true(history.filter((o) => o.status === "info").length > 200);
		t.true(checkLinearizability(history).valid, `seed ${seed}`);
		const last = Math.max(...planned.map((p) => p.invoked)) + 1_000;
		const wrong = op(last, last + 1, read(-1));
		t.is(checkLinearizability([...history, { ...wrong, key: 0 }]).counterexamples.length, 1);
	}
});

test("small histories are judged as brute force judges them", (t) => {
	const counts = { valid: 0, not: 0 };
	for (let seed = 1; seed <= 2_000; seed++) {
		const random = new Random(seed);
		const planned = plan(random, { processes: 4, operations: 3 + random.below(5), lost: 0.2 });
		const history = valueHistory(random, planned, 1).map((o) =>
			o.f === "read" && o.status === "ok" && random.chance(0.3)
				? { ...o, value: random.below(4) }
				: o,
		);
		if (!history.some((o) => o.status === "ok")) continue;
		const expected = isLinearizable(history);
		t.is(checkLinearizability(history).valid, expected, `seed ${seed}`);
		counts[expected ? "valid" : "not"]++;
	}
	t.true(Math.min(counts.valid, counts.not) > 200, JSON.stringify(counts));
});

/** Every order of the ok ones and any of the info ones, in real time. */
function isLinearizable(history: readonly RegisterOperation[]): boolean {
	const place = (left: readonly RegisterOperation[], value: number | null): boolean => {
		if (left.every((o) => o.status === "info")) return true;
		return left.some((o) => {
			if (left.some((before) => before !== o && before.completed < o.invoked)) return false;
			const rest = left.filter((other) => other !== o);
			if (o.f === "write") return place(rest, o.value);
			if (o.f === "cas") return o.value[0] === value && place(rest, o.value[1]);
			return o.status === "info" || o.value === value ? place(rest, value) : false;
		});
	};
	return place(
		history.filter((o) => o.status !== "fail"),
		null,
	);
}
