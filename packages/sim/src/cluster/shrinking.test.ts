/** Ranges become fewer by themselves when they have become small and cold, and what was dropped goes for good. */

import type { Key } from "@quorate/keys/key";
import type { Limits } from "@quorate/keys/limits";
import { dataSpan, deletionSpan, historySpan } from "@quorate/storage/engine-keys";
import test from "ava";
import { Lab } from "./lab.ts";

const limits: Limits = {
	schedulerMs: 200,
	deadAfterMs: 4_000,
	rangeMaxBytes: 24 << 10,
	divideMs: 100,
	historyLifeMs: 5_000,
	recordLifeMs: 5_000,
	collectMs: 500,
	loadsMs: 300,
	mergeAfterMs: 1_500,
};

/** What the cluster has decided itself. */
const decisions = (lab: Lab): number =>
	lab.decisions("size") +
	lab.decisions("load") +
	lab.cluster.serving().reduce((sum, n) => sum + n.store.merges.size, 0);

async function fill(lab: Lab, table: string, rows: number): Promise<void> {
	for (let from = 1; from <= rows; from += 100) {
		const series = `generate_series(${from}, ${Math.min(rows, from + 99)}) g`;
		await lab.rows(`INSERT INTO ${table} SELECT g, 'x' || g || repeat('x', 50) FROM ${series}`);
	}
}

const rangeCount = async (lab: Lab): Promise<number> =>
	Number((await lab.rows("SELECT count(*) FROM quorate_ranges"))[0]![0]);

async function until(lab: Lab, condition: () => Promise<boolean>): Promise<boolean> {
	for (let i = 0; i < 120; i++) {
		if (await condition()) return true;
		await lab.cluster.world.sleep(1_000);
	}
	return false;
}

test.serial(
	"small and cold ranges are merged, hand-made borders stay, nothing flaps",
	async (t) => {
		const lab = new Lab(1, limits, 1);
		await lab.start(3, "CREATE TABLE big (id int PRIMARY KEY, filler text)");
		await lab.run(async () => {
			await fill(lab, "big", 1_200);
			t.true(await until(lab, async () => (await rangeCount(lab)) >= 4));
			await lab.rows("ALTER TABLE big SPLIT AT VALUES (600)");
			await lab.rows("DELETE FROM big WHERE id % 50 <> 0");
			const most = await rangeCount(lab);
			// The first of all ranges, and what begins at the border that somebody wanted.
			t.true(await until(lab, async () => (await rangeCount(lab)) === 2));
			const borders = await lab.rows("SHOW RANGES FROM TABLE big");
			t.deepEqual(borders[1]?.[1], "(600)");
			const events = await lab.rows(
				"SELECT reason, bytes >= 0 AND took_ms >= 0 FROM quorate_events WHERE kind = 'merge' AND outcome = 'done'",
			);
			t.true(events.length >= most - 2, `${events.length} merges of ${most} ranges`);
			for (const [reason, isCosted] of events) {
				t.regex(reason!, /both are small .* and cold/);
				t.is(isCosted, "t");
			}
			const splits = await lab.rows("SELECT reason FROM quorate_events WHERE kind = 'split'");
			t.true(splits.some(([reason]) => /more than range_max_bytes/.test(reason!)));
			t.true(splits.some(([reason]) => reason === "SPLIT AT of table big"));
			const before = decisions(lab);
			await lab.cluster.world.sleep(60_000);
			t.is(decisions(lab), before);
			t.deepEqual(await lab.rows("SELECT count(*), sum(id) FROM big"), [["24", "15000"]]);
		});
		t.deepEqual(lab.cluster.problems, []);
	},
);

test.serial("without hysteresis ranges are split and merged for ever", async (t) => {
	const lab = new Lab(1, limits, 0, { mergesWithoutHysteresis: true });
	await lab.start(3, "CREATE TABLE big (id int PRIMARY KEY, filler text)");
	await lab.run(async () => {
		await fill(lab, "big", 800);
		await lab.cluster.world.sleep(10_000);
		const before = decisions(lab);
		await lab.cluster.world.sleep(30_000);
		t.true(decisions(lab) > before + 6, `${decisions(lab) - before} in 30 s`);
	});
	t.deepEqual(lab.cluster.problems, []);
});

test.serial("merging by themselves can be turned off", async (t) => {
	const { mergeAfterMs: _, ...rest } = limits;
	const lab = new Lab(2, rest);
	await lab.start(3, "CREATE TABLE big (id int PRIMARY KEY, filler text)");
	await lab.run(async () => {
		await lab.rows("ALTER SYSTEM SET range_merge_after = 0");
		await fill(lab, "big", 600);
		await lab.rows("DELETE FROM big");
		await lab.cluster.world.sleep(30_000);
		t.true((await rangeCount(lab)) > 1);
		await lab.rows("ALTER SYSTEM SET range_merge_after = '2s'");
		t.true(await until(lab, async () => (await rangeCount(lab)) === 1));
	});
	t.deepEqual(lab.cluster.problems, []);
});

/** Entries of each kind that a node's engine has of tables. */
function entries(lab: Lab): readonly number[] {
	const tables = { start: "\x02" as Key, end: "\x03" as Key };
	const all = { rowsMax: 1e6, bytesMax: 1e9, reverse: false, keyOffset: 0 };
	return lab.cluster.serving().flatMap((node) => {
		const { engine } = node.store.replica(node.store.statuses()[0]!.descriptor.rangeId)!.context;
		return [dataSpan, historySpan, deletionSpan].map(
			(span) => engine.scan(span(tables), all).keys.length,
		);
	});
}

test.serial("what was dropped goes once nobody can read it, and its ranges with it", async (t) => {
	// A size is what was measured and what came since, so of small ranges it may be far off: with room for that.
	const lab = new Lab(3, { ...limits, rangeMaxBytes: 32 << 10 });
	await lab.start(
		3,
		"CREATE TABLE kept (id int PRIMARY KEY, n text)",
		"CREATE TABLE gone (id int PRIMARY KEY, n text UNIQUE)",
		"CREATE TABLE emptied (id int PRIMARY KEY, n text)",
		"CREATE INDEX kept_n ON kept (n)",
	);
	await lab.run(async () => {
		for (const table of ["kept", "gone", "emptied"]) await fill(lab, table, 100);
		await lab.rows("ALTER TABLE gone SPLIT AT VALUES (30), (60)");
		await lab.rows("UPDATE gone SET n = n || 'y' WHERE id < 50; DELETE FROM gone WHERE id = 70");
		await lab.cluster.world.sleep(1_000);
		await lab.rows("DROP INDEX kept_n; TRUNCATE emptied; DROP TABLE gone");
		await lab.rows("INSERT INTO emptied VALUES (1, 'new')");
		await lab.cluster.world.sleep(1_000);
		const past = "SELECT count(*), count(*) FILTER (WHERE n LIKE '%y') FROM gone AS OF SYSTEM TIME";
		t.deepEqual(await lab.rows(`${past} '-1500ms'`), [["99", "49"]]);
		const named = "SELECT DISTINCT table_name FROM quorate_ranges WHERE table_name LIKE 'gone%'";
		t.deepEqual(await lab.rows(named), [["gone (dropped)"]]);
		const [before] = entries(lab);
		t.true(before! > 400);
		// 100 rows of one table, one of the other, on each of three nodes: no history of them, no mark of a deletion.
		const isGone = async () => entries(lab).join() === "101,0,0,101,0,0,101,0,0";
		t.true(await until(lab, isGone), entries(lab).join());
		t.true(await until(lab, async () => (await rangeCount(lab)) === 1));
		const error = await t.throwsAsync(lab.rows(`${past} '-12s'`));
		t.true(
			error instanceof Error && /too old|GC|does not exist/.test(error.message),
			error?.message,
		);
		t.deepEqual(await lab.rows("SELECT count(*) FROM kept"), [["100"]]);
		t.deepEqual(await lab.rows("SELECT n FROM emptied"), [["new"]]);
	});
	t.deepEqual(lab.cluster.problems, []);
});
