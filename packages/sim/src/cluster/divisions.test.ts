/** Ranges that split while they are used: by hand, by size, by load. A split fails nobody, and loses and doubles nothing. */
import type { Limits } from "@quorate/keys/limits";
import test from "ava";
import { accounts, checkBalance, Lab, rowKeys, transfers } from "./lab.ts";

test.serial(
	"a split fails nobody: who has locks keeps them, who waits goes on waiting",
	async (t) => {
		for (let seed = 1; seed <= 3; seed++) {
			const rows = 12;
			const lab = new Lab(seed, {});
			await lab.start(9, ...accounts(rows));
			let isOver = false;
			const load = transfers(lab, rows, () => !isOver);
			await lab.run(async () => {
				const keys = rowKeys(lab);
				t.is(keys.length, rows);
				for (const at of lab.cluster.world.random("order").shuffled(keys.slice(2, 10))) {
					await lab.cluster.world.sleep(300);
					t.true(await lab.cluster.splitAt([at]));
				}
				isOver = true;
				await load;
			});
			t.is(lab.decisions("hand"), 8);
			await checkBalance(t, lab);
		}
	},
);

test.serial("whoever asks while a range is split waits for a moment only", async (t) => {
	const lab = new Lab(1, {});
	await lab.start(4, ...accounts(200));
	const waitsMs: number[] = [];
	let isOver = false;
	const random = lab.cluster.world.random("ids");
	const load = lab.connections.map(async (connection) => {
		while (!isOver) {
			const before = lab.cluster.world.nowMs;
			await connection.query(`UPDATE account SET n = n + 1 WHERE id = ${random.below(200)}`);
			waitsMs.push(lab.cluster.world.nowMs - before);
		}
	});
	await lab.run(async () => {
		for (const at of rowKeys(lab).filter((_, i) => i % 40 === 20)) {
			await lab.cluster.world.sleep(100);
			t.true(await lab.cluster.splitAt([at]));
		}
		isOver = true;
		await Promise.all(load);
	});
	const worst = waitsMs.reduce((a, b) => Math.max(a, b), 0);
	t.log(`${waitsMs.length} updates, the slowest ${worst.toFixed(0)} virtual ms`);
	t.true(worst < 150);
	t.deepEqual(lab.cluster.problems, []);
});

const small: Limits = { rangeMaxBytes: 24 << 10, divideMs: 50, bufferBytes: 16 << 10 };

test.serial("a load of many rows in one transaction splits its ranges while it runs", async (t) => {
	for (let seed = 1; seed <= 1; seed++) {
		const lab = new Lab(seed, small);
		await lab.start(5, ...accounts(8), "CREATE TABLE big (id int PRIMARY KEY, filler text)");
		let isOver = false;
		const load = transfers(lab, 8, () => !isOver);
		const count = 3_000;
		await lab.run(async () => {
			const texts = ["BEGIN"];
			for (let from = 1; from <= count; from += 50) {
				const series = `generate_series(${from}, ${from + 49}) g`;
				texts.push(`INSERT INTO big SELECT g, repeat('x', 50) FROM ${series}`);
			}
			await lab.attempt(lab.connections[0]!, [...texts, "COMMIT"]);
			const during = lab.decisions("size");
			t.true(during >= 4, `${during} splits while it ran`);
			isOver = true;
			await load;
			await lab.cluster.world.sleep(3_000);
			const [[all, least, most]] = (await lab.rows(
				"SELECT count(*), min(id), max(id) FROM big",
			)) as [[string, string, string]];
			t.deepEqual([all, least, most], [String(count), "1", String(count)]);
			const sizes = (await lab.rows("SHOW RANGES FROM TABLE big")).map((row) => Number(row[5]));
			t.log(`seed ${seed}: ${during} splits while it ran; sizes ${sizes.join(" ")}`);
			t.true(sizes.length >= 8 && sizes.every((size) => size <= small.rangeMaxBytes! * 1.5));
		});
		await checkBalance(t, lab);
	}
});

/** Everybody asks for single rows, `idOf` says which, for so many virtual seconds. */
async function ask(lab: Lab, seconds: number, idOf: () => number): Promise<void> {
	const endMs = lab.cluster.world.nowMs + seconds * 1_000;
	await lab.run(() =>
		Promise.all(
			lab.connections.map(async (connection) => {
				while (lab.cluster.world.nowMs < endMs) {
					await connection.query(`SELECT n FROM account WHERE id = ${idOf()}`);
					await lab.cluster.world.sleep(10);
				}
			}),
		),
	);
}

const busy: Limits = { rangeMaxLoad: 80, divideMs: 500 };

test.serial(
	"a range that is asked too often is split where that divides the requests",
	async (t) => {
		const lab = new Lab(1, busy);
		const rows = 200;
		await lab.start(4, ...accounts(rows));
		const random = lab.cluster.world.random("ids");
		// Most of it in a few rows at the end: the middle of the keys would not be the middle of the load.
		await ask(lab, 16, () => (random.chance(0.8) ? 180 + random.below(20) : random.below(180)));
		t.true(
			lab.decisions("load") >= 1,
			JSON.stringify(lab.cluster.serving().map((n) => n.store.splitDecisions)),
		);
		const ranges = await lab.run(() => lab.rows("SHOW RANGES FROM TABLE account"));
		t.log(ranges.map((row) => `${row[1]} ${row[6]}/s`).join(", "));
		const borders = ranges.slice(1).map((row) => Number(/\d+/.exec(row[1]!)![0]));
		t.true(borders.some((id) => id >= 180));
		t.deepEqual(lab.cluster.problems, []);
	},
);

test.serial("where one row gets most of the requests nothing is split", async (t) => {
	const lab = new Lab(1, busy);
	await lab.start(4, ...accounts(200));
	const random = lab.cluster.world.random("ids");
	await ask(lab, 16, () => (random.chance(0.9) ? 77 : random.below(200)));
	t.is(lab.decisions("load"), 0);
	t.true(lab.decisions("undivided-load") >= 1);
	t.deepEqual(lab.cluster.problems, []);
});

test.serial("nor where transactions of one range would become transactions of two", async (t) => {
	const lab = new Lab(1, busy);
	await lab.start(4, ...accounts(200));
	const endMs = lab.cluster.world.nowMs + 16_000;
	await lab.run(() => transfers(lab, 200, () => lab.cluster.world.nowMs < endMs));
	t.is(lab.decisions("load"), 0);
	t.true(lab.decisions("undivided-load") >= 1);
	await checkBalance(t, lab);
});
