/** What one statement keeps, and all together, has a limit; what has ended keeps nothing. */
import { DatabaseError } from "@quorate/keys/database-error";
import test, { type ExecutionContext } from "ava";
import type { Session } from "../session/types.ts";
import { parseCases } from "../testing/conformance-file.ts";
import { memorySessions } from "../testing/memory-sessions.ts";
import { runCase } from "../testing/quorate-session.ts";
import { numeric } from "../types/numeric.ts";
import { MemoryMeter, MemoryPool, sizeOf } from "./memory.ts";

const own = () => new DatabaseError("53200", "its own");

test("a meter takes from the pool what it counts, and gives all of it back", (t) => {
	const pool = new MemoryPool(1_000);
	const [one, two] = [new MemoryMeter(700, pool), new MemoryMeter(700, pool)];
	const row = ["x".repeat(100)];
	for (let i = 0; i < 3; i++) one.add(row, own);
	t.is(pool.used, 3 * sizeOf(row));
	t.throws(() => one.add(["x".repeat(300)], own), { message: "its own" });
	for (let i = 0; i < 2; i++) two.add(row, own);
	t.throws(() => two.add(row, own), { message: "out of memory", code: "53200" });
	two.remove(row);
	t.is(pool.used, 4 * sizeOf(row));
	one.release();
	two.release();
	t.is(pool.used, 0);
});

test("large values are counted with what they hold", (t) => {
	t.true(sizeOf([new Uint8Array(5_000)]) > 5_000);
	t.true(sizeOf([{ kind: "array", elements: Array(1_000).fill(1), lower: 1 }]) > 8_000);
	t.true(sizeOf([numeric(10n ** 20_000n, 0)]) > 8_000);
	t.true(sizeOf([numeric(5n, 1)]) < 200);
});

async function open(t: ExecutionContext, statementMemory: number): Promise<Session> {
	const database = memorySessions(statementMemory);
	t.teardown(() => database.close());
	return database.open();
}

const greedy = [
	"select x from generate_series(1, 200000) x order by -x",
	"select count(distinct x) from generate_series(1, 200000) x",
	"select array_agg(x) from generate_series(1, 200000) x",
	"select length(string_agg('abc', ',')) from generate_series(1, 200000) x",
	"select array_agg(x) over (order by x) from generate_series(1, 3000) x",
	"select string_agg('abc', ',') over (order by x) from generate_series(1, 3000) x",
	"select percentile_disc(0.5) within group (order by x) from generate_series(1, 200000) x",
	"select x, count(*) from generate_series(1, 200000) x group by x",
	"select distinct x from generate_series(1, 200000) x",
	"select x from generate_series(1, 200000) x union select 1",
	"select 1 from generate_series(1, 200000) x join generate_series(1, 200000) y on x = y",
	"with recursive t as (select 'x' a union all select a || a from t where length(a) < 100000000) select max(a) from t",
	"with recursive t as (select array[1] a union all select a || a from t where cardinality(a) < 100000000) select 1 from t",
];

test("a statement that keeps too much ends with 53200", async (t) => {
	const session = await open(t, 4 << 20);
	for (const text of greedy) {
		const answer = await runCase(session, parseCases(text)[0]!);
		t.regex(answer.join("\n"), /ERROR 53200: out of memory/, text);
	}
	t.regex((await runCase(session, parseCases("select 1")[0]!)).join(), /SELECT 1/);
});
