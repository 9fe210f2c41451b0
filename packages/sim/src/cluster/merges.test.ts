/** Ranges that are merged while they are used: a merge fails nobody, and loses and doubles nothing. */
import type { Key } from "@quorate/keys/key";
import test from "ava";
import { accounts, checkBalance, Lab, rowKeys, transfers } from "./lab.ts";

const mergesOf = ({ cluster }: Lab): number =>
	cluster.serving().reduce((sum, n) => sum + n.store.merges.hand, 0);

const rangesOf = ({ cluster }: Lab): number => cluster.serving()[0]!.store.statuses().length;

test.serial(
	"a merge fails nobody: who has locks keeps them, who waits goes on waiting",
	async (t) => {
		for (let seed = 1; seed <= 3; seed++) {
			const rows = 12;
			const lab = new Lab(seed, {});
			await lab.start(9, ...accounts(rows));
			let isOver = false;
			const load = transfers(lab, rows, () => !isOver);
			await lab.run(async () => {
				const borders = rowKeys(lab).slice(2, 10);
				t.true(await lab.cluster.splitAt(borders));
				for (const at of lab.cluster.world.random("order").shuffled(borders)) {
					await lab.cluster.world.sleep(300);
					t.true(await lab.cluster.mergeAt([at]));
				}
				isOver = true;
				await load;
			});
			t.is(mergesOf(lab), 8);
			t.is(rangesOf(lab), 1);
			await checkBalance(t, lab);
		}
	},
);

test.serial("SPLIT AT and MERGE AT, also where ranges live on different nodes", async (t) => {
	const lab = new Lab(2, {}, 1);
	await lab.start(1, ...accounts(40));
	await lab.run(async () => {
		await lab.rows("ALTER TABLE account SPLIT AT VALUES (10), (20), (30)");
		const nodes = lab.cluster.serving().map((n) => n.nodeId);
		const { coordinator } = lab.cluster.serving()[0]!;
		await coordinator.relocate(rowKeys(lab)[25]!, nodes.slice(1, 4));
		await lab.rows("UPDATE account SET n = id");
		await lab.rows("ALTER TABLE account MERGE AT VALUES (20), (30)");
		// Where no range begins nothing is done.
		await lab.rows("ALTER TABLE account MERGE AT VALUES (20), (25)");
		await lab.rows("UPDATE account SET n = -n WHERE id >= 15");
		t.deepEqual(await lab.rows("SELECT sum(n) FROM account"), [["-570"]]);
	});
	t.is(mergesOf(lab), 2);
	t.is(rangesOf(lab), 2);
	t.deepEqual(lab.cluster.problems, []);
});

test.serial("whoever asks while ranges are merged waits for a moment only", async (t) => {
	const lab = new Lab(1, {});
	await lab.start(4, ...accounts(200));
	const waitsMs: number[] = [];
	let isOver = false;
	const random = lab.cluster.world.random("ids");
	const borders = rowKeys(lab).filter((_, i) => i % 40 === 20);
	await lab.run(async () => t.true(await lab.cluster.splitAt(borders)));
	const load = lab.connections.map(async (connection) => {
		while (!isOver) {
			const before = lab.cluster.world.nowMs;
			await connection.query(`UPDATE account SET n = n + 1 WHERE id = ${random.below(200)}`);
			waitsMs.push(lab.cluster.world.nowMs - before);
		}
	});
	await lab.run(async () => {
		for (const at of borders) {
			await lab.cluster.world.sleep(100);
			t.true(await lab.cluster.mergeAt([at]));
		}
		isOver = true;
		await Promise.all(load);
	});
	const worst = waitsMs.reduce((a, b) => Math.max(a, b), 0);
	t.log(`${waitsMs.length} updates, the slowest ${worst.toFixed(0)} virtual ms`);
	t.true(worst < 300);
	t.is(rangesOf(lab), 1);
	t.deepEqual(lab.cluster.problems, []);
});

test.serial("a range that is split while its merge begins is not left frozen (M4)", async (t) => {
	const rows = 12;
	const lab = new Lab(1, {});
	await lab.start(1, ...accounts(rows));
	const { cluster } = lab;
	const [left, right] = rowKeys(lab).filter((_, i) => i === 4 || i === 8) as [Key, Key];
	const refused = () => cluster.serving().reduce((sum, n) => sum + n.store.merges.refused, 0);
	let rounds = 0;
	await lab.run(async () => {
		// At each half millisecond of a merge's beginning, and on until one has met it.
		while (rounds < 21 || (refused() === 0 && rounds < 100)) {
			const delayMs = (rounds * 0.5) % 10.25;
			t.true(await cluster.splitAt([left]));
			const merged = cluster.mergeAt([left]);
			await cluster.world.sleep(delayMs);
			t.true(await cluster.splitAt([right]));
			t.true(await merged);
			rounds++;
			await lab.rows("UPDATE account SET n = n + 1");
			t.true(await cluster.mergeAt([left, right]));
		}
	});
	t.true(refused() > 0, "no split came in between");
	t.log(`${refused()} of ${rounds} came in between`);
	const sum = await lab.run(() => lab.rows("SELECT sum(n) FROM account"));
	t.deepEqual(sum, [[`${rows * rounds}`]]);
	t.deepEqual(cluster.problems, []);
});
