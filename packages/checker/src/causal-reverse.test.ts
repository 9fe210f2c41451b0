import test from "ava";
import { type CommentRead, type CommentWrite, checkCausalReverse } from "./causal-reverse.ts";
import { inEffect, plan } from "./testing/executor.ts";
import { Random } from "./testing/random.ts";

const write = (
	key: string,
	invoked: number,
	completed: number,
	more: Partial<CommentWrite> = {},
): CommentWrite => ({ key, process: 0, status: "ok", invoked, completed, ...more });
const kinds = (writes: CommentWrite[], ...seen: string[]) =>
	checkCausalReverse(writes, [{ id: 0, seen }]).reversals.map((r) => r.kind);

test("who sees a write sees what had ended before it began", (t) => {
	const other = { process: 1 };
	const writes = [write("a", 0, 1), write("b", 2, 3, other)];
	t.deepEqual(kinds(writes, "a", "b"), []);
	t.deepEqual(kinds(writes, "a"), []);
	t.deepEqual(kinds(writes, "b"), ["causal-reverse"]);
	t.deepEqual(kinds([write("a", 0, 2), write("b", 2, 3, other)], "b"), []);
	t.deepEqual(kinds([write("a", 0, 1, { status: "info" }), writes[1]!], "b"), []);
	t.deepEqual(kinds([write("a", 0, 1, { status: "fail" }), writes[1]!], "b"), []);
	t.deepEqual(kinds([write("a", 0, 1, { status: "fail" })], "a"), ["unexpected"]);
	t.deepEqual(kinds([], "a"), ["unexpected"]);
	t.false(checkCausalReverse(writes, [{ id: 0, seen: [] }]).valid);
});

test("who sees a write sees the earlier ones of its process", (t) => {
	// The instants coincide: nothing but the process orders them.
	t.deepEqual(kinds([write("a", 0, 2), write("b", 2, 3)], "b"), ["sequential"]);
	t.deepEqual(kinds([write("a", 0, 2), write("b", 2, 3)], "a"), []);
});

test("nothing is reported in 1,000 valid random histories", (t) => {
	for (let seed = 1; seed <= 1_000; seed++) {
		const random = new Random(seed);
		const writes: CommentWrite[] = [];
		const reads: CommentRead[] = [];
		const seen: string[] = [];
		for (const p of inEffect(plan(random, { processes: 5, operations: 40 }))) {
			const { id, process, status, invoked, completed, at } = p;
			if (random.chance(0.6)) {
				writes.push({ key: `k${id}`, process, status, invoked, completed });
				if (at !== undefined) seen.push(`k${id}`);
			} else if (status === "ok") reads.push({ id, seen: [...seen] });
		}
		const { reversals } = checkCausalReverse(writes, reads);
		if (reversals.length > 0) t.fail(`seed ${seed}: ${reversals[0]!.explanation}`);
	}
	t.pass();
});
